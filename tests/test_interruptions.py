"""What a fit leaves behind when Ctrl-C, a callback or the loss itself ends it."""

import json
import os
import signal
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from keras.callbacks import LambdaCallback
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skrnn import GRUClassifier, GRURegressor, RNNRegressor
from skrnn._engine.training.loop import Loop

N = 16
TINY = {
    "units": 2,
    "learning_rate": 0.001,
    "epochs": 6,
    "batch_size": 8,
    "random_state": 0,
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 4, 2))
TARGETS = {GRURegressor: RNG.normal(size=N), GRUClassifier: np.arange(N) % 2}
Y = TARGETS[GRURegressor]
BOTH = pytest.mark.parametrize("estimator", TARGETS)
# Another warning, which every network has of such numbers.
LARGE = pytest.mark.filterwarnings("ignore:Feature .* of X has values around")


def all_finite(estimator):
    arrays = [*estimator._weights, *estimator.history_.values(), estimator.predict(X)]
    return all(np.isfinite(array).all() for array in arrays)


def assert_same_weights(weights, expected):
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def assert_works_as_new(estimator):
    """Nothing of what ended training stays: the next fit is like any other's."""
    new = type(estimator)(**TINY)
    estimator.set_params(**new.get_params())
    y = TARGETS[type(estimator)]
    assert_same_weights(estimator.fit(X, y)._weights, new.fit(X, y)._weights)


def same(before, after):
    return list(before) == list(after) and all(after[k] is before[k] for k in before)


class Ctrl:
    """A callback's function that raises when it is called for the n-th time."""

    def __init__(self, n, error=KeyboardInterrupt):
        self.n, self.error, self.calls = n, error, 0

    def __call__(self, *_, **__):
        self.calls += 1
        if self.calls == self.n:
            raise self.error("on purpose")


class Snapshots(keras.callbacks.Callback):
    """Keep the weights of each epoch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(self.model.get_weights())


# Ctrl-C


@BOTH
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("event", ["on_epoch_begin", "on_epoch_end"])
def test_ctrl_c_keeps_the_best_weights_so_far(estimator, early_stopping, event):
    y, seen = TARGETS[estimator], Snapshots()
    interrupted = estimator(
        **TINY,
        early_stopping=early_stopping,
        callbacks=[seen, LambdaCallback(**{event: Ctrl(4)})],
    )
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X, y)
    n_seen = len(seen.weights)
    assert n_seen == {"on_epoch_begin": 3, "on_epoch_end": 4}[event]
    assert interrupted.n_iter_ == n_seen
    assert {len(values) for values in interrupted.history_.values()} == {n_seen}
    # In the fourth epoch the first three are over.
    best = np.argmin(interrupted.history_["val_loss"][:3]) if early_stopping else 2
    assert interrupted.best_epoch_ == best + 1
    assert_same_weights(interrupted._weights, seen.weights[best])
    assert all_finite(interrupted)
    assert_works_as_new(interrupted)


@BOTH
@pytest.mark.parametrize(
    "event", ["on_train_begin", "on_epoch_begin", "on_train_batch_begin"]
)
def test_ctrl_c_before_the_first_step_changes_nothing(estimator, event):
    y = TARGETS[estimator]
    new = estimator(**TINY, callbacks=[LambdaCallback(**{event: Ctrl(1)})])
    known = estimator(**TINY).fit(X, y)
    predicted = known.predict(X)
    known.set_params(callbacks=[LambdaCallback(**{event: Ctrl(1)})], units=3)
    for each in (new, known):
        before = dict(vars(each))
        with pytest.raises(KeyboardInterrupt):
            each.fit(X, y)
        assert same(before, vars(each))
    np.testing.assert_array_equal(known.predict(X), predicted)
    assert_works_as_new(new)


@BOTH
def test_ctrl_c_in_the_first_epoch_keeps_what_was_learnt(estimator):
    y = TARGETS[estimator]
    callbacks = [LambdaCallback(on_train_batch_end=Ctrl(1))]
    started = estimator(**TINY, callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt):
        started.fit(X, y)
    assert started.n_iter_ == started.best_epoch_ == 0
    assert started.history_["loss"] == []
    assert all_finite(started)
    assert_works_as_new(started)


def test_ctrl_c_in_the_first_epoch_without_callbacks(monkeypatch):
    train = Loop._train

    def interrupted(self, part):
        train(self, part)
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_train", interrupted)
    started = GRURegressor(**TINY, engine="cpu")
    with pytest.raises(KeyboardInterrupt):
        started.fit(X, Y)
    monkeypatch.undo()
    assert started.n_iter_ == started.best_epoch_ == 0
    assert all_finite(started)


def test_ctrl_c_in_training_that_goes_on_adds_what_was_done():
    known = GRURegressor(**TINY, warm_start=True).fit(X, Y)
    done = known.history_["loss"]
    seen = Snapshots()
    known.set_params(callbacks=[seen, LambdaCallback(on_epoch_begin=Ctrl(3))])
    with pytest.raises(KeyboardInterrupt):
        known.fit(X, Y)
    assert known.n_iter_ == known.best_epoch_ == 8
    assert known.history_["loss"][:6] == done
    assert len(known.history_["loss"]) == 8
    assert_same_weights(known._weights, seen.weights[1])


def test_ctrl_c_ends_a_grid_search_too():
    callbacks = [LambdaCallback(on_epoch_begin=Ctrl(2))]
    search = GridSearchCV(
        GRURegressor(**TINY, callbacks=callbacks),
        {"learning_rate": [0.1, 0.2]},
        cv=2,
        error_score=np.nan,
    )
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert not hasattr(search, "cv_results_")


# What is interrupted from outside runs in a process of its own.
CHILD = """
import json, random, signal, sys
import numpy as np
from skrnn import GRURegressor

