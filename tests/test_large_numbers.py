"""Numbers near the end of what floats and integers hold: weights, y, rates, steps."""

import pickle

import numpy as np
import pytest
from _instances import in_new_process, needs
from sklearn.exceptions import ConvergenceWarning

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier, Seq2SeqRegressor
from skrnn._engine.training.loop import Loop
from skrnn.metrics import (
    symmetric_mean_absolute_percentage_error,
    token_accuracy_score,
)
from skrnn.preprocessing import SlidingWindow

RNG = np.random.default_rng(0)
N = 24
X = RNG.normal(size=(N, 5, 2))
Y = X[:, -1, 0]
WORDS = ["ab", "b", "a", "ba"] * 6
WEIGHTS = RNG.uniform(0.5, 1, N)
TINY = dict(units=3, epochs=3, random_state=0, learning_rate=0.05)
WAYS = {
    "regressor": (GRURegressor, {}, Y),
    "steps": (GRURegressor, {"return_sequences": True}, X),
    "classifier": (GRUClassifier, {}, np.where(Y > 0, "a", "b")),
    "pairs": (Seq2SeqRegressor, {}, X[:, :2, 0]),
    "words": (Seq2SeqClassifier, {}, WORDS),
}
REGRESSORS = pytest.mark.parametrize("way", ["regressor", "steps", "pairs"])
every_way = pytest.mark.parametrize("way", WAYS)


def fit(way, *weights, y=None, **more):
    kind, options, target = WAYS[way]
    made = kind(**TINY | options | more)
    return made.fit(X, target if y is None else y, *weights)


def assert_same(one, other, rtol=0):
    for a, b in zip(one._weights, other._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol, rtol)


# Weights


@every_way
@pytest.mark.parametrize("unit", [2.0**1023, 2.0**-1000, 1e308, 1e-310])
def test_only_the_proportions_of_weights_count(way, unit):
    exact = unit in (2.0**1023, 2.0**-1000)
    made = fit(way, np.round(WEIGHTS, 2) * unit)
    assert_same(made, fit(way, np.round(WEIGHTS, 2)), 0 if exact else 1e-4)


@pytest.mark.parametrize("way", ["classifier", "words"])
def test_only_the_proportions_of_class_weights_count(way):
    # The end of a word always weighs 1, which is nothing beside these.
    made = fit(way, class_weight={"a": 1e308, "b": 1.5e308})
    assert np.isfinite(made.history_["loss"]).all()
    larger = fit(way, WEIGHTS * 1e308, class_weight={"a": 1e308, "b": 1.5e308})
    assert_same(
        larger, fit(way, WEIGHTS, class_weight={"a": 1e308, "b": 1.5e308}), 1e-4
    )
    if way == "classifier":
        assert_same(made, fit(way, class_weight={"a": 1.0, "b": 1.5}), 1e-4)


def test_a_product_of_class_weights_may_be_too_large():
    y = np.ones((N, 2), int)
    y[::2, 0] = 0
    made = GRUClassifier(class_weight=[{0: 1, 1: 1e308}] * 2, **TINY)
    with pytest.raises(ValueError, match=r"class_weight=.* an infinite weight"):
        made.fit(X, y)


# y


@REGRESSORS
@pytest.mark.parametrize("unit", [2.0**1020, 2.0**-1000])
def test_a_large_y_is_learnt_as_a_small_one(way, unit):
    y = WAYS[way][2]
    plain, large = fit(way), fit(way, y=y * unit)
    assert large.history_ == plain.history_
    np.testing.assert_array_equal(large.predict(X), plain.predict(X) * unit)


@REGRESSORS
def test_y_over_more_than_the_range_of_floats_is_refused(way):
    y = np.full_like(WAYS[way][2], -1.7e308)
    y[-1] = 1.7e308
    with pytest.raises(ValueError, match=r"y has values from -1.7e.308 to 1.7e.308"):
        fit(way, y=y)


