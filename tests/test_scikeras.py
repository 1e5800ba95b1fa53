"""scikeras' wrappers: what is put right, and that training is Keras' own."""

import os
import pickle
import random
from collections import defaultdict

import keras
import numpy as np
import pytest
import tensorflow as tf
from _instances import in_new_process
from scikeras import wrappers as plain
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from tensorflow.python.eager import context
from tensorflow.python.framework import config as tf_config

from skrnn import scikeras as ours
from skrnn.scikeras import KerasClassifier, KerasRegressor, recurrent_network
from skrnn.scikeras.engine import models, training
from skrnn.scikeras.engine.origin import NotTakenError
from skrnn.scikeras.engine.prediction import predict_keras
from skrnn.scikeras.engine.training import KerasPlan, fit_keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5, 2)).astype(np.float32)
Y = X[:, -1, 0] + X[:, -2, 1]
LABELS = np.where(np.median(Y) < Y, "up", "down")
WEIGHTS = RNG.uniform(0.5, 2.0, size=48)

FAST = dict(verbose=0, random_state=0)


def network(meta, units=2, dropout=0.0, mask=-9.0):
    """Build what these tests are about: a masked recurrent network of any length."""
    end = "sigmoid" if "classes_" in meta else "linear"
    return keras.Sequential(
        [
            keras.Input((None, meta["X_shape_"][-1])),
            keras.layers.Masking(mask),
            keras.layers.SimpleRNN(units, dropout=dropout),
            keras.layers.Dense(1, end),
        ]
    )


def steps(meta):
    return keras.Sequential(
        [
            keras.Input((None, 2)),
            keras.layers.SimpleRNN(2, return_sequences=True),
            keras.layers.Dense(2),
        ]
    )


def dense(meta):
    end = "sigmoid" if "classes_" in meta else "linear"
    last = keras.layers.Dense(meta["n_outputs_"], end)
    return keras.Sequential([keras.Input(meta["X_shape_"][1:]), last])


def regressor(of=ours, model=network, **parameters):
    return of.KerasRegressor(model, loss="mse", **FAST | parameters)


def classifier(of=ours, model=network, **parameters):
    return of.KerasClassifier(model, loss="binary_crossentropy", **FAST | parameters)


# What is put right: each passes with ours and fails with scikeras' own.


def tells_what_it_is(of):
    assert is_classifier(classifier(of))
    assert is_regressor(regressor(of))


def folds_are_stratified(of):
    cv = check_cv(3, LABELS, classifier=is_classifier(classifier(of)))
    assert isinstance(cv, StratifiedKFold)


def roc_auc_is_scored(of):
    scores = cross_val_score(
        classifier(of), X, LABELS, cv=2, scoring="roc_auc", error_score="raise"
    )
    assert np.isfinite(scores).all()


def classifiers_vote(of):
    members = [(name, classifier(of, dense)) for name in "ab"]
    vote = VotingClassifier(members, voting="soft").fit(X[:, :, 0], LABELS)
    assert vote.predict_proba(X[:, :, 0]).shape == (48, 2)


def counts_features_not_steps(of):
    assert regressor(of).fit(X, Y).n_features_in_ == 2


def remembers_names_of_features(of):
    estimator_checks.check_n_features_in_after_fitting(
        "KerasRegressor", regressor(of, dense)
    )


def predicts_other_lengths(of):
    fitted = regressor(of).fit(X, Y)
    assert fitted.predict(X[:, :3]).shape == (48,)


def answers_every_step(of):
    fitted = regressor(of, steps).fit(X, X)
    assert fitted.predict(X).shape == X.shape
    assert fitted.score(X, X, sample_weight=WEIGHTS) < 1


def reads_ragged_sequences(of):
    ragged = [x[: 2 + i % 4] for i, x in enumerate(X)]
    fitted = regressor(of).fit(ragged, Y)
    alone = np.concatenate([fitted.predict([x]) for x in ragged[:4]])
    np.testing.assert_allclose(fitted.predict(ragged)[:4], alone, rtol=1e-5)
    assert fitted.n_features_in_ == 2


def reads_ragged_tokens(of):
    def tokens():
        layers = keras.layers
        embedding = layers.Embedding(9, 3, mask_zero=True)
        return keras.Sequential([embedding, layers.GRU(2), layers.Dense(1)])

    ragged = [RNG.integers(1, 9, size=2 + i % 4) for i in range(48)]
    fitted = regressor(of, tokens).fit(ragged, Y)
    np.testing.assert_allclose(
        fitted.predict(ragged[:1]), fitted.predict(ragged)[:1], rtol=1e-5
    )


