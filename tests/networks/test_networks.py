"""The NumPy formula, the compiled one and the Keras model are one network."""

import functools
import random
from itertools import compress

import keras
import numpy as np
import pytest
import tensorflow as tf
from _network_cases import (
    CHOICES,
    N_FEATURES,
    ROWS,
    SPECS,
    draw_dataset,
    draw_dense,
    draw_ragged,
    draw_weights,
    gradients,
    predict,
    program,
    spec_of,
    train,
)
from _tables import LONG, covering
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu import reference
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.architecture import network_spec
from skrnn._networks.attention import (
    FREE_ATTENTIONS,
    attention,
    number_of_heads,
)
from skrnn._networks.cells import CELLS
from skrnn._networks.keras.models import build_model
from skrnn._networks.layers import attention_weights
from skrnn._networks.specs import Head, NetworkSpec
from skrnn._networks.weights import initial_weights, weight_table

# One float32 rounding is 6e-8 of a value; these nets add up some hundred of them.
CLOSE = dict(rtol=1e-5, atol=1e-5)

KERAS_LOSSES = {
    "linear": "mean_squared_error",
    "sigmoid": "binary_crossentropy",
    "softmax": "sparse_categorical_crossentropy",
}

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
# What is compiled, and what Keras makes of a layer's own config, sees one choice at a
# time. The gradients of every pair are compared below, without compiling.
FEW = SPECS if LONG else dict(list(SPECS.items())[::3])
few_specs = pytest.mark.parametrize("spec", FEW.values(), ids=FEW.keys())


def keras_arrays(spec, dataset, X):
    """Return targets and weights with the axes that Keras expects."""
    targets, weights = dataset.targets, dataset.weights
    if not spec.return_sequences:
        return targets, weights
    steps = X.shape[:2]
    return targets.reshape(*steps, -1), weights.reshape(steps)


@functools.cache
def model_of(spec):
    """Return the Keras model of the drawn weights, built once; no test changes it."""
    return build_model(spec, draw_weights(spec))


@few_specs
def test_two_twins_have_the_same_outputs(spec):
    weights = draw_weights(spec)
    for sequences in (draw_ragged(spec), draw_dense(spec)[1]):
        plain, plain_state = predict(spec, weights, sequences, "reference")
        compiled, state = predict(spec, weights, sequences, "compiled")
        np.testing.assert_allclose(compiled, plain, **CLOSE)
        np.testing.assert_allclose(state, plain_state, **CLOSE)


# Keras takes each step, and each operation of it, by itself: a few steps will do.
@every_spec
def test_keras_model_is_the_third_with_the_same_outputs_and_gradients(spec):
    X, sequences = draw_dense(spec, n_timesteps=4)
    weights = draw_weights(spec)
    dataset = draw_dataset(spec, sequences)
    loss, found = gradients(spec, dataset, weights)
    model = model_of(spec)
    y, sample_weight = keras_arrays(spec, dataset, X)
    losses = keras.losses.get(KERAS_LOSSES[spec.head.activation])
    with tf.GradientTape() as tape:
        outputs = model(X)
        expected_loss = tf.reduce_mean(sample_weight * losses(y, outputs))
    plain, _ = predict(spec, weights, sequences, "reference")
    np.testing.assert_allclose(outputs.numpy().reshape(plain.shape), plain, **CLOSE)
    expected = tape.gradient(expected_loss, model.trainable_weights)
    np.testing.assert_allclose(loss, expected_loss, **CLOSE)
    learnt = [row.trainable for row in weight_table(spec)]
    found = compress(found, learnt)
    for variable, a, b in zip(model.trainable_weights, found, expected, strict=True):
        b = tf.convert_to_tensor(b)
        np.testing.assert_allclose(a, b, **CLOSE, err_msg=variable.path)


TRAINED = {
    "lstm": spec_of("lstm", bidirectional=True, dense_units=(3,)),
    "gru tokens": spec_of("gru", embedding_dim=3, attention="multihead"),
    "rnn steps": spec_of("rnn", return_sequences=True, layer_norm=True),
}


