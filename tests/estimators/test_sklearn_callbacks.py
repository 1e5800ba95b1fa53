"""What scikit-learn's callbacks hear of our estimators, see, record and stop."""

import pickle
from copy import copy

import keras
import numpy as np
import pytest
from _instances import (
    DETECTORS,
    FORECASTERS,
    NETWORKS,
    OF_TEXT,
    PAIRS,
    assert_same_network,
    sequences,
    target,
)
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.callback.tests._utils import (
    FailingCallback,
    RecordingAutoPropagatedCallback,
    RecordingCallback,
    StopFitCallback,
)
from sklearn.linear_model import Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn._engine.training import loop
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequenceWise
from skrnn.text import TextGenerator

EPOCHS = 3
QUICK = dict(units=3, epochs=EPOCHS, random_state=0)
LEARNERS = [*NETWORKS[::3], *PAIRS, *DETECTORS, *OF_TEXT]
every_learner = pytest.mark.parametrize(
    "estimator", LEARNERS, ids=lambda each: str(each)[:45]
)
TEXT = "the cat sat on the mat and the rat sat on the hat. " * 4


def data(estimator):
    """Return X and y that an estimator can learn."""
    if isinstance(estimator, TextGenerator):
        return [TEXT, TEXT], None
    X = sequences("3-D")
    return X, target(estimator, X)


def quick(estimator, **parameters):
    made = clone(estimator).set_params(epochs=EPOCHS, **parameters)
    return made.set_params(units=4) if not isinstance(made, TextGenerator) else made


def answers(estimator, X):
    """Return numbers that a fitted estimator computes."""
    if isinstance(estimator, TextGenerator):
        return estimator.predict_proba(X)
    if hasattr(estimator, "score_samples"):
        return estimator.score_samples(X)
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(X))
    return estimator.predict(X)


class Watching(RecordingCallback):
    """Keep what is answered at each epoch."""

    def __init__(self, X):
        super().__init__()
        self.X, self.answers, self.epochs, self.names = X, [], [], []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.names.append(context.task_name)
        self.answers.append(answers(fitted_estimator, self.X))
        self.epochs.append(fitted_estimator.n_iter_)


def own_score(estimator, X, y):
    return estimator.score(X, y)


# scikit-learn 1.9 makes nothing of None, which should mean the same.
OWN = {"score": own_score}


# What is told


@every_learner
def test_each_epoch_is_told_with_the_network_of_then(estimator):
    X, y = data(estimator)
    if isinstance(estimator, skrnn.Seq2SeqClassifier):
        y = np.stack([y, y[::-1]], axis=1)
    watching = Watching(X)
    model = quick(estimator).set_callbacks(watching).fit(X, y)
    assert watching.names == ["epoch"] * EPOCHS + ["fit"]
    assert watching.epochs == [*range(1, EPOCHS + 1), EPOCHS]
    assert [each["name"] for each in watching.record] == (
        ["setup", *["on_fit_task_begin"] * (EPOCHS + 1), "teardown"]
    )
    for n_epochs, found in enumerate(watching.answers[:EPOCHS], start=1):
        shorter = quick(estimator).set_params(epochs=n_epochs).fit(X, y)
        np.testing.assert_array_equal(answers(shorter, X), found)
    np.testing.assert_array_equal(answers(model, X), watching.answers[-1])
    assert_same_network(model, quick(estimator).fit(X, y))
    assert not {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} & vars(model).keys()


def test_data_are_told_as_they_were_given():
    X, weights = sequences("ragged"), np.arange(24.0)
    y = target(NETWORKS[0], X)
    told = RecordingCallback()
    skrnn.GRURegressor(**QUICK).set_callbacks(told).fit(X, y, weights)
    told = [each["kwargs"] for each in told.record if "kwargs" in each]
    assert all(each["X"] is X and each["y"] is y for each in told)
    assert all(each["metadata"]["sample_weight"] is weights for each in told)


