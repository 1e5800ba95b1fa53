"""Pictures of searches: what the candidates scored, and how the best one learned."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import GRURegressor
from skrnn.inspection import TrainingHistoryDisplay
from skrnn.inspection.training._search_scores import labels_of

X = np.random.default_rng(0).normal(size=(48, 3, 1))
Y = X[:, -1, 0]
NETWORK = GRURegressor(units=2, epochs=2, random_state=0)
GRID = {"units": [1, 2], "learning_rate": [0.01, 0.1]}


@pytest.fixture(scope="module")
def searched():
    scoring = "neg_mean_squared_error"
    return GridSearchCV(NETWORK, GRID, cv=3, scoring=scoring).fit(X, Y)


def names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def test_candidates_have_their_scores_the_best_at_the_top(searched):
    display = TrainingHistoryDisplay.from_search(searched)
    scores, losses = display.axes_
    assert display.ax_ is losses
    best = searched.best_params_
    first = f"learning_rate={best['learning_rate']}, units={best['units']}"
    assert names(scores)[0] == first
    assert len(names(scores)) == 4
    dots, _, (bar,) = display.errorbar_.lines
    np.testing.assert_allclose(dots.get_xdata(orig=False), [-searched.best_score_])
    width = np.ptp(bar.get_segments()[0][:, 0]) / 2
    std = searched.cv_results_["std_test_score"][searched.best_index_]
    np.testing.assert_allclose(width, std)
    drawn = [each.lines[0].get_xdata(orig=False)[0] for each in scores.containers]
    assert drawn == sorted(drawn)
    assert scores.get_xlabel() == "Mean squared error, 3 folds ± 1 std"


def test_the_best_estimator_has_its_losses(searched):
    display = TrainingHistoryDisplay.from_search(searched)
    expected = searched.best_estimator_.history_["loss"]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), expected)


def test_axes_of_the_user_are_taken_or_divided(searched):
    _, two = plt.subplots(1, 2)
    display = TrainingHistoryDisplay.from_search(searched, ax=two)
    assert list(display.axes_) == list(two)
    figure, one = plt.subplots()
    display = TrainingHistoryDisplay.from_search(searched, ax=one)
    assert len(figure.axes) == 3
    assert not one.axison
    _, three = plt.subplots(1, 3)
    with pytest.raises(ValueError, match=r"ax must be 2 Axes, one Axes or None. Got 3"):
        TrainingHistoryDisplay.from_search(searched, ax=three)
    alone = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="can't be divided into 2 parts"):
        TrainingHistoryDisplay.from_search(searched, ax=alone)


def test_without_a_network_the_scores_stand_alone():
    search = GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2).fit(X[:, 0], Y)
    display = TrainingHistoryDisplay.from_search(search)
    assert len(display.axes_) == 1
    assert display.axes_[0].get_xlabel() == "Score, 2 folds ± 1 std"
    assert not display.lines_
    search = GridSearchCV(NETWORK, GRID, cv=2, refit=False).fit(X, Y)
    display = TrainingHistoryDisplay.from_search(search)
    assert len(names(display.ax_)) == 4


def test_a_halving_search_has_a_line_for_each_candidate():
    search = HalvingGridSearchCV(NETWORK, GRID, cv=2, factor=2, random_state=0)
    search.fit(X, Y)
    display = TrainingHistoryDisplay.from_search(search)
    scores = display.axes_[0]
    results = search.cv_results_
    resources = sorted(set(results["n_resources"]))
    assert len(resources) > 1
    assert list(scores.get_xticks()) == resources
    assert scores.get_xlabel() == "Rows"
    # One line a candidate, that of the best to the last iteration.
    assert len([line for line in scores.lines if line.get_marker() == "o"]) == 4
    line = display.errorbar_.lines[0]
    assert list(line.get_xdata()) == resources
    np.testing.assert_allclose(line.get_ydata()[-1], search.best_score_)
    display.figure_.draw_without_rendering()


def test_of_several_scores_one_is_named():
    scoring = {"mse": "neg_mean_squared_error", "r2": "r2"}
    options = dict(cv=2, scoring=scoring)
    search = GridSearchCV(Ridge(), {"alpha": [1, 2]}, refit="r2", **options)
    search.fit(X[:, 0], Y)
    label = TrainingHistoryDisplay.from_search(search).ax_.get_xlabel()
    assert label.startswith("R2")
    display = TrainingHistoryDisplay.from_search(search, scoring="mse")
    assert display.ax_.get_xlabel().startswith("Mean squared error")
    assert (display.scores["score"] > 0).all()
    search.set_params(refit=False).fit(X[:, 0], Y)
    with pytest.raises(ValueError, match="scoring must be one of 'mse', 'r2'"):
        TrainingHistoryDisplay.from_search(search)
    with pytest.raises(ValueError, match="Got 'mae'"):
        TrainingHistoryDisplay.from_search(search, scoring="mae")


def test_many_candidates_are_told_and_failed_ones_left_out():
    search = GridSearchCV(Ridge(), {"alpha": np.arange(-3.0, 30)}, cv=2)
    with pytest.warns(match="non-finite"), pytest.warns(match="fits failed"):
        search.fit(X[:, 0], Y)
    display = TrainingHistoryDisplay.from_search(search)
    assert len(names(display.ax_)) == 12
    assert display.ax_.get_title(loc="left") == "12 best of 33, 3 failed"


def test_a_search_in_a_pipeline_is_found():
    inner = RandomizedSearchCV(NETWORK, GRID, n_iter=2, cv=2, random_state=0)
    model = make_pipeline(FunctionTransformer(), inner).fit(X, Y)
    display = TrainingHistoryDisplay.from_search(model)
    assert len(names(display.axes_[0])) == 2


def test_names_of_candidates_are_short_and_different():
    grid = [
        {"net__units": 2, "net__rate": 0.123456, "kind": "a", "pre__n": 1},
        {"net__units": 3, "net__rate": 0.1, "kind": "a", "post__n": 2},
    ]
    expected = ["units=2, rate=0.123, pre__n=1", "units=3, rate=0.1, post__n=2"]
    assert labels_of(grid) == expected
    assert labels_of([{"a": 1}]) == ["all parameters alike"]
    (long, _) = labels_of([{"a": Ridge(alpha=0.123456789)}, {"a": None}])
    assert len(long) < 25


def test_what_is_no_search_is_refused():
    with pytest.raises(TypeError, match=r"Expected a search, as GridSearchCV. Got Ri"):
        TrainingHistoryDisplay.from_search(Ridge().fit(X[:, 0], Y))
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_search(GridSearchCV(Ridge(), {}))
    assert not plt.get_fignums()
