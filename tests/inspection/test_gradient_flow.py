"""Gradients that flow back: against Keras' autodiff, differences and formulas."""

import copy

import numpy as np
import pytest
from _instances import in_new_process
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceOutlierDetector,
    SequenceRegressor,
)
from skrnn.inspection import gradient_flow
from skrnn.preprocessing import SequenceWise, SlidingWindow

N, T = 7, 5
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, T, 2))
Y = X[:, 0].sum(axis=1) * 3 + 1
TAGS = X[:, :, 0].cumsum(axis=1)
SMALL = dict(units=3, epochs=2, random_state=0)


def scaled(model, y):
    """Return targets in the units of training."""
    return (y - model._y_offset) / model._y_scale


def by_keras(model, x, y):
    """Return d loss / d h (n, T, width) of each layer, and the same for the inputs.

    Keras' own cells run step by step, and TensorFlow differentiates.
    """
    import tensorflow as tf
    from keras import layers

    kinds = layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Bidirectional
    network = model.model_
    with tf.GradientTape(persistent=True) as tape:
        inputs = [tf.constant(x[:, t], tf.float32) for t in range(x.shape[1])]
        tape.watch(inputs)
        steps, found = inputs, []
        for layer in network.layers:
            if not isinstance(layer, kinds):
                continue
            both = isinstance(layer, layers.Bidirectional)
            read = [layer.forward_layer, layer.backward_layer] if both else [layer]
            orders = range(len(steps)), range(len(steps))[::-1]
            sides = [
                unrolled(tf, each.cell, steps, order)
                for each, order in zip(read, orders, strict=False)
            ]
            found.append(sides)
            steps = [tf.concat(each, -1) for each in zip(*sides, strict=True)]
        ends = [side[-1 - i] if i == 0 else side[0] for i, side in enumerate(sides)]
        answers = tf.stack(steps, 1) if model.return_sequences else tf.concat(ends, -1)
        z = network.get_layer("head")(answers)[..., 0]
        error = (z - tf.constant(scaled(model, y), tf.float32)) ** 2
        loss = tf.reduce_sum(
            tf.reshape(error, (len(x), -1)) / error[0].shape.num_elements()
        )

    def of(hs):
        return np.stack([g.numpy() for g in tape.gradient(loss, hs)], axis=1)

    hidden = [np.concatenate([of(side) for side in sides], -1) for sides in found]
    return hidden, of(inputs), [[of(side) for side in sides] for sides in found]


def unrolled(tf, cell, steps, order):
    """Return the hidden state of a cell of Keras at each step."""
    states, hs = cell.get_initial_state(batch_size=len(steps[0])), [None] * len(steps)
    for t in order:
        _, states = cell(steps[t], states)
        states = [tf.identity(state) for state in states]
        hs[t] = states[0]
    return hs


def mean_norms(gradients):
    """Return mean norms (T,) of gradients (n, T, width)."""
    return np.linalg.norm(gradients, axis=-1).mean(axis=0)


@pytest.mark.parametrize(
    "options",
    [
        dict(cell="rnn"),
        dict(cell="lstm", units=(3, 2)),
        dict(cell="gru", bidirectional=True, units=(2, 3)),
        dict(cell="lstm", return_sequences=True, bidirectional=True),
        dict(cell="rnn", return_sequences=True, units=(3, 2)),
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_gradients_are_those_of_keras(options):
    y = TAGS if options.get("return_sequences") else Y
    model = SequenceRegressor(**SMALL | options).fit(X, y)
    hidden, inputs, sides = by_keras(model, X, y)
    flow = gradient_flow(model, X, y)
    close = dict(rtol=2e-4, atol=1e-7)
    assert flow.hidden.shape == (len(model._spec.recurrent), T)
    np.testing.assert_allclose(flow.hidden, [mean_norms(g) for g in hidden], **close)
    np.testing.assert_allclose(flow.inputs, mean_norms(inputs), **close)
    for i, name in enumerate(flow.directions):
        expected = [mean_norms(layer[i]) for layer in sides]
        np.testing.assert_allclose(flow.directions[name], expected, **close)


def named(model):
    rows = {}
    for name, value in zip(
        (row.name for row in model._spec.weights()), model._weights, strict=True
    ):
        rows[name.rpartition("/")[2] if "head" not in name else name] = value
    return {name: value.astype(float) for name, value in rows.items()}


def rnn(w, x, states):
    (h,) = states
    return (np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]),)