def train_keras(model, spec, optimizer, X, y, sample_weight):
    """One step as Keras takes it, but for the gradient of an embedding.

    Keras clips the rows of that one as they come, a token's rows apart; the engine adds
    them up first, as the formula has it.
    """
    losses = keras.losses.get(KERAS_LOSSES[spec.head.activation])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(sample_weight * losses(y, model(X)))
    found = tape.gradient(loss, model.trainable_weights)
    optimizer.apply([tf.convert_to_tensor(g) for g in found], model.trainable_weights)


# `test_optimizer_rows.py` has every optimizer.
@pytest.mark.parametrize(
    ("key", "optimizer"), covering(TRAINED, ["SGD", "Adam", "RMSprop"])
)
def test_three_steps_are_those_of_keras(key, optimizer):
    spec = TRAINED[key]
    X, sequences = draw_dense(spec, n=8, n_timesteps=4)
    weights = draw_weights(spec)
    dataset = draw_dataset(spec, sequences)
    # The last batch is short: filled up here, simply short in Keras.
    order = np.array([[0, 1, 2], [3, 4, 5], [6, 7, -1]])
    rate, clipnorm = 0.05, 0.02
    ours = program(spec, optimizer.lower())
    ours.reset(weights)
    train(ours, dataset, order, rate, clipnorm=clipnorm)
    model = build_model(spec, weights)
    theirs = getattr(keras.optimizers, optimizer)(rate, clipnorm=clipnorm)
    y, sample_weight = keras_arrays(spec, dataset, X)
    for rows in (batch[batch >= 0] for batch in order):
        train_keras(model, spec, theirs, X[rows], y[rows], sample_weight[rows])
    for a, b, start in zip(
        ours.get_weights(), model.get_weights(), weights, strict=True
    ):
        assert not np.array_equal(b, start)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


def test_keras_own_fit_takes_the_same_steps():
    spec = TRAINED["lstm"]
    X, sequences = draw_dense(spec, n=7, n_timesteps=4)
    weights = draw_weights(spec)
    dataset = draw_dataset(spec, sequences)
    ours = program(spec, "adam")
    ours.reset(weights)
    order = np.array([[0, 1, 2], [3, 4, 5], [6, -1, -1]])
    loss, _, after = train(ours, dataset, order, 0.05, clipnorm=0.02)
    model = build_model(spec, weights)
    adam = keras.optimizers.Adam(0.05, clipnorm=0.02)
    # Keras doesn't compile then, which takes seconds.
    model.compile(adam, loss="mean_squared_error", run_eagerly=True)
    y, sample_weight = keras_arrays(spec, dataset, X)
    options = dict(batch_size=3, epochs=1, shuffle=False, verbose=0)
    history = model.fit(X, y, sample_weight=sample_weight, **options)
    np.testing.assert_allclose(history.history["loss"][0], loss, **CLOSE)
    for a, b in zip(after, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


# One compiled predictor for each: only the shapes vary.
SHAPED = [
    spec_of("lstm", bidirectional=True, attention="additive"),
    spec_of("gru", units=(3, 4), return_sequences=True, attention="dot"),
    spec_of("rnn", bidirectional=True, layer_norm=True, embedding_dim=3),
]


@settings(max_examples=30)
@given(
    spec=st.sampled_from(SHAPED),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_numpy_and_tensorflow_agree_on_any_shape(spec, lengths):
    sequences, weights = draw_ragged(spec, lengths), draw_weights(spec)
    plain = predict(spec, weights, sequences, "reference")
    compiled = predict(spec, weights, sequences, "compiled")
    for a, b in zip(plain, compiled, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype == np.float64
        np.testing.assert_allclose(a, b, **CLOSE)


@settings(max_examples=8)
@given(
    cell=st.sampled_from(list(CELLS)),
    n_features=st.integers(1, 4),
    n=st.integers(1, 5),
    n_timesteps=st.integers(1, 9),
)
def test_numpy_and_keras_agree_on_any_shape(cell, n_features, n, n_timesteps):
    spec = network_spec(
        cell=cell, units=(3,), n_features=n_features, head=CHOICES["head"][1],
        bidirectional=True,
    )  # fmt: skip
    X, sequences = draw_dense(spec, n, n_timesteps)
    weights = draw_weights(spec)
    plain, _ = predict(spec, weights, sequences)
    np.testing.assert_allclose(build_model(spec, weights)(X), plain, **CLOSE)


@every_spec
def test_table_of_weights_is_that_of_the_keras_model(spec):
    rows, variables = weight_table(spec), model_of(spec).weights
    assert [row.shape for row in rows] == [tuple(v.shape) for v in variables]
    # The last word of a name says which weight of its layer it is.
    renamed = {"embedding": "embeddings"}
    names = [row.name.split("/")[-1] for row in rows]
    assert [renamed.get(name, name) for name in names] == [v.name for v in variables]


@every_spec
def test_first_weights_come_from_the_seed_alone(spec):
    first, again = initial_weights(spec, 3), initial_weights(spec, 3)
    other = initial_weights(spec, 4)
    for a, b, row in zip(first, again, weight_table(spec), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == np.float32
        assert a.shape == row.shape
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_first_recurrent_kernels_are_orthogonal_and_forget_gates_open():
    spec = spec_of("lstm", units=(5,))
    _, recurrent, bias, *_ = initial_weights(spec, 0)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(5), atol=1e-6)
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], 5))


