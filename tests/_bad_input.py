"""Data and fits that fail: what the tables of bad input are made of."""

import re
from collections import namedtuple
from functools import cache
from unittest import mock

import numpy as np
import pandas as pd
import pytest

import skrnn._engine
from skrnn import GRUClassifier, GRURegressor
from skrnn._engine.training.plan import Trained

N, T, F = 12, 4, 2
TINY = {"units": 2, "epochs": 2, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, T, F))
FLAT = X[:, :, 0]
FRAME = pd.DataFrame(FLAT, columns=list("abcd"))
RAGGED = [X[i, : 1 + i % T] for i in range(N)]
IDS = np.arange(N * T).reshape(N, T) % 7
NUMBERS = RNG.normal(size=N)
LABELS = np.arange(N) % 2
TARGETS = {GRURegressor: NUMBERS, GRUClassifier: LABELS}
BOTH = tuple(TARGETS)
REGRESSOR, CLASSIFIER = ((estimator,) for estimator in BOTH)


def without_address(value):
    """Return the same text in every process: pytest's workers compare names."""
    return re.sub(r" at 0x\w+", "", repr(value), flags=re.IGNORECASE)


def put(array, value, at=3):
    """Return a copy of `array` with `value` somewhere in it."""
    changed = np.array(array)
    changed.flat[at] = value
    return changed


def swap(sequences, value, at=3):
    """Return a list of `sequences` with `value` as one of them."""
    return [*sequences[:at], value, *sequences[at + 1 :]]


def labels_of(a, b):
    return [a, b] * (N // 2)


# A fit that fails: the message is contained as it stands here; "{name}" is the class.
Fit = namedtuple("Fit", "id estimator params X y weights error message")


def fits(rows, kinds=BOTH):
    """Make a `Fit` of each row and estimator; None stands for what is right."""
    for key, (error, message, changes) in rows.items():
        for estimator in kinds:
            what = {"params": {}, "X": X, "y": TARGETS.get(estimator), "weights": None}
            name = estimator.__name__
            message_ = message.replace("{name}", name)
            yield Fit(
                id=f"{name}: {key}",
                estimator=estimator,
                error=error,
                message=message_,
                **what | changes,
            )


# X, at fit and at predict


AN_ARRAY = (
    "but {name} expects an array of shape (n_samples, n_timesteps, n_features) or "
    "(n_samples, n_timesteps), or a list of (n_timesteps, n_features) arrays."
)
IN_A_LIST = (
    "in a list every sequence must be an array of numbers of shape "
    "(n_timesteps, n_features) or (n_timesteps,)."
)
NO_STRINGS = "could not convert string to float: {what}, but {name} expects numbers."
READ_WORDS = (
    f"{NO_STRINGS} For texts and words put a TextSequencer before it: "
    "make_pipeline(TextSequencer(), {name}(embedding_dim=32))."
)
TAKE_A_CLASSIFIER = f"{NO_STRINGS} For labels take GRUClassifier."
NO_TIMES = (
    "{what} has dtype {dtype}, but {name} expects numbers; turn times into numbers "
    "first."
)
COMPLEX = "Complex data not supported: {what} has dtype complex128, but {name} expects"
TOO_LARGE = "Input X contains infinity or a value too large for dtype('float32')."
MASKED = "{what} is a masked array with masked values, which would be read as data;"
REQUIRED = "while a minimum of {n} is required by {name}."


def say(text, **values):
    """Fill in some of the words in braces; the name stays for later."""
    for key, value in values.items():
        text = text.replace("{" + key + "}", str(value))
    return text


# y

NO_Y = "This {name} estimator requires y to be passed, but the target y is None."
COUNTS = "Found input variables with inconsistent numbers of samples: "


EACH_STEP = (
    "With return_sequences=True y needs a value for each of the 4 time steps of X: "
    "shape (n_samples, n_timesteps) or (n_samples, n_timesteps, n_targets), or ragged "
    "like X. Got shape "
)
STEPS = (FLAT > 0).astype(int)
RAGGED_STEPS = [steps[: len(x)] for steps, x in zip(STEPS, RAGGED, strict=True)]


def steps(rows):
    rows = {f"steps, {key}": value for key, value in rows.items()}
    each = {"return_sequences": True}
    return {
        key: (error, message, {"params": each, "X": X_, "y": y})
        for key, (error, message, X_, y) in rows.items()
    }


def changing(name, rows, **params):
    """Make rows that differ from what is right in `name`."""
    return {
        f"{name}, {key}": (error, message, {name: value, "params": params})
        for key, (error, message, value) in rows.items()
    }


TOKENS = {"embedding_dim": 2}
CHANNELS = np.stack([IDS, IDS // 2], axis=2)


# Weights


ONES = np.ones(N)


def untrained(spec, plan, training, validation, weights, *_, **__):
    """Stand in for training, which isn't needed to predict something."""
    return Trained(weights, [], {"loss": [1.0]}, best_epoch=1)


def unreachable(*_, **__):
    raise AssertionError("training began")


FORMS = {"3-D": X, "2-D": FLAT, "frame": FRAME, "ids": IDS, "channels": CHANNELS}


@cache
def fitted(estimator, form="3-D"):
    params = TOKENS if form in ("ids", "channels") else {}
    with mock.patch.object(skrnn._engine, "train", untrained):
        return estimator(**TINY | params).fit(FORMS[form], TARGETS[estimator])


def fit(case, estimator):
    return estimator.fit(case.X, case.y, sample_weight=case.weights)


def assert_refused(error, message, function, *args, **kwargs):
    with pytest.raises(error) as raised:
        function(*args, **kwargs)
    assert raised.type is error
    assert message in str(raised.value)


def same(before, after):
    """Whether two states hold the very same objects under the same names."""
    return list(before) == list(after) and all(after[k] is before[k] for k in before)
