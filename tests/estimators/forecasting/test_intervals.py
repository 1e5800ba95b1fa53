"""Intervals from errors on a calibration part: how often they cover, and how wide."""

import numpy as np
import pytest
from _forecasters import months, of_every_strategy, panel_of, quick, season
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge

from skrnn._estimators.forecasting.intervals import Calibration, calibrated


def scores(n, horizon=1, n_targets=1):
    """Return the scores 1 to n, for each step and target."""
    one = np.arange(1.0, n + 1)[None, :, None]
    return Calibration(np.tile(one, (horizon, 1, n_targets)))


# ---- the rank


@pytest.mark.parametrize(
    ("n", "coverage", "rank"),
    [
        (9, 0.9, 9),
        (19, 0.9, 18),
        (99, 0.9, 90),
        (100, 0.9, 91),
        (19, 0.95, 19),
        (1, 0.5, 1),
        (4, 0.5, 3),
        (99, 0.99, 99),
        (999, 0.07, 70),
        (24, 0.28, 7),
    ],
)
def test_the_width_is_the_error_of_the_corrected_rank(n, coverage, rank):
    """The smallest whole number that isn't below (n + 1) * coverage."""
    assert scores(n).width(coverage).tolist() == [[rank]]


@pytest.mark.parametrize(
    ("n", "coverage", "least"), [(8, 0.9, 9), (18, 0.95, 19), (98, 0.99, 99)]
)
def test_too_few_errors_are_told_with_how_many_it_takes(n, coverage, least):
    with pytest.raises(ValueError, match=f"needs {least} errors .* part has {n};"):
        scores(n).width(coverage)
    assert scores(least).width(coverage) == least


def test_missing_truth_doesn_t_count():
    truth = np.array([[[1.0], [np.nan], [3.0], [2.0]]])
    calibration = calibrated(truth, np.zeros((1, 4, 1)), np.full((4, 1), 2.0))
    np.testing.assert_array_equal(calibration.scores[0, :, 0], [0.5, 1, 1.5, np.nan])
    assert calibration.width(0.7) == 1.5
    with pytest.raises(ValueError, match="the calibration part has 3"):
        calibration.width(0.8)


# ---- coverage


def test_noise_is_covered_as_often_as_is_said():
    """Over many origins that neither training nor calibration saw."""
    rng = np.random.default_rng(0)
    y = 20 + rng.normal(size=3000)
    forecaster = quick(Ridge(), lookback=8, horizon=3, calibration_size=800)
    forecaster.fit(None, y[:1500])
    covered = {coverage: [] for coverage in (0.5, 0.8, 0.9)}
    for first in range(1500, 3000 - 3, 3):
        truth = y[first : first + 3]
        for coverage, found in covered.items():
            bounds = forecaster.predict_interval(np.empty((3, 0)), coverage)
            found.append((bounds[:, 0] <= truth) & (truth <= bounds[:, 1]))
        forecaster.update(None, truth)
    for coverage, found in covered.items():
        # Three standard errors of 500 origins, and of 800 errors.
        allowed = 3 * np.sqrt(coverage * (1 - coverage) * (1 / 500 + 1 / 800))
        np.testing.assert_allclose(np.mean(found, axis=0), coverage, atol=allowed)


def test_series_of_other_scales_and_targets_are_covered_alike():
    """Errors are in units of each window's spread."""
    rng = np.random.default_rng(1)
    scales = np.array([1.0, 100.0])
    n_series, n = 12, 120
    series = [
        50 * scales + scales * rng.normal(size=(n, 2)) * 10.0 ** (i % 3)
        for i in range(n_series)
    ]
    groups = np.repeat(np.arange(n_series), n)
    forecaster = quick(Ridge(), lookback=8, horizon=2, calibration_size=40)
    past = np.concatenate(series)
    forecaster.fit(None, past, groups=groups)
    ahead = np.repeat(np.arange(n_series), 2)
    bounds = forecaster.predict_interval(np.empty((24, 0)), 0.8, groups=ahead)
    assert bounds.shape == (24, 2, 2)
    width = (bounds[..., 1] - bounds[..., 0]).reshape(n_series, 2, 2).mean(axis=1)
    expected = scales * 10.0 ** (np.arange(n_series)[:, None] % 3)
    ratio = width / expected
    # A window of 8 rows tells its spread roughly; the scales differ by up to 10,000.
    assert ((ratio > 1) & (ratio < 10)).all()
    middle = bounds.mean(axis=-1)
    np.testing.assert_allclose(
        middle, forecaster.predict(np.empty((24, 0)), groups=ahead)
    )


