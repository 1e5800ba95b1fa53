"""Whole training steps in C are the steps that the tape takes, their reference."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from _network_cases import draw_dataset, draw_dense, draw_weights, spec_of, train
from _tables import covering
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import LSTMRegressor
from skrnn._data.sequences import pack_ragged, pack_windows
from skrnn._data.windows import sliding_windows
from skrnn._engine.cpu import fused_step, network
from skrnn._engine.cpu.kernels import layer
from skrnn._engine.cpu.program import CpuProgram
from skrnn._engine.cpu.run import DropoutMasks
from skrnn._networks.losses import LOSSES
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import Head

# The sums are the same but for the loss and the head's bias. Adam makes a step of
# whatever differs from zero, however little.
CLOSE = dict(rtol=1e-5, atol=5e-6)
RATE = 1e-3
HEADS = [Head(1), Head(3), Head(1, "sigmoid"), Head(3, "sigmoid"), Head(4, "softmax")]


def take_steps(
    spec, dataset, weights, *, plain, order=None, optimizer="adam", **step_inputs
):
    """Take three steps; return the mean loss, the weights and the optimizer's state."""
    made = network.NetworkProgram(spec, None, optimizer)
    if not plain:
        made.train = lambda *args: CpuProgram.train(made, *args)
    made.reset([w.copy() for w in weights])
    rows = np.arange(len(dataset))
    if order is None:
        order = np.stack([rows, rows[::-1], np.where(rows < 2, rows, -1)])
    assert made.fused.takes(made, dataset, order)
    loss, finite, after = train(made, dataset, order, RATE, **step_inputs)
    return loss, finite, after, made.get_optimizer_state()


def gradient(spec, dataset, weights, *, plain, seed=0, step=0, **rates):
    """Return the gradient of the loss of all sequences, as one flat array."""
    made = network.NetworkProgram(spec, None, "adam")
    made.reset(weights)
    rates = {name: rate for name, rate in rates.items() if "dropout" in name}
    given = dict(seed=seed, step=step, **rates)
    rows, masks = np.arange(len(dataset)), DropoutMasks(given, step)
    if plain:
        train(made, dataset, rows[None], RATE, **given)
    else:
        made._differentiate(dataset, rows, masks)
    return made._gradient


def assert_same_steps(spec, dataset, weights, **options):
    loss, finite, *found = take_steps(spec, dataset, weights, plain=True, **options)
    expected_loss, expected_finite, *expected = take_steps(
        spec, dataset, weights, plain=False, **options
    )
    assert finite == expected_finite
    options.pop("optimizer", None)
    one, other = (
        gradient(spec, dataset, weights, plain=plain, **options)
        for plain in (True, False)
    )
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6 * abs(other).max())
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    for each, other in zip(found, expected, strict=True):
        for a, b in zip(each, other, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)
    return found


# Each cell with each activation; what comes behind them sees neither.
RECURRENT = list(product(layer.KERNEL_CELLS, layer.KERNEL_ACTIVATIONS))


@pytest.mark.parametrize(("recurrent", "head"), covering(RECURRENT, HEADS), ids=str)
def test_steps_are_those_of_the_tape(recurrent, head):
    cell, activation = recurrent
    spec = spec_of(cell, units=(5,), activation=activation, head=head)
    dataset = draw_dataset(spec, draw_dense(spec)[1])
    weights = [w / 2 for w in draw_weights(spec)]
    assert_same_steps(spec, dataset, weights)
    # A norm that shrinks some of the gradients.
    assert_same_steps(spec, dataset, weights, clipnorm=0.05)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_any_optimizer_takes_the_steps_of_the_tape(optimizer):
    spec = spec_of("gru", units=(5,), head=Head(2))
    dataset = draw_dataset(spec, draw_dense(spec)[1])
    weights = [w / 2 for w in draw_weights(spec)]
    options = dict(optimizer=optimizer, clipnorm=0.05, global_clipnorm=0.1)
    assert_same_steps(spec, dataset, weights, **options)


@pytest.mark.parametrize("quantile", [0.1, 0.5])
@pytest.mark.parametrize("loss", [n for n, r in LOSSES.items() if r.fused is not None])
def test_losses_are_those_of_the_tape(loss, quantile):
    row = LOSSES[loss]
    values = [quantile] * len(row.parameters)
    units = 1 if row.activations == ("sigmoid",) else 3
    named = (loss, *values) if values else loss
    spec = spec_of(units=(5,), head=Head(units, row.activations[0], named))
    dataset = draw_dataset(spec, draw_dense(spec)[1])
    if row.targets == "numbers":
        # On both sides of 0, and of the error of 1 from which Huber's is linear.
        dataset.targets[:] *= np.float32(3)
    assert_same_steps(spec, dataset, [w / 2 for w in draw_weights(spec)])


@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.5)])
def test_what_is_dropped_is_what_the_tape_drops(cell, optimizer, rates):
    dropout, recurrent = (1.0 if rate else 0.0 for rate in rates)
    spec = spec_of(cell, units=(5,), dropout=dropout, recurrent_dropout=recurrent)
    dataset = draw_dataset(spec, draw_dense(spec)[1])
    given = dict(dropout=rates[0], recurrent_dropout=rates[1], step=7, seed=3)
    weights = [w / 2 for w in draw_weights(spec)]
    found = assert_same_steps(spec, dataset, weights, optimizer=optimizer, **given)
    other = given | {"seed": 4}
    changed = assert_same_steps(spec, dataset, weights, optimizer=optimizer, **other)
    # States that meet no weights are never dropped.
    drops = rates[0] or spec.products
    is_other = any((a != b).any() for a, b in zip(found[0], changed[0], strict=True))
    assert is_other == bool(drops)


