"""Keras models that the kernels train: their plain twin is Keras' own ``fit``."""

from itertools import cycle

import keras
import numpy as np
import pytest
from _tables import LONG, covering

from skrnn.scikeras import KerasClassifier, KerasRegressor
from skrnn.scikeras.engine import training
from skrnn.scikeras.engine.kernels import kernel_program
from skrnn.scikeras.engine.prediction import _facts_of, predict_keras
from skrnn.scikeras.engine.training import KerasPlan, fit_keras

L = keras.layers
RNG = np.random.default_rng(0)
# Few steps: each costs Keras' eager training 10 ms and more, forth and back.
T = 3
X = RNG.normal(size=(21, T, 2)).astype(np.float32)
Y = (X[:, -1, 0] + X[:, 0, 1]).astype(np.float32)
LABELS = (Y > 0).astype(np.int64) + (Y > 1)
WEIGHTS = RNG.uniform(size=21)


def functional(*layers):
    x = inputs = keras.Input((None, 2))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def sequential(*layers):
    return keras.Sequential([keras.Input((T, 2)), *layers])


# Name -> what makes it.
NETWORKS = {
    "lstm": lambda: sequential(L.LSTM(4), L.Dense(1)),
    "gru": lambda: sequential(L.GRU(4), L.Dense(1)),
    "rnn": lambda: functional(L.SimpleRNN(4), L.Dense(1)),
    "relu": lambda: sequential(L.SimpleRNN(4, activation="relu"), L.Dense(1)),
    "functional": lambda: functional(L.LSTM(4), L.Dense(1)),
    "stacked": lambda: sequential(
        L.GRU(4, return_sequences=True), L.GRU(3), L.Dense(1)
    ),
    "both directions": lambda: sequential(L.Bidirectional(L.LSTM(3)), L.Dense(1)),
    "stacked, both directions": lambda: functional(
        L.Bidirectional(L.GRU(3, return_sequences=True)),
        L.Bidirectional(L.GRU(2)),
        L.Dense(1),
    ),
    "other first weights": lambda: sequential(
        L.LSTM(4, unit_forget_bias=False, kernel_initializer="he_normal", unroll=True),
        L.Dense(1),
    ),
}


def two():
    return sequential(L.SimpleRNN(4), L.Dense(1, "sigmoid"))


def three():
    return sequential(L.SimpleRNN(4), L.Dense(3, "softmax"))


def area():
    # Keras numbers what has no name.
    return keras.metrics.AUC(name="area")


# Name -> the network, how it is compiled, and its y. Plain units, which Keras trains
# faster, where it isn't about them.
COMPILED = {
    **{name: (make, ("adam", "mse"), Y) for name, make in NETWORKS.items()},
    "sgd, absolute": (NETWORKS["rnn"], ("sgd", "mean_absolute_error"), Y),
    "rmsprop, huber": (
        NETWORKS["rnn"],
        (lambda: keras.optimizers.RMSprop(0.01), keras.losses.Huber),
        Y,
    ),
    "adagrad, log cosh": (NETWORKS["rnn"], ("adagrad", "log_cosh"), Y),
    "clipped": (
        NETWORKS["lstm"],
        (lambda: keras.optimizers.Adam(0.01, clipnorm=0.1), "mse"),
        Y,
    ),
    "clipped by nothing, function": (
        NETWORKS["rnn"],
        (
            lambda: keras.optimizers.SGD(0.01, clipnorm=0.0),
            lambda: keras.losses.mean_squared_error,
        ),
        Y,
    ),
    "metrics of a column": (
        NETWORKS["rnn"], ("adam", "mse", None, ["mae", "mape"]), Y[:, None],
    ),
    "weighted metrics": (
        NETWORKS["stacked"],
        ("adam", "mse", None, ["mae"], [keras.metrics.RootMeanSquaredError]),
        Y,
    ),
    "accuracy": (two, ("adam", "binary_crossentropy", None, ["accuracy"]), LABELS > 0),
    "cosine of rows": (
        NETWORKS["rnn"], ("adam", "mse", None, [keras.metrics.CosineSimilarity]), Y,
    ),
    "area": (two, ("adam", "binary_crossentropy", None, [area]), LABELS > 0),
    "accuracy of classes": (
        three, ("adam", "sparse_categorical_crossentropy", None, ["accuracy"]), LABELS,
    ),
    "accuracy of one hot": (
        three,
        ("adam", "categorical_crossentropy", None, ["accuracy", "precision"]),
        np.eye(3)[LABELS],
    ),
    "score of each class": (
        three,
        ("adam", "categorical_crossentropy", None, [keras.metrics.F1Score]),
        np.eye(3)[LABELS],
    ),
}  # fmt: skip
if LONG:
    # As above, but without metrics, as numbers are above.
    COMPILED |= {
        "two classes": (two, ("adam", "binary_crossentropy"), LABELS > 0),
        "classes": (three, ("adam", "sparse_categorical_crossentropy"), LABELS),
        "one hot": (three, ("adam", "categorical_crossentropy"), np.eye(3)[LABELS]),
    }


