"""Attention by location: what was learnt on short sequences holds for longer ones."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skrnn
from skrnn import GRUClassifier, Seq2SeqClassifier, Seq2SeqRegressor, reference
from skrnn._engine.cpu.reference import ops
from skrnn._networks.architecture import network_spec
from skrnn._networks.attention import Memory, attend, places_of_steps, remember
from skrnn._networks.layers import attention_weights as weights_of
from skrnn._networks.specs import Head
from skrnn.inspection import attention_weights

CLOSE = dict(rtol=1e-10, atol=1e-12)
SHORT = ["".join(w) for n in (1, 2, 3, 4) for w in itertools.product("abc", repeat=n)]
LONG = ["".join(w) for w in np.random.default_rng(0).choice([*"abc"], (20, 8))]
TINY = dict(units=4, epochs=1, random_state=0, attention="location")


def drawn(width, query_width=None):
    rng = np.random.default_rng(0)
    rows = weights_of("location", width, query_width)
    return {row.name: rng.normal(size=row.shape) for row in rows}


@pytest.mark.parametrize("step", [1, -1], ids=["copies", "reversals"])
def test_twice_as_long_sequences_are_right(step):
    model = Seq2SeqClassifier(
        units=12, attention="location", epochs=20, batch_size=8, learning_rate=0.02,
        early_stopping=False, random_state=0,
    )  # fmt: skip
    model.fit(SHORT, [word[::step] for word in SHORT])
    expected = [word[::step] for word in LONG]
    found = model.set_params(max_length=12).predict(LONG)
    assert np.mean([a == b for a, b in zip(found, expected, strict=True)]) >= 0.9
    # Each step looks at its own letter, and the end at none.
    (weights,) = attention_weights(model, LONG[:1])
    np.testing.assert_array_equal(weights[:8].argmax(axis=1), np.arange(8)[::step])
    assert weights[8].sum() < weights[:8].sum(axis=1).min()


lengths = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@settings(max_examples=20)
@given(lengths, st.integers(1, 4))
def test_padding_and_other_sequences_make_no_difference(lengths, n_queries):
    rng, w = np.random.default_rng(1), drawn(4, 3)
    keys = rng.normal(size=(max(lengths), len(lengths), 4))
    queries = rng.normal(size=(n_queries, len(lengths), 3))
    mask = np.arange(max(lengths))[:, None] < np.array(lengths)
    keys[~mask] = 1e6
    memory = remember(ops, "location", w, keys, mask)
    context, weights, _ = attend(ops, "location", w, queries, memory)
    assert not weights[:, ~mask].any()
    named = {name.removeprefix("attention/").replace("/", "_"): w[name] for name in w}
    for i, n in enumerate(lengths):
        found = reference.location_attention(queries[:, i], keys[:n, i], **named)
        np.testing.assert_allclose(context[:, i], found[0], **CLOSE)
        np.testing.assert_allclose(weights[:, :n, i], found[1], **CLOSE)


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(1, 4))
def test_step_by_step_it_is_the_same(n_queries, n_keys):
    rng, w = np.random.default_rng(2), drawn(3)
    queries, keys = rng.normal(size=(n_queries, 2, 3)), rng.normal(size=(n_keys, 2, 3))
    memory = remember(ops, "location", w, keys, np.ones((n_keys, 2), bool))
    context, weights, places = attend(ops, "location", w, queries, memory)
    before = None
    for i in range(n_queries):
        given_ = queries[i : i + 1], memory, before
        one, of_one, before = attend(ops, "location", w, *given_)
        np.testing.assert_allclose(one[0], context[i], **CLOSE)
        np.testing.assert_allclose(of_one[0], weights[i], **CLOSE)
        np.testing.assert_allclose(before[0], places[i], **CLOSE)


def test_steps_are_counted_from_both_ends():
    mask = np.array([[True, True], [True, False], [True, False]])
    places = places_of_steps(ops, mask)
    assert places[:, 0].tolist() == [[1, 3], [2, 2], [3, 1]]
    assert places[0, 1].tolist() == [1, 1]
    memory = Memory(places, places, mask, places).take([1])
    np.testing.assert_array_equal(memory.places, places[:, [1]])


def test_what_is_beyond_the_ends_is_no_steps():
    bias = np.zeros(11)
    # By place from the end, sharp, two steps each.
    bias[2], bias[4], bias[10] = 50, 50, 50
    given_ = np.zeros((2, 1)), np.ones((3, 1)), np.zeros((1, 11)), bias
    _, weights, places = reference.location_attention(*given_, return_places=True)
    np.testing.assert_allclose(places[:, 1], [2, 4])
    np.testing.assert_allclose(weights, [[0, 1, 0], [0, 0, 0]], atol=1e-8)


def test_only_a_decoder_has_it():
    message = "The 'attention' parameter of GRUClassifier must be a str among"
    with pytest.raises(ValueError, match=message):
        GRUClassifier(attention="location").fit(np.zeros((4, 3, 1)), [0, 1, 0, 1])
    network = dict(cell="gru", units=2, n_features=1, head=Head(1))
    with pytest.raises(ValueError, match="'multihead' or None; got 'location'"):
        network_spec(**network, attention="location")


@pytest.mark.parametrize("name", ["Location", "location-relative"])
def test_it_may_be_spelt_otherwise(name):
    words = SHORT[:8]
    model = Seq2SeqClassifier(**TINY).fit(words, words)
    other = Seq2SeqClassifier(**TINY | {"attention": name}).fit(words, words)
    assert other.predict(words) == model.predict(words)


def test_it_is_saved_and_made_a_model_of_keras(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 5, 2)), rng.normal(size=(12, 3))
    model = Seq2SeqRegressor(**TINY, bidirectional=True).fit(X, y)
    assert model.weights_["attention"].keys() == {
        "query_kernel", "location_kernel", "location_bias",
    }  # fmt: skip
    skrnn.save(model, tmp_path / "model.skrnn")
    loaded, expected = skrnn.load(tmp_path / "model.skrnn"), model.predict(X)
    np.testing.assert_array_equal(loaded.predict(X), expected)
    model.model_.save(tmp_path / "model.keras")
    network = keras.models.load_model(tmp_path / "model.keras")
    before = np.concatenate([np.zeros((12, 1)), expected[:, :-1]], axis=1)[..., None]
    found = network.predict([X, before], verbose=0)[..., 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_beams_go_on_from_their_own_places():
    model = Seq2SeqClassifier(**TINY | {"epochs": 3, "max_length": 6})
    model.fit(SHORT[:30], SHORT[:30])
    greedy = model.predict(SHORT[:30])
    assert model.set_params(n_beams=1).predict(SHORT[:30]) == greedy
    best = model.set_params(n_beams=4).predict_beams(SHORT[:30], n_best=3)
    assert all(len({text for text, _ in found}) == len(found) for found in best)
