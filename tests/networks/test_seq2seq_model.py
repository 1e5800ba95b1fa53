"""`model_` of encoders and decoders: a Keras model that is told what came before."""

import random
from dataclasses import replace

import keras
import numpy as np
import pytest
from _instances import FAST
from _network_cases import pairwise
from _tables import covering
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor
from skrnn._data.datasets import Seq2SeqData
from skrnn._data.sequences import pack_dense
from skrnn._engine.cpu.seq2seq import Seq2SeqProgram
from skrnn._networks.architecture import seq2seq_spec
from skrnn._networks.cells import CELLS, GatedCell
from skrnn._networks.keras.models import (
    build_model,
    get_weights,
    set_weights,
)
from skrnn._networks.specs import Head
from skrnn._networks.weights import weight_table

CLOSE = dict(rtol=1e-4, atol=1e-5)
N, N_LABELS, N_IDS = 4, 3, 7
CHOICES = {
    # One of each kind; `test_new_cells.py` has the others.
    "cell": ("rnn", "lstm", "gru", "indrnn"),
    "units": ((4,), (3, 4)),
    "bidirectional": (False, True),
    "attention": (None, "additive", "dot", "multihead", "location"),
    "vocabulary_size": (None, N_IDS),
    "layer_norm": (False, True),
    "dense_units": ((), (3,)),
    "activation": ("tanh", "silu"),
    # What is written: labels with an end or without, numbers, with a future or without.
    "writes": ("words", "labels", "numbers", "future"),
}
WRITES = {
    "words": dict(head=Head(N_LABELS + 1, "softmax"), n_labels=N_LABELS, has_end=True),
    "labels": dict(head=Head(N_LABELS, "softmax"), n_labels=N_LABELS),
    "numbers": dict(head=Head(2)),
    "future": dict(head=Head(2), n_future=2),
}


DROPPING = dict(dropout=0.5, recurrent_dropout=0.5)


def spec_of(writes, vocabulary_size=None, **choices):
    reads_ids = vocabulary_size is not None
    embedding_dim = 5 if reads_ids or "n_labels" in WRITES[writes] else None
    return seq2seq_spec(
        n_features=1 if reads_ids else 2,
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        **WRITES[writes],
        **choices,
    )


def name_of(row):
    return " ".join(f"{name}={value}" for name, value in row.items() if value)


SPECS = {name_of(row): spec_of(**row) for row in pairwise(CHOICES)}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())


def draw_weights(spec):
    """Draw weights none of which is zero or one, so that each of them matters."""
    rng, table = np.random.default_rng(0), weight_table(spec)
    return [rng.normal(0, 0.5, row.shape).astype(np.float32) for row in table]


def flat_ids(ids):
    packed = pack_dense(ids[:, :, None], "dense")
    return replace(packed, values=ids.ravel())


def draw_pairs(spec, n_in=5, n_out=3):
    """Draw sequences and their answers: arrays for Keras, and pairs for the engine.

    Few steps: Keras takes each, and each operation of it, by itself.
    """
    rng = np.random.default_rng(1)
    if spec.vocabulary_size is None:
        x = rng.normal(size=(N, n_in, 2)).astype(np.float32)
    else:
        x = rng.integers(1, N_IDS, (N, n_in)).astype(np.int32)
    future = None
    if spec.n_future:
        future = rng.normal(size=(N, n_out, spec.n_future)).astype(np.float32)
    if spec.n_labels is None:
        y = rng.normal(size=(N, n_out, 2)).astype(np.float32)
    else:
        y = rng.integers(0, N_LABELS, (N, n_out)).astype(np.int32)
    inputs, outputs = (
        flat_ids(a) if a.ndim == 2 else pack_dense(a, "dense") for a in (x, y)
    )
    weights = np.ones(N, np.float32)
    first = spec.n_labels or 0
    pairs = Seq2SeqData(inputs, outputs, weights, future, start=first)
    return x, y, future, pairs


