"""One pass over a batch by the kernels in C, with gradients where they are asked for.

For prediction everything is a plain float32 array; with weights as nodes of a tape, the
same formulas note their gradients.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from skrnn._engine.cpu import reference, timescales
from skrnn._engine.cpu.autodiff import Node, apply, beside, differentiable
from skrnn._engine.cpu.fused import FUSED
from skrnn._engine.cpu.kernels import memory
from skrnn._engine.cpu.kernels.attention import normalise_rule
from skrnn._engine.cpu.kernels.layer import (
    IN_C,
    LayerRun,
    Workspace,
    active_sequences,
)
from skrnn._engine.cpu.kernels.matmul import multiply, outer, project, rows_rule
from skrnn._engine.cpu.ops import ops, plain_ops
from skrnn._networks.layers import Lookup
from skrnn._networks.layers.normalization import normalise


def _reverse(x, lengths):
    # It is its own inverse, and its own gradient.
    return reference.reverse(x, lengths), lambda g: (reference.reverse(g, lengths),)


class CpuRun:
    """One batch of sequences, the longest first; no `masks` means prediction.

    Parameters
    ----------
    lengths : ndarray of shape (B,)
    workspace : Workspace
    masks : DropoutMasks or None
    """

    ops = ops
    apply = staticmethod(apply)
    attend_to_steps = reference.attend_to_steps
    followed = reference.followed
    real_steps = staticmethod(reference.real_steps)
    reverse = staticmethod(differentiable(_reverse, reference.reverse))
    as_ids = staticmethod(reference.as_ids)
    take_rows = staticmethod(differentiable(rows_rule, lambda table, ids: table[ids]))

    def __init__(self, lengths, workspace, masks=None):
        self.active = active_sequences(lengths)
        self._lengths = lengths
        self.workspace, self.masks = workspace, masks

    def normalise(self, x, gamma, beta):
        return self.apply(normalise_rule, x, gamma, beta, space=self.workspace)

    def fused(self, formula, *given):
        return FUSED.get(formula, formula)(self, *given)

    def positions(self, x):
        return np.arange(x.shape[0], dtype=np.float32)

    def rows_of_steps(self, table, x):
        places = np.arange(x.shape[0], dtype=np.int32)
        return self.take_rows(table, np.minimum(places, table.shape[0] - 1))

    def dropout(self, x, rate):
        return x if self.masks is None else x * self.masks.mask(x.shape, rate)

    def present(self, real):
        return real if self.masks is None else real & self.masks.present

    def last(self, x, lengths):
        return self.apply(self._last, x, lengths)

    def _last(self, x, lengths):
        at: Any = -1
        if self.active[-1] < len(lengths):
            at = lengths - 1, np.arange(x.shape[1])

        def pull(g):
            whole = self.workspace.zeros(*x.shape)
            whole[at] = g
            return (whole,)

        return x[at], pull

    def dense(self, x, kernel, bias, transposed=False):
        """Multiply x (T, B, k) by a kernel (k, n) and add a bias: (T, B, n).

        A `transposed` kernel is (n, k). Only the workspace is written to.
        """
        return self.apply(self._dense, x, kernel, bias, transposed=transposed)

    def _dense(self, x, kernel, bias, *, transposed):
        rows = *x.shape[:2], np.full(x.shape[0], x.shape[1], np.int32)
        (k, n), space = kernel.shape[:: -1 if transposed else 1], self.workspace
        x, out = np.ascontiguousarray(x, np.float32), space.empty(*x.shape[:2], n)
        project(rows, x, k, kernel, transposed, n, bias, out)

        def pull(g):
            g = np.ascontiguousarray(g)
            d_kernel, d_bias = np.empty_like(kernel), np.empty(n, np.float32)
            if transposed:
                np.sum(g, axis=(0, 1), out=d_bias)
                outer(rows, x, k, 0, None, g, n, d_kernel)
            else:
                outer(rows, g, n, 0, d_bias, x, k, d_kernel)
            dx = space.empty(*x.shape)
            project(rows, g, n, kernel, not transposed, k, None, dx)
            return dx, d_kernel, d_bias

        return out, pull

    def step(self, cell, x, states):
        # The same method for any number of sequences, so that results don't depend on
        # it.
        if (cell.name, cell.activation) not in IN_C or cell.timescale > 1:
            return reference.step_by_formula(self, cell, x, states)
        lengths = np.ones(len(x), np.intp)
        return self.recur(cell, x[None], lengths, states, final=True)[1]

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        if isinstance(x, Lookup) and x.table.shape[0] > x.ids.size:
            # Projecting the table would need more products than projecting the rows.
            x = self.take_rows(x.table, x.ids)
        mask = self._recurrent_mask(cell, x.shape[1])
        given = cell, x, lengths, states, reset_mask, final, mask
        if (cell.name, cell.activation) in IN_C:
            if cell.timescale > 1:
                return timescales.recur(self, *given)
            return self.recur_undilated(*given)
        if memory.is_in_c(cell, reset_mask, mask):
            return self._recur_with_memory(cell, x, lengths, states, final)
        run = self, cell, x, lengths, states, reset_mask, mask
        held = reference.is_held(cell, final)
        outputs, after = reference.recur_by_formula(*run, held=held)
        return outputs, after if final else None

    def _recurrent_mask(self, cell, n_sequences):
        if self.masks is None or not cell.drops:
            return None
        return self.masks.mask((n_sequences, cell.units), "recurrent_dropout")

    def _recur_with_memory(self, cell, x, lengths, states, final):
        """Run a cell with a memory by kernels in C."""
        active, w = self.active, cell.weights
        if lengths is not self._lengths:
            active = active_sequences(lengths)
        (x,) = reference.project(self, cell, x)
        first, initial = self.ops.softmax(w["first_addresses"], axis=-1), ()
        shares, found, d_final = first, list[Any](), dict[int, Any]()
        if states is not None:
            shares, *initial = memory.begin(self.ops, w, first, states)

        def rule(*given):
            layer = memory.MemoryRun(cell.cell, active, self.workspace, keeps)
            outputs = layer.forward(*given)
            found.extend(layer.final(lengths) if final else ())
            return outputs, lambda dy: layer.backward(dy, d_final)

        names = "read_kernel", "recurrent_kernel", "head_kernel", "head_bias"
        weights = *(w[name] for name in names), w["output_kernel"]
        given = x, shares, *weights, *initial
        keeps = any(isinstance(each, Node) for each in given)
        outputs = self.apply(rule, *given)
        if not final:
            return outputs, None
        if isinstance(outputs, Node):
            found = beside(outputs, found, d_final.__setitem__)
        return outputs, memory.end(self.ops, w, first, found)

    def recur_undilated(self, cell, x, lengths, states, reset_mask, final, mask):
        """Run a cell that goes on from the step before by a kernel in C."""
        active = self.active
        if lengths is not self._lengths:
            active = active_sequences(lengths)
        kernel = cell.weights["kernel"]
        recurrent_kernel = cell.weights.get("recurrent_kernel")
        bias, recurrent_bias = cell.cell.biases(cell.weights)
        if isinstance(x, Lookup):
            x, kernel, bias = x.ids, self.ops.matmul(x.table, kernel) + bias, None
        needs_dx, found, d_final = isinstance(x, Node), list[Any](), dict[int, Any]()

        def rule(x, kernel, recurrent_kernel, bias, recurrent_bias, *initial):
            layer = LayerRun(
                cell=cell.name,
                activation=cell.activation,
                x=np.ascontiguousarray(x, np.int32 if x.ndim == 2 else np.float32),
                active=active,
                kernel=kernel,
                recurrent_kernel=recurrent_kernel,
                biases=(bias, recurrent_bias),
                mask=mask,
                workspace=self.workspace,
                initial=initial,
                reset_mask=reset_mask,
            )
            outputs = layer.forward()
            found.extend(layer.final(lengths) if final else ())
            # By then, `d_final[i]` has the gradient of final state i.
            return outputs, lambda dy: layer.backward(dy, needs_dx, d_final)

        weights = kernel, recurrent_kernel, bias, recurrent_bias
        outputs = self.apply(rule, x, *weights, *(states or ()))
        if not final:
            return outputs, None
        if not isinstance(outputs, Node):
            return outputs, tuple(found)
        return outputs, beside(outputs, found, d_final.__setitem__)


class PredictingRun(CpuRun):
    """One pass over plain arrays, without gradients."""

    ops = plain_ops
    apply = staticmethod(lambda rule, *arrays, **known: rule(*arrays, **known)[0])
    reverse = staticmethod(reference.reverse)
    as_ids = staticmethod(reference.as_ids)
    take_rows = staticmethod(lambda table, ids: table[ids])


def _multiply(x, w):
    return multiply(np.ascontiguousarray(x, np.float32), w)


class StepRun:
    """Single steps of few sequences in float32, without a kernel for the cell."""

    # The products of a single step are never divided.
    ops = SimpleNamespace(**vars(plain_ops) | {"matmul": _multiply})
    as_ids = staticmethod(reference.as_ids)
    take_rows = staticmethod(lambda table, ids: table[ids])
    dropout = staticmethod(lambda x, rate: x)

    @classmethod
    def normalise(cls, x, gamma, beta):
        return normalise(cls.ops, x, gamma, beta)

    @classmethod
    def step(cls, cell, x, states):
        return reference.step_by_formula(cls, cell, x, states)


class DropoutMasks:
    """Dropout masks from one seed: the same numbers however training is cut into calls.

    Every mask asked for in a step gets its own stream; `counter` is the number of the
    training step.

    Attributes
    ----------
    present : ndarray of bool of shape (B,)
        Which rows of the batch are real and don't just fill it up.
    statistics : dict of ndarray
        New values of weights that follow the batches, by their names.
    """

    def __init__(self, step_inputs, counter):
        self.step_inputs, self.counter, self.n_masks = step_inputs, counter, 0
        self.present, self.statistics = np.True_, dict[str, Any]()

    def mask(self, shape, rate):
        """Return zeros with the probability `rate` names, else 1 / (1 - it)."""
        drawn, share = self.uniform(shape), np.float32(self.step_inputs[rate])
        # Not a product: for a share close to 1 that would be 0 times infinity.
        return np.where(drawn >= share, 1 / (1 - share), np.float32(0))

    def uniform(self, shape):
        """Return numbers from 0 to below 1."""
        self.n_masks += 1
        key = [int(self.step_inputs["seed"]), self.counter * 1024 + self.n_masks]
        drawn = np.random.Generator(np.random.Philox(key=key))
        return drawn.random(shape, np.float32)


__all__ = ["CpuRun", "DropoutMasks", "PredictingRun", "StepRun", "Workspace"]
