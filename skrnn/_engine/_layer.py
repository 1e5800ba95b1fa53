"""One recurrent layer in one direction, forward and backward, by the kernels in C.

What it computes is `skrnn._engine._numpy_kit.run_cell`. The sequences must come longest
first: at each step only those that still run are computed, the rest is zeros.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skrnn._cells import CELLS
from skrnn._engine._threads import divide

kernels: Any
try:
    from skrnn._engine import _kernels as kernels

    ARE_COMPILED = True
except ImportError:  # They couldn't be compiled where skrnn was installed.
    from skrnn._engine import _plain_kernels as kernels

    ARE_COMPILED = False

# The kernels know these by their place.
KERNEL_CELLS = ("rnn", "lstm", "gru")
KERNEL_ACTIVATIONS = ("tanh", "sigmoid", "relu", "linear")
# Arguments of a second product that there isn't.
_NOTHING = None, 0, None, None


def has_kernels(cell, activation):
    """Whether a layer of such cells runs in C."""
    return ARE_COMPILED and cell in KERNEL_CELLS and activation in KERNEL_ACTIVATIONS


class Workspace:
    """Arrays that are used again for the next batch.

    Fresh ones would cost more than what is computed in them: their memory comes from
    the system page by page.
    """

    def __init__(self):
        self._stores, self._at = [], 0

    def rewind(self):
        """Allow all arrays that were handed out to be overwritten."""
        self._at = 0

    def empty(self, *shape):
        """Return a float32 array that nobody uses since the last `rewind`."""
        size = math.prod(shape)
        if self._at == len(self._stores):
            self._stores.append(np.empty(size, np.float32))
        elif self._stores[self._at].size < size:
            self._stores[self._at] = np.empty(size, np.float32)
        self._at += 1
        return self._stores[self._at - 1][:size].reshape(shape)

    def zeros(self, *shape):
        """Return such an array filled with zeros."""
        array = self.empty(*shape)
        array.fill(0)
        return array


def active_sequences(lengths):
    """Return how many of the sequences, longest first, run at each step: (T,)."""
    if lengths[0] == lengths[-1]:
        return np.full(lengths[0], len(lengths), np.int32)
    steps = np.arange(lengths[0])
    active = len(lengths) - np.searchsorted(lengths[::-1], steps, side="right")
    return active.astype(np.int32)


@dataclass
class LayerRun:
    """What a layer computed, and what its gradients need of it.

    Attributes
    ----------
    x : ndarray of shape (T, B, F)
    initial : tuple of ndarrays of shape (B, U), or ()
        States before the first step; zeros if none are given.
    outputs : ndarray of shape (T, B, U)
        Zeros where a sequence is over.
    """

    cell: str
    activation: str
    x: np.ndarray
    active: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    biases: tuple
    mask: Any
    workspace: Workspace
    initial: tuple = ()

    def forward(self):
        """Run over all steps."""
        (n_steps, n_sequences, n_features), columns = self.x.shape, self.kernel.shape[1]
        units, space = len(self.recurrent_kernel), self.workspace
        self.gates = space.empty(n_steps, n_sequences, columns)
        self.h = space.empty(n_steps + 1, n_sequences, units)
        self.c = self.extra = None
        if self._n_states == 2:
            self.c = space.empty(n_steps + 1, n_sequences, units)
        for states, first in zip(self._states, self.initial or (0, 0), strict=False):
            states[0] = first
        if self.cell != "rnn":
            self.extra = space.empty(n_steps, n_sequences, units)
        if self.active[-1] < n_sequences:
            self.h[1:] = 0
        kernels.project(
            *self._rows, self.x, n_features, self.kernel, 0, columns, self.biases[0],
            self.gates,
        )  # fmt: skip
        self._run(None)
        self.outputs = self.h[1:]
        return self.outputs

    def final(self, lengths):
        """Return the states after each sequence's last step."""
        at = lengths, np.arange(len(lengths))
        return tuple(states[at] for states in self._states)

    def backward(self, dy, needs_dx, d_final):
        """Return the gradients of x (or None), both kernels, both biases and `initial`.

        `dy` (T, B, U) is the gradient of the outputs; what stands at steps after the
        end of a sequence isn't read. `d_final` has last states' gradients, by place.
        """
        (_, n_sequences, n_features), columns = self.x.shape, self.kernel.shape[1]
        units, space = len(self.recurrent_kernel), self.workspace
        d_states = [space.zeros(n_sequences, units) for _ in range(self._n_states)]
        for place, d_state in d_final.items():
            d_states[place][...] = d_state
        self._run(np.ascontiguousarray(dy), *d_states)
        d_kernel = np.empty_like(self.kernel)
        d_recurrent = np.empty_like(self.recurrent_kernel)
        d_bias, d_recurrent_bias = np.empty(columns, np.float32), None
        outer = partial(kernels.outer, *self._rows)
        inputs = self.x, n_features, d_kernel
        states = self.h[:-1], units, self.mask, d_recurrent
        if self.cell == "gru":
            # The recurrent part of the candidate has a gradient of its own.
            alone = states[:2] + states[3:] + (None, 0, self.mask, None)
            outer(self.gates, columns, columns, 0, columns, d_bias, *inputs, *_NOTHING)
            outer(self.gates, columns, 2 * units, 0, columns, None, *alone)
            d_recurrent_bias = d_bias.copy()
            gate = self.extra, units, units, 2 * units, columns, d_recurrent_bias
            outer(*gate, *alone)
        else:
            both = *inputs, *states
            outer(self.gates, columns, columns, 0, columns, d_bias, *both)
        dx = None
        if needs_dx:
            dx = space.empty(*self.x.shape)
            kernels.project(
                *self._rows, self.gates, columns, self.kernel, 1, n_features, None, dx
            )
        d_initial = d_states if self.initial else ()
        return dx, d_kernel, d_recurrent, d_bias, d_recurrent_bias, *d_initial

    @property
    def _n_states(self):
        return CELLS[self.cell].n_states

    @property
    def _states(self):
        return (self.h, self.c)[: self._n_states]

    @property
    def _rows(self):
        return *self.x.shape[:2], self.active

    def _run(self, dy, dh=None, dc=None):
        n_steps, n_sequences, _ = self.x.shape
        units = len(self.recurrent_kernel)

        def run(first, last):
            kernels.layer(
                KERNEL_CELLS.index(self.cell),
                KERNEL_ACTIVATIONS.index(self.activation),
                n_steps, n_sequences, units, first, last, self.active,
                self.gates, self.h, self.c, self.extra,
                self.recurrent_kernel, self.biases[1], self.mask, dy, dh, dc,
            )  # fmt: skip

        divide(run, n_sequences, work=self.gates.size * units)
