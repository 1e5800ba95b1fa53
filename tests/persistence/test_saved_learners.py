"""scikit-learn's boosting, neighbours, machines and perceptrons in files and back."""

import copy
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
)
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
KINDS = RNG.integers(0, 5, size=40)
# A column of numbers, one of codes that say much of y, and a column of numbers.
MIXED = np.column_stack([X[:, 0], KINDS, X[:, 2]])
BOOST = dict(max_iter=2, min_samples_leaf=2, random_state=0)
OF_KINDS = 10 * (KINDS % 2) + 0.1 * X[:, 0]
# What is saved and loaded, with y.
MODELS = {
    "quantile": (HistGradientBoostingRegressor(loss="quantile", quantile=0.9), Y),
    "gamma": (HistGradientBoostingRegressor(loss="gamma", **BOOST), np.exp(Y)),
    "boosted classes": (HistGradientBoostingClassifier(**BOOST), LABELS),
    "columns at random": (
        HistGradientBoostingRegressor(max_features=0.5, warm_start=True, **BOOST),
        Y,
    ),
    "categories": (
        HistGradientBoostingRegressor(categorical_features=[1], **BOOST),
        OF_KINDS,
    ),
    "huber": (GradientBoostingRegressor(loss="huber", n_estimators=2), Y),
    "boosted, three": (GradientBoostingClassifier(n_estimators=2), LABELS),
    "exponential": (
        GradientBoostingClassifier(n_estimators=2, loss="exponential"),
        LABELS > 1,
    ),
    "boosted by weights": (AdaBoostClassifier(n_estimators=2), LABELS),
    "boosted numbers": (AdaBoostRegressor(n_estimators=2, random_state=0), Y),
    "isolation": (IsolationForest(n_estimators=2, random_state=0), Y),
    "isolation, by columns": (
        IsolationForest(n_estimators=2, max_features=2, random_state=0),
        Y,
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
    "calibrated": (CalibratedClassifierCV(LogisticRegression(), cv=2), LABELS),
    "threshold": (TunedThresholdClassifierCV(LogisticRegression(), cv=2), LABELS > 1),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*hasn't converged yet.*:UserWarning")


@cache
def fitted_once(name):
    model, y = MODELS[name]
    if name == "quantile":
        model.set_params(**BOOST)
    return model.fit(MIXED if name == "categories" else X, y)


def fitted(name):
    return copy.deepcopy(fitted_once(name))


@pytest.mark.parametrize("name", MODELS)
def test_learners_come_back(name):
    model = fitted(name)
    again = from_bytes(to_bytes(model))
    assert vars(again).keys() == vars(model).keys()
    for method in ("predict", "predict_proba", "score_samples", "decision_function"):
        if hasattr(model, method):
            found, expected = (getattr(each, method)(X) for each in (again, model))
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
        (SVR(kernel=lambda a, b: a @ b.T), "kernel of its own"),
    ],
)
def test_what_runs_code_is_refused(model, word):
    with pytest.raises(TypeError, match=f"{type(model).__name__}.*{word}.*can't be"):
        to_bytes(model.fit(np.abs(X), Y))


WORDS = pd.DataFrame(
    {"kind": np.array(["", "b", "c", "d", "e"])[KINDS], "x": X[:, 1]}
).astype({"kind": "category"})


@pytest.mark.parametrize("rows", [MIXED, WORDS], ids=["codes", "words"])
def test_trees_of_categories_come_back(rows):
    model = clone(MODELS["categories"][0])
    if rows is WORDS:
        model.set_params(categorical_features="from_dtype", warm_start=True)
    model.fit(rows, OF_KINDS)
    assert any(t.nodes["is_categorical"].any() for (t,) in vars(model)["_predictors"])
    again = from_bytes(to_bytes(model))
    asked = rows.copy()
    if rows is MIXED:
        asked[:4, 1] = [9, np.nan, 3, -1]
    np.testing.assert_array_equal(again.predict(asked), model.predict(asked))
    for each in (model, again):
        each.set_params(max_iter=4).fit(rows, OF_KINDS)
    np.testing.assert_array_equal(again.predict(asked), model.predict(asked))


def column(node, name):
    """Return the name of the array in which nodes have a column."""
    tree = node["_predictors"][0][0]["state"]
    fields = dict(tree["nodes"]["items"])
    return fields[name]["array"]


def in_nodes(name, value):
    def change(state, arrays):
        arrays[column(state, name)][0] = value

    return change


def in_mapper(name, change):
    def apply(state, arrays):
        key = state["_bin_mapper"]["state"][name]["array"]
        arrays[key] = change(arrays[key])

    return apply


def known_categories(state, arrays):
    arrays["_bin_mapper.known_categories[0]"] += 300


def few_bitsets(state, arrays):
    key = state["_predictors"][0][0]["state"]["raw_left_cat_bitsets"]["array"]
    arrays[key] = arrays[key][:0]


def narrow_columns(state, arrays):
    reader = state["_preprocessor"]["state"]
    reader["_columns"] = reader["_columns"][:1]
    nothing = {"type": "tuple", "items": ["numerical", "drop", [False] * 3]}
    reader["transformers_"] = [reader["transformers_"][0], nothing]


def another_reader(state, arrays):
    reader = state["_preprocessor"]["state"]["transformers_"][1]["items"][1]
    reader["state"]["func"] = {"type": "function", "name": "numpy.abs"}


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
    "a code of no split": ("categories", few_bitsets, "categories of a boosted tree"),
    "a split by another": (
        "categories",
        in_mapper("is_categorical_", lambda each: each[::-1].copy()),
        "don't fit",
    ),
    "far categories": ("categories", known_categories, "don't fit"),
    "few columns": ("categories", narrow_columns, "don't fit|aren't there"),
    "another reader": ("categories", another_reader, "don't fit"),
    "isolated by others": ("isolation", in_state(_max_features=9), "other features"),
    "fewer columns": ("isolation, by columns", in_state(_max_features=1), "other feat"),
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
    "another part of a calibration": (
        "calibrated",
        lambda state, _: state["calibrated_classifiers_"][0].update({"class": "Popen"}),
        "no such part",
    ),
    "a score of no name": ("threshold", in_state(scoring="os.system"), "scoring"),
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
