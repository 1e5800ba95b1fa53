"""The textbook formulas of the cells: Keras' layers and the engine agree with them."""

import inspect

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import reference
from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS, CellRun
from skrnn.reference import _activations

CLOSE = dict(rtol=1e-10, atol=1e-12)
CELL_NAMES = [*CELLS]
LAYERS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


def weights_of(cell, width, units, seed=0):
    """Draw weights of a row of the table, biases too."""
    rng = np.random.default_rng(seed)
    rows = CELLS[cell].weights(width, units)
    return {row.name: rng.normal(size=row.shape) for row in rows}


def what_is_missing(cells):
    """Say what to write for cells of the table that have no formula."""
    for name, cell in cells.items():
        weights = [row.name for row in cell.weights(2, 3)]
        for function in (name, f"{name}_step"):
            formula = getattr(reference, function, None)
            if formula is None:
                return (
                    f"CELLS has the row {name!r}, but skrnn.reference has no "
                    f"{function}: write the cell's equations as {name}_step (one step) "
                    f"and {name} (a sequence), with the weights {weights} by name, in "
                    "a file of its own in skrnn/reference, and export both in its "
                    "__init__.py."
                )
            lacking = set(weights) - {*inspect.signature(formula).parameters}
            if lacking:
                return f"skrnn.reference.{function} must take {sorted(lacking)} by name"
    return ""


def test_every_row_of_the_table_has_its_formula():
    message = what_is_missing(CELLS)
    assert not message, message


def test_a_new_row_without_a_formula_is_told_what_to_write(monkeypatch):
    message = what_is_missing(CELLS | {"clockwork": CELLS["rnn"]})
    assert "skrnn.reference has no clockwork" in message
    assert "write the cell's equations as clockwork_step" in message
    monkeypatch.setattr(reference, "rnn", lambda x, kernel: x)
    assert "['bias', 'recurrent_kernel']" in what_is_missing(CELLS)


def test_every_activation_has_its_formula():
    x = np.linspace(-30, 30, 61).reshape(1, -1)
    assert {*_activations.ACTIVATIONS} == {*ACTIVATIONS}, (
        "write the formula in skrnn/reference/_activations.py"
    )
    for name in ACTIVATIONS:
        expected = keras.ops.convert_to_numpy(keras.activations.get(name)(x))
        np.testing.assert_allclose(reference.activate(x, name), expected, rtol=1e-6)


def test_extreme_numbers_do_not_overflow():
    x = np.array([-1e4, 0, 1e4])
    for name in ACTIVATIONS:
        assert np.isfinite(reference.activate(x, name)).all()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("cell", LAYERS)
def test_keras_layer_puts_out_the_same(cell, activation):
    x = np.random.default_rng(1).normal(size=(4, 6, 3))
    w = weights_of(cell, 3, 5)
    layer = getattr(keras.layers, LAYERS[cell])(
        5, activation=activation, return_sequences=True, dtype="float64"
    )
    layer.build(x.shape)
    layer.set_weights([*w.values()])
    found = getattr(reference, cell)(x, **w, activation=activation)
    np.testing.assert_allclose(found, layer(x).numpy(), **CLOSE)


def test_keras_gru_of_the_paper_puts_out_the_same():
    x = np.random.default_rng(1).normal(size=(4, 6, 3))
    w = weights_of("gru", 3, 5)
    w["bias"] = w["bias"][0]
    layer = keras.layers.GRU(
        5, reset_after=False, return_sequences=True, dtype="float64"
    )
    layer.build(x.shape)
    layer.set_weights([*w.values()])
    found = reference.gru(x, **w, reset_after=False)
    np.testing.assert_allclose(found, layer(x).numpy(), **CLOSE)
    with pytest.raises(ValueError, match=r"bias must have shape \(2, 3 \* units\)"):
        reference.gru(x, **w)


