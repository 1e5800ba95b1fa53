"""Strategy "recursive" forecasts the steps of a gap too: what each of them reads."""

import numpy as np
import pandas as pd
import pytest
from _forecasters import quick
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skrnn.forecasting import Forecaster, backtest

# What the day of the week says, in the waves that the calendar reads of it.
OF_WEEKDAY = 5 + 20 * np.sin(2 * np.pi * np.arange(7) / 7)
DAYS = pd.date_range("2021-01-04", periods=28 * 7 + 9, freq="D")


def recursive(estimator, **parameters):
    given = dict(strategy="recursive", lookback=1, normalize=None)
    given |= dict(seasonal_periods=None, horizon=2)
    return Forecaster(estimator, **given | parameters)


def calendar_series():
    """Return values that grow by what the weekday says: each step needs its own."""
    return pd.Series(np.cumsum(OF_WEEKDAY[DAYS.day_of_week]), DAYS)


@pytest.mark.parametrize("gap", [0, 1, 3, 8])
def test_each_step_of_the_gap_has_its_own_date(gap):
    """The next value is the last one and what the day adds, over the gap as well."""
    y = calendar_series()
    forecaster = recursive(LinearRegression(), gap=gap, calendar=("day_of_week",))
    forecaster.fit(None, y[:-9])
    expected = y[len(y) - 9 + gap :][:4]
    found = forecaster.forecast(4)[: len(expected)]
    assert_allclose(found, expected, atol=0.05)
    assert_array_equal(found.index, expected.index)
    assert_allclose(forecaster.predict(expected.index), expected, atol=0.05)


def test_the_series_of_a_panel_have_their_own_dates():
    """They end on other weekdays."""
    y = calendar_series()
    given = pd.concat({"a": y[:-9], "b": y[:-12]}, names=["series", "time"])
    forecaster = recursive(LinearRegression(), gap=3, calendar=("day_of_week",))
    found = forecaster.fit(None, given).forecast(3)
    assert_allclose(found["a"], y[-6:-3], atol=0.05)
    assert_allclose(found["b"], y[-9:-6], atol=0.05)


def covariate_series(n=120):
    """Return a covariate, and a series that grows by it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"added": rng.normal(size=n)}, DAYS[:n])
    return X, X["added"].cumsum()


@pytest.mark.parametrize("steps", [None, 2])
def test_the_rows_of_the_gap_may_be_given(steps):
    X, y = covariate_series()
    forecaster = recursive(LinearRegression(), gap=3, calendar=None)
    forecaster.fit(X[:100], y[:100])
    # float32 is what networks read.
    assert_allclose(forecaster.forecast(steps, X[100:105]), y[103:105], atol=1e-5)
    without = forecaster.forecast(2, X[103:105])
    last = y.iloc[99] + 3 * X["added"].iloc[99]
    assert_allclose(without, last + X["added"][103:105].cumsum(), atol=1e-5)
    assert_array_equal(forecaster.predict(X[103:105]), without)


def test_the_rows_of_the_gap_are_of_each_series():
    X, y = covariate_series()
    both = pd.concat({"a": X[:90], "b": X[:100]}, names=["series", "time"])
    values = pd.concat({"a": y[:90], "b": y[:100]}, names=["series", "time"])
    forecaster = recursive(LinearRegression(), gap=3, calendar=None)
    forecaster.fit(both, values)
    # In another order than in training.
    later = pd.concat({"b": X[100:106], "a": X[90:95]}, names=["series", "time"])
    found = forecaster.forecast(2, later)
    assert_allclose(found["a"], y[93:95], atol=1e-5)
    assert_allclose(found["b"], y[103:105], atol=1e-5)


@pytest.mark.parametrize("strategy", ["aligned", "multioutput", "direct"])
def test_others_read_nothing_of_the_gap(strategy):
    X, y = covariate_series()
    forecaster = quick(strategy=strategy, gap=3, horizon=2, lookback=8, calendar=None)
    forecaster.fit(X[:100], y[:100])
    expected = forecaster.forecast(2, X[103:105])
    assert_array_equal(forecaster.forecast(2, X[100:105]), expected)


def test_rows_that_begin_in_the_middle_of_a_gap_are_refused():
    X, y = covariate_series()
    forecaster = recursive(LinearRegression(), gap=3).fit(X[:100], y[:100])
    with pytest.raises(ValueError, match="must follow those known so far"):
        forecaster.forecast(2, X[101:105])
    with pytest.raises(ValueError, match="must follow those known so far"):
        forecaster.predict(X[100:105])


def test_known_rows_are_forecast_from_what_was_known_of_the_gap():
    """Fitted values and errors of calibration: each step reads its own row."""
    X, y = covariate_series()
    forecaster = recursive(
        LinearRegression(), gap=3, horizon=2, calendar=None, calibration_size=20
    ).fit(X, y)
    assert_allclose(forecaster.fitted_values()[4:], y[4:], atol=1e-4)
    assert forecaster._model.calibration.scores.max() < 1e-4


def test_paths_cross_the_gap_with_their_own_dates():
    y = calendar_series().diff().fillna(0.0)
    given = dict(strategy="recursive", horizon=2, gap=3, calendar=("day_of_week",))
    given |= dict(lookback=7, seasonal_periods=None, n_windows=6000)
    forecaster = quick(distribution="normal", **given).fit(None, y[:-9])
    median = forecaster.forecast(2)
    paths = forecaster.sample_paths(2, n_samples=60, random_state=0)
    # Saturday takes, Sunday gives: the other days of the week differ by far less.
    spread = OF_WEEKDAY.std()
    assert (np.abs(paths.median(axis=1) - median) < spread).all()


def test_a_backtest_crosses_gaps():
    y = calendar_series()
    model = recursive(
        DecisionTreeRegressor(random_state=0), difference=1, gap=2, horizon=3
    )
    model.set_params(calendar=("day_of_week",), lookback=2)
    frame = backtest(model, None, y, initial=150, step=10, horizon=3, refit=False)
    assert_allclose(frame["y_pred"], frame["y_true"], atol=1e-6)