def lstm(w, x, states):
    h, c = states
    z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    ("cls", "step", "n"), [(RNNRegressor, rnn, 1), (LSTMRegressor, lstm, 2)]
)
def test_gradients_are_those_of_finite_differences(cls, step, n):
    model = cls(**SMALL).fit(X, Y)
    w, x = named(model), X.astype(np.float32).astype(float)
    truth = scaled(model, Y).astype(np.float32)

    def losses(changed_step=None, change=0.0):
        states = tuple(np.zeros((N, 3)) for _ in range(n))
        for t in range(T):
            states = step(w, x[:, t], states)
            if t == changed_step:
                states = (states[0] + change, *states[1:])
        z = states[0] @ w["head/kernel"] + w["head/bias"]
        return (z[:, 0] - truth) ** 2

    expected, eps = np.zeros((N, T, 3)), 1e-5
    for t in range(T):
        for unit in range(3):
            change = eps * np.eye(3)[unit]
            rise = losses(t, change) - losses(t, -change)
            expected[:, t, unit] = rise / (2 * eps)
    flow = gradient_flow(model, X, Y)
    np.testing.assert_allclose(flow.hidden[0], mean_norms(expected), rtol=1e-6)
    np.testing.assert_allclose(flow.loss, losses().mean(), rtol=1e-6)


def test_gradients_of_weights_are_those_of_differences():
    model = GRURegressor(**SMALL).fit(X, Y)
    flow = gradient_flow(model, X, Y)
    named = model.weights_.items()
    known = [f"{layer}/{name}" for layer, arrays in named for name in arrays]
    assert list(flow.weights) == [name for name in known if "units_of_y" not in name]
    bias, expected = model._weights[-1], []
    for change in (1e-2, -1e-2):
        other = copy.deepcopy(model)
        other._weights = [*model._weights[:-1], bias + np.float32(change)]
        expected.append(gradient_flow(other, X, Y).loss)
    slope = (expected[0] - expected[1]) / 2e-2
    np.testing.assert_allclose(flow.weights["head/bias"], abs(slope), rtol=1e-4)


def test_steps_past_the_end_do_not_count():
    ragged = [X[i, : 2 + i % 3] for i in range(N)]
    model = LSTMRegressor(**SMALL).fit(ragged, Y)
    flow = gradient_flow(model, ragged, Y)
    alone = [
        gradient_flow(model, [x], [y]).hidden[0] for x, y in zip(ragged, Y, strict=True)
    ]
    assert flow.hidden.shape == (1, 4)
    np.testing.assert_array_equal(flow.n_sequences, [7, 7, 4, 2])
    for t in range(4):
        own = [each[t] for each in alone if len(each) > t]
        np.testing.assert_allclose(flow.hidden[0, t], np.mean(own), rtol=1e-6)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_padding_of_token_ids_stays_where_it_is(return_sequences):
    ids = np.array([[0, 0, 1, 2], [0, 1, 2, 1], [0, 0, 2, 2]] * 3)
    y = (
        np.where(ids > 1, "b", "a")
        if return_sequences
        else np.array(["a", "b", "c"] * 3)
    )
    model = GRUClassifier(
        embedding_dim=2, return_sequences=return_sequences, **SMALL
    ).fit(ids, y)
    flow = gradient_flow(model, ids, y)
    np.testing.assert_array_equal(flow.n_sequences, [0, 3, 9, 9])
    assert np.isnan(flow.hidden[0, 0])
    assert np.isnan(flow.inputs[0])
    assert (flow.inputs[1:] > 0).all()
    # What they are told without padding.
    short = [row[row > 0] for row in ids]
    told = (
        [each[row > 0] for each, row in zip(y, ids, strict=True)]
        if return_sequences
        else y
    )
    other = gradient_flow(model, short, told)
    assert flow.loss == pytest.approx(other.loss)
    assert flow.weights == pytest.approx(other.weights)