# A shell starts what runs in its background with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
rng = np.random.default_rng(0)
X, y = rng.normal(size=(64, 5, 2)), rng.normal(size=64)
tiny = dict(units=2, batch_size=8, random_state=0)


def check(estimator):
    assert all(np.isfinite(weight).all() for weight in estimator._weights)
    assert np.isfinite(estimator.predict(X)).all()
    assert estimator.n_iter_ == len(estimator.history_["loss"])
    losses = estimator.history_["loss"]
    # The very last epoch may be over, but its weights not yet kept.
    best = {1 + int(np.argmin(kept)) for kept in (losses or [0], losses[:-1] or [0])}
    assert estimator.best_epoch_ in best


long = GRURegressor(**tiny, epochs=10**6, verbose=2)
try:
    long.fit(X, y)
except KeyboardInterrupt:
    check(long)
    report = {"n_iter": long.n_iter_}

plain = GRURegressor(**tiny, epochs=3).fit(X, y).predict(X)
signal.signal(signal.SIGVTALRM, signal.default_int_handler)
random.seed(0)
known = GRURegressor(**tiny, epochs=3).fit(X, y).set_params(epochs=10**6)
report["kept"] = report["new"] = 0
for _ in range(20):
    before = dict(vars(known))
    signal.setitimer(signal.ITIMER_VIRTUAL, random.uniform(1e-4, 0.1))
    try:
        known.fit(X, y)
    except KeyboardInterrupt:
        check(known)
        kept = all(value is before[key] for key, value in vars(known).items())
        report["kept" if kept else "new"] += 1
    again = GRURegressor(**tiny, epochs=3).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), plain)
print(json.dumps(report))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals")
def test_ctrl_c_at_any_time_leaves_a_fit_that_works():
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in child.stderr:
            if "epoch 5/" in line:
                child.send_signal(signal.SIGINT)
                break
        output, errors = child.communicate(timeout=200)
    finally:
        child.kill()
    assert child.returncode == 0, errors[-2000:]
    report = json.loads(output)
    assert report["n_iter"] >= 4
    assert report["kept"] + report["new"] == 20
    assert report["new"] > 0


# Errors of callbacks


@BOTH
@pytest.mark.parametrize("event", ["on_epoch_begin", "on_epoch_end", "on_train_end"])
def test_an_error_of_a_callback_is_passed_on_and_changes_nothing(estimator, event):
    y, n = TARGETS[estimator], 1 if event == "on_train_end" else 3
    known = estimator(**TINY).fit(X, y)
    predicted = known.predict(X)
    for each in (estimator(**TINY), known):
        callback = LambdaCallback(**{event: Ctrl(n, ZeroDivisionError)})
        each.set_params(callbacks=[callback])
        before = dict(vars(each))
        with pytest.raises(ZeroDivisionError, match="on purpose"):
            each.fit(X, y)
        assert same(before, vars(each))
        # It holds no network, so that it can be used and pickled again.
        assert callback.model is None
    np.testing.assert_array_equal(known.predict(X), predicted)
    assert_works_as_new(known)


def test_an_error_of_a_callback_ends_the_fit_of_a_candidate_alone():
    callbacks = [LambdaCallback(on_epoch_begin=Ctrl(2, ZeroDivisionError))]
    search = GridSearchCV(
        GRURegressor(**TINY), {"callbacks": [None, callbacks]}, cv=2, refit=False
    )
    with pytest.warns(match="2 fits failed out of a total of 4|non-finite"):
        search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).tolist() == [True, False]