def test_an_epoch_begins_with_the_network_before_it():
    X = sequences("3-D")
    told = RecordingCallback()
    model = skrnn.GRURegressor(**QUICK).set_callbacks(told).fit(X, X[:, 0, 0])
    begun = [e for e in told.record if e["name"] == "on_fit_task_begin"][1:]
    ended = [e for e in told.record if e["name"] == "on_fit_task_end"]
    for before, after in zip(ended[: EPOCHS - 1], begun[1:], strict=True):
        one = before["kwargs"]["fitted_estimator"]
        other = after["kwargs"]["fitted_estimator"]
        assert_same_network(one, other)
    first = begun[0]["kwargs"]["fitted_estimator"]
    assert first.n_iter_ == 0
    assert first.predict(X).shape == (24,)
    assert first is not model


def test_training_that_goes_on_is_told_of():
    X = sequences("3-D")
    watching = Watching(X)
    model = skrnn.GRURegressor(warm_start=True, **QUICK).fit(X, X[:, 0, 0])
    model.set_callbacks(watching).fit(X, X[:, 0, 0])
    assert watching.epochs == [4, 5, 6, 6]
    assert model.n_iter_ == 6
    model.partial_fit(X, X[:, 0, 0])
    assert watching.epochs[4:] == [7, 7]


def test_a_fit_again_sees_the_new_data_alone():
    X, labels = sequences("3-D"), target(NETWORKS[-1], sequences("3-D"))
    model = skrnn.GRUClassifier(**QUICK).fit(X, labels)
    monitor = ScoringMonitor(scoring="accuracy")
    numbers = np.arange(24) % 3
    model.set_callbacks(monitor).fit(X[:, :, :1], numbers)
    assert len(monitor.get_logs().data) == EPOCHS + 1
    assert model.classes_.tolist() == [0, 1, 2]


@pytest.mark.filterwarnings("ignore:Training of")
def test_every_epoch_that_begins_has_an_end():
    X = sequences("3-D")
    told = RecordingCallback()
    model = skrnn.RNNRegressor(
        learning_rate=1e30, clipnorm=None, activation="relu", **QUICK
    )
    model.set_callbacks(told).fit(X, X[:, 0, 0])
    assert model.n_iter_ < EPOCHS
    assert told.count_hooks("on_fit_task_begin") == told.count_hooks("on_fit_task_end")


def test_training_is_the_same_whoever_listens():
    X = sequences("3-D")
    heard = skrnn.LSTMRegressor(early_stopping=True, **QUICK)
    heard.set_callbacks(RecordingCallback()).fit(X, X[:, 0, 0])
    plain = skrnn.LSTMRegressor(early_stopping=True, **QUICK).fit(X, X[:, 0, 0])
    assert_same_network(heard, plain)
    assert heard.history_ == plain.history_


def test_nothing_is_done_where_nobody_listens(monkeypatch):
    seen = []
    real = loop.Loop.run
    monkeypatch.setattr(loop.Loop, "run", lambda s: seen.append(s.watch) or real(s))
    X = sequences("3-D")
    skrnn.GRURegressor(**QUICK).fit(X, X[:, 0, 0])
    assert seen == [loop.NOBODY]


# Scores


def test_a_monitor_records_a_score_at_each_epoch():
    X = sequences("3-D")
    y = X[:, -1, 0]
    monitor = ScoringMonitor(scoring=("r2", "neg_mean_absolute_error"))
    model = skrnn.GRURegressor(**QUICK).set_callbacks(monitor).fit(X, y)
    rows = monitor.get_logs().data
    assert [row["task_id"] for row in rows] == [0, *range(EPOCHS)]
    for name in "r2", "neg_mean_absolute_error":
        expected = get_scorer(name)(model, X, y)
        np.testing.assert_allclose([rows[0][name], rows[-1][name]], expected)
        assert len({row[name] for row in rows}) == EPOCHS
    assert monitor.get_logs().data_as_pandas.shape[0] == EPOCHS + 1


