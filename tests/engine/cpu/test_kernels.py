"""Training by the kernels in C is the training that TensorFlow does."""

import dataclasses
import functools
import gc
import os
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import compress

import numpy as np
import pytest
from _instances import in_new_process
from _network_cases import (
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
from _tables import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from skrnn import GRURegressor, LSTMRegressor, RNNRegressor
from skrnn._data.sequences import pack_ragged
from skrnn._engine import choice
from skrnn._engine.cpu import autodiff, network
from skrnn._engine.cpu.kernels import _kernels, layer, matmul, threads
from skrnn._engine.cpu.ops import ops
from skrnn._engine.keras import fork
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import CELLS
from skrnn._networks.losses import LOSSES
from skrnn._networks.specs import Head
from skrnn._networks.weights import weight_table

# Sums of some hundred float32 products, in another order.
CLOSE = dict(rtol=1e-4, atol=2e-5)

SETS = ("plain", "avx2", "avx512")


def takes(name):
    """Whether this processor has the instructions; those in use stay."""
    try:
        _kernels.use(name)
    except ValueError:
        return False
    finally:
        next(filter(_use, reversed(SETS)))
    return True


def _use(name):
    try:
        _kernels.use(name)
    except ValueError:
        return False
    return True


@pytest.fixture(params=SETS)
def instructions(request):
    """Compute with one set of instructions."""
    if not takes(request.param):
        pytest.skip(f"this processor lacks {request.param}")
    _kernels.use(request.param)
    yield request.param
    next(filter(_use, reversed(SETS)))


def steps(spec, dataset, weights, path, optimizer="sgd", rate=1.0, **step_inputs):
    """Take three training steps; return the mean loss and the weights."""
    made = program(spec, optimizer, path=path)
    made.reset([w.copy() for w in weights])
    rows = np.arange(len(dataset))
    order = np.stack([rows, rows[::-1], np.where(rows < 2, rows, -1)])
    loss, finite, after = train(made, dataset, order, rate, **step_inputs)
    assert finite
    return loss, after, made.get_optimizer_state()


def assert_close(first, second, **tolerance):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, **tolerance or CLOSE)


every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())


@every_spec
def test_gradients_are_those_of_tensorflow(spec):
    dataset = draw_dataset(spec, draw_ragged(spec, (2, 5, 1, 3)))
    weights, made = draw_weights(spec), program(spec, path="kernels")
    made.reset(weights)
    rows = np.arange(len(dataset))[None]
    loss, _, after = train(made, dataset, rows, 1.0)
    expected_loss, expected = gradients(spec, dataset, weights, training=True)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    moved = [a - b for a, b in zip(weights, after, strict=True)]
    # What follows the batches isn't learned, and has tests of its own.
    learnt = [row.trainable for row in weight_table(spec)]
    assert_close([*compress(moved, learnt)], [*compress(expected, learnt)])


@every_spec
def test_outputs_and_states_are_those_of_the_formula(spec):
    weights = draw_weights(spec)
    for sequences in (draw_ragged(spec), draw_dense(spec)[1]):
        by_formula = predict(spec, weights, sequences, "reference")
        assert_close(predict(spec, weights, sequences, "kernels"), by_formula)


# In one worker: TensorFlow's gradients are computed once for all sets.
@pytest.mark.xdist_group("instruction_sets")
@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
@pytest.mark.parametrize("activation", layer.KERNEL_ACTIVATIONS)
def test_every_instruction_set_trains_alike(cell, activation, instructions):
    # 21 units: whole vectors and a rest, in every set.
    spec = spec_of(cell, units=(21, 5), activation=activation, bidirectional=True)
    dataset = draw_dataset(spec, draw_ragged(spec, SHORT))
    weights = [w / 4 for w in draw_weights(spec)]
    made = program(spec, path="kernels")
    for rows in batches_of(activation):
        made.reset([w.copy() for w in weights])
        loss, finite, after = train(made, dataset, np.array([rows]), 1.0)
        assert finite
        present = tuple(row for row in rows if row >= 0)
        expected_loss, expected = known_gradients(spec, present)
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-4)
        moved = [a - b for a, b in zip(weights, after, strict=True)]
        assert_close(moved, expected)


# TensorFlow takes each step, and each operation of it, by itself.
SHORT = (2, 3, 1, 3)


