"""Wrappers of a user's own Keras network in files: numbers alone, and no code."""

import copy
from functools import cache

import numpy as np
import pytest
from _eager import uncompiled
from sklearn.model_selection import GridSearchCV

import skrnn
from skrnn._persistence import container
from skrnn._persistence.files import to_bytes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2)).astype(np.float32)
Y = X[:, -1, 0]
LABELS = np.where(Y > 0, "up", "down")
BASE = {"epochs": 1, "verbose": 0, "random_state": 0}


def build(units, meta, last=None):
    import keras

    layers = [
        keras.layers.LSTM(units),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, "sigmoid" if "classes_" in meta else last),
    ]
    return keras.Sequential([keras.Input((None, meta["n_features_in_"])), *layers])


def regressor(**parameters):
    from skrnn.scikeras import KerasRegressor

    parameters = BASE | {"model__units": 3, "loss": "mse"} | parameters
    return KerasRegressor(build, **parameters)


def with_optimizer_by_class():
    import keras

    adam = {"optimizer": keras.optimizers.Adam, "optimizer__learning_rate": 0.01}
    return regressor(**adam), Y, [build, keras.optimizers.Adam]


def with_optimizer_object():
    import keras

    return regressor(optimizer=keras.optimizers.SGD(0.1, momentum=0.9)), Y, [build]


def classifier():
    from skrnn.scikeras import KerasClassifier

    loss = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
    model = KerasClassifier(build, model__units=3, class_weight="balanced", **loss)
    return model.set_params(**BASE), LABELS, [build]


def ours(loss=None, y=Y, **parameters):
    def made():
        from skrnn.scikeras import KerasClassifier, KerasRegressor, recurrent_network

        cls = KerasRegressor if y is Y else KerasClassifier
        model = cls(recurrent_network, model__units=3, loss=loss, **BASE, **parameters)
        return model, y, [recurrent_network]

    return made


def subclass():
    from skrnn.scikeras import KerasRegressor

    class Own(KerasRegressor):
        def _keras_build_fn(self, meta):
            return build(3, meta)

    return Own(loss="mse", **BASE), Y, [Own]


STEPS = (X[:, :, 0] > 0).astype(int)
CASES = {
    "a regressor": lambda: (regressor(), Y, [build]),
    "an optimizer by its class": with_optimizer_by_class,
    "an optimizer": with_optimizer_object,
    "a classifier": classifier,
    "recurrent_network": ours(),
    "one-hot labels": ours("categorical_crossentropy", np.arange(24) % 3),
    "labels of steps": ours(y=STEPS, model__return_sequences=True),
    "a class of one's own": subclass,
}


@pytest.fixture
def step_by_step():
    """Let Keras train step by step: it would compile each network for seconds."""
    with uncompiled():
        yield


@pytest.mark.usefixtures("step_by_step")
@pytest.mark.parametrize("name", CASES)
def test_a_wrapper_predicts_the_same_and_goes_on(name, tmp_path):
    estimator, y, trusted = CASES[name]()
    estimator.fit(X, y)
    skrnn.save(estimator, tmp_path / "model.skrnn", trusted=trusted)
    again = skrnn.load(tmp_path / "model.skrnn", trusted=trusted)
    assert vars(again).keys() == vars(estimator).keys()
    assert again.get_params() == estimator.get_params() or "optimizer" in name
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    # The optimizer's state, and what was drawn from.
    for each in (estimator, again):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    assert again.history_ == estimator.history_


def test_a_search_over_a_wrapper_is_one_file(tmp_path):
    search = GridSearchCV(regressor(), {"model__units": [2, 3]}, cv=2).fit(X, Y)
    skrnn.save(search, tmp_path / "model.skrnn", trusted=[build])
    again = skrnn.load(tmp_path / "model.skrnn", trusted=[build])
    assert again.best_params_ == search.best_params_
    np.testing.assert_array_equal(again.predict(X), search.predict(X))


def test_one_that_was_not_fitted_is_fitted_later(tmp_path):
    skrnn.save(regressor(), tmp_path / "model.skrnn", trusted=[build])
    again = skrnn.load(tmp_path / "model.skrnn", trusted=[build]).fit(X, Y)
    np.testing.assert_array_equal(again.predict(X), regressor().fit(X, Y).predict(X))


def test_what_a_wrapper_cannot_save_is_named(tmp_path):
    import keras

    from skrnn.scikeras import KerasRegressor

    path = tmp_path / "model.skrnn"
    network = build(2, {"n_features_in_": 2})
    cases = [
        (regressor(), [], "a network that a function builds.*`trusted=\\["),
        (KerasRegressor(network), [build], r"model is a model of Keras.*model\.save"),
        (regressor(loss=keras.losses.Huber()), [build], r"KerasRegressor\.loss is of"),
        (
            regressor(optimizer={"class_name": "SGD", "config": {}}),
            [build],
            "optimizer is a config of Keras",
        ),
    ]
    for estimator, trusted, expected in cases:
        with pytest.raises(TypeError, match=expected):
            skrnn.save(estimator, path, trusted=trusted)
    assert not list(tmp_path.iterdir())


@cache
def good():
    return to_bytes(regressor().fit(X, Y), [build])


def rewritten(change):
    described, arrays = container.from_bytes(good())
    described = copy.deepcopy(described)
    change(described["estimator"], arrays)
    return container.to_bytes(described, arrays)


def state_with(**values):
    return lambda node, _: node["state"].update(values)


def as_estimator(node, _):
    node["type"] = "estimator"


def as_another(node, _):
    node["class"] = "skrnn.GRURegressor"


def another_shape(node, arrays):
    name = next(n for n in arrays if "variables[0]" in n)
    arrays[name] = arrays[name][:, :4].copy()


def no_array(node, _):
    node["network"]["variables"][0] = "os.system"


CONFIG = {"type": "dict", "items": [["class_name", "Lambda"]]}
HARMFUL = {
    "a config of Keras": (state_with(optimizer=CONFIG), "config of Keras"),
    "one inside of a list": (state_with(metrics=[CONFIG]), "config of Keras"),
    "a method": (state_with(predict=1), "predict"),
    "a parameter that is a method": (
        state_with(_user_params={"type": "set", "items": ["model__units", "fit"]}),
        "wrong names",
    ),
    "another function": (
        state_with(model={"type": "function", "name": "numpy.sum"}),
        "is built by a function; hand it over",
    ),
    "as a plain estimator": (as_estimator, "another kind of value"),
    "another class": (as_another, "wraps no network"),
    "weights of another shape": (another_shape, "builds another network.*kernel"),
    "a text for weights": (no_array, "weights of a network are wrong"),
    "more units": (state_with(model__units=5), "builds another network"),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_file_that_was_changed_is_refused(name, tmp_path):
    change, expected = HARMFUL[name]
    path = tmp_path / "model.skrnn"
    path.write_bytes(rewritten(change))
    with pytest.raises(ValueError, match=expected) as caught:
        skrnn.load(path, trusted=[build])
    assert caught.match(r"model\.skrnn can't be loaded")


def test_a_function_that_changed_is_told(tmp_path):
    path = tmp_path / "model.skrnn"
    skrnn.save(regressor(model__last="tanh").fit(X, Y), path, trusted=[build])
    described, arrays = container.from_bytes(path.read_bytes())
    described["estimator"]["state"]["model__last"] = "relu"
    path.write_bytes(container.to_bytes(described, arrays))
    with pytest.warns(UserWarning, match="some setting differs"):
        skrnn.load(path, trusted=[build])