def test_what_has_no_targets_is_scored_too():
    by_epoch = ScoringMonitor(scoring=OWN)
    model = clone(OF_TEXT[0]).set_params(epochs=EPOCHS).set_callbacks(by_epoch)
    model.fit(iter([TEXT, TEXT]))
    scores = [row["score"] for row in by_epoch.get_logs().data]
    assert scores[-1] == scores[0] == pytest.approx(model.score([TEXT, TEXT]))
    assert scores[1] < scores[-1]

    X, labels = sequences("3-D"), np.where(np.arange(24) % 5, 1, -1)
    monitor = ScoringMonitor(scoring="roc_auc")
    detector = clone(DETECTORS[0]).set_params(epochs=EPOCHS).set_callbacks(monitor)
    detector.fit(X, labels)
    expected = get_scorer("roc_auc")(detector, X, labels)
    assert monitor.get_logs().data[-1]["roc_auc"] == pytest.approx(expected)


# Searches, pipelines and workers


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_and_its_epochs_are_shown_together(n_jobs, capsys):
    pytest.importorskip("rich")
    X = sequences("3-D")
    model = make_pipeline(SequenceWise(StandardScaler()), skrnn.GRURegressor(**QUICK))
    monitor = ScoringMonitor(scoring="r2")
    model[-1].set_callbacks(monitor)
    grid = {"gruregressor__units": [2, 3]}
    search = GridSearchCV(model, grid, cv=KFold(2), n_jobs=n_jobs)
    search.set_callbacks(ProgressBar(max_propagation_depth=None))
    search.fit(X, X[:, 0, 0])
    shown = capsys.readouterr().out
    for task in "GridSearchCV - fit", "Pipeline - fit", "GRURegressor - fit":
        assert task in shown
    log = monitor.get_logs()
    assert log.estimator_name == "GridSearchCV"
    epochs = [row for row in log.data if row["task_name"] == "epoch"]
    assert len(epochs) == (2 * 2 + 1) * EPOCHS


# The Forecaster


def series():
    rng = np.random.default_rng(0)
    return np.sin(np.arange(80) * np.pi / 6) + 0.1 * rng.normal(size=80)


def forecaster(**parameters):
    network = skrnn.GRURegressor(units=3, random_state=0)
    options = dict(n_members=2, n_windows=60, lookback=6, seasonal_periods=None)
    return Forecaster(network, **options | parameters)


def test_members_of_a_forecaster_are_its_tasks():
    told = RecordingAutoPropagatedCallback()
    model = forecaster(random_state=0).set_callbacks(told).fit(None, series())
    begun = [e["context"] for e in told.record if e["name"] == "on_fit_task_begin"]
    root = begun[0]
    assert (root.estimator_name, root.max_subtasks) == ("Forecaster", 2)
    members = [each for each in begun if each.source_task_name == "member"]
    assert sorted(each.task_id for each in members) == [0, 1]
    assert {each.estimator_name for each in members} == {"GRURegressor"}
    epochs = [each for each in begun if each.task_name == "epoch"]
    assert len(epochs) == sum(each.n_iter_ for each in model.estimators_)
    assert len(begun) == told.count_hooks("on_fit_task_end") == 3 + len(epochs)
    plain = forecaster(random_state=0).fit(None, series())
    np.testing.assert_array_equal(model.forecast(4), plain.forecast(4))
    assert not any(hasattr(each, "_skl_callbacks") for each in model.estimators_)


@pytest.mark.parametrize("horizon", [1, 4])
def test_members_are_scored_on_windows(horizon):
    monitor = ScoringMonitor(scoring=OWN)
    model = forecaster(n_members=1, horizon=horizon, random_state=0)
    model.estimator.set_callbacks(monitor)
    model.fit(None, series())
    scores = [row["score"] for row in monitor.get_logs().data]
    assert len(scores) == model.estimators_[0].n_iter_ + 1
    assert np.isfinite(scores).all()
    assert scores[-1] > scores[1]


def test_other_regressors_are_members_too():
    told = RecordingAutoPropagatedCallback()
    model = Forecaster(Ridge(), horizon=2, strategy="direct", lookback=4)
    with pytest.warns(UserWarning, match="Ridge does not support callbacks"):
        model.set_callbacks(told).fit(None, series())
    assert told.count_hooks("on_fit_task_end") == 3


