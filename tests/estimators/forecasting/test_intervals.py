"""Conformal intervals: as wide as the windows' spread says, of each series."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skrnn.forecasting import Forecaster

SCALES = (1.0, 100.0, 5.0)


@pytest.fixture(scope="module")
def panel():
    """Return three series that are the same but for their scale and their noise."""
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([range(3), range(80)])
    values = [scale * rng.normal(size=80) for scale in SCALES]
    return pd.Series(np.concatenate(values), index)


@pytest.fixture(scope="module")
def forecaster(panel):
    made = Forecaster(
        Ridge(), horizon=3, lookback=8, seasonal_periods=None, calibration_size=30
    )
    return made.fit(None, panel)


def widths(intervals):
    return (intervals["upper"] - intervals["lower"]).to_numpy()


def test_widths_follow_the_spread_of_each_series(forecaster, panel):
    found = widths(forecaster.forecast(coverage=0.8)).reshape(3, 3)
    last = panel.to_numpy().reshape(3, 80)[:, -8:]
    spread = np.abs(last - last[:, -1:]).mean(axis=1)
    ratios = found / spread[:, None]
    np.testing.assert_allclose(ratios, ratios[:1].repeat(3, axis=0))


@pytest.mark.parametrize("series", range(3))
def test_a_series_has_the_interval_of_its_own_history(forecaster, panel, series):
    together = forecaster.forecast(coverage=0.8).loc[series]
    alone = forecaster.forecast(coverage=0.8, history=panel.loc[[series]])
    np.testing.assert_allclose(together, alone)


def test_intervals_of_a_panel_cover_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    scale = np.repeat(np.exp(rng.normal(size=40)), 62)
    y = scale * rng.normal(size=40 * 62)
    index = pd.MultiIndex.from_product([range(40), range(62)])
    known = index.get_level_values(1) < 60
    made = Forecaster(
        Ridge(), horizon=2, lookback=12, seasonal_periods=None, calibration_size=20
    )
    made.fit(None, pd.Series(y[known], index[known]))
    found = made.forecast(coverage=0.8).to_numpy()
    covered = (y[~known] >= found[:, 1]) & (y[~known] <= found[:, 2])
    assert 0.68 <= covered.mean() <= 0.92
