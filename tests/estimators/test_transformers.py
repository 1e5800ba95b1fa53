"""Networks whose steps attend to each other: every way of computing them agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import TransformerClassifier, TransformerRegressor, reference
from skrnn._engine.cpu.kernels import reference_kernels
from skrnn._engine.cpu.kernels.attention import normalise_rule
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.training.schedules import Schedule
from skrnn._persistence.export.predictor import load
from skrnn.inspection import attention_weights, gradient_flow, hidden_states
from skrnn.persistence import export

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6, 2)).astype(np.float32)
Y = X[:, -2:, 0].sum(axis=1)
IDS = RNG.integers(1, 7, (40, 6))
SMALL = dict(
    d_model=8, n_heads=2, n_layers=2, dim_feedforward=12, epochs=2, random_state=0
)
CLOSE = dict(rtol=1e-3, atol=1e-4)
KINDS = {
    "waves": {},
    "rotary": dict(positional="rotary", causal=True, pooling="last"),
    "learned": dict(positional="learned", pooling="max", dropout=0.0),
    "causal": dict(causal=True, dense_units=3, activation="silu"),
    "steps": dict(return_sequences=True, causal=True, positional="rotary"),
    "odd width": dict(d_model=7, n_heads=1),
    "tokens": dict(embedding_dim=3, causal=True),
    "tokens as wide": dict(embedding_dim=8, causal=True),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def data(kind):
    x = IDS if "tokens" in kind else X
    return x, X[..., 0] if kind == "steps" else Y


def fitted(kind, **options):
    x, y = data(kind)
    return TransformerRegressor(**SMALL | KINDS[kind] | options).fit(x, y), x


@every_kind
def test_every_way_of_predicting_agrees(kind, tmp_path):
    model, x = fitted(kind)
    found = model.predict(x)
    np.testing.assert_allclose(model.model_(x).numpy()[..., 0], found, **CLOSE)
    ragged = [each[: 1 + i % 6] for i, each in enumerate(x)]
    for one, among in zip(ragged[:7], model.predict(ragged), strict=False):
        np.testing.assert_allclose(model.predict([one])[0], among, **CLOSE)
    export(model, tmp_path / "network.npz", format="numpy")
    np.testing.assert_allclose(
        load(tmp_path / "network.npz").predict(x), found, **CLOSE
    )
    if model.causal:
        stream = model.stream()
        steps = [stream.update(step) for step in x[0]]
        expected = [model.predict(x[:1, : t + 1])[0] for t in range(6)]
        if kind == "steps":
            expected = [each[-1] for each in expected]
        np.testing.assert_allclose(steps, expected, **CLOSE)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", ["waves", "rotary", "learned", "tokens"])
def test_both_engines_train_alike(kind):
    # Adam takes full steps for a gradient of rounding alone: no weight may have such.
    options = dict(optimizer="adam", shuffle=False, dropout=0.0, learning_rate=0.01)
    options |= dict(epochs=1)
    cpu, on_keras = (fitted(kind, engine=e, **options)[0] for e in ("cpu", "keras"))
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    turned = "rotary" in kind
    assert cpu.weights_["transformer_block"]["key_bias"].any() == turned


@pytest.mark.parametrize("kind", ["waves", "rotary"])
def test_the_textbook_formula_predicts_the_same(kind):
    model, _ = fitted(kind)
    w, x = model.weights_, X[0].astype(float)
    x = x @ w["projection"]["kernel"] + w["projection"]["bias"]
    if kind == "waves":
        x = x + reference.sinusoidal_positions(len(x), 8)
    how = dict(n_heads=2, causal=model.causal, rotary=kind == "rotary")
    for name in ("transformer_block", "transformer_block_1"):
        x, shares = reference.transformer_block(x, **how, **w[name])
    x = reference.layer_normalization(x, **w["layer_normalization"])
    pooled = x.mean(axis=0) if kind == "waves" else x[-1]
    np.testing.assert_allclose(model.transform(X[:1])[0], pooled, **CLOSE)
    found = attention_weights(model, X[:1])
    np.testing.assert_allclose(found[0], shares.mean(axis=0), **CLOSE)


def test_a_causal_answer_knows_nothing_of_later_steps():
    model, x = fitted("steps")
    changed = x.copy()
    changed[:, 4:] += 10
    before, after = model.predict(x), model.predict(changed)
    np.testing.assert_allclose(before[:, :4], after[:, :4], **CLOSE)
    assert not np.triu(attention_weights(model, x[:1])[0], 1).any()


def test_it_learns_what_is_far_apart():
    y = (X[:, 0, 0] * X[:, -1, 0] > 0).astype(int)
    model = TransformerClassifier(**SMALL | dict(epochs=120, learning_rate=5e-3))
    assert model.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(n_heads=3), "n_heads=3 must divide d_model=8"),
        (dict(n_heads=8, positional="rotary"), "an odd number"),
        (dict(positional="none"), "'positional' parameter of TransformerRegressor"),
        (dict(pooling="first"), "'pooling' parameter"),
        (dict(warmup_steps=-1), "'warmup_steps' parameter"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TransformerRegressor(**SMALL | options).fit(X, Y)


def test_steps_beyond_a_learned_table_are_refused():
    model, _ = fitted("learned", causal=True)
    longer = np.concatenate([X, X], axis=1)
    for use in (model.predict, lambda x: model.partial_fit(x, Y)):
        with pytest.raises(ValueError, match="12 steps, but with positional='learned'"):
            use(longer)
    stream = model.stream()
    for step in X[0]:
        stream.update(step)
    with pytest.raises(ValueError, match="knows the 6 steps"):
        stream.update(X[0, 0])
    assert len(model.predict(X[:, :3])) == len(X)


def test_no_stream_where_later_steps_count():
    with pytest.raises(ValueError, match="fitted with causal=False"):
        fitted("waves")[0].stream()


def test_inspection_of_states_says_what_there_is_instead():
    model, x = fitted("waves")
    for use in (lambda: hidden_states(model, x), lambda: gradient_flow(model, x, Y)):
        with pytest.raises(TypeError, match="has no recurrent layers"):
            use()


def test_rates_grow_for_a_tenth_of_the_steps_at_most():
    class Plan:
        schedule, learning_rate, first_epoch = None, 1.0, 0
        planned_epochs, warmup_steps = 10, 100

    class Optimizer:
        learning_rate = 1.0

    rates = Schedule(Plan, 4).next(0, 40, Optimizer)
    np.testing.assert_allclose(rates[:5], [0.2, 0.4, 0.6, 0.8, 1])
    assert (rates[4:] == 1).all()


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 9))
@settings(max_examples=20)
def test_the_kernel_of_normalisation_is_its_twin(rows, n, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(2, rows, n)).astype(np.float32)
    gamma, beta = rng.normal(size=(2, n)).astype(np.float32)
    y, pull = normalise_rule(x, gamma, beta, space=Workspace())
    found = np.empty((rows, 2), np.float32)
    twin = [
        np.empty_like(x),
        np.empty_like(x),
        np.empty_like(gamma),
        np.empty_like(beta),
    ]
    reference_kernels.normalise(rows, n, x, gamma, beta, 1e-3, twin[0], found)
    reference_kernels.normalise_back(rows, n, x, g, gamma, found, *twin[1:])
    for one, other in zip((y, *pull(g)), twin, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
