"""Which steps of X a network masks: Keras' losses and metrics leave them out."""

import keras
import numpy as np

from skrnn.scikeras._reading import fill_padding


def unmasked_steps(model, X):
    """Return which steps of X a network reads, or None where it reads all.

    Parameters
    ----------
    model : keras.Model
        Its first layer is asked, if it is one that masks.
    X : ndarray of shape (n, T) or (n, T, F)

    Returns
    -------
    seen : ndarray of bool of shape (n, T), or None
    """
    first = next(x for x in model.layers if not isinstance(x, keras.layers.InputLayer))
    if not _masks(first) or not isinstance(X, np.ndarray):
        return None
    X = fill_padding(model, X)
    # A layer on the way may drop the mask; if so, no step is left out of the loss.
    if getattr(model(X[:1]), "_keras_mask", None) is None:
        return None
    return keras.ops.convert_to_numpy(first.compute_mask(X))


def _masks(layer):
    if isinstance(layer, keras.layers.Embedding):
        return layer.mask_zero
    return isinstance(layer, keras.layers.Masking)
