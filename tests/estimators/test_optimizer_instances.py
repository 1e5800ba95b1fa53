"""Optimizers that are passed as objects of Keras."""

import keras
import numpy as np
import pytest
from _instances import assert_same_network
from _small_fits import CLOSE, QUICK
from _tables import LONG

from skrnn import RNNRegressor, Seq2SeqRegressor


def test_an_instance_is_its_name_with_a_rate(X):
    y = X[:, -1, 0]
    named = RNNRegressor(optimizer="adam", learning_rate=0.02, **QUICK).fit(X, y)
    adam = keras.optimizers.Adam(0.02)
    config = adam.get_config()
    first = RNNRegressor(optimizer=adam, learning_rate=9.0, **QUICK).fit(X, y)
    second = RNNRegressor(optimizer=adam, **QUICK).fit(X, y)
    assert_same_network(first, second)
    # Compiled, while the named one runs by kernels.
    for a, b in zip(first._weights, named._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert not adam.built
    assert adam.get_config() == config
    assert second.get_params()["optimizer"] is adam


def test_an_optimizer_may_have_a_schedule(X):
    y = X[:, -1, 0]
    halving = keras.optimizers.schedules.ExponentialDecay(0.02, 1, 0.5)
    options = QUICK | dict(shuffle=False, batch_size=24)
    sgd = keras.optimizers.SGD(halving)
    scheduled = RNNRegressor(optimizer=sgd, **options).fit(X, y)
    by_hand = RNNRegressor(optimizer="sgd", warm_start=True, **options | {"epochs": 1})
    for rate in (0.02, 0.01):
        by_hand.set_params(learning_rate=rate).fit(X, y)
    for a, b in zip(scheduled._weights, by_hand._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


# Each compiles an optimizer of its own: all four with LONG=1.
@pytest.mark.parametrize(
    ("kind", "early_stopping"),
    [(RNNRegressor, True), (Seq2SeqRegressor, False)]
    + LONG * [(RNNRegressor, False), (Seq2SeqRegressor, True)],
)
def test_averages_that_an_optimizer_takes_are_kept(kind, early_stopping, X):
    class Follow(keras.callbacks.Callback):
        averages = None

        def on_train_batch_end(self, batch, logs=None):
            now = self.model.get_weights()
            before = self.averages or now
            pairs = zip(before, now, strict=True)
            self.averages = [0.9 * a + 0.1 * b for a, b in pairs]

    follow = Follow()
    adam = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
    options = QUICK | dict(epochs=4, batch_size=20, early_stopping=early_stopping)
    model = kind(optimizer=adam, callbacks=[follow], **options).fit(X, X[:, -1, 0])
    assert model.best_epoch_ == 4
    # All but the head, which the model has in units of y.
    kept = model.model_.get_weights()[:-2]
    for a, b in zip(kept, follow.averages[:-2], strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    adam = keras.optimizers.Adam(0.05)
    plain = kind(optimizer=adam, **options).fit(X, X[:, -1, 0])
    assert abs(plain._weights[0] - model._weights[0]).max() > 0.01


def test_an_optimizer_keeps_its_other_settings(X):
    y = X[:, -1, 0]
    options = QUICK | dict(clipnorm=None)
    plain = RNNRegressor(optimizer=keras.optimizers.SGD(0.1), **options).fit(X, y)
    heavy = keras.optimizers.SGD(0.1, momentum=0.9)
    other = RNNRegressor(optimizer=heavy, **options).fit(X, y)
    assert not np.allclose(plain.predict(X), other.predict(X))