def refuses(name, value=1):
    def refuses_misspelt(of):
        # A network that takes anything, as many in scikeras' documentation.
        def anything(meta, **kwargs):
            return network(meta)

        wrong = regressor(of, anything, **{name: value})
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
            wrong.fit(X, Y)

    refuses_misspelt.__name__ = f"refuses_{name}"
    return refuses_misspelt


def sets_parameters_of_callbacks(of):
    stopping = dict(callbacks=keras.callbacks.EarlyStopping)
    model = regressor(of, **stopping, callbacks__monitor="loss")
    model.set_params(callbacks__patience=3).fit(X, Y)
    assert model._fit_callbacks[0].patience == 3


def leaves_tensorflow_alone_while_it_runs(of):
    seen = []

    def look(epoch, logs):
        seen.append(tf_config.is_op_determinism_enabled())
        seen.append("TF_DETERMINISTIC_OPS" in os.environ)

    regressor(of, callbacks=keras.callbacks.LambdaCallback(on_epoch_end=look)).fit(X, Y)
    assert not any(seen)


def leaves_generators_where_they_were(of):
    keras.utils.set_random_seed(3)
    keras.random.normal((1,))
    tf.random.normal((1,))
    before = global_state()
    regressor(of, dropout=0.5).fit(X, Y).predict(X)
    assert global_state() == before


def takes_a_random_state_object(of):
    state = np.random.RandomState(3)
    one, other = (regressor(of, random_state=state).fit(X, Y) for _ in range(2))
    assert weights_differ(one, other)


def gives_one_row_of_probabilities(of):
    fitted = classifier(of).fit(X, LABELS)
    assert fitted.predict_proba(X[:1]).shape == (1, 2)


def leaves_weights_of_the_user_alone(of):
    weights = np.ones(48)
    balance = {"up": 5.0, "down": 1.0}
    classifier(of, class_weight=balance).fit(X, LABELS, sample_weight=weights)
    assert (weights == 1).all()


def takes_one_optimizer_for_two_fits(of):
    optimizer = keras.optimizers.Adam(0.01)
    regressor(of, optimizer=optimizer).fit(X, Y)
    regressor(of, optimizer=optimizer).fit(X, Y)


def stays_fitted_after_a_failed_refit(of):
    fitted = regressor(of).fit(X, Y)
    before = fitted.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        fitted.fit(np.full_like(X, np.nan), Y)
    fitted.batch_size = 2.5
    with pytest.raises((ValueError, TypeError)):
        fitted.fit(X[:, :, :1], Y)
    np.testing.assert_array_equal(fitted.predict(X), before)


def passes(check, model=None):
    def passes_check(of):
        estimator = model(of) if model else regressor(of, dense)
        getattr(estimator_checks, check)(type(estimator).__name__, estimator)

    passes_check.__name__ = f"passes_{check}"
    return passes_check


PUT_RIGHT = [
    tells_what_it_is,
    folds_are_stratified,
    roc_auc_is_scored,
    classifiers_vote,
    counts_features_not_steps,
    remembers_names_of_features,
    predicts_other_lengths,
    answers_every_step,
    reads_ragged_sequences,
    reads_ragged_tokens,
    refuses("optimzer__learning_rate"),
    refuses("optimizer__lerning_rate"),
    refuses("callbacks__patience"),
    sets_parameters_of_callbacks,
    leaves_tensorflow_alone_while_it_runs,
    leaves_generators_where_they_were,
    takes_a_random_state_object,
    gives_one_row_of_probabilities,
    leaves_weights_of_the_user_alone,
    takes_one_optimizer_for_two_fits,
    stays_fitted_after_a_failed_refit,
    passes("check_mixin_order"),
    passes("check_requires_y_none"),
    passes("check_regressor_multioutput"),
]


@pytest.mark.parametrize("promise", PUT_RIGHT, ids=lambda f: f.__name__)
def test_put_right(promise):
    promise(ours)


