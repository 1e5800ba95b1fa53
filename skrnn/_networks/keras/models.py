"""Networks as Keras models: the only place that builds them.

A model computes what the engine's formula computes; a test holds the two together. It
is what ``model_`` gives the user and what Keras callbacks see.
"""

from itertools import count

import keras
from keras import layers, ops

from skrnn._networks.keras.layers import (
    after_recurrent,
    answer,
    attend,
    dropout,
    embedding,
    reader,
)
from skrnn._networks.keras.seq2seq import pair_network, pair_variables
from skrnn._networks.specs import NetworkSpec, Seq2SeqSpec


def build_model(spec: NetworkSpec, weights=None, scale=None, offset=None):
    """Build the Keras model of `spec`.

    Parameters
    ----------
    spec : NetworkSpec
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
    if weights is not None:
        set_weights(model, spec, weights)
    # On its own symbols, so nothing is computed: Keras doesn't export as ONNX what has
    # never been called.
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
    # What has no seed takes one from Python's global generator.
    seeds = count()
    inputs = _input(spec)
    x = inputs if spec.embedding_dim is None else _embed(spec, inputs, seeds)
    for layer in range(len(spec.units)):
        x, state = _recurrent_layer(spec, layer, x, seeds)
    y = x if spec.return_sequences else state
    if spec.attention is not None:
        y = _attend(spec, y, x, seeds)
    return inputs, answer(spec, y, seeds)


# Class of the spec -> its inputs and output, and its variables in the order of the
# table of its weights.
_TOPOLOGIES = {
    NetworkSpec: (_network, lambda model, _spec: model.weights),
    Seq2SeqSpec: (pair_network, pair_variables),
}


def _input(spec):
    if spec.embedding_dim is not None:
        channels = (spec.n_features,) if isinstance(spec.embedding_dim, tuple) else ()
        return keras.Input((None, *channels), dtype="int32", name="tokens")
    return keras.Input((None, spec.n_features), name="sequences")


def _embed(spec, tokens, seeds):
    """Look up token ids, those of each channel in its own table, side by side."""
    parts = []
    for channel, shape in enumerate(spec.embeddings.values()):
        table = embedding(shape, seeds)
        table.trainable = spec.embedding_trainable
        one = isinstance(spec.embedding_dim, int)
        parts.append(table(tokens if one else tokens[..., channel]))
    x = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
    return dropout(spec, seeds)(x)


def _recurrent_layer(spec, layer, x, seeds):
    """Return all outputs of a layer (or None where only the state counts) and state."""
    is_last = layer == len(spec.units) - 1
    needs_steps = not is_last or spec.return_sequences or spec.attention is not None
    recurrent = reader(spec, layer, seeds, return_sequences=needs_steps)
    after = after_recurrent(spec, f"norm_{layer}", seeds)
    x = recurrent(x)
    if not needs_steps:
        return None, after(x)
    return after(x), after(_last_state(spec, layer, x))


def _last_state(spec, layer, x):
    """Take the last output of each direction: (B, T, U) -> (B, U)."""
    if not spec.bidirectional:
        return x[:, -1]
    units = spec.units[layer]
    return ops.concatenate([x[:, -1, :units], x[:, 0, units:]], axis=-1)


def _attend(spec, query, keys, seeds):
    """Put what a query (B, U) or queries (B, T, U) attend to beside them."""
    queries = query if spec.return_sequences else ops.expand_dims(query, 1)
    context = attend(spec.attention, queries, keys, seeds)
    context = context if spec.return_sequences else context[:, 0]
    return ops.concatenate([query, context], axis=-1)
