"""Parts of Keras with the engine's weights, from which layers are built.

Their initial values don't matter, because weights are set later. They get seeds because
a layer without one takes it from Python's global generator.
"""

import keras
from keras import layers, ops
from keras.initializers import GlorotUniform, Orthogonal

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.attention import (
    N_TOLD,
    Memory,
    moved,
    number_of_heads,
    places_of_steps,
    weights_by_place,
)
from skrnn._networks.cells import cell_of
from skrnn._networks.crf import SUM_OF_PATHS, Chain, crf_weights


def dense(units, activation, name, seeds, *, use_bias=True):
    """Return a dense layer."""
    kernel = GlorotUniform(seed=next(seeds))
    options = {"kernel_initializer": kernel, "use_bias": use_bias, "name": name}
    return layers.Dense(units, activation, **options)


def directions(layer, seeds, **options):
    """Return the Keras layer of all directions of a recurrent layer."""
    made = one_direction(layer, seeds, **options)
    if layer.bidirectional:
        made = layers.Bidirectional(made, name=f"both_directions_{made.name}")
    return made


def one_direction(layer, seeds, **options):
    """Return the Keras layer of one direction of a recurrent layer."""
    options["name"] = layer.name.replace("/", "_")
    keras_layer = layer.cell_itself.keras_layer
    if keras_layer is None:
        given = layer.cell, layer.units, layer.activation, layer.timescale, layer.memory
        cell = FormulaCell(*given)
        return layers.RNN(cell, **options)
    return getattr(layers, keras_layer)(
        layer.units,
        activation=layer.activation,
        recurrent_dropout=layer.recurrent_dropout,
        kernel_initializer=GlorotUniform(seed=next(seeds)),
        recurrent_initializer=Orthogonal(seed=next(seeds)),
        seed=next(seeds),
        **options,
    )


def attend(kind, queries, keys, seeds):
    """Return the context of queries (B, Q, U) in keys (B, T, U)."""

    def project(name, units=keys.shape[-1], use_bias=False):
        return dense(units, None, f"attention_{name}", seeds, use_bias=use_bias)

    return _ATTENTIONS[kind](project, queries, keys)


@keras.saving.register_keras_serializable("skrnn")
class FormulaCell(layers.Layer):
    """A cell that Keras doesn't have, made from its formula in `CELLS`."""

    def __init__(self, cell, units, activation, timescale=1, memory=(), **kwargs):
        super().__init__(**kwargs)
        self.cell, self.units, self.activation = cell, units, activation
        self.timescale, self.memory = timescale, tuple(memory)
        # Keras' states have columns; one that is a single number has one.
        shapes = cell_of(cell, timescale, self.memory).state_shapes(units)
        self._shapes = [shape or (1,) for shape in shapes]
        self._numbers = [not shape for shape in shapes]
        self.state_size = [shape[-1] for shape in self._shapes]
        self.output_size = units

    def build(self, shape):
        self._named = {
            # Constants, because weights are set later.
            row.name: self.add_weight(row.shape, "zeros", name=row.name)
            for row in self._formula.weights(shape[-1], self.units)
        }

    @property
    def _formula(self):
        return cell_of(self.cell, self.timescale, self.memory)

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, *shape)) for shape in self._shapes]

    def call(self, inputs, states):
        cell, w = self._formula, self._named
        pairs = zip(states, self._numbers, strict=True)
        states = tuple(state[:, 0] if number else state for state, number in pairs)
        projected = cell.project(ops, w, inputs)
        activation = ACTIVATIONS[self.activation]
        after = cell.step(ops, activation, w, projected, states, lambda h: h)
        pairs = zip(after, self._numbers, strict=True)
        states = [state[:, None] if number else state for state, number in pairs]
        return cell.output(after), states

    def get_config(self):
        own = {"cell": self.cell, "units": self.units, "activation": self.activation}
        own |= {"timescale": self.timescale, "memory": list(self.memory)}
        return super().get_config() | own


@keras.saving.register_keras_serializable("skrnn")
class CRF(layers.Layer):
    """The probability of each label of a chain at each step, of emissions (B, T, K)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        rows = {row.name.split("/")[1]: row for row in crf_weights(self.units)}
        self._named = {
            name: self.add_weight(row.shape, "zeros", name=name)
            for name, row in rows.items()
        }

    def call(self, inputs):
        chain = Chain(**self._named).excluding(ops)
        until = layers.RNN(_PathsCell(chain, self.units), return_sequences=True)(inputs)
        cell = _PathsCell(chain.reversed(ops), self.units)
        backwards = layers.RNN(cell, return_sequences=True, go_backwards=True)(inputs)
        # Both have the step's own emission.
        return ops.softmax(until + ops.flip(backwards, axis=1) - inputs, axis=-1)

    def get_config(self):
        return super().get_config() | {"units": self.units}


class _PathsCell(layers.Layer):
    """The step of a chain, as `RNN` takes it, with weights that another layer has."""

    def __init__(self, chain, units):
        super().__init__()
        weights = {"transitions": chain.transitions, "start": chain.start}
        # In a function: as an attribute, a layer would take it for weights of its own.
        self._chain, self.output_size = (lambda: weights), units
        self.state_size = [shape[0] for shape in SUM_OF_PATHS.state_shapes(units)]

    def call(self, inputs, states):
        given = self._chain(), (inputs,), tuple(states)
        after = SUM_OF_PATHS.step(ops, None, *given, None)
        return after[0], list(after)


def _additive(project, queries, keys):
    q = ops.expand_dims(project("query")(queries), 2)
    k = ops.expand_dims(project("key")(keys), 1)
    scores = project("score", 1)(ops.tanh(q + k))[..., 0]
    return ops.matmul(softmax(scores), keys)


def _scaled_dot(queries, keys, values):
    return ops.matmul(_weights_by_content(queries, keys), values)


def _weights_by_content(queries, keys):
    scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
    return softmax(scores * keys.shape[-1] ** -0.5)


def softmax(scores):
    """Return the shares of scores (..., S), which sum to one."""
    # Keras' own softmax warns of a single step, whose share is rightly 1.
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
    return _scaled_dot(_fitting(project, queries, keys), keys, keys)


def _fitting(project, queries, keys):
    # What can't be multiplied is projected first.
    fits = queries.shape[-1] == keys.shape[-1]
    return queries if fits else project("query")(queries)


def _location(project, queries, keys):
    content = _weights_by_content(_fitting(project, queries, keys), keys)
    told = project("location", N_TOLD, use_bias=True)(queries)
    # The formula is that of the engine, whose axis of steps stands first.
    told, content = ops.transpose(told, (1, 0, 2)), ops.transpose(content, (1, 2, 0))
    steps = ops.transpose(keys, (1, 0, 2))
    mask = ops.ones_like(steps[..., 0], "bool")
    memory = Memory(steps, steps, mask, places_of_steps(ops, mask))
    weights = weights_by_place(ops, told, moved(ops, told), memory, content)
    return ops.matmul(ops.transpose(weights, (2, 0, 1)), keys)


# The formulas of `ATTENTIONS`, of Keras' own layers alone, so that a saved model can be
# loaded anywhere.
_ATTENTIONS = {
    "additive": _additive,
    "dot": _dot,
    "multihead": _multihead,
    "location": _location,
}