def test_the_last_answer_alone():
    model = RNNRegressor(return_sequences=True, **SMALL).fit(X, TAGS)
    last, every = (gradient_flow(model, X, TAGS, answers=a) for a in ("last", "all"))
    # At the last step it is the same answer, of T ones that count alike.
    np.testing.assert_allclose(last.hidden[0, -1], T * every.hidden[0, -1])
    assert last.hidden[0, 0] < every.hidden[0, 0] * T
    with pytest.raises(
        ValueError, match="'answers' parameter of gradient_flow must be"
    ):
        gradient_flow(model, X, TAGS, answers="first")


LONG = np.random.default_rng(1).normal(size=(16, 60, 1))
START = LONG[:, 0, 0]


def test_they_vanish_explode_and_are_kept():
    """The statements of the textbooks, on real networks."""
    options = dict(units=8, epochs=1, random_state=0)
    plain = RNNRegressor(**options).fit(LONG, START)
    flow = gradient_flow(plain, LONG, START)
    assert flow.hidden[0, 0] < 1e-3 * flow.hidden[0, -1]
    gated = LSTMRegressor(**options).fit(LONG, START)
    # Forget gates that are open, as they are after training on long memories.
    gated._weights[2] = gated._weights[2].copy()
    gated._weights[2][8:16] = 5
    kept = gradient_flow(gated, LONG, START)
    assert kept.hidden[0, 0] > 1e-3 * kept.hidden[0, -1]
    # Weights that stretch, and states that are small enough not to be bent by tanh.
    large, (kernel, recurrent, bias, *head) = copy.deepcopy(plain), plain._weights
    large._weights = [kernel * 1e-6, 1.3 * recurrent, bias * 0, *head]
    grown = gradient_flow(large, LONG, START)
    assert grown.hidden[0, 0] > 1e3 * grown.hidden[0, -1]


def test_saturated_gates():
    model = LSTMRegressor(**SMALL).fit(X, Y)
    flow = gradient_flow(model, X, Y)
    assert set(flow.saturated) == {"input", "forget", "candidate", "output"}
    assert all(share.shape == (1, T) for share in flow.saturated.values())
    open_ = copy.deepcopy(model)
    open_._weights[2][3:6] = 50
    found = gradient_flow(open_, X, Y).saturated
    np.testing.assert_array_equal(found["forget"], 1)
    np.testing.assert_array_equal(found["input"][0, 0], flow.saturated["input"][0, 0])
    assert list(
        gradient_flow(RNNClassifier(**SMALL).fit(X, Y > 1), X, Y > 1).saturated
    ) == ["hidden"]


def test_attention_leads_past_the_steps_of_an_encoder():
    y = LONG[:, :2, 0]
    options = dict(cell="rnn", units=6, epochs=1, random_state=0)
    far, near = (
        gradient_flow(Seq2SeqRegressor(attention=kind, **options).fit(LONG, y), LONG, y)
        for kind in (None, "dot")
    )
    assert far.hidden[0, 0] < 1e-4 * far.hidden[0, -1]
    assert near.hidden[0, 0] > 100 * far.hidden[0, 0]
    words = ["ab", "ba", "abb"] * 6
    model = Seq2SeqClassifier(
        units=(3, 2), bidirectional=True, epochs=1, random_state=0
    )
    flow = gradient_flow(model.fit(words, words), words, words)
    assert flow.hidden.shape == (2, 3)
    assert (flow.hidden > 0).all()
    np.testing.assert_array_equal(flow.n_sequences, [18, 18, 6])


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_every_attention_has_a_gradient(attention):
    model = GRURegressor(attention=attention, dense_units=4, layer_norm=True, **SMALL)
    flow = gradient_flow(model.fit(X, Y), X, Y)
    assert (flow.inputs > 0).all()
    # By differences of X, which is read in float32.
    changed = [X.copy() for _ in range(2)]
    for x, change in zip(changed, (1e-2, -1e-2), strict=True):
        x[0, 2, 1] += change
    rise = [gradient_flow(model, x[:1], Y[:1]).loss for x in changed]
    slope = abs(rise[0] - rise[1]) / 2e-2
    assert slope <= gradient_flow(model, X[:1], Y[:1]).inputs[2] * 1.01


