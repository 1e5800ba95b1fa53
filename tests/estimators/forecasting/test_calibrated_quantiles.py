"""Quantiles that a calibration part puts right."""

import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn._estimators.forecasting.intervals import Shifts, shifts_of
from skrnn.forecasting import Forecaster

LEVELS = (0.1, 0.5, 0.9)
H, N, K = 2, 900, 2


@pytest.fixture(scope="module")
def errors():
    """Return the truth, and quantiles of 0 whatever comes, in windows' units of 10."""
    rng = np.random.default_rng(0)
    truth = 10 * np.array([1.0, 3.0])[:, None, None] * rng.normal(size=(H, N, K))
    return truth, np.zeros((H, N, K, 3)), np.full((N, K), 10.0)


def test_shifts_are_the_quantiles_of_errors(errors):
    shifts = shifts_of(*errors, LEVELS)
    np.testing.assert_allclose(shifts.values[0, :, 2], 1.28, atol=0.15)
    np.testing.assert_allclose(shifts.values[1, :, 0], -3.84, atol=0.45)


def test_moved_quantiles_cover_as_often_as_they_say(errors):
    truth, quantiles, scale = errors
    moved = shifts_of(*errors, LEVELS).moved(quantiles, LEVELS, scale)
    shares = (truth[..., None] <= moved).mean(axis=(1, 2))
    np.testing.assert_allclose(shares, np.tile(LEVELS, (H, 1)), atol=0.04)
    np.testing.assert_array_equal(moved[..., 1], 0)


def test_missing_truth_is_left_out(errors):
    truth, quantiles, scale = errors
    holes = truth.copy()
    holes[:, ::2] = np.nan
    some = shifts_of(holes, quantiles, scale, LEVELS).values
    half = shifts_of(truth[:, 1::2], quantiles[:, 1::2], scale[1::2], LEVELS).values
    np.testing.assert_array_equal(some, half)
    nothing = shifts_of(np.full_like(truth, np.nan), quantiles, scale, LEVELS)
    np.testing.assert_array_equal(nothing.values, 0)


def test_levels_between_are_moved_between_and_never_cross():
    shifts = Shifts(np.array([0.1, 0.5]), np.array([[[-2.0, 0.0]]]))
    given = np.zeros((3, 1, 1, 3))
    moved = shifts.moved(given, (0.05, 0.3, 0.5), np.ones((1, 1)))
    np.testing.assert_array_equal(moved[:, 0, 0], [[-2, -1, 0]] * 3)
    crossing = Shifts(np.array([0.1, 0.9]), np.array([[[2.0, -2.0]]]))
    moved = crossing.moved(given[..., :2], (0.1, 0.9), np.ones((1, 1)))
    assert (np.diff(moved, axis=-1) >= 0).all()


def test_the_median_stays_where_others_cross_it():
    """It is the forecast."""
    levels = (0.1, 0.4, 0.5, 0.6, 0.9)
    shifts = Shifts(np.array(levels), np.array([[[-1.0, 2.0, 0.0, -3.0, 1.0]]]))
    moved = shifts.moved(np.zeros((1, 1, 1, 5)), levels, np.ones((1, 1)))
    np.testing.assert_array_equal(moved[0, 0, 0], [-3, -1, 0, 1, 2])


@pytest.fixture(scope="module")
def series():
    return np.random.default_rng(3).normal(50, 5, 400).round()


@pytest.mark.parametrize(
    "asked",
    [{"quantiles": (0.05, 0.95)}, {"distribution": "poisson"}],
    ids=["quantiles", "distribution"],
)
def test_wrong_quantiles_are_put_right(series, asked):
    """A Poisson's, and those of a network that has hardly begun, are wrong here."""
    network = GRURegressor(units=4, learning_rate=1e-3)
    options = dict(horizon=2, lookback=8, seasonal_periods=None, n_members=1)
    options |= dict(n_windows=64, random_state=0, **asked)
    shares = []
    for size in (None, 120):
        model = Forecaster(network, calibration_size=size, **options)
        model.fit(None, series[:300])
        found = []
        for at in range(300, 398, 2):
            found.append(model.predict_quantiles(np.empty((2, 0)), (0.05, 0.95)))
            model.update(None, series[at : at + 2])
        low, high = np.concatenate(found).T
        shares.append(np.mean((series[300:398] >= low) & (series[300:398] <= high)))
    assert abs(shares[1] - 0.9) < 0.08
    assert abs(shares[0] - 0.9) > abs(shares[1] - 0.9)


@pytest.mark.parametrize(
    "asked",
    [{"quantiles": (0.1, 0.4, 0.9)}, {"distribution": "normal"}],
    ids=["quantiles", "distribution"],
)
def test_a_quantile_is_the_same_whichever_others_are_asked_for(asked):
    """Alone too it keeps to its side of the forecast, where all errors were above."""
    trend = np.random.default_rng(0).normal(10, 0.5, 90) + np.maximum(
        np.arange(-60, 30) * 0.6, 0
    )
    options = dict(horizon=4, n_members=1, n_windows=64, calibration_size=20)
    network = GRURegressor(units=4)
    model = Forecaster(network, **options, random_state=0, **asked).fit(None, trend)
    X, levels = np.empty((4, 0)), (0.1, 0.4, 0.5, 0.9)
    together = model.predict_quantiles(X, levels)
    alone = [model.predict_quantiles(X, (level,))[:, 0] for level in levels]
    np.testing.assert_array_equal(np.column_stack(alone), together)
    low, high = model.predict_quantiles(X, (0.1, 0.9)).T
    assert (low <= model.predict(X)).all()
    assert (high >= model.predict(X)).all()
