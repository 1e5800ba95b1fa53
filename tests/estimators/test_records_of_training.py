"""What stays of training: histories, the best epoch, the state."""

import keras
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skrnn import LSTMRegressor, RNNRegressor

TINY = dict(units=4, epochs=3, random_state=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 2)).astype(np.float32)
Y = X[:, -1, 0]
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]


def test_a_stream_that_starts_with_one_row_learns():
    X = RNG.normal(size=(60, 5, 1))
    y = 5000 + 1000 * X[:, -1, 0]
    model = LSTMRegressor(units=8, learning_rate=1e-2, random_state=0)
    model.partial_fit(X[:1], y[:1])
    for _ in range(60):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9


def test_divergence_keeps_the_epoch_with_the_lowest_loss():
    model = RNNRegressor(
        units=4,
        epochs=200,
        learning_rate=3.0,
        clipnorm=None,
        optimizer="sgd",
        activation="linear",
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    assert model.best_epoch_ == 1 + int(np.argmin(model.history_["loss"]))


def test_warm_start_takes_another_kind_of_the_same_optimizer():
    model = LSTMRegressor(**TINY, warm_start=True)
    model.set_params(optimizer=keras.optimizers.SGD(0.01)).fit(X, Y)
    model.set_params(optimizer=keras.optimizers.SGD(0.01, momentum=0.9)).fit(X, Y)
    assert model.n_iter_ == 6


def test_history_keeps_every_kind_of_loss_for_every_epoch():
    model = LSTMRegressor(**TINY, early_stopping=True).fit(X, Y)
    model.partial_fit(X, Y)
    assert [len(losses) for losses in model.history_.values()] == [4, 4]
    assert np.isnan(model.history_["val_loss"][-1])


def test_the_state_holds_text_and_arrays_alone():
    state = LSTMRegressor(**TINY).fit(X, Y).__getstate__()
    assert isinstance(state["_spec"], str)
    assert all(isinstance(weight, np.ndarray) for weight in state["_weights"])
