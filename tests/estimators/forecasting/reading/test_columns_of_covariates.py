"""Columns of every type and library become the same channels."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn._estimators.forecasting.reading.columns import FeatureOptions, events_of
from skrnn._estimators.forecasting.reading.panels import read_panel

DATA = {
    "number": [1.0, None, 3.0, 8.0] * 5,
    "count": [1, 2, 3, 4] * 5,
    "flag": [True, None, False, False] * 5,
    "kind": ["u", None, "v", "u"] * 5,
}
VALUES = np.arange(20.0)
FRAMES = {
    "pandas": pd.DataFrame(DATA),
    "nullable": pd.DataFrame(DATA).convert_dtypes(),
    "pandas with arrow": pd.DataFrame(DATA).convert_dtypes(dtype_backend="pyarrow"),
    "categories": pd.DataFrame(DATA).astype({"kind": "category"}),
    "polars": pl.DataFrame(DATA),
    "polars' categories": pl.DataFrame(DATA, schema_overrides={"kind": pl.Categorical}),
    "pyarrow": pa.table(DATA),
    "a batch": pa.RecordBatch.from_pydict(DATA),
    "a dictionary": pa.table(
        {**DATA, "kind": pa.array(DATA["kind"]).dictionary_encode()}
    ),
}


def read(X, y=VALUES, groups=None, **options):
    return read_panel(X, y, groups, FeatureOptions(**options))


@pytest.mark.parametrize("library", FRAMES)
def test_every_library_gives_the_same_channels(library):
    panel, columns = read(FRAMES[library], impute="mean")
    assert [f.kind for f in columns.future] == ["number", "number", "flag", "category"]
    assert columns.known_names == ("number", "count", "flag", "kind=u", "kind=v")
    assert panel.known.dtype == np.float32
    number = np.array([1, 4, 3, 8.0])
    number = (number - 4) / np.std([1, 3, 8])
    count = (np.arange(1, 5) - 2.5) / np.std([1, 2, 3, 4])
    expected = [number, count, [1, 1 / 3, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]]
    assert_allclose(panel.known[:4], np.transpose(expected), rtol=1e-6, atol=1e-7)


def test_numbers_far_from_zero_keep_their_differences():
    since_1970 = 1.7e9 + np.arange(20.0)
    panel, _ = read(since_1970[:, None])
    assert_allclose(panel.known.std(), 1, rtol=1e-5)
    assert_allclose(np.diff(panel.known[:, 0]), 1 / np.std(np.arange(20)), rtol=1e-4)


def test_a_constant_column_is_zero_now_and_later():
    panel, columns = read(np.full((20, 1), 0.1))
    assert_array_equal(panel.known, 0)
    assert columns.future[0].factor == 0


def test_rare_events_are_flags_as_zeros_and_ones():
    rare = VALUES % 10 == 3
    often = VALUES % 2 == 0
    given = pd.DataFrame({"bool": rare, "int": rare * 1, "float": rare * 1.0})
    given = given.assign(often=often * 1, three=rare * 3, never=0, past=rare * 1)
    panel, columns = read(given, past_features=["past"])
    kinds = {each.label: each.kind for each in (*columns.future, *columns.past)}
    flags = [label for label, kind in kinds.items() if kind == "flag"]
    assert flags == ["bool", "int", "float"]
    assert_array_equal(panel.known[:, :3], np.transpose([rare] * 3))
    assert [place for place, _ in events_of(columns.future)] == [0, 1, 2]


def test_columns_are_named_by_position_in_an_array():
    X = np.column_stack([VALUES, -VALUES, VALUES**2])
    panel, columns = read(X, past_features=[1], static_features=[], calendar=None)
    assert panel.known.shape == (20, 2)
    assert_allclose(panel.past[:, 0], -panel.known[:, 0])
    assert columns.names is None
    assert columns.n_columns == 3


def test_static_features_are_scaled_over_series():
    X = pd.DataFrame({"shop": ["a"] * 15 + ["b"] * 5, "size": [10] * 15 + [20] * 5})
    panel, columns = read(X, groups="shop", static_features="size")
    assert_array_equal(panel.known[:, 0], [-1] * 15 + [1] * 5)
    assert columns.n_static == 1
    assert columns.names == ("shop", "size")


@pytest.mark.parametrize(
    "values",
    [
        [datetime.date(2024, 1, 1) + datetime.timedelta(i) for i in range(20)],
        pd.period_range("2024-01-01", periods=20, freq="D"),
        pd.date_range("2024-01-01", periods=20, tz="Europe/Berlin"),
    ],
    ids=["dates", "periods", "zone"],
)
def test_the_only_column_of_times_is_the_index(values):
    panel, columns = read(pd.DataFrame({"when": values, "x": VALUES}))
    assert columns.time_column == "when"
    assert columns.frequency.name == "D"
    assert columns.index_names == ("when",)
    assert len(columns.future) == 1
    assert panel.labels.index[0].day == 1


def test_times_of_polars_are_those_of_their_zone():
    times = pl.datetime_range(
        datetime.datetime(2024, 6, 1),
        datetime.datetime(2024, 6, 1, 19),
        "1h",
        time_zone="Asia/Tokyo",
        eager=True,
    )
    panel, _ = read(pl.DataFrame({"when": times}))
    assert panel.labels.index[0] == pd.Timestamp("2024-06-01", tz="Asia/Tokyo")
    assert panel.labels.index[0].hour == 0


@pytest.mark.parametrize(
    ("labels", "last"),
    [
        ([f"{day:02}/01/2024" for day in range(1, 21)], "2024-01-20"),
        ([f"2024-01-{day:02}" for day in range(1, 21)], "2024-01-20"),
        ([f"01/{month:02}/2024" for month in range(1, 13)], "2024-12-01"),
    ],
    ids=["days", "iso", "months"],
)
def test_strings_that_are_dates_are_read(labels, last):
    y = pd.Series(VALUES[: len(labels)], index=labels)
    panel, columns = read(None, y)
    assert panel.labels.index[-1] == pd.Timestamp(last)
    assert columns.frequency is not None


def test_times_of_python_keep_their_zone():
    index = pd.date_range("2024-06-01", periods=20, freq="h", tz="Asia/Tokyo")
    as_objects = pd.Index([time.to_pydatetime() for time in index], dtype=object)
    panel, _ = read(None, pd.Series(VALUES, index=as_objects))
    assert panel.labels.index[0].hour == 0


def test_names_of_rows_have_no_order():
    y = pd.Series(VALUES, index=[f"row {i}" for i in range(20)])
    panel, columns = read(None, y)
    assert panel.labels is None
    assert columns.frequency is None
