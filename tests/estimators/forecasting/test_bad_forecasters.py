"""What a Forecaster can't be, or can't be asked: one clear error each."""

import re

import numpy as np
import pandas as pd
import pytest
from _forecasters import months, panel_of, quick, season
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import LSTMClassifier, LSTMRegressor
from skrnn.forecasting import Forecaster, backtest

Y = season(60, noise=0.2)
COUNT = "an int in the range [1, inf)"
COUNTS = "a non-empty tuple of positive ints"
NOT_COUNTS = [0, -1, 2.5, "8", True]
NAMES = "an array-like or None"
# Parameter -> what it must be, and what it can't be.
BAD_PARAMETERS = {
    "estimator": (
        "an object implementing 'fit' or None",
        ["lstm", 3],
    ),
    "lookback": (
        f"a str among {{'auto'}}, {COUNT} or {COUNTS}",
        [*NOT_COUNTS, (), [], (3, 0), (3, 2.5), (True,), None],
    ),
    "horizon": (COUNT, [*NOT_COUNTS, None, (3,)]),
    "strategy": (
        "a str among {'aligned', 'auto', 'direct', 'multioutput', 'recursive'}",
        ["multi_output", None, 1],
    ),
    "seasonal_periods": (
        "a str among {'auto'}, an int in the range [2, inf), a non-empty tuple of ints "
        "from 2 on or None",
        [1, 0, 2.5, "12", True, (), (1,), (12, 1), (12, 2.5)],
    ),
    "normalize": ("a str among {'last', 'window'} or None", ["mean", True, 1]),
    "target_transform": (
        "a str among {'log', 'log1p', 'sqrt'}, an object implementing 'fit', "
        "'inverse_transform' and 'transform' or None",
        ["exp", np.log, 1],
    ),
    "difference": (f"{COUNT}, {COUNTS} or None", [*NOT_COUNTS, (), (1, 0)]),
    "gap": ("an int in the range [0, inf)", [-1, 2.5, "1", True, None]),
    "impute": ("a str among {'last', 'mean'} or None", ["median", True, 0]),
    "n_members": (COUNT, [*NOT_COUNTS, None]),
    "n_windows": (COUNT, [*NOT_COUNTS, None, 1e5]),
    "calibration_size": (
        f"a float in the range (0.0, 1.0), {COUNT} or None",
        [0, 0.0, 1.0, 1.5, -1, "0.2", True, np.nan],
    ),
    "random_state": (
        "an int in the range [0, 4294967295], an instance of "
        "'numpy.random.mtrand.RandomState' or None",
        [-1, "0", 1.5],
    ),
    "verbose": ("an int in the range [0, inf), an instance of 'bool'", [-1, "yes"]),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (_, values) in BAD_PARAMETERS.items() for value in values],
    ids=repr,
)
def test_a_parameter_is_named_with_what_it_must_be(name, value):
    forecaster = quick().set_params(**{name: value})
    expected = f"The {name!r} parameter of Forecaster must be {BAD_PARAMETERS[name][0]}"
    with pytest.raises(InvalidParameterError) as caught:
        forecaster.fit(None, Y)
    assert not hasattr(forecaster, "estimators_")
    assert normal(expected) <= normal(str(caught.value))


def normal(text):
    """Return the words of a message: constraints are joined in any order."""
    text = text.replace(". Got", " Got")
    return set(text.replace(",", " ").replace(" or ", " ").split())


