"""Every class of scikit-learn that a file may name is saved and read again."""

import warnings

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression, Ridge

import skrnn
from skrnn._persistence import container
from skrnn._persistence.classes import OF_SKLEARN, found

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3))
HOLES = np.where(RNG.random((24, 3)) < 0.1, np.nan, X)
Y = X[:, 0] + 0.1
LABELS = (Y > 0).astype(int)
TEXTS = ["one two", "two three"] * 12
# Those of other modules have tests of their own.
ELSEWHERE = {"sklearn.pipeline", "sklearn.compose", "sklearn.model_selection"}
NAMES = [
    f"{module}.{name}"
    for module, names in OF_SKLEARN.items()
    if module not in ELSEWHERE
    for name in names.split()
]
# Class -> what it is made of, X and y, where these aren't the usual ones.
REGRESSORS, CLASSIFIERS = [("a", Ridge())], [("a", LogisticRegression())]
BOTH = np.column_stack([LABELS, 1 - LABELS])
OTHERS = {
    "ClassifierChain": ([LogisticRegression()], X, BOTH),
    "MultiOutputClassifier": ([LogisticRegression()], X, BOTH),
    "RegressorChain": ([Ridge()], X, X[:, :2]),
    "MultiOutputRegressor": ([Ridge()], X, X[:, :2]),
    "StackingClassifier": ([CLASSIFIERS], X, LABELS),
    "VotingClassifier": ([CLASSIFIERS], X, LABELS),
    "StackingRegressor": ([REGRESSORS], X, Y),
    "VotingRegressor": ([REGRESSORS], X, Y),
    "CalibratedClassifierCV": ([LogisticRegression()], X, LABELS),
    "FrozenEstimator": ([Ridge().fit(X, Y)], X, Y),
    "IsotonicRegression": ([], X[:, 0], Y),
    "RFE": ([Ridge()], X, Y),
    "SelectFromModel": ([Ridge()], X, Y),
    "SelectKBest": ([], X, LABELS),
    "SelectPercentile": ([], X, LABELS),
    "CountVectorizer": ([], TEXTS, None),
    "TfidfVectorizer": ([], TEXTS, None),
    "TfidfTransformer": ([], np.abs(X), None),
    "ComplementNB": ([], np.abs(X), LABELS),
    "MultinomialNB": ([], np.abs(X), LABELS),
    "OneVsOneClassifier": ([LogisticRegression()], X, LABELS),
    "OneVsRestClassifier": ([LogisticRegression()], X, LABELS),
    "LabelEncoder": ([], LABELS, None),
    "LabelBinarizer": ([], LABELS, None),
    "MissingIndicator": ([], HOLES, None),
    "SimpleImputer": ([], HOLES, None),
}


def fitted(name):
    cls = found(name)
    given, X_, y = OTHERS.get(cls.__name__, ([], X, None))
    large = "Forest", "ExtraTrees", "GradientBoosting", "AdaBoost"
    options = {"n_estimators": 2} if any(each in name for each in large) else {}
    if "HistGradient" in name:
        options = {"max_iter": 2, "min_samples_leaf": 2}
    estimator = cls(*given, **options)
    if cls.__name__ not in OTHERS:
        y = LABELS if is_classifier(estimator) else Y
    with warnings.catch_warnings():
        # So few rows make some of them doubt.
        warnings.simplefilter("ignore")
        return (estimator.fit(X_) if y is None else estimator.fit(X_, y)), X_


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_class_is_saved_and_read(name, tmp_path):
    estimator, X_ = fitted(name)
    skrnn.save(estimator, tmp_path / "model.skrnn")
    again = skrnn.load(tmp_path / "model.skrnn")
    assert vars(again).keys() == vars(estimator).keys()
    for method in ("predict", "predict_proba", "transform"):
        if hasattr(estimator, method):
            one, other = (getattr(each, method)(X_) for each in (again, estimator))
            if hasattr(one, "toarray"):
                one, other = one.toarray(), other.toarray()
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("start", [b"PK", b"\x80"])
def test_a_file_may_begin_like_one_of_another_kind(start, tmp_path):
    # It begins with the length of its header, which has names of arrays.
    path = tmp_path / "model.skrnn"
    skrnn.save(skrnn.GRURegressor(), path)
    described, arrays = container.from_bytes(path.read_bytes())
    for n in range(8, 20_000, 8):
        named = arrays | {"x" * n: np.zeros(1, np.uint8)}
        data = container.to_bytes(described, named)
        if data.startswith(start):
            break
    assert data.startswith(start)
    path.write_bytes(data)
    assert isinstance(skrnn.load(path), skrnn.GRURegressor)
