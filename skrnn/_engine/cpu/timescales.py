"""A layer on a slower timescale as an ordinary layer over more sequences.

A cell whose step t goes on from the state n steps before runs over n independent chains
of a sequence: its steps 0, n, 2n, ..., its steps 1, n + 1, ..., and so on. So the
kernels need no other kind of loop, and take n times fewer steps of n times more rows.
The result is that of `skrnn._networks.cells.dilated`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._engine.cpu.autodiff import value_of
from skrnn._networks.layers import Lookup


@dataclass(frozen=True)
class Chains:
    """The n chains of each of B sequences, the longest first.

    Attributes
    ----------
    n : int
    lengths : ndarray of int of shape (B,)
        Of the sequences.
    """

    n: int
    lengths: np.ndarray

    @property
    def own_lengths(self):
        """Lengths of the chains, those of the first steps of all sequences first."""
        phases = np.arange(self.n)[:, None]
        return np.maximum((self.lengths - phases + self.n - 1) // self.n, 0).ravel()

    @property
    def order(self):
        """Places of the chains by length, the longest first; None if in order."""
        lengths = self.own_lengths
        if (lengths[1:] <= lengths[:-1]).all():
            return None
        return np.argsort(-lengths, kind="stable")

    def cut(self, ops, x):
        """Cut steps (T, B, ...) into chains (ceil(T / n), n * B, ...)."""
        rest = -x.shape[0] % self.n
        if rest:
            padding = np.zeros((rest, *x.shape[1:]), value_of(x).dtype)
            x = ops.concatenate([x, padding], axis=0)
        return ops.reshape(x, (-1, self.n * x.shape[1], *x.shape[2:]))

    def join(self, ops, y, n_steps):
        """Undo `cut`."""
        return ops.reshape(y, (-1, len(self.lengths), *y.shape[2:]))[:n_steps]

    def begin(self, ops, state):
        """Turn the last n states (B, n, ...) to one for each chain (n * B, ...)."""
        axes = (1, 0, *range(2, len(state.shape)))
        return ops.reshape(ops.transpose(state, axes), (-1, *state.shape[2:]))

    def end(self, ops, state, known):
        """Turn the chains' states (n * B, ...) to the last n ones (B, n, ...).

        `known` (B, n) says which of them no later reset has set to zero.
        """
        size = len(self.lengths)
        state = ops.reshape(state, (self.n, size, *state.shape[1:]))
        phases = (self.lengths[:, None] + np.arange(self.n)) % self.n
        state = state[phases, np.arange(size)[:, None]]
        if known is None:
            return state
        known = known[(..., *(None,) * (len(state.shape) - 2))]
        return ops.where(known, state, np.zeros((), value_of(state).dtype))


def recur(run, cell, x, lengths, states, reset_mask, final, mask):
    """Do what `Run.recur` says for a cell of a slower timescale.

    ``run.recur_undilated`` runs the inner cell over chains.
    """
    ops, chains = run.ops, Chains(cell.timescale, lengths)
    n_steps, resets, order = x.shape[0], reset_mask, chains.order
    if isinstance(x, Lookup):
        rows = Lookup(x.table, _column(chains.cut(ops, x.ids), order))
    else:
        rows = _columns(ops, chains.cut(ops, x), order)
    if states is not None:
        begun = (chains.begin(ops, each) for each in states)
        states = tuple(_rows(ops, each, order) for each in begun)
    if reset_mask is not None:
        # At padding, states stay as they are.
        reset_mask = reset_mask & (np.arange(n_steps)[:, None] < lengths)
        resets = _column(chains.cut(ops, _lasting(reset_mask, chains.n)), order)
    if mask is not None:
        mask = _row(np.tile(mask, (chains.n, 1)), order)
    own = replace(cell, timescale=1)
    given = rows, _row(chains.own_lengths, order), states, resets, final, mask
    y, after = run.recur_undilated(own, *given)
    back = None if order is None else np.argsort(order)
    outputs = chains.join(ops, _columns(ops, y, back), n_steps)
    if not final:
        return outputs, None
    known = None if reset_mask is None else _known(reset_mask, lengths, chains.n)
    ended = (_rows(ops, each, back) for each in after)
    return outputs, tuple(chains.end(ops, each, known) for each in ended)


def _lasting(reset_mask, n):
    """Let a reset reach the next steps too, as far as they go on from before it."""
    lasting = reset_mask.copy()
    for later in range(1, min(n, len(reset_mask))):
        lasting[later:] |= reset_mask[:-later]
    return lasting


def _known(reset_mask, lengths, n):
    """Whether the last n states of each sequence come after its last reset: (B, n)."""
    steps = np.arange(len(reset_mask))[:, None]
    last = np.where(reset_mask, steps, -n - 1).max(axis=0)
    return lengths[:, None] - n + np.arange(n) >= last[:, None]


def _columns(ops, x, order):
    return x if order is None else ops.take(x, order, axis=1)


def _rows(ops, x, order):
    return x if order is None else ops.take(x, order, axis=0)


def _column(x: Any, order):
    """Return columns of an array in an order, next to each other in memory."""
    return np.ascontiguousarray(x if order is None else x[:, order])


def _row(x: Any, order):
    return x if order is None else x[order]
