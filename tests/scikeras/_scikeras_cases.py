"""Small networks and wrappers of them that several files of tests use."""

import keras
import numpy as np

from skrnn import scikeras as ours

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5, 2)).astype(np.float32)
Y = X[:, -1, 0] + X[:, -2, 1]
LABELS = np.where(np.median(Y) < Y, "up", "down")
WEIGHTS = RNG.uniform(0.5, 2.0, size=48)

FAST = dict(verbose=0, random_state=0)


def network(meta, units=2, dropout=0.0, mask=-9.0):
    """Build what these tests are about: a masked recurrent network of any length."""
    end = "sigmoid" if "classes_" in meta else "linear"
    return keras.Sequential(
        [
            keras.Input((None, meta["X_shape_"][-1])),
            keras.layers.Masking(mask),
            keras.layers.SimpleRNN(units, dropout=dropout),
            keras.layers.Dense(1, end),
        ]
    )


def steps(meta):
    return keras.Sequential(
        [
            keras.Input((None, 2)),
            keras.layers.SimpleRNN(2, return_sequences=True),
            keras.layers.Dense(2),
        ]
    )


def dense(meta):
    end = "sigmoid" if "classes_" in meta else "linear"
    last = keras.layers.Dense(meta["n_outputs_"], end)
    return keras.Sequential([keras.Input(meta["X_shape_"][1:]), last])


def regressor(of=ours, model=network, **parameters):
    return of.KerasRegressor(model, loss="mse", **FAST | parameters)


def classifier(of=ours, model=network, **parameters):
    return of.KerasClassifier(model, loss="binary_crossentropy", **FAST | parameters)


def weights_differ(one, other):
    pairs = zip(one.model_.get_weights(), other.model_.get_weights(), strict=True)
    return any((a != b).any() for a, b in pairs)


# The engine computes what Keras computes


class Own(keras.Model):
    """A model with a training step of the user's, as far as anyone knows."""
