"""Compiled training of any Keras model of one input: many batches in one call."""

from dataclasses import dataclass
from functools import partial
from types import FunctionType

import keras
import tensorflow as tf

from skrnn._engine.keras.private import (
    compile_arguments_of,
    compiled_metrics_of,
    function_arguments_of,
    keep_gradients_local,
    layers_of,
    mask_of,
    set_mask,
    supports_xla,
)
from skrnn._sklearn import naming
from skrnn.scikeras.engine.keys import is_keras, training_key
from skrnn.scikeras.engine.models import copy_of
from skrnn.scikeras.engine.specs import metrics_of

# Training steps times time steps. Below this, plain TensorFlow has finished before XLA
# has compiled.
_XLA_FROM = 5_000
# In training, the output of a row depends on the other rows of its batch.
_MIX_ROWS = {"BatchNormalization", "SpectralNormalization"}
# Operations between layers that don't mix rows.
_ROWWISE_OPERATIONS = {"GetItem", "ExpandDims", "Concatenate"}
# Losses with one value a row: a row of weight 0 doesn't change the others.
_ROWWISE_LOSSES = {
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
}
_FULL_MEAN = {"sum_over_batch_size", "mean"}


@dataclass(frozen=True)
class Recipe:
    """How a model is compiled; programs of equal keys do the same.

    Attributes
    ----------
    key : tuple
    signature : dict of tf.TensorSpec
        Of the arrays to train on.
    fast : bool
        Whether XLA compiles the step.
    """

    key: tuple
    signature: dict
    fast: bool


def recipe_for(model, layers, data, n_steps):
    """Return how to compile the training of `model` on the arrays of `data`.

    Raises
    ------
    NotTakenError
        If Keras has to train it.
    """
    signature = {
        name: tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for name, array in data.items()
    }
    shapes = tuple((k, tuple(v.shape), v.dtype.name) for k, v in signature.items())
    n_timesteps = data["x"].shape[1] if data["x"].ndim > 1 else 1
    fast = _gains_from_xla(model, layers, n_steps * n_timesteps)
    return Recipe((*training_key(model, layers), shapes, fast), signature, fast)


def _gains_from_xla(model, layers, n_steps):
    """Whether XLA, whose compiling takes about a second, pays in one fit.

    Decide from this fit alone, not from the number of fits before: XLA and plain
    TensorFlow round differently, and equal seeds must give equal weights.
    """
    loops = any(isinstance(layer, keras.layers.RNN) for layer in layers)
    return loops and n_steps >= _XLA_FROM and supports_xla(model)


class KerasProgram:
    """The compiled training functions of one architecture, loss and optimizer.

    It works on a copy of the user's model, so that the next model with the same key
    needs no compiling; each fit copies weights and the optimizer's state in and out.
    The model computes each batch: losses, masks, regularizers and metrics are Keras'
    own.
    """

    def __init__(self, model, recipe):
        self.model, signature = copy_of(model), recipe.signature
        self.optimizer = self.model.optimizer
        keep_gradients_local(self.optimizer)
        self.optimizer.build(self.model.trainable_variables)
        self.padded = _may_be_padded(self.model)
        self.scaled = _divides_by_rows(self.model)
        self.has_metrics = self._build_metrics(signature["y"])
        self._step = compiled(self._take_step, jit_compile=recipe.fast)
        order = tf.TensorSpec([None, None], tf.int64)
        self.train = self._compile(self._train_batch, [signature, order])
        self.evaluate = self._compile(self._evaluate_batch, [signature, order])

    def _build_metrics(self, y):
        """Build the metrics' variables before tracing."""
        metrics = compiled_metrics_of(self.model)
        if metrics is not None and not metrics.built:
            y = keras.KerasTensor(y.shape, y.dtype.name)
            with naming("metrics"):
                metrics.build(y, self.model.outputs[0])
        return metrics is not None

    @staticmethod
    def load(data):
        """Hand arrays to TensorFlow."""
        return {name: tf.convert_to_tensor(array) for name, array in data.items()}

    def copy_from(self, model):
        """Take over weights, the optimizer's state and the names of the metrics."""
        if self.has_metrics:
            _share_names(self.model, model)
        _assign(self._state(self.model), self._state(model))

    def copy_to(self, model, *, ended=False):
        """Hand back weights and the optimizer's state.

        At the end of training, the optimizer's averages, if it takes any, become the
        weights.
        """
        if ended:
            self.optimizer.finalize_variable_values(self.model.trainable_weights)
        _assign(self._state(model), self._state(self.model))

    @staticmethod
    def _state(model):
        return [*model.variables, *model.optimizer.variables]

    def start_metrics(self):
        """Reset the metrics."""
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
    for name, value in model.get_metrics_result().items():
        value = keras.ops.convert_to_numpy(value)
        logs[name] = value if value.ndim else float(value)
    return logs | {"loss": float(total) / max(float(count), 1)}