def test_of_a_detector_that_tells_its_own_steps():
    for method in ("prediction", "reconstruction"):
        model = SequenceOutlierDetector(method=method, **SMALL).fit(X)
        flow = gradient_flow(model, X)
        assert flow.hidden.shape[1] == T
        assert np.isfinite(flow.hidden).all()


def test_a_loss_of_the_users_own():
    def cube(y_true, y_pred):
        from keras import ops

        return ops.mean(ops.abs(y_true - y_pred) ** 2, axis=-1)

    own = GRURegressor(loss=cube, **SMALL).fit(X, Y)
    by_name = copy.deepcopy(own).set_params(loss="mean_squared_error")
    found, expected = gradient_flow(own, X, Y), gradient_flow(by_name, X, Y)
    np.testing.assert_allclose(found.hidden, expected.hidden, rtol=1e-4)


def test_weights_of_sequences_count():
    model = GRURegressor(**SMALL).fit(X, Y)
    first = gradient_flow(model, X[:3], Y[:3])
    weights = np.r_[np.ones(3), np.zeros(4)]
    found = gradient_flow(model, X, Y, sample_weight=weights)
    np.testing.assert_allclose(found.hidden, first.hidden, rtol=1e-6)


def test_in_pipelines_and_searches():
    rows, y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
    pipe = make_pipeline(
        StandardScaler(), SlidingWindow(4), SequenceWise(StandardScaler()),
        GRURegressor(**SMALL),
    ).fit(rows, y)  # fmt: skip
    flow = gradient_flow(pipe, rows, y)
    inside = gradient_flow(pipe[-1], pipe[:-1].transform(rows), y)
    np.testing.assert_array_equal(flow.hidden, inside.hidden)
    search = GridSearchCV(RNNRegressor(**SMALL), {"units": [2]}, cv=2).fit(X, Y)
    assert gradient_flow(search, X, Y).hidden.shape == (1, T)


def test_nothing_of_the_estimator_changes():
    model = GRUClassifier(return_sequences=True, **SMALL).fit(X, TAGS > 0)
    before = copy.deepcopy(vars(model))
    gradient_flow(model, X, TAGS > 0)
    np.testing.assert_equal(vars(model), before)


def test_blocks_make_no_difference(monkeypatch):
    ragged = [X[i, : 2 + i % 3] for i in range(N)]
    model = LSTMRegressor(units=(3, 2), bidirectional=True, epochs=1).fit(ragged, Y)
    whole = gradient_flow(model, ragged, Y)
    monkeypatch.setattr("skrnn._engine.prediction.inspection._MOST", 1)
    parts = gradient_flow(model, ragged, Y)
    for name in ("hidden", "inputs", "loss"):
        np.testing.assert_allclose(parts[name], whole[name])
    assert parts.weights == pytest.approx(whole.weights)


def test_what_is_no_network_of_ours():
    with pytest.raises(TypeError, match="gradient_flow takes a recurrent estimator of"):
        gradient_flow(StandardScaler().fit(X[:, 0]), X, Y)
    with pytest.raises(TypeError, match=r"ends in one. Got GRURegressor"):
        gradient_flow(GRURegressor, X, Y)
    with pytest.raises(NotFittedError):
        gradient_flow(GRURegressor(), X, Y)
    with pytest.raises(ValueError, match="y"):
        gradient_flow(GRURegressor(**SMALL).fit(X, Y), X)


def test_looking_inside_loads_no_backend_and_no_matplotlib_before_a_picture():
    loaded = in_new_process("""
import sys
import numpy as np
from skrnn import LSTMClassifier
from skrnn.inspection import *
TrainingHistoryDisplay({})
ForecastDisplay([1])
X = np.random.default_rng(0).normal(size=(8, 3, 2))
y = X[:, 0, 0] > 0
model = LSTMClassifier(units=2, epochs=1, attention="dot", random_state=0).fit(X, y)
for look in (gradient_flow, sequence_importance):
    look(model, X, y)
for look in (gates, hidden_states, attention_weights):
    look(model, X)
print(*sys.modules)
""")
    assert not {"tensorflow", "keras", "torch", "jax", "matplotlib"} & set(
        loaded.split()
    )
