"""Series of any unit, and windows of one value: what is learned has no unit."""

import numpy as np
import pytest
from _forecasters import of_every_strategy, quick, season
from sklearn.linear_model import Ridge

from skrnn._estimators.forecasting.normalizers import NORMALIZERS

FARADS = [1e-9, 1e-12, 1e-30, 1e12, 1e30]


@pytest.mark.parametrize("factor", FARADS)
@pytest.mark.parametrize("normalize", ["window", "last"])
@pytest.mark.parametrize("level", [0, 10])
def test_a_series_in_any_unit_is_forecast_alike(factor, normalize, level):
    y = season(60, level=level, noise=0.3)
    one, other = (
        quick(Ridge(), normalize=normalize, seasonal_periods=12)
        .fit(None, each)
        .forecast(6)
        for each in (y, factor * y)
    )
    np.testing.assert_allclose(other / factor, one, rtol=1e-5, atol=1e-6)


@of_every_strategy
def test_a_network_reads_series_in_any_unit_alike(strategy):
    y = season(60, level=0, noise=0.3)
    one, other = (
        quick(strategy=strategy).fit(None, each).forecast(6) for each in (y, 1e-12 * y)
    )
    np.testing.assert_allclose(other / 1e-12, one, rtol=1e-3, atol=1e-4)


def stepped(n_zeros, n, size):
    """Return a series that is 0 for long, and then has a season of a large size."""
    return np.concatenate([np.zeros(n_zeros), size * season(n, noise=0.1)])


@pytest.mark.parametrize("strategy", ["multioutput", "direct", "recursive"])
def test_windows_of_one_value_teach_nothing_about_others(strategy):
    """The first large value behind zeros has no unit, and swamped all others."""
    y = stepped(60, 120, 1e6)
    forecaster = quick(Ridge(), strategy=strategy, lookback=24, seasonal_periods=12)
    found = forecaster.fit(None, y).forecast(6)
    truth = 1e6 * season(126)[-6:]
    assert np.abs(found - truth).max() < 0.05 * 1e7


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_intervals_of_a_constant_end_have_the_unit_of_y(size):
    """They were as wide in y's own units, whatever these were."""
    y = season(120, noise=0.3)
    y[-40:] = y[-41]
    forecaster = quick(Ridge(), horizon=2, calibration_size=60, lookback=24)
    widths = []
    for each in (y, size * y):
        lower, upper = (
            forecaster.fit(None, each).forecast(2, coverage=0.9)[name].to_numpy()
            for name in ("lower", "upper")
        )
        widths.append(upper - lower)
    np.testing.assert_allclose(widths[1], size * widths[0], rtol=1e-5)


def test_windows_of_one_value_are_asked_for_it():
    windows = np.array([[[5.0], [1.0]], [[5.0], [3.0]]])
    units = NORMALIZERS["window"](windows, 1)
    assert units.asked(np.array([[[9.0], [2.0]]])).ravel().tolist() == [0, -1]


@pytest.mark.parametrize("normalize", ["window", "last"])
def test_values_whose_squares_are_no_numbers_are_forecast(normalize):
    y = 1e200 * season(60, noise=0.3)
    found = quick(normalize=normalize, seasonal_periods=12).fit(None, y).forecast(4)
    assert ((found > y.min() / 2) & (found < 2 * y.max())).all()