@pytest.mark.parametrize("promise", PUT_RIGHT, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore")
def test_was_wrong(promise):
    # What pytest itself raises where nothing else was is no Exception.
    with pytest.raises((Exception, pytest.fail.Exception)):
        promise(plain)


def global_state():
    """Return all that a seed could have changed."""
    tensorflow = vars(context.context())
    generator = keras.src.random.seed_generator.global_seed_generator()
    return (
        random.getstate(),
        repr(np.random.get_state()),  # noqa: NPY002
        generator.state.numpy().tolist(),
        tensorflow["_seed"],
        tensorflow["_rng"].getstate(),
        tf_config.is_op_determinism_enabled(),
        dict(os.environ),
    )


def weights_differ(one, other):
    pairs = zip(one.model_.get_weights(), other.model_.get_weights(), strict=True)
    return any((a != b).any() for a, b in pairs)


# What stays as scikeras has it


def test_they_are_scikeras_wrappers():
    assert isinstance(regressor(), plain.KerasRegressor)
    assert isinstance(classifier(), plain.KerasClassifier)


def test_nothing_more_is_patched_than_scikeras_does():
    found = in_new_process("""
import scikeras, keras
owners = [keras.Model, keras.losses.Loss, keras.metrics.Metric, keras.Layer,
          keras.optimizers.Optimizer, keras.callbacks.Callback, keras.random]
def state():
    return [dict(vars(owner)) for owner in owners]
before = state()
import skrnn.scikeras
import skrnn.scikeras.engine.training
print(state() == before)
""")
    assert found.strip() == "True"


def test_routed_parameters_arrive():
    model = regressor(
        optimizer="sgd",
        optimizer__learning_rate=0.5,
        optimizer__momentum=0.9,
        model__units=3,
        units=4,
        fit__epochs=2,
        callbacks={"stop": keras.callbacks.EarlyStopping},
        callbacks__stop__patience=7,
        callbacks__stop__monitor="loss",
        metrics=[keras.metrics.MeanAbsoluteError],
        metrics__name="away",
    )
    model.fit(X, Y)
    assert float(model.model_.optimizer.learning_rate) == 0.5
    assert model.model_.optimizer.momentum == 0.9
    assert len(model.history_["loss"]) == len(model.history_["away"]) == 2
    assert model._fit_callbacks[0].patience == 7
    assert model.engine_ == "skrnn"


def test_a_grid_over_routed_parameters_compiles_once():
    grid = {
        "optimizer__learning_rate": [0.01, 0.1],
        "callbacks__patience": [1, 2],
    }
    stopping = keras.callbacks.EarlyStopping
    model = regressor(callbacks=stopping, callbacks__monitor="loss", model__units=7)
    model.set_params(optimizer="adam", optimizer__learning_rate=0.1)
    model.set_params(callbacks__patience=1, batch_size=7)
    before = training.keras_programs.made
    GridSearchCV(model, grid, cv=3).fit(X, Y)
    # One for all folds.
    assert training.keras_programs.made - before == 1


def test_in_a_pipeline():
    model = make_pipeline(StandardScaler(), regressor(model=dense))
    assert model.fit(X[:, 0], Y).predict(X[:, 0]).shape == (48,)


def test_pickle():
    fitted = regressor().fit(X, Y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


def test_going_on_keeps_the_optimizer():
    model = regressor(epochs=2, batch_size=16, warm_start=True).fit(X, Y)
    model.fit(X, Y).partial_fit(X, Y)
    assert int(model.model_.optimizer.iterations) == 15
    assert len(model.history_["loss"]) == 3


def test_partial_fit_of_labels():
    model = classifier()
    for _ in range(2):
        model.partial_fit(X[:8], LABELS[:8], classes=["down", "up"])
    assert model.predict(X).shape == (48,)
    assert int(model.model_.optimizer.iterations) == 2


def test_a_model_that_is_compiled_already():
    built = network({"X_shape_": X.shape})
    built.compile("sgd", "mae")
    model = KerasRegressor(built, verbose=0).fit(X, Y)
    assert model.engine_ == "skrnn"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (X[:, :, :1], "X has 1 features, but KerasRegressor is expecting 2 features"),
        (X[:, 0], "X has 2 dimensions, but KerasRegressor is expecting 3"),
        (X[:, :0], "empty axis"),
    ],
)
def test_errors_name_what_was_expected(wrong, message):
    fitted = regressor().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(wrong)


def test_a_length_that_the_network_cannot_read():
    fitted = regressor(model=lambda meta: dense(meta)).fit(X[:, :, 0], Y)
    with pytest.raises(ValueError, match="expecting 5 features"):
        fitted.predict(X[:, :3, 0])


