"""Numbers that float32 can't tell apart are warned about, whatever their type."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _instances import FAST, LEARNERS, target
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRURegressor, Seq2SeqRegressor
from skrnn._data.frames.numbers import warn_of_lost_numbers
from skrnn.preprocessing import SequenceWise, SlidingWindow

RNG = np.random.default_rng(0)
SHAPE = N, T, F = 24, 5, 2
Y = RNG.normal(size=N)
SECONDS = 1.7e9 + RNG.uniform(0, 60, (N, T, 1))
LOST = "where float32 has only 0 numbers to tell them apart"

# Another warning: times in seconds are also far larger than what networks learn from.
pytestmark = pytest.mark.filterwarnings("ignore:Feature .* of X has values around")

every_learner = pytest.mark.parametrize(
    "learner", LEARNERS, ids=lambda each: type(each).__name__
)


def beside_noise(column):
    """Put a feature behind one that has nothing the matter with it."""
    return np.concatenate([RNG.normal(size=column.shape), column], axis=2)


UNRESOLVED = {
    "(n, T, 1)": SECONDS,
    "(n, T, F)": beside_noise(SECONDS),
    "(n, T)": SECONDS[:, :, 0],
    "negative": -SECONDS,
    "milliseconds": 1000 * SECONDS,
    "near one": 1 + 1e-9 * RNG.normal(size=SHAPE),
    "too small for float32": 1e-50 * RNG.normal(size=SHAPE),
    "lists": SECONDS.tolist(),
    "objects": SECONDS.astype(object),
    "list of arrays": list(SECONDS),
    "ragged": [x[: 2 + i % 4] for i, x in enumerate(SECONDS)],
    "with an outlier": np.concatenate([SECONDS[1:], np.zeros((1, T, 1))]),
    "a frame": pd.DataFrame(SECONDS[:, :, 0]),
    "a frame of polars": pl.DataFrame(SECONDS[:, :, 0]),
    "frames": [pd.DataFrame({"a": x[:, 0], "b": 0.5}) for x in SECONDS],
    "windows": SlidingWindow(3).fit_transform(SECONDS[:, 0]),
}


@pytest.mark.parametrize("key", UNRESOLVED)
def test_floats_that_float32_can_not_tell_apart_are_warned_about(key):
    with pytest.warns(UserWarning, match=f"^Feature .* of X .*{LOST}"):
        GRURegressor(**FAST).fit(UNRESOLVED[key], Y)


# Within an hour in each sequence, and in another hour in each.
BEGIN = 1.7e9 + RNG.uniform(0, 3e7, (N, 1, 1))
EVENTS = BEGIN + np.cumsum(RNG.uniform(0, 10, (N, T, 1)), axis=1)
STILL = (
    r"changes from step to step, but in (8|9|10)\d?% of the steps by less than float32"
)
STANDING_STILL = {
    "(n, T, 1)": (EVENTS, "Feature 0 of X"),
    "(n, T, F)": (beside_noise(EVENTS), "Feature 1 of X"),
    "(n, T)": (EVENTS[:, :, 0], "X"),
    "a frame": (pd.DataFrame(EVENTS[:, :, 0]), "X"),
    "objects": (EVENTS.astype(object), "Feature 0 of X"),
    "ragged": ([x[: 2 + i % 4] for i, x in enumerate(EVENTS)], "Feature 0 of X"),
    "short": (EVENTS[:, :2], "Feature 0 of X"),
    "pairs": ([*EVENTS[:-1, :2], EVENTS[-1]], "Feature 0 of X"),
    "frames": (
        [pd.DataFrame({"when": x[:, 0]}) for x in EVENTS],
        "Feature 'when' of X",
    ),
    "windows of a counter": (
        SlidingWindow(3).fit_transform(1e7 + 0.1 * np.arange(1.0, 1001)[:, None]),
        "Feature 0 of X",
    ),
    "many long ones": (
        np.arange(600)[:, None, None] * 1e5 + 1.7e9 + 9.0 * np.arange(99)[:, None],
        "Feature 0 of X",
    ),
}


@pytest.mark.parametrize("key", STANDING_STILL)
def test_steps_that_float32_does_not_see_are_warned_about(key):
    X, feature = STANDING_STILL[key]
    with pytest.warns(UserWarning, match=f"^{feature} {STILL}"):
        GRURegressor(**FAST).fit(X, np.resize(Y, len(X)))


def test_steps_of_a_future_that_float32_does_not_see_are_warned_about():
    y = RNG.normal(size=(N, 3))
    for future, feature in [(EVENTS[:, :3], "Feature 0 of f"), (EVENTS[:, :3, 0], "f")]:
        with pytest.warns(UserWarning, match=f"^{feature}uture {STILL}"):
            Seq2SeqRegressor(**FAST).fit(EVENTS - BEGIN, y, future=future)


@every_learner
def test_every_estimator_warns_in_training_alone(learner):
    X = beside_noise(SECONDS)
    with pytest.warns(UserWarning, match=f"^Feature 1 of X .*{LOST}"):
        model = clone(learner).set_params(epochs=1).fit(X, target(learner, X))
    # The rows of one call are no sample of all there are.
    model.predict(X)


TRAINING = {
    "partial_fit": lambda model, X: model.partial_fit(X, Y),
    "warm start": lambda model, X: model.set_params(warm_start=True).fit(X, Y),
    "validation": lambda model, X: model.fit(Y_STEPS, Y, X_val=X, y_val=Y),
}
Y_STEPS = np.tile(Y[:, None, None], (1, T, 1))


@pytest.mark.parametrize("key", TRAINING)
@pytest.mark.parametrize("network", [GRURegressor, Seq2SeqRegressor])
def test_whatever_a_network_is_trained_on_is_warned_about(key, network):
    name = "X_val" if key == "validation" else "X"
    model = network(**FAST).fit(Y_STEPS, Y)
    for X, problem in ((SECONDS, f"has half.*{LOST}"), (EVENTS, STILL)):
        with pytest.warns(UserWarning, match=f"^Feature 0 of {name} {problem}"):
            TRAINING[key](model, X)
        # The rows of one call are no sample of all there are.
        model.predict(X)


@pytest.mark.parametrize(
    ("future", "message"),
    {
        "floats": (SECONDS[:, :3], f"^Feature 0 of future .*{LOST}"),
        "floats of (n, H)": (SECONDS[:, :3, 0], f"^Feature 0 of future .*{LOST}"),
        "frames": (
            [pd.DataFrame({"when": x[:3, 0]}) for x in SECONDS],
            f"^Feature 'when' of future .*{LOST}",
        ),
        "integers": (
            SECONDS[:, :3].astype(int),
            r"future holds integers from 2\*\*24",
        ),
    }.values(),
)
def test_a_future_is_warned_about(future, message):
    with pytest.warns(UserWarning, match=message):
        Seq2SeqRegressor(**FAST).fit(
            SECONDS - 1.7e9, RNG.normal(size=(N, 3)), future=future
        )


@pytest.mark.parametrize(
    ("X", "name"),
    [
        (pd.DataFrame(SECONDS[:, :, 0], columns=list("abcde")), "'a'"),
        (
            [pd.DataFrame({"load": x[:, 0] - 1.7e9, "when": x[:, 0]}) for x in SECONDS],
            "'when'",
        ),
    ],
)
def test_the_warning_names_the_column(X, name):
    with pytest.warns(UserWarning, match=f"^Feature {name} of X"):
        GRURegressor(**FAST).fit(X, Y)


RESOLVED = {
    "standard normal": RNG.normal(size=SHAPE),
    "large": 1e30 * RNG.uniform(-1, 1, SHAPE),
    "an offset subtracted": SECONDS - SECONDS.mean(),
    "a constant": np.full(SHAPE, 1.7e9),
    "a constant, rounded in float64": 0.3 + 1e-16 * RNG.normal(size=SHAPE),
    "zeros": np.zeros(SHAPE),
    "hours of days": 1.7e9 + 3600.0 * np.arange(N * T).reshape(N, T, 1),
    "prices": 1e5 + RNG.normal(size=SHAPE),
    "of many orders": RNG.lognormal(0, 8, SHAPE),
    "mostly one value": np.where(RNG.uniform(size=SHAPE) < 0.1, 1.7e9 + 1, 1.7e9),
    "float32": SECONDS.astype(np.float32),
    "float32 as float64": SECONDS.astype(np.float32).astype(float),
    "a sensor of float32": (1013.25 + 6.1035156e-05 * RNG.integers(9, size=SHAPE))
    .astype(np.float32)
    .astype(float),
    "times since the first": EVENTS - EVENTS[:, :1],
    "times of days": BEGIN + 86400.0 * np.arange(T)[:, None],
    "steps of a constant": np.round(BEGIN) * np.ones((1, T, 1)),
    "single steps of other times": list(EVENTS[:, :1]),
    "float16": RNG.normal(size=SHAPE).astype(np.float16),
    "long double": RNG.normal(size=SHAPE).astype(np.longdouble),
    "a single step": RNG.normal(size=(N, 1, 1)),
}


@pytest.mark.parametrize("key", RESOLVED)
def test_floats_that_float32_can_tell_apart_are_not_warned_about(key):
    GRURegressor(**FAST).fit(RESOLVED[key], Y)


def test_what_was_scaled_is_not_warned_about():
    make_pipeline(SequenceWise(StandardScaler()), GRURegressor(**FAST)).fit(SECONDS, Y)
    series = SECONDS[:, 0]
    pipeline = make_pipeline(StandardScaler(), SlidingWindow(3), GRURegressor(**FAST))
    pipeline.fit(series, Y)
    # These keep float64, and warn of nothing.
    SequenceWise(StandardScaler()).fit(SECONDS)
    SlidingWindow(3).fit_transform(series)


@pytest.mark.parametrize("shape", [(10**8, T, 1), (2, 10**8, 1), (10**8, 1)])
def test_large_arrays_are_looked_at_in_part(shape):
    # Nothing of this size could be copied here in the time that a test has.
    X = np.broadcast_to(np.arange(1.0, 3), (*shape[:-1], 2))
    tracemalloc.start()
    warn_of_lost_numbers(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25
