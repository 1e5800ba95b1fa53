"""make_supervised with frames of every library: columns by name, times refused."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRURegressor
from skrnn.preprocessing import SlidingWindow, make_supervised

COLUMNS = {"price": [9.5, 9.0, 8.5, 8.0, 7.5, 7.0], "sales": [0, 1, 2, 3, 4, 5]}
LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}

every_library = pytest.mark.parametrize("library", LIBRARIES)


def names(frame):
    return list(getattr(frame, "column_names", frame.columns))


@every_library
def test_one_step_of_one_target_is_a_series(library):
    frame = LIBRARIES[library](COLUMNS)
    X, y = make_supervised(frame, target="sales", gap=1)
    assert type(X) is type(frame)
    assert names(X) == ["price", "sales"]
    assert_array_equal(np.asarray(X), np.asarray(frame)[:4])
    assert type(y).__module__.partition(".")[0] == library
    assert_array_equal(np.asarray(y), [2, 3, 4, 5])
    if library != "pyarrow":
        assert y.name == "sales(t+2)"


@every_library
@pytest.mark.parametrize(
    ("target", "horizon", "expected"),
    [
        ("sales", 2, ["sales(t+1)", "sales(t+2)"]),
        (["sales", "price"], 1, ["sales(t+1)", "price(t+1)"]),
        (None, 1, ["price(t+1)", "sales(t+1)"]),
        ([-1], 3, ["sales(t+1)", "sales(t+2)", "sales(t+3)"]),
    ],
)
def test_several_columns_are_a_frame(library, target, horizon, expected):
    frame = LIBRARIES[library](COLUMNS)
    _, y = make_supervised(frame, target=target, horizon=horizon)
    assert type(y) is type(frame)
    assert names(y) == expected
    twin = make_supervised(pd.DataFrame(COLUMNS), target=target, horizon=horizon)[1]
    assert_array_equal(np.asarray(y), twin.to_numpy())


@every_library
def test_several_steps_of_several_targets_are_an_array(library):
    _, y = make_supervised(LIBRARIES[library](COLUMNS), horizon=2)
    assert isinstance(y, np.ndarray)
    assert y.shape == (4, 2, 2)


@every_library
def test_frames_of_several_series(library):
    frame = LIBRARIES[library](COLUMNS)
    X, y = make_supervised(frame, target="sales", groups=list("ababbb"))
    assert_array_equal(np.asarray(X)[:, 1], [0, 1, 3, 4])
    assert_array_equal(np.asarray(y), [2, 3, 4, 5])


def test_a_series_of_polars_has_a_name():
    X, y = make_supervised(pl.Series("sales", [1.0, 2.0, 3.0]))
    assert X.columns == ["sales"]
    assert y.name == "sales(t+1)"
    assert make_supervised(pl.Series([1.0, 2.0, 3.0]))[0].columns == ["x0"]


@pytest.mark.parametrize(
    ("columns", "target", "expected"),
    [
        ([1, 2, 3], 1, [2]),
        ([1, 2, 3], [3, 1], [[200, 2]]),
        ([1, 2, 3], np.int64(2), [20]),
        ([1, 2, 3], 0, [2]),
        ([1, 2, 3], -1, [200]),
        ([2, "a", 0], 0, [200]),
        (["a", "b", "c"], 1, [20]),
        ([0, 1, 2], 1, [20]),
        (pd.MultiIndex.from_tuples([(0, 1), (1, 0), (1, 1)]), (1, 0), [20]),
        (pd.MultiIndex.from_tuples([(0, 1), (1, 0), (1, 1)]), (2, 0), [[200, 2]]),
        (pd.MultiIndex.from_tuples([(0, 1), (1, 0), (1, 1)]), [(1, 1)], [200]),
    ],
)
def test_names_go_before_positions(columns, target, expected):
    rows = [[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]
    frame = pd.DataFrame(rows, columns=columns)
    _, y = make_supervised(frame, target=target)
    assert_array_equal(np.asarray(y), expected)


@pytest.mark.parametrize("columns", [[1, 1, 2], ["a", "a", "b"], [(1, 2), (1, 2), 3]])
def test_a_name_that_is_there_twice_is_no_target(columns):
    frame = pd.DataFrame(np.ones((3, 3)))
    frame.columns = pd.Index(columns, tupleize_cols=False)
    with pytest.raises(ValueError, match="is not one column of series"):
        make_supervised(frame, target=columns[0])


@every_library
def test_an_unknown_target_is_told_the_names(library):
    frame = LIBRARIES[library](COLUMNS)
    with pytest.raises(ValueError, match=r"'cost' is not one .*\['price', 'sales'\]"):
        make_supervised(frame, target="cost")


DAYS = [datetime.date(2024, 1, day) for day in range(1, 7)]
HOURS = [datetime.datetime(2024, 1, 1, hour) for hour in range(6)]
TIMES = {
    "dates": DAYS,
    "times": HOURS,
    "durations": [datetime.timedelta(hours=hour) for hour in range(6)],
}


@every_library
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("target", ["sales", None])
def test_a_column_of_times_is_neither_feature_nor_target(library, times, target):
    frame = LIBRARIES[library](COLUMNS | {"when": TIMES[times]})
    with pytest.raises(ValueError, match=r"Column 'when' of series holds times \("):
        make_supervised(frame, target=target)


@pytest.mark.parametrize(
    ("series", "advice"),
    [
        (pd.DataFrame({"day": pd.date_range("2024", periods=4)}), "set_index"),
        (
            pd.DataFrame({"q": pd.period_range("2024", periods=4, freq="Q")}),
            "set_index",
        ),
        (pd.Series(pd.date_range("2024", periods=4)), "Column 'x0'"),
        (np.arange("2024-01-01", "2024-01-05", dtype="M8[D]"), "An array of series"),
        (pl.DataFrame({"a": pl.Series(DAYS, dtype=pl.Object)}), "Sort the rows by it"),
        (
            pl.DataFrame({"a": pl.Series([None, *DAYS], dtype=pl.Object)}),
            "Column 'a' of series holds times",
        ),
        (pd.DataFrame({"day": pd.Categorical(DAYS)}), "Column 'day' of series holds"),
        (pd.Series(pd.to_datetime(DAYS).astype("category")), "Column 'x0' of series"),
        (pd.DataFrame({"t": [None, datetime.time(1)]}), "Column 't' of series holds"),
        (pd.Series(DAYS, dtype="date32[day][pyarrow]"), "Column 'x0' of series holds"),
        (pa.table({"d": pa.array(DAYS).dictionary_encode()}), "Column 'd' of series"),
        (pa.record_batch({"a": [1.0] * 6, "d": DAYS}), "Column 'd' of series holds"),
        (DAYS, "An array of series holds times"),
        (np.array([[1.0, None], [2.0, DAYS[0]]], dtype=object), "An array of series"),
        ([[1.0, np.timedelta64(3, "s")]], "An array of series holds times"),
    ],
)
def test_times_are_told_where_to_go(series, advice):
    with pytest.raises(ValueError, match=advice):
        make_supervised(series)


def test_a_batch_of_pyarrow_is_a_table():
    X, y = make_supervised(pa.record_batch(COLUMNS), target="sales", horizon=2)
    assert X.equals(pa.table(COLUMNS)[:4])
    assert y.column_names == ["sales(t+1)", "sales(t+2)"]


@pytest.mark.parametrize("dtype", [pl.Object, pl.Float64])
def test_an_empty_frame_of_polars_is_told_so(dtype):
    with pytest.raises(ValueError, match="need a series of at least 2 rows"):
        make_supervised(pl.DataFrame({"a": pl.Series([], dtype=dtype)}))


def test_an_empty_list_is_told_so():
    with pytest.raises(ValueError, match="need a series of at least 2 rows"):
        make_supervised([])


def test_the_advice_is_right():
    frame = pd.DataFrame(COLUMNS | {"day": pd.to_datetime(DAYS)})
    X, _ = make_supervised(frame.set_index("day"), target="sales")
    assert names(X) == ["price", "sales"]
    polars = pl.DataFrame(COLUMNS | {"day": DAYS})
    X, _ = make_supervised(polars.sort("day").drop("day"), target="sales")
    assert names(X) == ["price", "sales"]


@every_library
def test_they_train_a_pipeline(library):
    X, y = make_supervised(LIBRARIES[library](COLUMNS), target="sales")
    network = GRURegressor(units=2, epochs=1, early_stopping=False, random_state=0)
    model = make_pipeline(SlidingWindow(2), network).fit(X, y)
    assert model.predict(X).shape == (5,)
    assert model[0].feature_names_in_.tolist() == ["price", "sales"]
    scaler = StandardScaler().fit(X, y)
    assert scaler.feature_names_in_.tolist() == ["price", "sales"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"lookback": 3},
            r"'lookback'\. A network .* SlidingWindow\(lookback=\.\.\.\)",
        ),
        ({"horizons": 3}, r"'horizons'\. Did you mean 'horizon'\?"),
        ({"w": 3}, r"'w'\. Its arguments are series, horizon"),
    ],
    ids=["lookback", "misspelt", "unknown"],
)
def test_unknown_arguments_get_advice(given, message):
    with pytest.raises(TypeError, match=rf"^make_supervised\(\): got .*{message}"):
        make_supervised([1.0, 2.0, 3.0], **given)


def test_a_series_has_to_become_a_frame_before_its_windows():
    with pytest.raises(ValueError, match=r"got a Series instead.* X\.to_frame\(\)"):
        SlidingWindow(2).fit(pd.Series([1.0, 2.0, 3.0]))
