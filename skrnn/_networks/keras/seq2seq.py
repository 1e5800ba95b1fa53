"""An encoder and a decoder as a Keras model that is told what came before each step.

All layers are Keras' own where the cell is, so that a saved model can be loaded
anywhere. The formula is that of `skrnn._networks.encoder_decoder`.
"""

from itertools import count

import keras
from keras import layers, ops

from skrnn._networks.cells import CELLS
from skrnn._networks.keras.layers import (
    after_recurrent,
    answer,
    attend,
    dense,
    dropout,
    embedding,
    reader,
    recurrent,
)
from skrnn._networks.seq2seq_weights import pair_weight_table

# What a weight's name has behind, or within, that of its layer.
_WITHIN_LAYERS = {
    "kernel",
    "recurrent_kernel",
    "bias",
    "gamma",
    "beta",
    "forward",
    "backward",
}


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
    read, x = _reading(spec, seeds)
    memory, states = _encode(spec, x, seeds)
    inputs, x = _writing(spec, scale, offset, seeds)
    x = _recur(spec, x, states, seeds)
    if spec.attention is not None:
        both = [x, attend(spec.attention, x, memory, seeds)]
        combine = dense(x.shape[-1], "tanh", "combine", seeds, use_bias=False)
        x = dropout(spec, seeds)(combine(ops.concatenate(both, axis=-1)))
    return [read, *inputs], answer(spec, x, seeds)


def pair_variables(model, spec):
    """List the variables of a model in the order of `pair_weight_table`.

    Keras' own order is by how far a layer is from the output.
    """
    found = {layer.name: layer for layer in model.layers}
    rows = (row.name.split("/") for row in pair_weight_table(spec))
    names = ("_".join(p for p in parts if p not in _WITHIN_LAYERS) for parts in rows)
    # A layer of both directions wraps that of one.
    for i in range(len(spec.units) if spec.bidirectional else 0):
        found[f"recurrent_{i}"] = found[f"both_directions_{i}"]
    ordered = [found[name] for name in dict.fromkeys(names)]
    return [variable for layer in ordered for variable in layer.weights]


def _reading(spec, seeds):
    """Return what the encoder is given, and what its first layer reads."""
    if spec.vocabulary_size is None:
        read = keras.Input((None, spec.n_features), name="sequences")
        return read, read
    read = keras.Input((None,), dtype="int32", name="tokens")
    shape = spec.vocabulary_size, spec.embedding_dim
    table = embedding(shape, seeds, "embedding")
    return read, dropout(spec, seeds)(table(read))


def _encode(spec, x, seeds):
    """Return the last layer's outputs, and what each of the decoder starts from."""
    states = []
    for layer in range(len(spec.units)):
        steps = {"return_sequences": True, "return_state": True}
        x, *last = reader(spec, layer, seeds, **steps)(x)
        x = after_recurrent(spec, f"norm_{layer}", seeds)(x)
        states.append(_bridge(spec, layer, last, seeds))
    return x, states


def _bridge(spec, layer, last, seeds):
    """Make one direction's states of those of all directions."""
    if not spec.bidirectional:
        return last
    n = CELLS[spec.cell].n_states
    bridged = []
    for i, both in enumerate(zip(last[:n], last[n:], strict=True)):
        bridge = dense(spec.units[layer], None, f"bridge_{layer}_{i}", seeds)
        bridged.append(bridge(ops.concatenate(both, axis=-1)))
    return bridged


def _writing(spec, scale, offset, seeds):
    """Return what the decoder is given, and what its first layer reads."""
    if spec.n_labels is not None:
        before = keras.Input((None,), dtype="int32", name="previous")
        shape = spec.n_labels + 1, spec.embedding_dim
        table = embedding(shape, seeds, "decoder_embedding")
        return [before], dropout(spec, seeds)(table(before))
    before = keras.Input((None, spec.head.units), name="previous")
    x = before if scale is None else _in_units_of_spread(before, scale, offset)
    # Not read at the first step, before which there is nothing; a weight stands there.
    start = embedding((1, spec.head.units), seeds, "decoder_start")
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


def _recur(spec, x, states, seeds):
    for layer, initial in enumerate(states):
        name = f"decoder_recurrent_{layer}"
        steps = recurrent(spec, layer, name, seeds, return_sequences=True)
        x = steps(x, initial_state=list(initial))
        x = after_recurrent(spec, f"decoder_norm_{layer}", seeds)(x)
    return x
