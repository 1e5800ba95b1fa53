"""What every estimator and every network of it learns, by which loss and weight."""

import keras
import numpy as np
import pytest
from _instances import assert_same_network
from _small_fits import CLOSE, LEARNS, QUICK, every_estimator
from sklearn.base import clone, is_classifier
from sklearn.metrics import r2_score

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    SequenceRegressor,
)
from skrnn._networks.cells import CELLS

NETWORK_CHOICES = {
    "stacked": dict(units=(8, 8)),
    "bidirectional": dict(bidirectional=True),
    "additive attention": dict(attention="additive"),
    "dot attention": dict(attention="dot"),
    "multihead attention": dict(attention="multihead"),
    "dense head": dict(dense_units=(8, 4)),
    "dropout": dict(dropout=0.1, recurrent_dropout=0.1),
    "layer norm": dict(layer_norm=True),
}


@pytest.mark.parametrize("choice", NETWORK_CHOICES)
def test_every_network_learns(choice, task):
    X, y = task
    cell = list(CELLS)[len(choice) % 3]
    model = SequenceRegressor(cell=cell, **LEARNS | NETWORK_CHOICES[choice])
    model.fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


@every_estimator
def test_every_estimator_learns(estimator, task):
    X, y = task
    y = np.where(y > 0, "up", "down") if is_classifier(estimator) else y
    model = clone(estimator).set_params(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_backward_direction_sees_what_comes(task):
    X, _ = task
    y = np.roll(X[:, :, 0], -1, axis=1)[:, :-1]
    options = LEARNS | dict(return_sequences=True)
    blind = GRURegressor(**options).fit(X[:150, :-1], y[:150])
    seeing = GRURegressor(bidirectional=True, **options).fit(X[:150, :-1], y[:150])
    last = np.s_[150:, :-1]
    assert blind.score(X[last], y[150:]) < 0.2
    # The last step's target is outside of what it is given.
    truth, found = y[150:, :-1].ravel(), seeing.predict(X[last])[:, :-1].ravel()
    assert r2_score(truth, found) > 0.8


def test_tagging_learns(ragged):
    tags = [np.where(np.cumsum(x[:, 0]) > 0, "up", "down") for x in ragged]
    model = GRUClassifier(return_sequences=True, **LEARNS).fit(ragged, tags)
    assert model.score(ragged, tags) > 0.85


def test_filtering_learns(task):
    X, _ = task
    y = np.cumsum(X[:, :, 0], axis=1)
    model = GRURegressor(return_sequences=True, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_token_embeddings_learn():
    rng = np.random.default_rng(0)
    X = [rng.integers(1, 7, rng.integers(2, 9)) for _ in range(200)]
    y = np.array(["has" if 3 in ids else "not" for ids in X])
    model = LSTMClassifier(embedding_dim=4, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.9


def test_several_classes_are_learnt(task):
    X, y = task
    y = np.digitize(y, [-1, 1])
    model = GRUClassifier(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.75


def test_several_labels_are_learnt(task):
    X, _ = task
    y = (X[:, -1] > 0).astype(int)
    model = GRUClassifier(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.75


def test_recurrent_dropout_alone_changes_training(task):
    X, y = task
    plain = GRURegressor(**QUICK).fit(X, y)
    same = GRURegressor(recurrent_dropout=1e-9, **QUICK).fit(X, y)
    noisy = GRURegressor(recurrent_dropout=0.5, **QUICK).fit(X, y)
    np.testing.assert_allclose(plain.predict(X), same.predict(X), **CLOSE)
    assert not np.allclose(plain.predict(X), noisy.predict(X), **CLOSE)


def test_units_of_y_do_not_matter(task):
    X, y = task
    model = GRURegressor(**LEARNS).fit(X, y)
    large = GRURegressor(**LEARNS).fit(X, 1e6 * y + 1e9)
    assert abs(model.score(X, y) - large.score(X, 1e6 * y + 1e9)) < 1e-3
    np.testing.assert_allclose((large.predict(X) - 1e9) / 1e6, model.predict(X), 0.01)


def test_normalize_y_can_be_left_out(task):
    X, y = task
    model = GRURegressor(normalize_y=False, **QUICK).fit(X, y + 100)
    # It starts at zero and has hardly moved.
    assert abs(model.predict(X)).max() < 10
    assert abs(GRURegressor(**QUICK).fit(X, y + 100).predict(X) - 100).max() < 10


@pytest.mark.parametrize("loss", ["mean_absolute_error", "huber", "log_cosh"])
def test_named_losses_learn(loss, task):
    X, y = task
    model = GRURegressor(loss=loss, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_loss_is_chosen_by_the_labels(X):
    y = X[:, -1, 0] > 0
    binary, *others = (
        RNNClassifier(loss=loss, **QUICK).fit(X, y)
        for loss in ("auto", "binary_crossentropy", "categorical_crossentropy")
    )
    for other in others:
        assert_same_network(binary, other)


def test_a_crossentropy_must_fit_the_labels(X):
    for loss, target, message in [
        ("binary_crossentropy", np.arange(24) % 3, "y has 3 classes"),
        ("categorical_crossentropy", np.eye(2, dtype=int)[[0, 1] * 12], "indicator"),
    ]:
        with pytest.raises(ValueError, match=message):
            RNNClassifier(loss=loss, **QUICK).fit(X, target)


def absolute_error(y_true, y_pred):
    return keras.ops.mean(abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    "loss",
    [absolute_error, keras.losses.MeanAbsoluteError()],
    ids=["function", "instance"],
)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_own_losses_of_numbers(loss, return_sequences, X):
    y = X.sum(axis=2) if return_sequences else X[:, -1, 0]
    options = QUICK | dict(return_sequences=return_sequences)
    named = RNNRegressor(loss="mean_absolute_error", **options).fit(X, y)
    own = RNNRegressor(loss=loss, **options).fit(X, y)
    # Compiled, while the named one runs by kernels; its gradient is a sign, which
    # rounding may turn over.
    np.testing.assert_allclose(own.predict(X), named.predict(X), atol=1e-3)


def test_own_losses_of_labels(X):
    losses = keras.losses
    y = X[:, -1, 0]
    for target, loss in [
        (y > 0, losses.BinaryCrossentropy()),
        (y > 0, losses.binary_crossentropy),
        (np.digitize(y, [-0.5, 0.5]), losses.SparseCategoricalCrossentropy()),
    ]:
        auto = RNNClassifier(**QUICK).fit(X, target).predict_proba(X)
        own = RNNClassifier(loss=loss, **QUICK).fit(X, target).predict_proba(X)
        np.testing.assert_allclose(own, auto, **CLOSE)


# Weights of classes and of sequences


def test_class_weights_move_probabilities(task):
    X, y = task
    y = (y > 0).astype(int)
    options = LEARNS | dict(epochs=5)
    plain = GRUClassifier(**options).fit(X, y).predict_proba(X)[:, 1].mean()
    for class_weight, sign in (({1: 20}, 1), ({0: 20}, -1)):
        model = GRUClassifier(class_weight=class_weight, **options).fit(X, y)
        assert sign * (model.predict_proba(X)[:, 1].mean() - plain) > 0.05


def test_class_weights_are_weights_of_sequences(task):
    X, y = task
    y = (y > 1).astype(int)
    by_class = GRUClassifier(class_weight={0: 1, 1: 3}, **QUICK).fit(X, y)
    by_row = GRUClassifier(**QUICK).fit(X, y, sample_weight=np.where(y, 3.0, 1))
    assert_same_network(by_class, by_row)
    balanced = GRUClassifier(class_weight="balanced", **QUICK).fit(X, y)
    weights = len(y) / 2 / np.bincount(y)
    by_row = GRUClassifier(**QUICK).fit(X, y, sample_weight=weights[y])
    assert_same_network(balanced, by_row)


def test_weights_draw_the_fit_to_their_rows(task):
    X, y = task
    y = np.where(np.arange(200) % 2, y, -y)
    odd = np.arange(200) % 2
    model = GRURegressor(**LEARNS).fit(X, y, sample_weight=np.where(odd, 1, 0.01))
    assert model.score(X[odd == 1], y[odd == 1]) > 0.7
    assert model.score(X[odd == 0], y[odd == 0]) < 0


@pytest.mark.parametrize("name", ["CategoricalFocalCrossentropy", "KLDivergence"])
def test_a_loss_of_one_hot_rows_is_refused(name):
    loss = getattr(keras.losses, name)()
    X, y = np.zeros((9, 3, 1)), np.arange(9) % 3
    with pytest.raises(ValueError, match=rf"loss={name}\(\) compares rows"):
        LSTMClassifier(units=2, epochs=1, loss=loss).fit(X, y)
    words = ["ab", "b", "ca"]
    with pytest.raises(ValueError, match=rf"loss={name}\(\) compares rows"):
        Seq2SeqClassifier(units=2, epochs=1, loss=loss).fit(words, words)
