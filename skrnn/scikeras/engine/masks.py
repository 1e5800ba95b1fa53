"""The padding value of a network, and the steps of X that it masks."""

import keras
import numpy as np

from skrnn._engine.keras.private import layers_of, mask_of


def padding_value(model):
    """Return the value that a network takes for padding."""
    layers = layers_of(model)
    values = [layer.mask_value for layer in layers if hasattr(layer, "mask_value")]
    if not values:
        raise ValueError(
            "X has sequences of different lengths, but the network would read their "
            "padding as data: it has no layer keras.layers.Masking. Expected one "
            "before the first recurrent layer."
        )
    return values[0]


def unmasked_steps(model, X):
    """Return at which steps of X the output counts; None if it does at all steps.

    Keras' losses and metrics leave the other steps out.

    Parameters
    ----------
    model : keras.Model
        It has inputs and outputs.
    X : ndarray of shape (n, T) or (n, T, F)
        Padded with what the network takes for padding.

    Returns
    -------
    seen : ndarray of bool of shape (n, T), or None
    """
    # The mask of the last layer: a layer before it may have dropped the mask.
    mask = mask_of(model.outputs[0])
    if mask is None or len(model.inputs) > 1 or not isinstance(X, np.ndarray):
        return None
    # This model has only the layers that the mask needs.
    masks = keras.Model(model.inputs[0], mask)
    return keras.ops.convert_to_numpy(masks(X))


def fill_padding(model, X):
    """Put the value that a network takes for padding where NaN stands for it."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        return X
    padding = np.isnan(X)
    if not padding.any():
        return X
    return np.where(padding, np.asarray(padding_value(model), X.dtype), X)