# A loss that turns NaN


@pytest.fixture(scope="module")
def poison():
    """Return a variable that the loss adds: NaN in it makes a NaN of the loss."""
    return keras.Variable(0.0, trainable=False)


@pytest.fixture(scope="module")
def loss(poison):
    def squared_error(y, outputs):
        return keras.ops.mean((y - outputs) ** 2, axis=-1) + poison.value

    return squared_error


@pytest.fixture
def poisoned(poison, loss):
    """Return parameters that make the loss NaN at the n-th call of an event."""

    def parameters(event, n):
        calls = iter(range(1, 1000))
        seen = Snapshots()

        def spoil(*_, **__):
            if next(calls) == n:
                poison.assign(np.nan)

        return {"loss": loss, "callbacks": [seen, LambdaCallback(**{event: spoil})]}

    yield parameters
    poison.assign(0.0)


def assert_warns(fit, epoch, kept):
    message = (
        f"stopped in epoch {epoch}: the loss is not finite. The finite weights "
        f"{kept} are kept. Scale X and y, or try a lower learning_rate (now 0.001) or "
        "clipnorm (now 1.0)."
    )
    with pytest.warns(ConvergenceWarning) as caught:
        fit()
    (warning,) = caught
    assert message in str(warning.message)
    # It points at the line that called fit.
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("event", "n"), [("on_epoch_begin", 4), ("on_train_batch_begin", 8)]
)
def test_a_loss_that_turns_nan_keeps_the_last_finite_weights(poisoned, event, n):
    spoilt = GRURegressor(**TINY, **poisoned(event, n))
    seen = spoilt.callbacks[0].weights
    assert_warns(lambda: spoilt.fit(X, Y), epoch=4, kept="of epoch 3")
    assert spoilt.n_iter_ == spoilt.best_epoch_ == len(seen) == 3
    assert len(spoilt.history_["loss"]) == 3
    assert_same_weights(spoilt._weights, seen[-1])
    assert all_finite(spoilt)
    assert_works_as_new(spoilt)


def test_a_loss_that_turns_nan_keeps_the_best_weights_with_early_stopping(poisoned):
    # Fast enough to overshoot, so that the best epoch isn't the last one.
    params = TINY | {"learning_rate": 0.5, "early_stopping": True}
    spoilt = GRURegressor(**params, **poisoned("on_epoch_begin", 6))
    seen = spoilt.callbacks[0].weights
    with pytest.warns(ConvergenceWarning, match="stopped in epoch 6"):
        spoilt.fit(X, Y)
    best = np.argmin(spoilt.history_["val_loss"])
    assert spoilt.n_iter_ == len(seen) == len(spoilt.history_["val_loss"]) == 5
    assert spoilt.best_epoch_ == best + 1 < 5
    assert_same_weights(spoilt._weights, seen[best])
    assert all_finite(spoilt)


def test_a_loss_that_is_nan_from_the_start_keeps_the_initial_weights(poisoned):
    plain = GRURegressor(**TINY | {"epochs": 1}).fit(X, Y)
    spoilt = GRURegressor(**TINY, **poisoned("on_train_begin", 1))
    assert_warns(lambda: spoilt.fit(X, Y), epoch=1, kept="before it")
    assert spoilt.n_iter_ == spoilt.best_epoch_ == 0
    assert spoilt.history_ == {"loss": []}
    assert [w.shape for w in spoilt._weights] == [w.shape for w in plain._weights]
    assert all_finite(spoilt)
    assert_works_as_new(spoilt)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_loss_that_turns_nan_while_training_goes_on_keeps_the_fit(poisoned, method):
    params = poisoned("on_train_begin", 2)
    known = GRURegressor(**TINY, warm_start=True, **params).fit(X, Y)
    before, history = known._weights, known.history_
    assert_warns(lambda: getattr(known, method)(X, Y), epoch=7, kept="of epoch 6")
    assert_same_weights(known._weights, before)
    assert known.history_ == history
    assert known.n_iter_ == known.best_epoch_ == 6


