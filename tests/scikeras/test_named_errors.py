"""Errors of Keras, NumPy and scikit-learn name what a wrapper was given."""

import traceback

import keras
import numpy as np
import pandas as pd
import pytest
from _scikeras_cases import FAST, LABELS, classifier, network, regressor

from skrnn.scikeras import KerasClassifier, KerasRegressor, recurrent_network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3, 2)).astype(np.float32)
Y = X[:, -1, 0]
SMALL = dict(model=recurrent_network, model__units=2, epochs=1, **FAST)
TWICE = pd.DataFrame(X[:, 0], columns=["a", "a"])
RAGGED = [[0, 1], [1]]
HUGE = [np.full((1 + i % 2, 1), 1e307) for i in range(6)]


def numbers(**parameters):
    return KerasRegressor(**SMALL | parameters)


def labels(**parameters):
    return KerasClassifier(**SMALL | parameters)


# Name -> what is called, and what the error says.
CALLS = {
    "metrics": (lambda: numbers(metrics=-3).fit(X, Y), "metrics can't be read: .*-3"),
    "optimizer": (
        lambda: numbers(optimizer={}).fit(X, Y),
        "recurrent_network can't use loss=None, optimizer={}, metrics=None: ",
    ),
    "loss": (lambda: numbers(loss="mze").fit(X, Y), "loss identifier: mze"),
    "callbacks": (
        lambda: numbers(callbacks=len).fit(X, Y),
        "KerasRegressor can't use callbacks=<built-in function len>: ",
    ),
    "mixed labels": (
        lambda: labels().fit(X, np.array([1, "a", b"b", 1, 1, 1], object)),
        "y can't be read: ",
    ),
    "unknown labels": (
        lambda: labels().fit(X, [0, 1, 2, 0, 1, 2]).partial_fit(X, [0, 1, 2, 9, 1, 2]),
        "y can't be read: .*unknown",
    ),
    "a class": (lambda: numbers().fit(np.ndarray, Y), "X is the class ndarray"),
    "true numbers": (
        lambda: KerasRegressor.scorer(RAGGED, [0, 1]),
        "y_true can't be read: ",
    ),
    "predicted numbers": (
        lambda: KerasRegressor.scorer([0, 1], RAGGED),
        "y_pred can't be read: ",
    ),
    "scored numbers": (
        lambda: KerasRegressor.scorer(3.0, [[1], [2]]),
        "y_true and y_pred can't be read: ",
    ),
    "scored labels": (
        lambda: KerasClassifier.scorer(RAGGED, RAGGED),
        "y_true and y_pred can't be read: ",
    ),
    "too large": (
        lambda: numbers(model=network, model__units=1, loss="mse").fit(HUGE, Y),
        r"Input X contains infinity or a value too large for dtype\('float32'\)",
    ),
    "large weights": (
        lambda: numbers().fit(X, Y, np.full(6, 1e307)),
        "sample_weight, times class_weight, is as large as 1e[+]307; expected",
    ),
    "huge weights": (
        lambda: numbers().fit(X, Y, [10**400] * 6),
        "sample_weight holds an integer beyond 1.8e308",
    ),
    "a seed": (
        lambda: numbers(random_state=[[1], [2, 3]]).initialize(X, Y),
        "'random_state' parameter of KerasRegressor must be",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_error_names_what_was_passed(name):
    call, message = CALLS[name]
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_columns_of_one_name_are_refused_by_it():
    with pytest.raises(
        (TypeError, ValueError), match=r"X can't be read: .*unique(.|\n)*'a' 2"
    ):
        numbers().fit(TWICE, Y)


def test_an_error_of_the_network_says_what_it_was_made_of():
    with pytest.raises(TypeError) as caught:
        numbers(model__units=None).fit(X, Y)
    text = "".join(traceback.format_exception(caught.value))
    assert "Raised in KerasRegressor with model=<function recurrent_network" in text
    assert "model__units=None" in text


def test_what_a_callback_raises_stays_as_it_is():
    class Stops(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ValueError("enough")

    with pytest.raises(ValueError, match=r"^enough") as caught:
        regressor(callbacks=[Stops()]).fit(X, Y)
    assert caught.value.args == ("enough",)


def test_initialize_changes_nothing_if_it_fails():
    model = classifier(model__units=2).fit(X, LABELS[:6])
    before = dict(vars(model))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.initialize(X, LABELS[:5])
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