def compiled(name):
    make, parts, y = COMPILED[name]
    keras.utils.set_random_seed(0)
    model = make()
    optimizer, loss, *more = keras.tree.map_structure(made, parts)
    names = "loss_weights", "metrics", "weighted_metrics"
    model.compile(optimizer, loss, **dict(zip(names, more, strict=False)))
    return model, y


def made(part):
    return part() if callable(part) else part


def program_of(model, y, **more):
    model.optimizer.build(model.trainable_variables)
    return kernel_program(model, {"x": X, "y": np.asarray(y)} | more)


def state_of(model):
    return [np.asarray(v.value) for v in (*model.weights, *model.optimizer.variables)]


def assert_close(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("name", COMPILED)
def test_three_steps_and_more_are_those_of_keras(name):
    weights = None if name in NETWORKS else WEIGHTS
    one, y = compiled(name)
    other, _ = compiled(name)
    # Keras doesn't compile then, which takes a second.
    one.run_eagerly = True
    assert program_of(other, y) is not None
    options = dict(epochs=1, shuffle=False)
    made = training.keras_programs.made
    # 16 rows to train on, the last batch of 5; then one of all rows, which goes on from
    # the state of the optimizer.
    for size, split in ((11, 0.2), (21, 0.0)):
        options |= dict(batch_size=size, validation_split=split)
        expected = one.fit(X, y, sample_weight=weights, verbose=0, **options).history
        plan = KerasPlan(**options, seed=0, verbose=0)
        found = fit_keras(other, X, np.asarray(y), weights, plan)
        assert found.keys() == expected.keys()
        assert_close(found.values(), expected.values())
        assert_close(state_of(other), state_of(one))
    assert training.keras_programs.made == made
    assert _facts_of(other).spec is not None
    assert_close([predict_keras(other, X)], [one.predict_on_batch(X)])
    assert predict_keras(other, X).dtype == np.float32


def rnn(**more):
    return sequential(L.SimpleRNN(4, **more), L.Dense(1))


def frozen():
    model = rnn()
    model.layers[0].trainable = False
    return model


def constrained():
    model = rnn()
    model.layers[1].kernel.constraint = keras.constraints.NonNeg()
    return model


def regularized():
    model = rnn()
    model.layers[0].cell.recurrent_kernel.regularizer = keras.regularizers.L2(1.0)
    return model


def both(**more):
    return sequential(L.Bidirectional(L.SimpleRNN(3), **more), L.Dense(1))


def backward_layer():
    layer = L.SimpleRNN(3, go_backwards=True, activation="relu")
    return both(backward_layer=layer)


def spread(y, z):
    # The mean over batches isn't that over rows.
    return keras.ops.sqrt(keras.ops.mean(keras.ops.square(y - z)))


def stepped():
    inputs = keras.Input((None, 2))
    state = L.Dense(4)(inputs[:, 0])
    x = L.SimpleRNN(4)(inputs, initial_state=state)
    return keras.Model(inputs, L.Dense(1)(x))


def branched():
    inputs = keras.Input((None, 2))
    x = L.SimpleRNN(4)(inputs)
    return keras.Model(inputs, L.Dense(1)(L.Concatenate()([x, x])))


def between():
    return sequential(L.GRU(4), L.Dropout(0.1), L.Dense(1))


def decay():
    return keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    )


def momentum():
    return keras.optimizers.SGD(0.1, momentum=0.9)


def clipped():
    return keras.optimizers.Adam(clipvalue=1.0)


def averaged():
    return keras.optimizers.Adam(use_ema=True)


