"""Keras optimizers for compiled training: by name, or a copy of the user's own."""

from functools import partial

import keras
import numpy as np

from skrnn._engine.keras.foreign.keys import value_key
from skrnn._engine.keras.private import (
    averages_of,
    keep_gradients_local,
    rate_or_schedule_of,
)
from skrnn._networks.optimizers import OPTIMIZERS


def optimizer_key(optimizer):
    """Return what two optimizers share if one compiled function can serve both."""
    if isinstance(optimizer, str):
        return optimizer
    config = dict(optimizer.get_config())
    # Keras numbers the names: they mean nothing.
    config.pop("name", None)
    config.pop("learning_rate", None)
    # What is the user's own may be defined anew under the same name.
    rate = rate_or_schedule_of(optimizer)
    rate = None if _has_fixed_rate(optimizer) else value_key(rate)
    return value_key(type(optimizer)), rate, repr(config)


def make_optimizer(optimizer, variables):
    """Return an optimizer that belongs to `variables`, its own object in any case."""
    if isinstance(optimizer, str):
        made = getattr(keras.optimizers, OPTIMIZERS[optimizer].keras)()
    else:
        made = copy_of_optimizer(optimizer)
    keep_gradients_local(made)
    made.build(variables)
    return made


def copy_of_optimizer(optimizer):
    """Return an optimizer with the same configuration that belongs to no network yet.

    A schedule has no state and may serve both: by its name alone Keras wouldn't find
    one that is defined in a script.
    """
    config = optimizer.get_config()
    if isinstance(config.get("learning_rate"), dict):
        config["learning_rate"] = rate_or_schedule_of(optimizer)
    return type(optimizer).from_config(config)


def learning_rate(optimizer, default):
    """Return the rate to start with, or None where a schedule decides."""
    if isinstance(optimizer, str):
        return default
    return float(optimizer.learning_rate) if _has_fixed_rate(optimizer) else None


def _has_fixed_rate(optimizer):
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return not isinstance(rate_or_schedule_of(optimizer), schedule)


class OptimizerOfArrays:
    """An optimizer of Keras for weights that are arrays; `Optimizer`'s methods.

    Each step copies the weights to variables and back, because we don't know the
    optimizer's formula. It serves one fit at a time.

    Attributes
    ----------
    name : None
        That of no row of ``OPTIMIZERS``.
    views : list of ndarray
        The weights, set by whoever borrows it.
    """

    name, is_fused = None, False

    def __init__(self, optimizer, weights):
        self.views = [np.zeros(row.shape, np.float32) for row in weights]
        self._variables = [
            # Some optimizers look at names.
            keras.Variable(view.copy(), name=row.name.split("/")[-1])
            for view, row in zip(self.views, weights, strict=True)
        ]
        self._optimizer = make_optimizer(optimizer, self._variables)
        self._in_keras = None
        self._fresh = self.state()
        self._ends = np.cumsum([view.size for view in self.views])[:-1].tolist()
        self._run = _compiled(self._step, sum(view.size for view in self.views))

    @property
    def learning_rate(self):
        return float((self._in_keras or self._optimizer).learning_rate)

    @learning_rate.setter
    def learning_rate(self, rate):
        self._optimizer.learning_rate = rate
        if self._in_keras is not None:
            self._in_keras.learning_rate = rate

    def in_keras(self, _make):
        """Return what callbacks see: another one, whose learning rate counts from now.

        A model has its variables in another order than these arrays.
        """
        if self._in_keras is None:
            self._in_keras = copy_of_optimizer(self._optimizer)
        self._in_keras.iterations.assign(self._optimizer.iterations)
        return self._in_keras

    def reset(self, state, learning_rate=None):
        """Start anew, or from a `state` of the same layout."""
        self._in_keras = None
        fresh = [array.shape for array in self._fresh]
        if state is None or [array.shape for array in state] != fresh:
            state = self._fresh
        for variable, array in zip(self._optimizer.variables, state, strict=True):
            variable.assign(array.copy())
        if learning_rate is not None:
            self.learning_rate = learning_rate

    def state(self):
        """Return copies of the state."""
        return [np.array(variable.numpy()) for variable in self._optimizer.variables]

    @property
    def averages(self):
        """Return copies of the averages that the optimizer takes of the weights."""
        if not self._optimizer.use_ema:
            return None
        return [np.array(average.numpy()) for average in averages_of(self._optimizer)]

    def apply(self, w, g):
        """Make a step of the weights `w` along their gradients `g`; both are flat."""
        if self._in_keras is not None and _has_fixed_rate(self._optimizer):
            self._optimizer.learning_rate = self.learning_rate
        w[...] = keras.ops.convert_to_numpy(self._run(_tensor(w), _tensor(g)))

    def _step(self, w, g):
        for variable, weight in zip(self._variables, self._shaped(w), strict=True):
            variable.assign(weight)
        self._optimizer.apply(self._shaped(g), self._variables)
        ops = keras.ops
        flat = [ops.reshape(ops.convert_to_tensor(v), (-1,)) for v in self._variables]
        return ops.concatenate(flat)

    def _shaped(self, flat):
        """Cut a flat tensor into the shapes of the weights."""
        parts = keras.ops.split(flat, self._ends)
        return [
            keras.ops.reshape(part, variable.shape)
            for part, variable in zip(parts, self._variables, strict=True)
        ]


def _tensor(array):
    # A copy, because a backend may go on using the array it is given.
    return keras.ops.convert_to_tensor(array.copy())


def _compiled(step, size):
    """Compile where single operations cost most: ten times the rest of a step."""
    if keras.backend.backend() != "tensorflow":
        return step
    import tensorflow as tf  # noqa: PLC0415

    # TensorFlow would warn of a method of several objects.
    compiled = tf.function(partial(step), autograph=False)
    flat = tf.TensorSpec([size], tf.float32)
    # To look for the trace takes longer than to run it.
    return compiled.get_concrete_function(flat, flat)
