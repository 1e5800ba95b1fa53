"""An encoder and decoder carried away decode as `predict` does."""

import numpy as np
import pytest
from _exported import HAS_ONNX, run_onnx
from hypothesis import given, settings
from hypothesis import strategies as st

import skrnn
from skrnn.persistence import export, load_network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(18, 6, 2))
Y = 1000 + 30 * X[:, :3, 0]
RAGGED = [x[: 1 + i % 6] for i, x in enumerate(X)]
FUTURE = {"future": RNG.normal(size=(18, 3, 2))}
LABELS = np.where(X[:, :3, 0] > 0, "up", "down")
WORDS = ["cat", "dogs", "a", "house", "mice", "boxes"] * 3
PLURALS = [f"{word[::-1]}s" for word in WORDS]
IDS = RNG.integers(1, 6, size=(18, 6))
IDS[:5, :2], IDS[5:9, -3:] = 0, 0


def numbers(**params):
    return skrnn.Seq2SeqRegressor(units=4, epochs=2, random_state=0).set_params(
        **params
    )


def labels(**params):
    return skrnn.Seq2SeqClassifier(units=4, epochs=2, random_state=0).set_params(
        **params
    )


# What is exported, what it is fitted on, and what `predict` is given besides.
NETWORKS = {
    "numbers": (numbers(), X, Y, {}),
    "several targets": (
        numbers(cell="gru", bidirectional=True, attention="additive"),
        X,
        5 + X[:, :4],
        {},
    ),
    "one number": (numbers(attention=None, units=(4, 3)), X, Y[:, 0], {}),
    "future": (
        numbers(dense_units=3, attention="multihead", dropout=0.1, layer_norm=True),
        X,
        Y,
        FUTURE,
    ),
    "float32": (numbers(cell="rnn", activation="relu"), X, Y.astype("f4"), {}),
    "ragged": (numbers(activation="selu", bidirectional=True), RAGGED, Y, {}),
    "numbers of tokens": (numbers(embedding_dim=3), IDS, Y, {}),
    "characters": (labels(epochs=30), WORDS, PLURALS, {}),
    "cut off": (
        labels(max_length=3, cell="gru", attention="additive", units=(4, 4)),
        WORDS,
        PLURALS,
        {},
    ),
    "by place": (labels(attention="location", epochs=30), WORDS, PLURALS, {}),
    "numbers by place": (
        numbers(cell="gru", bidirectional=True, attention="location"),
        RAGGED,
        Y,
        {},
    ),
    "table of labels": (labels(attention="multihead"), X, LABELS, {}),
    "one label": (labels(attention=None), RAGGED, LABELS[:, 0], {}),
}
every_network = pytest.mark.parametrize("key", NETWORKS)


@pytest.fixture(scope="module")
def fitted():
    """Return the estimator of a key, fitted once."""
    found = {}

    def of(key):
        if key not in found:
            model, x, y, more = NETWORKS[key]
            found[key] = model.fit(x, y, **more)
        return found[key]

    return of


def as_ids(words, symbols):
    """Return words as padded ids (n, T)."""
    ids = np.zeros((len(words), max(map(len, words))), int)
    for row, word in zip(ids, words, strict=True):
        row[: len(word)] = [symbols.get(letter, 1) for letter in word]
    return ids


def asked_of(key, about):
    """Return X as `predict` takes it, as networks take it, and lengths or None."""
    x = NETWORKS[key][1]
    if x is WORDS:
        # Longer than any in `fit`, whose answer may be longer too; unknown letters.
        x = [*x[:5], "catdoghousemice", "zzq"]
        return x, as_ids(x, about["symbols"]), None
    if x is not RAGGED:
        return x, x, None
    padded = np.full((len(x), 6, 2), 3.0)
    for row, each in zip(padded, x, strict=True):
        row[: len(each)] = each
    return x, padded, np.array([len(each) for each in x])


def check(key, model, about, answers, tolerance):
    """Hold answers, by name, to those of the estimator."""
    x, more = asked_of(key, about)[0], NETWORKS[key][3]
    expected = model.predict(x, **more)
    if "y" in answers:
        found = answers["y"]
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        unit = np.max(model._y_scale)
        assert np.abs(found - expected).max() <= tolerance * unit
        return
    rows = [[about["classes"][i] for i in row if i >= 0] for row in answers["labels"]]
    shares, p = model.predict_proba(x), answers["probabilities"]
    if isinstance(expected, list):
        assert ["".join(row) for row in rows] == list(expected)
    else:
        assert np.array_equal(np.reshape(rows, expected.shape), expected)
        shares = np.stack(shares, axis=1) if expected.ndim == 2 else shares[:, None]
    for own, row in zip(shares, p, strict=True):
        np.testing.assert_allclose(row[: len(own)], own, atol=tolerance)
        assert not row[len(own) :].any()


@every_network
def test_numpy_alone_decodes_the_same(key, fitted, tmp_path):
    model = fitted(key)
    export(model, tmp_path / "network.npz", "numpy")
    network = load_network(tmp_path / "network.npz")
    _, padded, lengths = asked_of(key, network.about)
    more = NETWORKS[key][3]
    known = [0] if lengths is None else lengths
    answers = network.run(X=padded, lengths=known, **more)
    first = network.predict(padded, lengths, **more)
    name = next(iter(answers))
    # Numbers are computed in double precision, whatever y has been.
    np.testing.assert_allclose(first, answers[name], rtol=1e-6)
    check(key, model, network.about, answers | {name: first}, 5e-6)


@every_network
@pytest.mark.skipif(not HAS_ONNX, reason="needs the extra `onnx`")
def test_onnx_decodes_the_same(key, fitted, tmp_path):
    model = fitted(key)
    export(model, tmp_path / "network.onnx", "onnx")
    about, run = run_onnx(tmp_path / "network.onnx")
    _, padded, lengths = asked_of(key, about)
    given = {"X": padded, **NETWORKS[key][3]}
    given = {k: v.astype("f4") if v.dtype == "f8" else v for k, v in given.items()}
    given |= {} if lengths is None else {"lengths": lengths}
    check(key, model, about, run(**given), 1e-5)


@settings(max_examples=25)
@given(st.lists(st.text("abcdogst", min_size=1, max_size=14), min_size=1, max_size=6))
def test_words_of_any_number_and_length(carried, words):
    model, network = carried
    ids = as_ids(words, network.about["symbols"])
    symbols = network.about["classes"]
    found = ["".join(symbols[i] for i in row if i >= 0) for row in network.predict(ids)]
    assert found == list(model.predict(words))


@pytest.fixture(scope="module")
def carried(tmp_path_factory, fitted):
    """Return a model of words, and its network in NumPy."""
    path = tmp_path_factory.mktemp("words") / "network.npz"
    export(fitted("characters"), path, "numpy")
    return fitted("characters"), load_network(path)
