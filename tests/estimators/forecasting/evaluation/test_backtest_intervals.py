"""Backtests with intervals: their bounds in the frame, and what became of them."""

import numpy as np
import pandas as pd
import pytest
from _seasonal_forecaster import SeasonalForecaster
from sklearn.linear_model import Ridge

from skrnn.forecasting import BacktestFrame, Forecaster, backtest
from skrnn.inspection import ForecastDisplay

MONTHS = pd.date_range("2014-01-01", periods=96, freq="MS")
RNG = np.random.default_rng(0)
T = np.arange(96)
WAVE = 10 * np.sin(T * np.pi / 6)
SERIES = pd.Series(50 + T / 12 + WAVE + RNG.normal(size=96), MONTHS)
MODEL = Forecaster(Ridge(), horizon=6, calibration_size=24)
FORMS = {
    "a series": SERIES,
    "two targets": pd.DataFrame({"up": SERIES, "down": -SERIES}),
    "a panel": pd.concat({"a": SERIES, "b": 9 * SERIES}),
}


class Tubes(SeasonalForecaster):
    """Its intervals are as wide as the coverage says, and upwards wider."""

    def predict_interval(self, X, coverage=0.9, *, groups=None):
        values = self.predict(X, groups=groups)
        return np.stack([values - coverage, values + 2 * coverage], axis=-1)


@pytest.mark.parametrize("form", FORMS)
def test_bounds_stand_beside_the_forecasts(form):
    y = FORMS[form]
    found = backtest(Tubes(12), None, y, initial=72, horizon=6, coverage=0.8)
    np.testing.assert_allclose(found["lower"], found["y_pred"] - 0.8)
    np.testing.assert_allclose(found["upper"], found["y_pred"] + 1.6)
    assert (found["nominal"] == 0.8).all()
    assert "lower" not in backtest(Tubes(12), None, y, initial=72, horizon=6)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_they_are_those_that_the_forecaster_gives(form, refit):
    y = FORMS[form]
    options = dict(initial=84, step=6, refit=refit, coverage=0.8)
    found = backtest(MODEL, None, y, **options)
    first = found[found["cutoff"] == MONTHS[83]]
    known = y[y.index.get_level_values(-1) <= MONTHS[83]]
    expected = MODEL.fit(None, known).forecast(6, coverage=0.8)
    if form == "two targets":
        expected = pd.concat([expected["up"], expected["down"]])
    for name in ("lower", "upper"):
        np.testing.assert_allclose(first[name], expected[name])


def test_the_summary_has_coverage_and_width():
    found = backtest(Tubes(12), None, SERIES, initial=72, horizon=6, coverage=0.8)
    truth = found["y_true"]
    inside = (truth >= found["lower"]) & (truth <= found["upper"])
    assert 0 < inside.sum() < len(found)
    scores = found.summary()
    assert scores.columns[-3:].tolist() == ["coverage", "nominal", "width"]
    expected = inside.mean(), 0.8, 2.4
    assert scores.loc["forecaster"].iloc[-3:].tolist() == pytest.approx(expected)
    assert scores.loc["naive"].iloc[-3:].isna().all()
    by_step = found.summary(by="step")["coverage"].unstack()["forecaster"]
    np.testing.assert_allclose(by_step, inside.groupby(found["step"]).mean())


def test_intervals_go_before_quantiles():
    options = dict(initial=72, horizon=6, quantiles=[0.1, 0.9])
    of_quantiles = backtest(Tubes(12), None, SERIES, **options).summary()
    both = backtest(Tubes(12), None, SERIES, coverage=0.5, **options).summary()
    assert of_quantiles.loc["forecaster", "nominal"] == pytest.approx(0.8)
    assert of_quantiles.loc["forecaster", "width"] == pytest.approx(8)
    assert both.loc["forecaster", "nominal"] == 0.5
    assert both.loc["forecaster", "width"] == pytest.approx(1.5)
    assert (
        both.loc["forecaster", "pinball"] == of_quantiles.loc["forecaster"]["pinball"]
    )


def test_backtests_of_several_coverages_stand_below_each_other():
    parts = [
        backtest(Tubes(12), None, SERIES, initial=72, horizon=6, coverage=each)
        for each in (0.5, 0.9)
    ]
    both = pd.concat(parts, ignore_index=True)
    assert isinstance(both, BacktestFrame)
    scores = both.summary(by="nominal")["width"].unstack()["forecaster"]
    assert scores.to_dict() == pytest.approx({0.5: 1.5, 0.9: 2.7})


def test_they_are_drawn():
    found = backtest(Tubes(12), None, SERIES, initial=84, horizon=6, coverage=0.8)
    display = ForecastDisplay.from_backtest(found)
    assert len(display.fill_between_) == 2
    heights = np.ptp(display.fill_between_[0].get_paths()[0].vertices[[1, -2], 1])
    np.testing.assert_allclose(heights, 2.4)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert "80 %" in texts


@pytest.mark.parametrize("coverage", [0, 1, 1.5, "much", True])
def test_what_is_no_share_is_refused(coverage):
    with pytest.raises(ValueError, match="'coverage' parameter of backtest must be"):
        backtest(Tubes(), None, SERIES, coverage=coverage)


def test_who_has_no_intervals_is_told_so():
    with pytest.raises(TypeError, match="has no method predict_interval; expected an"):
        backtest(Ridge(), T[:, None], SERIES, coverage=0.9)
    with pytest.raises(ValueError, match="Intervals need errors") as caught:
        backtest(Forecaster(Ridge(), horizon=6), None, SERIES, coverage=0.9)
    assert "cutoff 2017-12-01" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="calibrated for 6 steps, the horizon, but 12"):
        backtest(MODEL, None, SERIES, initial=72, horizon=12, coverage=0.8)
