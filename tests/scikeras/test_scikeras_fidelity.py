"""What no configuration tells, or what changes later: as Keras itself has it."""

import keras
import numpy as np
import pytest
from _instances import in_new_process

from skrnn.scikeras import KerasRegressor
from skrnn.scikeras.engine.keys import NotTakenError
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.training import KerasPlan, fit_keras

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(21, 3, 2)).astype(np.float32)
Y = X[:, -1, 0] + X[:, 0, 1]
OPTIONS = dict(epochs=2, batch_size=8, shuffle=False, verbose=0)


def network(*between):
    keras.utils.set_random_seed(0)
    layers = [L.SimpleRNN(4), *between, L.Dense(1)]
    return keras.Sequential([keras.Input((3, 2)), *layers])


def compiled(*between, optimizer="adam", loss="mse", **more):
    model = network(*between)
    model.compile(optimizer, loss, **more)
    return model


def assert_as_keras(make, x=X, y=Y, **options):
    one, other = make(), make()
    # Keras doesn't compile then, which takes seconds.
    one.run_eagerly = True
    options = OPTIONS | options
    expected = one.fit(x, y, **options).history
    found = fit_keras(other, x, y, None, KerasPlan(**options, seed=0))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-4, atol=2e-6)
    for a, b in zip(other.weights, one.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def root(y, z):
    return keras.ops.sqrt(keras.ops.mean(keras.ops.square(y - z)))


@pytest.mark.parametrize(
    "more",
    [
        dict(loss=keras.losses.MeanSquaredError(reduction="sum")),
        dict(loss=root),
        dict(metrics=[root]),
        dict(metrics=[keras.losses.MeanSquaredError()]),
    ],
    ids=["sum", "loss", "metric", "loss as a metric"],
)
def test_validation_sets_larger_than_training_sets(more):
    data = dict(validation_data=(X, Y), batch_size=32)
    assert_as_keras(lambda: compiled(**more), X[:6], Y[:6], **data)


def test_losses_across_the_rows_of_a_short_batch():
    loss = keras.losses.CosineSimilarity(axis=0)
    assert_as_keras(lambda: compiled(loss=loss))


class Slower(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that nobody has registered, and that can't tell its numbers."""

    def __call__(self, step):
        return 0.1 / (1.0 + keras.ops.cast(step, "float32"))


def adam_of_a_schedule():
    return keras.optimizers.Adam(Slower())


def decay_of_kernels():
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize("make", [adam_of_a_schedule, decay_of_kernels])
def test_optimizers_that_their_configuration_does_not_tell(make):
    keras.utils.set_random_seed(0)
    # XLA takes seconds.
    options = OPTIONS | dict(compile__jit_compile=False)
    model = KerasRegressor(network, loss="mse", optimizer=make(), **options).fit(X, Y)
    assert model.engine_ == "keras"
    expected = compiled(optimizer=make(), run_eagerly=True)
    history = expected.fit(X, Y, **OPTIONS).history
    np.testing.assert_allclose(model.history_["loss"], history["loss"], rtol=1e-5)
    for a, b in zip(model.model_.weights, expected.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


def test_layers_frozen_between_fits():
    model = KerasRegressor(network, loss="mse", optimizer="adam", **OPTIONS).fit(X, Y)
    first, last = model.model_.layers
    first.trainable = False
    before, head = first.get_weights(), last.get_weights()
    model.partial_fit(X, Y)
    for a, b in zip(first.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(last.get_weights()[0] - head[0]).max() > 0


def test_layers_given_other_variables_after_a_prediction():
    model = compiled()
    predict_keras(model, X)
    model.layers[-1].enable_lora(1)
    model.layers[-1].lora_kernel_b.assign([[0.5]])
    try:
        found = predict_keras(model, X)
    except NotTakenError:
        found = model.predict(X, verbose=0)
    np.testing.assert_allclose(found, model(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [lambda: L.UnitNormalization(axis=0), lambda: L.Softmax(axis=0)]
)
def test_layers_that_mix_rows_are_for_keras(layer):
    model = compiled(layer())
    with pytest.raises(NotTakenError, match="mixes the rows"):
        fit_keras(model, X, Y, None, KerasPlan())
    with pytest.raises(NotTakenError, match="mixes the rows"):
        predict_keras(model, X)


def test_a_policy_that_has_changed_since_the_model_was_compiled():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = compiled()
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(NotTakenError, match="policy"):
        fit_keras(half, X, Y, None, KerasPlan(verbose=0))


def test_importing_patches_nothing_and_leaves_double_precision():
    # Nothing more is patched than scikeras does, and the types of layers are open. In a
    # process of its own: the first layer of one settles them.
    code = """
import scikeras, keras
owners = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.Layer,
          keras.optimizers.Optimizer, keras.callbacks.Callback, keras.random]
def state():
    return [dict(vars(owner)) for owner in owners]
before = state()
import skrnn.scikeras
import skrnn.scikeras.engine.training
print(state() == before)
import numpy as np
from skrnn.scikeras import KerasRegressor

keras.config.set_floatx("float64")
X = np.random.default_rng(0).normal(size=(21, 5, 2))
def network():
    layers = keras.layers.GRU(2), keras.layers.Dense(3), keras.layers.Dense(1)
    return keras.Sequential([keras.Input((5, 2)), *layers])
model = KerasRegressor(network, loss="mse", verbose=0)
model.fit(X, X[:, 0, 0], sample_weight=np.linspace(0.5, 1, 21))
print(model.engine_, model.model_.weights[0].dtype, model.predict(X).dtype)
"""
    expected = ["True", "skrnn", "float64", "float64"]
    assert in_new_process(code).split() == expected
