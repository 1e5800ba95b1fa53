"""Language models: networks that read tokens and predict, at each, the next one.

Their states are carried from one piece of a text to the next, in training (truncated
backpropagation through time, Williams & Peng, 1990) as in prediction. Token 0 stands
between documents: it ends one and begins the next, whose states start from zeros.
"""

from dataclasses import dataclass

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate
from skrnn._engine.cpu.kernels.matmul import crossentropy
from skrnn._engine.cpu.program import NativeProgram
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.language import BOUNDARY, read
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


@dataclass(frozen=True)
class Lanes:
    """A stream of tokens, cut into parallel lanes that are read piece by piece.

    Attributes
    ----------
    inputs, targets : ndarray of int32 of shape (n,)
        Each token of the stream and the one after it.
    n_lanes : int
        As many pieces of the stream are read at once; `n_lanes * length` >= n.
    lookback : int
        Most steps of a piece.
    shuffle : bool
        Whether each epoch cuts the stream at other places.
    """

    inputs: np.ndarray
    targets: np.ndarray
    n_lanes: int
    lookback: int
    shuffle: bool = False

    @property
    def lengths(self):
        """All pieces alike: none is to be sorted."""
        return np.broadcast_to(self.lookback, len(self))

    @property
    def length(self):
        """Steps of each lane."""
        return -(-len(self.inputs) // self.n_lanes)

    def __len__(self):
        return -(-self.length // self.lookback)

    def start(self, seed, step):
        """Return where the first lane of an epoch begins that starts at `step`."""
        if not self.shuffle:
            return 0
        return int(np.random.default_rng([seed, step]).integers(len(self.inputs)))

    def piece(self, number, start):
        """Return inputs and targets (T, n_lanes) of a piece, all about equally long."""
        first, last = (self.length * i // len(self) for i in (number, number + 1))
        at = np.arange(first, last)[:, None] + self.length * np.arange(self.n_lanes)
        is_over = at >= len(self.inputs)
        at = (at + start) % len(self.inputs)
        inputs = np.where(is_over, BOUNDARY, self.inputs[at])
        return inputs, np.where(is_over, NOTHING, self.targets[at])


class LanguageProgram(NativeProgram):
    """The training of one language model; it serves one fit at a time.

    A batch is one piece of all lanes, and the pieces of an epoch come in order: each
    starts from the states in which the one before it ended.
    """

    def __init__(self, spec, optimizer):
        super().__init__([row.shape for row in weight_table(spec)], optimizer)
        self.spec = spec

    def evaluate(self, data, order):
        """Return the sum of the losses of pieces `order` and their number."""
        states, total, count = zero_states(self.spec, data.n_lanes), 0.0, 0
        with np.errstate(all="ignore"):
            for number in order[order >= 0]:
                inputs, targets = data.piece(number, 0)
                outputs, states = self._read(self._views, inputs, states, None)
                states = [tuple(map(np.copy, layer)) for layer in states]
                losses = crossentropy_losses(outputs, targets, 1)
                total += float(losses.sum(dtype=np.float64))
                count += int((targets >= 0).sum())
        return total, count

    def _differentiate(self, data, rows, masks):
        (number,) = rows
        if number == 0:
            self._start = data.start(int(masks.step_inputs["seed"]), masks.counter)
            self._states = zero_states(self.spec, data.n_lanes)
        inputs, targets = data.piece(number, self._start)
        weights = self._nodes()
        outputs, states = self._read(weights, inputs, self._states, masks)
        # Copies: the arrays are overwritten by the next piece.
        self._states = [tuple(np.copy(s.value) for s in layer) for layer in states]
        count = int((targets >= 0).sum())
        losses = crossentropy_losses(outputs.value, targets, 1 / max(count, 1))
        differentiate(outputs, outputs.value)
        self._keep_gradients(weights)
        return float(losses.sum(dtype=np.float64)), count

    def _read(self, weights, ids, states, masks):
        self._workspace.rewind()
        lengths = np.full(ids.shape[1], len(ids))
        run = CpuRun(lengths, self._workspace, masks)
        return read(run, self.spec, weights, ids, states, lengths)


def crossentropy_losses(outputs, targets, scale):
    """Return the losses (n,) of outputs, which become their gradients."""
    losses = np.empty(targets.size, np.float32)
    targets = np.ascontiguousarray(targets, np.int32).ravel()
    crossentropy(outputs.reshape(-1, outputs.shape[-1]), targets, losses, scale)
    return losses
