"""Networks as Keras models: the only place that composes layers.

A model has its weights in the order of `skrnn._weights.weight_table` and computes what
the engine's formula computes; a test holds the two together. It is what ``model_``
gives the user and what Keras callbacks see.
"""

from itertools import count

import keras
from keras import layers, ops
from keras.initializers import GlorotUniform, Orthogonal, RandomUniform

from skrnn._attention import attention
from skrnn._cells import CELLS
from skrnn._spec import NORM_EPSILON, NetworkSpec
from skrnn._weights import attention_weights


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
        Input (batch, T, F), or (batch, T) token ids, of any T and without padding.
    """
    # What has no seed takes one from Python's global generator.
    seeds = count()
    inputs = _input(spec)
    x = inputs if spec.embedding_dim is None else _embed(spec, inputs, seeds)
    for layer in range(len(spec.units)):
        x, state = _recurrent_layer(spec, layer, x, seeds)
    y = x if spec.return_sequences else state
    if spec.attention is not None:
        y = SequenceAttention(spec.attention, name="attention")([y, x])
    for layer, units in enumerate(spec.dense_units):
        y = _dense(units, spec.activation, f"dense_{layer}", seeds)(y)
        y = _dropout(spec, seeds)(y)
    y = _dense(spec.head.units, spec.head.activation, "head", seeds)(y)
    if scale is not None:
        y = layers.Rescaling(scale, offset, name="units_of_y")(y)
    model = keras.Model(inputs, y)
    if weights is not None:
        model.set_weights(weights)
    return model


def _input(spec):
    if spec.embedding_dim is not None:
        return keras.Input((None,), dtype="int32", name="tokens")
    return keras.Input((None, spec.n_features), name="sequences")


def _embed(spec, tokens, seeds):
    initializer = RandomUniform(seed=next(seeds))
    shape = spec.vocabulary_size, spec.embedding_dim
    x = layers.Embedding(*shape, embeddings_initializer=initializer)(tokens)
    return _dropout(spec, seeds)(x)


def _dense(units, activation, name, seeds):
    kernel = GlorotUniform(seed=next(seeds))
    return layers.Dense(units, activation, kernel_initializer=kernel, name=name)


def _recurrent_layer(spec, layer, x, seeds):
    """Return all outputs of a layer (or None where only the state counts) and state."""
    is_last = layer == len(spec.units) - 1
    needs_steps = not is_last or spec.return_sequences or spec.attention is not None
    recurrent = getattr(layers, CELLS[spec.cell].keras_layer)(
        spec.units[layer],
        activation=spec.activation,
        recurrent_dropout=spec.recurrent_dropout,
        kernel_initializer=GlorotUniform(seed=next(seeds)),
        recurrent_initializer=Orthogonal(seed=next(seeds)),
        seed=next(seeds),
        return_sequences=needs_steps,
        name=f"recurrent_{layer}",
    )
    if spec.bidirectional:
        recurrent = layers.Bidirectional(recurrent, name=f"both_directions_{layer}")
    after = _after_recurrent(spec, layer, seeds)
    x = recurrent(x)
    if not needs_steps:
        return None, after(x)
    return after(x), after(LastState(len(spec.directions))(x))


def _after_recurrent(spec, layer, seeds):
    """Normalise and drop: the same layers for the steps and for the last state."""
    steps = [layers.LayerNormalization(epsilon=NORM_EPSILON, name=f"norm_{layer}")]
    steps = steps if spec.layer_norm else []
    steps += [_dropout(spec, seeds)]

    def apply(x):
        for step in steps:
            x = step(x)
        return x

    return apply


def _dropout(spec, seeds):
    if not spec.dropout:
        return layers.Identity()
    return layers.Dropout(spec.dropout, seed=next(seeds))


@keras.saving.register_keras_serializable("skrnn")
class LastState(layers.Layer):
    """The last output of each direction, side by side: (B, T, U) -> (B, U)."""

    def __init__(self, n_directions, **kwargs):
        super().__init__(**kwargs)
        self.n_directions = n_directions

    def call(self, x):
        if self.n_directions == 1:
            return x[:, -1]
        forward, backward = ops.split(x, 2, axis=-1)
        return ops.concatenate([forward[:, -1], backward[:, 0]], axis=-1)

    def compute_output_shape(self, shape):
        return shape[0], shape[2]

    def get_config(self):
        return super().get_config() | {"n_directions": self.n_directions}


@keras.saving.register_keras_serializable("skrnn")
class SequenceAttention(layers.Layer):
    """Attend from a query (B, U) or (B, T, U) to steps (B, T, U); add it beside."""

    def __init__(self, kind, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, shapes):
        width = shapes[1][-1]
        self.weights_by_name = {
            row.name: self.add_weight(
                row.shape, GlorotUniform(seed), name=row.name.split("/")[-1]
            )
            for seed, row in enumerate(attention_weights(self.kind, width))
        }

    def call(self, inputs):
        query, keys = inputs
        pooled = len(query.shape) == 2
        queries = query[:, None] if pooled else query
        queries, keys = (ops.transpose(x, (1, 0, 2)) for x in (queries, keys))
        mask = ops.ones_like(keys[..., 0], dtype="bool")
        w = self.weights_by_name
        context, _ = attention(ops, self.kind, w, queries, keys, mask)
        context = ops.transpose(context, (1, 0, 2))
        context = context[:, 0] if pooled else context
        return ops.concatenate([query, context], axis=-1)

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], 2 * shapes[0][-1])

    def get_config(self):
        return super().get_config() | {"kind": self.kind}
