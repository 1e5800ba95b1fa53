"""A language model as a Keras model: tokens and states in and out.

All layers are Keras' own where the cell is, so that a saved model can be loaded
anywhere. The formula is that of `skrnn._networks.language`.
"""

from itertools import count

import keras

from skrnn._networks.forward import named_weights
from skrnn._networks.keras.parts import dense, one_direction
from skrnn._networks.keras.seq2seq import layer_of
from skrnn._networks.language import head_of
from skrnn._networks.layers import Flow, Recurrent


def language_model(spec, weights):
    """Build the Keras model of a trained language model, for prediction.

    Returns
    -------
    model : keras.Model
        Inputs "ids" (B, T) and the states before, "state_0" (B, units) and so on, all
        of one layer before those of the next. Outputs by name: "probabilities"
        (B, T, V), and "next_state_0" and so on.
    """
    spec, seeds = spec.without_rates(), count()
    ids = keras.Input((None,), dtype="int32", name="ids")
    outputs: dict = {}
    inputs, flow = [ids], Flow(ids)
    for layer in spec.layers:
        if not isinstance(layer, Recurrent):
            flow = layer.keras(flow, seeds)
            continue
        before = []
        for shape in layer.state_shapes:
            name = f"state_{len(inputs) - 1}"
            before.append(keras.Input(shape or (1,), name=name))
            inputs.append(before[-1])
        both = {"return_sequences": True, "return_state": True}
        made = one_direction(layer, seeds, **both)
        x, *after = made(flow.steps, initial_state=before)
        flow = Flow(x)
        for state in after:
            outputs[f"next_state_{len(outputs)}"] = state
    y = dense(spec.head.units, "softmax", "head", seeds)(flow.steps)
    model = keras.Model(inputs, {"probabilities": y} | outputs)
    _set_weights(model, spec, weights)
    return model


def _set_weights(model, spec, weights):
    named, found = named_weights(spec, weights), {x.name: x for x in model.layers}
    of_layers: dict = {}
    for name, weight in named.items():
        of_layers.setdefault(layer_of(name, found), []).append(weight)
    kernel, bias = head_of(spec, named)
    of_layers["head"] = [kernel.T if spec.tie_weights else kernel, bias]
    for name, arrays in of_layers.items():
        found[name].set_weights(arrays)
