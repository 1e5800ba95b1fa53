"""Long tables become X and y."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.linear_model import Ridge

from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.long_frames import from_long
from skrnn._estimators.forecasting.reading.panels import read_panel
from skrnn.forecasting import Forecaster

DAYS = pd.date_range("2024-01-01", periods=4)
LONG = pd.DataFrame(
    {
        "unique_id": ["b"] * 4 + ["a"] * 4,
        "ds": [*DAYS, *DAYS],
        "y": np.arange(8.0),
        "price": np.arange(8.0) / 2,
        "kind": ["x"] * 4 + ["z"] * 4,
    }
)


def test_x_and_y_have_an_index_of_series_and_time():
    X, y = from_long(LONG)
    assert X.index.names == ["unique_id", "ds"]
    assert X.columns.tolist() == ["price", "kind"]
    assert y.name == "y"
    assert y.index.equals(X.index)
    panel, columns = read_panel(X, y, None, FeatureOptions(static_features=["kind"]))
    assert panel.keys == ["b", "a"]
    assert columns.frequency.name == "D"


def test_rows_are_sorted_by_series_and_time():
    X, y = from_long(LONG)
    mixed = LONG.iloc[[1, 4, 0, 7, 2, 3, 6, 5]]
    X_again, y_again = from_long(mixed)
    assert_series_equal(y_again, y)
    assert_frame_equal(X_again, X)
    assert mixed.index[0] == 1


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_polars_gives_the_same(zone):
    long = LONG.assign(ds=LONG["ds"].dt.tz_localize(zone))
    X, y = from_long(long)
    frame = pl.DataFrame(
        {name: pl.Series(name, long[name].to_list()) for name in long}
    ).with_columns(pl.col("ds").dt.convert_time_zone(zone) if zone else pl.col("ds"))
    X_of_polars, y_of_polars = from_long(frame)
    assert_series_equal(y_of_polars, y, check_index_type=False)
    assert_frame_equal(X_of_polars, X, check_dtype=False)


def test_columns_may_have_other_names_and_targets():
    long = LONG.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    X, y = from_long(long, "shop", "day", ["sales", "price"])
    assert y.columns.tolist() == ["sales", "price"]
    assert X.columns.tolist() == ["kind"]
    assert X.index.names == ["shop", "day"]


def test_no_other_column_leaves_a_frame_without_columns():
    X, _ = from_long(LONG[["unique_id", "ds", "y"]])
    assert X.shape == (8, 0)


def test_without_a_target_there_is_only_x():
    X, _ = from_long(LONG)
    assert_frame_equal(from_long(LONG.drop(columns="y"), target=None), X)
    with pytest.raises(ValueError, match="isn't known yet, say target=None"):
        from_long(LONG.drop(columns="y"))


def test_a_long_table_of_rows_to_forecast_is_told_from_x():
    ahead = LONG.assign(ds=LONG["ds"] + pd.Timedelta(days=4)).drop(columns="y")
    model = Forecaster(Ridge(), horizon=2, lookback=1).fit(*from_long(LONG))
    with pytest.raises(ValueError, match=r"from_long\(X, target=None\) reads a long"):
        model.forecast(2, ahead)
    assert model.forecast(2, from_long(ahead, target=None)).shape == (4,)


def test_bad_frames_are_refused():
    with pytest.raises(ValueError, match="time='ds' is no column of the frame"):
        from_long(LONG.drop(columns="ds"))
    with pytest.raises(TypeError, match="frame must be a frame"):
        from_long([1, 2])
