"""Normalization layers: what they compute by, their variables or tensors made of them.

Keras' own layer makes tensors of its variables once, in ``adapt``: ``set_weights``
changes the variables alone.
"""

import keras
import numpy as np

from skrnn._engine.keras.private import layers_of
from skrnn.scikeras.engine.origin import NotTakenError


def follow_variables(model):
    """Let the adapted layers of a copied model always compute by their variables.

    A fit copies statistics into them; Keras' tensors are constants where it compiles.
    """
    for layer in _adapted_layers(model):
        layer.__class__ = _LiveNormalization


class _LiveNormalization(keras.layers.Normalization):
    """Normalization by the statistics in its variables."""

    def call(self, inputs):
        self.finalize_state()
        return super().call(inputs)


def compute_by_variables(model):
    """Let all ``Normalization`` layers compute by what is in their variables now."""
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _adapted_layers(model):
    return [
        layer
        for layer in layers_of(model)
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
    ]


def refuse_stale_statistics(model):
    """Refuse a model whose ``Normalization`` doesn't compute by its variables.

    Raises
    ------
    NotTakenError
    """
    for layer in _adapted_layers(model):
        pairs = (layer.mean, layer.adapt_mean), (layer.variance, layer.adapt_variance)
        for used, variable in pairs:
            used = keras.ops.convert_to_numpy(used)
            known = keras.ops.convert_to_numpy(variable).astype(used.dtype)
            if not np.array_equal(used.ravel(), known.ravel(), equal_nan=True):
                raise NotTakenError(f"{layer.name} doesn't compute by its variables")
