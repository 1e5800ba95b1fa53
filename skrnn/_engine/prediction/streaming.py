"""The network one step at a time, its states kept in between."""

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._networks.cells import ACTIVATIONS, CELLS
from skrnn._networks.forward import forward


class Stream:
    """A network that has read some steps of one sequence, and waits for the next.

    It computes by the NumPy formula in double precision. Every layer's `run_cell` goes
    on from where the step before left it.

    Parameters
    ----------
    spec : NetworkSpec
        Of one direction.
    weights : list of ndarray
    """

    ops = reference.ops
    take_rows = staticmethod(reference.take_rows)
    dropout = staticmethod(reference.dropout)

    def __init__(self, spec, weights):
        self._spec = spec
        self._weights = [weight.astype(np.float64) for weight in weights]
        self.reset()

    def reset(self):
        """Forget the steps read so far."""
        self._states = {}
        self._attended = []

    def step(self, x):
        """Read the next step, (F,) or a token id, and return the outputs, (K,)."""
        self._layer = 0
        x = np.asarray(x)[None, None]
        outputs, _ = forward(self, self._spec, self._weights, x, _ONE)
        # With outputs for every step these are (1, 1, K), else (1, K).
        outputs = outputs.reshape(1, -1)
        return ACTIVATIONS[self._spec.head.activation](self.ops, outputs)[0]

    # The kit that `forward` computes with: only these differ from the NumPy kit.

    def last(self, x, _lengths):
        return x[-1]

    def attendable(self, x, _lengths):
        self._attended.append(x[0])
        keys = np.stack(self._attended)
        return keys, np.ones(keys.shape[:2], bool)

    def run_cell(
        self, cell, activation, x, kernel, recurrent_kernel, biases, _held, _dropout
    ):
        layer, self._layer = self._layer, self._layer + 1
        states = self._states.get(layer)
        if states is None:
            zeros = np.zeros((1, len(recurrent_kernel)))
            states = (zeros,) * CELLS[cell].n_states
        bias, recurrent_bias = biases
        recurrent = states[0] @ recurrent_kernel
        if recurrent_bias is not None:
            recurrent += recurrent_bias
        x = x[0] @ kernel + bias
        states = CELLS[cell].step(
            self.ops, ACTIVATIONS[activation], x, recurrent, *states
        )
        self._states[layer] = states
        return states[0][None]


_ONE = np.ones(1, np.intp)