@pytest.mark.parametrize(("units", "cell"), [(50, "lstm"), (130, "rnn"), (97, "gru")])
def test_orthogonal_kernels_drawn_in_parts_are_those_of_one_factorisation(units, cell):
    spec = network_spec(cell=cell, units=(units,), n_features=2, head=Head(1))
    kernel = initial_weights(spec, 0)[1]
    rng = np.random.default_rng(0)
    first = weight_table(spec)[0].shape
    rng.uniform(size=first)
    q, r = np.linalg.qr(rng.standard_normal(kernel.shape[::-1]))
    np.testing.assert_allclose(kernel, (q * np.sign(np.diag(r))).T, atol=1e-7)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(units), atol=2e-6)


@every_spec
def test_spec_survives_json(spec):
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert hash(NetworkSpec.from_json(spec.to_json())) == hash(spec)


@few_specs
def test_keras_model_survives_its_own_config(spec):
    model = model_of(spec)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    X, _ = draw_dense(spec, n=2, n_timesteps=2)
    np.testing.assert_array_equal(again(X), model(X))


def numpy_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002


def test_building_a_keras_model_touches_no_global_generator():
    before, numpy_before = random.getstate(), numpy_state()
    tensorflow_before = tf.random.get_global_generator().state.numpy()
    build_model(spec_of(dropout=0.5, recurrent_dropout=0.5, dense_units=(2,)))
    assert random.getstate() == before
    np.testing.assert_array_equal(numpy_state(), numpy_before)
    after = tf.random.get_global_generator().state.numpy()
    np.testing.assert_array_equal(after, tensorflow_before)


def test_two_keras_models_of_a_spec_start_alike():
    first, second = (build_model(spec_of(embedding_dim=3)) for _ in range(2))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_changes_nothing_but_training(monkeypatch):
    spec = spec_of("gru", units=(3, 4), dropout=0.4, recurrent_dropout=0.3)
    X, sequences = draw_dense(spec)
    weights = draw_weights(spec)
    plain, _ = predict(spec, weights, sequences, "reference")
    compiled, _ = predict(spec, weights, sequences, "compiled")
    model = build_model(spec, weights)
    np.testing.assert_allclose(compiled, plain, **CLOSE)
    np.testing.assert_allclose(model(X), plain, **CLOSE)
    assert not np.allclose(model(X, training=True), plain, **CLOSE)


