"""Networks as Keras models: the only place that composes layers.

A model has its weights in the order of `skrnn._weights.weight_table` and computes what
the engine's formula computes; a test holds the two together. It is what ``model_``
gives the user and what Keras callbacks see.
"""

from itertools import count

import keras
from keras import layers, ops
from keras.initializers import GlorotUniform, Orthogonal, RandomUniform

from skrnn._attention import number_of_heads
from skrnn._cells import ACTIVATIONS, CELLS
from skrnn._spec import NORM_EPSILON, NetworkSpec
from skrnn._weights import cell_weights


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
        without padding.
    """
    # What has no seed takes one from Python's global generator.
    seeds = count()
    inputs = _input(spec)
    x = inputs if spec.embedding_dim is None else _embed(spec, inputs, seeds)
    for layer in range(len(spec.units)):
        x, state = _recurrent_layer(spec, layer, x, seeds)
    y = x if spec.return_sequences else state
    if spec.attention is not None:
        y = _attend(spec, y, x, seeds)
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
        channels = (spec.n_features,) if isinstance(spec.embedding_dim, tuple) else ()
        return keras.Input((None, *channels), dtype="int32", name="tokens")
    return keras.Input((None, spec.n_features), name="sequences")


def _embed(spec, tokens, seeds):
    """Look up token ids, those of each channel in its own table, side by side."""
    parts = []
    for channel, shape in enumerate(spec.embeddings.values()):
        initializer = RandomUniform(seed=next(seeds))
        table = layers.Embedding(*shape, embeddings_initializer=initializer)
        table.trainable = spec.embedding_trainable
        one = isinstance(spec.embedding_dim, int)
        parts.append(table(tokens if one else tokens[..., channel]))
    x = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
    return _dropout(spec, seeds)(x)


def _dense(units, activation, name, seeds):
    kernel = GlorotUniform(seed=next(seeds))
    return layers.Dense(units, activation, kernel_initializer=kernel, name=name)


def _recurrent_layer(spec, layer, x, seeds):
    """Return all outputs of a layer (or None where only the state counts) and state."""
    is_last = layer == len(spec.units) - 1
    needs_steps = not is_last or spec.return_sequences or spec.attention is not None
    options = {"return_sequences": needs_steps, "name": f"recurrent_{layer}"}
    if CELLS[spec.cell].keras_layer is None:
        cell = FormulaCell(spec.cell, spec.units[layer], spec.activation)
        recurrent = layers.RNN(cell, **options)
    else:
        recurrent = _keras_layer(spec, layer, seeds, options)
    if spec.bidirectional:
        recurrent = layers.Bidirectional(recurrent, name=f"both_directions_{layer}")
    after = _after_recurrent(spec, layer, seeds)
    x = recurrent(x)
    if not needs_steps:
        return None, after(x)
    return after(x), after(_last_state(spec, layer, x))


def _keras_layer(spec, layer, seeds, options):
    return getattr(layers, str(CELLS[spec.cell].keras_layer))(
        spec.units[layer],
        activation=spec.activation,
        recurrent_dropout=spec.recurrent_dropout,
        kernel_initializer=GlorotUniform(seed=next(seeds)),
        recurrent_initializer=Orthogonal(seed=next(seeds)),
        seed=next(seeds),
        **options,
    )


@keras.saving.register_keras_serializable("skrnn")
class FormulaCell(layers.Layer):
    """A cell that Keras doesn't have, made from its formula in `skrnn._cells`."""

    def __init__(self, cell, units, activation, **kwargs):
        super().__init__(**kwargs)
        self.cell, self.units, self.activation = cell, units, activation
        self.state_size = [units] * CELLS[cell].n_states
        self.output_size = units

    def build(self, shape):
        table = cell_weights(self.cell, "cell", shape[-1], self.units)
        self.kernel, self.recurrent_kernel, self.bias = (
            # Constants: it is made to be given weights.
            self.add_weight(row.shape, "zeros", name=row.name.split("/")[-1])
            for row in table
        )

    def call(self, inputs, states):
        cell, h = CELLS[self.cell], states[0]
        both = cell.recurrent_bias
        x = ops.matmul(inputs, self.kernel) + (self.bias[0] if both else self.bias)
        r = ops.matmul(h, self.recurrent_kernel) + (self.bias[1] if both else 0)
        states = cell.step(ops, ACTIVATIONS[self.activation], x, r, *states)
        return states[0], list(states)

    def get_config(self):
        own = {"cell": self.cell, "units": self.units, "activation": self.activation}
        return super().get_config() | own


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


def _last_state(spec, layer, x):
    """Take the last output of each direction: (B, T, U) -> (B, U)."""
    if not spec.bidirectional:
        return x[:, -1]
    units = spec.units[layer]
    return ops.concatenate([x[:, -1, :units], x[:, 0, units:]], axis=-1)


def _attend(spec, query, keys, seeds):
    """Put what a query (B, U) or queries (B, T, U) attend to beside them."""
    queries = query if spec.return_sequences else ops.expand_dims(query, 1)

    def project(name, units=keys.shape[-1]):
        kernel = GlorotUniform(seed=next(seeds))
        name = f"attention_{name}"
        return layers.Dense(units, use_bias=False, kernel_initializer=kernel, name=name)

    context = _ATTENTIONS[spec.attention](project, queries, keys)
    context = context if spec.return_sequences else context[:, 0]
    return ops.concatenate([query, context], axis=-1)


def _additive(project, queries, keys):
    q = ops.expand_dims(project("query")(queries), 2)
    k = ops.expand_dims(project("key")(keys), 1)
    scores = project("score", 1)(ops.tanh(q + k))[..., 0]
    return ops.matmul(_softmax(scores), keys)


def _scaled_dot(queries, keys, values):
    scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    return ops.matmul(_softmax(scores * keys.shape[-1] ** -0.5), values)


def _softmax(scores):
    # Keras' own warns of a single step, over which it is 1 as it should be.
    powers = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return powers / ops.sum(powers, axis=-1, keepdims=True)


def _multihead(project, queries, keys):
    heads = number_of_heads(keys.shape[-1])
    projected = [
        ops.split(project(name)(x), heads, axis=-1)
        for name, x in (("query", queries), ("key", keys), ("value", keys))
    ]
    contexts = [_scaled_dot(*head) for head in zip(*projected, strict=True)]
    return project("output")(ops.concatenate(contexts, axis=-1))


# The same formulas as in `skrnn._attention`, of Keras' own layers alone, so that a
# saved model can be loaded anywhere.
_ATTENTIONS = {
    "additive": _additive,
    "dot": lambda _project, queries, keys: _scaled_dot(queries, keys, keys),
    "multihead": _multihead,
}
