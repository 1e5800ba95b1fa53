"""What no Forecaster can read: one clear error each, a row in a table."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.later import (
    ahead_of,
    read_ahead,
    read_history,
    read_more,
)
from skrnn._estimators.forecasting.reading.panels import read_panel

DAYS = pd.date_range("2020-01-01", periods=60)
VALUES = np.arange(60.0)
X = pd.DataFrame({"a": VALUES**2, "c": list("uvw") * 20}, index=DAYS)
Y = pd.Series(VALUES, index=DAYS)
PANEL = pd.MultiIndex.from_product([["A", "B"], DAYS[:30]], names=["id", "t"])
OF_PANEL = pd.Series(VALUES, index=PANEL)


def changed(data, row, value):
    data = data.copy()
    data.iloc[row] = value
    return data


def with_column(values):
    return X[["a"]].assign(c=values)


ZONES = pd.Index(
    [
        pd.Timestamp("2020-01-01", tz="UTC"),
        pd.Timestamp("2020-01-02", tz="Europe/Berlin"),
        pd.Timestamp("2020-01-03", tz="UTC"),
    ],
    dtype=object,
)
IRREGULAR = DAYS[0] + pd.to_timedelta(np.cumsum(np.arange(60) % 7 + 1), unit="min")

# What is wrong -> X, y, groups, options of fit, and the error in parts.
BAD_FITS = {
    "unsorted": (None, Y[::-1], None, {}, "not in time order", "Sort"),
    "twice": (None, pd.concat([Y, Y]), None, {}, "more than once", "groups"),
    "no time": (None, Y.set_axis([pd.NaT, *DAYS[1:]]), None, {}, "NaT in row 0"),
    "gap": (
        *(None, Y.drop(DAYS[5]), None, {}),
        "2020-01-06 is missing between row 4, 2020-01-05, and row 5, 2020-01-07",
        "y.asfreq('D')",
        "y.reset_index(drop=True)",
    ),
    "gap in a panel": (
        *(None, OF_PANEL.drop(("B", DAYS[5])), None, {}),
        "2020-01-06 is missing between row 34",
        "in series 'B'",
    ),
    "gap in numbers": (
        *(None, pd.Series(VALUES).drop(5), None, {}),
        "5 is missing between row 4, 4, and row 5, 6",
        "y.reset_index(drop=True)",
    ),
    "gap in periods": (
        *(None, Y.to_period("D").drop(pd.Period("2020-01-06", "D")), None, {}),
        "2020-01-06 is missing",
        "y.resample('D').asfreq()",
    ),
    "irregular": (
        *(None, Y.set_axis(IRREGULAR), None, {}),
        "no regular frequency: 2020-01-01 00:01:00, 2020-01-01 00:03:00",
        'y.resample("D").mean()',
    ),
    "time zones": (
        *(None, pd.Series([1.0, 2, 3], ZONES), None, {}),
        "several time zones, Europe/Berlin, UTC",
    ),
    "lengths": (X[:50], Y, None, {}, "inconsistent numbers of samples: [50, 60]"),
    "other index": (
        *(X, Y.shift(1, "h"), None, {}),
        "row 0 is 2020-01-01 in X and 2020-01-01 01:00:00 in y",
        "y.to_numpy()",
    ),
    "length of groups": (None, VALUES, np.zeros(50), {}, "groups has shape (50,)"),
    "unknown group": (X, Y, "shop", {}, "groups is 'shop'", "['a', 'c']"),
    "all missing": (None, VALUES * np.nan, None, {}, "y is NaN throughout"),
    "series all missing": (
        *(None, OF_PANEL.mask(OF_PANEL >= 30), None, {}),
        "y of series 'B' is NaN throughout",
    ),
    "target all missing": (
        *(None, pd.DataFrame({"u": Y, "v": np.nan}), None, {}),
        "Column 'v' of y is NaN throughout",
    ),
    "targets never together": (
        *(None, np.column_stack([[1, np.nan], [np.nan, 1]]), None, {}),
        "no row in which every target has a value",
    ),
    "infinite y": (None, changed(Y, 3, np.inf), None, {}, "Input y contains infinity"),
    "infinite X": (
        *(changed(X[["a"]], 3, np.inf), Y, None, {}),
        "Input X contains infinity",
        "column 'a' in row 3",
    ),
    "missing in X": (
        *(changed(X[["a"]], 3, np.nan), Y, None, {}),
        "Input X contains NaN",
        "column 'a' has one in row 3",
        'impute="last"',
    ),
    "missing category": (
        *(changed(X, 3, None)[["c"]], Y, None, {}),
        "column 'c' has one in row 3",
    ),
    "mixed objects": (
        *(with_column(pd.Series(["u", 3] * 30, DAYS, dtype=object)), Y, None, {}),
        "Column 'c' of X holds 3 of type int, and strings",
    ),
    "texts": (
        *(with_column([f"text {i}" for i in range(60)]), Y, None, {}),
        "Column 'c' of X has 60 categories; expected at most 50",
        "TargetEncoder does. Dates as text belong in the index, by pandas.to_datetime.",
    ),
    "times as a feature": (with_column(DAYS), Y, None, {}, "'c' of X holds times"),
    "durations as a feature": (
        *(with_column(DAYS - DAYS[0]), Y, None, {}),
        "Column 'c' of X holds",
    ),
    "two columns of times": (
        *(pl.DataFrame({"a": list(DAYS), "b": list(DAYS)}), VALUES, None, {}),
        "'a' of X holds times",
    ),
    "no rows": (X[:0], Y[:0], None, {}, "y is empty", "minimum of 1"),
    "no y": (X, None, None, {}, "requires y to be passed", "write fit(None, y)"),
    "words as y": (X, ["a"] * 60, None, {}, "could not convert string to float"),
    "y of dates": (None, DAYS, None, {}, "y has dtype datetime64"),
    "y in blocks": (X, np.zeros((60, 2, 2)), None, {}, "shape (60, 2, 2)"),
    "one-dimensional X": (VALUES, VALUES, None, {}, "write fit(None, y)", "Reshape"),
    "a Series as X": (Y, Y, None, {}, "write fit(None, y)", "X.to_frame()"),
    "a list as X": ([*VALUES], Y, None, {}, "write fit(None, y)"),
    "list of frames": ([X, X], Y, None, {}, "X is a list of 2 series"),
    "columns of one name": (
        *(pd.concat([X, X], axis=1), Y, None, {}),
        "more than one column named 'a'",
    ),
    "unknown feature": (
        *(X, Y, None, {"past_features": ["z"]}),
        "past_features names 'z'",
        "['a', 'c']",
    ),
    "feature named twice": (
        *(X, Y, None, {"past_features": ["a"], "future_features": ["a"]}),
        "'a' of X is named more than once",
    ),
    "group as a feature": (
        *(X.reset_index(drop=True), VALUES, "c", {"past_features": ["c"]}),
        "past_features names 'c', the column of the series",
    ),
    "static that changes": (
        *(X, Y, None, {"static_features": ["a"]}),
        "'a' of X is one of static_features, but changes within X",
    ),
    "static that changes in a series": (
        *(X.set_axis(PANEL), VALUES, None, {"static_features": ["c"]}),
        "changes within series 'A'",
    ),
    "unknown cycle": (None, Y, None, {"calendar": ("hours",)}, "'hours'", "weekend"),
    "no calendar": (
        *(None, VALUES, None, {"calendar": ("weekend",)}),
        "calendar=('weekend',) needs rows with a DatetimeIndex",
    ),
}


@pytest.mark.parametrize("case", BAD_FITS)
def test_fit_refuses(case):
    data, y, groups, options, *parts = BAD_FITS[case]
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        read_panel(data, y, groups, FeatureOptions(**options))
    assert [part for part in parts if part not in str(caught.value)] == []


FITTED = read_panel(X[:50], Y[:50], None, FeatureOptions())
EARLY = OF_PANEL[PANEL.get_level_values(1) < DAYS[20]]
OF_TWO = read_panel(None, EARLY, None, FeatureOptions())
LATE = pd.DataFrame(index=PANEL[PANEL.get_level_values(1) >= DAYS[20]])
GAP = read_panel(X[:50], Y[:50], None, FeatureOptions(gap=2))

# What is wrong -> what was fitted, a call, and the error in parts.
BAD_LATER = {
    "rows of training": (
        *(FITTED, lambda p, c: read_ahead(X[:50], None, p, c)),
        "they start at 2020-01-01, expected 2020-02-20",
        "fitted_values()",
    ),
    "rows left out": (
        *(FITTED, lambda p, c: read_ahead(X[51:], None, p, c)),
        "end at 2020-02-19; they start at 2020-02-21, expected 2020-02-20",
    ),
    "rows in the gap": (
        *(GAP, lambda p, c: read_ahead(X[50:], None, p, c)),
        "expected 2020-02-22, 2 rows after it (gap=2)",
    ),
    "gap in the rows": (
        *(FITTED, lambda p, c: read_ahead(X[50:].drop(DAYS[52]), None, p, c)),
        "2020-02-22 is missing",
        "Expected a row for each step",
    ),
    "missing column": (
        *(FITTED, lambda p, c: read_ahead(X[50:][["c"]], None, p, c)),
        "yet now missing:\n- a",
    ),
    "other order of columns": (
        *(FITTED, lambda p, c: read_ahead(X[50:][["c", "a"]], None, p, c)),
        "same order as they were in fit",
    ),
    "unknown column": (
        *(FITTED, lambda p, c: read_ahead(X[50:].assign(z=1), None, p, c)),
        "unseen at fit time:\n- z",
    ),
    "number of columns": (
        *(FITTED, lambda p, c: read_ahead(np.zeros((4, 3)), None, p, c)),
        "X has 3 features, but Forecaster is expecting 2 features as input",
    ),
    "columns that fit hadn't": (
        *(OF_TWO, lambda p, c: read_ahead(np.zeros((4, 3)), None, p, c)),
        "expecting 0 features as input. fit had no X",
    ),
    "time zone": (
        *(FITTED, lambda p, c: read_ahead(X[50:].tz_localize("UTC"), None, p, c)),
        "holds times with a time zone, but that of fit held times without",
    ),
    "numbers for times": (
        *(FITTED, lambda p, c: read_ahead(X[50:].reset_index(drop=True), None, p, c)),
        "holds numbers, but that of fit held times",
    ),
    "no rows": (FITTED, lambda p, c: read_ahead(X[:0], None, p, c), "X is empty"),
    "no X": (FITTED, lambda p, c: read_ahead(None, None, p, c), "X is None"),
    "words for numbers": (
        *(FITTED, lambda p, c: read_ahead(X[50:].assign(a="x"), None, p, c)),
        "Column 'a' of X",
    ),
    "unknown series": (
        *(OF_TWO, lambda p, c: read_ahead(LATE.rename({"B": "Z"}), None, p, c)),
        "X has series 'Z', which fit hadn't; it had 'A', 'B'.",
        "history",
    ),
    "no series": (
        *(OF_TWO, lambda p, c: read_ahead(DAYS[20:], None, p, c)),
        "fit had 2 series",
        "groups",
    ),
    "series of one": (
        *(FITTED, lambda p, c: read_ahead(X[:20], ["A"] * 10 + ["B"] * 10, p, c)),
        "X has 2 series with names, but fit had one without",
    ),
    "one series doesn't follow": (
        *(
            OF_TWO,
            lambda p, c: read_ahead(LATE[:15].iloc[[*range(10), 13]], None, p, c),
        ),
        "The rows of series 'B' in X must follow",
    ),
    "forecast without X": (
        *(FITTED, lambda p, c: ahead_of(3, p, c)),
        "forecast needs X: fit had the columns ['a', 'c']",
        "past_features",
    ),
    "forecast past X": (
        *(FITTED, lambda p, c: ahead_of(12, p, c, X[50:])),
        "X has 10 rows, but 12 steps",
    ),
    "update that left out rows": (
        *(FITTED, lambda p, c: read_more(X[52:], Y[52:], None, p, c)),
        "expected 2020-02-20",
    ),
    "update with known rows": (
        *(FITTED, lambda p, c: read_more(X[45:], Y[45:], None, p, c)),
        "they start at 2020-02-15",
    ),
    "update without X": (
        *(FITTED, lambda p, c: read_more(None, Y[50:], None, p, c)),
        "X is None, but fit had the columns ['a', 'c']",
    ),
    "update with other targets": (
        *(FITTED, lambda p, c: read_more(X[50:], np.ones((10, 2)), None, p, c)),
        "y has 2 targets, but Forecaster was fitted with 1",
    ),
    "history without X": (
        *(FITTED, lambda p, c: read_history(Y, c)),
        "history has no X, but fit had columns ['a', 'c']",
    ),
    "history with a gap": (
        *(FITTED, lambda p, c: read_history((X.drop(DAYS[5]), Y.drop(DAYS[5])), c)),
        "2020-01-06 is missing",
    ),
    "history of other dates": (
        *(OF_TWO, lambda p, c: read_history(Y.asfreq("2D"), c)),
        "goes on in steps of D, but 2020-01-02 is missing",
    ),
    "history without dates": (
        *(OF_TWO, lambda p, c: read_history(VALUES, c)),
        "history has no index",
    ),
}


@pytest.mark.parametrize("case", BAD_LATER)
def test_later_rows_are_refused(case):
    (panel, columns), call, *parts = BAD_LATER[case]
    before = panel.y.copy(), panel.known.copy()
    with pytest.raises(ValueError, match=re.escape(parts[0])) as caught:
        call(panel, columns)
    assert [part for part in parts if part not in str(caught.value)] == []
    np.testing.assert_array_equal(panel.y, before[0])
    np.testing.assert_array_equal(panel.known, before[1])
