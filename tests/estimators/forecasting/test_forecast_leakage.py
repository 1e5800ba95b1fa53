"""Nothing at or after a cutoff reaches a forecast: change the future, none moves.

Bit for bit: a value that is read and multiplied by a small weight would still show.
"""

import copy
from itertools import product

import numpy as np
import pandas as pd
import pytest
from _forecasters import STRATEGIES, months, of_every_strategy, panel_of, quick, season
from _tables import covering
from sklearn.model_selection import (
    GridSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.preprocessing import StandardScaler

N, CUTOFF, HORIZON = 60, 48, 4
FEATURES = dict(past_features=["past", "past kind"], static_features=["static"])
TRANSFORMS = {
    "none": {},
    "log": {"target_transform": "log"},
    "both": {"target_transform": StandardScaler(), "difference": (1, 2)},
}


def frame(index, seed=0):
    """Return covariates of every kind; numbers, categories and the dates."""
    rng, n = np.random.default_rng(seed), len(index)
    return pd.DataFrame(
        {
            "past": rng.normal(size=n),
            "ahead": rng.normal(size=n),
            "past kind": rng.choice(["dry", "wet"], n),
            "kind": rng.choice(["work", "rest", "feast"], n),
            "is open": rng.random(n) < 0.5,
            "static": 1.0,
        },
        index,
    )


def one_series(is_missing):
    y = months(season(N, 6, noise=0.3))
    if is_missing:
        # Before and behind the cutoff.
        y.iloc[[5, 30, 31, 46, 47, 50]] = np.nan
    X = frame(y.index)
    return X, y, np.arange(N) >= CUTOFF


def panel(is_missing):
    y = panel_of(season(N, 6, noise=0.3), 50 + 9 * season(N - 12, 6, noise=0.3))
    if is_missing:
        y.iloc[[5, 30, 31, 47, 50, 70, 95]] = np.nan
    X = frame(y.index)
    X.loc["b", "static"] = 2.0
    within = np.concatenate([np.arange(N), np.arange(N - 12)])
    return X, y, within >= np.repeat([CUTOFF, CUTOFF - 12], [N, N - 12])


DATA = {"series": one_series, "panel": panel}


def changed(X, y, future):
    """Change all of the future but what is known ahead."""
    X, y = X.copy(), y.copy()
    y[future] = 1e3 + np.arange(future.sum())
    X.loc[future, "past"] = -1e3
    X.loc[future, "past kind"] = np.where(X["past kind"][future] == "dry", "wet", "dry")
    return X, y


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


# Every transform of whole and of missing values in every strategy; each strategy has
# both kinds of data and all that normalizes.
HOW = covering(
    product(TRANSFORMS, [False, True], STRATEGIES),
    DATA,
    ["window", "last", None],
)


@pytest.mark.parametrize(("how", "data", "normalize"), HOW)
def test_no_forecast_moves(how, data, normalize):
    transform, is_missing, strategy = how
    X, y, future = DATA[data](is_missing)
    X2, y2 = changed(X, y, future)
    forecaster = quick(
        strategy=strategy,
        normalize=normalize,
        n_windows=40,
        lookback=12,
        calendar=("month_of_year",),
        **TRANSFORMS[transform],
        **FEATURES,
    )
    forecaster.fit(X[~future], y[~future])
    forecasts = forecaster.predict(X[future])
    assert np.isfinite(forecasts).all()
    same(forecaster.predict(X2[future]), forecasts)
    same(forecaster.predict(X[future].drop(columns=["past", "past kind"])), forecasts)
    # Every row's own cutoff: row t is forecast from the rows before.
    one, other = (
        copy.copy(forecaster).update(_X[future], _y[future]).fitted_values()
        for _X, _y in [(X, y), (X2, y2)]
    )
    last = future & ~np.roll(future, 1)
    same(one[~future | last], other[~future | last])
    assert np.isfinite(one[last]).all()
    later = future & ~last
    assert (one[later].to_numpy() != other[later].to_numpy()).any()


@of_every_strategy
@pytest.mark.parametrize("is_missing", [False, True], ids=["whole", "missing"])
def test_no_interval_moves(strategy, is_missing):
    X, y, future = one_series(is_missing)
    X2, _ = changed(X, y, future)
    forecaster = quick(strategy=strategy, lookback=12, calibration_size=16, **FEATURES)
    forecaster.fit(X[~future], y[~future])
    bounds = forecaster.predict_interval(X[future][:HORIZON], coverage=0.5)
    same(forecaster.predict_interval(X2[future][:HORIZON], coverage=0.5), bounds)


@of_every_strategy
@pytest.mark.parametrize("data", DATA)
def test_nothing_is_learned_from_the_calibration_part(strategy, data):
    """Neither from its values nor from its covariates, of which units are made."""
    X, y, late = DATA[data](False)
    X2, y2 = changed(X, y, late)
    X2.loc[late, "ahead"] *= 100
    n_held_out = N - CUTOFF
    if data == "series":
        # What is missing at first isn't counted.
        y.iloc[:2] = y2.iloc[:2] = np.nan
    forecaster = quick(
        strategy=strategy, lookback=12, calibration_size=n_held_out, **FEATURES
    )
    one, other = (
        copy.copy(forecaster).fit(_X, _y).estimators_ for _X, _y in [(X, y), (X2, y2)]
    )
    for a, b in zip(one, other, strict=True):
        for found, expected in zip(a._weights, b._weights, strict=True):
            same(found, expected)


@of_every_strategy
def test_forecasters_of_known_covariates_do_read_them(strategy):
    """So that the tests above would see it: what is known ahead moves forecasts."""
    X, y, future = one_series(False)
    forecaster = quick(strategy=strategy, **FEATURES).fit(X[~future], y[~future])
    forecasts = forecaster.predict(X[future])
    for column, values in [
        ("ahead", 3.0),
        ("kind", "feast"),
        ("is open", ~X["is open"]),
    ]:
        other = forecaster.predict(X[future].assign(**{column: values}))
        assert (other != forecasts).any(), column
    known = X[~future].assign(past=0.0)
    moved = copy.copy(forecaster).fit(known, y[~future])
    assert (moved.predict(X[future]) != forecasts).any()


# In scikit-learn's tools the future is there, in the same arrays.

CV = TimeSeriesSplit(n_splits=3, test_size=6)


def later_folds(X, y, fold):
    """Return all folds, and X and y of which everything from `fold` on has changed."""
    folds = list(CV.split(X))
    future = np.arange(len(X)) >= folds[fold][1][0]
    return folds, *changed(X, y, future)


@pytest.mark.parametrize(("strategy", "fold"), covering(STRATEGIES, [0, 1, 2]))
def test_no_forecast_of_a_fold_moves(strategy, fold):
    X, y, _ = one_series(True)
    folds, X2, y2 = later_folds(X, y, fold)
    y[:], y2[:] = y.ffill(), y2.ffill()
    forecaster = quick(strategy=strategy, **FEATURES)
    for train, test in folds[: fold + 1]:
        one, other = (
            copy.copy(forecaster).fit(_X.iloc[train], _y.iloc[train])
            for _X, _y in [(X, y), (X2, y2)]
        )
        same(one.predict(X.iloc[test]), other.predict(X2.iloc[test]))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_forecast_of_cross_validate_moves(strategy):
    X, y, _ = one_series(False)
    _, X2, y2 = later_folds(X, y, 2)
    forecaster = quick(strategy=strategy, **FEATURES)
    one, other = (
        cross_validate(forecaster, _X, _y, cv=CV, return_estimator=True)
        for _X, _y in [(X, y), (X2, y2)]
    )
    same(one["test_score"][:2], other["test_score"][:2])
    assert one["test_score"][2] != other["test_score"][2]
    ahead = X.iloc[-6:]
    same(one["estimator"][2].predict(ahead), other["estimator"][2].predict(ahead))


def test_cross_val_predict_is_refused_a_fold_that_lies_in_training():
    """It wants each row in one test fold, so that some are trained on the future."""
    X, y, _ = one_series(False)
    before, behind = np.arange(N // 2), np.arange(N // 2, N)
    folds = [(before, behind), (behind, before)]
    with pytest.raises(ValueError, match="must follow those known so far"):
        cross_val_predict(quick(**FEATURES), X, y, cv=folds)


def test_a_search_scores_alike_whatever_comes_later():
    X, y, _ = one_series(False)
    _, X2, y2 = later_folds(X, y, 2)
    grid = [{"estimator__units": [2, 4]}, {"lookback": [6]}]
    one, other = (
        GridSearchCV(
            quick(n_windows=40, **FEATURES),
            grid,
            cv=CV,
            scoring="neg_mean_absolute_error",
        ).fit(_X, _y)
        for _X, _y in [(X, y), (X2, y2)]
    )
    for split in (0, 1):
        key = f"split{split}_test_score"
        same(one.cv_results_[key], other.cv_results_[key])
        assert np.isfinite(one.cv_results_[key]).all()
