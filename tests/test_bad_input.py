"""What can't be used is refused by name before anything changes; what is odd works."""

import re
import subprocess
import sys
from collections import namedtuple
from copy import deepcopy
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

import skrnn._engine
from skrnn import (
    GRUClassifier,
    GRURegressor,
    SequenceClassifier,
    SequenceRegressor,
    SlidingWindow,
)
from skrnn._data.holdout import hold_out
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


BAD_X = {
    "1-D": (
        ValueError,
        f"Expected 2D or 3D array, got 1D array instead (shape=({N},)): {{name}} "
        f"{AN_ARRAY.removeprefix('but {name} ')} Reshape your data, or make windows of "
        "a series with SlidingWindow.",
        NUMBERS,
    ),
    "a Series": (ValueError, "got 1D array instead", pd.Series(NUMBERS)),
    "a list of numbers": (ValueError, "got 1D array instead", [1.0, 2.0, 3.0]),
    "4-D": (
        ValueError,
        f"Found array with dim 4 and shape (1, {N}, {T}, {F}); {{name}} expects an "
        "array of shape (n_samples, n_timesteps, n_features)",
        X[None],
    ),
    "4-D lists": (
        ValueError,
        f"Found array with dim 4 and shape (1, {N}",
        [X.tolist()],
    ),
    "a scalar": (TypeError, f"X is of type float, {AN_ARRAY}", 3.0),
    "None": (TypeError, f"X is None, {AN_ARRAY}", None),
    "a string": (TypeError, f"X is of type str, {AN_ARRAY}", "the cat"),
    "a dict": (TypeError, f"X is of type dict, {AN_ARRAY}", {"a": X}),
    "a set": (TypeError, f"X is of type set, {AN_ARRAY}", {1.0, 2.0}),
    "an iterator": (TypeError, f"X is of type list_iterator, {AN_ARRAY}", iter(RAGGED)),
    "0 samples": (
        ValueError,
        f"Found array with 0 sample(s) (shape=(0, {T}, {F})) while a minimum of",
        X[:0],
    ),
    "0 samples of 2-D": (ValueError, f"0 sample(s) (shape=(0, {T}))", FLAT[:0]),
    "an empty list": (ValueError, "Found array with 0 sample(s) (shape=(0,))", []),
    "0 time steps": (
        ValueError,
        f"Found array with 0 timestep(s) (shape=({N}, 0, {F})) " + say(REQUIRED, n=1),
        X[:, :0],
    ),
    "0 features": (
        ValueError,
        f"Found array with 0 feature(s) (shape=({N}, {T}, 0)) " + say(REQUIRED, n=1),
        X[:, :, :0],
    ),
    "0 columns": (ValueError, f"0 feature(s) (shape=({N}, 0))", FLAT[:, :0]),
    "NaN": (
        ValueError,
        "Input X contains NaN.\n{name} does not accept missing values",
        put(X, np.nan),
    ),
    "NaN in 2-D": (ValueError, "Input X contains NaN.", put(FLAT, np.nan)),
    "NaN in a sequence": (
        ValueError,
        "Input X contains NaN.",
        swap(RAGGED, np.full((2, F), np.nan)),
    ),
    "pandas' NA among floats": (
        ValueError,
        "Input X contains NaN.",
        pd.DataFrame(FLAT).astype("Float64").where(FLAT > 0),
    ),
    "pandas' NA among integers": (
        ValueError,
        "Input X contains NaN.",
        pd.DataFrame(IDS).astype("Int64").where(FLAT > 0),
    ),
    "pandas' NA among bools": (
        ValueError,
        "Input X contains NaN.",
        pd.DataFrame(IDS > 2).astype("boolean").where(FLAT > 0),
    ),
    "None among numbers": (
        ValueError,
        "Input X contains NaN.",
        put(X.astype(object), None),
    ),
    "inf": (ValueError, TOO_LARGE, put(X, np.inf)),
    "-inf in 2-D": (ValueError, TOO_LARGE, put(FLAT, -np.inf)),
    "inf in a sequence": (
        ValueError,
        TOO_LARGE,
        swap(RAGGED, np.full((2, F), np.inf)),
    ),
    "beyond float32": (ValueError, TOO_LARGE, put(X, 1e300)),
    "beyond float32 in a sequence": (
        ValueError,
        TOO_LARGE,
        swap(RAGGED, np.full((2, F), 1e300)),
    ),
    "complex": (ValueError, say(COMPLEX, what="X"), X + 1j),
    "complex in 2-D": (ValueError, say(COMPLEX, what="X"), FLAT + 1j),
    "complex sequence": (
        ValueError,
        say(COMPLEX, what="X[3]"),
        swap(RAGGED, np.full((2, F), 1j)),
    ),
    "strings": (
        ValueError,
        say(NO_STRINGS, what="X has dtype <U3"),
        np.full((N, T), "1.5"),
    ),
    "strings in 3-D": (
        ValueError,
        say(NO_STRINGS, what="X has dtype <U1"),
        np.full((N, T, F), "a"),
    ),
    "bytes": (
        ValueError,
        say(NO_STRINGS, what="X has dtype |S1"),
        np.full((N, T), b"a"),
    ),
    "a list of strings": (
        ValueError,
        say(NO_STRINGS, what="X has dtype <U7"),
        labels_of("the cat", "a dog"),
    ),
    "lists of strings": (
        ValueError,
        say(NO_STRINGS, what="X[0] has dtype <U1"),
        labels_of(["a", "b"], ["a"]),
    ),
    "objects that are strings": (
        ValueError,
        say(NO_STRINGS, what="X holds 'a'"),
        np.full((N, T, F), "a", object),
    ),
    "a string among numbers": (
        ValueError,
        say(NO_STRINGS, what="X holds 'a'"),
        put(FLAT.astype(object), "a"),
    ),
    "a string in a sequence": (
        ValueError,
        say(NO_STRINGS, what="X[3] holds 'a'"),
        swap(RAGGED, np.full((2, F), "a", object)),
    ),
    "a column of strings": (
        ValueError,
        say(NO_STRINGS, what="Column 'b' of X has dtype string"),
        FRAME.assign(b=pd.array(["1.5"] * N, dtype="string")),
    ),
    "a column of objects": (
        ValueError,
        say(NO_STRINGS, what="Column 'b' of X holds 'u'"),
        FRAME.assign(b=pd.Series(labels_of("u", 1.0), dtype=object)),
    ),
    "a categorical column": (
        ValueError,
        say(NO_STRINGS, what="Column 'b' of X holds 'u'"),
        FRAME.assign(b=pd.Categorical(labels_of("u", "v"))),
    ),
    "dates": (
        ValueError,
        say(NO_TIMES, what="X", dtype="datetime64[D]"),
        np.full((N, T), np.datetime64("2020-01-01")),
    ),
    "durations": (
        ValueError,
        say(NO_TIMES, what="X", dtype="timedelta64[s]"),
        np.full((N, T, F), np.timedelta64(1, "s")),
    ),
    "a sequence of dates": (
        ValueError,
        say(NO_TIMES, what="X[3]", dtype="datetime64[D]"),
        swap(RAGGED, np.full((2, F), np.datetime64("2020-01-01"))),
    ),
    "a column of dates": (
        ValueError,
        "Column 'b' of X has dtype datetime64[",
        FRAME.assign(b=pd.Timestamp("2020-01-01")),
    ),
    "two columns of a name": (
        ValueError,
        "X has more than one column named 'a'.",
        FRAME.set_axis(list("aacd"), axis=1),
    ),
    "sparse": (
        TypeError,
        "Sparse data was passed for X, but dense data is required.",
        sparse.csr_array(FLAT),
    ),
    "masked": (TypeError, say(MASKED, what="X"), np.ma.array(X, mask=X > 1)),
    "a masked sequence": (
        TypeError,
        say(MASKED, what="X[3]"),
        swap(RAGGED, np.ma.array(np.ones((2, F)), mask=[[0, 1], [0, 0]])),
    ),
    "other F": (
        ValueError,
        "All sequences need the same number of features: X[3] has shape (2, 3), but "
        "X[0] has shape (1, 2).",
        swap(RAGGED, np.ones((2, 3))),
    ),
    "no F": (
        ValueError,
        "same number of features: X[3] has shape (2,), but X[0] has shape (1, 2).",
        swap(RAGGED, np.ones(2)),
    ),
    "other F in lists": (
        ValueError,
        "same number of features: X[1] has shape (1, 3), but X[0] has shape (1, 2).",
        labels_of([[1.0, 2.0]], [[1.0, 2.0, 3.0]]),
    ),
    "no steps": (
        ValueError,
        "X[3] has no time steps; every sequence needs at least one.",
        swap(RAGGED, np.empty((0, F))),
    ),
    "no steps in lists": (ValueError, "X[1] has no time steps;", labels_of([1.0], [])),
    "no features": (
        ValueError,
        "X[0] has no features; every sequence needs at least one.",
        [np.empty((1 + i % T, 0)) for i in range(N)],
    ),
    "None as a sequence": (
        ValueError,
        f"X[3] is None; {IN_A_LIST}",
        swap(RAGGED, None),
    ),
    "a number as a sequence": (
        ValueError,
        f"X[3] is of type float; {IN_A_LIST}",
        swap(RAGGED, 3.0),
    ),
    "a 3-D sequence": (
        ValueError,
        f"X[3] is an array of shape (1, 2, 2); {IN_A_LIST}",
        swap(RAGGED, np.ones((1, 2, F))),
    ),
    "ragged within": (
        ValueError,
        f"X[0] is of type list; {IN_A_LIST}",
        labels_of([[1.0], [1.0, 2.0]], [[1.0], [1.0]]),
    ),
    "objects that are numbers": (
        ValueError,
        f"X[0] is of type float; {IN_A_LIST}",
        np.array([1.0] * N, dtype=object),
    ),
    "objects that are strings alone": (
        ValueError,
        say(NO_STRINGS, what="X holds 'ab'"),
        np.array(["ab"] * N, dtype=object),
    ),
    "dicts": (ValueError, f"X[0] is of type dict; {IN_A_LIST}", [{"a": 1.0}] * N),
    "sparse sequences": (
        ValueError,
        f"X[0] is of type csr_array; {IN_A_LIST}",
        [sparse.csr_array(x) for x in X],
    ),
}
ONE_SAMPLE = {
    "one sample": (
        ValueError,
        f"Found array with 1 sample(s) (shape=(1, {T}, {F})) " + say(REQUIRED, n=2),
        {"X": X[:1], "y": [1]},
    ),
    "one sequence": (
        ValueError,
        "Found 1 sequence(s) while a minimum of 2 is required by {name}",
        {"X": RAGGED[:1], "y": [1]},
    ),
}

