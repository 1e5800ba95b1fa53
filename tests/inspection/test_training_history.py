"""Pictures of losses over epochs."""

import numpy as np
import pytest
from _instances import FAST
from matplotlib import pyplot as plt
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skrnn
from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RNNRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
)
from skrnn.inspection import TrainingHistoryDisplay

X = np.random.default_rng(0).normal(size=(30, 4, 1))
Y = X[:, -1, 0]
LOSSES = {"loss": [3.0, 2.0, 1.0, 0.9], "val_loss": [3.0, 2.5, 2.0, 2.2]}


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def fitted(estimator):
    """Fit an estimator on data of its own kind."""
    if isinstance(estimator, skrnn.text.TextGenerator):
        return estimator.fit(["a text to be learned", "another text"] * 4)
    if isinstance(estimator, Seq2SeqClassifier):
        return estimator.fit(["ab", "ba"] * 10, ["ba", "ab"] * 10)
    if isinstance(estimator, Seq2SeqRegressor):
        return estimator.fit(X, X[:, :2, 0])
    if isinstance(estimator, GRUClassifier):
        return estimator.fit(X, Y > 0)
    return estimator.fit(X, Y)


@pytest.mark.parametrize(
    "estimator",
    [
        RNNRegressor(**FAST),
        LSTMRegressor(**FAST, validation_split=0.2),
        GRUClassifier(**FAST),
        Seq2SeqRegressor(**FAST),
        Seq2SeqClassifier(**FAST),
        skrnn.text.TextGenerator(units=4, embedding_dim=2, lookback=4, epochs=2),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_network_has_a_picture(estimator):
    network = fitted(estimator)
    display = TrainingHistoryDisplay.from_estimator(network)
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_ydata(), network.history_["loss"])
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])
    for line in display.validation_lines_:
        np.testing.assert_array_equal(line.get_ydata(), network.history_["val_loss"])
    assert len(display.validation_lines_) == ("val_loss" in network.history_)
    assert display.best_.get_xdata() == [network.best_epoch_]
    assert display.figure_ is display.ax_.figure


def test_losses_have_a_line_and_the_best_epoch_a_dot():
    display = TrainingHistoryDisplay(LOSSES, best_epoch=3).plot()
    (line,), (validation,) = display.lines_, display.validation_lines_
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(line.get_ydata(), LOSSES["loss"])
    np.testing.assert_array_equal(validation.get_ydata(), LOSSES["val_loss"])
    np.testing.assert_array_equal(display.best_.get_xydata(), [[3, 2.0]])
    assert labels(display.ax_) == ["training", "validation", "best epoch: 3"]
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Epoch", "Loss")


def test_the_dot_is_on_the_training_loss_without_a_validation_set():
    display = TrainingHistoryDisplay({"loss": [3, 2, 1]}, best_epoch=2).plot()
    np.testing.assert_array_equal(display.best_.get_xydata(), [[2, 2]])
    assert not display.validation_lines_


@pytest.mark.parametrize("best", [None, 0])
def test_without_a_best_epoch_there_is_no_dot(best):
    display = TrainingHistoryDisplay(LOSSES, best_epoch=best).plot()
    assert display.best_ is None
    assert labels(display.ax_) == ["training", "validation"]


def test_members_are_thin_lines_with_one_label():
    single = TrainingHistoryDisplay(LOSSES).plot().lines_[0].get_linewidth()
    members = [LOSSES, {"loss": [2.0, 1.0]}, LOSSES]
    display = TrainingHistoryDisplay(members, best_epoch=[3, 2, 3]).plot()
    assert [len(line.get_xdata()) for line in display.lines_] == [4, 2, 4]
    assert len(display.validation_lines_) == 2
    assert all(line.get_linewidth() < single for line in display.lines_)
    np.testing.assert_array_equal(
        display.best_.get_xydata(), [[3, 2.0], [2, 1.0], [3, 2.0]]
    )
    expected = ["training of 3 networks", "validation of 3 networks", "best epochs"]
    assert labels(display.ax_) == expected


class Ensemble(BaseEstimator):
    """As a Forecaster: its history has one dict a member, and no best epoch."""

    def fit(self, X, y):
        self.history_ = [LOSSES, LOSSES]
        return self


def test_an_ensemble_without_best_epochs_is_drawn():
    display = TrainingHistoryDisplay.from_estimator(Ensemble().fit(X, Y))
    assert len(display.lines_) == 2
    assert display.best_ is None


def test_networks_that_were_trained_side_by_side_are_members():
    model = BaggingRegressor(RNNRegressor(**FAST), n_estimators=3, random_state=0)
    model.fit(X[:, :, 0], Y)
    display = TrainingHistoryDisplay.from_estimator(model)
    expected = [member.history_["loss"] for member in model.estimators_]
    drawn = [line.get_ydata() for line in display.lines_]
    np.testing.assert_array_equal(drawn, expected)
    best = [member.best_epoch_ for member in model.estimators_]
    assert list(display.best_.get_xdata()) == best


def test_the_network_is_found_inside_of_others():
    network = GRURegressor(**FAST)
    inner = make_pipeline(FunctionTransformer(), network)
    outer = TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, Y)
    display = TrainingHistoryDisplay.from_estimator(outer)
    expected = outer.regressor_[-1].history_["loss"]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), expected)


