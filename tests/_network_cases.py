"""A table of small networks that meets every pair of choices at least once."""

import dataclasses
import functools
from itertools import combinations, product

import numpy as np
import pytest

from skrnn import _engine
from skrnn._data.datasets import Dataset
from skrnn._data.sequences import pack_dense, pack_ragged
from skrnn._engine import choice
from skrnn._networks.architecture import network_spec
from skrnn._networks.specs import Head
from skrnn._networks.weights import weight_table

N_FEATURES, VOCABULARY = 2, 7
# Those of two channels.
VOCABULARIES = 7, 5
CHOICES = {
    # One of each kind; `tests/networks/test_new_cells.py` has the others.
    "cell": ("rnn", "lstm", "gru", "minlstm"),
    "units": ((4,), (3, 4)),
    "bidirectional": (False, True),
    "return_sequences": (False, True),
    "attention": (None, "additive", "dot", "multihead"),
    "conv_filters": ((), (3,), (3, 2)),
    "embedding_dim": (None, 3, (3, 2)),
    "layer_norm": (False, True),
    "dense_units": ((), (3,)),
    "activation": ("tanh", "silu"),
    "head": (
        Head(1),
        Head(2),
        Head(1, "sigmoid"),
        Head(2, "sigmoid"),
        Head(3, "softmax"),
    ),
}


def _pairs(row):
    return set(combinations(enumerate(row), 2))


def pairwise(choices):
    """Return few rows of the product in which every pair of values meets."""
    rows = list(product(*choices.values()))
    values = [list(product([i], each)) for i, each in enumerate(choices.values())]
    missing = set().union(*(product(a, b) for a, b in combinations(values, 2)))
    # The best of a fixed random handful is nearly the best of all, and found at once.
    rng = np.random.default_rng(0)
    table = []
    while missing:
        handful = [rows[i] for i in rng.integers(len(rows), size=60)]
        best = max(handful, key=lambda row: len(_pairs(row) & missing))
        if _pairs(best) & missing:
            table.append(dict(zip(choices, best, strict=True)))
            missing -= _pairs(best)
    return table


_VOCABULARY_SIZE = {type(None): None, int: VOCABULARY, tuple: VOCABULARIES}


def spec_of(cell="lstm", units=(4,), head=None, embedding_dim=None, **choices):
    """Return the spec of a small network."""
    choices |= {"conv_kernel_size": 3, "conv_pool_size": 2}
    return network_spec(
        cell=cell,
        units=units,
        head=head or Head(1),
        n_features=1 if isinstance(embedding_dim, int) else N_FEATURES,
        embedding_dim=embedding_dim,
        vocabulary_size=_VOCABULARY_SIZE[type(embedding_dim)],
        **choices,
    )


_TOKENS = {type(None): "", int: "tokens", tuple: "channels"}


def name_of(
    *, cell, units, bidirectional, return_sequences, attention, conv_filters,
    embedding_dim, layer_norm, dense_units, activation, head,
):  # fmt: skip
    """Say what is special about a network, for the name of a test."""
    sizes = "-".join(map(str, units))
    words = [f"{cell}{sizes}", bidirectional and "both", attention]
    words += [return_sequences and "steps", _TOKENS[type(embedding_dim)]]
    words += [conv_filters and f"conv{len(conv_filters)}"]
    words += [layer_norm and "norm", dense_units and "dense"]
    words += [activation, f"{head.activation}{head.units}"]
    return " ".join(word for word in words if word)


ROWS = pairwise(CHOICES)
SPECS = {name_of(**row): spec_of(**row) for row in ROWS}


def draw_weights(spec, seed=0):
    """Draw weights none of which is zero or one, so that each of them matters."""
    rng = np.random.default_rng(seed)
    return [_drawn(rng, row) for row in weight_table(spec)]


def _drawn(rng, row):
    drawn = rng.normal(0, 0.5, row.shape).astype(np.float32)
    # No variance is below zero.
    return 0.5 + np.abs(drawn) if row.name.endswith("variance") else drawn


def draw_steps(spec, shape, seed=0):
    """Draw the values of steps: (*shape, F), or token ids of `shape` or (*shape, C)."""
    rng = np.random.default_rng(seed)
    if spec.embedding is not None and spec.embedding.channels:
        return rng.integers(1, VOCABULARIES, (*shape, 2)).astype(np.int32)
    if spec.embedding is not None:
        return rng.integers(1, VOCABULARY, shape).astype(np.int32)
    return rng.normal(size=(*shape, spec.n_features)).astype(np.float32)


