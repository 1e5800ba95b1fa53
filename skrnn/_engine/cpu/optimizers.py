"""Optimizers on one flat array of weights: the state of a row of ``OPTIMIZERS``.

The state is listed as Keras lists an optimizer's variables, so that training can go on
on another backend.
"""

import math
from collections.abc import Callable

import numpy as np

from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels
from skrnn._networks.optimizers import (
    BETA_1,
    BETA_2,
    EPSILON,
    OPTIMIZERS,
    adam_rate,
)

# A formula takes this many weights at once: its temporary arrays stay in the cache.
_PIECE = 16_384


def _adam(w, g, state, rate, step):
    kernels.adam(w, g, *state, adam_rate(rate, step), BETA_1, BETA_2, EPSILON)


# Name of a kernel -> what calls it as a formula.
KERNELS: dict[str | None, Callable] = {"adam": _adam} if ARE_COMPILED else {}


def make_optimizer(optimizer, views):
    """Return an optimizer of the weights `views`, which are parts of one flat array.

    `optimizer` is a name, or an object with the methods of `Optimizer` that is lent.
    """
    if isinstance(optimizer, str):
        return Optimizer(optimizer, views)
    optimizer.views = views
    return optimizer


class Optimizer:
    """The state of one optimizer over the flat weights `w`.

    Attributes
    ----------
    learning_rate : float
        Read before each step.
    is_fused : bool
        Whether the fused step in C takes its steps.
    """

    # No named optimizer averages the weights.
    averages = None

    def __init__(self, name, views):
        self.name, self.row = name, OPTIMIZERS[name]
        self.is_fused = self.row.is_fused
        self._views, self._in_keras = views, None
        self._size = sum(view.size for view in views)
        self._shapes = [
            [s.shape(view.shape) if s.shape else view.shape for s in self.row.state]
            for view in views
        ]
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

    def in_keras(self, make):
        """Return an optimizer of Keras with which this one shares its rate from now on.

        It is for callbacks, which read and change the rate. It has the number of steps
        at the time of the call, and no moments.
        """
        if self._in_keras is None:
            self._in_keras = make(self.row.keras, self._rate)
        self._in_keras.iterations.assign(self.n_steps)
        return self._in_keras

    def reset(self, state, learning_rate=None):
        """Start anew, or from a `state` of the same layout."""
        self._in_keras = None
        self.n_steps, self.learning_rate = 0, 0.0
        self._state, self._parts = self._first_state()
        self._counters = [np.full(1, each, np.float32) for each in self.row.counters]
        fresh = [array.shape for array in self.state()]
        if state is not None and [array.shape for array in state] == fresh:
            self.n_steps, self.learning_rate = int(state[0]), float(state[1])
            own = [part for parts in self._parts for part in parts] + self._counters
            for part, array in zip(own, state[2:], strict=True):
                if part is not None:
                    part[...] = array
        if learning_rate is not None:
            self.learning_rate = learning_rate

    def _first_state(self):
        """Return the flat arrays of all slots, and views of each weight's part."""
        flat: list = []
        parts: list[list] = [[] for _ in self._views]
        for number, slot in enumerate(self.row.state):
            shapes = [shapes[number] for shapes in self._shapes]
            sizes = [0 if shape is None else math.prod(shape) for shape in shapes]
            flat.append(np.full(sum(sizes), slot.first, np.float32))
            pieces = np.split(flat[-1], np.cumsum(sizes)[:-1])
            for own, piece, shape in zip(parts, pieces, shapes, strict=True):
                own.append(None if shape is None else piece.reshape(shape))
        return flat, parts

    def state(self):
        """Return copies of the state, listed as Keras does."""
        with np.errstate(over="ignore"):
            rate = np.array(self.learning_rate, np.float32)
        # Keras lists a number for an array that a weight doesn't need.
        parts = [
            np.array(0, np.int32) if part is None else part.copy()
            for parts in self._parts
            for part in parts
        ]
        counters = [np.array(each[0]) for each in self._counters]
        return [np.array(self.n_steps), rate, *parts, *counters]

    def apply(self, w, g):
        """Make a step of the weights `w` along their gradients `g`.

        Both are flat; the views lie in `w`.
        """
        self.n_steps += 1
        row, rate = self.row, np.float32(self.learning_rate)
        if row.count is not None:
            row.count(self._counters, self.n_steps)
        if row.kernel in KERNELS:
            formula, pieces = KERNELS[row.kernel], [(w, g, self._state)]
        else:
            # A formula uses its gradients up.
            formula, pieces = row.formula, self._pieces(w, g.copy())
        for w_part, g_part, state in pieces:
            if row.decay:
                w_part -= w_part * np.float32(row.decay) * rate
            formula(w_part, g_part, (*state, *self._counters), rate, self.n_steps)

    def _pieces(self, w, g):
        """Return weights, gradients and states that the formula takes together."""
        if not self.row.by_weight:
            parts = [slice(i, i + _PIECE) for i in range(0, self._size, _PIECE)]
            return [(w[p], g[p], [array[p] for array in self._state]) for p in parts]
        ends = np.cumsum([view.size for view in self._views])[:-1]
        shaped = [
            own.reshape(view.shape)
            for own, view in zip(np.split(g, ends), self._views, strict=True)
        ]
        return zip(self._views, shaped, self._parts, strict=True)
