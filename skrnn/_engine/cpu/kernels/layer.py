"""The forward and backward passes of one recurrent layer in one direction, in C.

`skrnn._engine.cpu.reference.recur_by_formula` computes the same. Sequences must be
sorted, longest first. Each time step computes only the sequences that haven't ended;
the others get zeros.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._engine.cpu.kernels.matmul import (
    ARE_COMPILED,
    kernels,
    outer,
    project,
    scatter,
)
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.cells import CELLS, UnitwiseCell

# The kernels get the index in these tuples.
KERNEL_CELLS: tuple[str, ...] = kernels.cells() if ARE_COMPILED else ()
KERNEL_ACTIVATIONS = (
    "tanh",
    "sigmoid",
    "relu",
    "linear",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "silu",
)


# Cost of a step of a cell without a recurrent matrix, in multiplications per projected
# number.
_PER_NUMBER = 16
# The pairs of a cell and an activation that run in C.
IN_C = {
    (cell, activation) for cell in KERNEL_CELLS for activation in KERNEL_ACTIVATIONS
}


def per_number(cell, units):
    """Return the approximate multiplications of a step per projected number."""
    return _PER_NUMBER if isinstance(CELLS[cell], UnitwiseCell) else units


class Workspace:
    """Arrays that every batch uses again.

    New arrays would take longer than the computation in them, because the system
    provides their memory page by page.
    """

    def __init__(self):
        self._stores, self._at = [], 0

    def rewind(self):
        """Allow later calls to overwrite all arrays returned so far."""
        self._at = 0

    def first(self, size):
        """Rewind, and return `size` numbers in the first array."""
        self.rewind()
        return self.empty(size)

    def empty(self, *shape):
        """Return a float32 array that wasn't returned since the last `rewind`."""
        size, at, stores = math.prod(shape), self._at, self._stores
        if at == len(stores):
            stores.append(np.empty(size, np.float32))
        store = stores[at]
        if store.size < size:
            store = stores[at] = np.empty(size, np.float32)
        self._at = at + 1
        return store[:size].reshape(shape)

    def zeros(self, *shape):
        """Return such an array filled with zeros."""
        array = self.empty(*shape)
        array.fill(0)
        return array


def active_sequences(lengths):
    """Return how many sequences run at each time step, (T,); longest come first."""
    if lengths[0] == lengths[-1]:
        return np.full(lengths[0], len(lengths), np.int32)
    steps = np.arange(lengths[0])
    active = len(lengths) - np.searchsorted(lengths[::-1], steps, side="right")
    return active.astype(np.int32)


