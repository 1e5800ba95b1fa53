"""What callbacks see, save and evaluate is a network in units of y."""

import keras
import numpy as np
import pytest
from _eager import uncompiled
from _tables import covering

from skrnn import (
    GRUClassifier,
    GRURegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceRegressor,
)

RNG = np.random.default_rng(0)
N = 24
X = RNG.normal(size=(N, 5, 2)).astype(np.float32)
Y = 1000 + 200 * X[:, -1, 0].astype(float)
BOTH = np.stack([Y, Y / 1000 + 3], axis=1)
STEPS = 50 + 10 * X.cumsum(axis=1)
FUTURE = RNG.normal(size=(N, 2, 3)).astype(np.float32)
BEFORE = np.stack([np.zeros(N), Y], axis=1)[..., None]
LABELS = RNG.integers(0, 3, (N, 2))
LABELS_BEFORE = np.column_stack([np.full(N, 3), LABELS[:, 0]])
TINY = dict(units=3, epochs=2, random_state=0, learning_rate=0.05)
PAIRS = np.stack([Y, Y + 3], axis=1)
# Estimator, its y, and what a model of Keras takes for the same.
KINDS = {
    "regressor": (GRURegressor, {}, Y, X, Y),
    "several targets": (GRURegressor, {}, BOTH, X, BOTH),
    "steps": (SequenceRegressor, {"return_sequences": True}, STEPS, X, STEPS),
    "not normalised": (GRURegressor, {"normalize_y": False}, Y / 1000, X, Y / 1000),
    "absolute error": (GRURegressor, {"loss": "mae"}, Y, X, Y),
    "Keras' loss": (GRURegressor, {"loss": keras.losses.LogCosh()}, Y, X, Y),
    "two classes": (
        GRUClassifier,
        {},
        np.where(Y > 1000, "b", "a"),
        X,
        1.0 * (Y > 1000),
    ),
    "three classes": (GRUClassifier, {}, LABELS[:, 0], X, LABELS[:, 0]),
    "labels": (GRUClassifier, {}, LABELS > 0, X, 1.0 * (LABELS > 0)),
    "pairs": (Seq2SeqRegressor, {}, PAIRS, [X, BEFORE], PAIRS[..., None]),
    "pairs, future": (
        Seq2SeqRegressor,
        {"bidirectional": True, "attention": None},
        PAIRS,
        [X, BEFORE, FUTURE],
        PAIRS[..., None],
    ),
    "pairs of labels": (Seq2SeqClassifier, {}, LABELS, [X, LABELS_BEFORE], LABELS),
}
# In C; by another formula; by Keras, a copy of it in each fit.
OPTIMIZERS = ["adam", "nadam", keras.optimizers.Nadam(TINY["learning_rate"])]
every_way = pytest.mark.parametrize(
    "optimizer", OPTIMIZERS, ids=["adam", "nadam", "keras"]
)


@pytest.fixture(autouse=True)
def step_by_step():
    """Let Keras evaluate step by step: it would compile each model for a second."""
    with uncompiled():
        yield


def fit(kind, callbacks, **more):
    cls, options, y, inputs, _ = KINDS[kind]
    known = {"future": FUTURE} if isinstance(inputs, list) and len(inputs) > 2 else {}
    made = cls(**TINY | options | more, callbacks=callbacks)
    return made.fit(X, y, **known)


def outputs(model, kind):
    return model(KINDS[kind][3]).numpy()


def close(one, other, rtol=1e-5):
    np.testing.assert_allclose(one, other, rtol, rtol * np.abs(other).max())


