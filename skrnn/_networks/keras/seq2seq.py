"""An encoder and a decoder as a Keras model that reads the output before each step.

All layers are Keras' own where the cell is, so that a saved model can be loaded
anywhere. The formula is that of `skrnn._networks.encoder_decoder`.
"""

from itertools import count

import keras
from keras import layers, ops
from keras.initializers import RandomUniform

from skrnn._networks.keras.ends import head, input_of
from skrnn._networks.keras.parts import attend, dense, directions, one_direction
from skrnn._networks.layers import Flow, Recurrent
from skrnn._networks.weights import weight_table


def pair_network(spec, scale, offset):
    """Return the inputs and the output of an encoder and a decoder.

    Parameters
    ----------
    spec : Seq2SeqSpec
    scale, offset : list of float or None
        If given, numbers before each step come in units of ``n * scale + offset``.

    Returns
    -------
    inputs : list of KerasTensor
        What the encoder reads: (B, T, F), or token ids (B, T). The output before each
        step: label numbers (B, H), the first of them `spec.start`, or numbers
        (B, H, K), of which the first isn't read. And (B, H, F2) if `spec.n_future`.
    outputs : KerasTensor of shape (B, H, units of the head)
    """
    seeds = count()
    read = input_of(spec)
    memory, states = _encode(spec, read, seeds)
    inputs, x = _writing(spec, scale, offset, seeds)
    x = _decode(spec, x, states, seeds)
    if spec.attention is not None:
        both = [x, attend(spec.attention, x, memory, seeds)]
        combine = dense(x.shape[-1], "tanh", "combine", seeds, use_bias=False)
        x = combine(ops.concatenate(both, axis=-1))
        if spec.rates["dropout"]:
            x = layers.Dropout(spec.rates["dropout"], seed=next(seeds))(x)
    flow = Flow(answer=x)
    for layer in spec.answer:
        flow = layer.keras(flow, seeds)
    return [read, *inputs], head(spec, flow.answer, seeds)


def pair_variables(model, spec):
    """List the variables of a model in the order of its table of weights.

    Keras' own order is by how far a layer is from the output.
    """
    found = {layer.name: layer for layer in model.layers}
    # A layer of both directions wraps that of one.
    for layer in spec.recurrent:
        if layer.bidirectional:
            found[layer.name] = found[f"both_directions_{layer.name}"]
    names = [layer_of(row.name, found) for row in weight_table(spec)]
    ordered = [found[name] for name in dict.fromkeys(names)]
    return [variable for layer in ordered for variable in layer.weights]


def layer_of(weight, layers):
    """Return which of `layers` a weight's name begins with: the longest of them."""
    parts = weight.split("/")
    starts = ("_".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next(name for name in starts if name in layers)


def _encode(spec, x, seeds):
    """Return the last layer's outputs, and the decoder's first states."""
    flow, states = Flow(x), []
    for layer in spec.layers:
        if isinstance(layer, Recurrent):
            both = {"return_sequences": True, "return_state": True}
            x, *last = directions(layer, seeds, **both)(flow.steps)
            flow = Flow(x)
            states.append(_bridge(spec, layer, last, seeds))
        else:
            flow = layer.keras(flow, seeds)
    return flow.steps, states


def _bridge(spec, layer, last, seeds):
    """Turn the states of all directions into those of one."""
    if not layer.bidirectional:
        return last
    n = len(layer.state_shapes)
    bridged = []
    for i, both in enumerate(zip(last[:n], last[n:], strict=True)):
        name = spec.bridge(layer, i).replace("/", "_")
        bridge = dense(both[0].shape[-1], None, name, seeds)
        bridged.append(bridge(ops.concatenate(both, axis=-1)))
    return bridged


def _writing(spec, scale, offset, seeds):
    """Return the decoder's inputs, and what its first layer reads."""
    if spec.n_labels is not None:
        before = keras.Input((None,), dtype="int32", name="previous")
        return [before], before
    before = keras.Input((None, spec.head.units), name="previous")
    x = before if scale is None else _in_units_of_spread(before, scale, offset)
    # Not read at the first step, which has none before: a weight takes its place.
    initializer = RandomUniform(seed=next(seeds))
    start = layers.Embedding(
        1, spec.head.units, embeddings_initializer=initializer, name="decoder_start"
    )
    first = start(ops.zeros_like(before[:, :1, 0], dtype="int32"))
    x = ops.concatenate([first, x[:, 1:]], axis=1)
    if not spec.n_future:
        return [before], x
    future = keras.Input((None, spec.n_future), name="future")
    return [before, future], ops.concatenate([x, future], axis=-1)


def _in_units_of_spread(x, scale, offset):
    # Two layers: one would subtract rounded quotients.
    x = layers.Rescaling(1.0, [-o for o in offset], name="around_the_mean")(x)
    # What was constant has no spread.
    factors = [1 / s if s else 1.0 for s in scale]
    return layers.Rescaling(factors, name="units_of_spread")(x)


def _decode(spec, x, states, seeds):
    """Run the decoder's layers, the recurrent ones from given states."""
    flow, initial = Flow(x), iter(states)
    for layer in spec.decoder:
        if isinstance(layer, Recurrent):
            steps = one_direction(layer, seeds, return_sequences=True)
            flow = Flow(steps(flow.steps, initial_state=list(next(initial))))
        else:
            flow = layer.keras(flow, seeds)
    return flow.steps
