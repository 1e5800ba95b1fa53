"""scikit-learn's own tools, with X in every form that they let through.

Each result is compared with the same thing done by hand, so that a tool that only
seems to work (folds that aren't stratified, weights that don't arrive) fails.
"""

import numpy as np
import pandas as pd
import pytest
import sklearn
from _instances import (
    FAST,
    FORMS,
    LEARNERS,
    TINY,
    TINY_BLOCKS,
    assert_same_network,
    labels,
    numbers,
    sequences,
)
from scipy.stats import loguniform
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
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
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import _safe_indexing as rows_of
from sklearn.utils._pprint import _changed_params

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    SequenceClassifier,
    SequenceRegressor,
)
from skrnn.preprocessing import SequenceWise, SlidingWindow, make_supervised

REGRESSOR, CLASSIFIER = LSTMRegressor(**FAST), LSTMClassifier(**FAST)
RATES = {"learning_rate": [0.01, 0.05]}


@pytest.fixture(params=FORMS)
def X(request):
    return sequences(request.param)


@pytest.fixture
def y(X):
    return numbers(X)


@pytest.fixture
def c(X):
    return labels(X)


def fold_scores(model, X, y, cv):
    """Score `model` on each fold of `cv`, by hand."""
    scores = []
    for train, test in cv.split(X, y):
        fitted = clone(model).fit(rows_of(X, train), y[train])
        scores.append(fitted.score(rows_of(X, test), y[test]))
    return scores


class TestParameters:
    @pytest.mark.parametrize("network", LEARNERS, ids=lambda each: type(each).__name__)
    def test_repr_names_what_was_changed(self, network):
        given = TINY_BLOCKS if hasattr(network, "d_model") else TINY
        assert _changed_params(network).keys() == given.keys()

    @pytest.mark.parametrize("network", LEARNERS, ids=lambda each: type(each).__name__)
    def test_estimators_are_compared_and_hashed_by_identity(self, network):
        assert network != clone(network)
        assert len({network, clone(network)}) == 2

    @pytest.mark.parametrize("network", LEARNERS, ids=lambda each: type(each).__name__)
    def test_parameters_are_keywords(self, network):
        with pytest.raises(
            TypeError, match=r"by name: write \w+\((units|d_model)=64\)"
        ):
            type(network)(64)

    def test_clone_keeps_parameters_and_forgets_the_fit(self, X, y):
        cloned = clone(clone(REGRESSOR).fit(X, y))
        assert cloned.get_params() == REGRESSOR.get_params()
        assert {name for name in vars(cloned) if name.endswith("_")} == set()

    def test_clone_of_a_search_over_estimators(self, X, y):
        # The estimator itself is a parameter of the search's pipeline.
        pipeline = Pipeline([("net", REGRESSOR)])
        grid = {"net": [clone(REGRESSOR), Ridge()]} if np.ndim(X[0]) == 1 else {}
        grid = grid or {"net": [clone(REGRESSOR), GRURegressor(**FAST)]}
        search = clone(GridSearchCV(pipeline, grid, cv=2)).fit(X, y)
        assert len(search.cv_results_["params"]) == 2

    def test_set_params_is_as_good_as_init(self, X, y):
        late = LSTMRegressor().set_params(**FAST)
        assert_same_network(late.fit(X, y), clone(REGRESSOR).fit(X, y))

    def test_set_params_between_fits_starts_afresh(self, X, y):
        model = LSTMRegressor(units=3, epochs=1, random_state=1).fit(X, y)
        model.set_params(**FAST).fit(X, y)
        assert_same_network(model, clone(REGRESSOR).fit(X, y))

    def test_set_params_refuses_an_unknown_name(self):
        with pytest.raises(ValueError, match="Invalid parameter 'unitz' for estimator"):
            LSTMRegressor().set_params(unitz=3)