@REGRESSORS
def test_y_that_float32_can_not_hold_is_named(way):
    y = WAYS[way][2]
    with pytest.raises(ValueError, match="Input y contains infinity or a value too"):
        fit(way, y=y * 1e300, normalize_y=False)
    fitted = fit(way)
    with pytest.raises(ValueError, match="Input y contains infinity or a value too"):
        fitted.partial_fit(X, y * 1e300)


# Rates


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
@pytest.mark.parametrize("schedule", [None, "cosine"])
def test_an_infinite_rate_diverges(optimizer, schedule):
    options = dict(optimizer=optimizer, learning_rate_schedule=schedule)
    with pytest.warns(ConvergenceWarning, match="the loss is not finite"):
        model = fit("regressor", **options | dict(learning_rate=1e39))
    # The optimizer's state, which has the rate, isn't kept: nothing would read it.
    read = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(read.predict(X), model.predict(X))
    with pytest.warns(ConvergenceWarning, match="the loss is not finite"):
        read.partial_fit(X, Y)
    read.set_params(learning_rate=0.01).partial_fit(X, Y)


# Steps


@pytest.mark.parametrize("step", [2**31 - 2, 2**32 - 2, 2**40])
@pytest.mark.parametrize(
    "options",
    [{}, {"dropout": 0.3}, {"dropout": 0.3, "optimizer": "nadam"}],
    ids=["steps in C", "tape", "compiled"],
)
@pytest.mark.parametrize("way", ["regressor", "classifier", "pairs"])
def test_training_goes_on_for_any_number_of_steps(monkeypatch, way, options, step):
    run = Loop.run
    monkeypatch.setattr(Loop, "run", lambda loop: run(_begun(loop, step)))
    made = fit(way, **options, batch_size=8)
    assert np.isfinite(made.history_["loss"]).all()
    # The same again, and not the masks of the first steps.
    assert_same(fit(way, **options, batch_size=8), made)
    monkeypatch.undo()
    first = fit(way, **options, batch_size=8)
    different = abs(first._weights[0] - made._weights[0]).max() > 0
    assert different == bool(options)


def _begun(loop, step):
    loop.step = step
    return loop


CODE = """
import warnings
warnings.simplefilter("ignore")
from test_large_numbers import *
from test_large_numbers import _begun
run = Loop.run
Loop.run = lambda loop: run(_begun(loop, 2**31 - 2))
# Three steps, the last of which is beyond.
made = fit("regressor", dropout=0.3, batch_size=8, epochs=1)
assert np.isfinite(made.history_["loss"]).all()
"""


def test_so_it_does_in_jax():
    needs("jax")
    in_new_process(CODE, KERAS_BACKEND="jax")


# Eager functions


EAGER = """
import warnings
import numpy as np
import tensorflow as tf
from test_large_numbers import TINY, X, Y, GRURegressor, Seq2SeqRegressor
tf.config.run_functions_eagerly(True)
warnings.simplefilter("ignore")
X = X[:, :3]
for kind, options in (
    (GRURegressor, dict(optimizer="nadam", dropout=0.2, early_stopping=True,
                        bidirectional=True, units=(2, 3))),
    (GRURegressor, dict(optimizer=__import__("keras").optimizers.Adam(0.01))),
    (Seq2SeqRegressor, dict(optimizer="nadam")),
):
    found = []
    for eagerly in (True, False):
        tf.config.run_functions_eagerly(eagerly)
        found.append(kind(**TINY | options).fit(X, Y))
    for a, b in zip(*(made._weights for made in found)):
        np.testing.assert_allclose(a, b, 1e-4, 1e-5)
    predictions = [made.predict(X) for made in found]
    np.testing.assert_allclose(*predictions, 1e-4, 1e-5)
"""


def test_functions_of_tensorflow_may_run_eagerly():
    in_new_process(EAGER)


# Scores and predictions near the largest number


def _of_steps(largest):
    return X[:, :, 0] / np.abs(X[:, :, 0]).max() * largest


