"""What every parameter and method of the recurrent estimators does."""

import io
import pickle
import re

import keras
import numpy as np
import pytest
from _instances import NETWORKS, assert_same_network
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNClassifier,
    RNNRegressor,
    Seq2SeqRegressor,
    SequenceClassifier,
    SequenceRegressor,
)
from skrnn._engine.training import progress
from skrnn._engine.training.progress import Progress
from skrnn._networks.cells import CELLS

# No more than it takes to see that something happens.
QUICK = dict(units=3, epochs=2, random_state=0)
# Enough to learn the tasks below.
LEARNS = dict(units=8, epochs=40, learning_rate=0.03, batch_size=16, random_state=0)

CLOSE = dict(rtol=1e-5, atol=1e-5)


def name_of(estimator):
    return type(estimator).__name__


REGRESSORS = [each for each in NETWORKS if is_regressor(each)]
CLASSIFIERS = [each for each in NETWORKS if is_classifier(each)]
every_estimator = pytest.mark.parametrize("estimator", NETWORKS, ids=name_of)
every_regressor = pytest.mark.parametrize("estimator", REGRESSORS, ids=name_of)
every_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=name_of)


def quick(estimator, **parameters):
    return clone(estimator).set_params(**QUICK | parameters)


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(24, 5, 2))


@pytest.fixture(scope="module")
def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in rng.integers(2, 7, 24)]


@pytest.fixture(scope="module")
def task():
    """Sequences whose last steps tell a number, and its sign a label."""
    X = np.random.default_rng(0).normal(size=(200, 6, 2))
    return X, X[:, -2:, 0].sum(axis=1)


# Shapes


@every_regressor
@pytest.mark.parametrize("shape", [(), (2,)], ids=["n", "n K"])
def test_a_prediction_for_each_sequence_has_the_shape_of_y(estimator, shape, X):
    y = np.random.default_rng(1).normal(size=(24, *shape))
    model = quick(estimator).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.predict(X[:5, :3]).shape == (5, *shape)
    assert model.predict(X).dtype == np.float64


@every_regressor
@pytest.mark.parametrize("shape", [(), (2,)], ids=["n T", "n T K"])
def test_a_prediction_for_each_step_has_the_shape_of_y(estimator, shape, X, ragged):
    rng = np.random.default_rng(1)
    y = rng.normal(size=(24, 5, *shape))
    model = quick(estimator, return_sequences=True).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.predict(X[:5, :3]).shape == (5, 3, *shape)
    y = [rng.normal(size=(len(x), *shape)) for x in ragged]
    predicted = model.fit(ragged, y).predict(ragged)
    assert predicted.dtype == object
    assert [steps.shape for steps in predicted] == [steps.shape for steps in y]


def test_one_column_of_targets_a_step_keeps_its_axis(X):
    model = quick(RNNRegressor(), return_sequences=True).fit(X, X[:, :, :1])
    assert model.predict(X).shape == (24, 5, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_numbers_come_back_as_floats_of_their_precision(dtype, X):
    y = (10 * X[:, -1, 0]).astype(dtype)
    expected = np.float32 if dtype == np.float32 else np.float64
    assert quick(RNNRegressor()).fit(X, y).predict(X).dtype == expected


LABELS = {
    "str": np.array(["no", "yes"]),
    "int": np.array([3, 7]),
    "negative": np.array([-1, 1]),
    "float": np.array([0.0, 1.0]),
    "bool": np.array([False, True]),
    "object": np.array(["no", "yes"], dtype=object),
    "float32": np.array([0.0, 1.0], np.float32),
    "int8": np.array([0, 5], np.int8),
    "three": np.array(["a", "b", "c"]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_labels_come_back_as_they_are(labels, X):
    y = labels[np.arange(24) % len(labels)]
    model = quick(RNNClassifier()).fit(X, y)
    np.testing.assert_array_equal(model.classes_, labels)
    assert model.predict(X).dtype == model.classes_.dtype == y.dtype
    steps = np.repeat(y[:, None], 5, axis=1)
    tagger = quick(RNNClassifier(), return_sequences=True).fit(X, steps)
    assert tagger.predict(X).dtype == y.dtype
    assert set(model.predict(X)) <= set(labels)


@every_classifier
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_classes(estimator, n_classes, X):
    y = np.arange(24) % n_classes
    model = quick(estimator).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (24, n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), probabilities.argmax(axis=1))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities))


