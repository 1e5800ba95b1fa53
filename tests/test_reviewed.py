"""What a reviewer found once, so that it isn't found again."""

import os
import pickle
import warnings

import keras
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, cross_val_predict

from skrnn import LSTMClassifier, LSTMRegressor, RNNRegressor
from skrnn._engine import choice
from skrnn._engine.prediction import batches
from skrnn.preprocessing import SlidingWindow

TINY = dict(units=4, epochs=3, random_state=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 2)).astype(np.float32)
Y = X[:, -1, 0]
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]


def squared(y_true, y_pred):
    return (y_true - y_pred) ** 2


def absolute_of_rows(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("n_targets", [1, 3, 20])
@pytest.mark.parametrize(
    ("function", "name"),
    [(squared, "mean_squared_error"), (absolute_of_rows, "mean_absolute_error")],
)
def test_a_loss_function_trains_as_the_named_one(function, name, n_targets):
    y = RNG.normal(size=(20, n_targets)) if n_targets > 1 else Y
    weights = np.linspace(0.1, 2, 20)
    own = LSTMRegressor(**TINY, loss=function).fit(X, y, sample_weight=weights)
    named = LSTMRegressor(**TINY, loss=name).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(own.history_["loss"], named.history_["loss"], rtol=1e-5)
    np.testing.assert_allclose(own.predict(X), named.predict(X), rtol=1e-4, atol=1e-5)


def test_a_loss_function_works_for_ragged_steps():
    y = [x[:, 0] for x in RAGGED]
    parameters = TINY | {"return_sequences": True}
    own = LSTMRegressor(**parameters, loss=squared).fit(RAGGED, y)
    named = LSTMRegressor(**parameters, loss="mean_squared_error").fit(RAGGED, y)
    np.testing.assert_allclose(own.history_["loss"], named.history_["loss"], rtol=1e-5)


def test_a_loss_of_the_whole_batch_is_refused():
    model = LSTMRegressor(**TINY, loss=lambda a, b: keras.ops.mean((a - b) ** 2))
    with pytest.raises(ValueError, match="loss must return a loss for each row"):
        model.fit(X, Y)


def test_a_changed_loss_object_is_compiled_again():
    loss = keras.losses.Huber(delta=1.0)
    first = LSTMRegressor(**TINY, loss=loss).fit(X, Y).history_["loss"]
    loss.delta = loss._fn_kwargs["delta"] = 0.01
    assert LSTMRegressor(**TINY, loss=loss).fit(X, Y).history_["loss"] != first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process")  # Python warns of fork itself.
def test_a_forked_process_predicts_large_inputs(monkeypatch):
    monkeypatch.setattr(choice, "has_fast_layers", lambda *_: False)
    monkeypatch.setattr(batches, "SMALL", 0)
    model = LSTMRegressor(**TINY).fit(X, Y)
    expected = model.predict(X)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, pickle.dumps(model.predict(X)))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        found = pickle.loads(file.read())
    os.waitpid(child, 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_stream_that_starts_with_one_row_learns():
    X = RNG.normal(size=(60, 5, 1))
    y = 5000 + 1000 * X[:, -1, 0]
    model = LSTMRegressor(units=8, learning_rate=1e-2, random_state=0)
    model.partial_fit(X[:1], y[:1])
    for _ in range(60):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.9


def test_equally_long_lists_stay_ragged_in_a_fold():
    X = [[1.0, 2, 3], [1.0, 3, 2], [2.0, 1, 1], [1.0, 2], [4.0], [1.0, 2, 3, 4]]
    y = [np.array(x) * 2 for x in X]
    model = LSTMRegressor(**TINY, return_sequences=True).fit(X, y)
    assert model.predict(X[:2]).dtype == object
    predicted = cross_val_predict(model, X, y, cv=KFold(2))
    assert [len(p) for p in predicted] == [len(x) for x in X]


@pytest.mark.parametrize("data", [X, RAGGED], ids=["dense", "ragged"])
def test_two_dimensions_are_no_steps_of_two_features(data):
    model = LSTMRegressor(**TINY).fit(data, Y)
    with pytest.raises(ValueError, match="X has 1 features, but LSTMRegressor is"):
        model.predict(np.zeros((3, 2)))


def test_divergence_keeps_the_epoch_with_the_lowest_loss():
    model = RNNRegressor(
        units=4,
        epochs=200,
        learning_rate=3.0,
        clipnorm=None,
        optimizer="sgd",
        activation="linear",
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    assert model.best_epoch_ == 1 + int(np.argmin(model.history_["loss"]))


def test_warm_start_takes_another_kind_of_the_same_optimizer():
    model = LSTMRegressor(**TINY, warm_start=True)
    model.set_params(optimizer=keras.optimizers.SGD(0.01)).fit(X, Y)
    model.set_params(optimizer=keras.optimizers.SGD(0.01, momentum=0.9)).fit(X, Y)
    assert model.n_iter_ == 6


def test_history_keeps_every_kind_of_loss_for_every_epoch():
    model = LSTMRegressor(**TINY, early_stopping=True).fit(X, Y)
    model.partial_fit(X, Y)
    assert [len(losses) for losses in model.history_.values()] == [4, 4]
    assert np.isnan(model.history_["val_loss"][-1])


def test_attention_over_many_steps_is_cut_into_small_blocks():
    y = np.zeros((8, 300))
    model = LSTMRegressor(**TINY, attention="dot", return_sequences=True)
    long = RNG.normal(size=(8, 300, 1))
    model.fit(long, y)
    sequences = model._check_X(long, reset=False)
    one_by_one = batches._work(model._spec, sequences.lengths[:1])
    assert one_by_one > 300**2
    np.testing.assert_allclose(
        model.predict(long), np.concatenate([model.predict(x[None]) for x in long])
    )


def test_many_architectures_make_no_noise(caplog, capfd):
    for units in range(2, 8):
        LSTMRegressor(units=units, epochs=1).fit(X, Y)
    assert "retracing" not in caplog.text + capfd.readouterr().err


def test_windows_refuse_times():
    times = np.arange(4).astype("M8[D]")[:, None]
    with pytest.raises(ValueError, match="SlidingWindow expects numbers"):
        SlidingWindow(2).fit(times)


def test_the_state_holds_text_and_arrays_alone():
    state = LSTMRegressor(**TINY).fit(X, Y).__getstate__()
    assert isinstance(state["_spec"], str)
    assert all(isinstance(weight, np.ndarray) for weight in state["_weights"])


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_a_keras_model_with_attention_reads_one_step(attention):
    model = LSTMRegressor(**TINY, attention=attention).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.model_(X[:, :1]).numpy().ravel()
    np.testing.assert_allclose(found, model.predict(X[:, :1]), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "told"),
    {
        "labels": ((20, 3), r"take Seq2SeqClassifier\.$"),
        "one-hot": (
            (20, 3, 4),
            r"take Seq2SeqClassifier and, of a one-hot y, y\.argmax\(axis=2\)\.$",
        ),
        "one-hot steps": (
            (20, 5, 4),
            "For a value at each time step set return_sequences=True. For several "
            "labels one after the other take Seq2SeqClassifier",
        ),
    }.values(),
)
def test_sequences_of_labels_are_shown_to_their_estimator(shape, told):
    with pytest.raises(ValueError, match=told):
        LSTMClassifier(**TINY).fit(X, RNG.integers(0, 5, shape))
