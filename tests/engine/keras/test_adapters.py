"""Fast paths on TensorFlow compute what the plain ones do; nothing compiles twice."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from _network_cases import draw_dataset, draw_ragged, draw_weights, spec_of
from test_topologies import STEP_INPUTS, keras_program, order_of, pairs, text, trained

from skrnn import RNNRegressor
from skrnn._engine.cpu import autodiff, reference
from skrnn._engine.cpu.ops import ops as cpu_ops
from skrnn._engine.keras import run
from skrnn._engine.keras.adapters import tensorflow as adapter
from skrnn._engine.keras.ops import ops as keras_ops
from skrnn._engine.keras.run import KerasRun
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS, CellRun

CLOSE = dict(rtol=1e-5, atol=1e-6)
RNG = np.random.default_rng(0)
LENGTHS = np.array([3, 5, 1, 4], np.int32)
X = RNG.normal(size=(5, 4, 2)).astype(np.float32)


def lstm(units=3):
    rows = CELLS["lstm"].weights(2, units)
    weights = {row.name: RNG.normal(size=row.shape).astype("f4") for row in rows}
    return CellRun("lstm", "tanh", units, weights)


def test_the_fused_lstm_goes_on_from_states_as_the_loop_does(monkeypatch):
    cell = lstm()
    states = [tf.constant(RNG.normal(size=(4, 3)).astype("f4")) for _ in range(2)]
    found = []
    for most in (96, 0):
        monkeypatch.setattr(adapter, "FUSED_MAX_UNITS", most)
        with tf.GradientTape() as tape:
            tape.watch(states)
            given = cell, tf.constant(X), tf.constant(LENGTHS), tuple(states)
            outputs, after = KerasRun().recur(*given, final=True)
            last = KerasRun.last(outputs, tf.constant(LENGTHS))
            loss = tf.reduce_sum(last**2) + sum(tf.reduce_sum(s**3) for s in after)
        found.append([last, *after, *tape.gradient(loss, states)])
    for fused, plain in zip(*found, strict=True):
        np.testing.assert_allclose(fused, plain, **CLOSE)


@pytest.mark.parametrize("kernel", ["BlockLSTM", None])
def test_a_cell_declares_its_kernel_under_any_name(kernel, monkeypatch):
    row = replace(CELLS["lstm"], tensorflow_kernel=kernel)
    monkeypatch.setitem(CELLS, "another lstm", row)
    cell = replace(lstm(), name="another lstm")
    used = adapter.fused(cell, tf.constant(X), None)
    assert (used is not None) == (kernel is not None)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_one_slope_at_zero(name):
    x = np.array([[-1.0, 0.0, 2.0]], np.float32)
    node, tensor = autodiff.Node(x, []), tf.Variable(x)
    autodiff.differentiate(ACTIVATIONS[name](cpu_ops, node), x + 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(ACTIVATIONS[name](keras_ops, tensor) * (x + 2))
    np.testing.assert_allclose(node.gradient, tape.gradient(loss, tensor), **CLOSE)


def test_a_stack_of_idle_units_trains_alike_on_both_engines():
    # All inputs of the second layer are zeros, and so are its biases.
    x, y = np.full((8, 3, 1), -1.0, np.float32), np.arange(8.0)
    options = dict(units=(2, 2), activation="relu", optimizer="sgd", epochs=2)
    found = [
        RNNRegressor(engine=e, random_state=6, shuffle=False, **options).fit(x, y)
        for e in ("cpu", "keras")
    ]
    for a, b in zip(*(model._weights for model in found), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def test_reversing_is_that_of_the_formula():
    given = tf.constant(X)
    found = adapter.reverse(given, tf.constant(LENGTHS))
    np.testing.assert_array_equal(found, reference.reverse(X, LENGTHS))
    np.testing.assert_array_equal(adapter.reverse(found, tf.constant(LENGTHS)), X)


def test_states_begin_anew_where_they_are_told_to():
    reset = RNG.random((5, 4)) < 0.5
    states = tuple(RNG.normal(size=(4, 3)).astype("f4") for _ in range(2))
    cell = lstm()
    given = X, LENGTHS, states, reset
    expected = reference.ReferenceRun().recur(cell, *given, final=True)
    tensors = [tf.constant(each) for each in (X, LENGTHS)]
    tensors += [tuple(map(tf.constant, states)), tf.constant(reset)]
    found = KerasRun().recur(cell, *tensors, final=True)
    steps = np.arange(5)[:, None] < LENGTHS
    np.testing.assert_allclose(found[0][steps], expected[0][steps], **CLOSE)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def network(lengths):
    spec = spec_of("gru", dropout=0.5, recurrent_dropout=0.5)
    return spec, draw_dataset(spec, draw_ragged(spec, lengths))


def test_other_sizes_of_data_are_not_compiled_again():
    spec, data = network((5, 7, 4))
    program = keras_program(spec.with_rates_as_arguments(), optimizer="sgd")
    for lengths in ((5, 7, 4), (3,) * 20, (9, 1, 2, 8, 5)):
        _, data = network(lengths)
        trained(program, spec, data, order_of(data))
    assert program.n_traces == 2


@pytest.mark.parametrize("make", [pairs, text], ids=["pairs", "text"])
def test_no_topology_is_compiled_again(make):
    spec, data = make(cell="rnn")
    program = keras_program(spec, optimizer="sgd", teacher_forcing=0.5)
    for n in (5, 4):
        order = order_of(data)[: 2 * n]
        trained(program, spec, data, order)
        program.teacher_forcing /= 2
    assert program.n_traces == 2


def test_a_decoder_reads_its_own_outputs_as_often_as_it_is_told():
    spec, data = pairs(cell="rnn")
    order, found = order_of(data), []
    program = keras_program(spec, teacher_forcing=0.5, optimizer="sgd")
    for forcing, seed in ((1.0, 0), (1.0, 1), (0.5, 0), (0.5, 0), (0.5, 1), (0.0, 0)):
        program.teacher_forcing = forcing
        program.reset(draw_weights(spec))
        program.optimizer.learning_rate = 0.1
        step_inputs = STEP_INPUTS | {"seed": seed}
        found.append(float(program.train(program.load(data), order, step_inputs)[0]))
    truth, again, half, same, other, own = found
    assert truth == again
    assert half == same
    assert len({truth, half, other, own}) == 4


def test_what_is_not_finite_changes_no_state():
    spec, data = text(cell="gru")
    program = keras_program(spec, optimizer="adam")
    weights = draw_weights(spec)
    weights[-1][:] = np.inf
    program.reset(weights)
    before = program.get_optimizer_state()
    *_, finite = program.train(program.load(data), order_of(data), STEP_INPUTS)
    assert not finite
    for a, b in zip(program.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(program.get_optimizer_state(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_table_is_projected_before_or_after_its_rows_are_looked_up(monkeypatch):
    spec, data = text(cell="lstm")
    found = []
    for most in (512, 0):
        monkeypatch.setattr(run, "_FEW_ROWS", most)
        found.append(trained(keras_program(spec), spec, data, order_of(data)))
    for before, after in zip(*found, strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-4, atol=1e-5)