@every_classifier
def test_several_labels_at_once(estimator, X):
    y = (X[:, -1, [0, 1, 0]] > [0, 0, 1]).astype(int)
    model = quick(estimator).fit(X, y)
    probabilities = model.predict_proba(X)
    assert model.predict(X).shape == probabilities.shape == (24, 3)
    np.testing.assert_array_equal(model.predict(X), probabilities > 0.5)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])


@every_classifier
def test_a_label_for_each_step(estimator, X, ragged):
    model = quick(estimator, return_sequences=True).fit(X, X[:, :, 0] > 0)
    assert model.predict(X).shape == (24, 5)
    assert model.predict(X).dtype == bool
    assert model.predict_proba(X).shape == (24, 5, 2)
    tags = [np.where(x[:, 0] > 0, "up", "down") for x in ragged]
    model.fit(ragged, tags)
    for steps, found in zip(ragged, model.predict(ragged), strict=True):
        assert found.shape == (len(steps),)
        assert set(found) <= {"up", "down"}
    for steps, found in zip(ragged, model.predict_proba(ragged), strict=True):
        assert found.shape == (len(steps), 2)
    logarithms = model.predict_log_proba(ragged)
    np.testing.assert_allclose(logarithms[0], np.log(model.predict_proba(ragged)[0]))


# Learning


NETWORK_CHOICES = {
    "stacked": dict(units=(8, 8)),
    "bidirectional": dict(bidirectional=True),
    "additive attention": dict(attention="additive"),
    "dot attention": dict(attention="dot"),
    "multihead attention": dict(attention="multihead"),
    "dense head": dict(dense_units=(8, 4)),
    "dropout": dict(dropout=0.1, recurrent_dropout=0.1),
    "layer norm": dict(layer_norm=True),
}


@pytest.mark.parametrize("choice", NETWORK_CHOICES)
def test_every_network_learns(choice, task):
    X, y = task
    cell = list(CELLS)[len(choice) % 3]
    model = SequenceRegressor(cell=cell, **LEARNS | NETWORK_CHOICES[choice])
    model.fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


