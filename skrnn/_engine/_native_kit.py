"""The network's formula by the kernels in C: same methods as `_numpy_kit`.

For prediction everything is a plain float32 array; with a tape of weights as nodes,
the same formula notes its gradients.
"""

from typing import Any

import numpy as np

from skrnn._engine import _numpy_kit, _tape
from skrnn._engine._layer import LayerRun, active_sequences, kernels
from skrnn._engine._tape import Node, record


class Kit:
    """One batch; `noise` is None for prediction."""

    ops = _tape.ops

    def __init__(self, lengths, workspace, noise=None):
        self.active = active_sequences(lengths)
        self.workspace, self.noise = workspace, noise

    def take_rows(self, table, ids):
        if not isinstance(table, Node):
            return table[ids]

        def pull(g):
            whole = np.zeros_like(table.value)
            g = np.ascontiguousarray(g)
            kernels.scatter(ids, g, ids.size, g.shape[-1], whole)
            return (whole,)

        return record(table.value[ids], (table,), pull)

    def dropout(self, x, enabled):
        if self.noise is None or not enabled:
            return x
        return x * self.noise.mask(x.shape, "dropout")

    def reverse(self, x, lengths):
        def turn(x):
            return (_numpy_kit.reverse(x, lengths),)

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
        return _numpy_kit.attendable(x, lengths)

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, _held, dropout
    ):
        """Run a cell over x (T, B, F) from a zero state: (T, B, U)."""
        sources = x, kernel, recurrent_kernel, *biases
        x, kernel, recurrent_kernel, *biases = map(_value, sources)
        mask = None
        if self.noise is not None and dropout:
            shape = x.shape[1], len(recurrent_kernel)
            mask = self.noise.mask(shape, "recurrent_dropout")
        run = LayerRun(
            cell=cell,
            activation=activation,
            x=np.ascontiguousarray(x),
            active=self.active,
            kernel=kernel,
            recurrent_kernel=recurrent_kernel,
            biases=biases,
            mask=mask,
            workspace=self.workspace,
        )
        outputs = run.forward()
        if not any(isinstance(source, Node) for source in sources):
            return outputs
        needs_dx = isinstance(sources[0], Node)
        return record(outputs, sources, lambda dy: run.backward(dy, needs_dx))


class Noise:
    """Dropout masks from one seed: the same numbers in whatever pieces one trains.

    Every mask asked for in a step gets its own stream; `counter` is the number of the
    training step.
    """

    def __init__(self, knobs, counter):
        self.knobs, self.counter, self.n_masks = knobs, counter, 0

    def mask(self, shape, kind):
        """Return zeros with the probability of `kind`, and 1 / (1 - it) elsewhere."""
        self.n_masks += 1
        rate = np.float32(self.knobs[kind])
        key = [int(self.knobs["seed"]), self.counter * 1024 + self.n_masks]
        drawn = np.random.Generator(np.random.Philox(key=key)).random(shape, np.float32)
        # Not a product: a rate may be so close to 1 that this is 0 times infinity.
        return np.where(drawn >= rate, 1 / (1 - rate), np.float32(0))


def _value(x):
    return x.value if isinstance(x, Node) else x
