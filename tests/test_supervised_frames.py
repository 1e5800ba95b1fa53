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
    ],
)
def test_times_are_told_where_to_go(series, advice):
    with pytest.raises(ValueError, match=advice):
        make_supervised(series)


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
