"""Scores of estimators that answer every step."""

import numpy as np
from _small_fits import QUICK, quick
from sklearn.metrics import accuracy_score, r2_score

from skrnn import RNNClassifier, RNNRegressor


def test_score_of_steps_is_over_all_of_them_at_once(X, ragged):
    model = quick(RNNRegressor(), return_sequences=True)
    Y = X + X[:, ::-1]
    score = model.fit(X, Y).score(X, Y)
    expected = r2_score(Y.reshape(-1, 2), model.predict(X).reshape(-1, 2))
    np.testing.assert_allclose(score, expected)
    y = [x[:, 0] for x in ragged]
    score = model.fit(ragged, y).score(ragged, y)
    expected = r2_score(np.concatenate(y), np.concatenate(model.predict(ragged)))
    np.testing.assert_allclose(score, expected)


def test_score_of_tags_is_over_real_tokens():
    rng = np.random.default_rng(0)
    X = [rng.integers(1, 5, n) for n in rng.integers(1, 7, 24)]
    tags = [ids % 2 for ids in X]
    model = RNNClassifier(embedding_dim=2, return_sequences=True, **QUICK)
    model.fit(X, tags)
    predicted = np.concatenate(model.predict(X))
    expected = accuracy_score(np.concatenate(tags), predicted)
    assert model.score(X, tags) == expected
    padded, padded_tags = np.zeros((2, 24, 9), int)
    for row, ids in enumerate(X):
        padded[row, 1 : 1 + len(ids)] = ids
        padded_tags[row, 1 : 1 + len(ids)] = tags[row]
    assert model.score(padded, padded_tags) == expected


def test_weights_of_sequences_count_in_scores_of_steps(ragged):
    y = [x[:, 0] for x in ragged]
    model = quick(RNNRegressor(), return_sequences=True).fit(ragged, y)
    weights = np.arange(24)
    by_step = np.repeat(weights, [len(x) for x in ragged])
    truth, predicted = np.concatenate(y), np.concatenate(model.predict(ragged))
    expected = r2_score(truth, predicted, sample_weight=by_step)
    found = model.score(ragged, y, sample_weight=weights)
    np.testing.assert_allclose(found, expected)
