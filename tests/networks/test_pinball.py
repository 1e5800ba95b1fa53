"""The pinball loss: what it predicts, and that every way of training computes it."""

import keras
import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from skrnn import GRURegressor, LSTMRegressor, Seq2SeqRegressor
from skrnn._engine import choice
from skrnn._engine.keras.foreign.losses import loss_function
from skrnn._networks.losses import loss_at_outputs
from skrnn._networks.specs import Head

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
Y = X[:, -1, 0]
TINY = dict(units=3, epochs=3, random_state=0, batch_size=8, learning_rate=0.05)
QUANTILES = pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])


def assert_same(one, other, rtol=1e-5, atol=1e-6):
    for a, b in zip(one._weights, other._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol, atol)


@QUANTILES
def test_formulas_are_that_of_scikit_learn(quantile):
    import tensorflow as tf

    y, z = RNG.normal(size=(2, 6, 3)).astype(np.float32)
    y[0] = z[0]
    losses, gradients = loss_at_outputs(Head(3, loss=("pinball", quantile)))(y, z)
    expected = [
        mean_pinball_loss(a, b, alpha=quantile) for a, b in zip(y, z, strict=True)
    ]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    # At the very value nothing is to be moved.
    np.testing.assert_array_equal(gradients[0], 0)
    in_keras = loss_function(None, Head(3, loss=("pinball", quantile)))
    z = tf.Variable(z)
    with tf.GradientTape() as tape:
        found = in_keras(tf.constant(y), z)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, z), gradients, rtol=1e-5)


@QUANTILES
@pytest.mark.parametrize("scale", [1.0, 200.0])
def test_as_many_lie_below_as_asked_for(quantile, scale):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, size=(600, 1, 1))
    y = scale * x[:, 0, 0] * rng.normal(5, 1, size=600)
    options = dict(units=4, epochs=40, learning_rate=0.05, early_stopping=False)
    options |= dict(learning_rate_schedule="cosine", random_state=0)
    made = GRURegressor(**options, loss="pinball", quantile=quantile).fit(x, y)
    below = np.mean(y <= made.predict(x))
    assert abs(below - quantile) < 0.04
    mean = GRURegressor(**options).fit(x, y).predict(x)
    if quantile != 0.5:
        loss, other = (
            mean_pinball_loss(y, z, alpha=quantile) for z in (made.predict(x), mean)
        )
        assert loss < 0.8 * other


def test_the_history_has_the_loss_of_the_normalised_y():
    options = TINY | dict(learning_rate=1e-30, loss="pinball", quantile=0.8)
    made = LSTMRegressor(**options).fit(X, 3 * Y)
    loss = mean_pinball_loss(3 * Y, made.predict(X), alpha=0.8) / made._y_scale[0]
    np.testing.assert_allclose(made.history_["loss"], loss, rtol=1e-5)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_every_way_of_training_agrees(monkeypatch, return_sequences):
    y = X if return_sequences else np.stack([Y, -Y], axis=1)
    options = TINY | dict(loss="quantile", quantile=0.8)
    options |= dict(return_sequences=return_sequences)
    direct = LSTMRegressor(**options).fit(X, y)
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    assert_same(LSTMRegressor(**options).fit(X, y), direct, 1e-3, 1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
@pytest.mark.parametrize("kind", [GRURegressor, Seq2SeqRegressor])
def test_each_quantile_is_one_of_its_own(kind, optimizer):
    """Not that of a function compiled before, nor read by other losses."""
    y = X[:, :2, 0]
    options = TINY | dict(optimizer=optimizer, loss="pinball")
    low, high, again = (
        kind(**options, quantile=q).fit(X, y).predict(X).mean() for q in (0.1, 0.9, 0.1)
    )
    assert low < high
    assert low == again
    options["loss"] = "mse"
    one, other = (kind(**options, quantile=q).fit(X, y) for q in (0.1, 0.9))
    assert_same(one, other, 0, 0)


def test_the_median_is_half_the_absolute_error():
    options = TINY | dict(optimizer="adagrad")
    median = GRURegressor(**options, loss="pinball").fit(X, Y)
    absolute = GRURegressor(**options, loss="mae").fit(X, Y)
    halves = np.array(absolute.history_["loss"]) / 2
    np.testing.assert_allclose(median.history_["loss"][0], halves[0], rtol=0.02)


def test_callbacks_see_it_in_units_of_y(tmp_path):
    class Look(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.loss = self.model.evaluate(X, 1000 + 50 * Y, verbose=0)

    look, path = Look(), tmp_path / "last.keras"
    callbacks = [look, keras.callbacks.ModelCheckpoint(path)]
    options = TINY | dict(loss="pinball", quantile=0.9, callbacks=callbacks)
    made = GRURegressor(**options).fit(X, 1000 + 50 * Y)
    expected = mean_pinball_loss(1000 + 50 * Y, made.predict(X), alpha=0.9)
    np.testing.assert_allclose(look.loss, expected, rtol=1e-4)
    # Keras doesn't know the loss, but the network needs no loss to predict.
    loaded = keras.models.load_model(path).predict(X, verbose=0)
    np.testing.assert_allclose(loaded[:, 0], made.predict(X), rtol=1e-5)


@pytest.mark.parametrize("quantile", [0, 1, 0.0, 1.0, -0.1, 50, "0.5", None, True])
@pytest.mark.parametrize("kind", [GRURegressor, Seq2SeqRegressor])
def test_a_quantile_is_between_0_and_1(kind, quantile):
    with pytest.raises(ValueError, match="The 'quantile' parameter"):
        kind(quantile=quantile).fit(X, Y)