def test_wrappers_of_keras_networks_have_metrics():
    from _wrappers import small_network

    from skrnn.scikeras import KerasRegressor

    model = KerasRegressor(small_network, epochs=3, verbose=0, metrics=["mae"])
    model.fit(X[:, :, 0], Y)
    display = TrainingHistoryDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model.history_["loss"])
    assert display.best_ is None
    metric = next(name for name in model.history_ if name != "loss")
    display = TrainingHistoryDisplay.from_estimator(model, metric=metric)
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), model.history_[metric])


def test_validation_losses_of_every_other_epoch_stand_there():
    history = {"loss": [5, 4, 3, 2, 1], "val_loss": [4.5, 2.5]}
    display = TrainingHistoryDisplay(history, best_epoch=4).plot()
    np.testing.assert_array_equal(display.validation_lines_[0].get_xdata(), [2, 4])
    np.testing.assert_array_equal(display.best_.get_xydata(), [[4, 2.5]])


@pytest.mark.parametrize(
    ("losses", "yscale", "expected"),
    [
        ([20, 10, 1], "auto", "log"),
        ([19, 10, 1], "auto", "linear"),
        ([100, 10, 0], "auto", "linear"),
        ([100, 10, -1], "auto", "linear"),
        ([1e30, 1e-30], "auto", "log"),
        ([2, 1], "log", "log"),
        ([100, 1], "linear", "linear"),
        ([100, np.inf, np.nan, 1], "auto", "log"),
        ([np.nan, np.nan], "auto", "linear"),
        ([0, 0], "log", "linear"),
    ],
)
def test_the_scale_is_logarithmic_where_that_helps(losses, yscale, expected):
    display = TrainingHistoryDisplay({"loss": losses}).plot(yscale=yscale)
    assert display.ax_.get_yscale() == expected
    display.figure_.draw_without_rendering()


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40, 1000])
def test_epochs_are_whole_numbers_from_the_first_on(n):
    display = TrainingHistoryDisplay({"loss": np.linspace(2, 1, n)}).plot()
    low, high = display.ax_.get_xlim()
    assert 0 < low < 1 <= n < high
    ticks = [tick for tick in display.ax_.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(float(tick).is_integer() for tick in ticks)


def test_two_estimators_share_axes_under_their_names():
    _, ax = plt.subplots()
    TrainingHistoryDisplay(LOSSES, best_epoch=3, name="GRU").plot(ax)
    display = TrainingHistoryDisplay({"loss": [2, 1]}, name="RNN").plot(ax)
    assert display.ax_ is ax
    assert ax.get_xlim()[1] > 4
    expected = ["GRU: training", "GRU: validation", "GRU: best epoch: 3"]
    assert labels(ax) == [*expected, "RNN: training"]


def test_styles_of_the_user_replace_ours():
    looks = dict(line_kw={"c": "red", "lw": 5}, validation_line_kw={"ls": ":"})
    display = TrainingHistoryDisplay(LOSSES).plot(**looks)
    assert display.lines_[0].get_color() == "red"
    assert display.lines_[0].get_linewidth() == 5
    assert display.validation_lines_[0].get_linestyle() == ":"


def test_a_picture_can_be_drawn_again():
    display = TrainingHistoryDisplay(LOSSES).plot()
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first
    assert len(display.lines_) == 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda cls: cls.from_estimator(Ridge().fit(X[:, 0], Y)), TypeError,
         "Expected a network of skrnn, or a Pipeline or search that ends in one. Got "
         "Ridge."),
        (lambda cls: cls.from_estimator(GRURegressor), TypeError, "Got GRURegressor."),
        (lambda cls: cls.from_estimator(None), TypeError, "Got NoneType."),
        (lambda cls: cls.from_estimator(GRURegressor()), NotFittedError,
         "This GRURegressor instance is not fitted yet"),
        (lambda cls: cls(LOSSES, metric="acc").plot(), ValueError,
         "metric must be one of 'loss'. Got 'acc'."),
        (lambda cls: cls({"loss": []}).plot(), ValueError, "history has no epochs"),
        (lambda cls: cls([]).plot(), ValueError, "history has no epochs"),
        (lambda cls: cls([1, 2]).plot(), TypeError, "history must be a dict of lists"),
        (lambda cls: cls(None).plot(), ValueError, "There is nothing to draw"),
        (lambda cls: cls([LOSSES], best_epoch=[1, 2]).plot(), ValueError,
         "best_epoch must have one epoch for each of 1 histories. Got 2."),
        (lambda cls: cls(LOSSES).plot(yscale="symlog"), ValueError,
         "The 'yscale' parameter of TrainingHistoryDisplay.plot must be a str among"),
        (lambda cls: cls(LOSSES).plot("here"), TypeError,
         "ax must be Axes of matplotlib or None. Got str."),
        (lambda cls: cls(LOSSES).plot([]), TypeError, "Got list."),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_error(make, error, message):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        make(TrainingHistoryDisplay)
    assert not plt.get_fignums()


@pytest.mark.parametrize("method", ["from_estimator", "from_search"])
def test_without_matplotlib_the_error_says_what_to_install(method, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "skrnn\[plot\]"'):
        getattr(TrainingHistoryDisplay, method)(None)


def test_the_last_epoch_is_not_called_the_best_where_it_is_not():
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.0, 2.0]}
    display = TrainingHistoryDisplay(history, best_epoch=3).plot()
    assert labels(display.ax_)[-1] == "epoch kept: 3"
    display = TrainingHistoryDisplay([history] * 2, best_epoch=3).plot()
    assert labels(display.ax_)[-1] == "epochs kept"