def half(y):
    return np.where(y > 0, 0.5, 0.0)


OTHERS = {
    "dropout": (lambda: rnn(dropout=0.1), {}, Y),
    "recurrent dropout": (lambda: rnn(recurrent_dropout=0.1), {}, Y),
    "regularizer": (lambda: rnn(kernel_regularizer="l2"), {}, Y),
    "constraint": (lambda: rnn(recurrent_constraint="max_norm"), {}, Y),
    "no bias": (lambda: rnn(use_bias=False), {}, Y),
    "backwards": (lambda: rnn(go_backwards=True), {}, Y),
    "activation": (lambda: rnn(activation="gelu"), {}, Y),
    "own activation": (lambda: rnn(activation=lambda x: x), {}, Y),
    "half precision": (lambda: rnn(dtype="mixed_bfloat16"), {}, Y),
    "frozen": (frozen, {}, Y),
    "reset before": (
        lambda: sequential(L.GRU(4, reset_after=False), L.Dense(1)), {}, Y,
    ),
    "hard gates": (
        lambda: sequential(L.LSTM(4, recurrent_activation="hard_sigmoid"), L.Dense(1)),
        {}, Y,
    ),
    "two kinds": (
        lambda: sequential(L.SimpleRNN(4, return_sequences=True), L.GRU(3), L.Dense(1)),
        {}, Y,
    ),
    "constraint of a variable": (constrained, {}, Y),
    "regularizer of a variable": (regularized, {}, Y),
    "two activations": (backward_layer, {}, Y),
    "regularizer of both": (lambda: both(activity_regularizer="l2"), {}, Y),
    "half precision of both": (lambda: both(dtype="mixed_bfloat16"), {}, Y),
    "loss as a metric": (rnn, {"metrics": [keras.losses.MeanSquaredError()]}, Y),
    "metric of a batch": (rnn, {"metrics": [spread]}, Y),
    "weighted metric of a batch": (
        rnn, {"weighted_metrics": [keras.metrics.MeanMetricWrapper(spread)]}, Y,
    ),
    "cosine of a batch": (
        rnn, lambda: {"metrics": [keras.metrics.CosineSimilarity(axis=0)]}, Y,
    ),
    "numbers of classes for one hot": (
        three, {"loss": "categorical_crossentropy"}, LABELS,
    ),
    "one hot for numbers of classes": (
        three, {"loss": "sparse_categorical_crossentropy"}, np.eye(3)[LABELS],
    ),
    "summed": (
        lambda: sequential(
            L.Bidirectional(L.SimpleRNN(4), merge_mode="sum"), L.Dense(1)
        ),
        {}, Y,
    ),
    "steps": (
        lambda: sequential(L.GRU(4, return_sequences=True), L.Dense(1)), {}, X[..., 0],
    ),
    "hidden layer": (
        lambda: sequential(L.SimpleRNN(4), L.Dense(3, "relu"), L.Dense(1)), {}, Y,
    ),
    "first state": (stepped, {}, Y),
    "branches": (branched, {}, Y),
    "layer between": (between, {}, Y),
    "no head": (lambda: sequential(L.SimpleRNN(1)), {}, Y),
    "loss weights": (rnn, {"loss_weights": 2.0}, Y),
    "no loss": (rnn, {"loss": None}, Y),
    "other loss": (rnn, {"loss": "mape"}, Y),
    "own loss": (rnn, {"loss": lambda y, z: abs(y - z)}, Y),
    "summed loss": (rnn, {"loss": keras.losses.MeanSquaredError("sum")}, Y),
    "wide huber": (rnn, {"loss": keras.losses.Huber(2.0)}, Y),
    "loss of another head": (rnn, {"loss": "binary_crossentropy"}, Y > 0),
    "weight decay": (rnn, {"optimizer": "adamw"}, Y),
    "momentum": (rnn, {"optimizer": momentum}, Y),
    "schedule": (rnn, {"optimizer": decay}, Y),
    "clipped values": (rnn, {"optimizer": clipped}, Y),
    "averages": (rnn, {"optimizer": averaged}, Y),
    "wide y": (rnn, {}, np.stack([Y, Y], 1)),
    "soft classes": (
        three, {"loss": "categorical_crossentropy"}, half(np.eye(3)[LABELS]),
    ),
    "unknown class": (three, {"loss": "sparse_categorical_crossentropy"}, LABELS - 1),
}  # fmt: skip


