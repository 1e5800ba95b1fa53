"""Private attributes of scikit-learn's fitted objects: whether each is still there.

Files of ours name them, and what compiled code trusts among them is checked. The names
stand in ``skrnn/_sklearn/private.py``, a class for each kind of object.
"""

from importlib.metadata import version

import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from skrnn._sklearn import private

X = np.random.default_rng(0).normal(size=(20, 2))
Y = np.arange(20) % 2


def names_in(*objects):
    """Return the attributes of objects, and the names of their classes."""
    found = set()
    for each in objects:
        found |= {*vars(each), *(cls.__name__ for cls in type(each).__mro__)}
        # What the class has for all.
        found |= {name for cls in type(each).__mro__ for name in vars(cls)}
    return found


def of_boosting():
    model = HistGradientBoostingRegressor(max_iter=1).fit(X, Y)
    descent = SGDClassifier(max_iter=1, tol=None).fit(X, Y)
    return model, vars(model)[private.OfBoosting.MAPPER], descent


def of_calibration():
    classifier, found = DummyClassifier(), []
    for method in ("sigmoid", "temperature"):
        model = CalibratedClassifierCV(classifier, method=method, cv=2).fit(X, Y)
        (first, _) = model.calibrated_classifiers_
        found += [first, *first.calibrators]
    return *found, TunedThresholdClassifierCV(LogisticRegression(), cv=2).fit(X, Y)


def of_encoders():
    table = np.array([["a"], ["b"], ["c"]] * 4)
    return (OneHotEncoder(drop="first", min_frequency=2).fit(table),)


# Class of names -> what makes objects that have them all.
OBJECTS = {
    "OfMachines": lambda: (SVC().fit(X, Y),),
    "OfClusters": lambda: (
        KMeans(2).fit(X),
        MiniBatchKMeans(2).fit(X),
    ),
    "OfNeighbors": lambda: (KNeighborsClassifier().fit(X, Y),),
    "OfBoosting": of_boosting,
    "OfPerceptrons": lambda: (
        MLPRegressor(hidden_layer_sizes=(1,), max_iter=1).fit(X, Y),
    ),
    "OfForests": lambda: (IsolationForest(n_estimators=2).fit(X),),
    "OfEncoders": of_encoders,
    "OfCalibration": of_calibration,
    "OfScorers": lambda: (get_scorer("r2"), check_scoring(LinearRegression())),
}
WHEN_IT_GOES = (
    "look in scikit-learn's history for the new name, write it in "
    "skrnn/_sklearn/private.py, and let skrnn/_persistence read files with the old one"
)


def names_of(group):
    for value in vars(getattr(private, group)).values():
        each = value if isinstance(value, tuple) else (value,)
        yield from (v for v in each if isinstance(v, str) and v[:2] not in ("", "__"))


@pytest.mark.filterwarnings("ignore:.*hasn't converged yet.*:UserWarning")
@pytest.mark.parametrize("group", OBJECTS)
def test_attributes_are_there(group):
    names = {name for name in names_of(group) if name.startswith("_")}
    assert names
    missing = names - names_in(*OBJECTS[group]())
    assert not missing, (
        f"scikit-learn {version('scikit-learn')} may have no {sorted(missing)} any "
        f"more. When one goes: {WHEN_IT_GOES}"
    )


def test_every_class_of_names_has_objects():
    groups = {name for name in vars(private) if name.startswith("Of")}
    assert groups == OBJECTS.keys()


def test_what_pickles_and_requests_are_called():
    model = LinearRegression()
    assert private.VERSION in model.__getstate__()
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True)
    assert private.REQUESTS in vars(model)
