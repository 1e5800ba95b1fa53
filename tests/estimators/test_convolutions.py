"""Convolutions before the recurrent layers: padding, statistics, what they refuse."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import GRUClassifier, GRURegressor, reference
from skrnn.inspection import hidden_states

RNG = np.random.default_rng(0)
LENGTHS = [7, 3, 9, 1, 5, 8, 2, 9, 4, 6, 9, 3, 7]
RAGGED = [RNG.normal(size=(n, 2)).astype(np.float32) for n in LENGTHS]
Y = np.array([x[:, 0].max() for x in RAGGED])
SMALL = dict(units=3, conv_filters=(3, 2), conv_kernel_size=3, conv_pool_size=2)
SMALL |= dict(epochs=3, batch_size=5, random_state=0)
NETWORKS = {
    "pooled": {},
    "both directions": dict(bidirectional=True, dropout=0.1, units=(3, 2)),
    "each step": dict(return_sequences=True),
    "attention": dict(attention="dot"),
    "steps kept": dict(conv_pool_size=1, conv_filters=2),
    "causal": dict(conv_padding="causal"),
    "causal, each step": dict(conv_padding="causal", return_sequences=True),
    "causal, attention": dict(conv_padding="causal", attention="additive"),
}
CLOSE = dict(rtol=1e-4, atol=1e-5)
every_network = pytest.mark.parametrize("kind", NETWORKS)


def fitted(kind="pooled", **options):
    options = SMALL | NETWORKS[kind] | options
    y = [x[:, 0] for x in RAGGED] if options.get("return_sequences") else Y
    return GRURegressor(**options).fit(RAGGED, y)


@every_network
def test_a_sequence_is_answered_alike_alone_and_among_longer_ones(kind):
    model = fitted(kind)
    for x, among in zip(RAGGED, model.predict(RAGGED), strict=True):
        np.testing.assert_allclose(model.predict([x])[0], among, **CLOSE)


CAUSAL = ["causal", "causal, each step", "causal, attention"]


@pytest.mark.parametrize("kind", ["pooled", "each step", "attention", *CAUSAL])
def test_keras_and_pickles_answer_alike(kind):
    model = fitted(kind, conv_pool_size=3)
    # Whatever remains when steps are pooled.
    for n in (4, 5, 6, 9):
        X = RNG.normal(size=(3, n, 2)).astype(np.float32)
        y = model.predict(list(X))
        found = model.model_(X).numpy()[..., 0]
        np.testing.assert_allclose(found, np.stack(y), **CLOSE)
    again = pickle.loads(pickle.dumps(model)).predict(RAGGED)
    for one, other in zip(again, model.predict(RAGGED), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", ["pooled", "each step", *CAUSAL[:2]])
def test_both_engines_train_alike_in_batches_that_are_not_full(kind):
    # Adam takes full steps for a gradient of rounding alone: no weight may have such.
    options = dict(optimizer="adam", shuffle=False, dropout=0.0, epochs=1)
    cpu, keras = (fitted(kind, engine=each, **options) for each in ("cpu", "keras"))
    for one, other in zip(cpu._weights, keras._weights, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
    first = cpu.weights_["conv1d"]
    assert np.abs(first["moving_mean"]).min() > 1e-6
    assert not first["bias"].any()


@pytest.mark.usefixtures("eagerly")
def test_both_engines_train_chains_of_labels_alike():
    options = SMALL | dict(return_sequences=True, crf=True, optimizer="sgd", epochs=1)
    labels, found = [(x[:, 0] > 0).astype(int) for x in RAGGED], {}
    for engine in ("cpu", "keras"):
        model = GRUClassifier(**options, shuffle=False, engine=engine)
        found[engine] = model.fit(RAGGED, labels)
    for one, other in zip(*(each._weights for each in found.values()), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
    assert np.abs(found["cpu"].weights_["conv1d"]["moving_mean"]).min() > 1e-6


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_statistics_are_those_of_real_steps(engine):
    options = dict(conv_filters=2, epochs=1, batch_size=20, learning_rate=1e-8)
    model = fitted(engine=engine, early_stopping=False, **options)
    first = model.weights_["conv1d"]
    padded = [np.pad(x, ((1, 1), (0, 0))) for x in RAGGED]
    z = np.concatenate(
        [
            sum(x[i : len(x) - 2 + i] @ first["kernel"][i] for i in range(3))
            for x in padded
        ]
    )
    np.testing.assert_allclose(first["moving_mean"], 0.1 * z.mean(axis=0), **CLOSE)
    expected = 0.9 + 0.1 * z.var(axis=0)
    np.testing.assert_allclose(first["moving_variance"], expected, **CLOSE)


@settings(max_examples=10)
@given(
    n_steps=st.integers(1, 8),
    size=st.integers(1, 4),
    pool=st.integers(1, 3),
    every_step=st.booleans(),
    causal=st.booleans(),
)
def test_it_is_the_textbook_formula(n_steps, size, pool, every_step, causal):
    options = dict(conv_kernel_size=size, conv_pool_size=pool, epochs=1)
    options |= dict(return_sequences=every_step, engine="cpu")
    options["conv_padding"] = "causal" if causal else "same"
    model = fitted(**options)
    x = np.random.default_rng(n_steps).normal(size=(n_steps, 2))
    y, w = x, model.weights_
    for i, name in enumerate(["conv1d", "conv1d_1"]):
        reach = {"dilation": pool**i} if every_step or causal else {"pool": pool}
        y = reference.convolution(y, **w[name], **reach, causal=causal)
    states = reference.gru(y, **w["gru"])
    known = states if every_step else np.r_[states[-1], y.mean(axis=0)]
    answer = reference.dense(known, **w["head"])
    answer = reference.rescaling(answer, **w["units_of_y"])
    np.testing.assert_allclose(model.predict([x])[0], answer[..., 0], **CLOSE)


@pytest.mark.parametrize("kind", ["pooled", "each step"])
def test_a_stream_would_need_later_steps(kind):
    message = "fitted with conv_filters and conv_padding='same': its outputs depend"
    with pytest.raises(ValueError, match=message):
        fitted(kind).stream()


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_stream_answers_what_is_so_far(kind, size):
    model = fitted(kind, conv_kernel_size=size, units=(3, 2), dropout=0.1)
    stream, x = model.stream(), max(RAGGED, key=len)
    for again in range(2):
        found = [stream.update(step) for step in x]
        expected = [model.predict([x[: t + 1]])[0] for t in range(len(x))]
        if "each step" in kind:
            expected = [steps[-1] for steps in expected]
        np.testing.assert_allclose(found, expected, **CLOSE, err_msg=f"{again}")
        stream.reset()


def test_a_causal_answer_knows_nothing_of_later_steps():
    x = max(RAGGED, key=len)
    changed = x.copy()
    changed[4:] += 10
    for kind, sees_none in (("causal, each step", True), ("each step", False)):
        model = fitted(kind)
        before, after = (model.predict([each])[0] for each in (x, changed))
        alike = np.isclose(before[:4], after[:4], rtol=1e-4, atol=1e-5).all()
        assert alike == sees_none


def test_states_at_each_step_are_those_of_networks_that_keep_steps():
    with pytest.raises(ValueError, match="conv_pool_size=2: its recurrent layers read"):
        hidden_states(fitted(), RAGGED)
    states = hidden_states(fitted("steps kept"), RAGGED)
    assert states.shape == (len(RAGGED), max(LENGTHS), 3)
    assert hidden_states(fitted("causal"), RAGGED).shape == states.shape


def test_training_goes_on_with_the_same_statistics():
    model = fitted()
    before = model.weights_["conv1d"]["moving_mean"].copy()
    model.partial_fit(RAGGED, Y)
    assert not np.array_equal(before, model.weights_["conv1d"]["moving_mean"])
    model.set_params(conv_filters=4, warm_start=True)
    with pytest.raises(ValueError, match="conv_filters"):
        model.fit(RAGGED, Y)


def test_a_shape_anywhere_in_a_long_series_is_found():
    X = RNG.normal(size=(60, 60, 1))
    y = np.arange(60) % 2
    places = RNG.integers(0, 50, 60)
    bump = np.sin(np.linspace(0, 2 * np.pi, 10))
    for x, label, at in zip(X, y, places, strict=True):
        x[at : at + 10, 0] += 4 * bump * (1 if label else -1)
    model = GRUClassifier(units=4, conv_filters=(8, 8), epochs=50, random_state=0)
    assert model.fit(X[:40], y[:40]).score(X[40:], y[40:]) >= 0.9
