"""Forecasters in files and back: dates, frequencies, zones, series and history."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn.forecasting import Forecaster

N = 30
DAY = pd.Timedelta(days=1)
RNG = np.random.default_rng(0)
VALUES = 5 + np.sin(np.arange(N)) + 0.1 * RNG.normal(size=N)
NETWORK = skrnn.SequenceRegressor(units=2, random_state=0)
FAST = dict(n_members=1, n_windows=20, random_state=0)


def series(index):
    return pd.Series(VALUES[: len(index)], index, name="sold")


INDEXES = {
    "days": pd.date_range("2024-01-01", periods=N),
    "months": pd.date_range("2020-01-01", periods=N, freq="MS"),
    "ends of months": pd.date_range("2020-01-31", periods=N, freq="ME"),
    "fifteenths": pd.date_range("2020-01-01", periods=N, freq="MS") + 14 * DAY,
    "business days": pd.bdate_range("2024-01-01", periods=N),
    "hours in Oslo": pd.date_range("2024-03-30", periods=N, freq="h", tz="Europe/Oslo"),
    "days in Oslo": pd.date_range("2024-03-25", periods=N, tz="Europe/Oslo"),
    "UTC": pd.date_range("2024-03-30", periods=N, freq="15min", tz="UTC"),
    "offset": pd.date_range("2024-03-30 00:00+02:00", periods=N, freq="h"),
    "seconds": pd.date_range("2024-03-30", periods=N, freq="s", unit="s"),
    "periods": pd.period_range("2020-01", periods=N, freq="M"),
    "durations": pd.timedelta_range("0s", periods=N, freq="2h"),
    "numbers": pd.RangeIndex(10, 10 + 2 * N, 2),
    "texts": pd.Index([f"2024-01-{i + 1:02d}" for i in range(N)]),
}  # fmt: skip


@pytest.fixture
def there_and_back(tmp_path):
    def go(forecaster):
        skrnn.save(forecaster, tmp_path / "model.skrnn")
        return skrnn.load(tmp_path / "model.skrnn")

    return go


@pytest.mark.parametrize("name", INDEXES)
def test_dates_go_on(name, there_and_back):
    y = series(INDEXES[name])
    fitted = Forecaster(Ridge(), lookback=4, horizon=3).fit(None, y)
    again = there_and_back(fitted)
    pd.testing.assert_series_equal(
        again.forecast(5), fitted.forecast(5), check_exact=True
    )
    pd.testing.assert_series_equal(again.fitted_values(), fitted.fitted_values())
    # What comes later is held to the same frequency.
    later = fitted.forecast(2)
    for each in (again, fitted):
        each.update(None, later)
    pd.testing.assert_series_equal(
        again.forecast(2), fitted.forecast(2), check_exact=True
    )


def test_a_network_with_quantiles(there_and_back):
    y = series(INDEXES["days"])
    options = dict(horizon=2, lookback=5, quantiles=(0.1, 0.9), calibration_size=8)
    fitted = Forecaster(NETWORK, **options, **FAST).fit(None, y)
    again = there_and_back(fitted)
    for options in ({}, {"quantiles": [0.1, 0.9]}, {"coverage": 0.5}):
        one, other = again.forecast(2, **options), fitted.forecast(2, **options)
        np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
        pd.testing.assert_index_equal(one.index, other.index)


def test_a_distribution(there_and_back):
    options = dict(horizon=2, lookback=5, distribution="student_t")
    fitted = Forecaster(NETWORK, **options, **FAST).fit(None, VALUES)
    again = there_and_back(fitted)
    one, other = (e.forecast(2, quantiles=[0.3]) for e in (again, fitted))
    np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())


def test_a_panel_with_covariates(there_and_back):
    index = pd.MultiIndex.from_product(
        [["a", "b"], pd.date_range("2024-01-01", periods=N)], names=["shop", "day"]
    )
    X = pd.DataFrame(
        {
            "price": RNG.normal(size=2 * N),
            "open": np.arange(2 * N) % 3 == 0,
            "kind": pd.Categorical(np.array(["x", "y"])[np.arange(2 * N) % 2]),
            "past": RNG.normal(size=2 * N),
        },
        index,
    )
    y = pd.Series(np.tile(VALUES, 2), index, name="sold")
    fitted = Forecaster(
        Ridge(), lookback=4, horizon=2, past_features=["past"], difference=1,
        target_transform=StandardScaler(),
    ).fit(X, y)  # fmt: skip
    again = there_and_back(fitted)
    later = pd.MultiIndex.from_product(
        [["a", "b"], pd.date_range("2024-01-31", periods=2)], names=["shop", "day"]
    )
    ahead = pd.DataFrame({"price": 1.0, "open": True, "kind": "x"}, later)
    pd.testing.assert_series_equal(
        again.forecast(2, ahead), fitted.forecast(2, ahead), check_exact=True
    )
    np.testing.assert_array_equal(again.predict(ahead), fitted.predict(ahead))
