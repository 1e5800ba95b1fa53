"""What a mask hides is never read as data: such an array is refused by its name."""

import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn.inspection import sequence_importance
from skrnn.metrics import (
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
    token_accuracy_score,
)
from skrnn.preprocessing import from_channels_first

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4, 2))
Y = X[:, 0, 0]
LABELS = (X[:, :, 0] > 0).astype(int)
MODEL = GRURegressor(units=2, epochs=1, random_state=0).fit(X, Y)


def masked(array):
    return np.ma.array(array, mask=np.arange(array.size).reshape(array.shape) == 1)


def importance(X=X, y=Y, weights=None):
    return sequence_importance(MODEL, X, y, sample_weight=weights, n_repeats=1)


# Name of a call -> the name of the array, and what is called.
CALLS = {
    "weights of labels": (
        "sample_weight",
        lambda: token_accuracy_score(LABELS, LABELS, sample_weight=masked(Y)),
    ),
    "percents": (
        "y_pred",
        lambda: symmetric_mean_absolute_percentage_error(Y, masked(Y)),
    ),
    "truth": (
        "y_true",
        lambda: mean_absolute_scaled_error(masked(Y), Y, y_train=Y),
    ),
    "training": (
        "y_train",
        lambda: mean_absolute_scaled_error(Y, Y, y_train=masked(Y)),
    ),
    "channels": ("X", lambda: from_channels_first(masked(X))),
    "channels of one": (r"X\[1\]", lambda: from_channels_first([X[0], masked(X[1])])),
    "importance": ("X", lambda: importance(masked(X))),
    "importance in a list": (
        r"X\[0\]",
        lambda: importance([masked(X[0]), *X[1:, 1:]]),
    ),
    "importance of y": ("y", lambda: importance(y=masked(Y))),
    "importance by weights": (
        "sample_weight",
        lambda: importance(weights=masked(np.ones(8))),
    ),
}


@pytest.mark.parametrize("key", CALLS)
def test_masked_values_are_refused(key):
    name, call = CALLS[key]
    with pytest.raises(TypeError, match=f"^{name} is a masked array with masked val"):
        call()


def test_a_wrapper_of_keras_refuses_them():
    # Deferred: it loads Keras.
    from skrnn.scikeras import KerasRegressor, recurrent_network

    model = KerasRegressor(recurrent_network, epochs=1, verbose=0, random_state=0)
    given = {"X": X, "y": Y, "sample_weight": np.ones(8)}
    for name, array in given.items():
        with pytest.raises(TypeError, match=f"^{name} is a masked array with masked"):
            model.fit(**given | {name: masked(array)})
    model.fit(X, np.ma.array(Y, mask=False))


def test_a_mask_of_nothing_is_no_matter():
    shown = np.ma.array(Y, mask=False)
    assert symmetric_mean_absolute_percentage_error(Y, shown) == 0
