"""Language models: networks that read tokens and predict, at each, the next one.

Their states are carried from one piece of a text to the next, in training (truncated
backpropagation through time, Williams & Peng, 1990) as in prediction. Token 0 stands
between documents: it ends one and begins the next, whose states start from zeros.
"""

from dataclasses import dataclass

import numpy as np

from skrnn._engine.cpu.autodiff import differentiate, ops
from skrnn._engine.cpu.kernels.matmul import crossentropy
from skrnn._engine.cpu.program import NativeProgram
from skrnn._engine.cpu.run import Kit
from skrnn._networks.cells import CELLS
from skrnn._networks.forward import layer_norm
from skrnn._networks.specs import LanguageSpec
from skrnn._networks.weights import language_weight_table

BOUNDARY = 0
# Marks what isn't a target.
NOTHING = -1


def zero_states(spec, n_sequences):
    """Return the states at the beginning, for each layer: arrays (B, units)."""
    n_states = CELLS[spec.cell].n_states
    return [
        (np.zeros((n_sequences, units), np.float32),) * n_states for units in spec.units
    ]


def read(kit, spec: LanguageSpec, weights, ids, states, lengths):
    """Run the network over token ids (T, B) from given states.

    Returns
    -------
    outputs : array of shape (T, B, vocabulary_size)
        Before the softmax.
    states : list of tuples of arrays of shape (B, units)
        After each sequence's last token.
    """
    names = [row.name for row in language_weight_table(spec)]
    w, after = dict(zip(names, weights, strict=True)), []
    ids = np.ascontiguousarray(ids, np.int32)
    options = lengths, spec.recurrent_dropout > 0, ids == BOUNDARY
    x, kernel = _embed(kit, spec, w, ids)
    for layer, before in enumerate(states):
        prefix = f"recurrent_{layer}"
        bias, recurrent_bias = w[f"{prefix}/bias"], None
        if CELLS[spec.cell].recurrent_bias:
            bias, recurrent_bias = bias[0], bias[1]
        if layer > 0:
            kernel = w[f"{prefix}/kernel"]
        elif len(x.shape) == 2:
            kernel, bias = kernel + bias, None
        cell = spec.cell, spec.activation, x, kernel, w[f"{prefix}/recurrent_kernel"]
        x, last = kit.run_cell_from(before, *cell, (bias, recurrent_bias), *options)
        x = layer_norm(kit, w, f"norm_{layer}", x) if spec.layer_norm else x
        x = kit.dropout(x, spec.dropout > 0)
        after.append(last)
    tied = spec.tie_weights
    kernel = w["embedding"] if tied else w["head/kernel"]
    return kit.dense(x, kernel, w["head/bias"], transposed=tied), after


def _embed(kit, spec, w, ids):
    """Return what the first layer reads, and the kernel for it.

    A table of all tokens' projections saves the product of every step, and is the same,
    but not with dropout between embedding and layer; nor does it save anything if there
    are more kinds of tokens than tokens.
    """
    kernel = w["recurrent_0/kernel"]
    if spec.dropout == 0 and spec.vocabulary_size <= ids.size:
        return ids, ops.matmul(w["embedding"], kernel)
    return kit.dropout(kit.take_rows(w["embedding"], ids), spec.dropout > 0), kernel


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
        super().__init__([row.shape for row in language_weight_table(spec)], optimizer)
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

    def _differentiate(self, data, rows, noise):
        (number,) = rows
        if number == 0:
            self._start = data.start(int(noise.knobs["seed"]), noise.counter)
            self._states = zero_states(self.spec, data.n_lanes)
        inputs, targets = data.piece(number, self._start)
        weights = self._nodes()
        outputs, states = self._read(weights, inputs, self._states, noise)
        # Copies: the arrays are overwritten by the next piece.
        self._states = [tuple(np.copy(s.value) for s in layer) for layer in states]
        count = int((targets >= 0).sum())
        losses = crossentropy_losses(outputs.value, targets, 1 / max(count, 1))
        differentiate(outputs, outputs.value)
        self._keep_gradients(weights)
        return float(losses.sum(dtype=np.float64)), count

    def _read(self, weights, ids, states, noise):
        self._workspace.rewind()
        lengths = np.full(ids.shape[1], len(ids))
        kit = Kit(lengths, self._workspace, noise)
        return read(kit, self.spec, weights, ids, states, lengths)


def crossentropy_losses(outputs, targets, scale):
    """Return the losses (n,) of outputs, which become their gradients."""
    losses = np.empty(targets.size, np.float32)
    targets = np.ascontiguousarray(targets, np.int32).ravel()
    crossentropy(outputs.reshape(-1, outputs.shape[-1]), targets, losses, scale)
    return losses