def compiled_otherwise(make, more):
    keras.utils.set_random_seed(0)
    model = make()
    more = {"loss": "mse", "optimizer": "adam"} | made(more)
    model.compile(**more | {"optimizer": made(more["optimizer"])})
    return model


@pytest.mark.parametrize("name", OTHERS)
def test_what_the_kernels_leave_to_the_compiler(name):
    make, more, y = OTHERS[name]
    assert program_of(compiled_otherwise(make, more), y) is None


# What of them Keras refuses, or gives a random part.
REFUSED = (
    "dropout", "recurrent dropout", "layer between", "no loss", "loss of another head",
    "wide y", "soft classes", "unknown class", "own activation", "own loss", "steps",
    "half precision", "half precision of both", "numbers of classes for one hot",
    "one hot for numbers of classes", "weighted metric of a batch",
)  # fmt: skip


TRAINED = [name for name in OTHERS if name not in REFUSED]
OTHER_NETWORKS = [name for name in TRAINED if not OTHERS[name][1]]
if not LONG:
    # Options of layers, as others are: to the compiler a network is one of Keras' own.
    AS_OTHERS = "constraint", "no bias", "activation", "hard gates", "no head"
    AS_OTHERS += ("regularizer of both",)
    OTHER_NETWORKS = [name for name in OTHER_NETWORKS if name not in AS_OTHERS]
OTHER_WAYS = [name for name in TRAINED if OTHERS[name][1]]
assert len(OTHER_NETWORKS) >= len(OTHER_WAYS)
# Two of them at once: each network takes seconds to compile.
OTHER_PAIRS = list(zip(OTHER_NETWORKS, cycle(OTHER_WAYS), strict=False))


@pytest.mark.parametrize(("network", "way"), OTHER_PAIRS)
def test_what_the_compiler_gets_is_as_keras_trains_it(network, way):
    (make, _, y), (_, more, _) = OTHERS[network], OTHERS[way]
    x, y = X[:14], np.asarray(y[:14], np.float32)

    def fit_eagerly(model):
        model.run_eagerly = True
        return model.fit(x, y, **options).history

    def trained(fit):
        model = compiled_otherwise(make, more)
        history = fit(model)
        return [*state_of(model), *history.values()], history.keys(), model

    options = dict(epochs=1, batch_size=7, shuffle=False, verbose=0)
    expected, names, one = trained(fit_eagerly)
    plan = KerasPlan(seed=0, **options)
    found, same, other = trained(lambda model: fit_keras(model, x, y, None, plan))
    assert same == names
    assert_close(found, expected)
    assert_close([predict_keras(other, X)], [one.predict_on_batch(X)])


def test_data_of_another_form_are_left_to_the_compiler():
    model, y = compiled("lstm")
    assert program_of(model, y, weights=WEIGHTS) is not None
    assert program_of(model, y, weights=np.stack([WEIGHTS] * T, 1)) is None
    assert program_of(model, y, x=X[..., :1]) is None


def test_predictions_of_models_with_steps_are_those_of_keras():
    model = OTHERS["steps"][0]()
    assert _facts_of(model).spec is None
    assert_close([predict_keras(model, X)], [model.predict(X, verbose=0)])


def test_callbacks_change_rates_and_weights():
    def run(fit):
        model, y = compiled("gru")
        halve = keras.callbacks.LearningRateScheduler(lambda _, rate: rate / 2)
        last = keras.callbacks.EarlyStopping(
            "loss", patience=1, min_delta=10.0, restore_best_weights=True
        )
        seen = []
        note = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.extend(logs.values())
        )
        fit(model, y, [halve, last, note])
        return [*state_of(model), seen]

    options = dict(epochs=5, batch_size=7, shuffle=False, verbose=0)

    def fit_eagerly(model, y, callbacks):
        model.run_eagerly = True
        model.fit(X, y, callbacks=callbacks, **options)

    expected = run(fit_eagerly)
    found = run(
        lambda model, y, c: fit_keras(
            model, X, y, None, KerasPlan(callbacks=tuple(c), seed=0, **options)
        )
    )
    assert_close(found, expected)
    assert len(found[-1]) == 6


