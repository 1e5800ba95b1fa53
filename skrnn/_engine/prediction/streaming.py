"""The network one step at a time, its states kept in between."""

import numpy as np

from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._networks.forward import named_weights, step
from skrnn._networks.layers import dense


class Stream:
    """A network that has read some steps of one sequence, and waits for the next.

    It computes by the reference formulas in double precision.

    Parameters
    ----------
    spec : NetworkSpec
        Of layers that stream.
    weights : list of ndarray
    """

    def __init__(self, spec, weights):
        self._spec, self._run = spec, ReferenceRun()
        weights = [weight.astype(np.float64) for weight in weights]
        self._w = named_weights(spec, weights)
        self.reset()

    def reset(self):
        """Forget the steps read so far."""
        self._states = [None] * len(self._spec.layers)

    def step(self, x):
        """Read the next step, (F,) or a token id, and return the predictions, (K,)."""
        layers, x = self._spec.layers, np.asarray(x)[None]
        flow, self._states = step(self._run, layers, self._w, x, self._states)
        outputs = dense(self._run, self._w, "head", flow.answer)
        return self._spec.head.predictions(self._run.ops, outputs)[0]
