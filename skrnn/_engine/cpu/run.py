"""One pass over a batch by the kernels in C, with gradients where they are asked for.

For prediction everything is a plain float32 array; with weights as nodes of a tape, the
same formulas note their gradients.
"""

from typing import Any

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, any_node, record, value_of
from skrnn._engine.cpu.kernels.layer import (
    LayerRun,
    Workspace,
    active_sequences,
    has_kernels,
)
from skrnn._engine.cpu.kernels.matmul import multiply, outer, project, scatter
from skrnn._engine.cpu.ops import ops
from skrnn._networks.layers import Lookup


class CpuRun:
    """One batch of sequences, the longest first; no `masks` means prediction.

    Parameters
    ----------
    lengths : ndarray of shape (B,)
    workspace : Workspace
    masks : DropoutMasks or None
    """

    ops = ops

    def __init__(self, lengths, workspace, masks=None):
        self.active = active_sequences(lengths)
        self.workspace, self.masks = workspace, masks

    @staticmethod
    def take_rows(table, ids):
        return take_rows(table, ids)

    def dropout(self, x, rate):
        return x if self.masks is None else x * self.masks.mask(x.shape, rate)

    def reverse(self, x, lengths):
        def turn(x):
            return (reference.reverse(x, lengths),)

        (turned,) = turn(value_of(x))
        # Its own inverse: so is the way back of its gradient.
        return record(turned, (x,), turn) if isinstance(x, Node) else turned

    def last(self, x, lengths):
        at: Any = lengths - 1, np.arange(x.shape[1])
        if self.active[-1] == len(lengths):
            at = -1

        def pull(g):
            whole = self.workspace.zeros(*x.shape)
            whole[at] = g
            return (whole,)

        return record(x.value[at], (x,), pull) if isinstance(x, Node) else x[at]

    def real_steps(self, x, lengths):
        return reference.real_steps(x, lengths)

    def dense(self, x, kernel, bias, transposed=False):
        """Multiply x (T, B, k) by a kernel (k, n) and add a bias: (T, B, n).

        A `transposed` kernel is (n, k). Nothing but the workspace is written to.
        """
        rows = *x.shape[:2], np.full(x.shape[0], x.shape[1], np.int32)
        (k, n), space = kernel.shape[:: -1 if transposed else 1], self.workspace
        a, b = np.ascontiguousarray(value_of(x)), value_of(kernel)
        out = space.empty(*x.shape[:2], n)
        project(rows, a, k, b, transposed, n, value_of(bias), out)

        def pull(g):
            d_kernel, d_bias = np.empty_like(b), np.empty(n, np.float32)
            if transposed:
                np.sum(g, axis=(0, 1), out=d_bias)
                outer(rows, a, k, 0, None, g, n, d_kernel)
            else:
                outer(rows, g, n, 0, d_bias, a, k, d_kernel)
            dx = space.empty(*x.shape)
            project(rows, g, n, b, not transposed, k, None, dx)
            return dx, d_kernel, d_bias

        nodes = x, kernel, bias
        return record(out, nodes, pull) if any_node(nodes) else out

    def step(self, cell, x, states):
        # The same way for any number of sequences, whose numbers are their own.
        if not has_kernels(cell.name, cell.activation):
            return reference.step_by_formula(self, cell, x, states)
        lengths = np.ones(len(x), np.intp)
        return self.recur(cell, x[None], lengths, states, final=True)[1]

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        if isinstance(x, Lookup) and x.table.shape[0] > x.ids.size:
            # Projecting the table would take more products than projecting the rows.
            x = take_rows(x.table, x.ids)
        mask = self._recurrent_mask(cell, x.shape[1])
        if has_kernels(cell.name, cell.activation):
            return self._recur_in_c(cell, x, lengths, states, reset_mask, final, mask)
        run = self, cell, x, lengths, states, reset_mask, mask
        held = reference.is_held(cell, final)
        outputs, after = reference.recur_by_formula(*run, held=held)
        return outputs, after if final else None

    def _recur_in_c(self, cell, x, lengths, states, reset_mask, final, mask):
        kernel, (bias, recurrent_bias) = (
            cell.weights["kernel"],
            cell.cell.biases(cell.weights),
        )
        if isinstance(x, Lookup):
            x, kernel, bias = x.ids, ops.matmul(x.table, kernel) + bias, None
        recurrent_kernel = cell.weights["recurrent_kernel"]
        sources = x, kernel, recurrent_kernel, bias, recurrent_bias, *(states or ())
        x, kernel, recurrent_kernel, bias, recurrent_bias, *initial = map(
            value_of, sources
        )
        run = LayerRun(
            cell=cell.name,
            activation=cell.activation,
            x=np.ascontiguousarray(x),
            active=self.active,
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            biases=(bias, recurrent_bias),
            mask=mask,
            workspace=self.workspace,
            initial=tuple(initial),
            reset_mask=reset_mask,
        )
        if not any_node(sources):
            return run.forward(), run.final(lengths) if final else None
        d_final: dict[int, np.ndarray] = {}
        outputs = _record_layer(run, sources, d_final)
        if not final:
            return outputs, None
        after = enumerate(run.final(lengths))
        return outputs, tuple(_record_final(outputs, d_final, *each) for each in after)

    def _recurrent_mask(self, cell, n_sequences):
        if self.masks is None or not cell.drops:
            return None
        return self.masks.mask((n_sequences, cell.units), "recurrent_dropout")