LINEAR = {"activation": "linear", "optimizer": "sgd", "clipnorm": None}
DIVERGING = {
    "a large learning_rate": (GRURegressor, {"learning_rate": 1e20}, X),
    "a learning_rate beyond float32": (GRURegressor, {"learning_rate": 1e60}, X),
    "weights that overflow": (RNNRegressor, LINEAR | {"learning_rate": 3e38}, X),
    "weights that overflow in the last step": (
        RNNRegressor,
        LINEAR | {"learning_rate": 3e38, "epochs": 1, "batch_size": N},
        X,
    ),
    "a large X": (RNNRegressor, LINEAR, 1e30 * X),
    "a large X and relu": (GRURegressor, {"activation": "relu"}, 1e30 * X),
    "a large y": (
        GRURegressor,
        {"normalize_y": False, "loss": "mean_squared_error"},
        X,
    ),
}


@LARGE
@pytest.mark.parametrize("key", DIVERGING)
def test_divergence_warns_and_leaves_finite_weights(key):
    estimator, params, X_ = DIVERGING[key]
    y = 1e30 * Y if key == "a large y" else Y
    diverging = estimator(**TINY | params)
    with pytest.warns(ConvergenceWarning, match=f"{estimator.__name__} stopped in ep"):
        diverging.fit(X_, y)
    assert diverging.n_iter_ == len(diverging.history_["loss"]) < diverging.epochs
    assert diverging.best_epoch_ <= diverging.n_iter_
    assert all_finite(diverging)
    assert np.isfinite(diverging.predict(X_)).all()


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("way", [{}, {"optimizer": "nadam"}])
def test_a_validation_loss_that_is_not_finite_is_recorded_and_never_best(
    way, early_stopping
):
    params = TINY | way | {"early_stopping": early_stopping, "patience": 3}
    model = GRURegressor(**params).fit(X, Y, X_val=X, y_val=Y * 1e20)
    # Early stopping has no loss that could get better.
    n_epochs = 4 if early_stopping else 6
    assert model.history_["val_loss"] == [np.inf] * n_epochs
    assert model.n_iter_ == model.best_epoch_ == n_epochs
    plain = GRURegressor(**params | {"early_stopping": False, "epochs": n_epochs})
    assert_same_weights(model._weights, plain.fit(X, Y)._weights)


def test_a_validation_set_does_not_end_what_diverges_later():
    params = LINEAR | {"learning_rate": 1e10, "early_stopping": True, "batch_size": N}
    diverging = RNNRegressor(**TINY | params)
    with pytest.warns(ConvergenceWarning, match="stopped in epoch"):
        diverging.fit(X, Y)
    assert np.isfinite(diverging.predict(X)).all()


@LARGE
def test_who_diverges_is_told_to_scale_what_may_be_large():
    learnt = GRURegressor(**TINY).partial_fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="Scale X and y, or"):
        learnt.partial_fit(X, Y * 1e38)
    with pytest.warns(ConvergenceWarning, match="Scale X, or"):
        GRUClassifier(**TINY, activation="relu").fit(1e30 * X, TARGETS[GRUClassifier])


# Callbacks that restore weights


def test_the_best_epoch_is_the_one_that_a_callback_restores():
    seen = Snapshots()
    stop = keras.callbacks.EarlyStopping(
        monitor="loss", patience=2, restore_best_weights=True
    )
    params = {"learning_rate": 0.5, "epochs": 30, "early_stopping": False}
    model = GRURegressor(**TINY | params, callbacks=[seen, stop]).fit(X, Y)
    best = int(np.argmin(model.history_["loss"]))
    assert model.best_epoch_ == best + 1 < model.n_iter_
    assert model.n_iter_ == len(seen.weights)
    assert_same_weights(model.model_.get_weights(), seen.weights[best])


@pytest.mark.parametrize("estimator", [GRURegressor, GRUClassifier])
def test_a_fit_goes_on_from_a_backup(tmp_path, estimator):
    epochs = []
    note = LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    crash = LambdaCallback(on_epoch_end=Ctrl(3, OSError))
    params = TINY | {"optimizer": "sgd"}
    y = TARGETS[estimator]
    with pytest.raises(OSError, match="on purpose"):
        estimator(**params, callbacks=[note, backup, crash]).fit(X, y)
    resumed = estimator(**params, callbacks=[note, backup]).fit(X, y)
    assert epochs == [0, 1, 2, 3, 4, 5]
    assert resumed.n_iter_ == resumed.best_epoch_ == 3
    # Plain SGD has no moments: it is as if nothing had happened.
    assert_same_weights(resumed._weights, estimator(**params).fit(X, y)._weights)


@BOTH
def test_large_numbers_alone_are_no_divergence(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Feature .* of X has values around")
        saturated = estimator(**TINY).fit(1e30 * X, TARGETS[estimator])
    assert saturated.n_iter_ == 6
    assert all_finite(saturated)
