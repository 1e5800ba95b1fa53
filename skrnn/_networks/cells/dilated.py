"""A cell on a slower timescale: it goes on from the state some steps before."""

from dataclasses import dataclass
from typing import Any

from skrnn._networks.cells.base import BaseCell


@dataclass(frozen=True)
class DilatedCell(BaseCell):
    """A cell whose step t goes on from its states after step t - n.

    It makes the layers of a dilated recurrent network (Chang et al., 2017). Each of its
    states holds the last n states of the inner cell, (B, n, ...), the oldest first: the
    next step goes on from the oldest.

    Attributes
    ----------
    inner : Cell
    n : int
        Number of steps between consecutive states.
    """

    inner: Any
    n: int

    def weights(self, width, units):
        return self.inner.weights(width, units)

    def state_shapes(self, units):
        return tuple((self.n, *shape) for shape in self.inner.state_shapes(units))

    def project(self, ops, w, x):
        return self.inner.project(ops, w, x)

    def step(self, ops, activation, w, projected, states, drop):
        before = tuple(state[:, 0] for state in states)
        after = self.inner.step(ops, activation, w, projected, before, drop)
        return tuple(
            ops.concatenate([old[:, 1:], new[:, None]], axis=1)
            for old, new in zip(states, after, strict=True)
        )

    def output(self, states):
        return self.inner.output(tuple(state[:, -1] for state in states))

    def gate_values(self, ops, activation, w, projected, states):
        before = tuple(state[:, 0] for state in states)
        return self.inner.gate_values(ops, activation, w, projected, before)
