"""Estimators of scikit-learn with ours in them, in files and back."""

import re

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.compose import make_column_selector as selector
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import skrnn
from skrnn.forecasting import Forecaster, WindowSplit
from skrnn.metrics import get_scorer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4, 2))
Y = X[:, -1, 0]
LABELS = np.where(Y > 0, "up", "down")
ROWS = RNG.normal(size=(30, 3))
WHOLE = ROWS.copy()
ROWS[3, 1] = np.nan
TINY = dict(units=2, epochs=1, random_state=0)
GRU, CLASSIFIER = skrnn.GRURegressor(**TINY), skrnn.GRUClassifier(**TINY)
TEXTS = ["the cat sat", "a dog ran", "the dog sat"] * 10
TABLE = np.array([["a", "x"], ["b", "y"], ["a", "z"]] * 10, dtype=object)

# Estimator, X, y: each is fitted, saved, loaded and compared.
CASES = {
    "pipeline": (make_pipeline(skrnn.SequenceWise(StandardScaler()), GRU), X, Y),
    "windows": (
        make_pipeline(StandardScaler(), skrnn.SlidingWindow(3), GRU),
        ROWS[:, :1],
        Y,
    ),
    "pandas out": (StandardScaler().set_output(transform="pandas"), ROWS, None),
    "grid": (
        GridSearchCV(GRU, {"units": [2, 3]}, cv=TimeSeriesSplit(2)),
        X,
        Y,
    ),
    "scorers": (
        GridSearchCV(
            skrnn.GRUClassifier(**TINY),
            {"units": [2]},
            cv=KFold(2, shuffle=True, random_state=0),
            scoring={
                "f1": make_scorer(f1_score, pos_label="up"),
                "accuracy": "accuracy",
                "perplexity": get_scorer("neg_perplexity"),
            },
            refit="f1",
        ),
        X,
        LABELS,
    ),
    "random": (
        RandomizedSearchCV(
            GRU,
            {"learning_rate": stats.loguniform(1e-3, 1e-1), "units": [2]},
            n_iter=2,
            cv=ShuffleSplit(2, random_state=0),
            random_state=0,
        ),
        X,
        Y,
    ),
    "window split": (
        GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=WindowSplit(2, test_size=3)),
        X[:, 0],
        Y,
    ),
    "transformed": (
        TransformedTargetRegressor(GRU, transformer=StandardScaler()),
        X,
        Y,
    ),
    "functions": (
        TransformedTargetRegressor(GRU, func=np.sinh, inverse_func=np.arcsinh),
        X,
        Y,
    ),
    "voting": (
        VotingRegressor([("one", GRU), ("two", skrnn.RNNRegressor(**TINY))]),
        X,
        Y,
    ),
    "voting classes": (
        VotingClassifier([("one", skrnn.GRUClassifier(**TINY))], voting="soft"),
        X,
        LABELS,
    ),
    "calibrated": (CalibratedClassifierCV(CLASSIFIER, cv=2), X[:, :, 0], LABELS),
    "calibrated by steps": (
        CalibratedClassifierCV(CLASSIFIER, method="isotonic", cv=2, ensemble=False),
        X[:, :, 0],
        LABELS,
    ),
    "calibrated by one number": (
        CalibratedClassifierCV(LogisticRegression(), method="temperature", cv=2),
        X[:, :, 0],
        np.array(["a", "b", "c"] * 10),
    ),
    "threshold": (
        TunedThresholdClassifierCV(
            CLASSIFIER, scoring=make_scorer(f1_score, pos_label="up"), cv=2
        ),
        X[:, :, 0],
        LABELS,
    ),
    "frozen": (FrozenEstimator(skrnn.GRURegressor(**TINY).fit(X, Y)), X, Y),
    "frozen inside": (
        CalibratedClassifierCV(
            FrozenEstimator(LogisticRegression().fit(WHOLE, LABELS))
        ),
        WHOLE,
        LABELS,
    ),
    "stacking": (StackingRegressor([("one", GRU)], Ridge(), cv=2), X, Y),
    "columns": (
        ColumnTransformer(
            [
                ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]),
                ("bins", KBinsDiscretizer(3, encode="onehot-dense"), slice(2, 3)),
            ],
            remainder="passthrough",
        ),
        ROWS,
        None,
    ),
    "categories": (
        make_pipeline(OneHotEncoder(drop="first", handle_unknown="ignore"), Ridge()),
        TABLE,
        Y,
    ),
    "rare categories": (OneHotEncoder(min_frequency=12), TABLE, None),
    "ordinal": (OrdinalEncoder(dtype=np.float32), TABLE, None),
    "spread": (
        FeatureUnion(
            [("p", PowerTransformer()), ("q", QuantileTransformer(n_quantiles=5))]
        ),
        ROWS[:, :1],
        None,
    ),
    "words": (make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, LABELS),
    "log": (
        make_pipeline(FunctionTransformer(np.log1p), Ridge()),
        np.abs(ROWS[:, :1]),
        Y,
    ),
    "forest": (RandomForestRegressor(3, random_state=0), ROWS, Y),
    "forest of classes": (RandomForestClassifier(3, random_state=0), ROWS, LABELS),
    "tree": (DecisionTreeClassifier(), ROWS, LABELS),
}


