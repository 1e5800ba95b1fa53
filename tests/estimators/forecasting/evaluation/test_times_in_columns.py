"""Times in a column of X: a panel is cut at them, as it is at those of an index."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge

from skrnn.forecasting import Forecaster, WindowSplit, backtest

MONTHS = pd.date_range("2010-01", periods=60, freq="MS")
LENGTHS = {"a": 60, "b": 50, "c": 40}


def panel():
    """Return X with columns of series and times, and y; the series end apart."""
    parts = [
        pd.DataFrame({"shop": name, "month": MONTHS[:n], "price": np.arange(n) % 5.0})
        for name, n in LENGTHS.items()
    ]
    X = pd.concat(parts, ignore_index=True)
    return X, 10 + np.sin(np.arange(len(X)) * np.pi / 6)


def of_polars(X):
    columns = {name: X[name].tolist() for name in ("shop", "price")}
    return pl.DataFrame({**columns, "month": X["month"].dt.to_pydatetime().tolist()})


@pytest.mark.parametrize("make", [lambda X: X, of_polars], ids=["pandas", "polars"])
def test_a_backtest_cuts_all_series_at_the_same_time(make):
    X, y = panel()
    forecaster = Forecaster(Ridge(), horizon=3)
    given = dict(initial=30, step=9)
    found = backtest(forecaster, make(X), y, groups="shop", **given)
    by_index = X.set_index(["shop", "month"])
    whole = backtest(forecaster, by_index, pd.Series(y, by_index.index), **given)
    np.testing.assert_allclose(found["y_pred"], whole["y_pred"])
    for name in ("series", "cutoff", "step", "time"):
        assert found[name].tolist() == whole[name].tolist()


def test_the_first_cutoff_may_be_a_time():
    X = pl.DataFrame({"month": MONTHS.to_pydatetime().tolist()})
    y = np.sin(np.arange(60.0))
    found = backtest(Forecaster(Ridge(), horizon=3), X, y, initial="2013-06-01")
    assert found["cutoff"].iloc[0] == pd.Timestamp("2013-06-01")


def test_splits_cut_at_the_times():
    X, _ = panel()
    by_index = X.set_index(["shop", "month"])
    found = WindowSplit(3, purge=2).split(X, groups=X["shop"])
    for one, other in zip(found, WindowSplit(3, purge=2).split(by_index), strict=True):
        assert_array_equal(one[0], other[0])
        assert_array_equal(one[1], other[1])
        ends = X["month"].iloc[one[0]].max(), X["month"].iloc[one[1]].min()
        assert ends[0] < ends[1]


def test_columns_of_anything_else_are_none_of_times():
    X = pd.DataFrame({"any": pd.Series([1, "two", 3.0] * 4, dtype=object)})
    assert len(list(WindowSplit(2).split(X))) == 2
