"""R2 of several targets is that of scikit-learn: averaged over targets."""

import numpy as np
import pytest
from _instances import FAST, NETWORKS
from sklearn.base import clone, is_regressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skrnn import GRURegressor, RNNRegressor, Seq2SeqRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
RAGGED = [RNG.normal(size=(2 + i % 4, 2)) for i in range(24)]
WEIGHTS = np.arange(24) % 3
REGRESSORS = [each for each in NETWORKS if is_regressor(each)]
# Of two units: around 20 and around 1013, as temperatures and pressures are.
UNITS = np.array([20.0, 1013.0])
# What y is -> the estimator, X, y, and what scikit-learn scores it as.
CASES = {
    "once": (RNNRegressor, {}, X, X[:, 0] + UNITS, (-1, 2)),
    "a number a step": (GRURegressor, {"return_sequences": True}, X, X[..., 0], (-1,)),
    "steps": (GRURegressor, {"return_sequences": True}, X, X + UNITS, (-1, 2)),
    "ragged steps": (
        GRURegressor,
        {"return_sequences": True},
        RAGGED,
        [x + UNITS for x in RAGGED],
        (-1, 2),
    ),
    "one step ahead": (Seq2SeqRegressor, {}, X, X[:, 0, 0], (-1,)),
    "steps ahead": (Seq2SeqRegressor, {}, X, X[:, :3, 0] * [1, 9, 99], (24, 3)),
    "targets ahead": (Seq2SeqRegressor, {}, X, X[:, :3] + UNITS, (24, 6)),
}


def flat(steps, shape):
    return np.concatenate([np.ravel(each) for each in steps]).reshape(shape)


def fitted(key):
    estimator, options, x, y, shape = CASES[key]
    return estimator(**FAST | options).fit(x, y), x, y, shape


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("key", CASES)
def test_it_is_averaged_over_targets(key, weighted):
    model, x, y, shape = fitted(key)
    weights, of_rows = None, None
    if weighted:
        weights = of_rows = WEIGHTS
        if len(flat(y, shape)) > 24:
            of_rows = np.repeat(WEIGHTS, [len(each) for each in y])
    truth, predicted = (flat(a, shape) for a in (y, model.predict(x)))
    expected = r2_score(truth, predicted, sample_weight=of_rows)
    assert model.score(x, y, sample_weight=weights) == pytest.approx(expected)


@pytest.mark.parametrize("key", ["steps", "ragged steps", "targets ahead"])
def test_units_of_targets_do_not_lift_the_score(key):
    # Over all numbers at once it is about 1, for a network that has learnt nothing.
    model, x, y, _ = fitted(key)
    assert model.set_params(epochs=1).score(x, y) < 0.5


@pytest.mark.parametrize("key", ["steps", "targets ahead"])
def test_searches_take_the_same(key):
    estimator, options, x, y, _ = CASES[key]
    model, cv = estimator(**FAST | options), KFold(2)
    scores = cross_val_score(model, x, y, cv=cv)
    own = [
        clone(model).fit(x[rows], y[rows]).score(x[others], y[others])
        for rows, others in cv.split(x)
    ]
    assert scores == pytest.approx(own)
    search = GridSearchCV(model, {"units": [8]}, cv=cv).fit(x, y)
    assert search.best_score_ == pytest.approx(np.mean(own))


def test_the_scorer_of_scikit_learn_says_the_same():
    estimator, options, x, y, _ = CASES["steps ahead"]
    model = estimator(**FAST | options)
    by_name = cross_val_score(model, x, y, cv=KFold(2), scoring="r2")
    assert by_name == pytest.approx(cross_val_score(model, x, y, cv=KFold(2)))


def test_steps_with_weights_of_their_own_are_scored_by_themselves():
    model, x, y, _ = fitted("steps ahead")
    weights, predicted = RNG.integers(0, 3, (24, 3)), model.predict(x)
    expected = [
        r2_score(y[:, h], predicted[:, h], sample_weight=weights[:, h])
        for h in range(3)
    ]
    found = model.score(x, y, sample_weight=weights)
    assert found == pytest.approx(np.mean(expected))
    # Without a spread of its own a step has no R2.
    weights[1:, 2] = 0
    found = model.score(x, y, sample_weight=weights)
    assert found == pytest.approx(np.mean(expected[:2]))


def test_targets_of_weight_0_are_not_read():
    for key in ("once", "steps", "ragged steps", "steps ahead", "targets ahead"):
        model, x, y, _ = fitted(key)
        missing = [np.full(np.shape(each), np.nan) if not w else each
                   for each, w in zip(y, WEIGHTS, strict=True)]  # fmt: skip
        missing = missing if key == "ragged steps" else np.array(missing)
        expected = model.score(x, y, sample_weight=WEIGHTS)
        assert model.score(x, missing, sample_weight=WEIGHTS) == expected