# Token ids, at fit and at predict

NO_IDS = (
    "With embedding_dim set, {name} expects X to hold token ids: integers of shape "
    "(n_samples, n_timesteps) or (n_samples, n_timesteps, n_channels), or a list of "
    "integer sequences. Got "
)
BAD_IDS = {
    "negative": (
        ValueError,
        "Token ids must not be negative: X contains -1.",
        IDS - 1,
    ),
    "negative in a list": (
        ValueError,
        "Token ids must not be negative: X contains -2.",
        labels_of([1, -2], [1]),
    ),
    "floats": (ValueError, NO_IDS + "1 feature(s) of dtype float64.", IDS * 1.0),
    "floats in lists": (
        ValueError,
        NO_IDS + "1 feature(s) of dtype float64.",
        labels_of([1.0, 2.0], [1.0]),
    ),
    "bools": (ValueError, NO_IDS + "1 feature(s) of dtype bool.", IDS > 2),
    "3-D": (
        ValueError,
        NO_IDS + "2 feature(s) of dtype float64.",
        np.ones((N, T, 2)),
    ),
    "1-D": (ValueError, "got 1D array instead", IDS[:, 0]),
    "NaN": (ValueError, "Input X contains NaN.", np.where(IDS == 3, np.nan, IDS)),
    "documents": (
        ValueError,
        say(NO_STRINGS, what="X has dtype <U7"),
        labels_of("the cat", "a dog"),
    ),
    "an empty sequence": (
        ValueError,
        "X[1] has no time steps; every sequence needs at least one.",
        labels_of([1, 2], []),
    ),
}

# y