def test_a_loss_that_is_not_finite_stays_so():
    model, y = compiled("lstm")
    y = np.where(np.arange(21) == 3, np.inf, y)
    plan = KerasPlan(epochs=2, batch_size=7, seed=0, verbose=0)
    history = fit_keras(model, X, y, None, plan)
    assert not np.isfinite(history["loss"]).any()
    assert np.isnan(model.weights[0]).all()


class Faster(keras.callbacks.History):
    """Hears of epochs, as what it is derived from does, but changes something."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.model.optimizer.learning_rate = 0.01
        self.model.layers[-1].bias.assign([0.5])


def test_callbacks_derived_from_those_that_only_tell_are_heard():
    one, y = compiled("gru")
    other, _ = compiled("gru")
    one.run_eagerly = True
    options = dict(epochs=2, batch_size=11, shuffle=False, verbose=0)
    one.fit(X, y, callbacks=[Faster()], **options)
    told = Faster()
    fit_keras(other, X, y, None, KerasPlan(callbacks=(told,), seed=0, **options))
    assert_close(state_of(other), state_of(one))
    assert len(told.history["loss"]) == 2


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "int64", "uint8"])
def test_inputs_of_another_type(dtype):
    inputs = keras.Input((T, 2), dtype=dtype)
    model = keras.Model(inputs, L.Dense(1)(L.LSTM(3)(inputs)))
    x = np.abs(3 * X).astype(dtype)
    assert _facts_of(model).spec is not None
    assert_close([predict_keras(model, x)], [model.predict(x, verbose=0)])


@pytest.mark.parametrize(
    ("shape", "steps"), covering([(21, T), (21, T, 1), (21, T, 1, 1)], [T, None])
)
def test_one_feature_with_and_without_an_axis(shape, steps):
    def made():
        keras.utils.set_random_seed(0)
        return keras.Sequential([keras.Input((steps, 1)), L.LSTM(3), L.Dense(1)])

    x, one, other = X[..., 0].reshape(shape), made(), made()
    options = dict(epochs=1, batch_size=11, shuffle=False, verbose=0)
    for model in (one, other):
        model.compile("adam", "mse")
    one.run_eagerly = True
    one.fit(x, Y, **options)
    fit_keras(other, x, Y, None, KerasPlan(seed=0, **options))
    assert_close(state_of(other), state_of(one))
    # Not on a batch: Keras adds or drops an axis where it reads data.
    assert_close([predict_keras(other, x)], [one.predict(x, verbose=0)])


def test_layers_changed_after_a_prediction():
    model = sequential(L.LSTM(3), L.Dense(1, name="head"))
    predict_keras(model, X)
    model.pop()
    # Keras' own predict goes on with what it has compiled.
    assert_close([predict_keras(model, X)], [np.asarray(model(X))])
    model.add(L.Dense(1, "sigmoid", name="head"))
    assert_close([predict_keras(model, X)], [np.asarray(model(X))])


def test_the_wrapper_keeps_the_scores_of_all_classes():
    model = KerasClassifier(
        three, loss="categorical_crossentropy", metrics=[keras.metrics.F1Score],
        epochs=2, verbose=0,
    ).fit(X, LABELS)  # fmt: skip
    assert model.engine_ == "skrnn"
    assert np.shape(model.history_["f1_score"]) == (2, 3)


def test_windows_are_not_copied():
    series = RNG.normal(size=(60, 2)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series, 5, axis=0)
    windows = windows.transpose(0, 2, 1)
    model, _ = compiled("functional")
    y = windows[:, -1, 0]
    loaded = program_of(model, y, x=windows).load({"x": windows, "y": y})
    assert np.shares_memory(loaded.dataset.sequences.values, series)
    assert_close([predict_keras(model, windows)], [model.predict(windows, verbose=0)])


def test_the_wrapper_gives_equal_weights_for_equal_seeds():
    def fitted(seed):
        network = NETWORKS["lstm"]
        model = KerasRegressor(
            network, loss="mse", optimizer="adam", epochs=2, verbose=0,
            random_state=seed,
        ).fit(X, Y)  # fmt: skip
        assert model.engine_ == "skrnn"
        return model.predict(X)

    np.testing.assert_array_equal(fitted(0), fitted(0))
    assert np.abs(fitted(0) - fitted(1)).max() > 1e-3
