"""`transform` and `model_`: the states and the network as Keras has them."""

import keras
import numpy as np
import pytest
from _small_fits import CLOSE, QUICK, every_estimator, name_of, quick
from sklearn.base import is_regressor

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RNNRegressor,
    SequenceClassifier,
    SequenceRegressor,
)
from skrnn._networks.cells import CELLS


@every_estimator
def test_states_are_those_of_the_keras_layer(estimator, X):
    y = X[:, -1, 0] > 0
    model = quick(estimator).fit(X, y)
    states = model.transform(X)
    assert states.shape == (24, 3)
    assert states.dtype == np.float64
    layer = getattr(keras.layers, CELLS[model.cell].keras_layer)(3)
    layer.build((None, None, 2))
    layer.set_weights(model._weights[: len(layer.weights)])
    np.testing.assert_allclose(layer(X.astype("f4")), states, **CLOSE)
    names = model.get_feature_names_out()
    prefix = name_of(estimator).lower()
    assert names.tolist() == [f"{prefix}{i}" for i in range(3)]


def test_states_of_both_directions_stand_side_by_side(ragged):
    y = [x[-1, 0] for x in ragged]
    model = GRURegressor(bidirectional=True, **QUICK | dict(units=(2, 3)))
    states = model.fit(ragged, y).transform(ragged)
    assert states.shape == (24, 6)
    assert len(model.get_feature_names_out()) == 6


MODELS = {
    "a number": (LSTMRegressor, {}, lambda X: 5 * X[:, -1, 0] + 100),
    "numbers": (GRURegressor, dict(units=(2, 3)), lambda X: 5 * X[:, -1] + [0, 99]),
    "filtered": (RNNRegressor, dict(return_sequences=True), lambda X: X[:, :, 0]),
    "two classes": (GRUClassifier, dict(bidirectional=True), lambda X: X[:, 0, 0] > 0),
    "tags": (
        SequenceClassifier,
        dict(return_sequences=True, attention="multihead", layer_norm=True),
        lambda X: np.digitize(X[:, :, 0], [-0.5, 0.5]),
    ),
    "attended": (
        SequenceRegressor,
        dict(attention="additive", dense_units=4, dropout=0.5, bidirectional=True),
        lambda X: X[:, 0],
    ),
}


@pytest.mark.parametrize("key", MODELS)
def test_keras_model_is_the_fitted_one(key, X, tmp_path):
    estimator, options, target = MODELS[key]
    model = estimator(**QUICK | options).fit(X, target(X))
    expected = predicted_by(model, X)
    assert isinstance(model.model_, keras.Model)
    assert model.model_ is model.model_
    # Not by `predict`, which compiles each network.
    found = np.asarray(model.model_(X))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-4)
    model.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(np.asarray(loaded(X)), found)


def predicted_by(model, X):
    if is_regressor(model):
        return model.predict(X)
    probabilities = model.predict_proba(X)
    return probabilities if len(model.classes_) > 2 else probabilities[..., 1:]


def test_keras_model_of_tokens(tmp_path):
    X = np.random.default_rng(0).integers(1, 9, (24, 5))
    model = GRUClassifier(embedding_dim=2, **QUICK).fit(X, X[:, 0] % 3)
    model.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded(X), model.predict_proba(X), **CLOSE)


def test_keras_model_follows_the_next_fit(X):
    y = X[:, -1, 0]
    model = GRURegressor(warm_start=True, **QUICK).fit(X, y)
    before = model.model_
    model.fit(X, y)
    assert model.model_ is not before
    found = model.model_(X.astype("f4")).numpy().ravel()
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)


def test_changing_the_keras_model_leaves_the_estimator_alone(X):
    model = GRURegressor(**QUICK).fit(X, X[:, -1, 0])
    before = model.predict(X)
    model.model_.set_weights([0 * w for w in model.model_.get_weights()])
    np.testing.assert_array_equal(model.predict(X), before)
