"""Scores of forecasts: against their formulas, and scikit-learn's conventions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import GridSearchCV

from skrnn.metrics import (
    continuous_ranked_probability_score,
    get_scorer,
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
)

RNG = np.random.default_rng(0)
TRUTH, PREDICTED = RNG.normal(size=(2, 12, 3))
TRAIN = RNG.normal(size=(40, 3)).cumsum(axis=0)


def mase(truth, predicted, train, season):
    """Write the formula of Hyndman & Koehler down, one column."""
    steps = [abs(train[t] - train[t - season]) for t in range(season, len(train))]
    return np.mean(np.abs(truth - predicted)) / np.mean(steps)


def smape(truth, predicted):
    pairs = zip(truth, predicted, strict=True)
    return np.mean([200 * abs(y - f) / (abs(y) + abs(f)) for y, f in pairs])


@pytest.mark.parametrize("season", [1, 7, 39])
def test_scaled_error_is_its_formula(season):
    expected = [
        mase(*(each[:, k] for each in (TRUTH, PREDICTED, TRAIN)), season)
        for k in range(3)
    ]
    options = dict(y_train=TRAIN, seasonal_period=season)
    found = mean_absolute_scaled_error(
        TRUTH, PREDICTED, multioutput="raw_values", **options
    )
    np.testing.assert_allclose(found, expected)
    mean = mean_absolute_scaled_error(TRUTH, PREDICTED, **options)
    np.testing.assert_allclose(mean, np.mean(expected))
    assert isinstance(mean, float)


def test_percentage_error_is_its_formula():
    expected = [smape(TRUTH[:, k], PREDICTED[:, k]) for k in range(3)]
    score = symmetric_mean_absolute_percentage_error
    found = score(TRUTH, PREDICTED, multioutput="raw_values")
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(
        score(TRUTH, PREDICTED, multioutput=[0.5, 0.5, 0]), np.mean(expected[:2])
    )


SCORES = {
    "mase": lambda *pair, **options: mean_absolute_scaled_error(
        *pair, y_train=TRAIN[:, 0], **options
    ),
    "smape": symmetric_mean_absolute_percentage_error,
    "crps": lambda truth, predicted, **options: continuous_ranked_probability_score(
        truth,
        np.stack([np.asarray(predicted) - 1, np.asarray(predicted)], axis=-1),
        quantiles=[0.2, 0.5],
        **options,
    ),
}


@pytest.mark.parametrize("name", SCORES)
def test_a_weight_is_a_row_given_several_times(name):
    weights = np.arange(12) % 3
    rows = np.repeat(np.arange(12), weights)
    score = SCORES[name]
    found = score(TRUTH, PREDICTED, sample_weight=weights)
    np.testing.assert_allclose(found, score(TRUTH[rows], PREDICTED[rows]))


@pytest.mark.parametrize("name", SCORES)
def test_frames_and_lists_are_scored_as_arrays(name):
    score, expected = SCORES[name], SCORES[name](TRUTH[:, 0], PREDICTED[:, 0])
    assert score(pd.Series(TRUTH[:, 0]), pd.Series(PREDICTED[:, 0])) == expected
    assert score(TRUTH[:, 0].tolist(), PREDICTED[:, 0].tolist()) == expected


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(*[st.floats(-1e6, 1e6, allow_subnormal=False)] * 2),
        min_size=1,
        max_size=8,
    )
)
def test_percentage_error_is_symmetric_and_bounded(pairs):
    truth, predicted = map(list, zip(*pairs, strict=True))
    score = symmetric_mean_absolute_percentage_error
    found = score(truth, predicted)
    assert 0 <= found <= 200 * (1 + 1e-12)
    assert found == pytest.approx(score(predicted, truth))


def test_what_would_divide_by_zero():
    score = symmetric_mean_absolute_percentage_error
    assert score([0.0], [0.0]) == 0
    assert score([0.0], [1e-300]) == 200
    assert score([1e308], [-1e308]) == 200
    constant = dict(y_train=[2.0, 2.0, 2.0])
    assert mean_absolute_scaled_error([5.0], [5.0], **constant) == 0
    assert 1e14 < mean_absolute_scaled_error([5.0], [4.0], **constant) < np.inf


def test_training_values_that_are_missing_do_not_count():
    train = [1.0, np.nan, 2.0, 4.0, np.nan]
    assert mean_absolute_scaled_error([0.0], [1.0], y_train=train) == 0.5


def test_one_training_series_serves_all_steps_of_a_horizon():
    options = dict(multioutput="raw_values")
    found = mean_absolute_scaled_error(
        TRUTH, PREDICTED, y_train=TRAIN[:, 1], seasonal_period=7, **options
    )
    expected = [mase(TRUTH[:, h], PREDICTED[:, h], TRAIN[:, 1], 7) for h in range(3)]
    np.testing.assert_allclose(found, expected)


def test_crps_is_twice_the_mean_pinball_loss():
    levels, predicted = [0.1, 0.5, 0.9], RNG.normal(size=(12, 3))
    losses = [
        mean_pinball_loss(TRUTH[:, 0], predicted[:, i], alpha=level)
        for i, level in enumerate(levels)
    ]
    found = continuous_ranked_probability_score(
        TRUTH[:, 0], predicted, quantiles=levels
    )
    assert found == pytest.approx(2 * np.mean(losses))
    # Of a single value it is the absolute error.
    same = np.repeat(PREDICTED[:, :1], 3, axis=1)
    found = continuous_ranked_probability_score(TRUTH[:, 0], same, quantiles=levels)
    assert found == pytest.approx(mean_absolute_error(TRUTH[:, 0], PREDICTED[:, 0]))


def test_crps_of_a_normal_distribution():
    from scipy.stats import norm

    levels = (np.arange(200) + 0.5) / 200
    y = np.array([-1.0, 0.3, 2.0])
    predicted = np.tile(norm.ppf(levels), (3, 1))
    # Gneiting & Raftery's equation 21.
    expected = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    found = continuous_ranked_probability_score(y, predicted, quantiles=levels)
    assert found == pytest.approx(expected.mean(), abs=2e-3)


REFUSED = {
    "fewer forecasts": (
        lambda: symmetric_mean_absolute_percentage_error([1.0, 2.0], [1.0]),
        "inconsistent numbers of samples",
    ),
    "other outputs": (
        lambda: mean_absolute_scaled_error(TRUTH, TRUTH[:, :2], y_train=TRAIN),
        "different number of output",
    ),
    "other training columns": (
        lambda: mean_absolute_scaled_error(TRUTH, TRUTH, y_train=TRAIN[:, :2]),
        "y_train has 2 columns, but y_true has 3",
    ),
    "a short training series": (
        lambda: mean_absolute_scaled_error(
            [1.0], [1.0], y_train=[1.0, 2.0], seasonal_period=2
        ),
        "y_train has n=2 values, no two of them seasonal_period=2 steps apart",
    ),
    "no season": (
        lambda: mean_absolute_scaled_error(
            [1.0], [1.0], y_train=[1.0, 2.0], seasonal_period=0
        ),
        "'seasonal_period' parameter",
    ),
    "NaN": (
        lambda: symmetric_mean_absolute_percentage_error([np.nan], [1.0]),
        "y_true contains NaN",
    ),
    "a quantile of 1": (
        lambda: continuous_ranked_probability_score(
            [1.0], [[1.0, 2.0]], quantiles=[0.5, 1.0]
        ),
        "expected numbers between 0 and 1",
    ),
    "other quantiles": (
        lambda: continuous_ranked_probability_score(TRUTH, TRUTH, quantiles=[0.5] * 3),
        r"y_pred has shape \(12, 3\); expected \(12, 3, 3\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_scores_refuse_by_name(name):
    score, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        score()


def test_scorer_serves_searches():
    X = np.arange(20.0)[:, None]
    y = 3 * X.ravel() + 1
    scorer = get_scorer("neg_symmetric_mean_absolute_percentage_error")
    search = GridSearchCV(Ridge(), {"alpha": [1e-6, 1e6]}, scoring=scorer, cv=3)
    search.fit(X, y)
    assert search.best_params_ == {"alpha": 1e-6}
    predicted = search.predict(X)
    expected = -symmetric_mean_absolute_percentage_error(y, predicted)
    assert scorer(search, X, y) == expected
    assert repr(scorer).startswith("get_scorer('neg_symmetric_mean_absolute_perc")
