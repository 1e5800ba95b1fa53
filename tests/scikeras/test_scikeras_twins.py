"""Prediction with Keras models: what the engine computes is what Keras computes."""

import keras
import numpy as np
import pytest
from _tables import covering

from skrnn.scikeras import KerasRegressor
from skrnn.scikeras.engine import models
from skrnn.scikeras.engine.keys import NotTakenError, architecture_key
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.training import KerasPlan, fit_keras

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6, 2)).astype(np.float32)
Y = X[:, -1, 0] + X[:, 0, 1]
TOKENS = RNG.integers(0, 9, size=(40, 6)).astype(np.int32)
MASKED = np.where(np.arange(6)[:, None] < RNG.integers(2, 7, size=(40, 1, 1)), X, 0)


def adapted(data):
    layer = L.Normalization()
    layer.adapt(data * 10 + 5)
    return layer


def steps():
    return L.SimpleRNN(3, return_sequences=True)


def attended(attention, *, twice):
    def connect(x):
        h = steps()(x)
        h = attention(h, h) if twice else attention([h, h])
        return L.GlobalMaxPooling1D()(h)

    return connect


# Name -> functions that make layers, to be followed by each other.
NETWORKS = {
    "convolution": lambda: [L.Conv1D(3, 2, padding="causal"), L.LSTM(2)],
    "steps one by one": lambda: [
        steps(),
        L.TimeDistributed(L.Dense(3)),
        L.GlobalAveragePooling1D(),
    ],
    "masked steps one by one": lambda: [
        L.Masking(),
        steps(),
        L.TimeDistributed(L.Dense(3)),
        L.GlobalAveragePooling1D(),
    ],
    "both directions": lambda: [L.Bidirectional(L.GRU(3)), L.Dense(1)],
    "several heads": lambda: [attended(L.MultiHeadAttention(2, 3), twice=True)],
    "attention": lambda: [attended(L.Attention(), twice=False)],
    "batches normalised": lambda: [L.BatchNormalization(), L.SimpleRNN(3)],
    "steps normalised": lambda: [L.LayerNormalization(), L.SimpleRNN(3)],
    "largest": lambda: [steps(), L.GlobalMaxPooling1D()],
    "embedded": lambda: [L.Embedding(9, 3, mask_zero=True), L.SimpleRNN(3)],
    "masked": lambda: [L.Masking(), L.LSTM(3)],
    "dropped": lambda: [L.Dropout(0.5), L.GaussianNoise(0.5), L.SimpleRNN(3)],
    "adapted": lambda: [adapted(X), L.SimpleRNN(3)],
    "each step adapted": lambda: [L.TimeDistributed(adapted(X[:, 0])), steps()],
    "repeated": lambda: [L.SimpleRNN(3), L.RepeatVector(4), steps()],
    "flat": lambda: [steps(), L.Flatten()],
    "pooled": lambda: [L.MaxPooling1D(2), L.SimpleRNN(3)],
    "cells": lambda: [L.RNN([L.GRUCell(3), L.LSTMCell(2)])],
}
DATA = {"embedded": TOKENS, "masked": MASKED, "masked steps one by one": MASKED}


def network(name, length=None):
    keras.utils.set_random_seed(0)
    data = DATA.get(name, X)
    x = inputs = keras.Input((length, *data.shape[2:]), dtype=data.dtype.name)
    for layer in NETWORKS[name]():
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(("name", "length"), covering(NETWORKS, [None, 6]))
def test_predictions_are_those_of_keras(name, length):
    model, data = network(name, length), DATA.get(name, X)
    # Keras doesn't compile then, which takes half a second.
    expected = model(data, training=False)
    found = predict_keras(model, data)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_steps_one_by_one_of_any_number():
    model = network("steps one by one")
    for length in (4, 6):
        expected = model(X[:, :length])
        found = predict_keras(model, X[:, :length])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


# Statistics that a layer was adapted to


def normalised(data, *, seed=0):
    keras.utils.set_random_seed(seed)
    end = [L.SimpleRNN(3), L.Dense(1)]
    model = keras.Sequential([keras.Input((None, 2)), adapted(data), *end])
    model.compile("sgd", "mse")
    return model


def test_one_program_serves_all_statistics():
    assert architecture_key(normalised(X)) == architecture_key(normalised(3 * X))
    for data in (X, 3 * X + 1):
        one, other = normalised(data), normalised(data)
        one.run_eagerly = True
        options = dict(epochs=2, shuffle=False, verbose=0)
        expected = one.fit(X, Y, **options).history["loss"]
        found = fit_keras(other, X, Y, None, KerasPlan(**options, seed=0))["loss"]
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        np.testing.assert_allclose(
            predict_keras(other, X), one.predict(X, verbose=0), rtol=1e-3, atol=1e-5
        )


def test_a_wrapper_of_an_adapted_network():
    model = KerasRegressor(lambda: normalised(X), epochs=1, verbose=0).fit(X, Y)
    assert model.engine_ == "skrnn"
    # Keras doesn't compile then, which takes half a second.
    model.model_.run_eagerly = True
    expected = model.model_.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-6)


def test_statistics_that_keras_does_not_use_are_for_keras():
    model, other = normalised(X), normalised(2 * X)
    predict_keras(model, X)
    model.set_weights(other.get_weights())
    with pytest.raises(NotTakenError, match="doesn't compute by its variables"):
        predict_keras(model, X)


def test_tables_of_a_layer_are_for_keras():
    lookup = L.IntegerLookup()
    lookup.adapt(TOKENS)
    inputs = keras.Input((None,), dtype="int64")
    model = keras.Model(inputs, L.Embedding(20, 2)(lookup(inputs)))
    with pytest.raises(NotTakenError, match="IntegerLookup keeps a state"):
        architecture_key(model)


def test_arrays_in_a_configuration_count_to_the_last_digit():
    def build(last):
        boundaries = np.arange(2000.0)
        boundaries[1000] += last
        layer = L.Discretization(num_bins=2000)
        # As `adapt` leaves it.
        layer.bin_boundaries = boundaries
        return keras.Sequential([keras.Input((4,)), layer])

    assert architecture_key(build(0.0)) == architecture_key(build(0.0))
    assert architecture_key(build(0.0)) != architecture_key(build(1e-9))


def test_a_part_that_is_frozen_is_not_shared_with_one_that_is_not():
    def build(*, frozen):
        layer = L.MultiHeadAttention(2, 3)
        inputs = keras.Input((None, 2))
        model = keras.Model(inputs, layer(inputs, inputs))
        layer._query_dense.trainable = not frozen
        return model

    key = architecture_key
    assert key(build(frozen=True)) != key(build(frozen=False))
    with pytest.raises(NotTakenError, match="same variables"):
        models.architecture_copy(build(frozen=True))
