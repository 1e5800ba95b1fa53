"""Every estimator predicts what `weights_` and `skrnn.reference` give by hand."""

import _by_hand
import numpy as np
import pytest
from _instances import (
    DETECTORS,
    FAST,
    FORECASTERS,
    FORMS,
    NETWORKS,
    OF_TEXT,
    PAIRS,
    labels,
    numbers,
    sequences,
)
from sklearn.base import clone, is_classifier, is_regressor

import skrnn
from skrnn import reference

# The engine computes in float32 where that is faster.
CLOSE = dict(rtol=1e-6, atol=1e-6)
RNG = np.random.default_rng(0)


def quick(model):
    """Return an unfitted copy that takes two epochs."""
    return clone(model).set_params(epochs=2)


def steps_of(x):
    """Return a sequence as (T, F)."""
    return x.reshape(len(x), -1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: type(model).__name__)
def test_each_estimator_of_the_table(model, form):
    X, model = sequences(form), quick(model)
    if is_regressor(model):
        # Far from the units that it is trained in.
        y = 1000 + 50 * numbers(X)
        found = model.fit(X, y).predict(X)
        expected = [_by_hand.predict(model, steps_of(x))[0] for x in X]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * y.std())
        return
    found = model.fit(X, labels(X)).predict_proba(X)
    expected = [_by_hand.predict_proba(model, steps_of(x)) for x in X]
    np.testing.assert_allclose(found, expected, **CLOSE)


OPTIONS = {
    "stacked": dict(units=(5, 3), layer_norm=True, dense_units=(4, 3), dropout=0.1),
    "both directions": dict(units=(5, 3), bidirectional=True, layer_norm=True),
    "additive": dict(units=4, attention="additive", bidirectional=True),
    "dot": dict(units=4, attention="dot", activation="softsign"),
    "multihead": dict(units=6, attention="multihead", recurrent_dropout=0.1),
    "relu": dict(units=4, activation="relu", normalize_y=False),
}


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("kind", OPTIONS)
def test_each_kind_of_network(kind, cell, per_step):
    X = sequences("ragged")
    y = [x * [1, 30] + 100 for x in X] if per_step else np.array([x[-1] for x in X])
    options = FAST | OPTIONS[kind] | dict(cell=cell, return_sequences=per_step)
    model = skrnn.SequenceRegressor(**options).fit(X, y)
    for found, x in zip(model.predict(X[:6]), X, strict=False):
        close = dict(rtol=1e-6, atol=3e-5 if per_step else 1e-6)
        np.testing.assert_allclose(found, _by_hand.predict(model, x), **close)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("channels", [False, True])
def test_token_ids(channels, n_classes):
    ids = RNG.integers(1, 6, (30, 4, 2) if channels else (30, 4))
    y = ids.reshape(30, -1)[:, 0] % n_classes
    options = FAST | dict(units=4, embedding_dim=(3, 2) if channels else 3)
    model = skrnn.GRUClassifier(**options).fit(ids, y)
    expected = [_by_hand.predict_proba(model, each) for each in ids]
    np.testing.assert_allclose(model.predict_proba(ids), expected, **CLOSE)


def test_several_labels_at_once():
    X = sequences("3-D")
    model = skrnn.LSTMClassifier(**FAST).fit(X, (X[:, -1] > 0).astype(int))
    expected = [_by_hand.outputs(model, x, "sigmoid") for x in X]
    np.testing.assert_allclose(model.predict_proba(X), expected, **CLOSE)


DECODERS = {
    "attention": dict(attention="dot"),
    "none": dict(attention=None, units=(4, 3)),
    "both directions": dict(
        attention="additive", bidirectional=True, units=(4, 3), layer_norm=True
    ),
    "heads": dict(attention="multihead", bidirectional=True, dense_units=3),
    "location": dict(attention="location", bidirectional=True),
}


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("model", PAIRS, ids=lambda model: type(model).__name__)
def test_encoders_and_decoders(model, kind):
    model = quick(model).set_params(**DECODERS[kind])
    if is_classifier(model) or not is_regressor(model):
        words = ["ab", "ba", "abb", "bab"] * 8
        model.fit(words, words)
        ids = [[model._vocabulary[letter] for letter in word] for word in words[:4]]
        for found, each in zip(model.predict_proba(words[:4]), ids, strict=True):
            expected = _by_hand.probabilities_of_labels(model, each, len(found))
            np.testing.assert_allclose(found, expected, **CLOSE)
        return
    X, future = sequences("ragged"), RNG.normal(size=(24, 3, 2))
    y = np.array([[[x[0, 0], 100 * x[-1, 1]]] * 3 for x in X]) + future
    found = model.fit(X, y, future=future).predict(X, future=future)
    for i, x in enumerate(X[:6]):
        expected = _by_hand.predict_steps(model, x, 3, future[i])
        np.testing.assert_allclose(found[i], expected, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("model", DETECTORS, ids=lambda model: model.method)
def test_outlier_detectors(model):
    X = sequences("3-D")
    model = quick(model).set_params(scored_steps="all", units=(4, 3)).fit(X)
    expected = [_by_hand.score_of_steps(model, x) for x in X]
    np.testing.assert_allclose(model.score_samples(X), expected, rtol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_language_models(tied):
    texts = sequences("texts")
    model = quick(OF_TEXT[0]).set_params(embedding_dim=16, tie_weights=tied).fit(texts)
    ids = model._vocabulary.encode(texts[0][:6])
    found = model.predict_proba([texts[0][:6]])[0]
    np.testing.assert_allclose(found, _by_hand.next_token(model, ids), **CLOSE)


def test_members_of_a_forecaster():
    forecaster = clone(FORECASTERS[0]).set_params(horizon=4, seasonal_periods=12)
    forecaster.fit(None, 10 + np.sin(np.arange(120) / 2))
    (member,) = forecaster.estimators_
    windows = RNG.normal(size=(3, 4, member.n_features_in_))
    expected = [_by_hand.predict(member, x) for x in windows]
    found = member.predict(windows)
    np.testing.assert_allclose(found.reshape(3, 4, 1), expected, **CLOSE)


def test_what_the_documentation_says_is_enough():
    """An LSTM's prediction is four lines, units of y included."""
    X = sequences("3-D")
    y = 1e6 + 1e4 * numbers(X)
    model = skrnn.LSTMRegressor(**FAST).fit(X, y)
    w = model.weights_
    h = reference.lstm(X, **w["lstm"])[:, -1]
    z = reference.dense(h, **w["head"])
    found = reference.rescaling(z, **w["units_of_y"])[:, 0]
    np.testing.assert_allclose(found, model.predict(X), rtol=0, atol=1e-6 * y.std())
