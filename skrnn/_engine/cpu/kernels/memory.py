"""One layer with a memory, forward and backward, by the kernels in C.

What it computes is the formula of `skrnn._networks.cells.ntm`, from zero states on.
Sequences must come longest first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels, outer
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.cells import CELLS, MemoryCell


def is_in_c(cell, *rest):
    """Whether the kernels run a cell; `rest` are the other arguments of a run."""
    return (
        ARE_COMPILED
        and isinstance(CELLS[cell.name], MemoryCell)
        and cell.activation == "tanh"
        and cell.timescale == 1
        and all(asked is None or asked is False for asked in rest)
    )


@dataclass
class MemoryRun:
    """One run of a layer, with what its gradients need.

    Attributes
    ----------
    cell : MemoryCell
    active : ndarray of shape (T,)
        How many sequences run at each step.
    keeps : bool
        Whether each step is kept for the gradients.
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
        addresses : ndarray of shape (2, slots)
            The heads' shares before the first step.
        read_kernel, recurrent_kernel : ndarray
        rest : ndarrays
            Kernel and bias of the heads, and that of the output.
        """
        x = np.ascontiguousarray(x, np.float32)
        self._sizes = *x.shape[:2], x.shape[2] // 4
        kernel = np.concatenate([recurrent_kernel, read_kernel])
        arrays = x, kernel, *rest, np.ascontiguousarray(addresses, np.float32)
        (n_steps, n, units), space = self._sizes, self.workspace
        self._states = space.empty(n_steps + 1, n, units + self.cell.width)
        outputs = space.empty(n_steps, n, units)
        if self.active[-1] < n:
            outputs.fill(0)
        self._arrays = (
            *arrays,
            self._states,
            space.empty(n_steps + 1, n, units),
            outputs,
            *self._kept(n_steps, n, units),
        )
        self._run(None, None)
        return outputs

    def _kept(self, n_steps, n, units):
        """Return arrays of the gates, the heads, their looks, and the memory."""
        steps, space = n_steps if self.keeps else 1, self.workspace
        told = self.cell.n_of_heads
        gates, heads = space.empty(steps, n, 4 * units), space.empty(steps, n, told)
        if self.active[-1] < n:
            # Their gradients are zeros in the padding.
            gates.fill(0)
        looks = space.empty(steps, n, 9, self.cell.slots)
        memory = steps + self.keeps, n, self.cell.width, self.cell.slots
        return gates, heads, looks, space.empty(*memory)

    def backward(self, dy):
        """Return the gradients of the arguments of `forward`, given `dy`, that of y."""
        _, n, units = self._sizes
        d_addresses = np.empty((n, 2, self.cell.slots), np.float32)
        self._run(np.ascontiguousarray(dy, np.float32), d_addresses)
        gates, heads = self._arrays[9:11]
        before, after = self._states[:-1], self._states[1:]
        both = units + self.cell.width
        d_kernel = self._outer(gates, before)
        total = np.empty(self.cell.n_of_heads, np.float32)
        d_head = self._outer(heads, after, total)[:units]
        d_output = self._outer(np.ascontiguousarray(dy, np.float32), after)[units:both]
        found = d_kernel[units:], d_kernel[:units], d_head, total, d_output
        return gates, d_addresses.sum(axis=0), *found

    def _outer(self, b, left, total=None):
        columns, m = b.shape[2], left.shape[2]
        out = np.empty((m, columns), np.float32)
        outer((*self._sizes[:2], self.active), b, columns, 0, total, left, m, out)
        return out

    def _run(self, dy, d_addresses):
        n_steps, n, units = self._sizes
        slots, width = self.cell.memory
        known = n_steps, n, units, slots, width, int(self.keeps)
        # A slot costs about as much as a row of a kernel.
        work = (units + width) * (4 * units + self.cell.n_of_heads)
        work += 10 * slots * (width + 20)

        def run(first, last):
            given = first, last, self.active, *self._arrays, dy, d_addresses
            kernels.memory(*known, *given)

        divide(run, n, work=n_steps * n * work)
