"""What a weight means: a zero removes a row, a scale says nothing, a 2 repeats it."""

import numpy as np
import pytest
from _instances import (
    FAST,
    FORMS,
    LEARNERS,
    assert_same_network,
    labels,
    numbers,
    sequences,
    target,
)
from sklearn.base import clone
from sklearn.metrics import recall_score
from sklearn.utils import _safe_indexing as rows_of
from sklearn.utils import compute_sample_weight

from skrnn import GRUClassifier, LSTMClassifier, LSTMRegressor

# Every third weight is 0, the others are 0.5 and 1.
WEIGHTS = np.arange(24) % 3 / 2
KEPT = np.flatnonzero(WEIGHTS)


def name(estimator):
    return type(estimator).__name__


def fast(network):
    return clone(network).set_params(epochs=2)


def assert_zeros_remove(model, X, y):
    weighted = clone(model).fit(X, y, sample_weight=WEIGHTS)
    removed = clone(model).fit(rows_of(X, KEPT), rows_of(y, KEPT), WEIGHTS[KEPT])
    assert_same_network(weighted, removed)
    assert weighted.history_ == removed.history_


class TestZero:
    """Not about the same: bit by bit the same."""

    @pytest.mark.parametrize("network", LEARNERS, ids=name)
    @pytest.mark.parametrize("form", FORMS)
    def test_removes_the_row(self, network, form):
        X = sequences(form)
        # More batches than one: they are made of what is left.
        model = fast(network).set_params(batch_size=7)
        assert_zeros_remove(model, X, target(network, X))

    @pytest.mark.parametrize(
        "options",
        [
            dict(early_stopping=True, validation_split=0.25),
            dict(dropout=0.3, recurrent_dropout=0.3),
            dict(normalize_y=False, loss="huber"),
            dict(shuffle=False, batch_size=5),
        ],
        ids=lambda options: next(iter(options)),
    )
    def test_removes_the_row_with(self, options):
        X = sequences("3-D")
        assert_zeros_remove(LSTMRegressor(**FAST | options), X, numbers(X))

    @pytest.mark.parametrize("form", FORMS)
    def test_removes_the_row_of_a_step_by_step_network(self, form):
        X = sequences(form)
        y = [x[:, 0] if x.ndim == 2 else x for x in X]
        y = y if form == "ragged" else np.array(y)
        model = LSTMRegressor(**FAST, return_sequences=True, batch_size=7)
        assert_zeros_remove(model, X, y)

    def test_removes_the_row_of_token_ids(self):
        X = np.random.default_rng(0).integers(1, 9, size=(24, 5))
        X[KEPT[0], 0] = 8  # The vocabulary is read from all rows.
        model = GRUClassifier(**FAST, embedding_dim=3)
        assert_zeros_remove(model, X, labels(X))

    @pytest.mark.parametrize("class_weight", ["balanced", {"up": 3.0}], ids=str)
    def test_removes_the_row_with_class_weights(self, class_weight):
        X = sequences("3-D")
        model = LSTMClassifier(**FAST, class_weight=class_weight)
        assert_zeros_remove(model, X, labels(X))

    def test_removes_the_row_in_partial_fit(self):
        X, y = sequences("3-D"), numbers(sequences("3-D"))
        one, other = LSTMRegressor(**FAST), LSTMRegressor(**FAST)
        for _ in range(2):
            one.partial_fit(X, y, sample_weight=WEIGHTS)
            other.partial_fit(X[KEPT], y[KEPT], sample_weight=WEIGHTS[KEPT])
        assert_same_network(one, other)


class TestScale:
    @pytest.mark.parametrize("network", LEARNERS, ids=name)
    def test_does_not_matter(self, network):
        X = sequences("3-D")
        y = target(network, X)
        fitted = [
            fast(network).fit(X, y, sample_weight=scale * WEIGHTS)
            for scale in (1.0, 2.0**-20, 1000.0)
        ]
        # A power of two is exact, any other factor is rounded.
        assert_same_network(fitted[0], fitted[1])
        np.testing.assert_allclose(
            fitted[0]._weights[-2], fitted[2]._weights[-2], rtol=1e-3, atol=1e-5
        )

    @pytest.mark.parametrize("network", LEARNERS, ids=name)
    def test_equal_weights_are_none(self, network):
        X = sequences("3-D")
        y = target(network, X)
        equal = fast(network).fit(X, y, sample_weight=np.full(24, 4.0))
        assert_same_network(equal, fast(network).fit(X, y))