def told(spec, x, y, future):
    """Return the inputs of the model: what comes first isn't read, or is the start."""
    first = np.nan if spec.n_labels is None else spec.start
    before = np.concatenate([np.full_like(y[:, :1], first), y[:, :-1]], axis=1)
    return [x, before] if future is None else [x, before, future]


def by_engine(spec, weights, pairs):
    """Return what the kernels make of true outputs, before the head's activation."""
    program = Seq2SeqProgram(spec, None, "sgd")
    program.reset(weights)
    batch = pairs.gather(np.arange(N))
    w = dict(zip(program._names, program._views, strict=True))
    outputs = program._outputs(batch, batch.inputs["before"], w, None)
    return outputs.reshape(-1, N, spec.head.units).swapaxes(0, 1)


@every_spec
def test_the_keras_model_is_the_engines_network(spec):
    weights = draw_weights(spec)
    x, y, future, pairs = draw_pairs(spec)
    expected = by_engine(spec, weights, pairs)
    if spec.n_labels is not None:
        expected = np.exp(expected)
        expected /= expected.sum(axis=-1, keepdims=True)
    model = build_model(spec)
    weights_go_in_and_come_out(model, spec, weights)
    found = model(told(spec, x, y, future)).numpy()
    np.testing.assert_allclose(found, expected, **CLOSE)


def weights_go_in_and_come_out(model, spec, weights):
    """Set the weights in the order of the table, and see them there."""
    set_weights(model, spec, weights)
    for one, other in zip(get_weights(model, spec), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    # None is left out.
    assert sum(w.size for w in model.get_weights()) == sum(w.size for w in weights)


@pytest.mark.parametrize("row", [0, 3, 7])
def test_a_saved_model_is_loaded_without_anything_of_ours(row, tmp_path):
    spec = list(SPECS.values())[row]
    model = build_model(spec, draw_weights(spec), **units_of_y(spec))
    model.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    inputs = told(spec, *draw_pairs(spec)[:3])
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    modules = {layer.__class__.__module__.split(".")[0] for layer in loaded.layers}
    assert modules == {"keras"}


def units_of_y(spec):
    return dict(scale=[2.0, 0.0], offset=[3, 9]) if spec.n_labels is None else {}


def test_numbers_go_in_and_come_out_in_their_own_units():
    spec = spec_of("numbers", cell="gru", units=(4,), attention="dot")
    weights, (x, y, _, _) = draw_weights(spec), draw_pairs(spec)
    plain = build_model(spec, weights)(told(spec, x, y, None)).numpy()
    scaled = build_model(spec, weights, scale=[2.0, 0.5], offset=[10.0, -1.0])
    found = scaled(told(spec, x, y * [2, 0.5] + [10, -1], None))
    np.testing.assert_allclose(found, plain * [2, 0.5] + [10, -1], **CLOSE)


def test_dropout_is_for_training_alone():
    kind = dict(writes="words", cell="lstm", units=(4,), attention="dot")
    spec, dropping = spec_of(**kind), spec_of(**kind, **DROPPING)
    weights, inputs = draw_weights(spec), told(spec, *draw_pairs(spec)[:3])
    plain, model = (build_model(each, weights) for each in (spec, dropping))
    np.testing.assert_allclose(model(inputs), plain(inputs), rtol=1e-6)
    assert not np.allclose(model(inputs, training=True), plain(inputs))


def test_building_touches_no_global_generator():
    def state():
        numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
        return random.getstate(), numpy_state.tolist()

    before = state()
    kind = dict(writes="words", cell="lstm", units=(4,), attention="additive")
    build_model(spec_of(**kind, **DROPPING, bidirectional=True))
    assert state() == before


# Of estimators


def make_series():
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 6, (40, 1)) + 0.5 * np.arange(11)
    return np.sin(at[:, :8]), 1e3 + 50 * np.sin(at[:, 8:]), rng.normal(size=(40, 3, 2))


