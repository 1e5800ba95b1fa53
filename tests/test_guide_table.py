"""The guide's tables of scikit-learn's tools: every cell is run.

A "yes" must give what is got by hand, and a "no" an error before anything is fitted.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier
from skrnn._estimators.network_base import TrainedNetwork

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "shapes.rst"
N = 24
FAST = dict(units=4, epochs=1, learning_rate=0.05, random_state=0)
CV = KFold(2)

# The data of each column


def cut(values):
    """Return a list of rows of different lengths."""
    return [row[: 2 + i % 4] for i, row in enumerate(values)]


RNG = np.random.default_rng(0)
DENSE = RNG.normal(size=(N, 5, 2))
FORMS = {"(n, T)": DENSE[:, :, 0], "(n, T, F)": DENSE, "ragged": cut(DENSE)}
NUMBERS = DENSE[:, 1, 0]
LABELS = np.where(np.median(NUMBERS) < NUMBERS, "up", "down")
TAGS = np.where(DENSE[:, :, 0] > 0, "up", "down")
TAGGER = GRUClassifier(return_sequences=True, **FAST)
# Header of a column -> estimator, X, y.
SEQUENCES = {
    "tagger, (n, T)": (TAGGER, DENSE, TAGS),
    "tagger, ragged": (TAGGER, cut(DENSE), cut(TAGS)),
    "Seq2SeqClassifier": (Seq2SeqClassifier(**FAST), cut(DENSE), cut(TAGS)),
}


def estimator_and_data(column, tool):
    if column in SEQUENCES:
        return SEQUENCES[column]
    of_classes = "Classifier" in tool or tool == "permutation_test_score"
    model = GRUClassifier(**FAST) if of_classes else GRURegressor(**FAST)
    return model, FORMS[column], LABELS if of_classes else NUMBERS


def rows_of(data, rows):
    return data[rows] if isinstance(data, np.ndarray) else [data[i] for i in rows]


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def by_folds(model, X, y, method, *data):
    """Do by hand what the tools of cross-validation do."""
    for train, test in CV.split(X):
        fitted = clone(model).fit(rows_of(X, train), rows_of(y, train))
        yield getattr(fitted, method)(*(rows_of(each, test) for each in data))


# What is done with each tool


def run_pipeline(m, X, y):
    model = Pipeline([("same", FunctionTransformer()), ("network", m)]).fit(X, y)
    same(model.predict(X), clone(m).fit(X, y).predict(X))


def run_union(m, X, y):
    states = FeatureUnion([("a", m), ("b", clone(m))]).fit(X, y).transform(X)
    np.testing.assert_array_equal(states[:, 4:], clone(m).fit(X, y).transform(X))


def searched(search, **options):
    def run(m, X, y):
        options_ = dict(cv=CV, error_score="raise") | options
        found = search(m, {"learning_rate": [0.01, 0.05]}, **options_).fit(X, y)
        best = clone(m).set_params(**found.best_params_)
        same(found.predict(X), best.fit(X, y).predict(X))

    return run


def run_halving(m, X, y):
    rows = dict(resource="epochs", min_resources=1, max_resources=2, factor=2)
    found = HalvingGridSearchCV(m, {"units": [4, 3]}, cv=CV, **rows).fit(X, y)
    assert found.n_resources_ == [1, 2]
    assert np.isfinite(found.cv_results_["mean_test_score"]).all()


def run_cross_validate(m, X, y):
    found = cross_validate(m, X, y, cv=CV, error_score="raise")["test_score"]
    same(found, list(by_folds(m, X, y, "score", X, y)))


def run_scores(m, X, y):
    # A number of folds: scikit-learn looks for strata.
    found = cross_val_score(m, X, y, cv=2, error_score="raise")
    if not is_classifier(m):
        same(found, list(by_folds(m, X, y, "score", X, y)))
    assert np.isfinite(found).all()


def run_predictions(m, X, y):
    folds = by_folds(m, X, y, "predict", X)
    same(cross_val_predict(m, X, y, cv=CV), [row for fold in folds for row in fold])


def run_probabilities(m, X, y):
    cross_val_predict(m, X, y, cv=CV, method="predict_proba")


def run_learning_curve(m, X, y):
    _, _, scores = learning_curve(m, X, y, cv=CV, train_sizes=[6, N // 2])
    same(scores[-1], list(by_folds(m, X, y, "score", X, y)))


def run_validation_curve(m, X, y):
    grid = dict(param_name="epochs", param_range=[2, 1])
    _, scores = validation_curve(m, X, y, cv=CV, **grid)
    same(scores[-1], list(by_folds(m, X, y, "score", X, y)))


def run_permutations(m, X, y):
    score, *_ = permutation_test_score(m, X, y, cv=CV, n_permutations=2)
    assert score == np.mean(list(by_folds(m, X, y, "score", X, y)))


def run_transformed_target(m, X, y):
    options = dict(func=np.sinh, inverse_func=np.arcsinh)
    found = TransformedTargetRegressor(m, **options).fit(X, y).predict(X)
    expected = np.arcsinh(clone(m).fit(X, np.sinh(y)).predict(X))
    np.testing.assert_allclose(found, expected)


def run_multi_output(m, X, y):
    found = MultiOutputRegressor(m).fit(X, np.column_stack([y, -y])).predict(X)
    same(found[:, 1], clone(m).fit(X, -y).predict(X))


def run_chain(m, X, y):
    found = RegressorChain(m).fit(X, np.column_stack([y, -y])).predict(X)
    same(found[:, 0], clone(m).fit(X, y).predict(X))


def run_voting_regressor(m, X, y):
    found = VotingRegressor([("a", m), ("b", clone(m))]).fit(X, y).predict(X)
    np.testing.assert_allclose(found, clone(m).fit(X, y).predict(X))


def run_stacking_regressor(m, X, y):
    model = StackingRegressor([("a", m)], Ridge(), cv=CV).fit(X, y)
    out_of_fold = np.concatenate(list(by_folds(m, X, y, "predict", X)))
    by_hand = Ridge().fit(out_of_fold[:, None], y)
    np.testing.assert_allclose(model.final_estimator_.coef_, by_hand.coef_)


def run_stacking_classifier(m, X, y):
    model = StackingClassifier([("a", m)], LogisticRegression(), cv=CV).fit(X, y)
    out_of_fold = np.concatenate(list(by_folds(m, X, y, "predict_proba", X)))
    by_hand = LogisticRegression().fit(out_of_fold[:, 1:], y)
    np.testing.assert_allclose(model.final_estimator_.coef_, by_hand.coef_)


def run_voting_classifier(m, X, y):
    found = VotingClassifier([("a", m), ("b", clone(m))]).fit(X, y).predict(X)
    same(found, clone(m).fit(X, y).predict(X))


def run_calibration(m, X, y):
    model = CalibratedClassifierCV(m, cv=CV).fit(X, y)
    proba = model.calibrated_classifiers_[0].estimator.predict_proba(X)
    train, _ = next(CV.split(X))
    expected = clone(m).fit(rows_of(X, train), rows_of(y, train)).predict_proba(X)
    same(proba, expected)
    assert set(model.predict(X)) <= {"up", "down"}


def run_tuned_threshold(m, X, y):
    model = TunedThresholdClassifierCV(m, cv=CV).fit(X, y)
    p = clone(m).fit(X, y).predict_proba(X)[:, 1]
    same(model.predict(X), np.where(p >= model.best_threshold_, "up", "down"))


def run_fixed_threshold(m, X, y):
    options = dict(threshold=0.0, pos_label="up", response_method="predict_proba")
    assert set(FixedThresholdClassifier(m, **options).fit(X, y).predict(X)) == {"up"}


def run_one_versus_rest(m, X, y):
    model = OneVsRestClassifier(m).fit(X, y)
    expected = clone(m).fit(X, (y == "up").astype(int)).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected)


def run_one_versus_one(m, X, y):
    found = OneVsOneClassifier(m).fit(X, y).predict(X)
    same(found, clone(m).fit(X, (y == "up").astype(int)).predict(X).choose(_NAMES))


_NAMES = np.array(["down", "up"])


def run_bagging(m, X, y):
    model = BaggingRegressor(m, n_estimators=2, random_state=0).fit(X, y)
    members = [each.predict(X) for each in model.estimators_]
    np.testing.assert_allclose(model.predict(X), np.mean(members, axis=0))


def run_bagging_classifier(m, X, y):
    BaggingClassifier(m, n_estimators=2, random_state=0).fit(X, y)


def run_importances(m, X, y):
    permutation_importance(clone(m).fit(X, y), X, y, n_repeats=2)


RUN = {
    "Pipeline": run_pipeline,
    "FeatureUnion": run_union,
    "GridSearchCV": searched(GridSearchCV),
    "RandomizedSearchCV": searched(RandomizedSearchCV, n_iter=1, random_state=0),
    "HalvingGridSearchCV": run_halving,
    "cross_validate": run_cross_validate,
    "cross_val_score": run_scores,
    "cross_val_predict": run_predictions,
    'cross_val_predict method="predict_proba"': run_probabilities,
    "learning_curve": run_learning_curve,
    "validation_curve": run_validation_curve,
    "permutation_test_score": run_permutations,
    "TransformedTargetRegressor": run_transformed_target,
    "MultiOutputRegressor": run_multi_output,
    "VotingRegressor": run_voting_regressor,
    "VotingClassifier": run_voting_classifier,
    "StackingRegressor": run_stacking_regressor,
    "StackingClassifier": run_stacking_classifier,
    "CalibratedClassifierCV": run_calibration,
    "TunedThresholdClassifierCV": run_tuned_threshold,
    "FixedThresholdClassifier": run_fixed_threshold,
    "OneVsRestClassifier": run_one_versus_rest,
    "BaggingRegressor": run_bagging,
    "BaggingClassifier": run_bagging_classifier,
    "RegressorChain": run_chain,
    "OneVsOneClassifier": run_one_versus_one,
    "permutation_importance": run_importances,
}
# They begin with a fit of what is given.
FIT_FIRST = {"permutation_importance", "permutation_test_score"}


# The tables of the page


def cells():
    """List ``tool, column, "yes" or "no"`` of all tables of tools on the page."""
    found = []
    for table in PAGE.read_text().split(".. list-table::")[1:]:
        rows = re.split(r"\n   \* - ", table)[1:]
        rows = [
            re.split(r"\n     - ", re.sub(r"\n\n.*", "", r, flags=re.S)) for r in rows
        ]
        header, *rows = [[" ".join(cell.split()) for cell in row] for row in rows]
        if header[0] == "tool":
            found += [cell for row in rows for cell in cells_of_row(header, row)]
    return found


def cells_of_row(header, row):
    named = re.findall(r"``(.+?)``", row[0])
    named = [" ".join(named)] if "with ``method" in row[0] else named
    for tool in named:
        if not tool.startswith("resource="):
            for column, answer in zip(header[1:], row[1:], strict=True):
                yield tool, column, answer


CELLS = cells()


def test_all_cells_are_found():
    assert len(CELLS) == 3 * (25 + 19)
    assert {answer for *_, answer in CELLS} == {"yes", "no"}
    assert {tool for tool, *_ in CELLS} == RUN.keys()


@pytest.fixture
def fitted(monkeypatch):
    """Note which networks are trained."""
    trained = []
    keep = TrainedNetwork._keep

    def kept(self, *args):
        trained.append(self)
        return keep(self, *args)

    monkeypatch.setattr(TrainedNetwork, "_keep", kept)
    return trained


@pytest.mark.parametrize(("tool", "column", "answer"), CELLS)
def test_cell(tool, column, answer, fitted):
    model, X, y = estimator_and_data(column, tool)
    if answer == "yes":
        RUN[tool](model, X, y)
        assert fitted
        return
    with pytest.raises((ValueError, TypeError, NotImplementedError)):
        RUN[tool](model, X, y)
    assert tool in FIT_FIRST or not fitted