NO_Y = "This {name} estimator requires y to be passed, but the target y is None."
COUNTS = "Found input variables with inconsistent numbers of samples: "
A_TARGET = (
    "{name} expects (n_samples,) or (n_samples, n_targets). For a value at each time "
    "step set return_sequences=True."
)
NO_SEQUENCES = (
    "y holds sequences of different lengths, but {name} predicts one target for each "
    "sequence of X. For a value at each time step set return_sequences=True."
)
MIXED = "y must hold strings or numbers throughout; it holds 'a' and 1."
BAD_Y = {
    "None": (ValueError, NO_Y, None),
    "too short": (ValueError, f"{COUNTS}[{N}, 5]", LABELS[:5]),
    "empty": (ValueError, f"{COUNTS}[{N}, 0]", []),
    "NaN": (ValueError, "Input y contains NaN.", put(LABELS * 1.0, np.nan)),
    "inf": (ValueError, "Input y contains infinity", put(LABELS * 1.0, np.inf)),
    "None among numbers": (
        ValueError,
        "Input y contains NaN",
        put(LABELS.astype(object), None),
    ),
    "pandas' NA": (
        ValueError,
        "Input y contains NaN",
        pd.Series(LABELS).astype("Int64").where(LABELS > 0),
    ),
    "complex": (
        ValueError,
        "Complex data not supported: y has dtype complex128",
        LABELS + 1j,
    ),
    "masked": (TypeError, say(MASKED, what="y"), np.ma.array(LABELS, mask=LABELS)),
    "mixed": (TypeError, MIXED, labels_of(1, "a")),
    "a scalar": (ValueError, f"y has shape (); {A_TARGET}", 1.0),
    "a dict": (ValueError, f"y has shape (); {A_TARGET}", {"a": 1}),
    "3-D": (ValueError, f"y has shape ({N}, {T}, 2); {A_TARGET}", np.ones((N, T, 2))),
    "no columns": (ValueError, f"y has shape ({N}, 0); {A_TARGET}", np.ones((N, 0))),
    "ragged": (ValueError, NO_SEQUENCES, [x[:, 0] for x in RAGGED]),
    "ragged lists": (ValueError, NO_SEQUENCES, labels_of([1], [2, 1])),
}
BAD_NUMBERS = {
    "strings": (ValueError, say(NO_STRINGS, what="y has dtype <U1"), ["a"] * N),
    "objects that are strings": (
        ValueError,
        say(NO_STRINGS, what="y holds 'a'"),
        np.array(["a"] * N, object),
    ),
    "a column of strings": (
        ValueError,
        say(NO_STRINGS, what="y holds 'a'"),
        pd.DataFrame({"s": pd.Series(["a"] * N, dtype=object), "t": NUMBERS}),
    ),
    "dates": (
        ValueError,
        say(NO_TIMES, what="y", dtype="datetime64[D]"),
        np.full(N, np.datetime64("2020-01-01")),
    ),
    "sparse": (
        TypeError,
        "Sparse data was passed for y, but {name} requires dense data.",
        sparse.csr_array(np.ones((N, 2))),
    ),
}
BAD_LABELS = {
    "one class": (
        ValueError,
        "{name} needs samples of at least 2 classes, but there is only one class: 'a'.",
        ["a"] * N,
    ),
    "continuous": (ValueError, "Unknown label type: continuous.", NUMBERS),
    "mixed objects": (TypeError, MIXED, np.array(labels_of(1, "a"), object)),
    "None among strings": (
        ValueError,
        "Input y contains NaN or None: every label must be known.",
        np.array(labels_of(None, "a"), object),
    ),
    "NaN among strings": (
        ValueError,
        "Input y contains NaN or None: every label must be known.",
        pd.Series(labels_of(np.nan, "a")),
    ),
    "objects": (
        ValueError,
        "Unknown label type: unknown.",
        np.array(labels_of(date(2020, 1, 1), date(2021, 1, 1)), object),
    ),
    "bytes": (
        TypeError,
        "Support for labels represented as bytes is not supported.",
        labels_of(b"a", b"b"),
    ),
    "several outputs": (
        ValueError,
        f"y has shape ({N}, 2) and is no indicator matrix of 0 and 1; {{name}} "
        "predicts one label for each sequence.",
        IDS[:, :2],
    ),
    "no indicators": (ValueError, "is no indicator matrix", np.full((N, 2), 2)),
    "sparse, no indicators": (
        ValueError,
        "is no indicator matrix",
        sparse.csr_array(np.full((N, 2), 2)),
    ),
    "shares": (
        ValueError,
        "Unknown label type: continuous-multioutput.",
        np.full((N, 2), 0.5),
    ),
}

# y with a value at each step

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


BAD_STEPS = {
    "None": (ValueError, NO_Y, X, None),
    "a scalar": (ValueError, EACH_STEP + "().", X, 1),
    "one a sequence": (ValueError, f"{EACH_STEP}({N},).", X, LABELS),
    "too few": (ValueError, f"{EACH_STEP}({N}, 3).", X, STEPS[:, :3]),
    "too few sequences": (ValueError, f"{COUNTS}[{N}, 5]", X, STEPS[:5]),
    "too few ragged": (ValueError, f"{COUNTS}[{N}, 5]", RAGGED, RAGGED_STEPS[:5]),
    "other length": (
        ValueError,
        "y[2] has 2 time steps, but X[2] has 3; with return_sequences=True every step "
        "needs a value.",
        RAGGED,
        swap(RAGGED_STEPS, [0, 1], at=2),
    ),
    "other length in dense": (
        ValueError,
        "y[0] has 1 time steps, but X[0] has 4;",
        X,
        RAGGED_STEPS,
    ),
    "None as one": (
        ValueError,
        "y[3] is None, but X[3] has 4 time steps;",
        RAGGED,
        swap(RAGGED_STEPS, None),
    ),
    "other width": (
        ValueError,
        "All sequences need the same number of targets: y[3] has shape (4, 2), but "
        "y[0] has shape (1,).",
        RAGGED,
        swap(RAGGED_STEPS, np.ones((4, 2))),
    ),
    "NaN": (ValueError, "Input y contains NaN.", X, put(STEPS * 1.0, np.nan)),
    "masked": (
        TypeError,
        say(MASKED, what="y"),
        X,
        np.ma.array(STEPS, mask=STEPS),
    ),
    "mixed": (
        TypeError,
        MIXED,
        RAGGED,
        [["a"] * len(x) if i else [1] for i, x in enumerate(RAGGED)],
    ),
}
BAD_NUMBER_STEPS = {
    "strings": (
        ValueError,
        say(NO_STRINGS, what="y has dtype <U1"),
        X,
        np.full((N, T), "a"),
    ),
    "4-D": (
        ValueError,
        "y has steps of shape (2, 2); {name} expects a number or n_targets numbers at "
        "each time step.",
        X,
        np.ones((N, T, 2, 2)),
    ),
}
BAD_LABEL_STEPS = {
    "continuous": (ValueError, "Unknown label type: continuous.", X, FLAT),
    "one class": (ValueError, "only one class: 0.", X, STEPS * 0),
    "several labels": (
        ValueError,
        "y has steps of shape (2,), which must be indicators of 0 and 1: several "
        "labels at once. Got 2;",
        X,
        np.full((N, T, 2), 2),
    ),
    "labels of labels": (
        ValueError,
        "With return_sequences=True every step needs one label, or an indicator of 0 "
        "and 1 for each of several; y has steps of shape (2, 2).",
        X,
        np.ones((N, T, 2, 2), int),
    ),
    "None": (ValueError, "y contains NaN or None", X, np.full((N, T), None)),
}

# Weights

