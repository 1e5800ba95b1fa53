"""Prediction in blocks of bounded size: by kernels, NumPy or a compiled function."""

import threading
from dataclasses import dataclass

import numpy as np

from skrnn._engine import choice
from skrnn._engine.cpu import network
from skrnn._engine.cpu.kernels.crf import best_paths, marginals
from skrnn._engine.cpu.kernels.threads import for_each
from skrnn._engine.cpu.reference import ReferenceRun, ops
from skrnn._engine.keras.backends import backend
from skrnn._networks.crf import Chain
from skrnn._networks.forward import forward, named_weights

# Below this many sequence steps times units, NumPy ends before a backend begins.
SMALL = 200_000
# Runner -> rows times units that a block may hold: what stays in the cache for the
# kernels, else about 64 MB of float32 with its gates.
_BLOCK = {"kernels": 100_000, "reference": 2_000_000, "compiled": 2_000_000}
# Most sequences of a block: for small networks, more of them gain nothing, and their
# gates take most of the memory.
_MOST_TOGETHER = 448

_compiled: dict = {}
_MAX_COMPILED = 16
_lock = threading.Lock()


def predict(
    spec,
    weights,
    sequences,
    *,
    states=False,
    dtype=np.float64,
    decode=None,
    best_path=False,
    engine="auto",
):
    """Run the network on packed sequences.

    Parameters
    ----------
    decode : tuple or None
        A function that makes predictions (n, ...) of outputs (n, K), row by row, and
        the shape of one: only these are kept, as an array of `dtype`.
    best_path : bool
        For a chain of labels, whether outputs are 1 for each label of the likeliest
        sequence, rather than probabilities.

    Returns
    -------
    outputs : ndarray of shape (n, K), or (n_real_steps, K) with ``return_sequences``
        Predictions of the head, of `dtype`: outputs after its activation, quantiles, or
        parameters of a distribution. With `states` instead the last hidden
        states, of shape (n, units).
    """
    size = Size.of(spec)
    is_small = size.of_all(sequences) <= SMALL
    name = choice.predicts_on(is_small, engine)
    run = RUNNERS[name](spec, weights, sequences)
    collect = _collect_states if states else _collect_outputs
    answers = answers_of(spec, weights, best_path)
    found, keep = collect(spec, sequences, dtype, decode, answers)
    # Only the kernels release the interpreter's lock, which pays for many products.
    work = 0
    if name == "kernels":
        size = Size.of(spec, in_c=True)
        work = 0 if is_small else sequences.n_steps * spec.products
    blocks = _blocks(size, sequences, _BLOCK[name])
    if not work:
        for rows in blocks:
            keep(rows, *run(rows))
    else:
        for_each(lambda rows: keep(rows, *run(rows)), blocks, work)
    return found


def attention_of(spec, weights, sequences):
    """Return the attention of each sequence: (T,), or (T, T) if each step attends.

    It is a mean over heads; the last axis has the steps attended to.
    """
    weights = [weight.astype(np.float64) for weight in weights]
    found: list = [None] * len(sequences)
    for rows in _blocks(Size.of(spec), sequences, _BLOCK["reference"]):
        block = sequences.take(rows)
        run = ReferenceRun()
        _, flow = forward(run, spec, weights, block.padded(), block.lengths)
        shares = flow.attended
        shares = shares if shares.ndim == 3 else shares.mean(axis=-1)
        numbers = np.arange(len(sequences))[rows]
        for i, (row, length) in enumerate(zip(numbers, block.lengths, strict=True)):
            own = shares[:length, :length, i]
            found[row] = own if spec.attends_from_steps else own[0]
    return found


# Each returns the array to fill and ``keep(rows, outputs, states)``, which fills it.


def _collect_states(spec, sequences, dtype, _decode, _answers):
    found = np.empty((len(sequences), spec.state_width), dtype)

    def keep(rows, _outputs, states):
        found[rows] = states

    return found, keep


def _collect_outputs(spec, sequences, dtype, decode, answers):
    n_outputs, ends = len(sequences.lengths), None
    if spec.return_sequences:
        n_outputs, ends = sequences.n_steps, np.cumsum(sequences.lengths)
    decode, shape = decode or (None, (spec.head.units,))
    found = np.empty((n_outputs, *shape), dtype)

    def keep(rows, outputs, _states):
        outputs = answers(outputs.astype(np.float64), sequences.lengths[rows])
        if decode is not None:
            found_at = outputs.shape[:-1]
            outputs = decode(outputs.reshape(-1, outputs.shape[-1]))
            outputs = outputs if ends is None else outputs.reshape(*found_at, *shape)
        if ends is None:
            found[rows] = outputs
            return
        lengths = sequences.lengths[rows]
        for i, (end, length) in enumerate(zip(ends[rows], lengths, strict=True)):
            found[end - length : end] = outputs[:length, i]

    return found, keep


