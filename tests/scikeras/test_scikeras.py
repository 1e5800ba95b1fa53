"""scikeras' wrappers: what stays as scikeras has it, and the same seed again."""

import pickle

import keras
import numpy as np
import pytest
from _scikeras_cases import (
    LABELS,
    Own,
    X,
    Y,
    classifier,
    dense,
    network,
    regressor,
    steps,
    weights_differ,
)
from scikeras import wrappers as plain
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn.scikeras import KerasRegressor
from skrnn.scikeras.engine import training

# In one worker: most train the same network, which takes seconds to compile.
pytestmark = pytest.mark.xdist_group("scikeras")


def test_they_are_scikeras_wrappers():
    assert isinstance(regressor(), plain.KerasRegressor)
    assert isinstance(classifier(), plain.KerasClassifier)


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
        # Keras doesn't compile then, which takes seconds.
        regressor(
            model=build, epochs=1, random_state=seed, run_eagerly=engine == "keras"
        ).fit(X, Y)
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