ONES = np.ones(N)
BAD_WEIGHTS = {
    "negative": (
        ValueError,
        "Negative values in data passed to `sample_weight`.",
        put(ONES, -1),
    ),
    "a negative scalar": (ValueError, "Negative values in data passed to", -1.0),
    "NaN": (ValueError, "Input sample_weight contains NaN.", put(ONES, np.nan)),
    "inf": (ValueError, "Input sample_weight contains infinity", put(ONES, np.inf)),
    "all zero": (
        ValueError,
        "Sample weights must contain at least one non-zero number.",
        ONES * 0,
    ),
    "too few": (ValueError, f"sample_weight.shape == (5,), expected ({N},)!", ONES[:5]),
    "one a step": (
        ValueError,
        f"sample_weight has shape ({N}, {T}), but",
        np.ones((N, T)),
    ),
    "strings": (
        ValueError,
        say(NO_STRINGS, what="sample_weight has dtype <U8"),
        "balanced",
    ),
    "complex": (ValueError, say(COMPLEX, what="sample_weight"), ONES + 1j),
    "masked": (
        TypeError,
        say(MASKED, what="sample_weight"),
        np.ma.array(ONES, mask=LABELS),
    ),
}
FINITE = "must be a finite number of at least 0. Got "
NOTHING_LEFT = (
    "sample_weight times class_weight is 0 for every sequence: nothing is left to "
    "train on."
)
BAD_CLASS_WEIGHTS = {
    "unknown class": (
        ValueError,
        "class_weight has the key 5, which is none of the classes [0, 1].",
        {"params": {"class_weight": {5: 1}}},
    ),
    "negative": (
        ValueError,
        f"class_weight[0] {FINITE}-1.",
        {"params": {"class_weight": {0: -1}}},
    ),
    "NaN": (
        ValueError,
        f"class_weight[0] {FINITE}nan.",
        {"params": {"class_weight": {0: np.nan}}},
    ),
    "inf": (
        ValueError,
        f"class_weight[0] {FINITE}inf.",
        {"params": {"class_weight": {0: np.inf}}},
    ),
    "a string": (
        ValueError,
        f"class_weight[0] {FINITE}'a'.",
        {"params": {"class_weight": {0: "a"}}},
    ),
    "a list": (
        ValueError,
        "class_weight is a list, which is for an indicator matrix y: one dict for each "
        "label. {name} expects a dict of the classes [0, 1] here.",
        {"params": {"class_weight": [1, 2]}},
    ),
    "all zero": (
        ValueError,
        NOTHING_LEFT,
        {"params": {"class_weight": {0: 0, 1: 0}}},
    ),
    "all zero with the other": (
        ValueError,
        NOTHING_LEFT,
        {"params": {"class_weight": {0: 0}}, "weights": 1.0 - LABELS},
    ),
}

# Parameters: what each must be, and what it therefore can't be

A_BOOL = "an instance of 'bool' or an instance of 'numpy.bool'"
BELOW_1 = "a float in the range [0.0, 1.0)"
BETWEEN = "a float in the range (0.0, 1.0)"
COUNT = "an int in the range [1, inf)"
POSITIVE = "a float in the range (0.0, inf)"
NOT_POSITIVE = [0, -1, np.nan, np.inf, "0.1"]
NOT_COUNTS = [0, -1, 2.5, "8", True]
NOT_BOOLS = ["yes", 2, None]
NOT_SHARES = [1.0, -0.1, 1.5, np.nan, "a", None]
OPTIMIZERS = (
    "a str among {'adadelta', 'adafactor', 'adagrad', 'adam', 'adamax', 'adamw', "
    "'ftrl', 'lamb', 'lion', 'nadam', 'rmsprop', 'sgd'} or an instance of "
    "keras.optimizers.Optimizer"
)
ACTIVATIONS = (
    "a str among {'elu', 'linear', 'relu', 'selu', 'sigmoid', 'silu', 'softplus', "
    "'softsign', 'tanh'}"
)
REGRESSION_LOSSES = (
    "a str among {'auto', 'huber', 'log_cosh', 'mean_absolute_error', "
    "'mean_squared_error', 'pinball'} or a callable"
)
CLASSIFICATION_LOSSES = (
    "a str among {'auto', 'binary_crossentropy', 'categorical_crossentropy'} or a "
    "callable"
)
CALLBACKS = "a list of instances of keras.callbacks.Callback or None"
SEEDS = (
    "an int in the range [0, 4294967295], an instance of "
    "'numpy.random.mtrand.RandomState' or None"
)
CLASS_WEIGHTS = (
    "an instance of 'dict', an instance of 'list', a str among {'balanced'} or None"
)
BAD_PARAMS = {
    "units": (
        f"{COUNT} or a non-empty tuple of positive ints",
        [*NOT_COUNTS, (), [], [8, 0], (8, 2.5), (True,), None],
    ),
    "bidirectional": (A_BOOL, NOT_BOOLS),
    "return_sequences": (A_BOOL, NOT_BOOLS),
    "attention": (
        "a str among {'additive', 'dot', 'multihead'} or None",
        ["additve", True, 3],
    ),
    "embedding_dim": (
        f"{COUNT}, a non-empty tuple of positive ints or None",
        [*NOT_COUNTS, (), (8, 0), (8, 2.5), (True,)],
    ),
    "dense_units": (f"{COUNT} or a tuple of positive ints", [0, -1, (0,), 2.5, "8"]),
    "activation": (ACTIVATIONS, ["tanhh", "softmax", None, np.tanh]),
    "dropout": (BELOW_1, NOT_SHARES),
    "recurrent_dropout": (BELOW_1, NOT_SHARES),
    "layer_norm": (A_BOOL, NOT_BOOLS),
    "optimizer": (OPTIMIZERS, ["adm", "Adamm", None, 3, int]),
    "learning_rate": (POSITIVE, [*NOT_POSITIVE, None]),
    "clipnorm": (f"{POSITIVE} or None", NOT_POSITIVE),
    "epochs": (COUNT, [*NOT_COUNTS, None]),
    "batch_size": (COUNT, [*NOT_COUNTS, None]),
    "shuffle": (A_BOOL, NOT_BOOLS),
    "early_stopping": (f"{A_BOOL} or a str among {{'auto'}}", NOT_BOOLS),
    "validation_split": (f"{BETWEEN} or None", [0, 0.0, 1, *NOT_SHARES[:-1]]),
    "patience": (COUNT, [*NOT_COUNTS, np.nan]),
    "callbacks": (CALLBACKS, [3, "a", [3], object(), [object]]),
    "warm_start": (A_BOOL, NOT_BOOLS),
    "verbose": (f"an int in the range [0, inf), {A_BOOL}", [-1, "x"]),
    "random_state": (SEEDS, ["a", -1, 2**32, np.random.default_rng(0)]),
}
BAD_REGRESSOR_PARAMS = {
    "loss": (REGRESSION_LOSSES, ["msee", "binary_crossentropy", None, 3]),
    "normalize_y": (A_BOOL, NOT_BOOLS),
}
BAD_CLASSIFIER_PARAMS = {
    "loss": (CLASSIFICATION_LOSSES, ["mean_squared_error", "crossentropies", None]),
    "class_weight": (CLASS_WEIGHTS, ["balancd", 3]),
}
BAD_CELLS = {"cell": ("a str among {'gru', 'lstm', 'rnn'}", ["lstn", "LSTMs", int])}


