"""The first and the last layer of a model of Keras."""

import keras
from keras import ops

from skrnn._networks.keras.parts import CRF, dense


def input_of(spec):
    """Return the symbolic input of a network: (B, T, F), or token ids (B, T[, C])."""
    layer = spec.embedding
    if layer is None:
        return keras.Input((None, spec.n_features), name="sequences")
    channels = (spec.n_features,) if layer.channels else ()
    return keras.Input((None, *channels), dtype="int32", name="tokens")


def head(spec, x, seeds):
    """Return what the head predicts of x."""
    if spec.head.crf:
        outputs = dense(spec.head.units, "linear", "head", seeds)(x)
        return CRF(spec.head.units, name="crf")(outputs)
    outputs = dense(spec.head.units, spec.head.activation, "head", seeds)(x)
    return spec.head.meaning(ops, outputs)
