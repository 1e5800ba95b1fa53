"""What is handed to a forecast beside the steps: it is read, or refused."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skrnn.forecasting import Forecaster

MONTHS = pd.period_range("2010-01", periods=60, freq="M")
VALUES = 10 + np.sin(np.arange(60.0))


def fitted(index):
    return Forecaster(Ridge(), horizon=3).fit(None, pd.Series(VALUES, index=index))


HISTORIES = {
    "quarters for months": (
        MONTHS,
        pd.period_range("2010Q1", periods=30, freq="Q"),
        "periods of Q",
    ),
    "times for periods": (MONTHS, MONTHS[:30].to_timestamp(), "times without a"),
    "periods for times": (MONTHS.to_timestamp(), MONTHS[:30], "periods of M"),
    "a time zone": (
        MONTHS.to_timestamp(),
        MONTHS[:30].to_timestamp().tz_localize("UTC"),
        "history holds times with a time zone",
    ),
}


@pytest.mark.parametrize("case", HISTORIES.values(), ids=HISTORIES)
def test_a_history_has_the_labels_of_fit(case):
    of_fit, index, message = case
    history = pd.Series(VALUES[: len(index)], index=index)
    with pytest.raises(ValueError, match=message):
        fitted(of_fit).forecast(2, history=history)


def test_a_history_in_another_zone_is_read_in_that_of_fit():
    hours = pd.date_range("2024-01-01", periods=500, freq="h", tz="Europe/Berlin")
    y = pd.Series(np.sin(np.arange(500) * np.pi / 12) + 5, index=hours)
    forecaster = Forecaster(Ridge(), horizon=3, calendar=("time_of_day",)).fit(None, y)
    found = forecaster.forecast(3, history=y.tz_convert("Asia/Tokyo"))
    pd.testing.assert_series_equal(found, forecaster.forecast(3))


LATER = MONTHS.to_timestamp()[-1] + pd.offsets.MonthBegin(1)
REST = {
    "other dates": (
        pd.DataFrame(index=pd.date_range("1950", periods=3, freq="MS")),
        "must follow",
    ),
    "an index of other dates": (pd.date_range("1950", periods=3, freq="MS"), "follow"),
    "columns that fit had not": (
        pd.DataFrame(
            {"price": [1.0, 2, 3]}, index=pd.date_range(LATER, periods=3, freq="MS")
        ),
        "price|1 features",
    ),
    "fewer rows than steps": (pd.date_range(LATER, periods=2, freq="MS"), "2 rows"),
}


@pytest.mark.parametrize("case", REST.values(), ids=REST)
def test_rows_to_forecast_are_read_with_steps_and_without_columns(case):
    X, message = case
    with pytest.raises(ValueError, match=message):
        fitted(MONTHS.to_timestamp()).forecast(3, X)


def test_rows_that_follow_may_be_handed_over_without_columns():
    forecaster = fitted(MONTHS.to_timestamp())
    X = pd.date_range(LATER, periods=5, freq="MS")
    pd.testing.assert_series_equal(forecaster.forecast(3, X), forecaster.forecast(3))
