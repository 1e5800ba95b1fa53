"""What a network did at every step, and how the gradient of its loss flows back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np

from skrnn._data.datasets import Dataset, Seq2SeqData
from skrnn._data.sequences import Sequences
from skrnn._engine.cpu.autodiff import Node, differentiate
from skrnn._engine.cpu.reference import reverse
from skrnn._engine.cpu.tagging import loss_of_chains
from skrnn._engine.cpu.tracing import Pass, TracingRun, UnwatchedRun
from skrnn._networks.crf import Chain
from skrnn._networks.encoder_decoder import answer, decode, encode, memory_of
from skrnn._networks.forward import carry, forward, named_weights
from skrnn._networks.specs import LanguageSpec, NetworkSpec, Seq2SeqSpec, Spec
from skrnn._networks.weights import weight_table

# Steps of all sequences times units that are traced at once: with gates and gradients
# some 200 MB of float64.
_MOST = 400_000
# A sigmoid gate is saturated beyond these values (Karpathy et al., 2015).
_SHUT, _OPEN = 0.1, 0.9
# Activation -> where its slope is as flat as a sigmoid's at 0.1 and 0.9.
_FLAT: dict[str, Callable] = {
    "tanh": lambda y: abs(y) > 0.8,
    "sigmoid": lambda y: (y < _SHUT) | (y > _OPEN),
    "softsign": lambda y: abs(y) > 0.4,
    "relu": lambda y: y == 0,
}

# Other values of a step, which no activation bounds: the heads of a memory.
_NO_GATES = "read_weights", "write_weights", "erase", "add"


@dataclass(frozen=True)
class Steps:
    """What one direction of a layer did at all real steps of packed sequences.

    Attributes
    ----------
    hidden : ndarray of shape (n_real_steps, units)
        The outputs.
    gates : dict of ndarray of shape (n_real_steps, units)
        By name; also "cell_state", if the cell has a state of this shape beside its
        output.
    """

    hidden: Any
    gates: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GradientFlow:
    """Norms of gradients at every step, means over sequences.

    Attributes
    ----------
    hidden : ndarray of shape (n_layers, T)
    directions : dict of ndarray of shape (n_layers, T)
    inputs : ndarray of shape (T,)
    saturated : dict of ndarray of shape (n_layers, T)
        Shares of saturated gates, by their names.
    weights : dict of float
        Norm of the gradient of the mean loss, by each weight that is trained.
    loss : float
    n_sequences : ndarray of int of shape (T,)
        How many sequences have the step.
    """

    hidden: Any
    directions: dict[str, Any]
    inputs: Any
    saturated: dict[str, Any]
    weights: dict[str, float]
    loss: float
    n_sequences: Any


def trace(
    spec: Spec, weights: list, sequences: Sequences, layer: int
) -> dict[str, Steps]:
    """Return what a recurrent layer did: direction -> `Steps`.

    For an encoder and a decoder, it is a layer of the encoder.
    """
    w = [weight.astype(np.float64) for weight in weights]
    places = [i for i, (own, _) in enumerate(_places(spec)) if own == layer]
    ends, found = np.cumsum(sequences.lengths), dict[str, Steps]()
    for rows in _blocks(spec, sequences.lengths):
        block, run = sequences.take(rows), TracingRun()
        x, lengths = _input(spec, block.padded()), block.lengths
        with np.errstate(all="ignore"):
            if isinstance(spec, Seq2SeqSpec):
                encode(run, spec, named_weights(spec, w), x, lengths)
            elif isinstance(spec, LanguageSpec):
                carry(run, spec.layers, named_weights(spec, w), x, lengths)
            else:
                forward(run, _network(spec), w, x, lengths)
        for place in places:
            direction = _places(spec)[place][1]
            made = _in_order(run.passes[place], direction, lengths)
            if direction not in found:
                found[direction] = _empty(made, ends[-1])
            _fill(found[direction], made, ends[rows] - lengths, lengths)
    return found


def gradient_flow(
    spec: Spec,
    weights: list,
    data: Dataset | Seq2SeqData,
    loss: Callable,
    *,
    last: bool = False,
) -> GradientFlow:
    """Differentiate the loss of each sequence by what its network did.

    Parameters
    ----------
    loss : callable
        ``f(y, z) -> losses (n,), gradients (n, K)`` at the outputs z.
    last : bool, default=False
        Whether a sequence's loss is that of its last answer, and not the mean over its
        answers.
    """
    inputs = data.inputs if isinstance(data, Seq2SeqData) else data.sequences
    totals = _Totals(spec, inputs)
    for rows in _blocks(spec, inputs.lengths):
        tape: list[Any] = []
        nodes = [Node(weight.astype(np.float64), tape) for weight in weights]
        run, batch = TracingRun(tape), data.gather(rows)
        with np.errstate(all="ignore"):
            outputs, lengths = _outputs(run, spec, nodes, batch)
            factors = _factors(batch, lengths, last)
            if spec.head.crf:
                given = batch, outputs.value, Chain.of(named_weights(spec, weights))
                losses, slopes, _ = loss_of_chains(*given, 1 / lengths)
                total = float(losses.sum())
            else:
                real = batch.real(batch.targets), batch.real(outputs.value)
                losses, slopes = loss(*real)
                slopes = np.asarray(slopes * factors[:, None], np.float64)
                slopes = batch.spread(slopes, outputs.shape)
                total = float(losses @ factors)
            differentiate(outputs, slopes)
            totals.add(run, rows, total, nodes)
    return totals.means()


def _places(spec) -> list[tuple[int, str]]:
    """Return layer and direction of each pass of a run."""
    layers = enumerate(spec.recurrent)
    return [(i, direction) for i, layer in layers for direction in layer.directions]


def _blocks(spec, lengths) -> Iterator[np.ndarray]:
    """Yield rows of sequences in blocks, the longest first: so batches keep them."""
    order = np.argsort(-np.asarray(lengths), kind="stable")
    width = sum(layer.width for layer in spec.recurrent)
    first = 0
    while first < len(order):
        own = int(lengths[order[first]]) * width
        last = first + max(1, _MOST // own)
        yield order[first:last]
        first = last


def _network(spec) -> NetworkSpec:
    assert isinstance(spec, NetworkSpec)
    return spec


def _input(spec, x):
    return x if spec.embedding is not None else x.astype(np.float64)


def _in_order(known: Pass, direction, lengths) -> Steps:
    """Return what a pass did as arrays (T, B, units), in the order of the steps."""

    def stacked(arrays):
        whole = np.stack(arrays)
        return reverse(whole, lengths) if direction == "backward" else whole

    gates = {name: stacked([g[name] for g in known.gates]) for name in known.gates[0]}
    if gates and len(known.states[0]) == 2:
        pairs = zip(known.states, known.outputs, strict=True)
        beside = [[s for s in states if s is not y] for states, y in pairs]
        if [s.shape for s in beside[0]] == [known.outputs[0].shape]:
            gates["cell_state"] = stacked([state for (state,) in beside])
    return Steps(stacked(known.outputs), gates)


def _empty(like: Steps, n) -> Steps:
    def empty(array):
        return np.empty((n, *array.shape[2:]))

    gates = {name: empty(gate) for name, gate in like.gates.items()}
    return Steps(empty(like.hidden), gates)


def _fill(whole: Steps, block: Steps, starts, lengths):
    """Put the real steps of a block at the places of its sequences."""
    pairs = [(whole.hidden, block.hidden)]
    pairs += [(whole.gates[name], gate) for name, gate in block.gates.items()]
    for to, array in pairs:
        for i, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            to[start : start + length] = array[:length, i]


def _outputs(run, spec, nodes, batch):
    """Return the outputs as a node, and the number of answers of each sequence."""
    x, lengths = batch.inputs["x"], batch.inputs["lengths"]
    x = x if spec.embedding is not None else run.read(x.astype(np.float64))
    if not isinstance(spec, Seq2SeqSpec):
        return forward(run, _network(spec), nodes, x, lengths)[0], lengths
    w, order = named_weights(spec, nodes), batch.inputs["order"]
    outputs, states = encode(run, spec, w, x, lengths)
    memory = None
    if spec.attention is not None:
        mask = run.real_steps(outputs, lengths)
        memory = memory_of(run, spec, w, outputs[:, order], mask[:, order])
    states = [tuple(state[order] for state in layer) for layer in states]
    own, decoder = batch.inputs["output_lengths"], UnwatchedRun(run.tape)
    fed, future = batch.inputs["before"], batch.inputs.get("future")
    if spec.n_labels is None:
        fed = fed.astype(np.float64)
    future = None if future is None else future.astype(np.float64)
    x, _ = decode(decoder, spec, w, fed, future, states, memory, own)
    return answer(decoder, spec, w, x), own


def _factors(batch, lengths, last):
    """Return the share of each real answer in the loss of its sequence."""
    weights = np.asarray(batch.weights, np.float64)
    if weights.ndim == 2:
        steps = np.arange(len(weights))[:, None]
        weights = weights * ((steps == lengths - 1) if last else 1 / lengths)
    return batch.real(weights)


class _Totals:
    """Sums over sequences, at the places of their steps among those of X."""

    def __init__(self, spec, inputs):
        self.spec, self.inputs = spec, inputs
        self.n_layers, self.n_steps = len(spec.recurrent), inputs.n_timesteps
        names = dict.fromkeys(direction for _, direction in _places(spec))
        self.hidden = self._zeros()
        self.directions = {name: self._zeros() for name in names}
        self.read, self.count = np.zeros((2, self.n_steps))
        self.saturated: dict[str, np.ndarray] = {}
        self.weights: list[Any] = [0.0] * len(weight_table(spec))
        self.loss = 0.0

    def _zeros(self):
        return np.zeros((self.n_layers, self.n_steps))

    def add(self, run, rows, loss, nodes):
        """Add a block of sequences, the longest first."""
        lengths = np.asarray(self.inputs.lengths)[rows]
        squares = self._zeros_of_block(lengths)
        for (layer, direction), known in zip(
            _places(self.spec), run.passes, strict=True
        ):
            of_steps = _squares(known.gradients, len(known.outputs), len(rows))
            if direction == "backward":
                of_steps = reverse(of_steps, lengths)
            squares[layer] += of_steps
            norms = self._at_steps(np.sqrt(of_steps), rows)
            self.directions[direction][layer] += norms
            self._add_saturated(layer, direction, known, rows, lengths)
        self.hidden += [self._at_steps(np.sqrt(each), rows) for each in squares]
        read = sum(_norms_squared(g) for g in run.input_gradients.values())
        self.read += self._at_steps(np.sqrt(read), rows)
        self.count += self._at_steps(np.ones(squares[0].shape), rows)
        self.loss += loss
        for i, node in enumerate(nodes):
            if node.gradient is not None:
                self.weights[i] = self.weights[i] + node.gradient

    def _zeros_of_block(self, lengths):
        return np.zeros((self.n_layers, int(lengths[0]), len(lengths)))

    def _add_saturated(self, layer, direction, known, rows, lengths):
        activation = self.spec.recurrent[layer].activation
        for name, share in _shares(known, activation).items():
            share = reverse(share, lengths) if direction == "backward" else share
            totals = self.saturated.setdefault(name, self._zeros())
            n_directions = len(self.spec.recurrent[layer].directions)
            totals[layer] += self._at_steps(share, rows) / n_directions

    def _at_steps(self, values, rows):
        """Sum values (T, B) over sequences, at the places of their steps in X."""
        found, offsets = np.zeros(self.n_steps), self.inputs.offsets
        lengths = np.asarray(self.inputs.lengths)[rows]
        if offsets is None and lengths[-1] == len(values):
            found[: len(values)] = values.sum(axis=1)
            return found
        for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            first = 0 if offsets is None else offsets[row]
            found[first : first + length] += values[:length, i]
        return found

    def means(self):
        """Return the means over the sequences that have a step; NaN where none has."""
        n = len(self.inputs.lengths)
        count = np.where(self.count > 0, self.count, np.nan)
        # As users know them from `weights_`.
        known = (row for part in self.spec.outline() for row in part.weights)
        names = [f"{layer}/{name}" for layer, name, _ in known]
        norms = [float(np.sqrt(np.sum(np.square(g)))) / n for g in self.weights]
        trained = [row.trainable for row in weight_table(self.spec)]
        pairs = compress(zip(names, norms, strict=True), trained)
        return GradientFlow(
            hidden=self.hidden / count,
            directions={k: total / count for k, total in self.directions.items()},
            inputs=self.read / count,
            saturated={k: total / count for k, total in self.saturated.items()},
            weights=dict(pairs),
            loss=self.loss / n,
            n_sequences=self.count.astype(int),
        )


def _norms_squared(g):
    """Return squared norms (T, B) of gradients (T, B, ...)."""
    return np.square(g).reshape(*g.shape[:2], -1).sum(axis=-1)


def _squares(gradients, n_steps, n_sequences):
    """Return squared norms (T, B) of the gradients of steps; none is zero."""
    found = np.zeros((n_steps, n_sequences))
    for t, g in gradients.items():
        found[t] = np.square(g).reshape(n_sequences, -1).sum(axis=-1)
    return found


def _shares(known: Pass, activation) -> dict[str, np.ndarray]:
    """Return shares (T, B) of saturated units by gate; without gates, of outputs.

    A candidate or an output, which an activation bounds, is saturated where its slope
    is as flat as that of a saturated gate.
    """
    flat, found = _FLAT.get(activation), {}
    for name in known.gates[0]:
        if name in _NO_GATES:
            continue
        gate = np.stack([each[name] for each in known.gates])
        is_flat = flat if name == "candidate" else _FLAT["sigmoid"]
        if is_flat is not None:
            found[name] = is_flat(gate).mean(axis=-1)
    if not known.gates[0] and flat is not None:
        found["hidden"] = flat(np.stack(known.outputs)).mean(axis=-1)
    return found