# What can't be together -> what is said of it.
BAD_FITS = {
    "a season of no table": (
        quick(seasonal_periods=10**20),
        "seasonal_periods must be numbers of rows, at most 2147483647; got 1000000000"
        "00000000000.",
    ),
    "aligned without steps": (
        quick(Ridge(), strategy="aligned"),
        "strategy='aligned' needs a recurrent regressor or a Transformer of skrnn, "
        "which answer at every step; got estimator=Ridge(). Take 'multioutput', "
        "'direct' or 'recursive'.",
    ),
    "a classifier of ours": (
        quick(LSTMClassifier()),
        "estimator=LSTMClassifier() is a classifier; expected a regressor.",
    ),
    "a classifier": (
        quick(LogisticRegression()),
        "estimator=LogisticRegression() is a classifier; expected a regressor.",
    ),
    "differences over a gap": (
        quick(gap=2, difference=1),
        "difference=1 needs the steps of the gap, and gap=2; take "
        "strategy='recursive', or no difference.",
    ),
    "a long difference": (
        quick(difference=60),
        "Found 60 sample(s) in y while a minimum of 65 is required by Forecaster with "
        "horizon=4 and 60 rows lost to differences: one to forecast from, and 64 after "
        "it.",
    ),
    "a long horizon": (
        quick(horizon=58, gap=2),
        "Found 60 sample(s) in y while a minimum of 61 is required by Forecaster with "
        "horizon=58 and gap=2: one to forecast from, and 60 after it.",
    ),
    "a small calibration part": (
        quick(calibration_size=4, gap=1),
        "calibration_size=4 holds 4 rows out; expected at least 5, the horizon and "
        "the gap.",
    ),
    "a small share": (
        quick(calibration_size=0.01),
        "calibration_size=0.01 holds 1 rows out; expected at least 4, the horizon and "
        "the gap.",
    ),
    "a large calibration part": (
        quick(calibration_size=56),
        "calibration_size=56 holds out 56 of the 60 rows of y; too few are left to "
        "learn from.",
    ),
    "a parameter of the estimator": (
        quick(LSTMRegressor(units=0)),
        "The 'units' parameter of LSTMRegressor must be an int in the range [1, inf) "
        "or a non-empty tuple of positive ints. Got 0 instead.",
    ),
    "a parameter of another one": (
        quick(Ridge(alpha=-1.0)),
        "The 'alpha' parameter of Ridge must be a float in the range [0.0, inf) or an "
        "array-like. Got -1.0 instead.",
    ),
}


@pytest.mark.parametrize("case", BAD_FITS)
def test_what_does_not_go_together_is_said(case):
    forecaster, message = BAD_FITS[case]
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        forecaster.fit(None, Y)
    assert str(caught.value) == message
    assert not hasattr(forecaster, "estimators_")
    assert not hasattr(forecaster, "seasonal_periods_")


def fitted(**parameters):
    return quick(Ridge(), lookback=12, **parameters).fit(None, months(Y))