def parameters(rows):
    return {
        f"{name}={without_address(value)}": (
            InvalidParameterError,
            f"The '{name}' parameter of {{name}} must be {expected}. Got {value!r} "
            "instead.",
            {"params": {name: value}},
        )
        for name, (expected, values) in rows.items()
        for value in values
    }


def changing(name, rows, **params):
    """Make rows that differ from what is right in `name`."""
    return {
        f"{name}, {key}": (error, message, {name: value, "params": params})
        for key, (error, message, value) in rows.items()
    }


STOP = {"early_stopping": True}
BAD_SPLITS = {
    "validation_split leaves nothing": (
        ValueError,
        f"validation_split=0.95 leaves none of {N} sequences to train on; make it "
        "smaller, or set early_stopping=False and validation_split=None.",
        {"params": STOP | {"validation_split": 0.95}},
    ),
}
BAD_CLASS_SPLITS = {
    "validation_split takes the only one of a class": (
        ValueError,
        "validation_split=0.1 of 2 sequences leaves none to validate on without taking "
        "all of a class; make it larger, or set early_stopping=False and "
        "validation_split=None.",
        {"params": STOP, "X": X[:2], "y": [0, 1]},
    ),
}
BAD_CLASS_LOSSES = {
    "loss of two classes": (
        ValueError,
        "loss='binary_crossentropy' is for two classes or an indicator matrix, but y "
        "has 3 classes; use 'auto' or 'categorical_crossentropy'.",
        {"params": {"loss": "binary_crossentropy"}, "y": np.arange(N) % 3},
    ),
    "loss of one label": (
        ValueError,
        "loss='categorical_crossentropy' is for one label a sequence, but y is an "
        "indicator matrix; use 'auto' or 'binary_crossentropy', or if y is one-hot "
        "pass y.argmax(axis=1).",
        {
            "params": {"loss": "categorical_crossentropy"},
            "y": np.eye(2, dtype=int)[LABELS],
        },
    ),
}
TOKENS = {"embedding_dim": 2}
CHANNELS = np.stack([IDS, IDS // 2], axis=2)
BAD_CHANNELS = {
    "negative": (
        ValueError,
        "Token ids must not be negative: X contains -3.",
        CHANNELS - np.array([0, 3]),
    ),
    "floats": (ValueError, NO_IDS + "2 feature(s) of dtype float64.", CHANNELS * 1.0),
    "other numbers of channels": (
        ValueError,
        "All sequences need the same number of features: X[1] has shape (4, 1), but "
        "X[0] has shape (4, 2).",
        [CHANNELS[0], CHANNELS[1, :, :1], *CHANNELS[2:]],
    ),
}
WRONG_DIMS = (
    ValueError,
    "embedding_dim=(2, 2, 2) is for 3 channels of token ids a step, but X has 2.",
    {"X": CHANNELS, "params": {"embedding_dim": (2, 2, 2)}},
)
ONE_CHANNEL = (
    ValueError,
    "embedding_dim=(2, 3) is for 2 channels of token ids a step, but X has 1.",
    {"X": IDS, "params": {"embedding_dim": (2, 3)}},
)
LARGE_IDS = {
    "beyond int32": (
        ValueError,
        "Token ids must be below 2**31 - 1: X contains 2199023255558.",
        IDS + 2**41,
    )
}

FITS = [
    *fits(changing("X", BAD_X)),
    *fits(ONE_SAMPLE),
    *fits(changing("X", BAD_IDS | LARGE_IDS, **TOKENS)),
    *fits(changing("X", BAD_CHANNELS, embedding_dim=(2, 1))),
    *fits({"more vectors": WRONG_DIMS, "fewer channels": ONE_CHANNEL}),
    *fits(changing("y", BAD_Y)),
    *fits(changing("y", BAD_NUMBERS), REGRESSOR),
    *fits(changing("y", BAD_LABELS), CLASSIFIER),
    *fits(steps(BAD_STEPS)),
    *fits(steps(BAD_NUMBER_STEPS), REGRESSOR),
    *fits(steps(BAD_LABEL_STEPS), CLASSIFIER),
    *fits(changing("weights", BAD_WEIGHTS)),
    *fits(BAD_CLASS_WEIGHTS, CLASSIFIER),
    *fits(parameters(BAD_PARAMS)),
    *fits(parameters(BAD_REGRESSOR_PARAMS), REGRESSOR),
    *fits(parameters(BAD_CLASSIFIER_PARAMS), CLASSIFIER),
    *fits(parameters(BAD_CELLS), (SequenceRegressor, SequenceClassifier)),
    *fits(BAD_SPLITS),
    *fits(BAD_CLASS_SPLITS, CLASSIFIER),
    *fits(BAD_CLASS_LOSSES, CLASSIFIER),
]
FITS += [
    Fit(
        "GRURegressor: y beyond float32 without normalize_y",
        GRURegressor,
        {"normalize_y": False},
        X,
        put(NUMBERS, 1e300),
        None,
        ValueError,
        "Input y contains infinity or a value too large for dtype('float32').",
    )
]


def untrained(spec, plan, training, validation, weights, optimizer_state=None):
    """Stand in for training, which isn't needed to predict something."""
    return Trained(weights, [], {"loss": [1.0]}, best_epoch=1)


def unreachable(*_):
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


@pytest.mark.parametrize("case", FITS, ids=lambda case: case.id)
def test_a_bad_fit_is_refused_and_changes_nothing(case, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", unreachable)
    new = case.estimator(**TINY | case.params)
    before = dict(vars(new))
    assert_refused(case.error, case.message, fit, case, new)
    assert same(before, vars(new))
    if case.estimator not in TARGETS:
        return
    expected = fitted(case.estimator).predict(X)
    again = deepcopy(fitted(case.estimator)).set_params(**case.params)
    before = dict(vars(again))
    assert_refused(case.error, case.message, fit, case, again)
    assert same(before, vars(again))
    again.set_params(**fitted(case.estimator).get_params())
    np.testing.assert_array_equal(again.predict(X), expected)


def test_bad_input_fails_before_tensorflow_starts():
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import test_bad_input as table\n"
        "for case in table.FITS:\n"
        "    try: table.fit(case, case.estimator(**table.TINY | case.params))\n"
        "    except case.error: pass\n"
        "    else: raise AssertionError(case.id)\n"
        "    assert not {'tensorflow', 'keras'} & set(sys.modules), case.id\n"
        "print(len(table.FITS))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert run.stderr == ""
    assert int(run.stdout) == len(FITS)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_failed_fit_leaves_a_trained_network_as_it_was(estimator):
    y = TARGETS[estimator]
    trained = estimator(**TINY).fit(X, y)
    before, predicted = dict(vars(trained)), trained.predict(X)
    for bad in (put(X, np.nan), X[:, :, :0], RAGGED[:3]):
        with pytest.raises(ValueError, match=r"NaN|0 feature|inconsistent"):
            trained.fit(bad, y)
        assert same(before, vars(trained))
    np.testing.assert_array_equal(trained.predict(X), predicted)
    np.testing.assert_array_equal(trained.fit(X, y).predict(X), predicted)


# At predict

EXPECTING = "features, but {name} is expecting"
NAMES = "The feature names should match those that were passed during fit.\n"
AT_PREDICT = {
    "more features": (
        "3-D",
        np.ones((3, T, 3)),
        "X has 3 features, but {name} is expecting 2 features as input.",
    ),
    "fewer features": ("3-D", X[:, :, :1], f"X has 1 {EXPECTING} 2"),
    "more in a list": (
        "3-D",
        [np.ones((2, 3)), np.ones((1, 3))],
        f"X has 3 {EXPECTING} 2",
    ),
    "none in a list": ("3-D", [np.ones(2), np.ones(1)], f"X has 1 {EXPECTING} 2"),
    "2-D after 3-D": ("3-D", FLAT, f"X has 1 {EXPECTING} 2"),
    "more columns": ("2-D", np.ones((3, 9)), f"X has 9 {EXPECTING} 4"),
    "3-D after 2-D": ("2-D", X, f"X has 2 {EXPECTING} 1"),
    "other order": ("frame", FRAME[list("badc")], NAMES + "Feature names must be in"),
    "a column less": (
        "frame",
        FRAME[list("abc")],
        NAMES + "Feature names seen at fit time, yet now missing:\n- d",
    ),
    "a column more": (
        "frame",
        FRAME.assign(z=1.0),
        NAMES + "Feature names unseen at fit time:\n- z",
    ),
    "beyond the vocabulary": (
        "ids",
        IDS + 1,
        "X contains the token id 7, but {name} was fitted with ids below 7.",
    ),
    "far beyond it": ("ids", IDS + 2**41, "but {name} was fitted with ids below 7."),
    "beyond that of a channel": (
        "channels",
        CHANNELS + np.array([0, 2]),
        "X contains the token id 5 in channel 1, but {name} was fitted with ids below "
        "4.",
    ),
    "more channels": ("channels", CHANNELS[:, :, [0, 1, 1]], f"X has 3 {EXPECTING} 2"),
    "fewer channels": ("channels", IDS, f"X has 1 {EXPECTING} 2"),
    "channels after ids": ("ids", CHANNELS, f"X has 2 {EXPECTING} 1"),
    "beyond it in a list": ("ids", [[1, 2], [9]], "X contains the token id 9, but"),
}
PREDICTS = {key: (form, X_, ValueError, m) for key, (form, X_, m) in AT_PREDICT.items()}
for form, rows in {"3-D": BAD_X, "ids": BAD_IDS, "channels": BAD_CHANNELS}.items():
    for key, (error, message, X_) in rows.items():
        # A first method would leave nothing of an iterator to the next.
        if key != "an iterator":
            PREDICTS[f"{form}, {key}"] = form, X_, error, message


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("key", PREDICTS)
def test_every_method_refuses_bad_input(estimator, key):
    form, X_, error, message = PREDICTS[key]
    message = message.replace("{name}", estimator.__name__)
    known = fitted(estimator, form)
    before = dict(vars(known))
    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        if hasattr(known, method):
            assert_refused(error, message, getattr(known, method), X_)
    assert_refused(error, message, known.score, X_, LABELS)
    assert same(before, vars(known))


METHODS = {
    "predict": (X,),
    "predict_proba": (X,),
    "predict_log_proba": (X,),
    "transform": (X,),
    "score": (X, LABELS),
    "get_feature_names_out": (),
}


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_works_before_fit(estimator, method):
    error = NotFittedError
    message = f"This {estimator.__name__} instance is not fitted yet. Call 'fit' with"
    if "proba" in method and estimator is GRURegressor:
        error, message = AttributeError, f"object has no attribute '{method}'"
    assert_refused(
        error, message, lambda: getattr(estimator(), method)(*METHODS[method])
    )


@pytest.mark.parametrize("estimator", BOTH)
def test_there_is_no_network_before_fit(estimator):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        _ = estimator().model_


def test_wrong_names_of_features_are_refused():
    refused = "input_features should have length equal to number of features (2), got 1"
    names = fitted(GRURegressor).get_feature_names_out
    assert_refused(ValueError, refused, names, ["a"])
    refused = "input_features is not equal to feature_names_in_"
    names = fitted(GRURegressor, "frame").get_feature_names_out
    assert_refused(ValueError, refused, names, list("abcx"))


@pytest.mark.parametrize("estimator", BOTH)
def test_a_misspelt_parameter_is_refused(estimator):
    with pytest.raises(TypeError, match="unexpected keyword argument 'unit'"):
        estimator(unit=3)
    with pytest.raises(ValueError, match="Invalid parameter 'unit' for estimator GRU"):
        estimator().set_params(unit=3)


SCORES = {
    "other length": (COUNTS, (NUMBERS[:5],)),
    "other length of weights": (COUNTS, (NUMBERS, [1.0])),
    "NaN": ("Input y contains NaN.", (put(NUMBERS, np.nan),)),
}


@pytest.mark.parametrize("key", SCORES)
def test_a_bad_truth_is_not_scored(key):
    message, truth = SCORES[key]
    assert_refused(ValueError, message, fitted(GRURegressor).score, X, *truth)


# Training that goes on

CANNOT = "{name} cannot go on training: "
SINCE = " changed since the network was built. Fit with warm_start=False."
RESUMES = {
    "units": (BOTH, {"units": 3}, {}, f"{CANNOT}units{SINCE}"),
    "two of them": (
        BOTH,
        {"attention": "dot", "layer_norm": True},
        {},
        f"{CANNOT}attention, layer_norm{SINCE}",
    ),
    "return_sequences": (
        BOTH,
        {"return_sequences": True},
        {"y": STEPS},
        f"{CANNOT}return_sequences{SINCE}",
    ),
    "features": (
        BOTH,
        {},
        {"X": np.ones((N, T, 3))},
        "X has 3 features, but {name} is expecting 2 features as input.",
    ),
    "targets": (
        REGRESSOR,
        {},
        {"y": np.ones((N, 2))},
        "y has 2 targets, but {name} was fitted with 1.",
    ),
    "classes": (
        CLASSIFIER,
        {},
        {"y": LABELS + 1},
        "y contains the unknown label 2; the classes are [0, 1].",
    ),
    "kind of labels": (
        CLASSIFIER,
        {},
        {"y": np.eye(2, dtype=int)[LABELS]},
        f"{{name}} was fitted on labels; y has shape ({N}, 2).",
    ),
    "NaN": (BOTH, {}, {"X": put(X, np.nan)}, "Input X contains NaN."),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("key", RESUMES)
def test_training_goes_on_with_the_same_network_alone(key, method, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", unreachable)
    kinds, params, changes, message = RESUMES[key]
    for kind in kinds:
        estimator = deepcopy(fitted(kind)).set_params(warm_start=True, **params)
        before = dict(vars(estimator))
        data = {"X": X, "y": TARGETS[kind]} | changes
        refused = message.replace("{name}", kind.__name__)
        assert_refused(ValueError, refused, getattr(estimator, method), **data)
        assert same(before, vars(estimator))


FIRST_CALLS = {
    "no classes": (None, "classes must be passed on the first call to partial_fit."),
    "one class": ([0], "needs samples of at least 2 classes, but there is only one"),
    "a class less": ([0, 2], "unknown label 1; the classes are [0, 2]."),
    "others": (["a", "b"], "unknown label 0; the classes are ['a', 'b']."),
}


@pytest.mark.parametrize("key", FIRST_CALLS)
def test_the_first_partial_fit_is_told_all_classes(key):
    classes, message = FIRST_CALLS[key]
    new = GRUClassifier(**TINY)
    before = dict(vars(new))
    assert_refused(ValueError, message, new.partial_fit, X, LABELS, classes=classes)
    assert same(before, vars(new))


def test_a_later_partial_fit_is_told_the_same_classes():
    known = deepcopy(fitted(GRUClassifier))
    message = "`classes=[0, 1, 2]` is not the same as on last call to partial_fit"
    assert_refused(ValueError, message, known.partial_fit, X, LABELS, classes=[0, 1, 2])


# In a pipeline

LOOKBACKS = {
    repr(value): (
        value,
        InvalidParameterError,
        "The 'lookback' parameter of SlidingWindow must be an int in the range "
        f"[1, inf). Got {value!r} instead.",
    )
    for value in (0, -1, 2.5, "3", True, None)
} | {
    repr(value): (
        value,
        ValueError,
        f"lookback={value} needs at least {value} rows but the series has n={N} "
        "samples.",
    )
    for value in (N + 1, 10**9)
}


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("key", LOOKBACKS)
def test_a_bad_lookback_in_a_pipeline_is_refused(estimator, key):
    lookback, error, message = LOOKBACKS[key]
    steps = StandardScaler(), SlidingWindow(lookback=lookback), estimator(**TINY)
    refused = make_pipeline(*steps).fit
    assert_refused(error, message, refused, X[:, 0], TARGETS[estimator])


@pytest.mark.parametrize("estimator", BOTH)
def test_a_pipeline_refuses_weights_without_a_step_and_a_class_as_a_step(estimator):
    series, y = X[:, 0], TARGETS[estimator]
    pipeline = make_pipeline(SlidingWindow(lookback=2), estimator(**TINY))
    message = "Pipeline.fit does not accept the sample_weight parameter."
    assert_refused(ValueError, message, pipeline.fit, series, y, sample_weight=ONES)
    pipeline = make_pipeline(SlidingWindow(lookback=2), estimator)
    message = f"got estimator class instead ({estimator.__name__})."
    assert_refused(TypeError, message, pipeline.fit, series, y)


# Warned about


@pytest.mark.parametrize("estimator", BOTH)
def test_names_in_fit_alone_or_in_predict_alone_are_warned_about(estimator):
    name = estimator.__name__
    with pytest.warns(UserWarning, match=f"valid feature names, but {name} was fitted"):
        fitted(estimator, "frame").predict(FLAT)
    with pytest.warns(UserWarning, match=f"X has feature names, but {name} was fitted"):
        fitted(estimator, "2-D").predict(FRAME)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_column_of_targets_is_warned_about_and_read_as_a_row(estimator, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        column = estimator(**TINY).fit(X, TARGETS[estimator][:, None])
    assert column.predict(X).shape == (N,)
    np.testing.assert_array_equal(column.predict(X), fitted(estimator).predict(X))


BIG = 2**24
ROUNDED = {
    "array": np.full((N, T, F), BIG + 1),
    "2-D": np.full((N, T), -BIG - 1),
    "unsigned": np.full((N, T), BIG + 1, np.uint32),
    "list": np.full((N, T), BIG + 1).tolist(),
    "ragged": [np.full(1 + i % T, BIG + 1) for i in range(N)],
    "frame": FRAME.assign(b=BIG + 1),
    "nullable": FRAME.assign(b=pd.array([BIG + 1] * N, dtype="Int64")),
}
NOT_ROUNDED = {
    "below": np.full((N, T, F), BIG - 1),
    "floats": np.full((N, T, F), BIG * 8.0),
    "frame": FRAME.assign(a=BIG * 8.0, b=BIG - 1),
}


@pytest.mark.parametrize("key", ROUNDED)
def test_integers_that_float32_rounds_are_warned_about(key, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    with pytest.warns(
        UserWarning, match=r"X holds integers from 2\*\*24 = 16777216 on"
    ):
        GRURegressor(**TINY).fit(ROUNDED[key], NUMBERS)


@pytest.mark.parametrize("key", NOT_ROUNDED)
def test_other_large_numbers_are_not_warned_about(key, monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", untrained)
    GRURegressor(**TINY).fit(NOT_ROUNDED[key], NUMBERS)


# Odd, but it works and makes no difference


class ArrayLike:
    """What another library's array may look like."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def read_only(array, path):
    np.save(path / "X.npy", array)
    return np.load(path / "X.npy", mmap_mode="r")


# Numbers that every type can hold.
BITS = (X > 0).astype(np.float32)
BIT_FRAME = pd.DataFrame(BITS[:, :, 0], columns=list("abcd"))
DTYPES = ["?", "i1", "u1", "<i8", ">i4", "<f2", ">f8", "<f8", "g", "O"]
ODD_X = {dtype: lambda X, _, dtype=dtype: X.astype(dtype) for dtype in DTYPES} | {
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "negative strides": lambda X, _: X[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
    "every other": lambda X, _: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": read_only,
    "lists": lambda X, _: X.tolist(),
    "tuples": lambda X, _: tuple(map(tuple, X.tolist())),
    "decimals": lambda X, _: [
        [[Decimal(int(v)) for v in step] for step in x] for x in X
    ],
    "list of arrays": lambda X, _: list(X),
    "list of frames": lambda X, _: [pd.DataFrame(x) for x in X],
    "array of arrays": lambda X, _: np.array([*X, None], dtype=object)[:-1],
    "another library's": lambda X, _: ArrayLike(X),
    "masked, nothing of it": lambda X, _: np.ma.array(X, mask=np.zeros(X.shape, bool)),
}
ODD_FRAMES = {
    dtype: lambda X, dtype=dtype: X.astype(dtype)
    for dtype in ["bool", "boolean", "int8", "Int64", "UInt8", "Float32", "float64"]
} | {
    "objects": lambda X: X.astype(object),
    "categories": lambda X: X.astype("category"),
    "mixed": lambda X: X.astype({"a": "bool", "b": "Int64", "c": "float64"}),
    "with an index": lambda X: X.set_index(pd.Index([f"row {i}" for i in range(N)])),
}


def assert_equal_fits(one, X_one, other, X_other):
    for weight, same_weight in zip(one._weights, other._weights, strict=True):
        np.testing.assert_array_equal(weight, same_weight)
    np.testing.assert_array_equal(one.predict(X_one), other.predict(X_other))
    np.testing.assert_array_equal(one.predict(X_one), one.predict(X_other))


@pytest.mark.parametrize("key", ODD_X)
def test_an_odd_array_makes_no_difference(key, tmp_path):
    odd = ODD_X[key](BITS, tmp_path)
    plain = GRURegressor(**TINY).fit(BITS, NUMBERS)
    assert_equal_fits(plain, BITS, GRURegressor(**TINY).fit(odd, NUMBERS), odd)


@pytest.mark.parametrize("key", ODD_FRAMES)
def test_an_odd_frame_makes_no_difference(key):
    odd = ODD_FRAMES[key](BIT_FRAME)
    plain = GRUClassifier(**TINY).fit(BIT_FRAME, LABELS)
    assert_equal_fits(plain, BIT_FRAME, GRUClassifier(**TINY).fit(odd, LABELS), odd)


UNTOUCHED = {
    "float32": X.astype("f4"),
    "float64": X,
    "2-D": FLAT,
    "windows": np.lib.stride_tricks.sliding_window_view(np.ones((N + 3, 2)), 4, axis=0),
    "ragged": RAGGED,
    "frame": FRAME,
    "ids": IDS,
    "32-bit ids": IDS.astype("i4"),
}


def contents(data):
    arrays = data if isinstance(data, list) else [np.asarray(data)]
    return [(array.dtype, array.tobytes()) for array in arrays]


@pytest.mark.parametrize("key", UNTOUCHED)
def test_nothing_that_is_passed_is_changed(key):
    data = UNTOUCHED[key], NUMBERS.astype("f4"), LABELS * 1.0
    before = [contents(each) for each in data]
    params = TINY | (TOKENS if "ids" in key else {})
    estimator = GRURegressor(**params).fit(*data)
    estimator.predict(data[0])
    estimator.transform(data[0])
    estimator.score(*data)
    assert [contents(each) for each in data] == before


ODD_LABELS = {
    "0 and 2": np.array([0, 2]),
    "-1 and 1": np.array([-1, 1]),
    "floats": np.array([1.0, 2.0]),
    "bools": np.array([False, True]),
    "unsigned": np.array([3, 250], np.uint8),
    "strings": np.array(["no", "yes, indeed"]),
}
CONTAINERS = {
    "array": lambda y: y,
    "list": list,
    "objects": lambda y: np.array(y.tolist(), object),
    "Series": pd.Series,
    "Categorical": pd.Categorical,
    "nullable": lambda y: pd.Series(pd.array(y)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("key", ODD_LABELS)
def test_odd_labels_come_back_as_they_went_in(key, container):
    classes = ODD_LABELS[key]
    plain = GRUClassifier(**TINY).fit(X, LABELS)
    odd = GRUClassifier(**TINY).fit(X, CONTAINERS[container](classes[LABELS]))
    assert odd.classes_.tolist() == classes.tolist()
    assert type(odd.classes_.tolist()[0]) is type(classes.tolist()[0])
    assert odd.predict(X).tolist() == classes[plain.predict(X)].tolist()
    np.testing.assert_array_equal(odd.predict_proba(X), plain.predict_proba(X))


CONSTANTS = [0.0, 0.1, -1e-12, 1e9 + 0.1, 1e300, np.float32(0.1)]


@pytest.mark.parametrize("value", CONSTANTS)
def test_a_constant_target_is_predicted_exactly(value):
    constant = GRURegressor(**TINY).fit(X, np.full(N, value))
    np.testing.assert_array_equal(constant.predict(X), np.full(N, value))
    # Once it varies, so does what is predicted.
    later = constant.set_params(warm_start=True).fit(X, value + NUMBERS)
    assert np.ptp(later.predict(X)) > 0 or value > 1e100


def test_a_constant_among_targets_is_predicted_exactly():
    y = np.column_stack([NUMBERS, np.full(N, 0.1)])
    predicted = GRURegressor(**TINY).fit(X, y).predict(X)
    np.testing.assert_array_equal(predicted[:, 1], y[:, 1])
    assert np.ptp(predicted[:, 0]) > 0


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 1e9), (1e6, 1e9), (1e300, 0), (1e-300, 0), (1e-9, 1)]
)
def test_the_unit_of_a_target_makes_no_difference(scale, offset):
    plain = GRURegressor(**TINY).fit(X, NUMBERS)
    other = GRURegressor(**TINY).fit(X, scale * NUMBERS + offset)
    back = (other.predict(X) - offset) / scale
    np.testing.assert_allclose(back, plain.predict(X), rtol=1e-4, atol=1e-4)


def test_a_batch_may_be_larger_than_the_data():
    whole = GRURegressor(**TINY, batch_size=N).fit(X, NUMBERS)
    larger = GRURegressor(**TINY, batch_size=10**9).fit(X, NUMBERS)
    assert_equal_fits(whole, X, larger, X)


@pytest.mark.parametrize("estimator", BOTH)
def test_other_lengths_and_forms_are_predicted(estimator):
    known = fitted(estimator)
    assert known.predict(np.ones((3, 9, F))).shape == (3,)
    np.testing.assert_array_equal(known.predict(list(X)), known.predict(X))
    np.testing.assert_allclose(known.predict(X[:1]), known.predict(X)[:1])
    univariate = fitted(estimator, "2-D")
    expected = univariate.predict(FLAT)
    np.testing.assert_array_equal(univariate.predict(FLAT[:, :, None]), expected)
    np.testing.assert_array_equal(univariate.predict(list(FLAT)), expected)


def test_weights_of_classes_and_of_sequences_are_multiplied():
    weights = np.linspace(0.5, 2, N)
    both = GRUClassifier(**TINY, class_weight={0: 3})
    both.fit(X, LABELS, sample_weight=weights)
    weights = weights * np.where(LABELS == 0, 3, 1)
    product = GRUClassifier(**TINY).fit(X, LABELS, sample_weight=weights)
    assert_equal_fits(both, X, product, X)


def test_a_weight_counts_for_every_step_of_its_sequence():
    each = GRURegressor(**TINY, return_sequences=True)
    weights = np.where(LABELS, 1.0, 0.0)
    weighted = deepcopy(each).fit(X, FLAT, sample_weight=5 * weights)
    assert weighted.predict(X).shape == FLAT.shape
    alone = each.fit(X[LABELS == 1], FLAT[LABELS == 1])
    np.testing.assert_allclose(weighted.predict(X), alone.predict(X), atol=1e-6)


def test_a_rare_class_is_never_held_out_altogether():
    strata = np.array([0] * 30 + [1])
    for seed in range(20):
        training, validation = hold_out(31, 0.5, strata, seed)
        assert 30 in training
        assert len(training) + len(validation) == 31
        assert len(validation) in (15, 16)