def answers_of(spec, weights, best_path=False):
    """Return ``f(outputs, lengths)``, which turns a head's outputs into predictions."""
    head = spec.head
    if not head.crf:
        return lambda outputs, _lengths: head.predictions(ops, outputs)
    chain = Chain.of(named_weights(spec, weights))
    if not best_path:
        return lambda outputs, lengths: marginals(outputs, lengths, chain)
    labels = np.arange(head.units)
    return lambda outputs, lengths: (
        best_paths(outputs, lengths, chain)[..., None] == labels
    )


# Each takes a spec, weights and sequences and returns ``run(rows)``, which returns the
# outputs before the head's activation, (B, K) or (T, B, K), and the states (B, units).


def _by_kernels(spec, weights, sequences):
    predictor, whole = (
        network.Predictor(spec, weights),
        slice(0, len(sequences.lengths)),
    )

    def run(rows):
        # Most are one block.
        is_whole = isinstance(rows, slice) and rows == whole
        return predictor(sequences if is_whole else sequences.take(rows))

    return run


def _by_reference(spec, weights, sequences):
    # In double precision a row's result doesn't depend on the rows beside it.
    weights = [weight.astype(np.float64) for weight in weights]

    def run(rows):
        block = sequences.take(rows)
        x = block.padded()
        x = x if spec.embedding else x.astype(np.float64)
        outputs, flow = forward(ReferenceRun(), spec, weights, x, block.lengths)
        return outputs, flow.state

    return run


def _by_compiled(spec, weights, sequences):
    # It loads Keras' backend.
    backend()
    from skrnn._engine.keras.prediction import Predictor  # noqa: PLC0415

    key = spec.without_rates()
    with _lock:
        if key not in _compiled:
            while len(_compiled) >= _MAX_COMPILED:
                del _compiled[next(iter(_compiled))]
            _compiled[key] = Predictor(key)
        found = _compiled[key]
    return found.of(weights, sequences)


RUNNERS = {"kernels": _by_kernels, "reference": _by_reference, "compiled": _by_compiled}


@dataclass(frozen=True)
class Size:
    """How many numbers a layer of a network computes for a sequence.

    Attributes
    ----------
    of_step : int
    of_pair : int
        For each pair of steps, where every step attends to every step.
    """

    of_step: int
    of_pair: int

    @classmethod
    def of(cls, spec, *, in_c=False):
        """Return the size of the widest layer, by a formula or by the kernels."""
        layers = spec.over_steps
        attends = spec.attention and spec.return_sequences and not spec.blocks
        widest = max(spec.n_features, *[layer.units for layer in layers])
        of_pair = layers[-1].units if attends else 0
        # A kernel computes the inside of a block for one sequence at a time.
        for block in () if in_c else spec.blocks:
            widest = max(widest, block.dim_feedforward)
            of_pair = max(of_pair, block.n_heads)
        for layer in spec.convolved:
            # Its windows are laid side by side.
            reads = max(layer.filters, spec.n_features) * layer.kernel_size
            widest = max(widest, reads)
        return cls(widest, of_pair)

    def of_length(self, length):
        """Return the numbers for a sequence of `length` steps, or for each of many."""
        return length * (self.of_step + length * self.of_pair)

    def of_all(self, sequences):
        """Return the numbers for all sequences."""
        if sequences.is_uniform:
            # Ten million lengths would be more numbers than the windows' series has.
            return len(sequences.lengths) * self.of_length(int(sequences.lengths[0]))
        return self.of_length(sequences.lengths.astype(np.float64)).sum()


def _blocks(size, sequences, most):
    """Cut the sequences into blocks of bounded size, similar lengths together.

    Sequences of equal length stay in order: their blocks are slices, which cost nothing
    however many sequences there are.
    """
    lengths, n = sequences.lengths, len(sequences.lengths)
    if sequences.is_uniform:
        # A plain number: NumPy's scalars take as long as a step of a small network.
        own = int(most / size.of_length(int(lengths[0])))
        n_rows = min(max(own, 1), _MOST_TOGETHER)
        yield from (slice(at, min(at + n_rows, n)) for at in range(0, n, n_rows))
        return
    order = np.argsort(lengths, kind="stable")
    lengths = lengths[order].tolist()
    first = 0
    while first < n:
        last = min(first + max(1, int(most / size.of_length(lengths[first]))), n)
        # The longest of them decides how many fit.
        fit = max(1, int(most / size.of_length(lengths[last - 1])))
        last = min(last, first + fit)
        yield order[first:last]
        first = last
