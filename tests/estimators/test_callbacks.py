"""What callbacks hear, change and stop, and that they keep nothing alive."""

import pickle

import keras
import numpy as np
import pytest
from _instances import assert_same_network
from _small_fits import CLOSE, QUICK
from sklearn.base import clone

from skrnn import RNNClassifier, RNNRegressor


class Recorder(keras.callbacks.Callback):
    """Note what happens; it can be pickled."""

    def __init__(self):
        super().__init__()
        self.events, self.logs = [], []

    def on_train_begin(self, logs=None):
        self.events.append("train")

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(f"epoch {epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(logs)
        self.weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.events.append("done")


class BatchRecorder(Recorder):
    losses = ()

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(f"batch {batch}")
        self.losses = [*self.losses, logs["loss"]]


def test_callbacks_hear_of_training(X):
    y = X[:, -1, 0]
    recorder = Recorder()
    model = RNNRegressor(callbacks=[recorder], early_stopping=True, **QUICK).fit(X, y)
    assert recorder.events == ["train", "epoch 0", "epoch 1", "done"]
    for name, values in model.history_.items():
        assert [logs[name] for logs in recorder.logs] == values
    assert recorder.params["epochs"] == 2
    for a, b in zip(recorder.weights, model.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_callbacks_change_nothing_by_listening(X):
    y = X[:, -1, 0]
    options = QUICK | dict(batch_size=10)
    recorder = BatchRecorder()
    plain = RNNRegressor(**options).fit(X, y)
    heard = RNNRegressor(callbacks=[recorder], **options).fit(X, y)
    assert_same_network(plain, heard)
    np.testing.assert_allclose(plain.history_["loss"], heard.history_["loss"])
    batches = [f"batch {i}" for i in range(3)]
    expected = ["train", "epoch 0", *batches, "epoch 1", *batches, "done"]
    assert recorder.events == expected
    assert recorder.params["steps"] == 3
    # As in Keras a batch is told the mean of the epoch until then.
    assert np.isfinite(recorder.losses).all()
    assert recorder.losses[2::3] == heard.history_["loss"]


@pytest.mark.parametrize(
    "event",
    ["on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"],
)
@pytest.mark.parametrize("as_class", [True, False])
def test_every_event_of_a_batch_is_told(event, as_class, X):
    seen = []
    if as_class:
        made = type("Own", (keras.callbacks.Callback,), {})
        setattr(made, event, lambda self, batch, logs=None: seen.append(batch))
        callback = made()
    else:
        callback = keras.callbacks.LambdaCallback()
        setattr(callback, event, lambda batch, logs=None: seen.append(batch))
    RNNRegressor(callbacks=[callback], **QUICK | dict(batch_size=10)).fit(X, X[:, 0, 0])
    assert seen == [0, 1, 2] * 2


def test_callbacks_can_stop_training(X):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    model = RNNRegressor(callbacks=[Stop()], **QUICK | dict(epochs=9))
    assert model.fit(X, X[:, 0, 0]).n_iter_ == 3
    # The next fit isn't stopped by what the last one was told.
    assert model.fit(X, X[:, 0, 0]).n_iter_ == 3


def test_callbacks_can_stop_training_within_an_epoch(X):
    class Stop(BatchRecorder):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.stop_training = batch == 1

    recorder = Stop()
    options = QUICK | dict(batch_size=10, callbacks=[recorder])
    assert RNNRegressor(**options).fit(X, X[:, 0, 0]).n_iter_ == 1
    assert recorder.events == ["train", "epoch 0", "batch 0", "batch 1", "done"]


@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
@pytest.mark.parametrize(
    ("event", "n_iter"), [("on_train_begin", 1), ("on_epoch_begin", 3)]
)
def test_a_stop_before_an_epoch_ends_it_after_a_batch(event, n_iter, optimizer, X):
    class Stop(keras.callbacks.Callback):
        batches = 0

    def stop(self, *args, logs=None):
        # The beginning of training has no number.
        self.model.stop_training = args[:1] in ((), ({},), (2,))

    def count(self, batch, logs=None):
        self.batches += 1

    setattr(Stop, event, stop)
    options = QUICK | dict(epochs=9, batch_size=10, optimizer=optimizer)
    model = RNNRegressor(callbacks=[Stop()], **options).fit(X, X[:, 0, 0])
    assert model.n_iter_ == n_iter
    Stop.on_train_batch_end = count
    stop = Stop()
    RNNRegressor(callbacks=[stop], **options).fit(X, X[:, 0, 0])
    assert stop.batches == 3 * (n_iter - 1) + 1


def test_early_stopping_by_keras(X):
    stop = keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
    options = QUICK | dict(epochs=60, learning_rate=0.5, callbacks=[stop])
    model = RNNRegressor(**options).fit(X, X[:, 0, 0])
    assert model.n_iter_ == np.argmin(model.history_["loss"]) + 2 < 60
    for a, b in zip(stop.best_weights, model._weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_of_rates_takes_effect(X):
    y = X[:, -1, 0]
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * 0.5**epoch)
    options = QUICK | dict(shuffle=False, optimizer="sgd")
    scheduled = RNNRegressor(callbacks=[schedule], **options).fit(X, y)
    by_hand = RNNRegressor(warm_start=True, **options | dict(epochs=1))
    for rate in (0.01, 0.005):
        by_hand.set_params(learning_rate=rate).fit(X, y)
    assert_same_network(scheduled, by_hand)


def test_a_rate_that_falls_on_a_plateau_ends_with_its_fit(X):
    y = X[:, -1, 0]
    fall = keras.callbacks.ReduceLROnPlateau("loss", 1e-9, patience=1, min_delta=9)
    recorder = Recorder()
    options = QUICK | dict(epochs=4, optimizer="sgd", shuffle=False)
    fallen = RNNRegressor(callbacks=[fall, recorder], **options).fit(X, y)
    losses = fallen.history_["loss"]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[2], losses[3], rtol=1e-6)
    # The compiled function is used again; the rate isn't.
    plain = RNNRegressor(**options).fit(X, y)
    assert plain.history_["loss"][3] < plain.history_["loss"][2]


def test_callbacks_let_the_model_go(X):
    recorder = BatchRecorder()
    model = RNNRegressor(callbacks=[recorder], **QUICK).fit(X, X[:, 0, 0])
    assert recorder.model is None
    assert pickle.loads(pickle.dumps(recorder)).events == recorder.events
    again = clone(pickle.loads(pickle.dumps(model))).fit(X, X[:, 0, 0])
    assert_same_network(model, again)


def test_callbacks_let_the_model_go_when_they_fail(X):
    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("no")

    failing = Fail()
    with pytest.raises(RuntimeError, match="no"):
        RNNRegressor(callbacks=[failing], **QUICK).fit(X, X[:, 0, 0])
    assert failing.model is None


def test_a_checkpoint_can_be_loaded(X, tmp_path):
    path = tmp_path / "last.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(path)
    model = RNNClassifier(callbacks=[checkpoint], **QUICK).fit(X, X[:, 0, 0] > 0)
    loaded = keras.models.load_model(path)
    expected = model.predict_proba(X)[:, 1:]
    np.testing.assert_allclose(loaded(X.astype("f4")), expected, **CLOSE)
