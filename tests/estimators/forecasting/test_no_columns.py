"""X without columns: rows, and nothing known of them."""

import numpy as np
import pandas as pd
import pytest
from _forecasters import months, of_every_strategy, quick, season
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skrnn.forecasting import backtest, check_leakage

Y = season(72, noise=0.3)
NOTHING = np.empty((72, 0))


@of_every_strategy
def test_an_array_without_columns_is_no_x(strategy):
    alone = quick(strategy=strategy).fit(None, Y)
    model = quick(strategy=strategy).fit(NOTHING, Y)
    assert model.n_features_in_ == 0
    np.testing.assert_array_equal(model.predict(np.empty((6, 0))), alone.forecast(6))
    np.testing.assert_array_equal(model.predict([[]] * 6), alone.forecast(6))
    pd.testing.assert_series_equal(model.forecast(6), alone.forecast(6))
    later = model.update(np.empty((2, 0)), Y[:2]).forecast(3)
    pd.testing.assert_series_equal(later, alone.update(None, Y[:2]).forecast(3))


def test_the_index_of_y_still_tells_the_dates():
    model = quick().fit(NOTHING, months(Y))
    assert model.forecast(1).index[0] == pd.Timestamp("2006-01-01")
    assert model.predict(np.empty((2, 0))).shape == (2,)


def test_groups_go_with_it():
    groups = np.repeat(["a", "b"], 36)
    model = quick(Ridge(), lookback=6).fit(NOTHING, Y, groups=groups)
    found = model.predict(np.empty((4, 0)), groups=["a", "b"] * 2)
    assert found.shape == (4,)


def test_tools_and_steps_before_take_it():
    cv = TimeSeriesSplit(2, test_size=6)
    grid = {"lookback": [6, 12]}
    search = GridSearchCV(quick(Ridge()), grid, cv=cv).fit(NOTHING, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    frame = backtest(quick(Ridge()), NOTHING, Y, initial=60)
    expected = backtest(quick(Ridge()), None, Y, initial=60)
    pd.testing.assert_frame_equal(frame, expected)
    assert not check_leakage(quick(Ridge()), cv, NOTHING, Y).leaks
    drop_all = make_column_transformer(("drop", [0]), remainder="drop")
    model = make_pipeline(drop_all, quick(Ridge())).fit(Y[:, None], Y)
    assert model.predict(np.zeros((3, 1))).shape == (3,)


def test_columns_that_fit_had_or_had_not_are_still_asked_for():
    with pytest.raises(ValueError, match="1 features, but Forecaster is expecting 0"):
        quick(Ridge()).fit(NOTHING, Y).predict(np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"0 feature\(s\) \(shape=\(3, 0\)\) while a"):
        quick(Ridge()).fit(Y[:, None] ** 2, Y).predict(np.empty((3, 0)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick(Ridge()).fit(NOTHING[:5], Y)
