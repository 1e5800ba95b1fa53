"""The formulas of attention and of plain layers: Keras and the engine agree."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import reference
from skrnn._engine.cpu.reference import ops
from skrnn._networks.attention import ATTENTIONS, FREE_ATTENTIONS, attention
from skrnn._networks.layers import attention_weights

CLOSE = dict(rtol=1e-10, atol=1e-12)
FORMULAS = {
    "additive": reference.additive_attention,
    "dot": reference.dot_attention,
    "multihead": reference.multi_head_attention,
    "location": reference.location_attention,
}
RNG = np.random.default_rng(0)
QUERIES, KEYS = RNG.normal(size=(3, 8)), RNG.normal(size=(5, 8))


def kernels(kind, width, query_width=None):
    """Draw kernels, named as the engine and as the formula name them."""
    rng = np.random.default_rng(0)
    rows = attention_weights(kind, width, query_width)
    named = {row.name: rng.normal(size=row.shape) for row in rows}
    of_users = {
        name.removeprefix("attention/").replace("/", "_"): array
        for name, array in named.items()
    }
    return named, of_users


def test_every_kind_of_attention_has_its_formula():
    assert {*FORMULAS} == {*ATTENTIONS}, (
        "write the formula in skrnn/reference/_attention.py, and a row in FORMULAS here"
    )


sizes = st.integers(1, 5)


@pytest.mark.parametrize("kind", FORMULAS)
@settings(max_examples=15)
@given(sizes, sizes, st.integers(1, 8), st.booleans())
def test_the_engine_agrees_at_all_shapes(kind, n_queries, n_keys, width, is_wider):
    query_width = width + 1 if is_wider else None
    rng, (named, w) = np.random.default_rng(1), kernels(kind, width, query_width)
    queries = rng.normal(size=(n_queries, query_width or width))
    keys = rng.normal(size=(n_keys, width))
    context, weights = FORMULAS[kind](queries, keys, **w)
    mask = np.ones((n_keys, 1), bool)
    given_ = queries[:, None], keys[:, None], mask
    expected, shares = attention(ops, kind, named, *given_)
    np.testing.assert_allclose(context, expected[:, 0], **CLOSE)
    # Heads stand last in the engine, and first here.
    shares = (
        shares[:, :, 0] if kind != "multihead" else np.moveaxis(shares[:, :, 0], 2, 0)
    )
    np.testing.assert_allclose(weights, shares, **CLOSE)
    if ATTENTIONS[kind].keeps_place:
        # What of a place is beyond the ends is no step's.
        assert (weights.sum(axis=-1) < 1).all()
    else:
        np.testing.assert_allclose(weights.sum(axis=-1), 1)


@pytest.mark.parametrize("kind", FREE_ATTENTIONS)
def test_a_single_query_is_a_row_of_several(kind):
    _, w = kernels(kind, 8)
    context, weights = FORMULAS[kind](QUERIES, KEYS, **w)
    one, of_one = FORMULAS[kind](QUERIES[1], KEYS, **w)
    np.testing.assert_allclose(one, context[1], **CLOSE)
    np.testing.assert_allclose(of_one, weights[..., 1, :], **CLOSE)


def test_keras_additive_attention_agrees():
    _, w = kernels("additive", 8)
    layer = keras.layers.AdditiveAttention(dtype="float64")
    query, key = QUERIES @ w["query_kernel"], KEYS @ w["key_kernel"]
    given_ = [query[None], KEYS[None], key[None]]
    layer.build([each.shape for each in given_])
    layer.set_weights([w["score_kernel"][:, 0]])
    expected = layer(given_, return_attention_scores=True)
    for found, known in zip(
        reference.additive_attention(QUERIES, KEYS, **w), expected, strict=True
    ):
        np.testing.assert_allclose(found, known.numpy()[0], **CLOSE)


def test_keras_dot_attention_agrees():
    layer = keras.layers.Attention(dtype="float64")
    expected = layer([QUERIES[None], KEYS[None]], return_attention_scores=True)
    found = reference.dot_attention(QUERIES, KEYS, scaled=False)
    for mine, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, known.numpy()[0], **CLOSE)


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_keras_multi_head_attention_agrees(n_heads):
    _, w = kernels("multihead", 8)
    layer = keras.layers.MultiHeadAttention(
        n_heads, 8 // n_heads, use_bias=False, dtype="float64"
    )
    given_ = QUERIES[None], KEYS[None]
    layer.build(*(each.shape for each in given_))
    heads = (8, n_heads, 8 // n_heads)
    names = "query_kernel", "key_kernel", "value_kernel"
    values = [w[name].reshape(heads) for name in names]
    layer.set_weights([*values, w["output_kernel"].reshape(n_heads, -1, 8)])
    expected = layer(*given_, return_attention_scores=True)
    found = reference.multi_head_attention(QUERIES, KEYS, **w, n_heads=n_heads)
    for mine, known in zip(found, expected, strict=True):
        # Keras divides by a root of float32.
        np.testing.assert_allclose(mine, known.numpy()[0], rtol=1e-6, atol=1e-7)


def test_heads_must_divide_the_width():
    _, w = kernels("multihead", 8)
    with pytest.raises(ValueError, match="n_heads=3 must divide 8"):
        reference.multi_head_attention(QUERIES, KEYS, **w, n_heads=3)


def test_keras_layer_normalization_agrees():
    layer = keras.layers.LayerNormalization(dtype="float64")
    layer.build(KEYS.shape)
    gamma, beta = RNG.normal(size=(2, 8))
    layer.set_weights([gamma, beta])
    found = reference.layer_normalization(KEYS, gamma, beta)
    np.testing.assert_allclose(found, layer(KEYS).numpy(), **CLOSE)


def test_a_dense_layer_reads_states_and_steps():
    kernel, bias = RNG.normal(size=(8, 2)), RNG.normal(size=2)
    steps = reference.dense(KEYS, kernel, bias, activation="softmax")
    np.testing.assert_allclose(steps.sum(axis=1), 1)
    one = reference.dense(KEYS[0], kernel, bias, activation="softmax")
    np.testing.assert_allclose(one, steps[0], **CLOSE)
    np.testing.assert_allclose(reference.dense(KEYS, kernel), KEYS @ kernel)


def test_an_embedding_is_a_product_with_one_hot_vectors():
    table, ids = RNG.normal(size=(6, 3)), np.array([[1, 5], [0, 2]])
    one_hot = np.eye(6)[ids]
    np.testing.assert_allclose(reference.embedding(ids, table), one_hot @ table)


def test_units_are_undone():
    y = np.array([[3.0, 40.0], [5.0, 80.0]])
    z = (y - [4, 60]) / [1, 20]
    np.testing.assert_allclose(reference.rescaling(z, [1, 20], [4, 60]), y)
