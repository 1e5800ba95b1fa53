"""What the engine adds to the formula: batches, noise, optimizers, losses, the loop."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from _eager import uncompiled
from _instances import in_new_process
from _network_cases import (
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
from scipy.special import expit, log_softmax

from skrnn import _engine
from skrnn._engine import choice
from skrnn._engine.cpu import reference
from skrnn._engine.keras import fork
from skrnn._engine.keras.foreign.optimizers import (
    learning_rate,
    make_optimizer,
    optimizer_key,
)
from skrnn._engine.keras.program import Program
from skrnn._engine.keras.run import DropoutMasks, KerasRun, adapter
from skrnn._engine.training import loop
from skrnn._engine.training.plan import TrainPlan
from skrnn._networks.activations import HIDDEN_ACTIVATIONS
from skrnn._networks.cells import CELLS, CellRun
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import Head

CLOSE = dict(rtol=1e-5, atol=1e-5)

# TensorFlow has one operation for it, so that it is compiled in half of the time of a
# loop; the plainest of the loops is the noisy one.
PLAIN = spec_of("lstm")
NOISY = spec_of("rnn", units=(3, 4), dropout=0.5, recurrent_dropout=0.5)

PLAN = TrainPlan(
    loss=None,
    optimizer="adam",
    learning_rate=0.05,
    clipnorm=1.0,
    epochs=3,
    batch_size=4,
    shuffle=True,
    early_stopping=False,
    patience=10,
    callbacks=(),
    verbose=0,
    seed=0,
)


def assert_same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def differ(first, second):
    return any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture
def small():
    """Nine sequences for the plain network: dataset and weights."""
    _, sequences = draw_dense(PLAIN, n=9)
    return draw_dataset(PLAIN, sequences), draw_weights(PLAIN)


@pytest.fixture(params=["kernels", "keras"])
def path(request):
    """Name each way to train."""
    return request.param


# The fused kernel and the loop


FUSED = {
    "tokens": spec_of("lstm", embedding_dim=3),
    "both": spec_of("lstm", bidirectional=True),
    "stacked steps": spec_of(
        "lstm", units=(3, 4), return_sequences=True, attention="dot"
    ),
}


@pytest.mark.parametrize("key", FUSED)
def test_fused_lstm_is_the_loop(key, monkeypatch):
    spec = FUSED[key]
    dataset, weights = draw_dataset(spec, draw_ragged(spec)), draw_weights(spec)
    fused_loss, fused_gradients = gradients(spec, dataset, weights)
    monkeypatch.setattr(adapter, "FUSED_MAX_UNITS", 0)
    loss, plain_gradients = gradients(spec, dataset, weights)
    np.testing.assert_allclose(fused_loss, loss, **CLOSE)
    for a, b in zip(fused_gradients, plain_gradients, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


# Each loop is compiled for seconds, and each network has its gradients above.
@pytest.mark.parametrize("key", FUSED if LONG else ["tokens"])
def test_fused_lstm_is_compiled_as_the_loop(key, monkeypatch):
    spec = FUSED[key]
    dataset, weights = draw_dataset(spec, draw_ragged(spec)), draw_weights(spec)
    fused = train_twice(spec, dataset, weights)
    monkeypatch.setattr(adapter, "FUSED_MAX_UNITS", 0)
    for a, b in zip(fused, train_twice(spec, dataset, weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def train_twice(spec, dataset, weights):
    """Compile anew and take two steps."""
    made = Program(spec, None, "sgd")
    made.reset(weights)
    rows = np.arange(len(dataset))
    return train(made, dataset, np.array([rows, rows]), 1.0)[2]


def test_kernel_is_chosen_by_size_and_activation(monkeypatch):
    used, fused = [], adapter.fused
    monkeypatch.setattr(adapter, "FUSED_MAX_UNITS", 4)
    monkeypatch.setattr(adapter, "fused", lambda *args: used.append(fused(*args)))
    lengths, x = tf.constant([1]), tf.zeros([1, 1, 1])
    noisy = KerasRun(DropoutMasks({"seed": 0, "recurrent_dropout": 0.5}, 0))
    quiet = KerasRun()
    for run, cell, activation, units, drops in [
        (quiet, "lstm", "tanh", 4, False),
        (quiet, "lstm", "tanh", 5, False),
        (quiet, "lstm", "relu", 4, False),
        (quiet, "gru", "tanh", 4, False),
        (quiet, "lstm", "tanh", 4, True),
        (noisy, "lstm", "tanh", 4, False),
    ]:
        run.recur(cell_of(cell, 1, units, activation, drops), x, lengths)
    assert [each is not None for each in used] == [
        True,
        False,
        False,
        False,
        True,
        True,
    ]
    noisy.recur(cell_of("lstm", 1, 4, "tanh", True), x, lengths)
    assert len(used) == 6


def cell_of(name, width, units, activation="tanh", drops=False):
    """Draw the weights of a cell."""
    rng = np.random.default_rng(0)
    weights = {
        row.name: rng.normal(size=row.shape).astype(np.float32)
        for row in CELLS[name].weights(width, units)
    }
    return CellRun(name, activation, units, weights, drops)


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_dropout_masks_the_state_that_is_fed_back(cell):
    x = np.random.default_rng(0).normal(size=(4, 2, 2)).astype(np.float32)
    mask = np.array([[2.0, 0, 2], [0, 2, 2]], np.float32)
    run = cell_of(cell, 2, 3, drops=True), tf.constant(x), tf.constant([4, 4])
    noisy = KerasRun(DropoutMasks({}, 0))
    noisy.masks.mask = lambda *_: mask
    found, _ = noisy.recur(*run)
    by_numpy = run[0], x, np.array([4, 4]), None, None, mask
    expected, _ = reference.recur_by_formula(reference.ReferenceRun(), *by_numpy)
    np.testing.assert_allclose(found, expected, **CLOSE)


# Noise


def masks_of(seed, step, **rates):
    step_inputs = rates | {"seed": tf.constant(seed)}
    return DropoutMasks(step_inputs, tf.constant(step))


def test_noise_drops_its_share_and_keeps_the_mean():
    mask = masks_of(0, 0, dropout=0.3).mask([100, 100], "dropout").numpy()
    assert set(np.unique(mask)) == {0, np.float32(1 / 0.7)}
    assert abs((mask == 0).mean() - 0.3) < 0.02
    assert abs(mask.mean() - 1) < 0.02


def test_noise_follows_from_seed_step_and_order_alone():
    def masks(seed, step):
        noise = masks_of(seed, step, dropout=0.5)
        return [noise.mask([50], "dropout").numpy() for _ in range(2)]

    assert_same(masks(1, 2), masks(1, 2))
    assert not np.array_equal(*masks(1, 2))
    assert differ(masks(1, 2), masks(1, 3))
    assert differ(masks(1, 2), masks(2, 2))


def test_rate_of_zero_is_no_dropout(path):
    _, sequences = draw_dense(NOISY, n=4)
    dataset, weights = draw_dataset(NOISY, sequences), draw_weights(NOISY)
    order = np.arange(4)[None]
    results = []
    for spec in (NOISY, NOISY.without_rates()):
        made = program(spec, path=path)
        made.reset(weights)
        results.append(train(made, dataset, order)[2])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def test_dropout_leaves_evaluation_alone(path):
    _, sequences = draw_dense(NOISY, n=4)
    dataset, weights = draw_dataset(NOISY, sequences), draw_weights(NOISY)
    made = program(NOISY, path=path)
    made.reset(weights)
    total, count = made.evaluate(made.load(dataset), np.arange(4)[None])
    loss, _ = gradients(NOISY, dataset, weights)
    np.testing.assert_allclose(total / count, loss, **CLOSE)


# Batches


def test_compiled_step_is_the_gradient_times_the_rate(small, path):
    dataset, weights = small
    made = program(PLAIN, path=path)
    made.reset(weights)
    loss, finite, after = train(made, dataset, np.arange(9)[None], 0.1)
    expected_loss, found = gradients(PLAIN, dataset, weights)
    np.testing.assert_allclose(loss, expected_loss, **CLOSE)
    assert finite
    for a, b, g in zip(after, weights, found, strict=True):
        np.testing.assert_allclose(a, b - 0.1 * g, **CLOSE)


def test_absent_rows_count_for_nothing(small, path):
    dataset, weights = small
    results = []
    for order in ([[4, 5]], [[4, -1, 5, -1]]):
        made = program(PLAIN, path=path)
        made.reset(weights)
        results.append(train(made, dataset, np.array(order)))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    for a, b in zip(results[0][2], results[1][2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_loss_of_absent_rows_may_be_anything(small, path):
    dataset, weights = small
    # -1 reads row 0.
    dataset.targets[0] = np.nan
    made = program(PLAIN, path=path)
    made.reset(weights)
    total, count = made.evaluate(made.load(dataset), np.array([[1, 2, -1]]))
    assert np.isfinite(total)
    assert count == 2


def test_many_batches_in_a_call_are_those_of_many_calls(path):
    _, sequences = draw_dense(NOISY, n=8)
    dataset, weights = draw_dataset(NOISY, sequences), draw_weights(NOISY)
    order = np.arange(8).reshape(4, 2)
    step_inputs = dict(seed=5, dropout=0.3, recurrent_dropout=0.3)
    made = program(NOISY, "adam", path=path)
    made.reset(weights)
    at_once = train(made, dataset, order, **step_inputs)[2]
    made.reset(weights)
    for step, batch in enumerate(order):
        singly = train(made, dataset, batch[None], step=step, **step_inputs)[2]
    assert_same(at_once, singly)


def test_first_infinite_loss_ends_training(small, path):
    dataset, weights = small
    dataset.targets[3] = np.nan
    made = program(PLAIN, path=path)
    made.reset(weights)
    _, finite, first_only = train(made, dataset, np.array([[0, 1, 2]]))
    assert finite
    made.reset(weights)
    _, finite, after = train(made, dataset, np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8]]))
    assert not finite
    assert_same(after, first_only)


def test_each_gradient_is_clipped_by_its_own_norm(small, path):
    dataset, weights = small
    _, found = gradients(PLAIN, dataset, weights)
    clipnorm = float(np.median([np.linalg.norm(g) for g in found]))
    made = program(PLAIN, path=path)
    made.reset(weights)
    _, _, after = train(made, dataset, np.arange(9)[None], 1.0, clipnorm=clipnorm)
    for a, b, g in zip(after, weights, found, strict=True):
        expected = g * min(1, clipnorm / np.linalg.norm(g))
        np.testing.assert_allclose(b - a, expected, **CLOSE)


def test_weights_of_rows_scale_their_losses(small):
    dataset, weights = small
    doubled = dataclasses.replace(dataset, weights=2 * dataset.weights)
    loss, found = gradients(PLAIN, dataset, weights)
    double_loss, double = gradients(PLAIN, doubled, weights)
    np.testing.assert_allclose(double_loss, 2 * loss, rtol=1e-6)
    for a, b in zip(found, double, strict=True):
        np.testing.assert_allclose(2 * a, b, rtol=1e-5, atol=1e-6)


# Losses


def log_cosh(z, y):
    return np.logaddexp(z - y, y - z) - np.log(2)


def huber(z, y):
    error = np.abs(z - y)
    return np.where(error <= 1, error**2 / 2, error - 0.5)


def binary(z, y):
    return -(y * np.log(expit(z)) + (1 - y) * np.log(expit(-z)))


def categorical(z, y):
    return -np.take_along_axis(log_softmax(z, axis=1), y, axis=1)


LOSSES = {
    "mean_squared_error": (Head(2), lambda z, y: (z - y) ** 2),
    "mean_absolute_error": (Head(2), lambda z, y: np.abs(z - y)),
    "huber": (Head(2), huber),
    "log_cosh": (Head(2), log_cosh),
    "binary_crossentropy": (Head(2, "sigmoid"), binary),
    "categorical_crossentropy": (Head(3, "softmax"), categorical),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_named_losses_are_their_formulas(name, return_sequences):
    head, formula = LOSSES[name]
    spec = spec_of("lstm", head=head, return_sequences=return_sequences)
    sequences = draw_ragged(spec)
    dataset, weights = draw_dataset(spec, sequences), draw_weights(spec)
    loss, _ = gradients(spec, dataset, weights, loss=name)
    # Before the activation: what a linear head gives.
    linear = dataclasses.replace(spec, head=Head(head.units))
    outputs, _ = predict(linear, weights, sequences)
    expected = (formula(outputs, dataset.targets).mean(axis=1) * dataset.weights).mean()
    np.testing.assert_allclose(loss, expected, **CLOSE)


@pytest.mark.parametrize(
    ("activation", "named"),
    [
        ("linear", ["mean_squared_error"]),
        # Two categories are one sigmoid.
        ("sigmoid", ["binary_crossentropy", "categorical_crossentropy"]),
        ("softmax", ["categorical_crossentropy"]),
    ],
)
def test_automatic_losses_have_names(activation, named):
    auto = Head(2, activation)
    assert all(Head(2, activation, name) == auto for name in [*named, "auto"])
    assert auto.loss in named


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_every_activation_has_finite_gradients(activation):
    spec = spec_of("lstm", activation=activation, dense_units=(2,))
    dataset = draw_dataset(spec, draw_ragged(spec, (2, 4, 1, 3)))
    loss, found = gradients(spec, dataset, draw_weights(spec))
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() and g.any() for g in found)


def test_own_losses_get_predictions_of_the_activated_head():
    spec = spec_of("gru", head=Head(3, "softmax"))
    dataset = draw_dataset(spec, draw_ragged(spec))
    weights = draw_weights(spec)
    named, _ = gradients(spec, dataset, weights)
    instance = keras.losses.SparseCategoricalCrossentropy()
    for own in (instance, keras.losses.sparse_categorical_crossentropy):
        loss, _ = gradients(spec, dataset, weights, loss=own)
        np.testing.assert_allclose(loss, named, rtol=1e-5)


# Optimizers


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_that_of_keras_and_goes_on_where_it_was(name, small):
    # One test, as it is compiled once; and one of them, as the formulas are the same
    # step by step.
    with uncompiled(name != "adam" and not LONG):
        takes_the_steps_of_keras(name, *small)
        goes_on_where_it_was(program(PLAIN, name), *small)


def takes_the_steps_of_keras(name, dataset, weights):
    """Compare weights and states of the kernels and of TensorFlow after three steps."""
    found, order = [], np.array([[0, 1, 2, 3], [8, 7, 6, 5], [0, 4, -1, -1]])
    for path in ("kernels", "keras"):
        made = program(PLAIN, name, path=path)
        made.reset([w.copy() for w in weights])
        _, finite, after = train(made, dataset, order, 0.01, clipnorm=0.5)
        assert finite
        found.append([*after, *made.get_optimizer_state()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def goes_on_where_it_was(made, dataset, weights):
    """Train at once, and in two parts with another fit between."""
    batches = np.arange(8).reshape(2, 4)
    made.reset(weights)
    through = train(made, dataset, batches, 0.01)[2]
    assert differ(through, weights)
    assert all(np.isfinite(w).all() for w in through)
    made.reset(weights)
    half = train(made, dataset, batches[:1], 0.01)[2]
    state = made.get_optimizer_state()
    made.reset(draw_weights(PLAIN, seed=1))
    train(made, dataset, batches[:1], 0.01)
    made.reset(half, state)
    assert_same(train(made, dataset, batches[1:], 0.01)[2], through)
    made.reset(weights)
    assert_same(train(made, dataset, batches, 0.01)[2], through)


def test_a_copy_of_the_users_optimizer_is_trained():
    own = keras.optimizers.Adam(0.03, beta_1=0.5)
    variables = [keras.Variable(np.zeros(2, np.float32))]
    copy = make_optimizer(own, variables)
    assert copy is not own
    assert (copy.beta_1, float(copy.learning_rate)) == (0.5, np.float32(0.03))
    assert not own.built


def test_rates_share_a_compiled_function_and_other_settings_do_not():
    adam = keras.optimizers.Adam
    assert optimizer_key(adam(0.1)) == optimizer_key(adam(0.2))
    assert optimizer_key(adam(0.1)) != optimizer_key(adam(0.1, beta_1=0.5))
    assert optimizer_key(adam(0.1)) != optimizer_key(keras.optimizers.Nadam(0.1))
    schedules = [keras.optimizers.schedules.ExponentialDecay(r, 9, 0.5) for r in (1, 2)]
    assert optimizer_key(adam(schedules[0])) != optimizer_key(adam(schedules[1]))


def test_rate_comes_from_the_instance_unless_a_schedule_decides():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.5)
    assert learning_rate("adam", 0.5) == 0.5
    assert learning_rate(keras.optimizers.SGD(0.25), 0.5) == 0.25
    assert learning_rate(keras.optimizers.SGD(schedule), 0.5) is None


# The loop over epochs


def train_by_plan(spec, dataset, weights, validation=None, state=None, **plan):
    plan = dataclasses.replace(PLAN, **plan)
    return _engine.train(spec, plan, dataset, validation, weights, state)


@pytest.fixture
def noisy():
    _, sequences = draw_dense(NOISY, n=12)
    return draw_dataset(NOISY, sequences), draw_weights(NOISY)


def test_batches_in_a_call_do_not_change_the_numbers(noisy, monkeypatch):
    # However slow the machine, and so however often it comes back to Python.
    expected = train_by_plan(NOISY, *noisy)
    for seconds in (0, 1e9):
        monkeypatch.setattr(loop, "_SECONDS_PER_CALL", seconds)
        found = train_by_plan(NOISY, *noisy)
        assert_same(found.weights, expected.weights)
        np.testing.assert_allclose(found.history["loss"], expected.history["loss"])


def test_seed_decides_everything(noisy):
    first, again = (train_by_plan(NOISY, *noisy, seed=1) for _ in range(2))
    assert_same(first.weights, again.weights)
    assert first.history == again.history
    assert differ(first.weights, train_by_plan(NOISY, *noisy, seed=2).weights)


def test_without_shuffling_the_seed_matters_only_to_dropout(small):
    options = dict(shuffle=False, epochs=2)
    first, second = (train_by_plan(PLAIN, *small, seed=s, **options) for s in (1, 2))
    assert_same(first.weights, second.weights)


def test_history_of_an_epoch_is_the_mean_over_its_sequences(small):
    dataset, weights = small
    # The rate is too small to change anything within the epoch.
    trained = train_by_plan(PLAIN, dataset, weights, epochs=1, learning_rate=1e-12)
    loss, _ = gradients(PLAIN, dataset, weights)
    np.testing.assert_allclose(trained.history["loss"], [loss], rtol=1e-5)


def test_best_epoch_is_restored_and_patience_ends_training(small):
    dataset, weights = small
    training, validation = dataset.take(np.arange(6)), dataset.take(np.arange(6, 9))
    options = dict(early_stopping=True, patience=3, epochs=60, learning_rate=0.3)
    trained = train_by_plan(PLAIN, training, weights, validation, **options)
    losses = trained.history["val_loss"]
    best = int(np.argmin(losses))
    assert trained.best_epoch == best + 1
    assert len(losses) == best + 1 + 3 < 60
    loss, _ = gradients(PLAIN, validation, trained.weights)
    np.testing.assert_allclose(loss, min(losses), rtol=1e-5)


def test_divergence_keeps_the_last_finite_weights(small):
    dataset, weights = small
    dataset.targets[:] = 1e30
    trained = train_by_plan(PLAIN, dataset, weights)
    assert trained.diverged
    assert trained.history == {"loss": []}
    assert_same(trained.weights, weights)


def test_interruption_keeps_the_last_whole_epoch(small):
    expected = train_by_plan(PLAIN, *small, epochs=2)

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    trained = train_by_plan(PLAIN, *small, callbacks=(Interrupt(),))
    assert trained.interrupted
    assert len(trained.history["loss"]) == 2
    assert_same(trained.weights, expected.weights)


def test_interruption_before_the_first_step_is_just_raised(small):
    class Interrupt(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_by_plan(PLAIN, *small, callbacks=(Interrupt(),))


# The process


def test_a_forked_process_is_told_what_to_do(monkeypatch, small):
    monkeypatch.setattr(fork, "_lost", {"TensorFlow"})
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    with pytest.raises(RuntimeError, match="loky"):
        train_by_plan(PLAIN, *small)


def test_training_leaves_nothing_global_behind():
    in_new_process("""
import os, random
import numpy as np
from skrnn import LSTMRegressor

X = np.random.default_rng(0).normal(size=(8, 3, 2))
np.random.seed(0), random.seed(0)
before = [dict(os.environ), random.getstate(), np.random.get_state()[1].copy()]
for engine in ("cpu", "keras"):
    model = LSTMRegressor(units=2, epochs=1, random_state=0, engine=engine)
    model.fit(X, X[:, 0, 0]).model_
import keras, tensorflow as tf
keras.Sequential([keras.layers.Input((2,))])
assert random.getstate() == before[1]
assert (np.random.get_state()[1] == before[2]).all()
changed = {k for k in os.environ if os.environ[k] != before[0].get(k)}
# TPU_ by JAX, which TensorFlow loads where it is installed.
theirs = "TF2_", "KMP_", "TPU_"
assert not {k for k in changed if not k.startswith(theirs)}, changed
assert tf.config.threading.get_intra_op_parallelism_threads() == 0
assert tf.config.threading.get_inter_op_parallelism_threads() == 0
from tensorflow.python.framework import config
assert not config.is_op_determinism_enabled()
assert keras.config.floatx() == "float32"
""")