@pytest.mark.parametrize("weights", [None, np.linspace(0, 1, len(X))])
@pytest.mark.parametrize(
    ("cls", "params", "shape"),
    [
        (GRURegressor, {}, np.s_[:, -1]),
        (GRURegressor, {}, np.s_[:, -2:]),
        (GRURegressor, {"return_sequences": True}, np.s_[:, :]),
        (Seq2SeqRegressor, {}, np.s_[:, -2:]),
    ],
)
def test_a_score_does_not_depend_on_the_unit_of_y(cls, params, shape, weights):
    scores = []
    # Powers of two round nothing.
    for exponent in (0, 1000, -1000):
        y = np.ldexp(_of_steps(1.0)[shape], exponent)
        model = cls(units=2, epochs=2, random_state=0, **params).fit(X, y)
        scores.append(model.score(X, y, sample_weight=weights))
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores, scores[0], rtol=1e-12)


def test_steps_near_the_largest_number():
    y = _of_steps(0.8e308)
    model = GRURegressor(units=2, epochs=2, random_state=0, return_sequences=True)
    assert np.isfinite(model.fit(X, y).score(X, y))


def test_a_prediction_beyond_float64_is_the_largest_number():
    y = np.where(X[:, -1, 0] > 0, np.finfo(float).max, 1.6e308)
    params = dict(units=2, epochs=50, learning_rate=0.5, random_state=0)
    predicted = GRURegressor(**params).fit(X, y).predict(X)
    assert predicted.max() == np.finfo(float).max


HUGE = 10**400


@pytest.mark.parametrize(
    ("name", "X_", "y", "more"),
    [
        ("X", [[[HUGE] * 2] * 5] * len(X), X[:, 0, 0], {}),
        ("y", X, [HUGE] * len(X), {}),
        ("y", X, np.array([HUGE] * len(X), dtype=object), {}),
        ("sample_weight", X, X[:, 0, 0], {"sample_weight": [HUGE] * len(X)}),
        ("clipnorm", X, X[:, 0, 0], {"params": {"clipnorm": HUGE}}),
        ("learning_rate", X, X[:, 0, 0], {"params": {"learning_rate": HUGE}}),
    ],
)
def test_an_integer_beyond_float64_is_named(name, X_, y, more):
    model = GRURegressor(**{"units": 2, "epochs": 1} | more.pop("params", {}))
    with pytest.raises(ValueError, match=f"^{name} holds an integer beyond 1.8e"):
        model.fit(X_, y, **more)


ENDS = X * 1.0
ENDS[0, 0, 0], ENDS[-1, :, 0] = np.inf, -np.inf
TAGGER = dict(units=2, epochs=1, return_sequences=True)
# Name -> a call with numbers whose sum is inf - inf.
BOTH_ENDS = {
    "labels": lambda: GRUClassifier(**TAGGER).fit(X, ENDS[:, :, 0]),
    "weights": lambda: GRURegressor().fit(X, Y, sample_weight=ENDS[:, 0, 0]),
    "weights of steps": lambda: GRURegressor(**TAGGER).fit(
        X, X[:, :, 0], sample_weight=ENDS[:, :, 0]
    ),
    "X": lambda: GRURegressor().fit(ENDS, Y),
    "future": lambda: Seq2SeqRegressor().fit(X, X[:, :, 0], future=ENDS[:, :, :1]),
    "vectors": lambda: GRUClassifier(
        embedding_dim=10, embedding_matrix=ENDS[:, :, 0].T
    ).fit(np.ones((4, 3), int), [0, 1, 0, 1]),
    "windows": lambda: SlidingWindow(lookback=2).fit_transform(ENDS[:, 0]),
    "accuracy": lambda: token_accuracy_score(ENDS[:, :, 0], ENDS[:, :, 0]),
    "percents": lambda: symmetric_mean_absolute_percentage_error(Y, ENDS[:, 0, 0]),
}


@pytest.mark.parametrize("key", BOTH_ENDS)
def test_inf_and_minus_inf_are_an_error_without_a_warning(key):
    """Warnings are errors here; scikit-learn's check adds all numbers up."""
    with pytest.raises(ValueError, match="contains infinity or a value too large"):
        BOTH_ENDS[key]()