@every_estimator
def test_every_estimator_learns(estimator, task):
    X, y = task
    y = np.where(y > 0, "up", "down") if is_classifier(estimator) else y
    model = clone(estimator).set_params(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_backward_direction_sees_what_comes(task):
    X, _ = task
    y = np.roll(X[:, :, 0], -1, axis=1)[:, :-1]
    options = LEARNS | dict(return_sequences=True)
    blind = GRURegressor(**options).fit(X[:150, :-1], y[:150])
    seeing = GRURegressor(bidirectional=True, **options).fit(X[:150, :-1], y[:150])
    last = np.s_[150:, :-1]
    assert blind.score(X[last], y[150:]) < 0.2
    # The last step's target is outside of what it is given.
    truth, found = y[150:, :-1].ravel(), seeing.predict(X[last])[:, :-1].ravel()
    assert r2_score(truth, found) > 0.8


def test_tagging_learns(ragged):
    tags = [np.where(np.cumsum(x[:, 0]) > 0, "up", "down") for x in ragged]
    model = GRUClassifier(return_sequences=True, **LEARNS).fit(ragged, tags)
    assert model.score(ragged, tags) > 0.85


def test_filtering_learns(task):
    X, _ = task
    y = np.cumsum(X[:, :, 0], axis=1)
    model = GRURegressor(return_sequences=True, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_token_embeddings_learn():
    rng = np.random.default_rng(0)
    X = [rng.integers(1, 7, rng.integers(2, 9)) for _ in range(200)]
    y = np.array(["has" if 3 in ids else "not" for ids in X])
    model = LSTMClassifier(embedding_dim=4, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.9


def test_several_classes_are_learnt(task):
    X, y = task
    y = np.digitize(y, [-1, 1])
    model = GRUClassifier(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.75


def test_several_labels_are_learnt(task):
    X, _ = task
    y = (X[:, -1] > 0).astype(int)
    model = GRUClassifier(**LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.75


def test_recurrent_dropout_alone_changes_training(task):
    X, y = task
    plain = GRURegressor(**QUICK).fit(X, y)
    same = GRURegressor(recurrent_dropout=1e-9, **QUICK).fit(X, y)
    noisy = GRURegressor(recurrent_dropout=0.5, **QUICK).fit(X, y)
    np.testing.assert_allclose(plain.predict(X), same.predict(X), **CLOSE)
    assert not np.allclose(plain.predict(X), noisy.predict(X), **CLOSE)


def test_units_of_y_do_not_matter(task):
    X, y = task
    model = GRURegressor(**LEARNS).fit(X, y)
    large = GRURegressor(**LEARNS).fit(X, 1e6 * y + 1e9)
    assert abs(model.score(X, y) - large.score(X, 1e6 * y + 1e9)) < 1e-3
    np.testing.assert_allclose((large.predict(X) - 1e9) / 1e6, model.predict(X), 0.01)


def test_normalize_y_can_be_left_out(task):
    X, y = task
    model = GRURegressor(normalize_y=False, **QUICK).fit(X, y + 100)
    # It starts at zero and has hardly moved.
    assert abs(model.predict(X)).max() < 10
    assert abs(GRURegressor(**QUICK).fit(X, y + 100).predict(X) - 100).max() < 10


@pytest.mark.parametrize("loss", ["mean_absolute_error", "huber", "log_cosh"])
def test_named_losses_learn(loss, task):
    X, y = task
    model = GRURegressor(loss=loss, **LEARNS).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_loss_is_chosen_by_the_labels(X):
    y = X[:, -1, 0] > 0
    binary, *others = (
        RNNClassifier(loss=loss, **QUICK).fit(X, y)
        for loss in ("auto", "binary_crossentropy", "categorical_crossentropy")
    )
    for other in others:
        assert_same_network(binary, other)


def test_a_crossentropy_must_fit_the_labels(X):
    for loss, target, message in [
        ("binary_crossentropy", np.arange(24) % 3, "y has 3 classes"),
        ("categorical_crossentropy", np.eye(2, dtype=int)[[0, 1] * 12], "indicator"),
    ]:
        with pytest.raises(ValueError, match=message):
            RNNClassifier(loss=loss, **QUICK).fit(X, target)


def absolute_error(y_true, y_pred):
    return keras.ops.mean(abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    "loss",
    [absolute_error, keras.losses.MeanAbsoluteError()],
    ids=["function", "instance"],
)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_own_losses_of_numbers(loss, return_sequences, X):
    y = X.sum(axis=2) if return_sequences else X[:, -1, 0]
    options = QUICK | dict(return_sequences=return_sequences)
    named = RNNRegressor(loss="mean_absolute_error", **options).fit(X, y)
    own = RNNRegressor(loss=loss, **options).fit(X, y)
    # Compiled, while the named one runs by kernels; its gradient is a sign, which
    # rounding may turn over.
    np.testing.assert_allclose(own.predict(X), named.predict(X), atol=1e-3)


def test_own_losses_of_labels(X):
    losses = keras.losses
    y = X[:, -1, 0]
    for target, loss in [
        (y > 0, losses.BinaryCrossentropy()),
        (y > 0, losses.binary_crossentropy),
        (np.digitize(y, [-0.5, 0.5]), losses.SparseCategoricalCrossentropy()),
    ]:
        auto = RNNClassifier(**QUICK).fit(X, target).predict_proba(X)
        own = RNNClassifier(loss=loss, **QUICK).fit(X, target).predict_proba(X)
        np.testing.assert_allclose(own, auto, **CLOSE)


# Weights of classes and of sequences


def test_class_weights_move_probabilities(task):
    X, y = task
    y = (y > 0).astype(int)
    options = LEARNS | dict(epochs=5)
    plain = GRUClassifier(**options).fit(X, y).predict_proba(X)[:, 1].mean()
    for class_weight, sign in (({1: 20}, 1), ({0: 20}, -1)):
        model = GRUClassifier(class_weight=class_weight, **options).fit(X, y)
        assert sign * (model.predict_proba(X)[:, 1].mean() - plain) > 0.05


def test_class_weights_are_weights_of_sequences(task):
    X, y = task
    y = (y > 1).astype(int)
    by_class = GRUClassifier(class_weight={0: 1, 1: 3}, **QUICK).fit(X, y)
    by_row = GRUClassifier(**QUICK).fit(X, y, sample_weight=np.where(y, 3.0, 1))
    assert_same_network(by_class, by_row)
    balanced = GRUClassifier(class_weight="balanced", **QUICK).fit(X, y)
    weights = len(y) / 2 / np.bincount(y)
    by_row = GRUClassifier(**QUICK).fit(X, y, sample_weight=weights[y])
    assert_same_network(balanced, by_row)


def test_weights_draw_the_fit_to_their_rows(task):
    X, y = task
    y = np.where(np.arange(200) % 2, y, -y)
    odd = np.arange(200) % 2
    model = GRURegressor(**LEARNS).fit(X, y, sample_weight=np.where(odd, 1, 0.01))
    assert model.score(X[odd == 1], y[odd == 1]) > 0.7
    assert model.score(X[odd == 0], y[odd == 0]) < 0


# Early stopping


@pytest.mark.parametrize("return_sequences", [False, True])
def test_early_stopping_keeps_the_best_epoch(return_sequences, task):
    X, y = task
    y = X.sum(axis=2) if return_sequences else y
    options = dict(early_stopping=True, patience=2, validation_split=0.2)
    options |= dict(epochs=200, learning_rate=0.1, return_sequences=return_sequences)
    model = GRURegressor(**QUICK | options).fit(X, y)
    losses = model.history_["val_loss"]
    assert len(losses) == len(model.history_["loss"]) == model.n_iter_ < 200
    assert model.best_epoch_ == np.argmin(losses) + 1 == model.n_iter_ - 2
    # The last rows are held out, and losses are in units of y's spread.
    held, scale = np.s_[-40:], model._y_scale[0] ** 2
    loss = mean_squared_error(y[held].ravel(), model.predict(X[held]).ravel()) / scale
    np.testing.assert_allclose(loss, min(losses), rtol=1e-4)


def test_early_stopping_by_itself_depends_on_the_number_of_sequences(monkeypatch, X):
    y = X[:, -1, 0]
    assert "val_loss" not in RNNRegressor(**QUICK).fit(X, y).history_
    monkeypatch.setattr("skrnn._estimators.network_base.EARLY_STOPPING_FROM", 20)
    assert "val_loss" in RNNRegressor(**QUICK).fit(X, y).history_


@every_estimator
def test_record_of_training(estimator, X):
    y = X[:, -1, 0]
    y = y > 0 if is_classifier(estimator) else y
    model = quick(estimator).fit(X, y)
    assert list(model.history_) == ["loss"]
    assert len(model.history_["loss"]) == model.n_iter_ == model.best_epoch_ == 2
    assert all(isinstance(loss, float) for loss in model.history_["loss"])


# Going on


def test_warm_start_goes_on(task):
    X, y = task
    options = QUICK | dict(epochs=4, shuffle=False)
    through = GRURegressor(**options).fit(X, y)
    twice = GRURegressor(**options | dict(epochs=2, warm_start=True))
    twice.fit(X, y)
    first = twice.history_["loss"]
    twice.fit(X, y)
    assert_same_network(twice, through)
    assert twice.n_iter_ == len(twice.history_["loss"]) == twice.best_epoch_ == 4
    assert twice.history_["loss"][:2] == first
    assert twice.history_["loss"][-1] < first[-1]


def test_without_warm_start_a_fit_is_the_first_again(task):
    X, y = task
    once = GRURegressor(**QUICK).fit(X, y)
    again = GRURegressor(**QUICK).fit(X, -y).fit(X, y)
    assert_same_network(once, again)
    assert once.history_ == again.history_


def test_warm_start_needs_the_same_network(task):
    X, y = task
    model = GRURegressor(warm_start=True, **QUICK).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="units changed"):
        model.set_params(units=4).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    # What isn't the network may change: rates, the length of a batch, the optimizer.
    others = dict(units=3, learning_rate=0.1, batch_size=8, optimizer="sgd")
    assert model.set_params(**others, dropout=0.1).fit(X, y).n_iter_ == 4


def test_a_stream_of_batches_is_learnt(task):
    X, y = task
    model = GRURegressor(**LEARNS)
    for start in np.tile(np.arange(0, 150, 25), 20):
        model.partial_fit(X[start : start + 25], y[start : start + 25])
    assert model.n_iter_ == 120
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_stream_of_labels_is_learnt(task):
    X, y = task
    labels = np.array(["down", "up"])
    y = labels[(y > 0).astype(int)]
    # Sorted, so that most batches have one class alone.
    order = np.argsort(y[:150], kind="stable")
    model = GRUClassifier(**LEARNS)
    for i in np.random.default_rng(0).integers(6, size=120):
        rows = order[i * 25 : (i + 1) * 25]
        model.partial_fit(X[rows], y[rows], classes=labels)
    assert model.score(X[150:], y[150:]) > 0.8


def test_a_stream_may_change_its_length(X):
    model = GRURegressor(**QUICK)
    model.partial_fit(X, X[:, -1, 0]).partial_fit(X[:7, :3], X[:7, -1, 0])
    model.partial_fit(X[:1], X[:1, -1, 0])
    assert model.n_iter_ == 3
    assert model.predict(X[:, :2]).shape == (24,)


@every_estimator
def test_partial_fit_goes_on_after_fit(estimator, X):
    y = X[:, -1, 0]
    y = np.where(y > 0, "up", "down") if is_classifier(estimator) else y
    model = quick(estimator).fit(X, y)
    before = model.predict(X) if is_regressor(estimator) else model.predict_proba(X)
    model.partial_fit(X[:10], y[:10])
    after = model.predict(X) if is_regressor(estimator) else model.predict_proba(X)
    assert model.n_iter_ == 3
    assert not np.array_equal(before, after)


def test_a_stream_is_the_fit_of_its_epochs(X):
    y = X[:, -1, 0]
    options = QUICK | dict(shuffle=False, epochs=3)
    fitted, streamed = GRURegressor(**options).fit(X, y), GRURegressor(**options)
    for _ in range(3):
        streamed.partial_fit(X, y)
    assert_same_network(fitted, streamed)


# Callbacks


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


# Optimizers


def test_an_instance_is_its_name_with_a_rate(X):
    y = X[:, -1, 0]
    named = RNNRegressor(optimizer="adam", learning_rate=0.02, **QUICK).fit(X, y)
    adam = keras.optimizers.Adam(0.02)
    config = adam.get_config()
    first = RNNRegressor(optimizer=adam, learning_rate=9.0, **QUICK).fit(X, y)
    second = RNNRegressor(optimizer=adam, **QUICK).fit(X, y)
    assert_same_network(first, second)
    # Compiled, while the named one runs by kernels.
    for a, b in zip(first._weights, named._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert not adam.built
    assert adam.get_config() == config
    assert second.get_params()["optimizer"] is adam


def test_an_optimizer_may_have_a_schedule(X):
    y = X[:, -1, 0]
    halving = keras.optimizers.schedules.ExponentialDecay(0.02, 1, 0.5)
    options = QUICK | dict(shuffle=False, batch_size=24)
    sgd = keras.optimizers.SGD(halving)
    scheduled = RNNRegressor(optimizer=sgd, **options).fit(X, y)
    by_hand = RNNRegressor(optimizer="sgd", warm_start=True, **options | {"epochs": 1})
    for rate in (0.02, 0.01):
        by_hand.set_params(learning_rate=rate).fit(X, y)
    for a, b in zip(scheduled._weights, by_hand._weights, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [RNNRegressor, Seq2SeqRegressor])
def test_averages_that_an_optimizer_takes_are_kept(kind, early_stopping, X):
    class Follow(keras.callbacks.Callback):
        averages = None

        def on_train_batch_end(self, batch, logs=None):
            now = self.model.get_weights()
            before = self.averages or now
            pairs = zip(before, now, strict=True)
            self.averages = [0.9 * a + 0.1 * b for a, b in pairs]

    follow = Follow()
    adam = keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9)
    options = QUICK | dict(epochs=4, batch_size=20, early_stopping=early_stopping)
    model = kind(optimizer=adam, callbacks=[follow], **options).fit(X, X[:, -1, 0])
    assert model.best_epoch_ == 4
    # All but the head, which the model has in units of y.
    kept = model.model_.get_weights()[:-2]
    for a, b in zip(kept, follow.averages[:-2], strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    adam = keras.optimizers.Adam(0.05)
    plain = kind(optimizer=adam, **options).fit(X, X[:, -1, 0])
    assert abs(plain._weights[0] - model._weights[0]).max() > 0.01


def test_an_optimizer_keeps_its_other_settings(X):
    y = X[:, -1, 0]
    options = QUICK | dict(clipnorm=None)
    plain = RNNRegressor(optimizer=keras.optimizers.SGD(0.1), **options).fit(X, y)
    heavy = keras.optimizers.SGD(0.1, momentum=0.9)
    other = RNNRegressor(optimizer=heavy, **options).fit(X, y)
    assert not np.allclose(plain.predict(X), other.predict(X))


# Other methods


@every_estimator
def test_states_are_those_of_the_keras_layer(estimator, X):
    y = X[:, -1, 0] > 0
    model = quick(estimator).fit(X, y)
    states = model.transform(X)
    assert states.shape == (24, 3)
    assert states.dtype == np.float64
    layer = getattr(keras.layers, CELLS[model.cell].keras_layer)(3)
    layer.build((None, None, 2))
    layer.set_weights(model._weights[: len(layer.weights)])
    np.testing.assert_allclose(layer(X.astype("f4")), states, **CLOSE)
    names = model.get_feature_names_out()
    prefix = name_of(estimator).lower()
    assert names.tolist() == [f"{prefix}{i}" for i in range(3)]


def test_states_of_both_directions_stand_side_by_side(ragged):
    y = [x[-1, 0] for x in ragged]
    model = GRURegressor(bidirectional=True, **QUICK | dict(units=(2, 3)))
    states = model.fit(ragged, y).transform(ragged)
    assert states.shape == (24, 6)
    assert len(model.get_feature_names_out()) == 6


MODELS = {
    "a number": (LSTMRegressor, {}, lambda X: 5 * X[:, -1, 0] + 100),
    "numbers": (GRURegressor, dict(units=(2, 3)), lambda X: 5 * X[:, -1] + [0, 99]),
    "filtered": (RNNRegressor, dict(return_sequences=True), lambda X: X[:, :, 0]),
    "two classes": (GRUClassifier, dict(bidirectional=True), lambda X: X[:, 0, 0] > 0),
    "tags": (
        SequenceClassifier,
        dict(return_sequences=True, attention="multihead", layer_norm=True),
        lambda X: np.digitize(X[:, :, 0], [-0.5, 0.5]),
    ),
    "attended": (
        SequenceRegressor,
        dict(attention="additive", dense_units=4, dropout=0.5, bidirectional=True),
        lambda X: X[:, 0],
    ),
}


@pytest.mark.parametrize("key", MODELS)
def test_keras_model_is_the_fitted_one(key, X, tmp_path):
    estimator, options, target = MODELS[key]
    model = estimator(**QUICK | options).fit(X, target(X))
    expected = predicted_by(model, X)
    assert isinstance(model.model_, keras.Model)
    assert model.model_ is model.model_
    found = model.model_.predict(X, verbose=0)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-4)
    model.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), found)


def predicted_by(model, X):
    if is_regressor(model):
        return model.predict(X)
    probabilities = model.predict_proba(X)
    return probabilities if len(model.classes_) > 2 else probabilities[..., 1:]


def test_keras_model_of_tokens(tmp_path):
    X = np.random.default_rng(0).integers(1, 9, (24, 5))
    model = GRUClassifier(embedding_dim=2, **QUICK).fit(X, X[:, 0] % 3)
    model.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded(X), model.predict_proba(X), **CLOSE)


def test_keras_model_follows_the_next_fit(X):
    y = X[:, -1, 0]
    model = GRURegressor(warm_start=True, **QUICK).fit(X, y)
    before = model.model_
    model.fit(X, y)
    assert model.model_ is not before
    found = model.model_(X.astype("f4")).numpy().ravel()
    np.testing.assert_allclose(found, model.predict(X), **CLOSE)


def test_changing_the_keras_model_leaves_the_estimator_alone(X):
    model = GRURegressor(**QUICK).fit(X, X[:, -1, 0])
    before = model.predict(X)
    model.model_.set_weights([0 * w for w in model.model_.get_weights()])
    np.testing.assert_array_equal(model.predict(X), before)


# Scores of steps


def test_score_of_steps_is_over_all_of_them_at_once(X, ragged):
    model = quick(RNNRegressor(), return_sequences=True)
    Y = X + X[:, ::-1]
    score = model.fit(X, Y).score(X, Y)
    expected = r2_score(Y.reshape(-1, 2), model.predict(X).reshape(-1, 2))
    np.testing.assert_allclose(score, expected)
    y = [x[:, 0] for x in ragged]
    score = model.fit(ragged, y).score(ragged, y)
    expected = r2_score(np.concatenate(y), np.concatenate(model.predict(ragged)))
    np.testing.assert_allclose(score, expected)


def test_score_of_tags_is_over_real_tokens():
    rng = np.random.default_rng(0)
    X = [rng.integers(1, 5, n) for n in rng.integers(1, 7, 24)]
    tags = [ids % 2 for ids in X]
    model = RNNClassifier(embedding_dim=2, return_sequences=True, **QUICK)
    model.fit(X, tags)
    predicted = np.concatenate(model.predict(X))
    expected = accuracy_score(np.concatenate(tags), predicted)
    assert model.score(X, tags) == expected
    padded, padded_tags = np.zeros((2, 24, 9), int)
    for row, ids in enumerate(X):
        padded[row, 1 : 1 + len(ids)] = ids
        padded_tags[row, 1 : 1 + len(ids)] = tags[row]
    assert model.score(padded, padded_tags) == expected


def test_weights_of_sequences_count_in_scores_of_steps(ragged):
    y = [x[:, 0] for x in ragged]
    model = quick(RNNRegressor(), return_sequences=True).fit(ragged, y)
    weights = np.arange(24)
    by_step = np.repeat(weights, [len(x) for x in ragged])
    truth, predicted = np.concatenate(y), np.concatenate(model.predict(ragged))
    expected = r2_score(truth, predicted, sample_weight=by_step)
    found = model.score(ragged, y, sample_weight=weights)
    np.testing.assert_allclose(found, expected)


# The line that tells how training goes


class Terminal(io.StringIO):
    def isatty(self):
        return True


def screen(text):
    """Return the lines that a terminal shows after `text`."""
    lines = []
    for line in text.split("\n"):
        cells = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


@pytest.fixture
def clock(monkeypatch):
    """Let one second pass whenever the clock is looked at."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


def shown(stream, n_epochs=100, verbose=1, message=""):
    progress = Progress("GRURegressor", n_epochs, verbose, stream)
    for epoch in range(1, n_epochs + 1):
        logs = {"loss": 10.0**-epoch, "val_loss": 0.5}
        progress.show(epoch, 0.5, {"loss": 0.12345})
        progress.show(epoch, 1, logs)
    progress.close(message)
    return stream.getvalue()


def test_a_log_gets_about_ten_whole_lines(clock):
    text = shown(io.StringIO())
    assert "\r" not in text
    lines = text.splitlines()
    assert 10 <= len(lines) <= 12
    assert all(line == line.strip() != "" for line in lines)
    pattern = r"GRURegressor \[#*\.*\] epoch \d+/100  loss \S+  val_loss 0.5  \d+:\d\d"
    assert all(re.match(pattern, line) for line in lines)
    assert "epoch 1/100" in lines[0]
    assert lines[0].endswith(" left")
    assert "epoch 100/100" in lines[-1]
    assert text.endswith("\n")


def test_a_log_gets_a_line_for_each_epoch_if_asked(clock):
    assert len(shown(io.StringIO(), n_epochs=30, verbose=2).splitlines()) == 30


def test_nothing_is_said_unasked(clock):
    assert shown(io.StringIO(), verbose=0) == shown(Terminal(), verbose=0) == ""


def test_a_terminal_sees_one_line_without_leftovers(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = shown(Terminal())
    assert text.count("\n") == 1
    last, rest = screen(text)
    assert rest == ""
    assert last == text.split("\r")[-1].strip()
    assert "epoch 100/100" in last


def test_a_line_never_outgrows_its_terminal(clock, monkeypatch):
    for columns in (80, 40, 20):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = re.split(r"[\r\n]", shown(Terminal()))
        assert max(map(len, lines)) < columns
    monkeypatch.setenv("COLUMNS", "80")
    assert "loss" in screen(shown(Terminal()))[0]


def test_a_notebook_sees_one_line(clock):
    module = {"__module__": "ipykernel.iostream", "isatty": lambda self: False}
    stream = type("OutStream", (io.StringIO,), module)()
    text = shown(stream)
    assert text.count("\n") == 1
    assert len(screen(text)[0]) > 60


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_how_training_ended_is_said_last(stream, clock):
    text = shown(stream(), message="stopped after epoch 7")
    assert text.endswith("stopped after epoch 7\n")


def test_time_left_is_in_proportion(monkeypatch):
    now = iter([0.0, 30.0, 30.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    Progress("x", 4, 2, stream).show(1, 1, {"loss": 1.0})
    assert stream.getvalue().endswith("1:30 left\n")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (61.2, "1:01"), (3600, "1:00:00")]
)
def test_durations(seconds, text):
    assert progress._duration(seconds) == text


def test_verbose_fits_tell_of_themselves(X, capsys):
    options = QUICK | dict(epochs=30, early_stopping=True, verbose=1)
    RNNRegressor(**options).fit(X, X[:, 0, 0])
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert 5 <= len(lines) <= 13
    assert all(" loss " in line and " val_loss " in line for line in lines[:-1])
    RNNRegressor(**QUICK).fit(X, X[:, 0, 0])
    assert capsys.readouterr().err == ""
