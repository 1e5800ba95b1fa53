"""Hidden states and gates: against Keras' layers and against the formulas."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNRegressor,
    Seq2SeqClassifier,
    SequenceOutlierDetector,
    SequenceRegressor,
)
from skrnn.inspection import gates, gradient_flow, hidden_states
from skrnn.preprocessing import TextSequencer

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 5, 2)), RNG.normal(size=8)
SMALL = dict(units=3, epochs=1, random_state=0)
CLOSE = dict(rtol=1e-5, atol=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_hidden_states_are_those_of_keras(cell, bidirectional):
    import keras

    model = SequenceRegressor(
        cell=cell, bidirectional=bidirectional, return_sequences=True,
        units=(3, 2), epochs=1, random_state=0,
    ).fit(X, X)  # fmt: skip
    network = model.model_
    kinds = (
        keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU,
        keras.layers.Bidirectional,
    )  # fmt: skip
    layers = [layer for layer in network.layers if isinstance(layer, kinds)]
    outputs = [layer.output for layer in layers]
    expected = keras.Model(network.inputs, outputs)([X.astype(np.float32)])
    for i, each in enumerate(expected):
        found = hidden_states(model, X, layer=i)
        np.testing.assert_allclose(found, np.asarray(each), **CLOSE)
        units = model.units[i]
        own = hidden_states(model, X, layer=i, direction="forward")
        np.testing.assert_array_equal(own, found[..., :units])
        if bidirectional:
            own = hidden_states(model, X, layer=i, direction="backward")
            np.testing.assert_array_equal(own, found[..., units:])


def test_gates_of_an_lstm_are_its_formulas():
    model = LSTMRegressor(**SMALL).fit(X, Y)
    kernel, recurrent, bias = (w.astype(float) for w in model._weights[:3])
    found, states = gates(model, X), hidden_states(model, X)
    x, h, c = X.astype(np.float32), np.zeros((8, 3)), np.zeros((8, 3))
    for t in range(5):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        named = {"input": i, "forget": f, "candidate": g, "output": o, "cell_state": c}
        assert set(found) == set(named)
        for name, expected in named.items():
            np.testing.assert_allclose(found[name][:, t], expected, rtol=1e-6)
        np.testing.assert_allclose(states[:, t], h, rtol=1e-6)


def test_a_layer_of_a_slower_timescale_has_the_states_of_single_steps():
    """Each half of the steps is a sequence of its own: every second step is read."""
    model = LSTMRegressor(timescales=(2,), **SMALL).fit(X, Y)
    alone = LSTMRegressor(**SMALL).fit(X, Y)
    alone._weights = model._weights
    for name, found in gates(model, X).items():
        for first in (0, 1):
            expected = gates(alone, X[:, first::2])[name]
            np.testing.assert_allclose(found[:, first::2], expected, **CLOSE)
    flow, slow = (gradient_flow(each, x, Y).hidden[0] for each, x in [
        (alone, X[:, ::2]), (model, X)
    ])  # fmt: skip
    np.testing.assert_allclose(slow, [flow[0], 0, flow[1], 0, flow[2]], **CLOSE)


def test_gates_of_a_gru_are_its_formulas():
    model = GRURegressor(bidirectional=True, **SMALL).fit(X, Y)
    kernel, recurrent, bias = (w.astype(float) for w in model._weights[3:6])
    found = gates(model, X, direction="backward")
    assert set(found) == {"update", "reset", "candidate"}
    x, h = X.astype(np.float32), np.zeros((8, 3))
    for t in range(5)[::-1]:
        x_z, x_r, x_g = np.split(x[:, t] @ kernel + bias[0], 3, axis=1)
        h_z, h_r, h_g = np.split(h @ recurrent + bias[1], 3, axis=1)
        z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
        g = np.tanh(x_g + r * h_g)
        for name, expected in {"update": z, "reset": r, "candidate": g}.items():
            np.testing.assert_allclose(found[name][:, t], expected, rtol=1e-6)
        h = z * h + (1 - z) * g


@settings(max_examples=15)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from([0, 1]))
def test_ragged_sequences_are_filled_up_with_zeros(lengths, layer):
    sequences = [RNG.normal(size=(n, 2)) for n in lengths]
    states = hidden_states(_ragged_model(), sequences, layer=layer)
    opened = gates(_ragged_model(), sequences, layer=layer).forget
    assert states.shape[:2] == opened.shape[:2] == (len(lengths), max(lengths))
    for i, x in enumerate(sequences):
        alone = hidden_states(_ragged_model(), [x], layer=layer)[0]
        np.testing.assert_allclose(states[i, : len(x)], alone, rtol=1e-12)
        assert not states[i, len(x) :].any()
        assert not opened[i, len(x) :].any()
        assert (opened[i, : len(x)] > 0).all()


_MADE = []


def _ragged_model():
    if not _MADE:
        model = LSTMRegressor(units=(2, 3), bidirectional=True, epochs=1)
        _MADE.append(model.fit([x[: 1 + i % 5] for i, x in enumerate(X)], Y))
    return _MADE[0]


def test_padding_of_token_ids_stays_where_it_is():
    ids = np.array([[0, 0, 1, 2], [1, 2, 0, 0], [0, 0, 0, 0], [2, 1, 1, 2]] * 2)
    model = GRUClassifier(embedding_dim=2, **SMALL).fit(ids, [0, 1, 0, 1] * 2)
    states = hidden_states(model, ids)
    np.testing.assert_array_equal(states.any(axis=-1), ids > 0)
    # One after the other are the same ids.
    np.testing.assert_allclose(states[0, 2:], states[1, :2])


def test_the_last_state_is_that_of_transform():
    model = LSTMRegressor(units=(3, 2), layer_norm=False, epochs=1).fit(X, Y)
    np.testing.assert_allclose(
        hidden_states(model, X)[:, -1], model.transform(X), rtol=1e-5, atol=1e-7
    )


def test_behind_a_text_sequencer():
    texts = ["good food", "bad", "good good wine", "bad wine"] * 3
    pipe = make_pipeline(TextSequencer(), LSTMClassifier(embedding_dim=3, **SMALL)).fit(
        texts, [1, 0, 1, 0] * 3
    )
    assert hidden_states(pipe, texts).shape == (12, 3, 3)
    assert gates(pipe, texts).output[1, 1:].sum() == 0


def test_of_other_networks():
    words = ["ab", "ba", "abb"] * 6
    encoder = Seq2SeqClassifier(units=(3, 2), epochs=1, random_state=0).fit(
        words, words
    )
    assert hidden_states(encoder, words).shape == (18, 3, 4)
    assert gates(encoder, words, layer=0).input.shape == (18, 3, 3)
    detector = SequenceOutlierDetector(method="reconstruction", **SMALL).fit(X)
    assert hidden_states(detector, X, layer=0).shape == (8, 5, 3)


def test_layers_directions_and_gates_that_are_not_there():
    model = RNNRegressor(**SMALL).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"cell of this RNNRegressor is 'rnn', which h"
    ):
        gates(model, X)
    with pytest.raises(
        ValueError, match=r"layer must be from -1 to 0: this RNNR.*Got 2"
    ):
        hidden_states(model, X, layer=2)
    with pytest.raises(TypeError, match=r"layer must be an integer. Got 'last'"):
        hidden_states(model, X, layer="last")
    with pytest.raises(ValueError, match=r"must be 'forward': the network isn't bidir"):
        hidden_states(model, X, direction="backward")
    with pytest.raises(ValueError, match="expecting 2 features"):
        hidden_states(model, X[:, :, :1])