class Look(keras.callbacks.Callback):
    """Predict and evaluate after each epoch."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.seen, self.losses, self.logs = kind, [], [], []

    def on_epoch_end(self, epoch, logs=None):
        _, _, _, inputs, y = KINDS[self.kind]
        self.seen.append(outputs(self.model, self.kind))
        self.losses.append(self.model.test_on_batch(inputs, y))
        self.logs.append(logs["loss"])


@pytest.mark.parametrize(
    ("kind", "optimizer"),
    [(kind, "adam") for kind in KINDS]
    + covering(("regressor", "labels", "pairs, future"), OPTIMIZERS[1:]),
)
def test_callbacks_see_and_save_what_is_predicted(kind, optimizer, tmp_path):
    look, path = Look(kind), tmp_path / "last.keras"
    weights = tmp_path / "last.weights.h5"
    save = keras.callbacks.ModelCheckpoint
    saved = [save(path), save(weights, save_weights_only=True)]
    made = fit(kind, [look, *saved], optimizer=optimizer)
    expected = outputs(made.model_, kind)
    close(look.seen[-1], expected)
    assert np.abs(look.seen[0] - expected).max() > 1e-4
    loaded = keras.models.load_model(path)
    close(outputs(loaded, kind), expected)
    _, _, _, inputs, y = KINDS[kind]
    close(loaded.test_on_batch(inputs, y), look.losses[-1])
    other = fit(kind, None, optimizer=optimizer, epochs=1)
    other.model_.load_weights(weights)
    close(outputs(other.model_, kind), expected)
    # Nothing is trained otherwise by what was looked at.
    assert look.logs == made.history_["loss"]
    assert made.history_ == fit(kind, None, optimizer=optimizer).history_


@pytest.mark.parametrize("kind", ["regressor", "several targets", "steps"])
def test_what_is_saved_predicts_as_the_estimator_does(kind, tmp_path):
    path = tmp_path / "last.keras"
    made = fit(kind, [keras.callbacks.ModelCheckpoint(path)])
    loaded = outputs(keras.models.load_model(path), kind)
    close(loaded.reshape(made.predict(X).shape), made.predict(X))


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("regressor", lambda y, z: np.mean((y - z) ** 2)),
        ("absolute error", lambda y, z: np.mean(np.abs(y - z))),
        ("steps", lambda y, z: np.mean((y - z) ** 2)),
        ("pairs", lambda y, z: np.mean((y - z) ** 2)),
        ("two classes", lambda y, z: -np.mean(np.log(np.where(y, z, 1 - z)))),
    ],
)
def test_the_loss_is_evaluated_in_units_of_y(kind, loss):
    look = Look(kind)
    fit(kind, [look])
    y = KINDS[kind][4]
    for found, seen in zip(look.losses, look.seen, strict=True):
        close(found, loss(y, seen.reshape(y.shape).astype(float)), 1e-4)


@every_way
@pytest.mark.parametrize("kind", ["regressor", "pairs", "three classes"])
def test_weights_that_a_callback_sets_are_kept(kind, optimizer):
    class Set(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights([0.5 * weight for weight in weights])
            self.seen = outputs(self.model, kind)

    own = Set()
    made = fit(kind, [own], optimizer=optimizer)
    close(outputs(made.model_, kind), own.seen)
    plain = fit(kind, None, optimizer=optimizer)
    for a, b in zip(made._weights, plain._weights, strict=True):
        np.testing.assert_array_equal(a, 0.5 * b)


@pytest.mark.parametrize("kind", ["regressor", "pairs"])
def test_the_best_weights_are_restored(kind):
    look = Look(kind)
    stop = keras.callbacks.EarlyStopping(
        "loss", min_delta=9, patience=2, restore_best_weights=True
    )
    made = fit(kind, [look, stop], epochs=9)
    assert made.n_iter_ == 3
    close(outputs(made.model_, kind), look.seen[0])


@pytest.mark.parametrize("kind", ["regressor", "pairs"])
def test_a_backup_is_taken_up_again(kind, tmp_path):
    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.seen = outputs(self.model, kind)
            raise RuntimeError("on purpose")

    class First(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            # The first one is done.
            if epoch == 1:
                self.seen = outputs(self.model, kind)

    backup, fail, first = keras.callbacks.BackupAndRestore, Fail(), First()
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(kind, [backup(tmp_path / "b"), fail])
    fit(kind, [backup(tmp_path / "b"), first])
    close(first.seen, fail.seen)


def own_loss(y_true, y_pred):
    return keras.ops.mean(abs(y_true - y_pred), axis=-1)


class OwnLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return own_loss(y_true, y_pred)


@pytest.mark.parametrize("loss", [own_loss, OwnLoss(), lambda *ys: own_loss(*ys)])
def test_a_loss_of_ones_own_is_no_part_of_what_is_saved(loss, tmp_path):
    look, path = Look("absolute error"), tmp_path / "last.keras"
    save = keras.callbacks.ModelCheckpoint(path)
    made = fit("absolute error", [look, save], loss=loss)
    close(look.losses[-1], np.mean(np.abs(Y - made.predict(X))), 1e-4)
    loaded = keras.models.load_model(path)
    assert not loaded.compiled
    close(outputs(loaded, "regressor")[:, 0], made.predict(X))


@every_way
@pytest.mark.parametrize("kind", ["regressor", "pairs"])
def test_callbacks_decide_on_the_rate(kind, optimizer):
    rates, kept = [0.05, 0.01], []
    see = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: kept.append(float(see.model.optimizer.learning_rate))
    )
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    made = fit(kind, [scheduler, see], optimizer=optimizer, learning_rate=3.0)
    np.testing.assert_allclose(kept, rates)
    first = fit(kind, None, optimizer=optimizer, epochs=1)
    # One step an epoch: the second loss is that of weights after a step of 0.05.
    assert made.history_["loss"][0] == first.history_["loss"][0]
    second = fit(kind, None, optimizer=optimizer)
    assert made.history_["loss"][1] == second.history_["loss"][1]
