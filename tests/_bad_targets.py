"""What y and weights can't be, with what is said of it."""

from datetime import date

import numpy as np
import pandas as pd
from _bad_input import (
    COMPLEX,
    COUNTS,
    EACH_STEP,
    FLAT,
    IDS,
    LABELS,
    MASKED,
    NO_STRINGS,
    NO_TIMES,
    NO_Y,
    NUMBERS,
    ONES,
    RAGGED,
    RAGGED_STEPS,
    STEPS,
    TAKE_A_CLASSIFIER,
    N,
    T,
    X,
    labels_of,
    put,
    say,
    swap,
)
from scipy import sparse

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
    "strings": (ValueError, say(TAKE_A_CLASSIFIER, what="y has dtype <U1"), ["a"] * N),
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