def test_ragged_sequences_need_a_mask():
    with pytest.raises(ValueError, match=r"no layer keras\.layers\.Masking"):
        regressor(model=steps).fit([X[0], X[1, :2]], Y[:2])


# Reproducible


@pytest.mark.parametrize("engine", ["skrnn", "keras"])
def test_equal_seeds_give_equal_weights(engine):
    def build(meta):
        model = network(meta, dropout=0.5)
        return model if engine == "skrnn" else Own(model.inputs, model.outputs)

    one, same, other = (
        regressor(model=build, epochs=2, random_state=seed).fit(X, Y)
        for seed in (1, 1, 2)
    )
    assert one.engine_ == engine
    assert not weights_differ(one, same)
    assert weights_differ(one, other)


def test_a_seeded_script_gives_the_same_again():
    fits = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        fits.append(regressor(random_state=None, epochs=2).fit(X, Y))
    assert not weights_differ(*fits)


# The engine computes what Keras computes


class Own(keras.Model):
    """A model with a training step of the user's, as far as anyone knows."""


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
    monkeypatch.setattr(models, "_XLA_FROM", 0)
    agree(built("recurrent"), built("recurrent"), Y[:, None], WEIGHTS)


def agree(one, other, y, weights):
    """Train `one` by Keras and `other` by the engine, and compare all that is left."""
    options = dict(epochs=3, batch_size=16, shuffle=False, verbose=0)
    options["validation_split"] = 0.2
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
        predict_keras(other, X), one.predict(X, verbose=0), rtol=1e-3, atol=1e-5
    )


EVENTS = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]


class Recorder(keras.callbacks.Callback):
    """Write down every event with its number and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.heard = []


def _recording(event):
    def hear(self, *args, **kwargs):
        logs = kwargs.get("logs") or (args[-1] if args else None)
        number = args[0] if args and isinstance(args[0], int) else None
        names = sorted(logs) if isinstance(logs, dict) else []
        self.heard.append((event, number, names))

    return hear


for _event in EVENTS:
    setattr(Recorder, _event, _recording(_event))


def test_callbacks_hear_what_they_hear_from_keras():
    heard = []
    for train in (lambda model, **o: model.fit(X, Y[:, None], **o), _on_engine):
        recorder = Recorder()
        options = dict(epochs=2, batch_size=20, verbose=0, validation_split=0.25)
        train(built("recurrent"), callbacks=[recorder], **options)
        heard.append(recorder.heard)
    assert heard[1] == heard[0]


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
        return models.architecture_key(model)

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
        models.architecture_key(build())


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


# Our builder


SHAPES = {
    "numbers": (KerasRegressor, X, Y),
    "several numbers": (KerasRegressor, X, X[:, 0]),
    "a number a step": (KerasRegressor, X, X[:, :, 0]),
    "numbers a step": (KerasRegressor, X, X),
    "two labels": (KerasClassifier, X, LABELS),
    "three labels": (KerasClassifier, X, np.digitize(Y, [-1, 1])),
    "several labels": (KerasClassifier, X, (X[:, 0] > 0).astype(int)),
    "a label a step": (KerasClassifier, X, np.digitize(X[:, :, 0], [-1, 1])),
    "columns": (KerasRegressor, X[:, :, 0], Y),
}


@pytest.mark.parametrize("name", SHAPES)
def test_our_networks_for_scikeras(name):
    cls, data, y = SHAPES[name]
    model = cls(
        recurrent_network,
        model__units=(3, 2) if name == "numbers" else 2,
        model__cell="gru",
        model__return_sequences="step" in name,
        **FAST,
    )
    predicted = model.fit(data, y).predict(data)
    assert model.engine_ == "skrnn"
    assert predicted.shape == y.shape
    assert set(np.unique(predicted)) <= set(np.unique(y)) or cls is KerasRegressor


def test_our_networks_differ_by_seed():
    one, same, other = (
        KerasRegressor(recurrent_network, verbose=0, random_state=seed).fit(X, Y)
        for seed in (0, 0, 1)
    )
    assert not weights_differ(one, same)
    assert weights_differ(one, other)


def test_history_is_what_scikeras_has():
    options = dict(epochs=2, metrics=["mae"], validation_split=0.2)
    histories = [regressor(of, **options).fit(X, Y).history_ for of in (ours, plain)]
    assert isinstance(histories[0], defaultdict)
    assert list(histories[0]) == list(histories[1])
