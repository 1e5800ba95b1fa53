"""Prediction on Keras' backend: one compiled function for each network."""

import numpy as np

from skrnn._engine.keras.run import KerasRun, adapter
from skrnn._engine.keras.runs import batch_class, padded_steps, stack
from skrnn._engine.keras.sizes import RowSizes
from skrnn._networks.forward import forward

# Least rows of a block, where few shapes are compiled.
_MIN_BATCH = 64


class Predictor:
    """The function of a network, with weights as arguments; threads may share it.

    Attributes
    ----------
    n_traces : int
        How often its function was traced.
    """

    def __init__(self, spec):
        self.spec, self.n_traces = spec, 0
        self._compiled = None

    def of(self, weights, sequences):
        """Return ``run(rows) -> outputs, states`` for blocks of sequences.

        Outputs, (B, K) or (T, B, K), are those before the head's activation; states,
        (B, units), are the last ones.
        """
        weights = [adapter.tensor(np.asarray(weight, np.float32)) for weight in weights]
        sizes = RowSizes([sequences])

        def run(rows):
            block = sequences.take(rows)
            n, lengths, n_steps = len(block), block.lengths, None
            if adapter.FIXED_SHAPES:
                own = np.array([[lengths.max()]])
                n_steps = int(padded_steps(sizes, own)[0, 0])
                filled = np.resize(np.arange(n), batch_class(max(n, _MIN_BATCH)))
                block = block.take(filled)
            arrays = {
                "x": block.padded(block.lengths, n_steps),
                "lengths": block.lengths,
            }
            outputs, states = self._call(arrays, weights)
            return outputs[..., :n, :], states[:n]

        return run

    def _call(self, arrays, weights):
        whole = {name: stack([array[None]], 1) for name, array in arrays.items()}
        arrays = {name: adapter.tensor(array) for name, array in whole.items()}
        args = arrays, adapter.tensor(np.int32(1)), (), weights
        if self._compiled is None:
            self._compiled = adapter.compiled(self._forward, [], args)
        return [adapter.to_numpy(found) for found in self._compiled(*args)]

    # TensorFlow warns of an argument whose name begins with an underscore.
    def _forward(self, arrays, n, states, weights):
        self.n_traces += 1
        x, lengths = arrays["x"][0], arrays["lengths"][0]
        outputs, flow = forward(KerasRun(), self.spec, weights, x, lengths)
        return outputs, flow.state
