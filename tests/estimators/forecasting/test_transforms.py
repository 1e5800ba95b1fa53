"""What becomes of y before it is learned, and the way back."""

import copy
import warnings

import numpy as np
import pytest
from _forecasters import of_every_strategy, panel_of, quick, season
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from skrnn._estimators.forecasting.panel import Panel
from skrnn._estimators.forecasting.transforms import TRANSFORMS, fit_transform

LAGS = st.lists(st.integers(1, 5), max_size=3).map(tuple)
NAMES = [None, *TRANSFORMS, StandardScaler(), PowerTransformer(method="box-cox")]


def as_panel(series):
    """Return a panel of arrays (n, K)."""
    y = np.concatenate(series)
    none = np.arange(len(y), dtype=np.float32)[:, None]
    return Panel(y, np.array([len(each) for each in series]), none, none)


def differences(y, lags):
    for lag in lags:
        y = np.concatenate([np.full_like(y[:lag], np.nan), y[lag:] - y[:-lag]])
    return y


@st.composite
def cases(draw):
    """Draw series of which the last steps are to come, a transform and lags."""
    lags, horizon = draw(LAGS), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n_targets = draw(st.integers(1, 2))
    lengths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3))
    rows = [sum(lags) + length + horizon for length in lengths]
    series = [rng.uniform(0.5, 9, (n, n_targets)) for n in rows]
    return series, draw(st.sampled_from(NAMES)), lags, horizon


@given(cases())
@settings(max_examples=150)
def test_true_forecasts_come_back_as_they_were(case):
    series, transform, lags, horizon = case
    panel = as_panel([each[:-horizon] for each in series])
    # Box and Cox's transform of one row alone can't be found.
    assume(len(panel.y) > 1 or transform is None or isinstance(transform, str))
    with warnings.catch_warnings():
        # Of few rows PowerTransformer can't tell much.
        warnings.simplefilter("ignore")
        found = fit_transform(transform, lags, panel.y)
    done = found.of(panel)
    whole = [differences(found.forward(each), lags) for each in series]
    # What is learned: the series without its end and its first rows.
    lost = sum(lags)
    learned = [each[lost:-horizon] for each in whole]
    np.testing.assert_allclose(done.panel.y, np.concatenate(learned))
    assert done.panel.lengths.tolist() == [len(each) for each in learned]
    rows = [np.arange(len(each))[lost:] for each in learned]
    kept = [
        start + lost + np.arange(n)
        for start, n in zip(panel.starts, done.panel.lengths, strict=True)
    ]
    assert len(rows) == len(kept)
    np.testing.assert_array_equal(done.panel.known[:, 0], np.concatenate(kept))
    np.testing.assert_array_equal(done.panel.past[:, 0], np.concatenate(kept))
    z = np.stack([each[-horizon:] for each in whole], axis=1)
    ends = done.panel.starts + done.panel.lengths
    truth = np.stack([each[-horizon:] for each in series], axis=1)
    np.testing.assert_allclose(done.undo(z, ends), truth, rtol=1e-6, atol=1e-6)


@given(LAGS.filter(bool), st.integers(0, 10**6))
@settings(max_examples=50)
def test_true_forecasts_come_back_from_any_row(lags, seed):
    rng = np.random.default_rng(seed)
    series = [rng.normal(size=(sum(lags) + n, 1)) for n in (4, 7)]
    panel = as_panel(series)
    done = fit_transform(None, lags, panel.y).of(panel)
    # The last row of each series is forecast from those before.
    origins = done.panel.starts + done.panel.lengths - 1
    z = done.panel.y[origins][None]
    truth = np.stack([each[-1:] for each in series], axis=1)
    np.testing.assert_allclose(done.undo(z, origins), truth, atol=1e-9)


@pytest.mark.parametrize("lags", [(), (1,), (1, 2)])
@pytest.mark.parametrize("transform", ["log", StandardScaler()], ids=str)
def test_missing_values_stay_missing_and_others_exact(transform, lags):
    y = np.arange(1.0, 13.0)[:, None] ** 1.5
    y[[3, 4]] = np.nan
    panel = as_panel([y])
    found = fit_transform(transform, lags, y)
    done = found.of(panel)
    expected = differences(found.forward(y), lags)[sum(lags) :]
    np.testing.assert_allclose(done.panel.y, expected)
    z = np.zeros((3, 1, 1))
    assert np.isfinite(done.undo(z, np.array([len(done.panel.y)]))).all()
    # A value that is missing at the end: differences go on from the last one known.
    y[-1] = np.nan
    done = fit_transform(None, (1,), y).of(as_panel([y]))
    np.testing.assert_allclose(done.undo(z, np.array([11]))[:, 0, 0], y[-2, 0])


