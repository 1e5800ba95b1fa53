"""Forecasts of counts are counts; categories that weren't in training are told."""

import warnings

import numpy as np
import pandas as pd
import pytest
from _forecasters import quick
from _tables import covering
from sklearn.linear_model import Ridge

from skrnn.forecasting import WindowSplit

DAYS = pd.date_range("2024-01-01", periods=70, freq="D")
N = 60


# Each kind of count with and without calibration, once for an even number of members.
@pytest.mark.parametrize(
    ("n_members", "name", "calibration_size"),
    covering([1, 2, 4, 3], ["poisson", "negative_binomial"], [None, 20]),
)
def test_all_that_is_said_of_counts_is_counts(n_members, name, calibration_size):
    y = np.random.default_rng(0).poisson(3.5, N)
    forecaster = quick(
        distribution=name, n_members=n_members, calibration_size=calibration_size
    ).fit(None, y)
    levels = np.arange(1, 20) / 20
    found = [forecaster.forecast(6), forecaster.forecast(6, quantiles=levels)]
    found += [forecaster.forecast(4, coverage=0.5), forecaster.sample_paths(4, 30)]
    for each in found:
        each = each.to_numpy()
        np.testing.assert_array_equal(each, np.maximum(np.round(each), 0))
    assert (np.diff(found[1].to_numpy(), axis=1) >= 0).all()
    np.testing.assert_array_equal(found[0], found[1][0.5])


def categories(**values):
    """Return rows of two columns; `values` stand in the rows to come."""
    X = pd.DataFrame({"shop": ["a", "b"] * 35, "weather": ["sun"] * 70}, DAYS)
    for name, value in values.items():
        X.loc[DAYS[N] :, name] = value
    return X


def fitted(**parameters):
    forecaster = quick(Ridge(), lookback=8, calendar=None, **parameters)
    return forecaster.fit(categories()[:N], np.arange(float(N)))


def test_unknown_categories_are_told_once_with_column_and_values():
    forecaster = fitted()
    X = categories(shop=[*"cdefghi", "a", "c", "b"], weather="hail")[N:]
    with pytest.warns(UserWarning, match="unknown categories") as told:
        forecaster.forecast(4, X)
    (message,) = (str(each.message) for each in told)
    assert message.startswith(
        "Found unknown categories ['c', 'd', 'e', 'f', 'g'] and 2 more in column "
        "'shop'; ['hail'] in column 'weather' of X, which weren't in fit."
    )
    # The warning points at this file, not into the package.
    assert told[0].filename == __file__


@pytest.mark.parametrize("missing", [pd.NA, pd.NaT, None, np.nan], ids=repr)
def test_a_value_that_is_missing_is_named_wherever_it_is(missing):
    X = categories().astype(object)[:N]
    X.iloc[3, 0] = missing
    n_windows = len(list(WindowSplit(2, test_size=2).split(X)))
    with pytest.raises(ValueError, match="column 'shop' has one in row"):
        quick(Ridge(), lookback=8, calendar=None).fit(X, np.arange(float(N)))
    assert n_windows == 2


@pytest.mark.parametrize("method", ["predict", "update", "history"])
def test_every_way_in_tells_them(method):
    forecaster, X = fitted(past_features=["weather"]), categories(shop="z")
    calls = {
        "predict": lambda: forecaster.predict(X[N:][["shop"]]),
        "update": lambda: forecaster.update(X[N:], np.zeros(10)),
        "history": lambda: forecaster.forecast(
            2, X.set_axis(DAYS + pd.Timedelta(days=62))[8:], history=(X, np.zeros(70))
        ),
    }
    with pytest.warns(
        UserWarning, match="unknown categories \\['z'\\] in column 'shop'"
    ):
        calls[method]()


def test_known_and_missing_categories_are_no_news():
    forecaster = fitted(impute="last")
    X = categories(shop=None, weather="sun")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecaster.predict(X[N:])
