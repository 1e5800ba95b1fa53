"""Limits of gradients: of all as one, of each array, and limits that are none."""

import warnings

import keras
import numpy as np
import pytest

from skrnn import GRURegressor, LSTMClassifier, LSTMRegressor, Seq2SeqRegressor
from skrnn._engine import choice
from skrnn._engine.cpu import network
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
Y = X[:, -1, 0]
# Two windows of `lookback`: one step of two sequences.
TEXT = "to be, or not to be."
TINY = dict(units=3, epochs=4, random_state=0, learning_rate=0.05)
# An instance has no limit of its own, so that Keras' can be compared.
WAYS = {
    "steps in C": (LSTMRegressor, {}, (X, Y)),
    "labels": (LSTMClassifier, {}, (X, Y > 0)),
    "tape": (GRURegressor, {"units": (3, 2), "optimizer": "sgd"}, (X, Y)),
    "compiled": (GRURegressor, {"optimizer": "nadam"}, (X, Y)),
    "pairs": (Seq2SeqRegressor, {"optimizer": "sgd"}, (X, X[:, :2, 0])),
    "text": (
        TextGenerator,
        {"embedding_dim": 2, "lookback": 10, "optimizer": "sgd"},
        (TEXT,),
    ),
}
every_way = pytest.mark.parametrize("way", WAYS)


def fit(way, **more):
    kind, options, data = WAYS[way]
    return kind(**TINY | {"batch_size": 8} | options | more).fit(*data)


def assert_same(one, other, rtol=1e-5, atol=1e-6):
    for a, b in zip(one._weights, other._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol, atol)


def step_of(way, **limits):
    """Return one step of plain gradient descent, array by array."""
    options = dict(epochs=1, optimizer="sgd", shuffle=False, batch_size=24)
    before, after = (
        fit(way, **options, **limits, learning_rate=rate)._weights
        for rate in (1e-30, 1.0)
    )
    return [b - a for a, b in zip(before, after, strict=True)]


def norm(arrays):
    return np.sqrt(sum((a.astype(float) ** 2).sum() for a in arrays))


@every_way
def test_all_gradients_are_scaled_as_one(way):
    step = step_of(way, clipnorm=None)
    clipped = step_of(way, clipnorm=None, global_clipnorm=0.01)
    assert norm(step) > 0.02
    np.testing.assert_allclose(norm(clipped), 0.01, rtol=1e-3)
    for whole, part in zip(step, clipped, strict=True):
        np.testing.assert_allclose(part, whole * 0.01 / norm(step), 1e-3, 1e-6)


@every_way
def test_each_array_has_its_limit_after_all_together(way):
    loose = fit(way, clipnorm=None, global_clipnorm=0.05)
    assert_same(fit(way, clipnorm=0.05, global_clipnorm=0.05), loose)
    assert_same(fit(way, clipnorm=1.0, global_clipnorm=0.05), loose)
    by_array = fit(way, clipnorm=0.01, global_clipnorm=1e6)
    assert_same(by_array, fit(way, clipnorm=0.01))
    assert abs(by_array._weights[0] - loose._weights[0]).max() > 1e-6


@pytest.mark.parametrize("way", ["steps in C", "tape", "compiled", "pairs"])
def test_it_is_that_of_keras(way):
    kind, options, data = WAYS[way]
    options = TINY | options | dict(batch_size=8, clipnorm=None)
    name = options.pop("optimizer", "adam")
    ours = kind(**options, optimizer=name, global_clipnorm=0.05).fit(*data)
    made = keras.optimizers
    make = {"adam": made.Adam, "nadam": made.Nadam, "sgd": made.SGD}[name]
    of_keras = make(TINY["learning_rate"], global_clipnorm=0.05)
    theirs = kind(**options, optimizer=of_keras).fit(*data)
    assert_same(ours, theirs, 1e-3, 1e-4)


def test_both_ways_agree(monkeypatch):
    limits = dict(clipnorm=0.1, global_clipnorm=0.2)
    direct = fit("steps in C", **limits)
    monkeypatch.setattr(network, "fused_step", lambda *_: None)
    assert_same(fit("steps in C", **limits), direct)
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    assert_same(fit("steps in C", **limits), direct, 1e-3, 1e-4)


@every_way
@pytest.mark.parametrize("limit", [1e39, 1e300, np.float64(1e39), 10**40])
def test_what_is_beyond_float32_limits_nothing(way, limit):
    unlimited = fit(way, clipnorm=None)
    for limits in (
        dict(clipnorm=limit),
        dict(clipnorm=None, global_clipnorm=limit),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_same(fit(way, **limits), unlimited)


@pytest.mark.parametrize("limit", [0, -1, "1", True, np.nan, np.inf])
def test_what_is_no_limit_is_refused(limit):
    made = GRURegressor(global_clipnorm=limit)
    with pytest.raises(ValueError, match="'global_clipnorm' parameter of GRURegressor"):
        made.fit(X, Y)