@pytest.mark.parametrize(
    ("cell", "n_targets", "known"), covering(CELLS, [0, 2], [False, True])
)
def test_told_its_own_numbers_it_predicts_them(cell, n_targets, known, tmp_path):
    x, y, future = make_series()
    y = np.stack([y, -y], axis=2)[:, :, :n_targets] if n_targets else y
    more = {"future": future} if known else {}
    model = Seq2SeqRegressor(**FAST, cell=cell, bidirectional=n_targets > 0)
    expected = model.fit(x, y, **more).predict(x, **more)
    assert isinstance(model.model_, keras.Model)
    assert model.model_ is model.model_
    steps = expected.reshape(40, 3, -1)
    before = np.concatenate([np.zeros_like(steps[:, :1]), steps[:, :-1]], axis=1)
    inputs = [x[:, :, None], before, *more.values()]
    # Called, not `predict`, which compiles for seconds.
    found = model.model_(inputs).numpy()
    np.testing.assert_allclose(found, steps, rtol=1e-5)
    model.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(inputs), found)


WORDS = ["abc", "cab", "bb", "ca"] * 8
FORMS = {
    "strings": (WORDS, WORDS),
    "lists": (WORDS, [[word, word] for word in WORDS]),
    "table": (np.ones((32, 5, 2)), np.array([["a", "b"], ["b", "c"]] * 16)),
    "labels": (np.ones((32, 5, 2)), np.array(["up", "down"] * 16)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("attention", ["dot", None])
def test_told_its_own_labels_it_predicts_them(form, attention):
    x, y = FORMS[form]
    model = Seq2SeqClassifier(**FAST, attention=attention, layer_norm=True).fit(x, y)
    places = {label: i for i, label in enumerate(model.classes_.tolist())}
    start = len(places)
    # Each of the different ones: Keras takes long for a step.
    x = x[:4]
    steps = probabilities_of(model, x)
    for word, wanted, labels in zip(x, steps, model.predict(x), strict=True):
        if isinstance(word, str):
            word = np.array([2 + "abc".index(c) for c in word])
        labels = [labels] if form == "labels" else list(labels)
        before = np.array([start, *(places[label] for label in labels)])[: len(wanted)]
        (found,) = model.model_([word[None], before[None]]).numpy()
        np.testing.assert_allclose(found, wanted, **CLOSE)


def probabilities_of(model, x):
    found = model.predict_proba(x)
    if found[0].ndim == 1:
        return found[:, None]
    return np.stack(found, axis=1) if isinstance(found, list) else found


def test_the_model_follows_the_next_fit_and_nothing_follows_it():
    model = Seq2SeqClassifier(**FAST).fit(WORDS, WORDS)
    before, expected = model.model_, model.predict(WORDS)
    before.set_weights([0 * w for w in before.get_weights()])
    assert model.predict(WORDS) == expected
    assert model.fit(WORDS, WORDS).model_ is not before


def middle_step(ops, activation, x, r, h):
    """Go half of the way."""
    return ((h + activation(ops, x + r)) / 2,)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_cell_without_a_layer_of_keras_has_a_model(bidirectional, monkeypatch):
    row = GatedCell(n_gates=1, n_states=1, formula=middle_step)
    monkeypatch.setitem(CELLS, "middle", row)
    spec = spec_of(
        "future", cell="middle", units=(3, 4), attention="additive",
        bidirectional=bidirectional,
    )  # fmt: skip
    weights = draw_weights(spec)
    x, y, future, pairs = draw_pairs(spec)
    found = build_model(spec, weights)(told(spec, x, y, future)).numpy()
    np.testing.assert_allclose(found, by_engine(spec, weights, pairs), **CLOSE)


@settings(max_examples=8)
@given(n_in=st.integers(1, 4), n_out=st.integers(1, 4), row=st.integers(0, 99))
def test_any_lengths_will_do(n_in, n_out, row):
    spec = list(SPECS.values())[row % len(SPECS)]
    weights, drawn = draw_weights(spec), draw_pairs(spec, n_in, n_out)
    found = build_model(spec, weights)(told(spec, *drawn[:3])).numpy()
    assert found.shape == (N, n_out, spec.head.units)
    assert np.isfinite(found).all()