def draw_dense(spec, n=5, n_timesteps=6, seed=0):
    """Draw sequences of one length: the array and its packed form."""
    X = draw_steps(spec, (n, n_timesteps), seed)
    packed = pack_dense(X, "dense")
    if X.ndim == 3:
        return X, packed
    return X, _with_values(packed, X.ravel())


def draw_ragged(spec, lengths=(3, 7, 1, 5), seed=0):
    """Draw sequences of several lengths, packed."""
    arrays = [draw_steps(spec, (n,), seed + i) for i, n in enumerate(lengths)]
    return pack_ragged(arrays)


def _with_values(packed, values):
    return dataclasses.replace(packed, values=values)


def draw_targets(spec, sequences, seed=0):
    """Draw a target for each sequence, or for each step."""
    n = int(sequences.lengths.sum()) if spec.return_sequences else len(sequences)
    rng = np.random.default_rng(seed)
    if spec.head.activation == "softmax":
        return rng.integers(0, spec.head.units, (n, 1)).astype(np.int32)
    if spec.head.activation == "sigmoid":
        return rng.integers(0, 2, (n, spec.head.units)).astype(np.float32)
    return rng.normal(size=(n, spec.head.units)).astype(np.float32)


def draw_dataset(spec, sequences, seed=0):
    """Draw targets and weights for `sequences`."""
    targets = draw_targets(spec, sequences, seed)
    starts = np.arange(len(sequences))
    if spec.return_sequences:
        starts = np.cumsum(sequences.lengths) - sequences.lengths
    weights = np.random.default_rng(seed).uniform(0.5, 2, len(targets))
    of_steps = spec.return_sequences
    return Dataset(sequences, targets, weights.astype(np.float32), starts, of_steps)


@functools.lru_cache(maxsize=8)
def program(spec, optimizer="sgd", loss=None, *, path="keras"):
    """Return the training of `spec`, made once for a while and compiled if used."""
    if path == "keras":
        from skrnn._engine.keras.program import Program
    else:
        from skrnn._engine.cpu.network import NetworkProgram as Program

    if isinstance(loss, str | tuple):
        head = dataclasses.replace(spec.head, loss=loss)
        spec, loss = dataclasses.replace(spec, head=head), None
    return Program(spec.with_rates_as_arguments(), loss, optimizer)


def predict(spec, weights, sequences, by=None):
    """Return outputs and states; `by` is one of `RUNNERS` or None for the engine's."""
    with pytest.MonkeyPatch.context() as patch:
        if by is not None:
            patch.setattr(choice, "predicts_on", lambda *_: by)
        outputs = _engine.predict(spec, weights, sequences)
        return outputs, _engine.predict(spec, weights, sequences, states=True)


def gradients(spec, dataset, weights, rows=None, *, training=False, **options):
    """Return the mean loss of `rows` and its gradients, without compiling anything.

    In training nothing is dropped, but a batch is normalised by its own statistics.
    """
    from skrnn._engine.keras.run import DropoutMasks, adapter

    made = program(spec, **options)
    made.set_weights(weights)
    rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
    (run,) = made.load(dataset).cut(rows[None])
    arrays = {name: adapter.tensor(array) for name, array in run.arrays.items()}
    batch = made._batch(arrays, 0)

    nothing = {"seed": 0, "dropout": 0.0, "recurrent_dropout": 0.0}
    present = np.asarray(batch["present"])
    present = present.any(axis=0) if present.ndim > 1 else present

    def loss(weights):
        masks = DropoutMasks(nothing, 0, present) if training else None
        total, count, _ = made._batch_loss(batch, weights, (), masks)
        return total / count, ()

    value, _, found = adapter.differentiate(loss, made.weights)
    return float(value), [adapter.to_numpy(gradient) for gradient in found]


def train(made, dataset, order, learning_rate=0.1, **step_inputs):
    """Train a program on the batches `order`; return the mean loss and the weights."""
    made.optimizer.learning_rate = learning_rate
    plain = dict(seed=0, step=0, clipnorm=np.inf, dropout=0.0, recurrent_dropout=0.0)
    total, count, finite = made.train(made.load(dataset), order, plain | step_inputs)
    return float(total) / float(count), bool(finite), made.get_weights()
