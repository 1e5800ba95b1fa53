"""Training by scikeras' wrappers: what fails, what is interrupted, what is seeded."""

import threading
import warnings

import keras
import numpy as np
import pytest
from _instances import in_new_process, needs
from keras.callbacks import LambdaCallback
from sklearn.base import BaseEstimator, TransformerMixin

from skrnn.scikeras import KerasClassifier, KerasRegressor
from skrnn.scikeras.engine import training
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.seeding import global_seed, seeded

# In one worker: most train the same network, which takes seconds to compile.
pytestmark = pytest.mark.xdist_group("scikeras_training")

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5, 2)).astype(np.float32)
Y = X[:, -1, 0] + X[:, -2, 1]
ENGINES = pytest.mark.parametrize("engine", ["skrnn", "keras"])


class Own(keras.Model):
    """A model with a training step of the user's, as far as anyone knows."""


def build(engine, end=1, activation=None):
    inputs = keras.Input((None, 2))
    normal = L.Normalization()
    normal.adapt(X)
    outputs = L.Dense(end, activation)(L.SimpleRNN(2)(normal(inputs)))
    return (Own if engine == "keras" else keras.Model)(inputs, outputs)


def regressor(engine="skrnn", **parameters):
    given = dict(loss="mse", optimizer="adam", verbose=0, epochs=2, random_state=0)
    # Keras doesn't compile then, which takes seconds; its loop is the same.
    given |= dict(run_eagerly=engine == "keras")
    return KerasRegressor(lambda: build(engine), **given | parameters)


def raising(error, event="on_epoch_end", after=1):
    calls = iter(range(1000))

    def hear(*_, **__):
        if next(calls) >= after:
            raise error("on purpose")

    return LambdaCallback(**{event: hear})


def state_of(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(variable.numpy()) for variable in variables]


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# Errors and Ctrl-C


@ENGINES
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_that_fails_changes_nothing(engine, method):
    model = regressor(engine, warm_start=True).fit(X, Y)
    before, predicted = state_of(model.model_), model.predict(X)
    history = {name: list(values) for name, values in model.history_.items()}

    layer = model.model_.layers[1]

    def spoil(epoch, logs):
        layer.adapt(5 * X)
        raise RuntimeError("on purpose")

    # scikeras makes them once, in the first fit.
    model._fit_callbacks = [LambdaCallback(on_epoch_end=spoil)]
    with pytest.raises(RuntimeError, match="on purpose"):
        getattr(model, method)(X, Y)
    assert model.engine_ == engine
    assert_same(state_of(model.model_), before)
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert dict(model.history_) == history


@ENGINES
def test_ctrl_c_leaves_a_fit_of_what_was_learnt(engine):
    stop = raising(KeyboardInterrupt, after=2)
    model = regressor(engine, epochs=9, callbacks=stop, validation_split=0.25)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert model.engine_ == engine
    # The record comes after the callbacks of the user's: two of three are in it.
    assert {len(values) for values in model.history_.values()} == {2}
    assert {"loss", "val_loss"} <= set(model.history_)
    assert int(model.model_.optimizer.iterations) == 6
    assert model.predict(X).shape == (48,)
    assert not hasattr(model, "_interrupted")


@ENGINES
@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin"])
def test_ctrl_c_before_the_first_step_changes_nothing(engine, event):
    stop = raising(KeyboardInterrupt, event, after=0)
    new = regressor(engine, callbacks=stop)
    with pytest.raises(KeyboardInterrupt):
        new.fit(X, Y)
    assert not hasattr(new, "model_")
    known = regressor(engine).fit(X, Y)
    predicted = known.predict(X)
    with pytest.raises(KeyboardInterrupt):
        known.set_params(callbacks=stop).fit(X, Y)
    np.testing.assert_array_equal(known.predict(X), predicted)


class Stopping(keras.callbacks.Callback):
    """Stop at the first call of `event`."""

    def __init__(self, event):
        super().__init__()
        self.logits = 0
        setattr(self, event, self.stop)

    def stop(self, *_, **__):
        self.logits += 1
        self.model.stop_training = True


@pytest.mark.parametrize("hears_batches", [False, True])
@pytest.mark.parametrize(
    "event", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_epoch_end"]
)
def test_training_stops_where_keras_stops(event, hears_batches):
    ends = []
    for engine in ("keras", "skrnn"):
        seen, stopping = [], Stopping(event)
        hear = LambdaCallback()
        if hears_batches:
            hear = LambdaCallback(on_train_batch_begin=lambda n, logs: None)
            hear.on_test_batch_begin = lambda n, logs, seen=seen: seen.append(n)
        model = regressor(
            engine,
            epochs=3,
            batch_size=8,
            fit__validation_split=0.25,
            shuffle=False,
            random_state=None,
        )
        # As they are: scikeras copies those of its parameters.
        model.initialize(X, Y)
        model._fit_callbacks = [stopping, hear]
        model.set_params(warm_start=True).fit(X, Y)
        assert model.engine_ == engine
        steps = int(model.model_.optimizer.iterations)
        lengths = {name: len(values) for name, values in model.history_.items()}
        ends.append((steps, stopping.logits, seen, lengths))
    assert ends[0] == ends[1]


