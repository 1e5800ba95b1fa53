"""Columns that hold something else later on, and long frames in odd forms."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from skrnn.forecasting import Forecaster

DAYS = pd.date_range("2024-01-01", periods=60)
Y = pd.Series(10 + np.sin(np.arange(60.0)), DAYS)
X = pd.DataFrame({"weather": np.where(np.arange(60) % 3, "sun", "rain")}, DAYS)


@pytest.mark.parametrize("value", [3, 1.5, True])
def test_numbers_are_no_categories(value):
    forecaster = Forecaster(Ridge(), horizon=2).fit(X[:50], Y[:50])
    with pytest.raises(
        ValueError, match=r"'weather' of X holds .*, but held categories"
    ):
        forecaster.predict(X[50:52].assign(weather=value))


def test_missing_categories_may_be_nan():
    forecaster = Forecaster(Ridge(), horizon=2, impute="last").fit(X[:50], Y[:50])
    last = X[50:52].assign(weather=X["weather"].iloc[49])
    found = forecaster.predict(X[50:52].assign(weather=np.nan))
    np.testing.assert_array_equal(found, forecaster.predict(last))


@pytest.mark.parametrize("form", ["%Y-%-m-%-d", "%d.%m.%Y"])
def test_strings_of_dates_are_sorted_by_the_dates(form):
    long = pd.DataFrame(
        {"unique_id": "a", "ds": DAYS.strftime(form), "y": Y.to_numpy()}
    )
    _, y = Forecaster.from_long(long.sample(frac=1, random_state=0))
    np.testing.assert_array_equal(y, Y)
    found = Forecaster(Ridge(), horizon=2).fit(None, y).forecast()
    assert found.index[0][1] == DAYS[-1] + pd.Timedelta("1D")


def test_a_row_without_a_series_is_told():
    long = pd.DataFrame({"unique_id": ["a", None], "ds": [1, 2], "y": [1.0, 2.0]})
    with pytest.raises(ValueError, match="'unique_id' names no series in row 1"):
        Forecaster.from_long(long)


def test_a_target_that_is_known_ahead_is_warned_of():
    y = Y.where(np.arange(60) != 3)
    given = pd.DataFrame({"weather": X["weather"], "price": Y**2, "sales": Y}, DAYS)
    model = Forecaster(Ridge(), horizon=3)
    expected = r"'sales' of X equals y, .* a series without .* fit\(None, y\)"
    with pytest.warns(UserWarning, match=expected):
        model.set_params(impute="last").fit(given, y)
    with pytest.warns(UserWarning, match=expected):
        model.fit(given, pd.DataFrame({"other": y + 1, "sales": y}))
    # No warning, which would be an error here.
    model.fit(given.assign(sales=given["sales"].shift(1)), y)
    model.fit(given.assign(sales=0.0), pd.Series(np.zeros(60), DAYS))
    model.set_params(past_features=["sales"]).fit(given, y)


@pytest.mark.parametrize("parts", ["month", "day_of_year"])
def test_a_series_for_each_year_is_warned_of(parts):
    dates = pd.date_range(
        "2018-03-01", "2021-09-30", freq={"month": "MS"}.get(parts, "D")
    )
    of_year = getattr(dates, parts)
    y = pd.Series(np.sin(np.arange(len(dates))), [dates.year, of_year])
    with pytest.warns(UserWarning, match=r"look like year and .* counts as 4 series"):
        Forecaster(Ridge(), horizon=1, lookback=2).fit(None, y)
    y.index = pd.PeriodIndex(dates, freq={"month": "M"}.get(parts, "D"))
    Forecaster(Ridge(), horizon=1, lookback=2).fit(None, y)


@pytest.mark.parametrize(
    "keys", [[1, 2, 3], [2018, 2020, 2021], ["2018", "2019", "2020"]]
)
def test_series_by_their_numbers_are_series(keys):
    index = pd.MultiIndex.from_product([keys, range(1, 21)])
    y = pd.Series(np.sin(np.arange(60.0)), index)
    model = Forecaster(Ridge(), horizon=1, lookback=2).fit(None, y)
    assert len(model.forecast(1)) == 3