@dataclass
class LayerRun:
    """One forward pass of a layer, and its backward pass.

    Attributes
    ----------
    x : ndarray of shape (T, B, F), or (T, B) of int32
        Two axes mean token ids. The kernel is then a table (V, gates * U) of projected
        inputs, which include the bias.
    initial : tuple of ndarrays of shape (B, U), or ()
        States before the first step. () means zeros.
    reset_mask : ndarray of bool of shape (T, B), or None
        Where the states are reset to zeros before the step.
    recurrent_kernel : ndarray of shape (U, gates * U), or (U,), or None
        A matrix, or one weight for each unit's own state, or None without either.
    outputs : ndarray of shape (T, B, U)
        Zeros in the padding.
    """

    cell: str
    activation: str
    x: np.ndarray
    active: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray | None
    biases: tuple
    mask: Any
    workspace: Workspace
    initial: tuple = ()
    reset_mask: Any = None

    def forward(self):
        """Run the forward pass, and return the outputs (T, B, U)."""
        (n_steps, n_sequences), (width, columns) = self.x.shape[:2], self.kernel.shape
        units, space = self._units, self.workspace
        self.gates = space.empty(n_steps, n_sequences, columns)
        self.h = space.empty(n_steps + 1, n_sequences, units)
        self.c = self.extra = None
        if self._n_states == 2:
            self.c = space.empty(n_steps + 1, n_sequences, units)
        for states, first in zip(self._states, self.initial or (0, 0), strict=False):
            states[0] = first
            if self.reset_mask is not None:
                states[0][self.reset_mask[0]] = 0
        if CELLS[self.cell].n_gates > 1 or self._has_weights:
            self.extra = space.empty(n_steps, n_sequences, units)
        if self.active[-1] < n_sequences:
            self.h[1:] = 0
            if self._reads_ids:
                self.gates.fill(0)
        if not self._reads_ids:
            product = width, self.kernel, False, columns, self.biases[0]
            project(self._rows, self.x, *product, self.gates)
        self.outputs = self.h[1:]
        if self.reset_mask is not None:
            self.outputs = space.zeros(n_steps, n_sequences, units)
        self._run(None)
        return self.outputs

    def final(self, lengths):
        """Return the states after each sequence's last step."""
        at = lengths, np.arange(len(lengths))
        return tuple(states[at] for states in self._states)

    def backward(self, dy, needs_dx, d_final):
        """Return the gradients of x (or None), both kernels, both biases and `initial`.

        With token ids, the gradient of the input bias is None. `dy` (T, B, U) is the
        gradient of the outputs; it isn't read in the padding. `d_final` maps the index
        of a final state to its gradient.
        """
        n_sequences, units, columns = self.x.shape[1], self._units, self._columns
        space = self.workspace
        d_states = [space.zeros(n_sequences, units) for _ in range(self._n_states)]
        for place, d_state in d_final.items():
            d_states[place][...] = d_state
        dx, rows = space.empty(*self.x.shape) if needs_dx else None, self._rows
        self._run(np.ascontiguousarray(dy), *d_states)
        gradients = self._gradients_of_weights()
        if needs_dx:
            product = columns, self.kernel, True, len(self.kernel), None
            project(rows, self.gates, *product, dx)
        return dx, *gradients, *(d_states if self.initial else ())

    def _gradients_of_weights(self):
        """Return the gradients of both kernels and both biases."""
        if self._has_matrix:
            return self._gradients_with_matrix()
        d_kernel, d_bias = np.empty_like(self.kernel), np.empty_like(self.gates[0, 0])
        self._add_inputs(d_kernel, d_bias)
        d_recurrent = None
        if self._has_weights:
            d_recurrent = np.empty_like(self.recurrent_kernel)
            # A left operand without columns: only the rows are summed.
            nothing = self.extra, 0, np.empty((0, self._units), np.float32)
            outer(self._rows, self.extra, self._units, 0, d_recurrent, *nothing)
        return d_kernel, d_recurrent, None if self._reads_ids else d_bias, None

    def _add_inputs(self, d_kernel, d_bias):
        """Set the gradients of the input kernel and its bias."""
        if self._reads_ids:
            d_kernel.fill(0)
            scatter(self.x, self.gates, d_kernel)
            return
        inputs = self.x, len(self.kernel), d_kernel
        outer(self._rows, self.gates, self._columns, 0, d_bias, *inputs)

    def _gradients_with_matrix(self):
        units, columns, rows = self._units, self._columns, self._rows
        d_kernel, d_bias = np.empty_like(self.kernel), np.empty(columns, np.float32)
        d_recurrent = np.empty_like(self.recurrent_kernel)
        # If the recurrent product has a bias, the last gate, the candidate, has a
        # separate gradient.
        apart = CELLS[self.cell].recurrent_bias
        shared = columns - units if apart else columns
        inputs = self.x, len(self.kernel), d_kernel
        states = self.h[:-1], units, self.mask, d_recurrent
        alone = self.h[:-1], units, d_recurrent, (None, 0, self.mask, None)
        if self._reads_ids:
            self._add_inputs(d_kernel, d_bias)
            outer(rows, self.gates, shared, 0, d_bias, *alone)
        elif apart:
            self._add_inputs(d_kernel, d_bias)
            outer(rows, self.gates, shared, 0, None, *alone)
        else:
            outer(rows, self.gates, columns, 0, d_bias, *inputs, states)
        d_recurrent_bias = None
        if apart:
            d_recurrent_bias = d_bias.copy()
            outer(rows, self.extra, units, shared, d_recurrent_bias, *alone)
        of_inputs = None if self._reads_ids else d_bias
        return d_kernel, d_recurrent, of_inputs, d_recurrent_bias

    @property
    def _has_matrix(self):
        return self.recurrent_kernel is not None and self.recurrent_kernel.ndim == 2

    @property
    def _has_weights(self):
        return self.recurrent_kernel is not None and self.recurrent_kernel.ndim == 1

    @property
    def _columns(self):
        return self.kernel.shape[1]

    @property
    def _units(self):
        return self._columns // CELLS[self.cell].n_gates

    @property
    def _reads_ids(self):
        return self.x.ndim == 2

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
        (n_steps, n_sequences), units = self.x.shape[:2], self._units
        inputs = (self.kernel, self.x) if self._reads_ids else (None, None)
        resets = (None, None)
        if self.reset_mask is not None:
            resets = self.reset_mask, self.outputs

        def run(first, last):
            kernels.layer(
                KERNEL_CELLS.index(self.cell),
                KERNEL_ACTIVATIONS.index(self.activation),
                n_steps, n_sequences, units, first, last, self.active,
                self.gates, self.h, self.c, self.extra,
                self.recurrent_kernel, self.biases[1], self.mask, *inputs, *resets,
                dy, dh, dc,
            )  # fmt: skip

        each = per_number(self.cell, units)
        divide(run, n_sequences, work=self.gates.size * each)
