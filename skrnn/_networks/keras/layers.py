"""Layers of Keras with the engine's weights: what all networks are composed of.

Their initial values don't matter, for they are made to be given weights; seeds are
given because what has none takes one from Python's global generator.
"""

import keras
from keras import layers, ops
from keras.initializers import GlorotUniform, Orthogonal, RandomUniform

from skrnn._networks.attention import number_of_heads
from skrnn._networks.cells import ACTIVATIONS, CELLS
from skrnn._networks.specs import NORM_EPSILON
from skrnn._networks.weights import cell_weights


def embedding(shape, seeds, name=None):
    """Return a table in which ids are looked up."""
    initializer = RandomUniform(seed=next(seeds))
    return layers.Embedding(*shape, embeddings_initializer=initializer, name=name)


def dense(units, activation, name, seeds, *, use_bias=True):
    """Return a dense layer."""
    kernel = GlorotUniform(seed=next(seeds))
    options = {"kernel_initializer": kernel, "use_bias": use_bias, "name": name}
    return layers.Dense(units, activation, **options)


def dropout(spec, seeds):
    """Return what drops a share of its inputs in training, or lets all pass."""
    if not spec.dropout:
        return layers.Identity()
    return layers.Dropout(spec.dropout, seed=next(seeds))


def recurrent(spec, layer, name, seeds, **options):
    """Return the recurrent layer of one direction that is as wide as layer `layer`."""
    units, options = spec.units[layer], options | {"name": name}
    keras_layer = CELLS[spec.cell].keras_layer
    if keras_layer is None:
        return layers.RNN(FormulaCell(spec.cell, units, spec.activation), **options)
    return getattr(layers, keras_layer)(
        units,
        activation=spec.activation,
        recurrent_dropout=spec.recurrent_dropout,
        kernel_initializer=GlorotUniform(seed=next(seeds)),
        recurrent_initializer=Orthogonal(seed=next(seeds)),
        seed=next(seeds),
        **options,
    )


def reader(spec, layer, seeds, **options):
    """Return the recurrent layer of all directions of `spec`."""
    made = recurrent(spec, layer, f"recurrent_{layer}", seeds, **options)
    if spec.bidirectional:
        made = layers.Bidirectional(made, name=f"both_directions_{layer}")
    return made


def after_recurrent(spec, name, seeds):
    """Normalise and drop: the same layers for the steps and for the last state."""
    steps = [layers.LayerNormalization(epsilon=NORM_EPSILON, name=name)]
    steps = steps if spec.layer_norm else []
    steps += [dropout(spec, seeds)]

    def apply(x):
        for step in steps:
            x = step(x)
        return x

    return apply


def answer(spec, x, seeds):
    """Return what the hidden dense layers and the head make of x."""
    for layer, units in enumerate(spec.dense_units):
        x = dense(units, spec.activation, f"dense_{layer}", seeds)(x)
        x = dropout(spec, seeds)(x)
    return dense(spec.head.units, spec.head.activation, "head", seeds)(x)


def attend(kind, queries, keys, seeds):
    """Return what queries (B, Q, U) find in keys (B, T, U)."""

    def project(name, units=keys.shape[-1]):
        return dense(units, None, f"attention_{name}", seeds, use_bias=False)

    return _ATTENTIONS[kind](project, queries, keys)


@keras.saving.register_keras_serializable("skrnn")
class FormulaCell(layers.Layer):
    """A cell that Keras doesn't have, made from its formula in `CELLS`."""

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


def _dot(project, queries, keys):
    # What can't be multiplied is projected first.
    fits = queries.shape[-1] == keys.shape[-1]
    queries = queries if fits else project("query")(queries)
    return _scaled_dot(queries, keys, keys)


# The formulas of `ATTENTIONS`, of Keras' own layers alone, so that a saved model can be
# loaded anywhere.
_ATTENTIONS = {
    "additive": _additive,
    "dot": _dot,
    "multihead": _multihead,
}
