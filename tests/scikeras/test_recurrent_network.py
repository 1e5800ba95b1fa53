"""`recurrent_network`: our networks for scikeras' wrappers."""

from collections import defaultdict

import numpy as np
import pytest
from _scikeras_cases import FAST, LABELS, X, Y, regressor, weights_differ
from scikeras import wrappers as plain

from skrnn import scikeras as ours
from skrnn.scikeras import KerasClassifier, KerasRegressor, recurrent_network

SHAPES = {
    "numbers": (KerasRegressor, X, Y),
    "several numbers": (KerasRegressor, X, X[:, 0]),
    "a number a step": (KerasRegressor, X, X[:, :, 0]),
    "numbers a step": (KerasRegressor, X, X),
    "two labels": (KerasClassifier, X, LABELS),
    "three labels": (KerasClassifier, X, np.digitize(Y, [-1, 1])),
    "several labels": (KerasClassifier, X, (X[:, 0] > 0).astype(int)),
    "a label a step": (KerasClassifier, X, np.digitize(X[:, :, 0], [-1, 1])),
    "columns": (KerasRegressor, X[:, :, 0], Y),
}


@pytest.mark.parametrize("name", SHAPES)
def test_our_networks_for_scikeras(name):
    cls, data, y = SHAPES[name]
    model = cls(
        recurrent_network,
        model__units=(3, 2) if name == "numbers" else 2,
        model__cell="gru",
        model__return_sequences="step" in name,
        **FAST,
    )
    predicted = model.fit(data, y).predict(data)
    assert model.engine_ == "skrnn"
    assert predicted.shape == y.shape
    assert set(np.unique(predicted)) <= set(np.unique(y)) or cls is KerasRegressor


def test_our_networks_differ_by_seed():
    one, same, other = (
        KerasRegressor(recurrent_network, verbose=0, random_state=seed).fit(X, Y)
        for seed in (0, 0, 1)
    )
    assert not weights_differ(one, same)
    assert weights_differ(one, other)


def test_history_is_what_scikeras_has():
    options = dict(epochs=2, metrics=["mae"], validation_split=0.2)
    histories = [regressor(of, **options).fit(X, Y).history_ for of in (ours, plain)]
    assert isinstance(histories[0], defaultdict)
    assert list(histories[0]) == list(histories[1])