def test_keras_layer_of_both_directions_puts_out_the_same():
    x = np.random.default_rng(1).normal(size=(4, 6, 3))
    both = [weights_of("lstm", 3, 5, seed) for seed in (0, 1)]
    inner = keras.layers.LSTM(5, return_sequences=True, dtype="float64")
    layer = keras.layers.Bidirectional(inner, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([array for w in both for array in w.values()])
    found, state = reference.bidirectional(reference.lstm, x, *both, return_state=True)
    expected = layer(x).numpy()
    np.testing.assert_allclose(found, expected, **CLOSE)
    last = np.hstack([expected[:, -1, :5], expected[:, 0, 5:]])
    np.testing.assert_allclose(state, last, **CLOSE)


sizes = st.integers(1, 5)


@settings(max_examples=25)
@given(
    st.sampled_from(CELL_NAMES), st.lists(sizes, min_size=1, max_size=4), sizes, sizes,
    st.sampled_from(["tanh", "sigmoid", "softsign"]),
)  # fmt: skip
def test_the_engine_agrees_at_all_shapes(cell, lengths, width, units, activation):
    rng, w = np.random.default_rng(0), weights_of(cell, width, units)
    ragged = [rng.normal(size=(length, width)) for length in lengths]
    x = np.zeros((max(lengths), len(lengths), width))
    for i, sequence in enumerate(ragged):
        x[: len(sequence), i] = sequence
    found = getattr(reference, cell)(ragged, **w, activation=activation)
    run = CellRun(cell, activation, units, w)
    expected, after = ReferenceRun().recur(run, x, np.array(lengths), final=True)
    for i, outputs in enumerate(found):
        np.testing.assert_allclose(outputs, expected[: lengths[i], i], **CLOSE)
        last = CELLS[cell].output(after)[i]
        np.testing.assert_allclose(outputs[-1], last, **CLOSE)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_all_forms_of_sequences_are_read_alike(cell):
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    read, w = getattr(reference, cell), weights_of(cell, 2, 3)
    several, states = read(x, **w, return_states=True)
    as_list, listed = read([*x], **w, return_states=True)
    assert several.shape == states.h.shape == (3, 4, 3)
    assert isinstance(as_list, list)
    for i, sequence in enumerate(x):
        one, of_one = read(sequence, **w, return_states=True)
        np.testing.assert_array_equal(several[i], one)
        np.testing.assert_array_equal(as_list[i], one)
        np.testing.assert_array_equal(read(sequence.tolist(), **w), one)
        for name in states._fields:
            np.testing.assert_array_equal(
                getattr(states, name)[i], getattr(of_one, name)
            )
            np.testing.assert_array_equal(
                getattr(listed, name)[i], getattr(of_one, name)
            )


def first_states(cell, w):
    """Return the states of three units before the first step."""
    if cell != "ntm":
        return [np.zeros(3)] * len(CELLS[cell].state_shapes(3))
    addresses = [reference.softmax(row) for row in w["first_addresses"]]
    shape = len(addresses[0]), len(w["read_kernel"])
    return [*np.zeros((2, 3)), np.zeros(shape[1]), *addresses, np.full(shape, 1e-6)]


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_a_sequence_is_its_steps_and_goes_on_from_states(cell):
    x, w = np.random.default_rng(0).normal(size=(5, 2)), weights_of(cell, 2, 3)
    read, step = getattr(reference, cell), getattr(reference, f"{cell}_step")
    states = first_states(cell, w)
    n_states = len(states)
    for x_t in x:
        after = step(x_t, *states, **w)
        states = after[:n_states]
    whole, _ = read(x, **w, return_states=True)
    np.testing.assert_allclose(whole[-1], after.h, **CLOSE)
    _, half = read(x[:2], **w, return_states=True)
    middle = [array[-1] for array in half[:n_states]]
    rest = read(x[2:], **w, initial_state=middle)
    np.testing.assert_allclose(rest, whole[2:], **CLOSE)
    with pytest.raises(ValueError, match=f"initial_state must have {n_states} arrays"):
        read(x, **w, initial_state=[np.zeros(3)] * 3)


# Gate -> its letter in the equations.
LETTERS = {
    "input": "i", "forget": "f", "output": "o", "update": "z", "reset": "r",
    "candidate": "g",
}  # fmt: skip


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
def test_gates_stand_in_the_order_that_the_table_tells(cell):
    """A bias of 7 in the columns of a gate alone moves that gate, and no other."""
    w = {name: np.zeros_like(array) for name, array in weights_of(cell, 1, 2).items()}
    letters = [LETTERS[name] for name in CELLS[cell].gate_order]
    for place, gate in enumerate(letters):
        bias = np.zeros_like(w["bias"])
        of_input = bias if bias.ndim == 1 else bias[0]
        of_input[2 * place : 2 * place + 2] = 7
        _, states = getattr(reference, cell)(
            [[0.0]], **w | {"bias": bias}, return_states=True
        )
        moved = {name: float(getattr(states, name)[0, 0]) for name in letters}
        still = {name: 0.0 if name in "g" else 0.5 for name in moved}
        value = np.tanh(7) if gate in "g" else reference.sigmoid(7)
        assert moved == pytest.approx(still | {gate: float(value)})


def test_layers_stand_on_each_other():
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    layers = [weights_of("gru", 3, 5), weights_of("gru", 5, 2)]
    expected = reference.gru(reference.gru(x, **layers[0]), **layers[1])
    np.testing.assert_array_equal(reference.stacked(reference.gru, x, layers), expected)


@pytest.mark.parametrize(
    "x", [np.zeros(3), np.zeros((0, 2)), [], [np.zeros((2, 1)), np.zeros((0, 1))]]
)
def test_what_is_no_sequence_is_refused(x):
    w = weights_of("rnn", 1, 2)
    with pytest.raises(ValueError, match=r"x must be a sequence \(T, F\)"):
        reference.rnn(x, **w)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match=r"activation='swish' must be one of \['elu'"):
        reference.activate([1.0], "swish")