def batches_of(activation):
    """Return all sequences, and a batch with absent ones: an activation sees no row."""
    return ((0, 1, 2, 3), (1, -1, 0, -1))[: 2 if LONG or activation == "tanh" else 1]


@functools.cache
def known_gradients(spec, rows):
    """Return the loss and gradients by TensorFlow: one for all sets of instructions."""
    weights = [w / 4 for w in draw_weights(spec)]
    dataset = draw_dataset(spec, draw_ragged(spec, SHORT))
    return gradients(spec, dataset, weights, rows)


@settings(max_examples=60)
@given(
    cell=st.sampled_from(layer.KERNEL_CELLS),
    activation=st.sampled_from(layer.KERNEL_ACTIVATIONS),
    units=st.integers(1, 70),
    n_features=st.integers(1, 40),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=40),
    seed=st.integers(0, 99),
)
def test_layers_of_any_shape_are_the_formula(
    cell, activation, units, n_features, lengths, seed
):
    rng = np.random.default_rng(seed)
    spec = spec_of(cell, units=(units,), activation=activation)
    spec = dataclasses.replace(spec, n_features=n_features)
    arrays = [rng.normal(size=(n, n_features)).astype(np.float32) for n in lengths]
    # Not so large that a rounding error grows from step to step.
    weights = [w / max(1, units) ** 0.5 for w in draw_weights(spec)]
    sequences = pack_ragged(arrays)
    by_formula = predict(spec, weights, sequences, "reference")
    assert_close(predict(spec, weights, sequences, "kernels"), by_formula)


@settings(max_examples=30)
@given(
    cell=st.sampled_from(layer.KERNEL_CELLS),
    units=st.integers(1, 40),
    n_features=st.integers(1, 20),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    dropout=st.booleans(),
)
def test_gradients_of_any_shape_are_the_slopes(
    cell, units, n_features, lengths, dropout
):
    """Go a little along the gradient and back: the difference is its square."""
    spec = spec_of(cell, units=(units,), recurrent_dropout=float(dropout))
    spec = dataclasses.replace(spec, n_features=n_features)
    rng = np.random.default_rng(units)
    arrays = [rng.normal(size=(n, n_features)).astype(np.float32) for n in lengths]
    dataset = draw_dataset(spec, pack_ragged(arrays))
    made = network.NetworkProgram(spec, None, "sgd")
    start = [w / 4 for w in draw_weights(spec)]
    rows = np.arange(len(dataset))[None]
    step_inputs = dict(recurrent_dropout=0.3 if dropout else 0.0, seed=1)
    made.reset(start)
    _, _, after = train(made, dataset, rows, 1.0, **step_inputs)
    slope = [a - b for a, b in zip(start, after, strict=True)]
    square = sum(float((g.astype(np.float64) ** 2).sum()) for g in slope)
    step = 1e-2 / max(np.sqrt(square), 1e-3)
    losses = []
    for sign in (1, -1):
        made.reset([w + sign * step * g for w, g in zip(start, slope, strict=True)])
        losses.append(train(made, dataset, rows, 0.0, **step_inputs)[0])
    difference = (losses[0] - losses[1]) / (2 * step)
    np.testing.assert_allclose(difference, square, rtol=2e-2, atol=1e-4)


@pytest.mark.parametrize("name", [row.name for row in LOSSES.values() if row.keras])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_losses_are_those_of_keras(name, return_sequences):
    heads = {"binary_crossentropy": Head(2, "sigmoid")}
    heads["categorical_crossentropy"] = Head(3, "softmax")
    spec = spec_of(
        "gru", head=heads.get(name, Head(2)), return_sequences=return_sequences
    )
    dataset, weights = draw_dataset(spec, draw_ragged(spec)), draw_weights(spec)
    made = program(spec, loss=name, path="kernels")
    made.reset(weights)
    rows = np.arange(len(dataset))[None]
    loss, _, after = train(made, dataset, rows, 1.0)
    expected_loss, expected = gradients(spec, dataset, weights, loss=name)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    assert_close([a - b for a, b in zip(weights, after, strict=True)], expected)


# `test_engine.py` has the steps of every optimizer.
def test_a_state_of_tensorflow_is_gone_on_with():
    # One operation of TensorFlow: a loop is compiled for twice as long.
    spec = spec_of("lstm")
    dataset, weights = draw_dataset(spec, draw_ragged(spec)), draw_weights(spec)
    _, after, state = steps(spec, dataset, weights, "keras", "adam", 0.01)
    made = program(spec, "adam", path="kernels")
    made.reset(after, state)
    assert_close(made.get_optimizer_state(), state, rtol=1e-6)
    made.reset(after, state[:-1])
    assert made.get_optimizer_state()[0] == 0


