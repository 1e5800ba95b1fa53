"""X, y and groups of every accepted form become the same panel of numbers."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning

from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.panels import read_panel

DAYS = pd.date_range("2024-01-01", periods=12, name="day")
VALUES = np.arange(12.0)
TWO = pd.MultiIndex.from_product([["b", "a"], DAYS[:6]], names=["shop", "day"])


def read(X=None, y=None, groups=None, **options):
    return read_panel(X, y, groups, FeatureOptions(**options))


def test_an_array_is_one_series_without_labels():
    panel, columns = read(y=VALUES)
    assert_array_equal(panel.y, VALUES[:, None])
    assert_array_equal(panel.lengths, [12])
    assert panel.known.shape == panel.past.shape == (12, 0)
    assert panel.keys is None
    assert panel.labels is None
    assert panel.places is None
    assert columns.frequency is None
    assert columns.calendar == ()
    assert columns.target.is_flat
    assert columns.target.container == "numpy"


@pytest.mark.parametrize(
    "y",
    [
        VALUES.tolist(),
        VALUES.astype(np.int32),
        VALUES.astype(object),
        pd.Series(VALUES, dtype="Float64"),
        pl.Series(VALUES),
        pa.array(VALUES),
        pd.Series(VALUES, index=DAYS),
        pd.Series(VALUES, index=DAYS.to_period()),
    ],
    ids=str,
)
def test_every_form_of_y_gives_the_same_numbers(y):
    panel, _ = read(y=y)
    assert panel.y.dtype == np.float64
    assert_array_equal(panel.y, VALUES[:, None])


def test_missing_values_become_nan():
    some = [1.0, None, 3.0]
    for y in (pd.Series(some), pd.Series([1, None, 3], dtype="Int64"), pl.Series(some)):
        assert_array_equal(read(y=y)[0].y, [[1], [np.nan], [3]])


def test_the_panel_does_not_change_with_the_array_of_the_user():
    y = VALUES.copy()
    panel, _ = read(y=y)
    y[:] = -1
    assert_array_equal(panel.y, VALUES[:, None])


def test_several_targets_keep_their_names():
    frame = pd.DataFrame({"u": VALUES, "v": -VALUES}, index=DAYS)
    for y in (frame, pl.DataFrame(frame.to_dict("list"))):
        panel, columns = read(y=y)
        assert_array_equal(panel.y, frame)
        assert columns.target.n_targets == 2
        assert columns.target.names == ("u", "v")


def test_a_column_vector_is_one_target_and_warned_about():
    with pytest.warns(DataConversionWarning):
        panel, columns = read(y=VALUES[:, None])
    assert panel.y.shape == (12, 1)
    assert columns.target.is_flat


@pytest.mark.parametrize("y", [VALUES, pd.Series(VALUES, index=TWO)], ids=["array", ""])
@pytest.mark.parametrize("order", [slice(None), np.argsort(np.arange(12) % 6)])
def test_a_panel_is_sorted_by_series(y, order):
    X = pd.DataFrame({"x": VALUES}, index=TWO)
    y = y.iloc[order] if hasattr(y, "iloc") else y[order]
    panel, columns = read(X.iloc[order], y)
    assert panel.keys == ["b", "a"]
    assert_array_equal(panel.y.ravel(), VALUES)
    assert (np.diff(panel.known[:, 0]) > 0).all()
    assert_array_equal(panel.labels.index, TWO.get_level_values(1))
    assert panel.rows_of(1) == slice(6, 12)
    assert columns.index_names == ("shop", "day")
    places = np.arange(12) if panel.places is None else panel.places
    assert_array_equal(VALUES[places], VALUES[order])


def groups_of(kind):
    """Return X, y and groups of the same two series, told in several ways."""
    shop, day = TWO.get_level_values(0), TWO.get_level_values(1)
    table = {"shop": list(shop), "x": VALUES}
    return {
        "levels": (pd.DataFrame({"x": VALUES}, index=TWO), None),
        "column": (pd.DataFrame(table, index=day), "shop"),
        "categories": (pd.DataFrame(table, index=day).astype("category"), "shop"),
        "array": (pd.DataFrame({"x": VALUES}, index=day), shop.to_numpy()),
        "times and groups": (pd.DataFrame({**table, "day": day}), "shop"),
        "polars": (pl.DataFrame({**table, "day": day.to_pydatetime()}), "shop"),
        "pyarrow": (pa.table({**table, "day": day.to_pydatetime()}), "shop"),
    }[kind]


KINDS = [
    "levels",
    "column",
    "categories",
    "array",
    "times and groups",
    "polars",
    "pyarrow",
]


@pytest.mark.parametrize("kind", KINDS)
def test_series_and_times_are_told_in_every_way(kind):
    X, groups = groups_of(kind)
    panel, columns = read(X, VALUES, groups)
    assert panel.keys == ["b", "a"]
    assert_array_equal(panel.lengths, [6, 6])
    assert columns.frequency.name == "D"
    assert panel.labels.index.equals(TWO.get_level_values(1))
    assert [feature.label for feature in columns.future] == ["x"]
    assert columns.index_names[-1] == "day"


def test_rows_counted_over_all_series_have_no_frequency():
    X = pd.DataFrame({"shop": ["b"] * 6 + ["a"] * 6})
    panel, columns = read(X, VALUES, "shop")
    assert columns.frequency is None
    assert_array_equal(panel.labels.index, np.arange(12))


def test_the_index_of_y_counts_where_x_has_none():
    panel, columns = read(VALUES[:, None], pd.Series(VALUES, index=DAYS))
    assert panel.labels.index.equals(DAYS)
    assert columns.frequency.name == "D"


@pytest.mark.parametrize("X", [DAYS, pd.DataFrame(index=DAYS)], ids=["index", "frame"])
def test_x_may_be_an_index_alone(X):
    panel, columns = read(X, VALUES)
    assert panel.labels.index.equals(DAYS)
    assert columns.n_columns == 0
    assert columns.index_names == ("day",)


def test_rows_before_the_first_value_are_left_out():
    y = pd.Series(VALUES, index=TWO)
    y.iloc[[0, 1, 3, 6, 11]] = np.nan
    X = pd.DataFrame({"x": VALUES}, index=TWO)
    panel, columns = read(X, y)
    kept = [2, 3, 4, 5, 7, 8, 9, 10, 11]
    assert_array_equal(panel.lengths, [4, 5])
    assert_array_equal(panel.y.ravel(), y.to_numpy()[kept])
    assert_array_equal(panel.labels.index, TWO.get_level_values(1)[kept])
    assert_array_equal(panel.places, [-1, -1, 0, 1, 2, 3, -1, 4, 5, 6, 7, 8])
    # What is learned of a column is learned of these rows.
    assert columns.future[0].mean == pytest.approx(np.mean(VALUES[kept]))
    assert_allclose(panel.known[:, 0].mean(), 0, atol=1e-6)


def test_of_several_targets_the_first_row_has_them_all():
    y = np.column_stack([VALUES, VALUES])
    y[:3, 0], y[4, 1] = np.nan, np.nan
    panel, _ = read(y=y)
    assert_array_equal(panel.y, y[3:])


def test_what_was_learned_can_be_pickled():
    X = pd.DataFrame({"x": VALUES, "c": list("uvw") * 4}, index=TWO)
    panel, columns = read(X, VALUES)
    again, learned = pickle.loads(pickle.dumps((panel, columns)))
    assert learned == columns
    assert_array_equal(again.known, panel.known)
    assert again.called(1) == "series 'a'"