def test_only_what_is_learned_from_shapes_a_transformer():
    """Neither later rows of `update`, nor the calibration part."""
    y = season(60, noise=0.2)
    one, other = (
        quick(Ridge(), target_transform=StandardScaler(), calibration_size=20).fit(
            None, np.append(y[:40], end)
        )
        for end in (y[40:], 100 + y[40:])
    )
    means = [f._model.transform.fitted.mean_ for f in (one, other)]
    np.testing.assert_array_equal(*means)
    np.testing.assert_allclose(means[0], y[:40].mean())
    one.update(None, y + 50)
    np.testing.assert_array_equal(one._model.transform.fitted.mean_, means[0])


def test_a_transformer_of_the_user_is_cloned():
    scaler = StandardScaler()
    quick(Ridge(), target_transform=scaler).fit(None, season(40))
    assert not hasattr(scaler, "mean_")


@of_every_strategy
def test_differences_forecast_a_straight_line(strategy):
    """A network sees equal differences, and adds nothing to them."""
    line = 3.0 * np.arange(50) + 7
    forecaster = quick(strategy=strategy, difference=1).fit(None, line)
    np.testing.assert_allclose(forecaster.forecast(6), 3.0 * np.arange(50, 56) + 7)
    parabola = np.arange(50.0) ** 2
    forecaster = quick(strategy=strategy, difference=(1, 1)).fit(None, parabola)
    np.testing.assert_allclose(forecaster.forecast(6), np.arange(50.0, 56) ** 2)
    np.testing.assert_allclose(forecaster.fitted_values()[40:], parabola[40:])


@of_every_strategy
def test_seasonal_differences_forecast_a_season_on_a_line(strategy):
    y = season(60) + 0.5 * np.arange(60)
    forecaster = quick(strategy=strategy, difference=12, seasonal_periods=None)
    future = season(66)[60:] + 0.5 * np.arange(60, 66)
    np.testing.assert_allclose(forecaster.fit(None, y).forecast(6), future, atol=1e-6)


@of_every_strategy
def test_log_forecasts_growth_of_any_size(strategy):
    y = np.exp(0.1 * np.arange(50))
    parameters = dict(strategy=strategy, target_transform="log", difference=1)
    forecaster = quick(**parameters).fit(None, panel_of(y, 1000 * y))
    found = forecaster.forecast(6).to_numpy().reshape(2, 6)
    expected = np.exp(0.1 * np.arange(50, 56))
    np.testing.assert_allclose(found, [expected, 1000 * expected], rtol=1e-6)


@pytest.mark.parametrize(
    ("transform", "value"), [("log", 0.0), ("log", -1.0), ("log1p", -1), ("sqrt", -0.1)]
)
def test_values_without_a_transform_are_named(transform, value):
    y = season(40)
    fitted = quick(Ridge(), target_transform=transform).fit(None, y)
    before = fitted.forecast(2)
    message = f"y has {value:.6g}, of which target_transform='{transform}' makes no num"
    with pytest.raises(ValueError, match=message):
        clone(fitted).fit(None, np.append(y, value))
    with pytest.raises(ValueError, match=message):
        fitted.update(None, [value])
    with pytest.raises(ValueError, match=message):
        fitted.forecast(2, history=np.append(y, value))
    np.testing.assert_array_equal(fitted.forecast(2), before)


def test_a_transformer_may_answer_frames():
    scaler = StandardScaler().set_output(transform="pandas")
    one, other = (
        quick(Ridge(), target_transform=each).fit(None, season(40))
        for each in (scaler, StandardScaler())
    )
    np.testing.assert_array_equal(one.forecast(3), other.forecast(3))
    logs = FunctionTransformer(np.log, np.exp)
    one, other = (
        quick(Ridge(), target_transform=each).fit(None, season(40))
        for each in (logs, "log")
    )
    np.testing.assert_array_equal(one.forecast(3), other.forecast(3))


@pytest.mark.parametrize("lags", [3, (1, 2)])
def test_series_too_short_to_be_differenced_are_named(lags):
    y = panel_of(season(40), season(2))
    with pytest.raises(
        ValueError, match=r"series 'b' has 2 rows, but difference=.*4\."
    ):
        quick(Ridge(), difference=lags).fit(None, y)
    forecaster = quick(Ridge(), difference=lags).fit(None, season(40))
    with pytest.raises(ValueError, match=r"y has 3 rows, but difference=.* least 4\."):
        forecaster.forecast(2, history=season(3))
    assert np.isfinite(forecaster.forecast(2, history=season(4))).all()


@of_every_strategy
def test_differences_of_several_series_are_those_of_each(strategy):
    """A series alone is forecast as in the panel by the same network."""
    y = panel_of(season(40, noise=0.3), 50 + season(33, noise=0.3, seed=1))
    forecaster = quick(strategy=strategy, difference=(1, 2)).fit(None, y)
    both = forecaster.forecast(5)
    for name in "ab":
        alone = copy.copy(forecaster).forecast(5, history=y[[name]])
        np.testing.assert_allclose(alone.to_numpy(), both[name].to_numpy(), rtol=1e-6)
