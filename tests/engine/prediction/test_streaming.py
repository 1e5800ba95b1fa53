"""A stream of steps gives what prediction gives for all steps so far."""

import numpy as np
import pytest
from _instances import FAST, in_new_process
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    SequenceClassifier,
    SequenceRegressor,
)
from skrnn._networks.cells import CELLS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 7, 3))
Y = X[:, :, 0].cumsum(axis=1)

NETWORKS = {
    "plain": {},
    "stacked": dict(units=(3, 4), dense_units=(5,), activation="relu"),
    "normalised": dict(layer_norm=True, dropout=0.2, recurrent_dropout=0.2),
    "attention": dict(attention="additive"),
    "heads": dict(attention="multihead", units=8),
    "steps": dict(return_sequences=True),
    "attending steps": dict(return_sequences=True, attention="dot"),
}


def last_of(predictions, steps):
    return predictions[0, -1] if steps else predictions[0]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("network", NETWORKS)
def test_updates_are_predictions_for_the_prefix(cell, network):
    options = FAST | NETWORKS[network]
    steps = options.get("return_sequences", False)
    model = SequenceRegressor(cell=cell, **options).fit(X, Y if steps else Y[:, -1])
    stream = model.stream()
    for i in (0, 1):
        for t in range(7):
            found = stream.update(X[i, t])
            expected = last_of(model.predict(X[i : i + 1, : t + 1]), steps)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert stream.n_steps_ == 7
        stream.reset()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [False, True])
def test_classes_and_probabilities(cell, steps):
    y = np.array(["down", "flat", "up"])[1 + np.sign(np.round(Y)).astype(int)]
    model = SequenceClassifier(cell=cell, return_sequences=steps, **FAST)
    model.fit(X, y if steps else y[:, -1])
    labels, probabilities = model.stream(), model.stream("predict_proba")
    for t in range(7):
        prefix = X[:1, : t + 1]
        label = labels.update(X[0, t])
        assert label == last_of(model.predict(prefix), steps)
        expected = last_of(model.predict_proba(prefix), steps)
        found = probabilities.update(X[0, t])
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_two_classes_have_two_probabilities():
    model = GRUClassifier(**FAST).fit(X, Y[:, -1] > 0)
    found = model.stream("predict_proba").update(X[0, 0])
    np.testing.assert_allclose(found, model.predict_proba(X[:1, :1])[0], atol=1e-6)


def test_several_targets_and_univariate_steps():
    model = LSTMRegressor(**FAST).fit(X[:, :, :1], Y[:, :2])
    stream = model.stream()
    stream.update(X[0, 0, 0])
    found = stream.update([X[0, 1, 0]])
    assert found.shape == (2,)
    np.testing.assert_allclose(found, model.predict(X[:1, :2, :1])[0], rtol=1e-5)


def test_tokens():
    ids = RNG.integers(1, 9, size=(24, 5))
    model = GRURegressor(embedding_dim=3, **FAST).fit(ids, ids[:, 0] * 1.0)
    stream = model.stream()
    for t in range(5):
        found = stream.update(ids[0, t])
        expected = model.predict(ids[:1, : t + 1])[0]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    for bad in (0, -1, 99, 1.5, [1, 2]):
        with pytest.raises(ValueError, match="token id"):
            stream.update(bad)
    assert stream.n_steps_ == 5


@settings(max_examples=20)
@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30))
def test_any_series(values):
    stream = FITTED.stream()
    found = [stream.update(value) for value in values][-1]
    expected = FITTED.predict(np.array([values], dtype=np.float32)[:, :, None])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


FITTED = LSTMRegressor(**FAST).fit(X[:, :, :1], Y[:, -1])


def test_a_stream_outlives_another_fit():
    model = GRURegressor(**FAST).fit(X, Y[:, -1])
    stream, expected = model.stream(), model.predict(X[:1, :1])[0]
    model.fit(X, 100 * Y[:, -1])
    assert np.isclose(stream.update(X[0, 0]), expected)


def test_streams_do_not_mix():
    model = GRURegressor(**FAST).fit(X, Y[:, -1])
    one, other = model.stream(), model.stream()
    for t in range(7):
        results = one.update(X[0, t]), other.update(X[1, t])
    np.testing.assert_allclose(results, model.predict(X[:2]), rtol=1e-5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([1.0, 2.0], "x has 2 features, but GRURegressor is expecting 3"),
        (X[:1], "shape"),
        ([1.0, np.nan, 2.0], "NaN"),
        ([1.0, np.inf, 2.0], "infinity"),
    ],
)
def test_a_bad_step_changes_nothing(bad, message):
    model = GRURegressor(**FAST).fit(X, Y[:, -1])
    stream = model.stream()
    stream.update(X[0, 0])
    with pytest.raises(ValueError, match=message):
        stream.update(bad)
    found = stream.update(X[0, 1])
    np.testing.assert_allclose(found, model.predict(X[:1, :2])[0], rtol=1e-5)


def test_what_cannot_be_followed_is_refused():
    both = GRURegressor(bidirectional=True, **FAST).fit(X, Y[:, -1])
    with pytest.raises(ValueError, match="bidirectional=True"):
        both.stream()
    with pytest.raises(
        ValueError, match=r"one of \['predict'\] .* Got 'predict_proba'"
    ):
        FITTED.stream("predict_proba")
    with pytest.raises(ValueError, match="not fitted"):
        GRURegressor().stream()


def test_it_needs_no_tensorflow(tmp_path):
    import joblib

    path = tmp_path / "model.joblib"
    joblib.dump(FITTED, path)
    printed = in_new_process(
        "import sys, joblib\n"
        "stream = joblib.load(sys.argv[1]).stream()\n"
        "stream.update(0.5)\n"
        "print('keras' in sys.modules, 'tensorflow' in sys.modules)",
        path,
    )
    assert printed.split() == ["False", "False"]
