"""Optimizers on one flat array of weights, with the defaults and state of Keras' own.

The state is listed as Keras lists an optimizer's variables, so that training can go on
on another backend.
"""

import numpy as np

from skrnn._engine._layer import kernels
from skrnn._spec import OPTIMIZERS

_EPSILON = 1e-7
# How much of each moment stays in a step, and what keeps the root from zero.
ADAM = 0.9, 0.999, _EPSILON


def _sgd(w, g, _state, rate, _step):
    w -= rate * g


def _adam(w, g, state, rate, step):
    """Kingma & Ba (2015)."""
    keep_1, keep_2, _ = ADAM
    rate = rate * np.sqrt(1 - keep_2**step) / (1 - keep_1**step)
    kernels.adam(w, g, *state, rate, *ADAM)


def _adamw(w, g, state, rate, step):
    """Loshchilov & Hutter (2019)."""
    w -= w * np.float32(0.004) * rate
    _adam(w, g, state, rate, step)


def _rmsprop(w, g, state, rate, _step):
    """Tieleman & Hinton (2012)."""
    (velocity,) = state
    velocity += np.float32(0.1) * (g * g - velocity)
    w -= rate * g / np.sqrt(velocity + np.float32(_EPSILON))


def _adagrad(w, g, state, rate, _step):
    """Duchi et al. (2011)."""
    (accumulator,) = state
    accumulator += g * g
    w -= rate * g / np.sqrt(accumulator + np.float32(_EPSILON))


# Name -> the formula, and the first values of its state.
FORMULAS = {
    "sgd": (_sgd, ()),
    "adam": (_adam, (0.0, 0.0)),
    "adamw": (_adamw, (0.0, 0.0)),
    "rmsprop": (_rmsprop, (0.0,)),
    "adagrad": (_adagrad, (0.1,)),
}


def has_formula(optimizer):
    """Whether an optimizer, or the name of one, needs no Keras."""
    return isinstance(optimizer, str) and optimizer in FORMULAS


def make_optimizer(optimizer, views):
    """Return what steps the weights `views`, which lie in one flat array.

    `optimizer` is a name, or an object with the methods of `Optimizer` that is lent.
    """
    if has_formula(optimizer):
        return Optimizer(optimizer, views)
    optimizer.views = views
    return optimizer


class Optimizer:
    """The state of one optimizer over the flat weights `w`.

    Attributes
    ----------
    learning_rate : float
        Read before each step.
    """

    def __init__(self, name, views):
        self.name = name
        self._formula, self._first = FORMULAS[name]
        self._views, self._in_keras = views, None
        self.reset(None)

    @property
    def learning_rate(self):
        if self._in_keras is None:
            return self._rate
        return float(self._in_keras.learning_rate)

    @learning_rate.setter
    def learning_rate(self, rate):
        self._rate = rate
        if self._in_keras is not None:
            self._in_keras.learning_rate = rate

    def in_keras(self):
        """Return an optimizer of Keras' whose learning rate is this one's from now on.

        That is for callbacks, which read it and change it. It tells the number of steps
        at the time of the call, and has no moments.
        """
        # Deferred: training without callbacks needs no Keras.
        import keras  # noqa: PLC0415

        if self._in_keras is None:
            made = getattr(keras.optimizers, OPTIMIZERS[self.name])
            self._in_keras = made(self._rate)
        self._in_keras.iterations.assign(self.n_steps)
        return self._in_keras

    def reset(self, state):
        """Start anew, or from a `state` of the same layout."""
        self._in_keras = None
        self.n_steps, self.learning_rate = 0, 0.0
        size = sum(view.size for view in self._views)
        self._state = [np.full(size, value, np.float32) for value in self._first]
        fresh = [array.shape for array in self.state()]
        if state is not None and [array.shape for array in state] == fresh:
            self.n_steps, self.learning_rate = int(state[0]), float(state[1])
            for i, array in enumerate(self._state):
                parts = state[2 + i :: len(self._state)]
                np.concatenate([part.ravel() for part in parts], out=array)

    def state(self):
        """Return copies of the state, listed as Keras does."""
        with np.errstate(over="ignore"):
            rate = np.array(self.learning_rate, np.float32)
        listed = [np.array(self.n_steps), rate]
        first = 0
        for view in self._views:
            last = first + view.size
            listed += [s[first:last].reshape(view.shape).copy() for s in self._state]
            first = last
        return listed

    def averages(self):
        """Return None: no named optimizer averages the weights."""

    def apply(self, w, g):
        """Make a step of the weights `w` along their gradients `g`."""
        self.n_steps += 1
        self._formula(w, g, self._state, np.float32(self.learning_rate), self.n_steps)
