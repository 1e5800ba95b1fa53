"""Sizes that a file tells are checked against its weights, before anything is made."""

import numpy as np
import pytest

import skrnn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3, 2))
TINY = {"units": 2, "epochs": 1, "random_state": 0}
# Name -> an estimator, what it learns, and an attribute that doesn't fit it.
CASES = {
    "targets": (skrnn.GRURegressor, X[:, -1], {"_y_shape": (10**6,)}),
    "targets twice": (skrnn.GRURegressor, X[:, -1], {"_y_shape": (2, 2)}),
    "no targets": (skrnn.GRURegressor, X[:, -1], {"_y_shape": ()}),
    "steps": (skrnn.Seq2SeqRegressor, X[:, :, 0], {"_y_shape": (10**6,)}),
    "steps and targets": (skrnn.Seq2SeqRegressor, X, {"_y_shape": (3, 10**6)}),
    "labels": (skrnn.Seq2SeqClassifier, X[:, :, 0] > 0, {"_longest_output": 10**6}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_other_sizes_than_its_weights_is_refused(case, tmp_path):
    cls, y, wrong = CASES[case]
    model = cls(**TINY).fit(X, y)
    path = tmp_path / "model.skrnn"
    skrnn.save(model, path)
    assert skrnn.load(path).predict(X).shape == y.shape
    vars(model).update(wrong)
    skrnn.save(model, path)
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be "):
        skrnn.load(path)


def test_longer_outputs_than_a_file_may_tell_are_not_learnt():
    y = np.zeros((2, 100_001))
    with pytest.raises(
        ValueError, match="y has sequences of 100001 steps; expected at"
    ):
        skrnn.Seq2SeqRegressor(**TINY).fit(X[:2], y)
    with pytest.raises(
        ValueError, match="y has sequences of 100001 steps; expected at"
    ):
        skrnn.Seq2SeqClassifier(**TINY).fit(X[:2], y.astype(int))
