"""Compiled training of any Keras model of one input, many batches a call."""

from functools import partial

import keras
import tensorflow as tf

from skrnn._engine.keras.private import (
    compiled_metrics_of,
    keep_gradients_local,
    mask_of,
    set_mask,
)
from skrnn.scikeras.engine.models import (
    copy_of,
    divides_by_rows,
    may_be_padded,
    share_names,
)


class KerasProgram:
    """The compiled training functions of one architecture and one way to train it.

    It works on a copy of the user's model, so that the next model with the same key
    needs no compiling; each fit copies weights and the optimizer's state in and out.
    The model computes each batch: losses, masks, regularizers and metrics are Keras'
    own.
    """

    def __init__(self, model, signature, *, fast):
        self.model = copy_of(model)
        self.optimizer = self.model.optimizer
        keep_gradients_local(self.optimizer)
        self.optimizer.build(self.model.trainable_variables)
        self.padded = may_be_padded(self.model)
        self.scaled = divides_by_rows(self.model)
        self.has_metrics = self._build_metrics(signature["y"])
        self._step = compiled(self._take_step, jit_compile=fast)
        order = tf.TensorSpec([None, None], tf.int64)
        self.train = self._compile(self._train_batch, [signature, order])
        self.evaluate = self._compile(self._evaluate_batch, [signature, order])

    def _build_metrics(self, y):
        """Build the metrics' variables before tracing."""
        metrics = compiled_metrics_of(self.model)
        if metrics is not None and not metrics.built:
            y = keras.KerasTensor(y.shape, y.dtype.name)
            metrics.build(y, self.model.outputs[0])
        return metrics is not None

    @staticmethod
    def load(data):
        """Hand arrays to TensorFlow."""
        return {name: tf.convert_to_tensor(array) for name, array in data.items()}

    def copy_from(self, model):
        """Take over weights, the optimizer's state and the names of the metrics."""
        share_names(self.model, model)
        _assign(self._state(self.model), self._state(model))

    def copy_to(self, model):
        """Hand back weights and the optimizer's state."""
        _assign(self._state(model), self._state(self.model))

    @staticmethod
    def _state(model):
        return [*model.variables, *model.optimizer.variables]

    def finish(self):
        """Let the optimizer end training: its averages become the weights."""
        self.optimizer.finalize_variable_values(self.model.trainable_weights)

    def start_metrics(self):
        """Forget what the metrics have counted."""
        self.model.reset_metrics()

    def logs(self, total, count):
        """Return the loss and the metrics since `start_metrics`."""
        return logs_of(self.model, total, count)

    def _compile(self, run_batch, signature):
        """Compile ``f(data, order) -> total loss, rows`` for batches of row numbers."""

        def run(data, order):
            zero = tf.constant(0.0, tf.float64)

            def body(i, total, count):
                loss, n = run_batch(data, order[i])
                n = tf.cast(n, tf.float64)
                return i + 1, total + tf.cast(loss, tf.float64) * n, count + n

            return tf.while_loop(
                lambda i, *_: i < tf.shape(order)[0],
                body,
                (0, zero, zero),
                parallel_iterations=1,
            )[1:]

        return compiled(run, input_signature=signature)

    def _train_batch(self, data, rows):
        """Train on a batch of row numbers; -1 at its end stands for no row."""
        batch = {k: tf.gather(v, tf.maximum(rows, 0)) for k, v in data.items()}
        present = tf.cast(rows >= 0, tf.float32)
        n = tf.math.count_nonzero(rows >= 0)
        weights = batch.get("weights")
        filled = self._filled_up(weights, present) if self.padded else weights
        loss, outputs, mask = self._step(batch["x"], batch["y"], filled)
        if self.has_metrics:
            real = {k: v[:n] for k, v in batch.items()}
            outputs = outputs[:n]
            set_mask(outputs, None if mask is None else mask[:n])
            self._count(real, outputs)
        return loss, n

    def _filled_up(self, weights, present):
        """Give weight 0 to missing rows, and correct the divisor of the mean."""
        if self.scaled:
            there = tf.maximum(tf.reduce_sum(present), 1.0)
            present *= tf.cast(tf.size(present), tf.float32) / there
        if weights is None:
            return present
        return weights * tf.cast(_up_to(weights, present), weights.dtype)

    def _take_step(self, x, y, weights):
        model = self.model
        with tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = self._loss(x, y, outputs, weights, training=True)
            scaled = self.optimizer.scale_loss(loss)
        trainable = model.trainable_weights
        gradients = tape.gradient(scaled, [v.value for v in trainable])
        self.optimizer.apply(gradients, trainable)
        # A tensor loses the attribute for its mask when it leaves the function.
        return loss, outputs, mask_of(outputs)

    def _loss(self, x, y, outputs, weights, *, training):
        if weights is not None and weights.shape.rank == 1:
            # Otherwise Keras would broadcast weights of rows against losses of steps.
            weights = tf.reshape(weights, [-1] + [1] * (outputs.shape.rank - 2))
        return self.model.compute_loss(
            x=x, y=y, y_pred=outputs, sample_weight=weights, training=training
        )

    def _evaluate_batch(self, data, rows):
        rows = tf.boolean_mask(rows, rows >= 0)
        batch = {k: tf.gather(v, rows) for k, v in data.items()}
        outputs = self.model(batch["x"], training=False)
        loss = self._loss(
            batch["x"], batch["y"], outputs, batch.get("weights"), training=False
        )
        self._count(batch, outputs)
        return loss, tf.size(rows)

    def _count(self, batch, outputs):
        """Update the metrics with a batch, outside of XLA, which can't compile some."""
        if self.has_metrics:
            metrics = compiled_metrics_of(self.model)
            metrics.update_state(batch["y"], outputs, batch.get("weights"))


def logs_of(model, total, count):
    """Return the mean of summed losses, and the results of the model's metrics.

    Most results are numbers; a metric with a value for each class gives an array.
    """
    logs = {}
    if compiled_metrics_of(model) is not None:
        for name, value in model.get_metrics_result().items():
            value = keras.ops.convert_to_numpy(value)
            logs[name] = value if value.ndim else float(value)
    return logs | {"loss": float(total) / max(float(count), 1)}


def compiled(function, **options):
    """Return `function` for TensorFlow to trace, without its warning of many traces.

    Our code is traced once for each architecture. TensorFlow counts traces by the code
    of a function, which a partial hides.
    """
    return tf.function(partial(function), autograph=False, **options)


def signature_of(data):
    """Return the signature of arrays with any number of rows."""
    return {
        name: tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for name, array in data.items()
    }


def _up_to(weights, present):
    """Reshape `present`, one number a row, to the number of dimensions of `weights`."""
    return tf.reshape(present, [-1] + [1] * (weights.shape.rank - 1))


def _assign(to, values):
    for variable, value in zip(to, values, strict=True):
        variable.assign(value.value)


def as_keras_reads(array):
    """Return an array of the type to which Keras would convert it."""
    if array.dtype.kind != "f":
        return array
    return array.astype(keras.config.floatx(), copy=False)


def as_model_reads(x, model):
    """Return X with the type and the number of dimensions of a model's input."""
    (wanted,) = model.inputs
    rank = len(wanted.shape)
    if x.ndim == rank - 1 and wanted.shape[-1] == 1:
        x = x[..., None]
    elif x.ndim == rank + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    return x.astype(wanted.dtype, copy=False)
