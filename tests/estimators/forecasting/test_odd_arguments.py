"""Regressors and arguments that are odd, and still right or wrong."""

import numpy as np
import pytest
from _forecasters import quick, season
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import MultiTaskLasso, Ridge
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.preprocessing import StandardScaler

TAKES_COLUMNS = [
    MultiOutputRegressor(Ridge()),
    RegressorChain(Ridge()),
    MultiTaskLasso(),
]


@pytest.mark.parametrize("estimator", TAKES_COLUMNS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("strategy", ["multioutput", "direct", "recursive"])
def test_regressors_of_several_targets_take_one(estimator, strategy):
    """They refuse y (n,), and take y (n, 1)."""
    forecaster = quick(estimator, horizon=2, strategy=strategy)
    assert np.isfinite(forecaster.fit(None, season(60)).forecast(4)).all()


def test_a_regressor_may_have_predict_after_fit_alone():
    estimator = StackingRegressor([("ridge", Ridge())], cv=2)
    assert not hasattr(estimator, "predict")
    found = quick(estimator, horizon=2).fit(None, season(60)).forecast()
    np.testing.assert_allclose(found, season(62)[-2:], atol=0.3)


def test_a_transformer_is_no_regressor():
    with pytest.raises(ValueError, match=r"StandardScaler\(\) has no predict"):
        quick(StandardScaler()).fit(None, season(60))


@pytest.mark.parametrize("levels", [(np.nan, 0.5), (0.1, np.nan), (np.nan,)])
def test_no_level_of_a_quantile_is_nan(levels):
    with pytest.raises(ValueError, match="increasing numbers between 0 and 1"):
        quick(quantiles=levels).fit(None, season(60))


def test_calendar_is_no_switch():
    with pytest.raises(ValueError, match="calendar=True; expected 'auto'"):
        quick(Ridge(), calendar=True).fit(None, season(60))


def test_what_is_masked_is_missing():
    y, masked = season(60), np.arange(60) % 7 == 0
    masked[0] = False
    X = np.random.default_rng(0).normal(size=(60, 2))
    options = dict(impute="last", horizon=2, past_features=[1])
    given = [np.where(masked[:, None], np.nan, X), np.where(masked, np.nan, y)]
    expected = quick(Ridge(), **options).fit(*given).predict(X[:2])
    # What stands behind the mask is nonsense.
    odd = [
        np.ma.masked_array(np.where(m, 1e6, a), m)
        for a, m in ((X, np.repeat(masked[:, None], 2, axis=1)), (y, masked))
    ]
    found = quick(Ridge(), **options).fit(*odd).predict(X[:2])
    np.testing.assert_allclose(found, expected)


def test_a_forecaster_of_a_forecaster_is_refused():
    with pytest.raises(ValueError, match="is a forecaster itself"):
        quick(quick()).fit(None, season(60))


def test_what_is_no_count_is_refused_later_too():
    forecaster = quick(distribution="poisson").fit(None, np.arange(60) % 5)
    with pytest.raises(ValueError, match=r"is of counts.* but y has 1\.5"):
        forecaster.update(None, [1.5])
    with pytest.raises(ValueError, match=r"is of counts.* but y has -1"):
        forecaster.forecast(2, history=[3, -1.0])
    assert forecaster.forecast(2).index[0] == 60