def compiled(function, **options):
    """Return `function` for TensorFlow to trace, without its warning of many traces.

    Our code is traced once for each architecture, but TensorFlow counts traces by the
    code of a function. A partial hides that code.
    """
    return tf.function(partial(function), autograph=False, **options)


def _up_to(weights, present):
    """Reshape `present`, one number a row, to the number of dimensions of `weights`."""
    return tf.reshape(present, [-1] + [1] * (weights.shape.rank - 1))


def _assign(to, values):
    for variable, value in zip(to, values, strict=True):
        variable.assign(value.value)


def _share_names(copied, model):
    """Give the metrics of a copy the names of those of `model`; Keras numbers them."""
    models = copied, model
    named = [metrics_of(compile_arguments_of(each)) for each in models]
    for own, others in zip(*named, strict=True):
        if isinstance(others, keras.metrics.Metric):
            own.name = others.name


def _may_be_padded(model):
    """Whether rows of weight 0 don't change the gradients of the others."""
    layers = layers_of(model)
    operations = [
        operation
        for each in [model, *layers]
        for operation in getattr(each, "operations", ())
        if not isinstance(operation, keras.Layer)
    ]
    return (
        all(type(each).__name__ in _ROWWISE_OPERATIONS for each in operations)
        and not any(type(layer).__name__ in _MIX_ROWS for layer in layers)
        and all(getattr(x, "activity_regularizer", None) is None for x in layers)
        # A masked mean counts the steps of the whole batch.
        and mask_of(model.outputs[0]) is None
        and _loss_class(model.loss) in _ROWWISE_LOSSES
    )


def _divides_by_rows(model):
    """Whether the loss of a batch is a sum divided by the number of its rows."""
    loss = _only(model.loss)
    return getattr(loss, "reduction", "sum_over_batch_size") in _FULL_MEAN


def takes_columns(model):
    """Whether losses and metrics are the same for a y (n,) and for its column (n, 1).

    Keras' own are. A user's function may broadcast one of them and not the other.
    """
    metrics = metrics_of(compile_arguments_of(model))
    metrics = [each for each in metrics if not isinstance(each, str)]
    own = _loss_class(model.loss) in _ROWWISE_LOSSES
    return own and all(map(is_keras, metrics)) and len(model.output_shape) == 2


def _only(loss):
    flat = keras.tree.flatten(loss)
    return flat[0] if len(flat) == 1 else None


def _loss_class(loss):
    """Return the class name of a loss of Keras, given by name or not; else None."""
    loss = _only(loss)
    loss = keras.losses.get(loss) if isinstance(loss, str) else loss
    if not is_keras(loss) or getattr(loss, "ignore_class", None) is not None:
        return None
    if (function_arguments_of(loss) or {}).get("axis", -1) != -1:
        return None
    if isinstance(loss, FunctionType):
        return "".join(map(str.capitalize, loss.__name__.split("_"))).replace(
            "KlDivergence", "KLDivergence"
        )
    return type(loss).__name__