class _StepOps:
    """The functions for a single step, whose products are never divided."""

    def __getattr__(self, name):
        return getattr(reference.ops, name)

    @staticmethod
    def matmul(x, w):
        return multiply(np.ascontiguousarray(x), w)


class StepRun:
    """Single steps of few sequences in float32, without a kernel for the cell."""

    ops = _StepOps()
    take_rows = staticmethod(lambda table, ids: table[ids])
    dropout = staticmethod(lambda x, rate: x)

    @classmethod
    def step(cls, cell, x, states):
        return reference.step_by_formula(cls, cell, x, states)


def take_rows(table, ids):
    """Return the rows of `table` (V, n) at `ids` (...): (..., n)."""
    if not isinstance(table, Node):
        return table[ids]
    # One of several channels lies scattered.
    ids = np.ascontiguousarray(ids)

    def pull(g):
        whole = np.zeros_like(table.value)
        scatter(ids, np.ascontiguousarray(g), whole)
        return (whole,)

    return record(table.value[ids], (table,), pull)


def _record_layer(run, sources, d_final):
    """Record a layer.

    `d_final[i]` holds the gradient of final state i when its backward runs.
    """
    needs_dx = isinstance(sources[0], Node)

    def pull(dy):
        return run.backward(dy, needs_dx, d_final)

    return record(run.forward(), sources, pull)


def _record_final(outputs, d_final, place, value):
    """Record a final state: its gradient joins that of the outputs."""

    def pull(g):
        d_final[place] = g
        return (np.broadcast_to(np.float32(0), outputs.shape),)

    return record(value, (outputs,), pull)


class DropoutMasks:
    """Dropout masks from one seed: the same numbers in whatever pieces one trains.

    Every mask asked for in a step gets its own stream; `counter` is the number of the
    training step.
    """

    def __init__(self, step_inputs, counter):
        self.step_inputs, self.counter, self.n_masks = step_inputs, counter, 0

    def mask(self, shape, rate):
        """Return zeros with the probability `rate` names, else 1 / (1 - it)."""
        drawn, share = self.uniform(shape), np.float32(self.step_inputs[rate])
        # Not a product: a share may be so close to 1 that this is 0 times infinity.
        return np.where(drawn >= share, 1 / (1 - share), np.float32(0))

    def uniform(self, shape):
        """Return numbers from 0 to below 1."""
        self.n_masks += 1
        key = [int(self.step_inputs["seed"]), self.counter * 1024 + self.n_masks]
        drawn = np.random.Generator(np.random.Philox(key=key))
        return drawn.random(shape, np.float32)


__all__ = ["CpuRun", "DropoutMasks", "StepRun", "Workspace", "take_rows"]
