"""Halving searches over a Forecaster, with and without what they need to be told."""

import numpy as np
import pandas as pd
import pytest
from _forecasters import months, quick, season
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    TimeSeriesSplit,
)

Y = months(season(72, noise=0.3))
X = pd.DataFrame(index=Y.index)
GRID = {"lookback": [6, 12, 18, 24]}
BUDGET = dict(resource="n_windows", min_resources=64, max_resources=256)
WRITE_THIS = "takes folds that follow, as those of TimeSeriesSplit, and return_train_sc"


def halving(**options):
    given = dict(cv=TimeSeriesSplit(2, test_size=4), factor=2, random_state=0)
    return HalvingGridSearchCV(quick(Ridge()), GRID, **given | BUDGET | options)


@pytest.mark.filterwarnings("ignore:One or more of the train scores")
def test_training_scores_are_missing_and_a_warning_says_what_to_write():
    with pytest.warns(UserWarning, match=f"Scoring failed(.|\n)*{WRITE_THIS}"):
        asked = halving().fit(X, Y)
    found = halving(return_train_score=False).fit(X, Y)
    assert np.isnan(asked.cv_results_["mean_train_score"]).all()
    scores = [each.cv_results_["mean_test_score"] for each in (asked, found)]
    np.testing.assert_array_equal(*scores)
    assert asked.best_params_ == found.best_params_
    assert "mean_train_score" not in found.cv_results_


@pytest.mark.parametrize("search", [GridSearchCV, HalvingGridSearchCV])
def test_an_error_says_what_to_write(search):
    options = dict(cv=TimeSeriesSplit(2, test_size=4), error_score="raise")
    asked = search(quick(Ridge()), GRID, return_train_score=True, **options)
    if search is HalvingGridSearchCV:
        asked.set_params(**BUDGET)
    with pytest.raises(ValueError, match=WRITE_THIS):
        asked.fit(X, Y)


def test_rows_drawn_at_random_are_refused():
    options = dict(resource="n_samples", error_score="raise")
    search = halving(return_train_score=False, **options)
    search.set_params(min_resources=36, max_resources="auto")
    with pytest.raises(ValueError, match=r"is not in time order|is missing between"):
        search.fit(X, Y)


def test_folds_that_are_not_in_time_order_are_refused():
    search = GridSearchCV(quick(Ridge()), GRID, cv=KFold(3), error_score="raise")
    with pytest.raises(ValueError, match=r"must follow|is missing between"):
        search.fit(X, Y)