class TestPipeline:
    def test_nested(self, X, y):
        inner = Pipeline([("scale", SequenceWise(MinMaxScaler())), ("net", REGRESSOR)])
        outer = Pipeline([("scale", SequenceWise(StandardScaler())), ("inner", inner)])
        outer = clone(outer).set_params(inner__net__learning_rate=0.01).fit(X, y)
        scaled = SequenceWise(StandardScaler()).fit_transform(X)
        scaled = SequenceWise(MinMaxScaler()).fit_transform(scaled)
        by_hand = LSTMRegressor(**FAST | {"learning_rate": 0.01}).fit(scaled, y)
        np.testing.assert_array_equal(outer.predict(X), by_hand.predict(scaled))
        assert outer.score(X, y) == by_hand.score(scaled, y)

    def test_network_as_feature_extractor(self, X, y):
        model = make_pipeline(LSTMRegressor(**FAST), Ridge()).fit(X, y)
        states = clone(REGRESSOR).fit(X, y).transform(X)
        assert states.shape == (24, 8)
        by_hand = Ridge().fit(states, y)
        np.testing.assert_array_equal(model.predict(X), by_hand.predict(states))

    def test_union_of_feature_extractors(self, X, y):
        union = FeatureUnion([("a", REGRESSOR), ("b", GRURegressor(**FAST))])
        model = make_pipeline(union, Ridge()).fit(X, y)
        assert model[-1].n_features_in_ == 16
        names = model[0].get_feature_names_out()
        assert names[[0, -1]].tolist() == ["a__lstmregressor0", "b__gruregressor7"]

    def test_extractor_with_pandas_output(self, X, y):
        extractor = clone(REGRESSOR).set_output(transform="pandas")
        states = extractor.fit_transform(X, y)
        assert isinstance(states, pd.DataFrame)
        assert states.columns.tolist() == [f"lstmregressor{i}" for i in range(8)]
        np.testing.assert_array_equal(states, clone(REGRESSOR).fit(X, y).transform(X))
        model = make_pipeline(clone(REGRESSOR), Ridge()).set_output(transform="pandas")
        assert model.fit(X, y)[-1].feature_names_in_.tolist() == list(states.columns)

    def test_pandas_output_keeps_the_index_of_a_frame(self):
        # Only the two-dimensional form has one.
        frame = pd.DataFrame(sequences("2-D"), index=[f"row {i}" for i in range(24)])
        frame.columns = [f"step {i}" for i in range(5)]
        extractor = clone(REGRESSOR).set_output(transform="pandas")
        states = extractor.fit_transform(frame, numbers(frame.to_numpy()))
        assert states.index.equals(frame.index)

    def test_windows_of_a_series_in_a_search(self):
        rng = np.random.default_rng(0)
        series = rng.normal(size=(64, 2)).cumsum(axis=0)
        X, y = make_supervised(series, horizon=1, target=0)
        model = make_pipeline(
            StandardScaler(), SlidingWindow(warmup="carry"), SequenceRegressor(**FAST)
        )
        grid = {
            "slidingwindow__lookback": [2, 5],
            "sequenceregressor__cell": ["rnn", "lstm", "gru"],
        }
        cv = TimeSeriesSplit(n_splits=2, test_size=8)
        search = GridSearchCV(model, grid, cv=cv).fit(X, y)
        for i, params in enumerate(search.cv_results_["params"]):
            expected = fold_scores(clone(model).set_params(**params), X, y, cv)
            found = [search.cv_results_[f"split{k}_test_score"][i] for k in range(2)]
            assert found == expected
        assert len(set(search.cv_results_["mean_test_score"])) == 6
        # A pipeline forecasts every row that it is given, the first ones included.
        assert search.predict(X[:3]).shape == y[:3].shape


