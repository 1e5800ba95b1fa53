"""The network's formula by the kernels in C: same methods as `reference`.

For prediction everything is a plain float32 array; with a tape of weights as nodes,
the same formula notes its gradients.
"""

from typing import Any

import numpy as np

from skrnn._engine.cpu import autodiff, reference
from skrnn._engine.cpu.autodiff import Node, record
from skrnn._engine.cpu.kernels.layer import LayerRun, active_sequences, has_kernels
from skrnn._engine.cpu.kernels.matmul import outer, project, scatter
from skrnn._networks.cells import ACTIVATIONS, CELLS, hold


class Kit:
    """One batch; `noise` is None for prediction."""

    ops = autodiff.ops

    def __init__(self, lengths, workspace, noise=None):
        self.active = active_sequences(lengths)
        self.workspace, self.noise = workspace, noise

    @staticmethod
    def take_rows(table, ids):
        return take_rows(table, ids)

    def dropout(self, x, enabled):
        if self.noise is None or not enabled:
            return x
        return x * self.noise.mask(x.shape, "dropout")

    def reverse(self, x, lengths):
        def turn(x):
            return (reference.reverse(x, lengths),)

        (turned,) = turn(_value(x))
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

    def attendable(self, x, lengths):
        return reference.attendable(x, lengths)

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, _held, dropout
    ):
        """Run a cell over x (T, B, F) from a zero state: (T, B, U)."""
        sources = x, kernel, recurrent_kernel, *biases
        run = self._layer(cell, activation, sources, dropout)
        return _record_layer(run, sources, {}) if _any_node(sources) else run.forward()

    def run_cell_from(
        self, initial, cell, activation, x, kernel, recurrent_kernel, biases, lengths,
        dropout, fresh=None,
    ):  # fmt: skip
        """Run a cell from given states; return the outputs and the last states.

        Parameters
        ----------
        x : array of shape (T, B, F), or token ids (T, B)
            With ids, `kernel` is a table (V, gates * U) whose rows are the projected
            inputs, and the first bias is None.
        fresh : ndarray of bool of shape (T, B), default=None
            Where the state before a step is zeros instead; padding doesn't matter.
        """
        sources = x, kernel, recurrent_kernel, *biases, *initial
        if not has_kernels(cell, activation):
            mask = self._recurrent_mask(sources, dropout)
            return run_plainly(cell, activation, sources, mask, lengths, fresh)
        run = self._layer(cell, activation, sources, dropout, fresh)
        if not _any_node(sources):
            return run.forward(), run.final(lengths)
        d_final: dict[int, np.ndarray] = {}
        outputs = _record_layer(run, sources, d_final)
        final = enumerate(run.final(lengths))
        return outputs, tuple(_record_final(outputs, d_final, *each) for each in final)

    def dense(self, x, kernel, bias, transposed=False):
        """Multiply x (T, B, k) by a kernel (k, n) and add a bias: (T, B, n).

        A `transposed` kernel is (n, k). Nothing but the workspace is written to.
        """
        rows = *x.shape[:2], np.full(x.shape[0], x.shape[1], np.int32)
        (k, n), space = kernel.shape[:: -1 if transposed else 1], self.workspace
        a, b = np.ascontiguousarray(_value(x)), _value(kernel)
        out = space.empty(*x.shape[:2], n)
        project(rows, a, k, b, transposed, n, _value(bias), out)

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
        return record(out, nodes, pull) if _any_node(nodes) else out

    def _layer(self, cell, activation, sources, dropout, fresh=None):
        values = map(_value, sources)
        x, kernel, recurrent_kernel, bias, recurrent_bias, *initial = values
        return LayerRun(
            cell=cell,
            activation=activation,
            x=np.ascontiguousarray(x),
            active=self.active,
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            biases=(bias, recurrent_bias),
            mask=self._recurrent_mask(sources, dropout),
            workspace=self.workspace,
            initial=tuple(initial),
            fresh=fresh,
        )

    def _recurrent_mask(self, sources, dropout):
        if self.noise is None or not dropout:
            return None
        x, _, recurrent_kernel, *_ = sources
        shape = x.shape[1], recurrent_kernel.shape[0]
        return self.noise.mask(shape, "recurrent_dropout")


def run_plainly(cell, activation, sources, mask, lengths, fresh=None):
    """Do what `Kit.run_cell_from` does step by step: for any cell, and as its twin."""
    x, kernel, recurrent_kernel, bias, recurrent_bias, *states = sources
    formula, activate = CELLS[cell].step, ACTIVATIONS[activation]
    projected, outputs = _projected(x, kernel, bias), []
    for t in range(x.shape[0]):
        if fresh is not None:
            # In the place of what may be infinite stands a zero: no product does that.
            zero, begins = np.float32(0), (fresh[t] & (t < lengths))[:, None]
            states = [autodiff.ops.where(begins, zero, s) for s in states]
        h = states[0] if mask is None else states[0] * mask
        recurrent = autodiff.ops.matmul(h, recurrent_kernel)
        if recurrent_bias is not None:
            recurrent = recurrent + recurrent_bias
        after = formula(autodiff.ops, activate, projected[t], recurrent, *states)
        states = hold(autodiff.ops, t < lengths, after, states)
        outputs.append(states[0])
    return autodiff.ops.stack(outputs, axis=0), states


def _projected(x, kernel, bias):
    if len(x.shape) == 3:
        return autodiff.ops.matmul(x, kernel) + bias
    return take_rows(kernel, x)


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
    """Note a layer; `d_final` gets the gradients of its last states before it is asked.

    Its keys are the places of the states.
    """
    needs_dx = isinstance(sources[0], Node)

    def pull(dy):
        return run.backward(dy, needs_dx, d_final)

    return record(run.forward(), sources, pull)


def _record_final(outputs, d_final, place, value):
    """Note a last state: its gradient reaches the layer beside that of the outputs."""

    def pull(g):
        d_final[place] = g
        return (np.broadcast_to(np.float32(0), outputs.shape),)

    return record(value, (outputs,), pull)


class Noise:
    """Dropout masks from one seed: the same numbers in whatever pieces one trains.

    Every mask asked for in a step gets its own stream; `counter` is the number of the
    training step.
    """

    def __init__(self, knobs, counter):
        self.knobs, self.counter, self.n_masks = knobs, counter, 0

    def mask(self, shape, kind):
        """Return zeros with the probability of `kind`, and 1 / (1 - it) elsewhere."""
        drawn, rate = self.uniform(shape), np.float32(self.knobs[kind])
        # Not a product: a rate may be so close to 1 that this is 0 times infinity.
        return np.where(drawn >= rate, 1 / (1 - rate), np.float32(0))

    def uniform(self, shape):
        """Return numbers from 0 to below 1."""
        self.n_masks += 1
        key = [int(self.knobs["seed"]), self.counter * 1024 + self.n_masks]
        drawn = np.random.Generator(np.random.Philox(key=key))
        return drawn.random(shape, np.float32)


def _value(x):
    return x.value if isinstance(x, Node) else x


def _any_node(sources):
    return any(isinstance(source, Node) for source in sources)
