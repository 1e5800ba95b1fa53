"""Which steps of X a network masks: Keras' losses and metrics leave them out."""

import keras
import numpy as np

from skrnn.scikeras._reading import fill_padding


def unmasked_steps(model, X):
    """Return which steps of X have an answer that counts, None where all do.

    Parameters
    ----------
    model : keras.Model
        It has inputs and outputs.
    X : ndarray of shape (n, T) or (n, T, F)

    Returns
    -------
    seen : ndarray of bool of shape (n, T), or None
    """
    # Of the last layer: one on the way may drop the mask, and all steps count then.
    mask = getattr(model.outputs[0], "_keras_mask", None)
    if mask is None or len(model.inputs) > 1 or not isinstance(X, np.ndarray):
        return None
    # It is computed by the layers that it needs alone.
    masks = keras.Model(model.inputs[0], mask)
    return keras.ops.convert_to_numpy(masks(fill_padding(model, X)))