@pytest.mark.parametrize("key", CASES)
def test_fitted_ones_are_the_same(key, tmp_path):
    estimator, X, y = CASES[key]
    fitted = estimator.fit(X, y)
    path = tmp_path / "model.skrnn"
    skrnn.save(fitted, path)
    again = skrnn.load(path)
    # Distributions of SciPy tell where they are in memory.
    assert re.sub(" at 0x[0-9a-f]+", "", repr(again)) == re.sub(
        " at 0x[0-9a-f]+", "", repr(fitted)
    )
    method = "predict" if hasattr(fitted, "predict") else "transform"
    one, other = (getattr(each, method)(X) for each in (again, fitted))
    if hasattr(one, "toarray"):
        one, other = one.toarray(), other.toarray()
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other), strict=True)
    assert type(one) is type(other)
    if hasattr(fitted, "predict_proba"):
        one, other = (each.predict_proba(X) for each in (again, fitted))
        np.testing.assert_array_equal(one, other)
    # What was read is as good as new.
    skrnn.save(again.fit(X, y), path)


def test_results_of_a_search_are_kept(tmp_path):
    search = CASES["grid"][0].fit(X, Y)
    skrnn.save(search, tmp_path / "search.skrnn")
    again = skrnn.load(tmp_path / "search.skrnn")
    assert again.cv_results_.keys() == search.cv_results_.keys()
    for name, column in search.cv_results_.items():
        np.testing.assert_array_equal(again.cv_results_[name], column)
    assert again.best_params_ == search.best_params_
    assert again.score(X, Y) == search.score(X, Y)


def test_shared_estimators_are_shared_again(tmp_path):
    voting = CASES["voting"][0].fit(X, Y)
    skrnn.save(voting, tmp_path / "voting.skrnn")
    again = skrnn.load(tmp_path / "voting.skrnn")
    assert again.named_estimators_["one"] is again.estimators_[0]


def test_requests_of_metadata_are_kept(tmp_path):
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        window = skrnn.SlidingWindow(3).set_fit_request(groups=True)
        skrnn.save(window, tmp_path / "window.skrnn")
        again = skrnn.load(tmp_path / "window.skrnn")
        found = again.get_metadata_routing()
        assert found.fit.requests == {"groups": True}
        assert found.owner is not None


def test_selectors_and_unfitted_ones(tmp_path):
    made = ColumnTransformer(
        [("numbers", StandardScaler(), selector(dtype_include=np.number))]
    )
    skrnn.save(made, tmp_path / "made.skrnn")
    again = skrnn.load(tmp_path / "made.skrnn")
    assert vars(again.transformers[0][2]) == vars(made.transformers[0][2])
    search = GridSearchCV(Forecaster(Ridge()), {"lookback": [3, 4]}, cv=3)
    skrnn.save(search, tmp_path / "made.skrnn")
    assert repr(skrnn.load(tmp_path / "made.skrnn")) == repr(search)


def bad():
    from sklearn.gaussian_process import GaussianProcessRegressor

    yield (
        make_pipeline(GaussianProcessRegressor()),
        r"steps\[0\]\[1\] is of type sklearn\.",
    )
    yield FunctionTransformer(lambda x: x), r"FunctionTransformer\.func is of type"
    yield FunctionTransformer(np.load), r"FunctionTransformer\.func is of type"
    yield make_pipeline(GRU, memory="folder"), "a Pipeline with a memory on disk"
    yield GridSearchCV(GRU, {}, cv=iter([])), r"GridSearchCV\.cv is of type list_iter"


@pytest.mark.parametrize(("estimator", "expected"), list(bad()))
def test_what_cannot_be_saved_is_named(estimator, expected, tmp_path):
    with pytest.raises(TypeError, match=expected):
        skrnn.save(estimator, tmp_path / "model.skrnn")
    assert not list(tmp_path.iterdir())