class TestSearch:
    @pytest.mark.parametrize("model", [REGRESSOR, CLASSIFIER], ids=["reg", "clf"])
    def test_grid(self, X, model):
        y = numbers(X) if is_regressor(model) else labels(X)
        search = GridSearchCV(model, RATES, cv=3).fit(X, y)
        cv = StratifiedKFold(3) if is_classifier(model) else KFold(3)
        for i, params in enumerate(search.cv_results_["params"]):
            expected = fold_scores(clone(model).set_params(**params), X, y, cv)
            found = [search.cv_results_[f"split{k}_test_score"][i] for k in range(3)]
            assert found == expected
        best = clone(model).set_params(**search.best_params_).fit(X, y)
        assert_same_network(search.best_estimator_, best)
        np.testing.assert_array_equal(search.predict(X), best.predict(X))

    def test_grid_over_cells_and_networks(self, X, c):
        grid = [
            {"cell": ["rnn", "lstm", "gru"]},
            {"units": [4, (4, 3)], "bidirectional": [True]},
        ]
        search = GridSearchCV(SequenceClassifier(**FAST), grid, cv=2).fit(X, c)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_a_candidate_that_cannot_be_fitted_is_named(self, X, y):
        search = GridSearchCV(REGRESSOR, {"units": [0]}, cv=2, error_score="raise")
        with pytest.raises(ValueError, match="'units' parameter of LSTMRegressor"):
            search.fit(X, y)

    def test_randomized(self, X, y):
        space = {"learning_rate": loguniform(1e-3, 1e-1), "batch_size": [8, 16]}
        options = dict(n_iter=3, cv=2, random_state=0)
        search, again = (
            RandomizedSearchCV(REGRESSOR, space, **options).fit(X, y) for _ in range(2)
        )
        tried = {params["learning_rate"] for params in search.cv_results_["params"]}
        assert len(tried) == 3
        assert search.best_score_ == again.best_score_

    def test_halving_over_epochs(self, X, y):
        search = HalvingGridSearchCV(
            REGRESSOR,
            {"learning_rate": [0.001, 0.01, 0.03, 0.1]},
            resource="epochs",
            min_resources=1,
            max_resources=4,
            factor=2,
            cv=2,
            random_state=0,
        ).fit(X, y)
        assert search.n_resources_ == [1, 2, 4]
        assert search.n_candidates_ == [4, 2, 1]
        assert search.best_estimator_.n_iter_ == 4


class TestCrossValidation:
    def test_cross_validate(self, X, y):
        found = cross_validate(REGRESSOR, X, y, cv=3, return_estimator=True)
        assert found["test_score"].tolist() == fold_scores(REGRESSOR, X, y, KFold(3))
        assert [each.n_iter_ for each in found["estimator"]] == [2, 2, 2]

    @pytest.mark.parametrize("network", LEARNERS, ids=lambda each: type(each).__name__)
    def test_folds_of_classifiers_are_stratified(self, X, network):
        # Sorted by class: plain folds would hold one class each, and say nothing.
        y = np.sort(labels(X))
        y = y if is_classifier(network) else (y == "up").astype(float)
        model = clone(network).set_params(epochs=1)
        found = cross_validate(model, X, y, cv=3, return_indices=True)
        shares = [np.mean(y[test] == y[0]) for test in found["indices"]["test"]]
        assert shares == ([0.5] * 3 if is_classifier(network) else [1, 0.5, 0])

    def test_cross_val_predict(self, X, y, c):
        found = cross_val_predict(REGRESSOR, X, y, cv=2)
        probabilities = cross_val_predict(
            CLASSIFIER, X, c, cv=2, method="predict_proba"
        )
        logarithms = cross_val_predict(
            CLASSIFIER, X, c, cv=2, method="predict_log_proba"
        )
        for train, test in KFold(2).split(X):
            fitted = clone(REGRESSOR).fit(rows_of(X, train), y[train])
            np.testing.assert_array_equal(found[test], fitted.predict(rows_of(X, test)))
        for train, test in StratifiedKFold(2).split(X, c):
            fitted = clone(CLASSIFIER).fit(rows_of(X, train), c[train])
            expected = fitted.predict_proba(rows_of(X, test))
            np.testing.assert_array_equal(probabilities[test], expected)
        np.testing.assert_allclose(np.exp(logarithms), probabilities)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)

    def test_learning_and_validation_curves(self, X, y):
        sizes, train, test = learning_curve(REGRESSOR, X, y, cv=2, train_sizes=[6, 12])
        assert sizes.tolist() == [6, 12]
        assert test[-1].tolist() == fold_scores(REGRESSOR, X, y, KFold(2))
        _, curve = validation_curve(
            REGRESSOR, X, y, param_name="epochs", param_range=[1, 2], cv=2
        )
        assert curve[-1].tolist() == test[-1].tolist()
        assert np.isfinite(train).all()

    def test_permutation_test_score(self, X, c):
        options = dict(cv=2, n_permutations=2, random_state=0)
        score, permuted, _ = permutation_test_score(CLASSIFIER, X, c, **options)
        assert score == cross_val_score(CLASSIFIER, X, c, cv=2).mean()
        assert len(permuted) == 2

    def test_scoring_roc_auc(self, X, c):
        found = cross_val_score(CLASSIFIER, X, c, cv=2, scoring="roc_auc")
        for score, (train, test) in zip(
            found, StratifiedKFold(2).split(X, c), strict=True
        ):
            fitted = clone(CLASSIFIER).fit(rows_of(X, train), c[train])
            probabilities = fitted.predict_proba(rows_of(X, test))
            assert score == roc_auc_score(c[test] == "up", probabilities[:, 1])

    def test_scorers_of_probabilities_with_three_classes(self, X):
        y = np.array(["a", "b", "c"])[np.arange(24) % 3]
        scoring = ["roc_auc_ovr", "neg_log_loss", "top_k_accuracy", "balanced_accuracy"]
        found = cross_validate(CLASSIFIER, X, y, cv=2, scoring=scoring)
        assert all(np.isfinite(found[f"test_{name}"]).all() for name in scoring)