AHEAD = pd.date_range("2005-01", periods=3, freq="MS")
# A call of a fitted Forecaster -> what is said of it.
BAD_CALLS = {
    "no steps": (lambda f: f.forecast(0), "The 'steps' parameter of forecast must be"),
    "half a step": (
        lambda f: f.forecast(2.5),
        "The 'steps' parameter of forecast must",
    ),
    "steps as text": (
        lambda f: f.forecast("2"),
        "The 'steps' parameter of forecast mu",
    ),
    "no coverage": (lambda f: f.forecast(coverage=0.0), "The 'coverage' parameter of"),
    "all covered": (
        lambda f: f.predict_interval(AHEAD, 1.0),
        "The 'coverage' parameter of the interval must be a float in the range (0.0, "
        "1.0), as 0.9 for 90 %. Got 1.0 instead.",
    ),
    "no calibration": (
        lambda f: f.predict_interval(AHEAD),
        "Intervals need errors of forecasts that weren't trained on: fit with "
        "Forecaster(calibration_size=...), such as 0.2; or with quantiles or a "
        "distribution, which the networks learn.",
    ),
    "no X": (
        lambda f: f.predict(None),
        "X is None; expected the rows to forecast. For",
    ),
    "no rows": (lambda f: f.predict(AHEAD[:0]), "Found array with 0 sample(s)"),
    "rows that don't follow": (
        lambda f: f.predict(AHEAD[1:]),
        "The rows in X must follow those known so far, which end at 2004-12-01",
    ),
    "rows of training": (
        lambda f: f.predict(AHEAD - pd.DateOffset(years=2)),
        "fitted_values() has the forecasts of known rows",
    ),
    "an update that doesn't follow": (
        lambda f: f.update(None, months(Y)),
        "must follow those known so far, which end at 2004-12-01",
    ),
    "groups that weren't there": (
        lambda f: f.predict(AHEAD, groups=["a", "a", "b"]),
        "series with names, but fit had one without",
    ),
    "another panel": (
        lambda f: f.update(None, panel_of(Y)),
        "series with names, but fit had one without",
    ),
    "a number of steps as X": (
        lambda f: f.predict(3),
        "X is 3; expected rows, or their index. The next 3 steps are forecast(3).",
    ),
    "a series alone": (
        lambda f: f.fit(Y),
        "A series without other columns is y, and X is None: (None, y).",
    ),
    "y alone": (
        lambda f: f.fit(y=Y),
        "A series without other columns is y, and X is None: (None, y).",
    ),
    "steps of predict": (
        lambda f: f.predict(steps=3),
        "unexpected keyword argument 'steps'. The next steps are forecast(3).",
    ),
    "a percentage": (
        lambda f: f.forecast(3, coverage=90),
        "a float in the range (0.0, 1.0), as 0.9 for 90 %. Got 90",
    ),
    "the name of a column as y": (
        lambda f: f.fit(None, "sales"),
        "y is 'sales'; expected values. If it is a column, give frame['sales']",
    ),
    "an unknown argument": (
        lambda f: f.forecast(n_steps=3),
        "forecast() got an unexpected keyword argument 'n_steps'",
    ),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_is_refused_and_changes_nothing(case):
    call, message = BAD_CALLS[case]
    forecaster = fitted()
    before, state = forecaster.forecast(3), dict(vars(forecaster))
    with pytest.raises((ValueError, TypeError)) as caught:
        call(forecaster)
    assert message in str(caught.value)
    assert vars(forecaster) == state
    np.testing.assert_array_equal(forecaster.forecast(3), before)


def test_a_backtest_of_a_series_alone_says_where_it_goes():
    message = r"^backtest\(\): missing .* 'y'\. A series .* is y, and X is None"
    with pytest.raises(TypeError, match=message):
        backtest(Forecaster(horizon=3), Y)


@pytest.mark.parametrize(
    "method", ["forecast", "predict", "update", "fitted_values", "predict_interval"]
)
def test_what_is_not_fitted_says_so(method):
    given = {"forecast": (), "fitted_values": (), "update": (None, Y)}
    with pytest.raises(ValueError, match="This Forecaster instance is not fitted yet"):
        getattr(Forecaster(), method)(*given.get(method, (AHEAD,)))


def test_a_cluster_is_no_regressor():
    """It has ``fit`` and ``predict``, and no y."""
    with pytest.raises(
        ValueError, match=r"KMeans\(\) is a clusterer; expected a regressor"
    ):
        quick(KMeans()).fit(None, Y)


def test_a_series_that_is_too_short_to_calibrate_on_is_named():
    y = panel_of(Y, Y[:14])
    with pytest.raises(ValueError, match="holds out 12 of the 14 rows of series 'b'"):
        quick(calibration_size=12).fit(None, y)


def test_an_iterator_is_no_table():
    expected = "X is an iterator, which can be read only once; expected a table"
    with pytest.raises(TypeError, match=expected):
        quick().fit(None, Y).predict_interval(iter([1, 2]))


def test_dates_as_a_column_of_y_are_sent_to_the_index():
    frame = months(Y).rename_axis("ds").reset_index()
    expected = r"Column 'ds' of y .*set_index\('ds'\).*Forecaster.from_long"
    with pytest.raises(ValueError, match=expected):
        quick().fit(None, frame)


def test_quantiles_of_another_coverage_are_named():
    forecaster = quick(quantiles=(0.1, 0.9)).fit(None, Y)
    assert forecaster.forecast(2, coverage=0.8).shape == (2, 3)
    expected = (
        r"coverage=0.9 needs the quantiles 0.05 and 0.95, .*\[0.1, 0.5, 0.9\]; "
        r"expected coverage to be one of \[0.8\]"
    )
    with pytest.raises(ValueError, match=expected):
        forecaster.forecast(2, coverage=0.9)


@pytest.mark.parametrize(
    ("parameters", "instead"),
    [
        ({"estimator": 12}, "Steps to forecast are horizon=12."),
        ({"past_features": "price"}, "Write past_features=['price']."),
        ({"quantiles": 0.9}, "Write quantiles=[0.9]."),
    ],
)
def test_what_was_meant_is_written(parameters, instead):
    with pytest.raises(InvalidParameterError, match=re.escape(instead)):
        Forecaster(**parameters).fit(None, Y)
