"""Estimators in bytes and back: pickle, joblib, cloudpickle and deepcopy.

Their state is a spec and arrays, so a copy predicts bit by bit the same, wherever.
"""

import copy
import io
import pickle
from functools import cache

import cloudpickle
import joblib
import numpy as np
import pytest
from _instances import (
    AHEAD,
    FAST,
    FORMS,
    INSTANCES,
    LEARNERS,
    OF_SERIES,
    SERIES,
    assert_same_network,
    in_new_process,
    labels,
    numbers,
    sequences,
    target,
    with_params,
)
from _tables import covering
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier, LSTMClassifier, LSTMRegressor
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequenceWise


def through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


WAYS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "pickle protocol 2": lambda estimator: pickle.loads(pickle.dumps(estimator, 2)),
    "joblib": through_joblib,
    "cloudpickle": lambda estimator: pickle.loads(cloudpickle.dumps(estimator)),
    "deepcopy": copy.deepcopy,
}
METHODS = ("predict", "predict_proba", "predict_log_proba", "transform")
# Method -> which of `OF_SERIES` have it.
OF_FORECASTERS = {
    "predict": [*OF_SERIES],
    "predict_quantiles": ["quantiles", "distribution"],
    "predict_interval": ["quantiles"],
}


def name(value):
    return value if isinstance(value, str) else type(value).__name__


@pytest.fixture(params=WAYS)
def there_and_back(request):
    return WAYS[request.param]


def methods_of(fitted):
    if isinstance(fitted, Forecaster):
        (own,) = [k for k, v in OF_SERIES.items() if repr(v) == repr(fitted)]
        return [method for method, names in OF_FORECASTERS.items() if own in names]
    return [method for method in METHODS if hasattr(fitted, method)]


def assert_same_results(one, other, X):
    """Compare everything that two fitted estimators compute, bit by bit."""
    assert methods_of(one)
    for method in methods_of(one):
        found = (getattr(each, method)(X) for each in (one, other))
        np.testing.assert_array_equal(*map(in_one_array, found), strict=True)


def in_one_array(found):
    """Put ragged arrays end to end."""
    ragged = found.dtype == object and isinstance(found[0], np.ndarray)
    return np.concatenate(found) if ragged else found


# Class -> the form that it takes, if that isn't 3-D.
OTHER_FORMS = {"SlidingWindow": "2-D", "TextSequencer": "texts"}


def fit(estimator, form="3-D"):
    """Return a clone fitted on sequences, and these; or on a series, and its future."""
    if isinstance(estimator, Forecaster):
        return clone(estimator).fit(None, SERIES), AHEAD
    X = sequences(form)
    fast = clone(estimator)
    if "epochs" in fast.get_params():
        fast.set_params(epochs=2)
    return fast.fit(X, target(estimator, X)), X


# To train the copy shows that it is whole, whichever way it came.
@pytest.mark.parametrize(
    ("estimator", "way"), covering([*INSTANCES, *OF_SERIES.values()], WAYS), ids=name
)
def test_before_fit(estimator, way):
    copied = WAYS[way](estimator)
    assert type(copied) is type(estimator)
    assert repr(copied) == repr(estimator)
    # A copy is as good as new.
    form = OTHER_FORMS.get(name(estimator), "3-D")
    assert_same_results(fit(copied, form)[0], *fit(estimator, form))


fit_once = cache(fit)


@pytest.mark.parametrize("network", LEARNERS, ids=name)
def test_after_fit(network, there_and_back):
    fitted, X = fit_once(network)
    copied = there_and_back(fitted)
    assert_same_results(copied, fitted, X)
    assert_same_network(copied, fitted)
    for attribute in ("history_", "n_iter_", "best_epoch_", "n_features_in_"):
        assert getattr(copied, attribute) == getattr(fitted, attribute)
    assert list(getattr(copied, "classes_", [])) == list(
        getattr(fitted, "classes_", [])
    )


@pytest.mark.parametrize(("way", "kind"), covering(WAYS, OF_SERIES))
def test_a_forecaster_after_fit(way, kind):
    there_and_back = WAYS[way]
    fitted, X = fit(OF_SERIES[kind])
    copied = there_and_back(fitted)
    assert_same_results(copied, fitted, X)
    assert_same_network(copied, fitted)
    assert copied.history_ == fitted.history_
    assert copied.lookback_ == fitted.lookback_
    if kind == "distribution":
        paths = [e.sample_paths(5, 4, random_state=0) for e in (copied, fitted)]
        np.testing.assert_array_equal(*paths)
    # It goes on by itself, and the original stays where it was.
    before = fitted.forecast(5)
    copied.update(None, SERIES[:5])
    np.testing.assert_array_equal(fitted.forecast(5), before)
    fitted.update(None, SERIES[:5])
    np.testing.assert_array_equal(copied.forecast(5), fitted.forecast(5))
    again = there_and_back(copied).fit(None, SERIES)
    np.testing.assert_array_equal(again.forecast(5), before)


@pytest.mark.parametrize("form", FORMS)
def test_after_fit_in_a_pipeline(form, there_and_back):
    network = LSTMClassifier(**FAST)
    model = make_pipeline(SequenceWise(StandardScaler()), network)
    X = sequences(form)
    model.fit(X, labels(X))
    np.testing.assert_array_equal(
        there_and_back(model).predict_proba(X), model.predict_proba(X)
    )


def test_every_form_of_a_step_by_step_network(there_and_back):
    X = sequences("ragged")
    model = LSTMRegressor(**FAST, return_sequences=True).fit(X, [x[:, 0] for x in X])
    for one, other in zip(
        there_and_back(model).predict(X), model.predict(X), strict=True
    ):
        np.testing.assert_array_equal(one, other)


