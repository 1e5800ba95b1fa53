"""Networks as Keras models: the only place that builds them.

A model computes what the engine's formula computes; a test compares both. It is the
``model_`` of estimators, and what Keras callbacks see.
"""

from itertools import count

import keras
from keras import layers

from skrnn._networks.keras.ends import head, input_of
from skrnn._networks.keras.seq2seq import pair_network, pair_variables
from skrnn._networks.layers import Flow
from skrnn._networks.specs import NetworkSpec, Seq2SeqSpec
from skrnn._networks.weights import weight_table


def build_model(spec, weights=None, scale=None, offset=None):
    """Build the Keras model of `spec`.

    Parameters
    ----------
    spec : NetworkSpec or Seq2SeqSpec
    weights : list of ndarray or None
        Set if given.
    scale, offset : list of float or None
        If given, the outputs are ``outputs * scale + offset``: a regressor's own units.

    Returns
    -------
    model : keras.Model
        Input (batch, T, F), or token ids (batch, T) or (batch, T, C), of any T and
        without padding. That of an encoder and a decoder has a list of inputs: also the
        output before each step, and the features known beforehand if there are any.
    """
    compose, _ = _TOPOLOGIES[type(spec)]
    inputs, y = compose(spec, scale, offset)
    if scale is not None:
        y = layers.Rescaling(scale, offset, name="units_of_y")(y)
    model = keras.Model(inputs, y)
    for row, variable in zip(weight_table(spec), _variables(model, spec), strict=True):
        variable.trainable = row.trainable
    if weights is not None:
        set_weights(model, spec, weights)
    # Called on its own symbols, so nothing is computed: Keras exports only models as
    # ONNX that have been called.
    model(inputs)
    return model


def set_weights(model, spec, weights):
    """Set the weights of a model of `spec`, which come in the order of its table."""
    for variable, value in zip(_variables(model, spec), weights, strict=True):
        variable.assign(value)


def get_weights(model, spec):
    """Return the weights of a model of `spec` in the order of its table."""
    return [variable.numpy() for variable in _variables(model, spec)]


def _variables(model, spec):
    _, variables = _TOPOLOGIES[type(spec)]
    return variables(model, spec)


def _network(spec, _scale, _offset):
    """Return the inputs and the output of recurrent layers with a head."""
    # A layer without a seed takes one from Python's global generator.
    seeds = count()
    inputs = input_of(spec)
    flow = Flow(inputs)
    for layer in spec.layers:
        flow = layer.keras(flow, seeds)
    return inputs, head(spec, flow.answer, seeds)


# Class of the spec -> its inputs and output, and its variables in the order of the
# table of its weights.
_TOPOLOGIES = {
    NetworkSpec: (_network, pair_variables),
    Seq2SeqSpec: (pair_network, pair_variables),
}