@settings(max_examples=40)
@given(
    cell=st.sampled_from(layer.KERNEL_CELLS),
    activation=st.sampled_from(layer.KERNEL_ACTIVATIONS),
    units=st.integers(1, 40),
    n_features=st.integers(1, 20),
    n_steps=st.integers(1, 9),
    n=st.integers(2, 20),
    outputs=st.integers(1, 5),
)
def test_steps_of_any_shape(cell, activation, units, n_features, n_steps, n, outputs):
    spec = spec_of(cell, units=(units,), activation=activation, head=Head(outputs))
    spec = dataclasses.replace(spec, n_features=n_features)
    dataset = draw_dataset(spec, draw_dense(spec, n, n_steps)[1])
    weights = [w / max(1, units) ** 0.5 for w in draw_weights(spec)]
    assert_same_steps(spec, dataset, weights)


@pytest.mark.parametrize("layout", ["rows", "columns", "apart"])
@pytest.mark.parametrize("sampling_rate", [1, 2])
def test_windows_are_gathered_from_the_series(layout, sampling_rate):
    series = np.random.default_rng(0).normal(size=(40, 3)).astype("f4")
    layouts = {
        "rows": series,
        "columns": np.asfortranarray(series),
        "apart": np.repeat(series, 2, axis=0)[::2],
    }
    spec = spec_of("lstm")
    spec = dataclasses.replace(spec, n_features=3)
    found = []
    for each in (series, layouts[layout]):
        X = pack_windows(sliding_windows(each, 6, sampling_rate))
        dataset = draw_dataset(spec, X)
        found.append(assert_same_steps(spec, dataset, draw_weights(spec)))
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("plain", [True, False])
def test_nothing_changes_from_where_it_is_not_finite(plain):
    spec = spec_of("lstm")
    dataset = draw_dataset(spec, draw_dense(spec, 6)[1])
    dataset.targets[4] = np.inf
    weights = draw_weights(spec)
    first = np.array([[0, 1]])
    options = dict(plain=plain, order=first)
    _, finite, expected, state = take_steps(spec, dataset, weights, **options)
    assert finite
    options["order"] = np.array([[0, 1], [3, 4], [0, 1]])
    loss, finite, after, other = take_steps(spec, dataset, weights, **options)
    assert not finite
    assert not np.isfinite(loss)
    for a, b in zip([*expected, *state], [*after, *other], strict=True):
        np.testing.assert_array_equal(a, b)


OTHERS = {
    "two layers": dict(units=(4, 4)),
    "both directions": dict(bidirectional=True),
    "every step": dict(return_sequences=True),
    "attention": dict(attention="dot"),
    "norm": dict(layer_norm=True),
    "hidden layer": dict(dense_units=(3,)),
    "tokens": dict(embedding_dim=3),
}


@pytest.mark.parametrize("key", OTHERS)
def test_other_networks_are_for_the_tape(key):
    assert network.NetworkProgram(spec_of(**OTHERS[key]), None, "adam").fused is None


def test_other_training_is_for_the_tape():
    spec = spec_of()
    ragged = pack_ragged([np.ones((n, spec.n_features), "f4") for n in (3, 4)])
    large = np.zeros((1, 100_000), int)
    dense = draw_dataset(spec, draw_dense(spec)[1])
    some = np.arange(2)[None]
    made = network.NetworkProgram(spec, None, "adam")
    assert made.fused.takes(made, dense, some)
    for dataset, order in [(draw_dataset(spec, ragged), some), (dense, large)]:
        assert not made.fused.takes(made, dataset, order)
    own_loss = network.NetworkProgram(spec, lambda y, z: (y - z, z), "adam")
    assert own_loss.fused is None


def test_a_default_estimator_trains_so(monkeypatch):
    calls = []

    def take_steps(*args):
        calls.append(args)
        return 1.0, 1, True

    monkeypatch.setattr(fused_step.FusedStep, "train", take_steps)
    X = np.random.default_rng(0).normal(size=(40, 5, 2))
    LSTMRegressor(epochs=2, random_state=0).fit(X, X[:, 0, 0])
    assert len(calls) >= 2


def test_what_does_not_fit_is_refused_rather_than_overrun(monkeypatch):
    spec = spec_of()
    made = network.NetworkProgram(spec, None, "adam")
    dataset = draw_dataset(spec, draw_dense(spec)[1])
    step_inputs = dict(clipnorm=np.float32(1), step=0)
    for change in (
        dict(starts=np.array([0, 10**6])),
        dict(starts=np.array([0, -1])),
        dict(values=np.ones((9, spec.n_features + 1), np.float32)),
    ):
        sequences = dataclasses.replace(dataset.sequences, **change)
        other = dataclasses.replace(dataset, sequences=sequences)
        with pytest.raises(ValueError, match="of another network"):
            made.fused.train(made, other, np.array([[0, 1]]), step_inputs)
    labels = spec_of(head=Head(3, "softmax"))
    made = network.NetworkProgram(labels, None, "adam")
    dataset = draw_dataset(labels, draw_dense(labels)[1])
    dataset.targets[1] = 3
    with pytest.raises(ValueError, match="of another network"):
        made.fused.train(made, dataset, np.array([[0, 1]]), step_inputs)
    monkeypatch.setattr(fused_step.FusedStep, "_n_numbers", lambda *_: 3)
    dataset.targets[1] = 2
    with pytest.raises(ValueError, match="bytes where"):
        made.fused.train(made, dataset, np.array([[0, 1]]), step_inputs)