PREDICT_ELSEWHERE = """
import pickle, sys
import numpy as np

with open(sys.argv[1], "rb") as file:
    saved = pickle.load(file)
for fitted, X, results in saved:
    for method, expected in results.items():
        np.testing.assert_array_equal(getattr(fitted, method)(X), expected)
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "jax", "torch"}, loaded
print(len(saved))
"""


def test_in_a_new_process_without_tensorflow(tmp_path):
    saved = []
    for each in [*LEARNERS, *OF_SERIES.values()]:
        fitted, X = fit(each)
        results = {name: getattr(fitted, name)(X) for name in methods_of(fitted)}
        saved.append((fitted, X, results))
    (tmp_path / "saved.pkl").write_bytes(pickle.dumps(saved))
    printed = in_new_process(
        PREDICT_ELSEWHERE, tmp_path / "saved.pkl", OMP_NUM_THREADS="1"
    )
    assert printed.split() == [str(len(saved))]


GO_ON_ELSEWHERE = """
import pickle, sys

with open(sys.argv[1], "rb") as file:
    model, X, y = pickle.load(file)
model.partial_fit(X, y)
with open(sys.argv[1], "wb") as file:
    pickle.dump(model, file)
"""


def test_training_goes_on_in_a_new_process(tmp_path):
    fitted, X = fit(LSTMRegressor(**FAST))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps((fitted, X, numbers(X))))
    in_new_process(GO_ON_ELSEWHERE, path)
    elsewhere = pickle.loads(path.read_bytes())
    here = fitted.partial_fit(X, numbers(X))
    assert_same_network(elsewhere, here)
    assert elsewhere.history_ == here.history_


IMPORT_ONLY = """
import sys
import skrnn
from _tables import covering
from sklearn.base import clone
from skrnn import preprocessing
from _instances import INSTANCES

for each in INSTANCES:
    repr(clone(each).set_params(**each.get_params()))
    each.__sklearn_tags__()
assert skrnn.preprocessing is preprocessing
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "jax", "torch"}, loaded
"""


def test_import_and_clone_load_no_tensorflow():
    in_new_process(IMPORT_ONLY)


@pytest.mark.parametrize("network", LEARNERS, ids=name)
def test_size_of_32_units(network):
    model = with_params(network, units=32, epochs=1)
    X = sequences("3-D")
    model.fit(X, target(model, X))
    assert len(pickle.dumps(model)) < 200_000


class TestKerasModel:
    """The Keras model is made from the state; it is never part of it."""

    def test_access_to_the_model_does_not_matter(self, there_and_back):
        fitted, X = fit(GRUClassifier(**FAST))
        before = pickle.dumps(fitted)
        assert fitted.model_ is fitted.model_
        assert pickle.dumps(fitted) == before
        copied = there_and_back(fitted)
        assert copied._model is None
        assert_same_results(copied, fitted, X)
        made = copied.model_.get_weights()
        for one, other in zip(made, fitted.model_.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_what_is_done_to_the_model_stays_there(self):
        fitted, X = fit(GRUClassifier(**FAST))
        before = fitted.predict_proba(X)
        fitted.model_.set_weights([0 * w for w in fitted.model_.get_weights()])
        np.testing.assert_array_equal(fitted.predict_proba(X), before)

    def test_a_refit_makes_a_new_model(self):
        fitted, X = fit(GRUClassifier(**FAST))
        before = fitted.model_
        assert fitted.fit(-X, labels(X)).model_ is not before


class TestGoingOn:
    @pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
    def test_partial_fit(self, there_and_back, optimizer):
        fitted, X = fit(LSTMRegressor(**FAST, optimizer=optimizer))
        copied = there_and_back(fitted)
        for each in (fitted, copied):
            each.partial_fit(X, numbers(X)).partial_fit(X[:9], numbers(X)[:9])
        assert_same_network(copied, fitted)
        assert copied.history_ == fitted.history_
        assert copied.n_iter_ == 4

    def test_warm_start(self, there_and_back):
        fitted, X = fit(LSTMClassifier(**FAST, warm_start=True))
        copied = there_and_back(fitted)
        assert_same_network(copied.fit(X, labels(X)), fitted.fit(X, labels(X)))
        assert copied.n_iter_ == 4

    def test_a_copy_leaves_the_original_alone(self, there_and_back):
        fitted, X = fit(LSTMRegressor(**FAST))
        before, history = fitted.predict(X), copy.deepcopy(fitted.history_)
        there_and_back(fitted).partial_fit(X, numbers(X))
        np.testing.assert_array_equal(fitted.predict(X), before)
        assert fitted.history_ == history


def test_a_loss_without_a_name_goes_through_cloudpickle():
    fitted, X = fit(LSTMRegressor(**FAST, loss=lambda y, p: abs(y - p)[:, 0]))
    copied = pickle.loads(cloudpickle.dumps(fitted))
    assert_same_results(copied, fitted, X)
    for each in (fitted, copied):
        each.partial_fit(X, numbers(X))
    assert_same_network(copied, fitted)


def test_an_optimizer_of_keras_goes_along():
    import keras

    model = LSTMRegressor(**FAST, optimizer=keras.optimizers.Nadam(0.01))
    fitted, X = fit(model)
    copied = pickle.loads(pickle.dumps(fitted))
    assert_same_results(copied, fitted, X)
    for each in (fitted, copied):
        each.partial_fit(X, numbers(X))
    assert_same_network(copied, fitted)
