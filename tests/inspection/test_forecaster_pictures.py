"""Pictures of a real Forecaster; what is on them is tested with a stub."""

import numpy as np
import pytest
from _stub_forecaster import monthly, panel

from skrnn.forecasting import Forecaster
from skrnn.inspection import ForecastDisplay, TrainingHistoryDisplay

TINY = dict(horizon=6, n_members=2, n_windows=64, lookback=12, random_state=0)
Y = monthly(60)


@pytest.fixture(scope="module")
def forecaster():
    return Forecaster(**TINY, calibration_size=24).fit(None, Y[:54])


def test_a_forecaster_draws_what_it_forecasts(forecaster):
    display = ForecastDisplay.from_estimator(forecaster, Y[54:], coverage=0.8)
    frame = forecaster.forecast(6, coverage=0.8)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), frame["forecast"])
    corners = display.fill_between_[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose(corners.min(), frame["lower"].min())
    np.testing.assert_allclose(corners.max(), frame["upper"].max())
    np.testing.assert_array_equal(display.history_lines_[0].get_ydata(), Y[24:54])
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), Y[54:])


def test_its_members_are_lines(forecaster):
    display = TrainingHistoryDisplay.from_estimator(forecaster)
    assert len(display.lines_) == 2
    for line, member in zip(display.lines_, forecaster.estimators_, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), member.history_["loss"])


def test_without_a_calibration_part_there_is_no_fan():
    model = Forecaster(**TINY | {"n_members": 1}).fit(None, panel(2, 40))
    display = ForecastDisplay.from_estimator(model, n_history=None)
    assert display.series_ == ["s0", "s1"]
    assert not display.fill_between_
    assert [len(line.get_xdata()) for line in display.history_lines_] == [40, 40]
    new = ForecastDisplay.from_estimator(model, history=monthly(30, "2025-01"))
    assert new.lines_[0].get_xdata()[0] == np.datetime64("2027-07-01")
    with pytest.raises(ValueError, match="calibration_size"):
        ForecastDisplay.from_estimator(model, coverage=0.5)


@pytest.mark.parametrize(
    ("quantiles", "n_areas"),
    [((0.1, 0.5, 0.9), 1), ((0.05, 0.2, 0.8, 0.95), 2), ((0.1, 0.5), 0)],
)
def test_trained_quantiles_are_the_fan(quantiles, n_areas):
    model = Forecaster(**TINY, quantiles=quantiles).fit(None, Y)
    display = ForecastDisplay.from_estimator(model)
    assert len(display.fill_between_) == n_areas
    if n_areas:
        corners = display.fill_between_[0].get_paths()[0].vertices[:, 1]
        outer = model.forecast(6, quantiles=(quantiles[0], quantiles[-1]))
        np.testing.assert_allclose(corners.min(), outer.to_numpy().min())


def test_a_number_of_steps_in_the_place_of_the_truth_is_told(forecaster):
    with pytest.raises(TypeError, match=r"y=12; expected the values .* steps=12"):
        ForecastDisplay.from_estimator(forecaster, 12)