@pytest.mark.parametrize("depth", [0, 1])
def test_a_search_of_forecasters_is_shown(depth, capsys):
    pytest.importorskip("rich")
    search = GridSearchCV(forecaster(), {"lookback": [4, 6]}, cv=KFold(2))
    search.set_callbacks(ProgressBar(max_propagation_depth=depth))
    search.fit(np.arange(80.0)[:, None], series())
    assert ("Forecaster - fit" in capsys.readouterr().out) == (depth == 1)


# Errors, stops, and both kinds of callbacks


@pytest.mark.parametrize(
    "fail_at", ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"]
)
@pytest.mark.parametrize("estimator", [skrnn.GRURegressor(**QUICK), *FORECASTERS])
def test_a_callback_that_fails_leaves_the_estimator_usable(estimator, fail_at):
    X, y = (None, series()) if estimator in FORECASTERS else data(estimator)
    estimator = clone(estimator)
    failing = FailingCallback(fail_at)
    with pytest.raises(ValueError, match=f"Failing callback failed at {fail_at}"):
        estimator.set_callbacks(failing).fit(X, y)
    assert failing.count_hooks("teardown") == 1
    assert hasattr(estimator, "n_features_in_") == (fail_at == "teardown")
    estimator.set_callbacks().fit(X, y)
    before = pickle.dumps(estimator)
    with pytest.raises(ValueError, match="Failing callback"):
        estimator.set_callbacks(FailingCallback(fail_at)).fit(X, y)
    assert pickle.dumps(estimator.set_callbacks()) == before or fail_at == "teardown"


def test_a_callback_may_end_training():
    X = sequences("3-D")
    model = skrnn.GRURegressor(**QUICK).set_callbacks(StopFitCallback())
    assert model.fit(X, X[:, 0, 0]).n_iter_ == 1
    plain = skrnn.GRURegressor(**QUICK | dict(epochs=1)).fit(X, X[:, 0, 0])
    assert_same_network(model, plain)


def test_callbacks_of_keras_run_beside():
    class Halved(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([w / 2 for w in self.model.get_weights()])

    X = sequences("3-D")
    watching = Watching(X)
    model = skrnn.GRURegressor(callbacks=[Halved()], **QUICK)
    model.set_callbacks(watching).fit(X, X[:, 0, 0])
    np.testing.assert_array_equal(model.predict(X), watching.answers[EPOCHS - 1])


def test_each_kind_of_callback_has_its_place():
    model = skrnn.GRURegressor(**QUICK)
    stop = keras.callbacks.EarlyStopping()
    expected = r"Got EarlyStopping\. .* write GRURegressor\(callbacks=\[\.\.\.\]\)"
    with pytest.raises(TypeError, match=expected):
        model.set_callbacks(stop)
    with pytest.raises(TypeError, match=r"following the FitCallback protocol\.$"):
        model.set_callbacks(None)
    X = sequences("3-D")
    model.set_params(callbacks=[ScoringMonitor(scoring="r2")])
    with pytest.raises(ValueError, match=r"Callbacks of scikit-learn .*set_callbacks"):
        model.fit(X, X[:, 0, 0])


# Copies


def test_callbacks_stay_with_clones_and_pickles():
    X = sequences("3-D")
    monitor = ScoringMonitor(scoring="r2")
    model = skrnn.GRURegressor(**QUICK).set_callbacks(monitor).fit(X, X[:, 0, 0])
    clone(model).fit(X, X[:, 0, 0])
    assert len(monitor.get_logs(select="all")) == 2
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    loaded.fit(X, X[:, 0, 0])
    assert len(monitor.get_logs(select="all")) == 2


def test_a_copy_shares_what_it_holds():
    X = sequences("3-D")
    model = skrnn.GRURegressor(**QUICK).fit(X, X[:, 0, 0])
    copied = copy(model)
    assert vars(copied) == vars(model)
    copied.set_params(epochs=1).fit(X, X[:, 0, 1])
    assert model.epochs == EPOCHS
    assert model.n_iter_ == EPOCHS
