"""Parameters for fuzzing: drawn from the constraints of a class, valid or not."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils._param_validation import StrOptions, make_constraint

from skrnn._estimators.names import Names
from skrnn._sklearn import (
    Count,
    Counts,
    Function,
    HasMethods,
    Instance,
    Instances,
    Interval,
    Options,
    Schedule,
    Share,
    Vectors,
)

# What hardly any parameter may be, and what looks as if it could be one.
ODD = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        2,
        -1,
        2.5,
        1.0,
        np.nan,
        np.inf,
        -np.inf,
        1e300,
        1e-300,
        "",
        "x",
        "auto",
        "\ud800",
        b"x",
        (),
        [],
        {},
        {"a": 1},
        [0],
        [1, 2],
        (2, -1),
        (2, 2.5),
        [None],
        [np.nan],
        (True,),
        object(),
        int,
        len,
        np.array([1, 2]),
        np.array([]),
        np.array("a"),
        np.array(3),
        np.float32(0.5),
        np.int8(3),
        np.bool_(True),
        1j,
        Decimal("1.5"),
        Fraction(1, 2),
        range(3),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT"),
        np.ma.masked,
        pd.Series([1, 2]),
        set(),
        {3},
        [[1], [2, 3]],
        sparse.eye_array(2),
        np.matrix([[1]]),
        slice(3),
        Ellipsis,
        pd.DataFrame({"a": [1]}),
        np.array([["a"]]),
        [[]],
        "linear",
        "none",
    ]
)

# Parameters whose large values take neither time nor memory.
UNBOUNDED = {
    "batch_size",
    "patience",
    "lookback",
    "min_df",
    "max_df",
    "max_features",
    "min_count",
    "units",
    "dense_units",
    "embedding_dim",
    "latent_dim",
    "gap",
    "difference",
    "sampling_rate",
    "horizon",
    "seasonal_periods",
    "n_windows",
    "verbose",
    "calibration_size",
    "scored_steps",
}
COUNTS = [1, 2, 3, np.int64(2), np.uint8(3), np.int8(2)]
# Sums and products of them are more than their types hold.
SMALL_TYPES = [np.uint8(200), np.int8(127)]
POSITIVE = [
    1e-3,
    1,
    0.5,
    np.float32(0.1),
    1e-300,
    5e-324,
    1e30,
    1e308,
    2**70,
    Fraction(1, 3),
]


def of_constraint(name, constraint):
    """Return a strategy of what a constraint allows, or None if there is none here."""
    least = getattr(constraint, "left", None)
    if isinstance(constraint, Counts):
        counts = st.sampled_from([c for c in COUNTS if c >= least] or [least])
        shortest = constraint.length or int(not constraint.empty)
        made = st.lists(counts, min_size=shortest, max_size=constraint.length or 2)
        return st.one_of(made, made.map(tuple))
    if isinstance(constraint, Count):
        large = [10**20, 2**31, 2**63 - 1, *SMALL_TYPES]
        large = large if name in UNBOUNDED else []
        return st.sampled_from([least, *[c for c in COUNTS if c >= least], *large])
    if isinstance(constraint, Share):
        return st.sampled_from([0.2, 0.5, 0.999, 1e-300, np.float32(0.3)])
    if isinstance(constraint, Vectors):
        tables = [
            np.eye(4)[:, :2],
            np.ones((4, 2), "f4"),
            np.array([[1.0, np.nan]] * 4),
        ]
        dicts = [{"a": [1.0, 2.0], "cat": [0.0, 1.0]}, {"a": [1.0]}, {}]
        return st.sampled_from([*tables, np.zeros((0, 2)), np.zeros((4, 0)), *dicts])
    if isinstance(constraint, Instance | Instances | Function | Schedule | HasMethods):
        # They need Keras, or are given by name below.
        return None
    if isinstance(constraint, Names):
        return st.sampled_from(sorted(constraint.options))
    if isinstance(constraint, StrOptions | Options):
        return st.sampled_from(sorted(constraint.options, key=str))
    if isinstance(constraint, Interval):
        inside = [v for v in [*POSITIVE, 0, 1, -1, 0.3, 2, 5] if _is_in(constraint, v)]
        return st.sampled_from(inside) if inside else None
    return _of_simple(constraint)


def _is_in(constraint, value):
    try:
        return constraint.is_satisfied_by(value)
    except TypeError:
        return False


def _of_simple(constraint):
    text = str(constraint)
    if "bool" in text and "int in" not in text:
        return st.sampled_from([True, False, np.True_])
    if "RandomState" in text:
        return st.sampled_from([0, 1, 2**32 - 1, np.random.RandomState(0), np.int16(4)])
    if text == "None":
        return st.none()
    if "int in the range [0" in text:
        return st.sampled_from([0, 1, 2, True])
    if "array-like" in text:
        return st.sampled_from(
            [
                [0],
                ["a"],
                ["c0"],
                [0.1, 0.5, 0.9],
                (0.5,),
                [0.9, 0.1],
                [],
                [0, 0],
                [5],
                np.array([0.25]),
                ["month"],
                ["hour", "day_of_week"],
                [-1],
                [True],
                "c0",
                [[0.1]],
                [np.nan],
                [None],
                pd.Index(["c0"]),
            ]
        )
    if "dict" in text:
        return st.sampled_from(
            [
                {0: 1, 1: 2.5},
                {0: 0, 1: 0},
                {},
                {"a": 1},
                {0: -1},
                {0: np.nan},
                {0: 1e300},
                {0: 1e-320, 1: 1},
                {0: "x"},
                {True: 2},
                {0: None},
            ]
        )
    if "list" in text or "tuple" in text:
        return st.sampled_from(
            [
                [],
                ["lower"],
                ("lower", "suffix2"),
                [{0: 1, 1: 2}],
                ["prefix0"],
                [1],
                ["x"],
                ("lower", "lower"),
                [None],
                [2.5],
                [-1],
                ["suffix999999999999"],
            ]
        )
    if "'str'" in text:
        return st.sampled_from(
            ["", ".", r"(?u)\b\w+\b", "(", r"(a)(b)", "(?P<x>a)", "a*"]
        )
    return None


def parameters(cls, names, given=None):
    """Draw a dict of a few parameters; `given` has strategies of what needs more."""
    given = given or {}
    constraints = cls._parameter_constraints

    @st.composite
    def draw_some(draw):
        chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        return {name: draw(_value(name)) for name in chosen}

    def _value(name):
        allowed = constraints.get(name, [])
        allowed = [] if isinstance(allowed, str) else allowed
        valid = [of_constraint(name, make_constraint(each)) for each in allowed]
        valid = [each for each in [*valid, given.get(name)] if each is not None]
        # One in four or so isn't valid.
        return st.one_of(*valid * 3, ODD)

    return draw_some()