def test_rescaling_gives_a_models_outputs_their_units():
    spec = spec_of(head=CHOICES["head"][1])
    X, _ = draw_dense(spec)
    weights = draw_weights(spec)
    plain = build_model(spec, weights)(X).numpy()
    scaled = build_model(spec, weights, scale=[2.0, 3.0], offset=[10.0, 0.0])(X)
    np.testing.assert_allclose(scaled, plain * [2, 3] + [10, 0], rtol=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_keras(name):
    from skrnn._engine.keras.ops import ops

    x = np.linspace(-30, 30, 61, dtype=np.float32).reshape(-1, 1) * [1, 0.1]
    x = x.astype(np.float32)
    expected = keras.activations.get(name)(tf.constant(x)).numpy()
    np.testing.assert_allclose(ACTIVATIONS[name](reference.ops, x), expected, **CLOSE)
    compiled = ACTIVATIONS[name](ops, tf.constant(x))
    np.testing.assert_allclose(compiled, expected, **CLOSE)


@pytest.mark.parametrize("kind", FREE_ATTENTIONS)
@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_attention_is_a_mean_over_the_real_steps(kind, lengths):
    rng = np.random.default_rng(0)
    width, longest, n = 4, max(lengths), len(lengths)
    keys = rng.normal(size=(longest, n, width))
    queries = rng.normal(size=(2, n, width))
    mask = np.arange(longest)[:, None] < np.array(lengths)
    table = attention_weights(kind, width)
    w = {row.name: rng.normal(size=row.shape) for row in table}
    context, weights = attention(reference.ops, kind, w, queries, keys, mask)
    assert context.shape == queries.shape
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert not weights[:, ~mask].any()
    # Whatever stands in the padding stays out.
    keys[~mask] = 1e6
    again, _ = attention(reference.ops, kind, w, queries, keys, mask)
    np.testing.assert_allclose(again, context)


def test_multihead_attention_is_that_of_keras():
    width, rng = 8, np.random.default_rng(0)
    table = attention_weights("multihead", width)
    w = {row.name: rng.normal(size=row.shape).astype(np.float32) for row in table}
    heads = number_of_heads(width)
    layer = keras.layers.MultiHeadAttention(heads, width // heads, use_bias=False)
    query, keys = rng.normal(size=(2, 3, 5, width)).astype(np.float32)
    layer.build(query.shape, keys.shape)
    shapes = [tuple(v.shape) for v in layer.weights]
    names = ("query", "key", "value", "output")
    values = [w[f"attention/{name}/kernel"] for name in names]
    layer.set_weights(
        [value.reshape(shape) for value, shape in zip(values, shapes, strict=True)]
    )
    expected = layer(query, keys).numpy()
    steps = (np.moveaxis(x, 0, 1) for x in (query, keys))
    mask = np.ones((5, 3), bool)
    found, _ = attention(reference.ops, "multihead", w, *steps, mask)
    np.testing.assert_allclose(np.moveaxis(found, 0, 1), expected, **CLOSE)


@pytest.mark.parametrize(("width", "heads"), [(1, 1), (6, 2), (8, 4), (7, 1)])
def test_number_of_heads_divides_the_width(width, heads):
    assert number_of_heads(width) == heads


def test_table_meets_every_pair_of_choices():
    met = {
        (a, str(row[a]), b, str(row[b]))
        for row in ROWS
        for a in CHOICES
        for b in CHOICES
    }
    for a, first in CHOICES.items():
        for b, second in CHOICES.items():
            if a != b:
                for one in first:
                    assert all((a, str(one), b, str(two)) in met for two in second)
    assert all(spec.n_features in (1, N_FEATURES) for spec in SPECS.values())
    for name, values in CHOICES.items():
        assert {str(row[name]) for row in ROWS[::3]} == set(map(str, values))


def test_integers_of_numpy_do_not_wrap_around():
    def spec(number):
        sizes = {"units": number(100), "conv_pool_size": number(100)}
        sizes |= {"dense_units": number(100), "conv_filters": (number(100),) * 3}
        sizes |= {"vocabulary_size": number(100), "embedding_dim": number(100)}
        head = Head(1, "linear")
        return network_spec(
            **sizes, cell="lstm", n_features=1, head=head, return_sequences=True
        )

    shapes = [row.shape for row in weight_table(spec(int))]
    assert [row.shape for row in weight_table(spec(np.int8))] == shapes
    assert spec(np.int8) == spec(int)
    given = [size for row in weight_table(spec(np.int8)) for size in row.shape]
    assert {type(size) for size in given} == {int}