@of_every_strategy
@pytest.mark.parametrize(
    "parameters", [{}, {"target_transform": "log", "difference": 1}]
)
def test_errors_are_those_of_forecasts_from_the_rows_before(strategy, parameters):
    """The scores are made by hand from forecasts of the same network."""
    y = season(50, noise=0.3)
    y[45] = np.nan
    forecaster = quick(
        strategy=strategy, horizon=3, lookback=8, calibration_size=12, **parameters
    ).fit(None, y)
    errors = []
    for origin in range(38, 48):
        forecasts = forecaster.forecast(3, history=y[:origin]).to_numpy()
        window = y[origin - 8 : origin]
        filled = np.where(np.isnan(window), np.roll(window, 1), window)
        last = filled[-forecaster._model.plan.season :].mean()
        scale = np.abs(filled - last).mean()
        errors.append(np.abs(y[origin : origin + 3] - forecasts) / scale)
    found = forecaster._model.calibration.scores[..., 0]
    np.testing.assert_allclose(found, np.sort(np.array(errors).T, axis=1), rtol=1e-5)


def test_nothing_is_learned_from_the_calibration_part():
    y = season(60, noise=0.3)
    changed = np.append(y[:48], 1000 * y[48:])
    one, other = (quick(calibration_size=12).fit(None, each) for each in (y, changed))
    for a, b in zip(
        one.estimators_[0]._weights, other.estimators_[0]._weights, strict=True
    ):
        np.testing.assert_array_equal(a, b)
    shorter = quick(calibration_size=0.2).fit(None, y)
    np.testing.assert_array_equal(shorter.forecast(3), one.forecast(3))


def test_intervals_widen_with_coverage_and_hold_the_forecast():
    y = months(season(120, noise=0.4))
    forecaster = quick(horizon=4, calibration_size=60).fit(None, y)
    wide, narrow = (forecaster.forecast(4, coverage=c) for c in (0.9, 0.5))
    assert wide.columns.tolist() == ["forecast", "lower", "upper"]
    assert (wide.lower < narrow.lower).all()
    assert (wide.upper > narrow.upper).all()
    np.testing.assert_array_equal(wide.forecast, forecaster.forecast(4))
    ahead = wide.index
    bounds = forecaster.predict_interval(ahead, 0.9)
    np.testing.assert_array_equal(bounds, wide[["lower", "upper"]])


def test_new_series_have_intervals_too():
    forecaster = quick(Ridge(), lookback=8, calibration_size=30)
    forecaster.fit(None, panel_of(season(80, noise=0.2), season(70, noise=0.2, seed=1)))
    found = forecaster.forecast(
        2, history=panel_of(season(20, noise=0.2)), coverage=0.8
    )
    assert found.shape == (2, 3)
    assert (found.lower < found.upper).all()


# ---- what can't be


def refused(message, forecaster, y, **asked):
    with pytest.raises(ValueError, match=message):
        forecaster.fit(None, y).forecast(**asked)


def test_one_clear_error_each():
    y, small = season(60), quick(calibration_size=3)
    refused("fit with Forecaster\\(calibration_size=", quick(), y, coverage=0.9)
    refused("calibration_size=3 holds 3 rows out; expected at least 4", small, y)
    large, fits = quick(calibration_size=57), quick(calibration_size=20)
    refused("calibration_size=57 holds out 57 of the 60 rows", large, y)
    message = "calibrated for 4 steps.*5 are asked for; fit with horizon=5"
    refused(message, fits, y, steps=5, coverage=0.5)
    refused("coverage=0.99 needs 99 errors", fits, y, coverage=0.99)
    for coverage in (0, 1, 1.5, -0.1, "0.9"):
        forecaster = quick(calibration_size=20)
        refused("The 'coverage' parameter", forecaster, y, coverage=coverage)


def test_a_constant_has_intervals_of_width_0():
    forecaster = quick(DummyRegressor(), calibration_size=20).fit(None, np.ones(60))
    np.testing.assert_array_equal(forecaster.forecast(2, coverage=0.5), np.ones((2, 3)))