class TestTwo:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("network", LEARNERS, ids=name)
    def test_repeats_the_row(self, network, form):
        # In batches of all rows, where only the rounding of float32 tells them apart.
        X = sequences(form)
        y = target(network, X)
        twice = np.concatenate([np.arange(24), np.arange(8)])
        model = clone(network).set_params(batch_size=32, learning_rate=0.01)
        weighted = clone(model).fit(X, y, sample_weight=1.0 + (np.arange(24) < 8))
        repeated = clone(model).fit(rows_of(X, twice), y[twice])
        unweighted = clone(model).fit(X, y)
        one, other, neither = map(outputs, (weighted, repeated, unweighted), [X] * 3)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
        # Ten times what is allowed between the first two, at the least.
        assert abs(one - neither).max() > 3e-3


def outputs(fitted, X):
    """Return predictions that aren't rounded to labels, (n,)."""
    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(X)[:, 1]
    return fitted.predict(X)


class TestClassWeight:
    """A weight of a class is a weight of each of its sequences."""

    @pytest.mark.parametrize("form", FORMS)
    def test_dict(self, form):
        X = sequences(form)
        y = labels(X)
        of_class = LSTMClassifier(**FAST, class_weight={"up": 3, "down": 0.5}).fit(X, y)
        weights = np.where(y == "up", 3, 0.5)
        of_rows = LSTMClassifier(**FAST).fit(X, y, sample_weight=weights)
        assert_same_network(of_class, of_rows)

    @pytest.mark.parametrize("form", FORMS)
    def test_dict_of_some_classes_and_weights(self, form):
        X = sequences(form)
        y = np.array(["a", "b", "c"])[np.arange(24) % 3]
        model = LSTMClassifier(**FAST, class_weight={"b": 3})
        weights = np.linspace(1, 2, 24)
        of_class = model.fit(X, y, sample_weight=weights)
        weights = weights * np.where(y == "b", 3, 1)
        of_rows = LSTMClassifier(**FAST).fit(X, y, sample_weight=weights)
        assert_same_network(of_class, of_rows)

    @pytest.mark.parametrize("y", [np.arange(24) % 4 == 0, np.arange(24) % 5 // 2])
    def test_balanced(self, y):
        X = sequences("3-D")
        of_class = LSTMClassifier(**FAST, class_weight="balanced").fit(X, y)
        weights = compute_sample_weight("balanced", y)
        of_rows = LSTMClassifier(**FAST).fit(X, y, sample_weight=weights)
        assert_same_network(of_class, of_rows)

    def test_balanced_indicator(self):
        X = sequences("3-D")
        y = np.column_stack([np.arange(24) % 4 == 0, np.arange(24) % 3 == 0]).astype(
            int
        )
        of_class = LSTMClassifier(**FAST, class_weight="balanced").fit(X, y)
        weights = compute_sample_weight("balanced", y)
        of_rows = LSTMClassifier(**FAST).fit(X, y, sample_weight=weights)
        assert_same_network(of_class, of_rows)

    def test_balanced_counts_weights(self):
        # Weights that make the classes alike in total leave nothing to balance.
        X = sequences("3-D")
        y = np.where(np.arange(24) % 4 == 0, "rare", "often")
        alike = np.where(y == "rare", 3.0, 1.0)
        balanced = LSTMClassifier(**FAST, class_weight="balanced")
        plain = LSTMClassifier(**FAST)
        assert_same_network(
            balanced.fit(X, y, sample_weight=alike),
            plain.fit(X, y, sample_weight=alike),
        )

    def test_balanced_finds_the_rare_class(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(400, 5, 2))
        y = numbers(X) + rng.normal(size=400) > 3
        found = []
        for class_weight in (None, "balanced"):
            model = LSTMClassifier(**FAST | {"epochs": 4}, class_weight=class_weight)
            model.fit(X[:200], y[:200])
            found.append(recall_score(y[200:], model.predict(X[200:])))
        assert found[1] > found[0] + 0.2