class TestMetaEstimators:
    def test_transformed_target(self, X, y):
        model = TransformedTargetRegressor(
            REGRESSOR, func=np.sinh, inverse_func=np.arcsinh
        )
        found = model.fit(X, y).predict(X)
        by_hand = clone(REGRESSOR).fit(X, np.sinh(y)).predict(X)
        np.testing.assert_allclose(found, np.arcsinh(by_hand))

    def test_transformed_targets(self, X, y):
        Y = np.column_stack([y, 100 * y])
        model = TransformedTargetRegressor(REGRESSOR, transformer=StandardScaler())
        assert model.fit(X, Y).predict(X).shape == (24, 2)

    def test_calibrated(self, X, c):
        model = CalibratedClassifierCV(CLASSIFIER, cv=2).fit(X, c)
        probabilities = model.predict_proba(X)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        for pair, (train, _) in zip(
            model.calibrated_classifiers_, StratifiedKFold(2).split(X, c), strict=True
        ):
            fitted = clone(CLASSIFIER).fit(rows_of(X, train), c[train])
            assert_same_network(pair.estimator, fitted)

    @pytest.mark.parametrize("voting", ["hard", "soft"])
    def test_voting_classifier(self, X, c, voting):
        members = [("lstm", CLASSIFIER), ("gru", GRUClassifier(**FAST))]
        model = VotingClassifier(members, voting=voting).fit(X, c)
        assert set(model.predict(X)) <= {"down", "up"}
        if voting == "soft":
            one, other = (each.predict_proba(X) for each in model.estimators_)
            np.testing.assert_allclose(model.predict_proba(X), (one + other) / 2)

    def test_voting_regressor(self, X, y):
        members = [("lstm", REGRESSOR), ("gru", GRURegressor(**FAST))]
        model = VotingRegressor(members).fit(X, y)
        one, other = (clone(each).fit(X, y).predict(X) for _, each in members)
        np.testing.assert_allclose(model.predict(X), (one + other) / 2)

    def test_stacking_regressor(self, X, y):
        members = [("lstm", REGRESSOR), ("gru", GRURegressor(**FAST))]
        model = StackingRegressor(members, Ridge(), cv=2).fit(X, y)
        columns = [cross_val_predict(each, X, y, cv=2) for _, each in members]
        by_hand = Ridge().fit(np.column_stack(columns), y)
        np.testing.assert_allclose(model.final_estimator_.coef_, by_hand.coef_)
        assert model.predict(X).shape == (24,)

    def test_stacking_classifier(self, X, c):
        members = [("lstm", CLASSIFIER), ("gru", GRUClassifier(**FAST))]
        model = StackingClassifier(members, LogisticRegression(), cv=2).fit(X, c)
        assert model.stack_method_ == ["predict_proba", "predict_proba"]
        assert set(model.predict(X)) <= {"down", "up"}

    def test_multi_output(self, X, y):
        Y = np.column_stack([y, -2 * y])
        model = MultiOutputRegressor(REGRESSOR).fit(X, Y)
        for column, member in enumerate(model.estimators_):
            assert_same_network(member, clone(REGRESSOR).fit(X, Y[:, column]))
        assert model.predict(X).shape == (24, 2)

    def test_one_versus_rest(self, X):
        y = np.array(["a", "b", "c"])[np.arange(24) % 3]
        model = OneVsRestClassifier(CLASSIFIER).fit(X, y)
        by_hand = clone(CLASSIFIER).fit(X, (y == "b").astype(int))
        assert_same_network(model.estimators_[1], by_hand)
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)
        assert set(model.predict(X)) <= {"a", "b", "c"}

    def test_tuned_threshold(self, X, c):
        model = TunedThresholdClassifierCV(CLASSIFIER, cv=2).fit(X, c)
        p = model.estimator_.predict_proba(X)[:, 1]
        expected = np.where(p >= model.best_threshold_, "up", "down")
        np.testing.assert_array_equal(model.predict(X), expected)

    def test_fixed_threshold(self, X, c):
        options = dict(threshold=0.0, pos_label="up", response_method="predict_proba")
        model = FixedThresholdClassifier(CLASSIFIER, **options).fit(X, c)
        assert set(model.predict(X)) == {"up"}