# Differentiation


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_have_their_slopes(name):
    def run(ops, x):
        return ACTIVATIONS[name](ops, x)

    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(2, 3, 4))
    node = autodiff.Node(values, [])
    output = run(ops, node)
    np.testing.assert_allclose(output.value, run(ops, values))
    autodiff.differentiate(output, weights)
    numeric = np.zeros_like(values)
    for at in np.ndindex(values.shape):
        small = np.zeros_like(values)
        small[at] = 1e-6
        up, down = run(ops, values + small), run(ops, values - small)
        numeric[at] = ((up - down) * weights).sum() / 2e-6
    found = node.gradient
    np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-8)


# Threads


@pytest.mark.parametrize("ragged", [False, True])
def test_results_do_not_depend_on_the_number_of_threads(ragged, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 12, 3))
    y = X[:, -1, 0]
    if ragged:
        X = [x[: rng.integers(1, 12)] for x in X]
    found = []
    for n_threads, worth in ((1, 1), (2, 1), (5, 1)):
        monkeypatch.setattr(threads, "n_threads", lambda n=n_threads: n)
        monkeypatch.setattr(threads, "WORTH_A_THREAD", worth)
        threads._pool.cache_clear()
        model = LSTMRegressor(units=40, epochs=2, batch_size=50, random_state=0)
        model.fit(X, y)
        found.append([*model._weights, model.predict(X)])
    threads._pool.cache_clear()
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_threads_that_share_the_pool_do_not_wait_for_each_other(monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 2)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    X = np.random.default_rng(0).normal(size=(300, 9, 2))
    models = [
        each(units=20, epochs=2, random_state=0).fit(X, X[:, 0, 0])
        for each in (RNNRegressor, LSTMRegressor, GRURegressor)
    ]
    expected = [model.predict(X) for model in models]
    barrier = threading.Barrier(8)

    def run(i):
        barrier.wait(timeout=60)
        again = type(models[i % 3])(**models[i % 3].get_params())
        return again.fit(X, X[:, 0, 0]).predict(X)

    with ThreadPoolExecutor(8) as pool:
        for i, found in enumerate(pool.map(run, range(24))):
            np.testing.assert_array_equal(found, expected[i % 3])


def test_threads_follow_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads.n_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "two")
    cores = threads.n_threads()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.n_threads() == cores >= 1


def test_the_first_error_ends_all_turns(monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: 2)
    done = []

    def fail(item):
        done.append(item)
        raise MemoryError

    with pytest.raises(MemoryError):
        threads.for_each(fail, range(1000), work=threads.WORTH_A_THREAD)
    assert len(done) <= 2


def test_large_work_is_done_while_the_interpreter_shuts_down():
    found = in_new_process(
        textwrap.dedent("""
        import atexit
        import numpy as np
        from skrnn import LSTMRegressor
        from skrnn._engine.cpu.kernels import threads
        threads.WORTH_A_THREAD = 1
        threads.n_threads = lambda: 2
        X = np.random.default_rng(0).normal(size=(300, 9, 2))
        model = LSTMRegressor(units=8, epochs=1, random_state=0).fit(X, X[:, 0, 0])
        expected = model.predict(X)
        def late():
            again = LSTMRegressor(**model.get_params()).fit(X, X[:, 0, 0])
            print((again.predict(X) == expected).all())
        atexit.register(late)
    """)
    )
    assert found.split() == ["True"]


# What a user may meet


def small_data():
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    return X, X[:, -1, 0]


def test_batches_do_not_wait_for_the_garbage_collector():
    spec = spec_of("lstm", attention="dot", return_sequences=True)
    dataset, weights = draw_dataset(spec, draw_ragged(spec)), draw_weights(spec)
    made = network.NetworkProgram(spec, None, "sgd")
    made.reset(weights)
    gc.collect()
    gc.disable()
    try:
        train(made, dataset, np.arange(len(dataset))[None])
        nodes = [each for each in gc.get_objects() if type(each) is autodiff.Node]
        # Each takes part in no cycle, so nothing but this list could hold one.
        assert not nodes
    finally:
        gc.enable()


