"""Compiled training of any Keras model of one input: whole runs of batches at once."""

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

    It works on a copy of a user's model, so that the next model of the same kind finds
    it compiled; each fit copies weights and the optimizer's state in and out. What a
    batch computes is left to the model: losses, masks, regularizers and metrics are
    Keras' own.
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
        """Make the metrics' variables before anything is traced."""
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
        """Do what an optimizer does when training ends: averages become weights."""
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
        """Train on a batch: its last rows are -1 where there is no more data."""
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
        """Give rows that aren't there no weight, and the mean its right divisor."""
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
        # A mask is an attribute, which gets lost at the function's border.
        return loss, outputs, mask_of(outputs)

    def _loss(self, x, y, outputs, weights, *, training):
        if weights is not None and weights.shape.rank == 1:
            # Of the losses of steps, Keras can't tell the steps from the rows.
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
        """Add a batch to the metrics; outside of what XLA compiles, as they may be."""
        if self.has_metrics:
            metrics = compiled_metrics_of(self.model)
            metrics.update_state(batch["y"], outputs, batch.get("weights"))


def logs_of(model, total, count):
    """Return the mean of summed losses, and what the metrics of a model have counted.

    Most are numbers; a score of each class is an array.
    """
    logs = {}
    if compiled_metrics_of(model) is not None:
        for name, value in model.get_metrics_result().items():
            value = keras.ops.convert_to_numpy(value)
            logs[name] = value if value.ndim else float(value)
    return logs | {"loss": float(total) / max(float(count), 1)}


def compiled(function, **options):
    """Return `function` to be traced by TensorFlow, which shall not warn of it.

    It warns of code that is traced often, which ours is, once an architecture: it tells
    functions apart by their code, which a partial doesn't show.
    """
    return tf.function(partial(function), autograph=False, **options)


def signature_of(data):
    """Return the specification of arrays that may have any number of rows."""
    return {
        name: tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for name, array in data.items()
    }


def _up_to(weights, present):
    """Give `present`, one number a row, the dimensions of `weights`."""
    return tf.reshape(present, [-1] + [1] * (weights.shape.rank - 1))


def _assign(to, values):
    for variable, value in zip(to, values, strict=True):
        variable.assign(value.value)


def as_keras_reads(array):
    """Return an array of the type in which Keras would take it."""
    if array.dtype.kind != "f":
        return array
    return array.astype(keras.config.floatx(), copy=False)


def as_model_reads(x, model):
    """Return X of the type of a model's input, and with its last axis of length 1."""
    (wanted,) = model.inputs
    rank = len(wanted.shape)
    if x.ndim == rank - 1 and wanted.shape[-1] == 1:
        x = x[..., None]
    elif x.ndim == rank + 1 and x.shape[-1] == 1:
        x = x[..., 0]
    return x.astype(wanted.dtype, copy=False)