def fit_importance(X):
    return permutation_importance(clone(REGRESSOR).fit(X, numbers(X)), X, numbers(X))


def fit_chain(X):
    return RegressorChain(REGRESSOR).fit(X, np.column_stack([numbers(X)] * 2))


# What turns X into a two-dimensional array before the estimator sees it.
ONLY_2D = {
    "BaggingRegressor": lambda X: BaggingRegressor(REGRESSOR).fit(X, numbers(X)),
    "permutation_importance": fit_importance,
    "RegressorChain": fit_chain,
    "OneVsOneClassifier": lambda X: OneVsOneClassifier(CLASSIFIER).fit(X, labels(X)),
}


class TestTwoDimensionsOnly:
    @pytest.mark.parametrize("form", ["3-D", "ragged"])
    @pytest.mark.parametrize("tool", ONLY_2D)
    def test_refused_by_scikit_learn_itself(self, tool, form):
        # The day one of these passes, that tool moves to the tests of all forms.
        with pytest.raises(ValueError, match=r"Found array with dim 3|inhomogeneous"):
            ONLY_2D[tool](sequences(form))

    def test_bagging(self):
        X = sequences("2-D")
        model = BaggingRegressor(REGRESSOR, n_estimators=3, random_state=0)
        found = model.fit(X, numbers(X)).predict(X)
        mean = np.mean([each.predict(X) for each in model.estimators_], axis=0)
        np.testing.assert_allclose(found, mean)
        assert len({each.random_state for each in model.estimators_}) == 3

    def test_permutation_importance(self):
        X = sequences("2-D")
        model = LSTMRegressor(**TINY).fit(X, numbers(X))
        found = permutation_importance(model, X, numbers(X), random_state=0)
        # The target is the sum of the last two steps.
        assert set(np.argsort(found.importances_mean)[-2:]) == {3, 4}

    def test_chain(self):
        X = sequences("2-D")
        Y = np.column_stack([numbers(X), 2 * numbers(X)])
        model = RegressorChain(REGRESSOR).fit(X, Y)
        assert_same_network(model.estimators_[0], clone(REGRESSOR).fit(X, Y[:, 0]))
        longer = np.column_stack([X, Y[:, 0]])
        assert_same_network(model.estimators_[1], clone(REGRESSOR).fit(longer, Y[:, 1]))

    def test_one_versus_one(self):
        X, y = sequences("2-D"), np.arange(24) % 3
        model = OneVsOneClassifier(CLASSIFIER).fit(X, y)
        assert set(model.predict(X)) <= {0, 1, 2}


