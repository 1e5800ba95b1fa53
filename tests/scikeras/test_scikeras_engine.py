"""Training Keras models by the engine is training by Keras' own `fit`."""

import keras
import numpy as np
import pytest
from _scikeras_cases import WEIGHTS, Own, X, Y, regressor

from skrnn.scikeras.engine import program
from skrnn.scikeras.engine.keys import NotTakenError, architecture_key
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.training import KerasPlan, fit_keras


def rnn(units=3, **options):
    return keras.layers.SimpleRNN(units, **options)


NETWORKS = {
    "recurrent": lambda: [rnn()],
    "masked": lambda: [keras.layers.Masking(), rnn()],
    "both directions": lambda: [keras.layers.Bidirectional(rnn())],
    "batches normalised": lambda: [rnn(), keras.layers.BatchNormalization()],
    "regularised": lambda: [rnn(kernel_regularizer="l2", activity_regularizer="l2")],
    "steps": lambda: [keras.layers.Masking(), rnn(return_sequences=True)],
}
COMPILED = {
    "recurrent": dict(optimizer="adam", loss="mse", metrics=["mae"]),
    "masked": dict(optimizer="rmsprop", loss=keras.losses.Huber(0.1)),
    "both directions": dict(
        optimizer="adam", loss="mse", weighted_metrics=["mae"], metrics=["mse"]
    ),
    "regularised": dict(optimizer="sgd", loss=lambda y, z: keras.ops.abs(y - z)),
    "steps": dict(optimizer="adam", loss="mse", metrics=["mae"]),
}


def built(name):
    keras.utils.set_random_seed(0)
    layers = [keras.Input((5, 2)), *NETWORKS[name](), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    compiled = COMPILED.get(name, COMPILED["recurrent"])
    optimizer = keras.optimizers.get(compiled["optimizer"])
    model.compile(**compiled | {"optimizer": optimizer})
    return model


# With masked steps Keras fails itself: it takes the steps for the rows.
WEIGHTED = {"masked", "batches normalised", "both directions"}


@pytest.mark.parametrize("name", NETWORKS)
def test_training_agrees_with_keras(name):
    weights = WEIGHTS if name in WEIGHTED else None
    y = np.repeat(Y[:, None, None], 5, axis=1) if name == "steps" else Y[:, None]
    agree(built(name), built(name), y, weights)


def test_training_agrees_where_xla_compiles(monkeypatch):
    monkeypatch.setattr(program, "_XLA_FROM", 0)
    agree(built("recurrent"), built("recurrent"), Y[:, None], WEIGHTS)


def agree(one, other, y, weights):
    """Train `one` by Keras and `other` by the engine, and compare all that is left."""
    options = dict(epochs=2, batch_size=20, shuffle=False, verbose=0)
    options["validation_split"] = 0.2
    # Keras doesn't compile then, which takes seconds.
    one.run_eagerly = True
    expected = one.fit(X, y, sample_weight=weights, **options).history
    found = fit_keras(other, X, y, weights, KerasPlan(**options, seed=0))
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    state = zip(one.variables, other.variables, strict=True)
    for a, b in state:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5)
    slots = zip(one.optimizer.variables, other.optimizer.variables, strict=True)
    for a, b in slots:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-2, atol=1e-5)
    np.testing.assert_allclose(
        predict_keras(other, X), one.predict_on_batch(X), rtol=1e-3, atol=1e-5
    )


EVENTS = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]


class Recorder(keras.callbacks.Callback):
    """Write down every event with its number and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.logits = []


def _recording(event):
    def hear(self, *args, **kwargs):
        logs = kwargs.get("logs") or (args[-1] if args else None)
        number = args[0] if args and isinstance(args[0], int) else None
        names = sorted(logs) if isinstance(logs, dict) else []
        self.logits.append((event, number, names))

    return hear


for _event in EVENTS:
    setattr(Recorder, _event, _recording(_event))


def test_callbacks_hear_what_they_hear_from_keras():
    heard = []
    for train in (_by_keras, _on_engine):
        recorder = Recorder()
        options = dict(epochs=2, batch_size=20, verbose=0, validation_split=0.25)
        train(built("recurrent"), callbacks=[recorder], **options)
        heard.append(recorder.logits)
    assert heard[1] == heard[0]


def _by_keras(model, **options):
    # Keras doesn't compile then, which takes seconds.
    model.run_eagerly = True
    return model.fit(X, Y[:, None], **options)


def _on_engine(model, **options):
    options["callbacks"] = tuple(options.get("callbacks", ()))
    return fit_keras(model, X, Y[:, None], None, KerasPlan(**options, seed=0))


def test_callbacks_change_training():
    layers = keras.callbacks
    model = built("recurrent")
    seen = []
    history = _on_engine(
        model,
        epochs=4,
        verbose=0,
        callbacks=[
            layers.LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch),
            layers.LambdaCallback(
                on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
            ),
            layers.EarlyStopping(
                "loss", patience=1, min_delta=1e9, restore_best_weights=True
            ),
        ],
    )
    assert len(history["loss"]) == 2
    assert history["learning_rate"] == pytest.approx([0.1, 0.05])
    assert (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(model.get_weights()[0], seen[0])


def test_programs_serve_networks_of_other_names_and_no_others():
    def key(model):
        return architecture_key(model)

    assert key(built("recurrent")) == key(built("recurrent"))
    keys = {key(built(name)) for name in NETWORKS}
    assert len(keys) == len(NETWORKS)
    frozen = built("recurrent")
    frozen.layers[0].trainable = False
    assert key(frozen) not in keys


def two_inputs():
    a, b = keras.Input((2,)), keras.Input((2,))
    return keras.Model([a, b], keras.layers.Dense(1)(a + b))


def any_function():
    function = keras.layers.Lambda(lambda x: x * 2)
    return keras.Sequential([keras.Input((5, 2)), function, rnn()])


def stateful():
    return keras.Sequential([keras.Input((5, 2), batch_size=8), rnn(stateful=True)])


def own_class():
    inner = built("recurrent")
    return Own(inner.inputs, inner.outputs)


def own_activation():
    dense = keras.layers.Dense(1, activation=lambda x: x * 2)
    return keras.Sequential([keras.Input((2,)), dense])


@pytest.mark.parametrize(
    "build", [two_inputs, any_function, stateful, own_class, own_activation]
)
def test_what_the_engine_leaves_to_keras(build):
    with pytest.raises(NotTakenError):
        architecture_key(build())


def test_keras_trains_what_the_engine_leaves():
    def build(meta):
        return keras.Sequential([*any_function().layers, keras.layers.Dense(1)])

    model = regressor(model=build, epochs=2, metrics=["mae"]).fit(X, Y)
    assert model.engine_ == "keras"
    assert {"loss", "mae"} <= {
        name.replace("mean_absolute_error", "mae") for name in model.history_
    }
    assert model.predict(X).shape == (48,)


def test_keras_trains_eagerly():
    assert regressor(run_eagerly=True).fit(X, Y).engine_ == "keras"


def test_interrupted_training_leaves_what_it_has_learnt():
    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    stop = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    model = regressor(epochs=5, callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert int(model.model_.optimizer.iterations) == 4
    assert model.predict(X).shape == (48,)