def test_callbacks_see_the_steps_taken():
    import keras

    seen = []

    class Steps(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(int(self.model.optimizer.iterations))

    model = GRURegressor(units=2, epochs=3, batch_size=10, callbacks=[Steps()])
    model.fit(*small_data())
    assert seen == [2, 4, 6]


@pytest.mark.parametrize("epochs", [2, 3])
def test_weights_that_a_callback_spoils_are_not_kept(epochs):
    import keras

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                spoilt = [w * np.nan for w in self.model.get_weights()]
                self.model.set_weights(spoilt)

    model = GRURegressor(units=2, epochs=epochs, callbacks=[Spoil()], random_state=0)
    with pytest.warns(ConvergenceWarning, match="not finite"):
        model.fit(*small_data())
    assert all(np.isfinite(weight).all() for weight in model._weights)


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_a_rate_close_to_one_is_no_infinity(name):
    model = GRURegressor(units=2, epochs=2, random_state=0, **{name: 1 - 1e-9})
    assert np.isfinite(model.fit(*small_data()).predict(small_data()[0])).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_is_refused_what_needs_keras(monkeypatch):
    import keras

    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)
    options = dict(units=2, epochs=1, random_state=0)
    GRURegressor(callbacks=[rate], **options).fit(*small_data())
    monkeypatch.setattr(fork, "_lost", {"TensorFlow"})
    GRURegressor(**options).fit(*small_data())
    with pytest.raises(RuntimeError, match="loky"):
        GRURegressor(callbacks=[rate], **options).fit(*small_data())


def test_the_file_of_keras_is_heeded_before_keras_is_loaded(tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    code = """
import os, sys
from skrnn._engine.keras.backends import is_default_backend
for home in sys.argv[1:]:
    os.environ["KERAS_HOME"] = home
    print(is_default_backend(), "keras" in sys.modules)
"""
    homes = tmp_path, tmp_path / "none"
    found = in_new_process(code, *homes, KERAS_BACKEND="").split()
    assert found == ["False", "False", "True", "False"]


# What is missing


def test_small_arrays_are_refused_rather_than_overrun():
    row = np.zeros(1, np.float32)
    with pytest.raises(ValueError, match="bytes where"):
        _kernels.adam(np.zeros(4, np.float32), row, row, row, 0.1, 0.9, 0.9, 1e-7)
    with pytest.raises(ValueError, match="bytes where"):
        _kernels.project(1, 1, np.ones(1, np.int32), row, 3, row, 0, 1, None, row)
    with pytest.raises(ValueError, match="a size of -1"):
        _kernels.project(1, -1, np.ones(1, np.int32), row, 1, row, 0, 1, None, row)
    with pytest.raises(ValueError, match="2 of 1 sequences"):
        _kernels.project(1, 1, np.full(1, 2, np.int32), row, 1, row, 0, 1, None, row)
    arrays = np.ones(1, np.int32), *[row] * 8, None, None, *[row] * 4
    with pytest.raises(ValueError, match="cell 99"):
        _kernels.layer(99, 0, *[1] * 5, *arrays)


def test_rows_are_scattered_within_bounds():
    ids, rows = np.array([2, 0, 2], np.int32), np.ones((3, 2), np.float32)
    table = np.zeros((3, 2), np.float32)
    _kernels.scatter(ids, rows, 3, 2, 0, 2, table)
    np.testing.assert_array_equal(table, [[1, 1], [0, 0], [2, 2]])
    for bad in (-1, 3):
        with pytest.raises(IndexError, match=f"id {bad} of 3 rows"):
            _kernels.scatter(np.array([0, 0, bad], np.int32), rows, 3, 2, 0, 2, table)
    np.testing.assert_array_equal(table, [[1, 1], [0, 0], [2, 2]])


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_tables_of_any_shape_have_gradients(shape, order):
    table = np.ones(shape, np.float32, order=order)
    ids = np.array([[0, 4], [4, 1]], np.int32)
    found, pull = matmul.rows_rule(table, ids)
    expected, g = np.zeros(shape), np.random.default_rng(0).normal(size=found.shape)
    np.add.at(expected, ids, g.astype(np.float32))
    np.testing.assert_allclose(pull(g.astype(np.float32))[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("backend", "expected"), [("tensorflow", "cpu"), ("jax", "keras")]
)
def test_another_backend_is_used_where_it_is_asked_for(backend, expected, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    assert choice.choose() == expected
    assert set(layer.KERNEL_CELLS) <= set(CELLS)