WEIGHTS = np.arange(24) % 3 + 0.5


class TestMetadataRouting:
    @pytest.fixture(autouse=True)
    def _routing(self):
        with sklearn.config_context(enable_metadata_routing=True):
            yield

    def test_weights_reach_the_fit_and_the_score_of_each_fold(self, X, y):
        model = LSTMRegressor(**FAST).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        options = dict(cv=3, return_estimator=True)
        found = cross_validate(
            model, X, y, params={"sample_weight": WEIGHTS}, **options
        )
        for i, (train, test) in enumerate(KFold(3).split(X)):
            fitted = clone(REGRESSOR).fit(rows_of(X, train), y[train], WEIGHTS[train])
            assert_same_network(found["estimator"][i], fitted)
            score = fitted.score(rows_of(X, test), y[test], WEIGHTS[test])
            assert found["test_score"][i] == score

    def test_through_a_pipeline_in_a_search(self, X, c):
        network = LSTMClassifier(**FAST).set_fit_request(sample_weight=True)
        network.set_score_request(sample_weight=True)
        model = make_pipeline(SequenceWise(StandardScaler()), network)
        grid = {"lstmclassifier__learning_rate": [0.05]}
        search = GridSearchCV(model, grid, cv=2).fit(X, c, sample_weight=WEIGHTS)
        scaled = SequenceWise(StandardScaler()).fit_transform(X)
        by_hand = clone(CLASSIFIER).fit(scaled, c, sample_weight=WEIGHTS)
        assert_same_network(search.best_estimator_[-1], by_hand)

    def test_through_partial_fit_and_meta_estimators(self, X, y):
        member = LSTMRegressor(**FAST).set_partial_fit_request(sample_weight=True)
        member.set_fit_request(sample_weight=True)
        Y = np.column_stack([y, y])
        model = MultiOutputRegressor(member).fit(X, Y, sample_weight=WEIGHTS)
        by_hand = clone(REGRESSOR).fit(X, y, sample_weight=WEIGHTS)
        assert_same_network(model.estimators_[0], by_hand)
        model = MultiOutputRegressor(member)
        model.partial_fit(X, Y, sample_weight=WEIGHTS)
        by_hand = clone(REGRESSOR).partial_fit(X, y, sample_weight=WEIGHTS)
        assert_same_network(model.estimators_[0], by_hand)

    def test_a_request_that_was_not_made_is_an_error(self, X, y):
        model = make_pipeline(SequenceWise(StandardScaler()), REGRESSOR)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            model.fit(X, y, sample_weight=WEIGHTS)
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            GridSearchCV(REGRESSOR, RATES, cv=2).fit(X, y, sample_weight=WEIGHTS)

    def test_a_request_refused_leaves_the_weights_out(self, X, y):
        model = LSTMRegressor(**FAST).set_fit_request(sample_weight=False)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"units": [8]}, cv=2)
        search.fit(X, y, sample_weight=WEIGHTS)
        assert_same_network(search.best_estimator_, clone(REGRESSOR).fit(X, y))


def test_weights_without_metadata_routing(X, y):
    search = GridSearchCV(REGRESSOR, {"units": [8]}, cv=2)
    search.fit(X, y, sample_weight=WEIGHTS)
    by_hand = clone(REGRESSOR).fit(X, y, sample_weight=WEIGHTS)
    assert_same_network(search.best_estimator_, by_hand)
