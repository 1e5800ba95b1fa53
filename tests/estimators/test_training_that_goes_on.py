"""Early stopping, warm starts, and streams of batches."""

import numpy as np
import pytest
from _instances import assert_same_network
from _small_fits import LEARNS, QUICK, every_estimator, quick
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import mean_squared_error

from skrnn import GRUClassifier, GRURegressor, RNNRegressor


@pytest.mark.parametrize("return_sequences", [False, True])
def test_early_stopping_keeps_the_best_epoch(return_sequences, task):
    X, y = task
    y = X.sum(axis=2) if return_sequences else y
    options = dict(early_stopping=True, patience=2, validation_split=0.2)
    options |= dict(epochs=200, learning_rate=0.1, return_sequences=return_sequences)
    model = GRURegressor(**QUICK | options).fit(X, y)
    losses = model.history_["val_loss"]
    assert len(losses) == len(model.history_["loss"]) == model.n_iter_ < 200
    assert model.best_epoch_ == np.argmin(losses) + 1 == model.n_iter_ - 2
    # The last rows are held out, and losses are in units of y's spread.
    held, scale = np.s_[-40:], model._y_scale[0] ** 2
    loss = mean_squared_error(y[held].ravel(), model.predict(X[held]).ravel()) / scale
    np.testing.assert_allclose(loss, min(losses), rtol=1e-4)


def test_early_stopping_by_itself_depends_on_the_number_of_sequences(monkeypatch, X):
    y = X[:, -1, 0]
    assert "val_loss" not in RNNRegressor(**QUICK).fit(X, y).history_
    monkeypatch.setattr("skrnn._estimators.network_base.EARLY_STOPPING_FROM", 20)
    assert "val_loss" in RNNRegressor(**QUICK).fit(X, y).history_


@every_estimator
def test_record_of_training(estimator, X):
    y = X[:, -1, 0]
    y = y > 0 if is_classifier(estimator) else y
    model = quick(estimator).fit(X, y)
    assert list(model.history_) == ["loss"]
    assert len(model.history_["loss"]) == model.n_iter_ == model.best_epoch_ == 2
    assert all(isinstance(loss, float) for loss in model.history_["loss"])


# Going on


def test_warm_start_goes_on(task):
    X, y = task
    options = QUICK | dict(epochs=4, shuffle=False)
    through = GRURegressor(**options).fit(X, y)
    twice = GRURegressor(**options | dict(epochs=2, warm_start=True))
    twice.fit(X, y)
    first = twice.history_["loss"]
    twice.fit(X, y)
    assert_same_network(twice, through)
    assert twice.n_iter_ == len(twice.history_["loss"]) == twice.best_epoch_ == 4
    assert twice.history_["loss"][:2] == first
    assert twice.history_["loss"][-1] < first[-1]


def test_without_warm_start_a_fit_is_the_first_again(task):
    X, y = task
    once = GRURegressor(**QUICK).fit(X, y)
    again = GRURegressor(**QUICK).fit(X, -y).fit(X, y)
    assert_same_network(once, again)
    assert once.history_ == again.history_


def test_warm_start_needs_the_same_network(task):
    X, y = task
    model = GRURegressor(warm_start=True, **QUICK).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="units changed"):
        model.set_params(units=4).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    # What isn't the network may change: rates, the length of a batch, the optimizer.
    others = dict(units=3, learning_rate=0.1, batch_size=8, optimizer="sgd")
    assert model.set_params(**others, dropout=0.1).fit(X, y).n_iter_ == 4


def test_a_stream_of_batches_is_learnt(task):
    X, y = task
    model = GRURegressor(**LEARNS)
    for start in np.tile(np.arange(0, 150, 25), 20):
        model.partial_fit(X[start : start + 25], y[start : start + 25])
    assert model.n_iter_ == 120
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_stream_of_labels_is_learnt(task):
    X, y = task
    labels = np.array(["down", "up"])
    y = labels[(y > 0).astype(int)]
    # Sorted, so that most batches have one class alone.
    order = np.argsort(y[:150], kind="stable")
    model = GRUClassifier(**LEARNS)
    for i in np.random.default_rng(0).integers(6, size=120):
        rows = order[i * 25 : (i + 1) * 25]
        model.partial_fit(X[rows], y[rows], classes=labels)
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_stream_may_change_its_length(X):
    model = GRURegressor(**QUICK)
    model.partial_fit(X, X[:, -1, 0]).partial_fit(X[:7, :3], X[:7, -1, 0])
    model.partial_fit(X[:1], X[:1, -1, 0])
    assert model.n_iter_ == 3
    assert model.predict(X[:, :2]).shape == (24,)


@every_estimator
def test_partial_fit_goes_on_after_fit(estimator, X):
    y = X[:, -1, 0]
    y = np.where(y > 0, "up", "down") if is_classifier(estimator) else y
    model = quick(estimator).fit(X, y)
    before = model.predict(X) if is_regressor(estimator) else model.predict_proba(X)
    model.partial_fit(X[:10], y[:10])
    after = model.predict(X) if is_regressor(estimator) else model.predict_proba(X)
    assert model.n_iter_ == 3
    assert not np.array_equal(before, after)


def test_a_stream_is_the_fit_of_its_epochs(X):
    y = X[:, -1, 0]
    options = QUICK | dict(shuffle=False, epochs=3)
    fitted, streamed = GRURegressor(**options).fit(X, y), GRURegressor(**options)
    for _ in range(3):
        streamed.partial_fit(X, y)
    assert_same_network(fitted, streamed)
