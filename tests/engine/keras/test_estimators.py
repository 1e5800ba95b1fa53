"""Estimators with engine="keras" learn what they learn with engine="cpu"."""

import keras
import numpy as np
import pytest
from _tables import LONG

from skrnn import (
    GRURegressor,
    LSTMClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    _engine,
)
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2)).astype(np.float32)
Y = X[:, :2, 0].sum(axis=1)
WORDS = ["abc", "cab", "bb", "ca", "a", "cc"] * 4
TINY = dict(units=3, epochs=2, learning_rate=0.01, random_state=0)
DECAY = keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.5)


def mean_quartic(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)


# The estimator, what it is fitted on, and a method that tells what it has learnt.
CASES = {
    "both, batches, clipped": (
        LSTMClassifier(
            **TINY, bidirectional=True, batch_size=7, clipnorm=0.1, global_clipnorm=0.2
        ),
        (X, Y > 0),
        "predict_proba",
    ),
    "schedule by name": (
        RNNRegressor(**TINY, learning_rate_schedule="cosine", early_stopping=True),
        (X, Y),
        "predict",
    ),
    "own loss and schedule": (
        RNNRegressor(**TINY, loss=mean_quartic, optimizer=keras.optimizers.Adam(DECAY)),
        (X, Y),
        "predict",
    ),
    "averages of weights": (
        GRURegressor(
            **TINY, optimizer=keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
        ),
        (X, Y),
        "predict",
    ),
    "numbers": (Seq2SeqRegressor(**TINY, attention="dot"), (X, X[:, :3, 0]), "predict"),
    "labels": (Seq2SeqClassifier(**TINY), (WORDS, WORDS), "predict_proba"),
    "text": (
        TextGenerator(**TINY, lookback=4, embedding_dim=3),
        (WORDS,),
        "predict_proba",
    ),
}
if LONG:
    # What the others have beside their own.
    CASES["plain"] = GRURegressor(**TINY), (X, Y), "predict"


@pytest.fixture
def made(monkeypatch):
    """Collect what the cache of programs lends."""
    pool = type(_engine.programs)(size=8)
    monkeypatch.setattr(_engine, "programs", pool)
    return pool


@pytest.mark.parametrize("name", CASES)
def test_both_engines_learn_the_same(name, made):
    model, data, method = CASES[name]
    fits = [model.set_params(engine=engine).fit(*data) for engine in ("cpu",)]
    expected = fits[0]._weights, getattr(fits[0], method)(data[0]), fits[0].history_
    lent = made.made
    found = model.set_params(engine="keras").fit(*data)
    assert made.made == lent + 1
    assert found.history_.keys() == expected[2].keys()
    for key, values in expected[2].items():
        np.testing.assert_allclose(found.history_[key], values, rtol=1e-4)
    for a, b in zip(found._weights, expected[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    for a, b in zip(getattr(found, method)(data[0]), expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_training_goes_on_from_one_engine_to_the_other():
    options = TINY | dict(epochs=1, warm_start=True)
    through = GRURegressor(**options).fit(X, Y).fit(X, Y)
    changed = GRURegressor(**options, engine="keras").fit(X, Y)
    changed.set_params(engine="cpu").fit(X, Y)
    for a, b in zip(changed._weights, through._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_callbacks_see_batches_and_stop_training():
    seen = []

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, logs["loss"]))
            self.model.stop_training = batch == 1

    model = TextGenerator(
        units=3, epochs=3, random_state=0, lookback=4, embedding_dim=3, engine="keras"
    )
    RNNRegressor(**TINY, batch_size=6, callbacks=[Stop()], engine="keras").fit(X, Y)
    assert [batch for batch, _ in seen] == [0, 1]
    model.fit(WORDS)
    assert len(model.history_["loss"]) == 3


def test_large_predictions_are_compiled_and_agree(monkeypatch):
    from skrnn._engine.prediction import batches

    monkeypatch.setattr(batches, "_compiled", {})
    model = GRURegressor(**TINY, engine="keras").fit(X, Y)
    expected = model.predict(X)
    assert not batches._compiled
    monkeypatch.setattr(batches, "SMALL", -1)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    assert len(batches._compiled) == 1
