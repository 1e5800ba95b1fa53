"""What X can't be, with what is said of it: sequences and token ids."""

import numpy as np
import pandas as pd
from _bad_input import (
    AN_ARRAY,
    CHANNELS,
    COMPLEX,
    FLAT,
    FRAME,
    IDS,
    IN_A_LIST,
    MASKED,
    NO_STRINGS,
    NO_TIMES,
    NUMBERS,
    RAGGED,
    READ_WORDS,
    REQUIRED,
    TOO_LARGE,
    F,
    N,
    T,
    X,
    labels_of,
    put,
    say,
    swap,
)
from scipy import sparse

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
        "Input X contains NaN.\n{name} does not accept missing values: fill them, as "
        "SequenceWise(SimpleImputer()) before it does",
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
        say(READ_WORDS, what="X has dtype <U7"),
        labels_of("the cat", "a dog"),
    ),
    "lists of strings": (
        ValueError,
        say(READ_WORDS, what="X[0] has dtype <U1"),
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
