"""Permutation importance of lags and features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRURegressor, LSTMClassifier
from skrnn.inspection import SequenceImportanceDisplay, sequence_importance
from skrnn.preprocessing import SequenceWise, SlidingWindow, TextSequencer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 4, 2))
Y = X[:, 1, 0] - X[:, 3, 1]


class Known(RegressorMixin, BaseEstimator):
    """A model whose answer is that of `Y`."""

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return np.array([x[-3, 0] - x[-1, 1] for x in X])


def test_what_counts_is_found_and_nothing_else():
    result = sequence_importance(
        Known(), X, Y, scoring="r2", n_repeats=3, random_state=0
    )
    assert result.importances.shape == (4, 2, 3)
    np.testing.assert_array_equal(result.lags, [3, 2, 1, 0])
    assert result.feature_names == ["x0", "x1"]
    assert result.score == 1
    expected = np.zeros((4, 2), bool)
    expected[1, 0] = expected[3, 1] = True
    np.testing.assert_array_equal(result.importances_mean > 0.5, expected)
    np.testing.assert_allclose(result.importances_mean[~expected], 0, atol=1e-12)
    np.testing.assert_allclose(result.importances_mean, result.importances.mean(axis=2))
    np.testing.assert_allclose(result.importances_std, result.importances.std(axis=2))
    again = sequence_importance(
        Known(), X, Y, scoring="r2", n_repeats=3, random_state=0
    )
    np.testing.assert_array_equal(result.importances, again.importances)


def test_nothing_given_is_changed():
    given = X.copy()
    sequence_importance(Known(), given, Y, scoring="r2", n_repeats=1, random_state=0)
    np.testing.assert_array_equal(given, X)
    ragged = [x.copy() for x in X]
    sequence_importance(Known(), ragged, Y, scoring="r2", n_repeats=1, random_state=0)
    np.testing.assert_array_equal(ragged, X)


def test_steps_in_groups_share_what_they_lose():
    result = sequence_importance(
        Known(), X, Y, scoring="r2", group_size=3, n_repeats=2, random_state=0
    )
    # Groups begin at the last step: lags 0 to 2, and 3 alone.
    assert (result.importances_mean[1:] > 0.5).all()
    assert len({*result.importances_mean[1:, 0]}) == 1
    np.testing.assert_allclose(result.importances_mean[0], 0, atol=1e-12)


def test_of_sequences_of_different_lengths():
    ragged = [x[i % 2 :] for i, x in enumerate(X)]
    result = sequence_importance(
        Known(), ragged, Y, scoring="r2", n_repeats=2, random_state=0
    )
    assert result.importances_mean.shape == (4, 2)
    assert result.importances_mean[1, 0] > 0.5
    np.testing.assert_allclose(result.importances_mean[0], 0, atol=1e-12)


@pytest.mark.parametrize("scaled", [False, True])
def test_windows_of_a_pipeline_have_the_names_of_the_columns(scaled):
    frame = pd.DataFrame(RNG.normal(size=(120, 2)), columns=["wind", "sun"])
    y = frame["sun"].shift(2, fill_value=0.0).to_numpy()
    steps = [StandardScaler().set_output(transform="pandas")] if scaled else []
    behind = [SequenceWise(StandardScaler())] if scaled else []
    pipe = make_pipeline(
        *steps, SlidingWindow(4), *behind,
        GRURegressor(units=6, epochs=40, learning_rate=0.03, random_state=0),
    )  # fmt: skip
    result = sequence_importance(
        pipe.fit(frame, y), frame, y, n_repeats=2, random_state=0
    )
    assert result.feature_names == ["wind", "sun"]
    step, feature = np.unravel_index(result.importances_mean.argmax(), (4, 2))
    assert (result.lags[step], feature) == (2, 1)
    assert result.score == pytest.approx(pipe.score(frame, y))


def test_in_searches_and_with_texts():
    model = GRURegressor(units=2, epochs=1, random_state=0)
    search = GridSearchCV(model, {"units": [2]}, cv=2).fit(X, Y)
    options = dict(n_repeats=1, max_samples=0.2, random_state=0)
    assert sequence_importance(search, X, Y, **options).lags.shape == (4,)
    texts, labels = ["good food", "bad", "good wine here"] * 6, [1, 0, 1] * 6
    pipe = make_pipeline(
        TextSequencer(), LSTMClassifier(units=2, embedding_dim=2, epochs=1)
    ).fit(texts, labels)
    found = sequence_importance(pipe, texts, labels, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (3, 1)


def test_its_picture():
    result = sequence_importance(
        Known(), X, Y, scoring="r2", n_repeats=2, random_state=0
    )
    display = SequenceImportanceDisplay(result).plot()
    np.testing.assert_array_equal(display.image_.get_array(), result.importances_mean.T)
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == [
        "-3", "-2", "-1", "0",
    ]  # fmt: skip
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["x0", "x1"]
    other = SequenceImportanceDisplay.from_estimator(
        Known(), X, Y, scoring="r2", n_repeats=2, random_state=0, ax=display.ax_
    )
    assert other.ax_ is display.ax_


def test_what_has_no_steps():
    table, y = X[:, 0], Y
    with pytest.raises(ValueError, match="'n_repeats' parameter of sequence_imp"):
        sequence_importance(Known(), X, Y, n_repeats=0)
    with pytest.raises(ValueError, match="'max_samples' parameter"):
        sequence_importance(Known(), X, Y, max_samples=1.5)
    with pytest.raises(TypeError, match=r"needs sequences.*Got an array of shape"):
        sequence_importance(Known(), np.zeros((2, 2, 2, 2)), Y, scoring="r2")
    # The columns of a table are its steps, as they are to our estimators.
    table = pd.DataFrame(table, columns=["before", "now"])
    model = LinearRegression().fit(table, y)
    found = sequence_importance(model, table, y, n_repeats=1, random_state=0)
    assert found.importances_mean.shape == (2, 1)
