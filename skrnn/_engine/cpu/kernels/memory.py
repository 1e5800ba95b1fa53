"""The forward and backward passes of one layer with a memory, in C.

The formula is in `skrnn._networks.cells.ntm`. Sequences must be sorted, longest first.
The states of the kernels are the controller's h and c, the read vector, the heads'
addresses (attention weights over the slots), and the memory (width, slots). `begin`
converts the states of the formula to these, and `end` converts them back.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels, outer
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.cells import CELLS, MemoryCell
from skrnn._networks.cells.ntm import BLANK


def is_in_c(cell, *rest):
    """Whether the kernels support a cell; `rest` are a run's other arguments."""
    return (
        ARE_COMPILED
        and isinstance(CELLS[cell.name], MemoryCell)
        and cell.activation == "tanh"
        and cell.timescale == 1
        and all(asked is None or asked is False for asked in rest)
    )


def begin(ops, w, addresses, states):
    """Convert the states of the formula to addresses, h, c, read vector and memory.

    `addresses` (2, slots) are the learnt addresses before the first step.
    """
    output, c, read, reading, writing, written = states
    away = ops.stack([reading, writing], axis=1)
    memory = ops.transpose(written + BLANK, (0, 2, 1))
    h = output - ops.matmul(read, w["output_kernel"])
    return addresses + away, h, c, read, memory


def end(ops, w, addresses, found):
    """Undo `begin`: convert the result of `MemoryRun.final` to states."""
    shares, h, c, read, memory = found
    away = shares - addresses
    output = h + ops.matmul(read, w["output_kernel"])
    written = ops.transpose(memory, (0, 2, 1)) - BLANK
    return output, c, read, away[:, 0], away[:, 1], written


@dataclass
class MemoryRun:
    """One forward pass of a layer, and its backward pass.

    Attributes
    ----------
    cell : MemoryCell
    active : ndarray of shape (T,)
        How many sequences run at each time step.
    keeps : bool
        Whether each step is kept for the backward pass.
    """

    cell: MemoryCell
    active: np.ndarray
    workspace: Any
    keeps: bool

    def forward(self, x, addresses, read_kernel, recurrent_kernel, *rest):
        """Return the outputs (T, B, units).

        Parameters
        ----------
        x : ndarray of shape (T, B, 4 * units)
            The projected inputs.
        addresses : ndarray of shape (2, slots) or (B, 2, slots)
            The heads' addresses before the first step.
        read_kernel, recurrent_kernel : ndarray
        rest : ndarrays
            The kernel and the bias of the heads, and the output kernel. If there are
            initial states, then also h, c, read vector and memory (B, width, slots).
        """
        x = np.ascontiguousarray(x, np.float32)
        self._sizes = *x.shape[:2], x.shape[2] // 4
        (n_steps, n, units), space = self._sizes, self.workspace
        kernel = np.concatenate([recurrent_kernel, read_kernel])
        shares = space.empty(n, 2, self.cell.slots)
        shares[...] = addresses
        outputs = space.empty(n_steps, n, units)
        if self.active[-1] < n:
            outputs.fill(0)
        self._states = space.empty(n_steps + 1, n, units + self.cell.width)
        self._c = space.empty(n_steps + 1, n, units)
        self._kept = self._room(n_steps, n, units)
        self._begun = bool(rest[3:])
        self._begin(*rest[3:] or (0, 0, 0, BLANK))
        given = x, kernel, *rest[:3], shares
        self._arrays = *given, self._states, self._c, outputs, *self._kept
        self._run(None)
        return outputs

    def _room(self, n_steps, n, units):
        """Return empty arrays for the gates, the heads, `looks` and the memory."""
        steps, space = n_steps if self.keeps else 1, self.workspace
        told = self.cell.n_of_heads
        gates, heads = space.empty(steps, n, 4 * units), space.empty(steps, n, told)
        if self.active[-1] < n:
            # The gates' gradients replace them, and must be zeros in the padding.
            gates.fill(0)
        looks = space.empty(steps, n, 9, self.cell.slots)
        memory = steps + self.keeps, n, self.cell.width, self.cell.slots
        return gates, heads, looks, space.empty(*memory)

    def _begin(self, h, c, read, memory):
        own, of_read = self._parts(self._states[0])
        own[...], of_read[...] = h, read
        self._c[0], self._kept[3][0] = c, memory

    def _parts(self, states):
        """Split states (..., units + width) into h and the read vector."""
        units = self._sizes[2]
        return states[..., :units], states[..., units:]

    def final(self, lengths):
        """Return addresses, h, c, read vector and memory after each last step.

        The addresses are (B, 2, slots), the memory is (B, width, slots).
        """
        (*_, looks, memory), rows = self._kept, np.arange(len(lengths))
        # If only one step is kept, it is the last one.
        at = lengths if self.keeps else np.zeros_like(lengths)
        shares = looks[at - self.keeps, rows, 3::4]
        h, read = self._parts(self._states[lengths, rows])
        return shares, h, self._c[lengths, rows], read, memory[at, rows]

    def backward(self, dy, d_final):
        """Return the gradients of the arguments of `forward`; `dy` is that of y.

        `d_final` maps an index in the result of `final` to its gradient.
        """
        dy = np.ascontiguousarray(dy, np.float32)
        (_, n, units), space = self._sizes, self.workspace
        d_states, d_c = space.zeros(*self._states[0].shape), space.zeros(n, units)
        d_shares = space.zeros(n, 2, self.cell.slots)
        d_memory = space.zeros(n, self.cell.width, self.cell.slots)
        d_h, d_read = self._parts(d_states)
        begun = d_shares, d_h, d_c, d_read, d_memory
        for place, gradient in d_final.items():
            begun[place][...] = gradient
        self._run(dy, d_states, d_c, d_shares, d_memory)
        found = self._gradients_of_weights(dy)
        return self._kept[0], d_shares, *found, *(begun[1:] if self._begun else ())

    def _gradients_of_weights(self, dy):
        """Return the gradients of the kernels and the bias, in `forward`'s order."""
        (gates, heads, *_), units = self._kept, self._sizes[2]
        before, after = self._states[:-1], self._states[1:]
        d_kernel = self._outer(gates, before)
        total = np.empty(self.cell.n_of_heads, np.float32)
        d_head = self._outer(heads, after, total)[:units]
        d_output = self._outer(dy, after)[units:]
        return d_kernel[units:], d_kernel[:units], d_head, total, d_output

    def _outer(self, b, left, total=None):
        columns, m = b.shape[2], left.shape[2]
        out = np.empty((m, columns), np.float32)
        outer((*self._sizes[:2], self.active), b, columns, 0, total, left, m, out)
        return out

    def _run(self, dy, *gradients):
        n_steps, n, units = self._sizes
        slots, width = self.cell.memory
        known = n_steps, n, units, slots, width, int(self.keeps)
        # A slot costs about as much as a row of a kernel.
        work = (units + width) * (4 * units + self.cell.n_of_heads)
        work += 10 * slots * (width + 20)

        def run(first, last):
            given = first, last, self.active, *self._arrays, dy
            kernels.memory(*known, *given, *(gradients or (None,) * 4))

        divide(run, n, work=n_steps * n * work)
