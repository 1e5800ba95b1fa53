"""Language models: networks that read tokens and predict, at each, the next one.

Their states are carried from one piece of a text to the next, in training (truncated
backpropagation through time, Williams & Peng, 1990) as in prediction. Token 0 separates
documents: it ends one and begins the next, whose states start from zeros.
"""

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate, value_of
from skrnn._engine.cpu.kernels.matmul import crossentropy
from skrnn._engine.cpu.program import CpuProgram
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.language import read
from skrnn._networks.weights import weight_table

# Marks what isn't a target.
NOTHING = -1


def zero_states(spec, n_sequences):
    """Return the states at the beginning, of each recurrent layer: arrays (B, ...)."""
    return [
        tuple(
            np.zeros((n_sequences, *shape), np.float32) for shape in layer.state_shapes
        )
        for layer in spec.recurrent
    ]


class LanguageProgram(CpuProgram):
    """The training of one language model; it serves one fit at a time.

    A batch is one piece of all sequences, and the pieces of an epoch come in order:
    each starts from the states in which the one before it ended.
    """

    def __init__(self, spec, _loss, optimizer):
        super().__init__([row.shape for row in weight_table(spec)], optimizer)
        self.spec = spec

    def evaluate(self, data, order):
        """Return the sum of the losses of pieces `order` and their number."""
        states, total, count = zero_states(self.spec, data.n_sequences), 0.0, 0
        with np.errstate(all="ignore"):
            for rows in order:
                batch = data.gather(rows)
                outputs, states = self._read(self._views, batch, states, None)
                states = [tuple(map(np.copy, layer)) for layer in states]
                losses = crossentropy_losses(outputs, _targets_of(batch), 1)
                total += float(losses.sum(dtype=np.float64))
                count += int(batch.present.sum())
        return total, count

    def _differentiate(self, data, rows, masks):
        batch, weights = data.gather(rows), self._nodes()
        if batch.inputs["begins"]:
            self._states = zero_states(self.spec, data.n_sequences)
        outputs, states = self._read(weights, batch, self._states, masks)
        # Copies: the arrays are overwritten by the next piece.
        self._states = [tuple(np.copy(value_of(s)) for s in layer) for layer in states]
        count, targets = int(batch.present.sum()), _targets_of(batch)
        losses = crossentropy_losses(outputs.value, targets, 1 / max(count, 1))
        differentiate(outputs, outputs.value)
        self._keep_gradients(weights)
        return float(losses.sum(dtype=np.float64)), count

    def _read(self, weights, batch, states, masks):
        ids, lengths = batch.inputs["x"], batch.inputs["lengths"]
        run = CpuRun(lengths, self._workspace, masks)
        self._workspace.rewind()
        return read(run, self.spec, weights, ids, states, lengths)


def _targets_of(batch):
    return np.where(batch.present, batch.targets[:, :, 0], NOTHING)


def crossentropy_losses(outputs, targets, scale):
    """Return the losses (n,) of outputs, which become their gradients."""
    losses = np.empty(targets.size, np.float32)
    targets = np.ascontiguousarray(targets, np.int32).ravel()
    crossentropy(outputs.reshape(-1, outputs.shape[-1]), targets, losses, scale)
    return losses