# Several outputs


class TwoOutputs(BaseEstimator, TransformerMixin):
    """Two columns of y, an output each: what scikeras' documentation shows."""

    def fit(self, y):
        self.n_outputs_, self.n_outputs_expected_ = 2, 2
        return self

    def transform(self, y):
        return [y[:, :1], y[:, [1, 1, 1]]]

    def inverse_transform(self, y):
        assert isinstance(y, list)
        return np.column_stack([y[0][:, 0], y[1].mean(1)])

    def get_metadata(self):
        return {"n_outputs_": 2, "n_outputs_expected_": 2}


class RegressorOfTwo(KerasRegressor):
    @property
    def target_encoder(self):
        return TwoOutputs()


def test_outputs_of_several_shapes():
    def of_two():
        inputs = keras.Input((None, 2))
        h = L.SimpleRNN(2)(inputs)
        return keras.Model(inputs, [L.Dense(1)(h), L.Dense(3)(h)])

    model = RegressorOfTwo(of_two, loss=["mse", "mse"], verbose=0)
    assert model.fit(X, X[:, 0]).predict(X).shape == (48, 2)
    assert model.engine_ == "keras"


# Validation sets


LOSSES = {
    "binary_crossentropy": (1, "sigmoid", (Y > 0).astype(int)),
    "sparse_categorical_crossentropy": (3, "softmax", np.digitize(Y, [-1, 1])),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_integer_labels_to_validate_on(loss):
    units, activation, y = LOSSES[loss]
    fits = [
        KerasClassifier(
            lambda engine=engine: build(engine, units, activation),
            loss=loss,
            metrics=["accuracy"],
            random_state=0,
            shuffle=False,
            verbose=0,
            epochs=2,
            run_eagerly=engine == "keras",
        ).fit(X, y, validation_data=(X[:20].astype(float), y[:20]))
        for engine in ("keras", "skrnn")
    ]
    assert [model.engine_ for model in fits] == ["keras", "skrnn"]
    for name, values in fits[0].history_.items():
        np.testing.assert_allclose(fits[1].history_[name], values, rtol=1e-4)


# Seeds


def test_seeded_fits_beside_unseeded_ones():
    def fit(seed):
        return regressor(random_state=seed, epochs=1).fit(X, Y).model_.get_weights()

    expected, done = fit(0), threading.Event()

    def others():
        while not done.is_set():
            with seeded(None):
                np.random.random(3)  # noqa: NPY002
                keras.random.normal((2,))
            global_seed()

    thread = threading.Thread(target=others)
    thread.start()
    try:
        found = [fit(0) for _ in range(10)]
    finally:
        done.set()
        thread.join()
    for weights in found:
        assert_same(weights, expected)


def test_the_generators_are_left_alone_while_others_have_them_seeded():
    inside, waited = threading.Event(), threading.Event()
    order = []

    def unseeded():
        inside.wait()
        waited.set()
        global_seed()
        order.append("drawn")
        with seeded(None):
            order.append("built")

    thread = threading.Thread(target=unseeded)
    thread.start()
    with seeded(0):
        inside.set()
        waited.wait()
        thread.join(0.2)
        order.append("seeded")
    thread.join()
    assert order == ["seeded", "drawn", "built"]


TORCH = """
import warnings
import keras, numpy as np, torch
# Keras reads its own variables so.
warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
from skrnn.scikeras import KerasRegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)).astype("float32")
layers = keras.layers
def build():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)])
def fit(seed):
    model = KerasRegressor(build, loss="mse", batch_size=8, verbose=0,
                           random_state=seed, epochs=2)
    return model.fit(X, X[:, 0]).model_.get_weights()
before = torch.get_rng_state()
one, same, other = fit(0), fit(0), fit(1)
print(all((a == b).all() for a, b in zip(one, same)),
      all((a == b).all() for a, b in zip(one, other)),
      bool((torch.get_rng_state() == before).all()))
"""


def test_equal_seeds_on_pytorch():
    needs("torch")
    assert in_new_process(TORCH, KERAS_BACKEND="torch").split() == [
        "True",
        "False",
        "True",
    ]


def test_many_networks_without_a_warning(caplog):
    made = training.keras_programs.made
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for units in range(11, 18):
            layers = [keras.Input((3,)), L.Dense(units), L.Dense(1)]
            model = keras.Sequential(layers)
            model.compile("sgd", "mse")
            wrapped = KerasRegressor(model, verbose=0).fit(X[:, 0, [0, 1, 0]], Y)
            predict_keras(wrapped.model_, X[:, 0, [0, 1, 0]])
    assert training.keras_programs.made == made + 7
    assert "retracing" not in caplog.text
