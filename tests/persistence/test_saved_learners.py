"""scikit-learn's boosting, neighbours, machines and perceptrons in files and back."""

import copy
from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

import skrnn
from skrnn._persistence import container
from skrnn._persistence.files import from_bytes, to_bytes
from skrnn.forecasting import Forecaster

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] + 0.1 * X[:, 1]
LABELS = np.digitize(Y, [-0.4, 0.4])
BOOST = dict(max_iter=2, min_samples_leaf=2, random_state=0)
# What is saved and loaded, with y.
MODELS = {
    "quantile": (HistGradientBoostingRegressor(loss="quantile", quantile=0.9), Y),
    "gamma": (HistGradientBoostingRegressor(loss="gamma", **BOOST), np.exp(Y)),
    "boosted classes": (HistGradientBoostingClassifier(**BOOST), LABELS),
    "columns at random": (
        HistGradientBoostingRegressor(max_features=0.5, warm_start=True, **BOOST),
        Y,
    ),
    "huber": (GradientBoostingRegressor(loss="huber", n_estimators=2), Y),
    "boosted, three": (GradientBoostingClassifier(n_estimators=2), LABELS),
    "exponential": (
        GradientBoostingClassifier(n_estimators=2, loss="exponential"),
        LABELS > 1,
    ),
    "near": (KNeighborsClassifier(3, metric="manhattan"), LABELS),
    "ball tree": (KNeighborsRegressor(3, algorithm="ball_tree", p=3), Y),
    "brute": (KNeighborsRegressor(3, algorithm="brute", weights="distance"), Y),
    "machine": (SVC(kernel="poly", degree=2), LABELS),
    "machine of numbers": (SVR(C=0.5), Y),
    "two layers": (
        MLPRegressor(hidden_layer_sizes=(3, 2), max_iter=3, random_state=0),
        Y,
    ),
    "by descent": (MLPClassifier((3,), solver="sgd", max_iter=3), LABELS),
    "descent": (SGDClassifier(loss="modified_huber", random_state=0), LABELS),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*hasn't converged yet.*:UserWarning")


@cache
def fitted_once(name):
    model, y = MODELS[name]
    if name == "quantile":
        model.set_params(**BOOST)
    return model.fit(X, y)


def fitted(name):
    return copy.deepcopy(fitted_once(name))


@pytest.mark.parametrize("name", MODELS)
def test_learners_come_back(name):
    model = fitted(name)
    again = from_bytes(to_bytes(model))
    assert vars(again).keys() == vars(model).keys()
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, method):
            found, expected = getattr(again, method)(X), getattr(model, method)(X)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["two layers", "by descent", "descent"])
def test_learners_go_on(name):
    model, y = fitted(name), MODELS[name][1]
    again = from_bytes(to_bytes(model))
    for each in (model, again):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_boosting_goes_on():
    model = fitted("columns at random").set_params(max_iter=4)
    again = from_bytes(to_bytes(model))
    found, expected = again.fit(X, Y).predict(X), model.fit(X, Y).predict(X)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", [HistGradientBoostingRegressor(**BOOST), Ridge()])
def test_forecasters_over_learners_are_saved(model, tmp_path):
    search = GridSearchCV(
        Forecaster(model, horizon=2),
        {"lookback": [3, 4]},
        cv=TimeSeriesSplit(2, test_size=3),
    )
    search.fit(np.empty((40, 0)), np.sin(np.arange(40) / 3))
    path = tmp_path / "model.skrnn"
    skrnn.save(search, path)
    again = skrnn.load(path)
    assert again.best_params_ == search.best_params_
    found, expected = (each.best_estimator_.forecast(5) for each in (again, search))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("model", "word"),
    [
        (
            HistGradientBoostingRegressor(categorical_features=[0], **BOOST),
            "categories",
        ),
        (SVR(kernel=lambda a, b: a @ b.T), "kernel of its own"),
    ],
)
def test_what_runs_code_is_refused(model, word):
    with pytest.raises(TypeError, match=f"{type(model).__name__}.*{word}.*can't be"):
        to_bytes(model.fit(np.abs(X), Y))


def column(node, name):
    """Return the name of the array in which nodes have a column."""
    tree = node["_predictors"][0][0]["state"]
    fields = dict(tree["nodes"]["items"])
    return fields[name]["array"]


def in_nodes(name, value):
    def change(state, arrays):
        arrays[column(state, name)][0] = value

    return change


def in_array(attribute, change):
    def apply(state, arrays):
        name = state[attribute]["array"]
        arrays[name] = change(arrays[name])

    return apply


def in_state(**values):
    return lambda state, _: state.update(values)


@pytest.fixture(autouse=True)
def one_thread():
    """Fit on one thread: those of OpenMP wait for each other where cores are few."""
    with threadpool_limits(1):
        yield


def leave_out_column(array):
    return np.ascontiguousarray(array[:, :-1])


# Name of a model, what somebody changed in its file, and the error.
HOSTILE = {
    "nodes in a circle": ("quantile", in_nodes("left", 0), "lead to its leaves"),
    "a node far away": ("quantile", in_nodes("right", 2**31), "lead to its leaves"),
    "a feature below 0": ("quantile", in_nodes("feature_idx", -9), "lead to its"),
    "a far feature": ("quantile", in_nodes("feature_idx", 10**9), "don't fit"),
    "a category": ("quantile", in_nodes("is_categorical", 1), "lead to its leaves"),
    "other features": ("quantile", in_state(n_features_in_=9), "don't fit"),
    "trees of others": ("huber", in_state(n_features_in_=9), "don't fit"),
    "columns of trees": (
        "boosted, three",
        in_state(n_trees_per_iteration_=2),
        "don't fit",
    ),
    "far labels": ("near", in_array("_y", lambda y: y + 10**6), "don't fit"),
    "negative labels": ("near", in_array("_y", lambda y: y - 3), "don't fit"),
    "few labels": ("near", in_array("_y", lambda y: y[:3]), "don't fit"),
    "few rows": ("ball tree", in_array("_fit_X", leave_out_column), "don't fit"),
    "narrow vectors": (
        "machine",
        in_array("support_vectors_", leave_out_column),
        "don't fit",
    ),
    "far counts": ("machine", in_array("_n_support", lambda n: n * 99), "don't fit"),
    "few numbers": (
        "machine of numbers",
        in_array("dual_coef_", leave_out_column),
        "don't fit",
    ),
    "another machine": ("machine", in_state(_impl="one_class"), "another kind"),
    "a part of its own": (
        "two layers",
        lambda state, _: state["_optimizer"].update({"class": "Popen"}),
        "no such part",
    ),
    "a method": (
        "two layers",
        lambda state, _: state["_optimizer"]["state"].update(update_params=1),
        "no attribute",
    ),
    "a drawer": (
        "columns at random",
        lambda state, _: state["_feature_subsample_rng"].update(words=["f" * 99, "1"]),
        "Generator is wrong",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_learners_are_refused(name, tmp_path):
    model, change, message = HOSTILE[name]
    described, arrays = container.from_bytes(to_bytes(fitted(model)))
    arrays = {key: array.copy() for key, array in arrays.items()}
    change(described["estimator"]["state"], arrays)
    path = tmp_path / "model.skrnn"
    path.write_bytes(container.to_bytes(described, arrays))
    with pytest.raises(ValueError, match=message):
        skrnn.load(path)
