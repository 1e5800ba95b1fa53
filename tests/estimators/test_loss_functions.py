"""Losses that are functions or objects: each row has its own."""

import keras
import numpy as np
import pytest

from skrnn import LSTMRegressor, Seq2SeqRegressor

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


def of_first_axis(y_true, y_pred):
    return keras.ops.mean((y_true - y_pred) ** 2, axis=1) * len(y_true.shape)


def of_a_column(y_true, y_pred):
    return keras.ops.abs(y_true[:, 0] - y_pred[:, 0])


STEPS = {
    "steps": lambda **options: LSTMRegressor(
        **TINY, return_sequences=True, **options
    ).fit(RAGGED, RAGGED),
    "decoder": lambda **options: Seq2SeqRegressor(**TINY, **options).fit(
        RAGGED, X[:, :3]
    ),
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("loss", [of_first_axis, of_a_column])
@pytest.mark.parametrize("key", STEPS)
def test_both_engines_give_a_loss_function_rows(key, loss):
    on_cpu, on_keras = (STEPS[key](loss=loss, engine=e) for e in ("cpu", "keras"))
    found, expected = (model.history_["loss"] for model in (on_keras, on_cpu))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


NO_ROWS = {
    "the whole batch": lambda a, b: keras.ops.mean((a - b) ** 2),
    "each column": lambda a, b: keras.ops.mean((a - b) ** 2, axis=0),
    "half of the rows": lambda a, b: ((a - b) ** 2)[::2],
    "one axis more": lambda a, b: ((a - b) ** 2)[None],
}


# TensorFlow finds out that half of the rows lack while it runs, in words of its own.
ON_KERAS = [key for key in NO_ROWS if key != "half of the rows"]


@pytest.mark.parametrize(
    ("engine", "key"),
    [("cpu", key) for key in NO_ROWS] + [("keras", key) for key in ON_KERAS],
)
def test_a_loss_of_other_than_rows_is_refused(engine, key):
    model = LSTMRegressor(**TINY, loss=NO_ROWS[key], engine=engine)
    with pytest.raises(ValueError, match="loss must return a loss for each row"):
        model.fit(X, Y)


def test_a_changed_loss_object_is_compiled_again():
    loss = keras.losses.Huber(delta=1.0)
    first = LSTMRegressor(**TINY, loss=loss).fit(X, Y).history_["loss"]
    loss.delta = loss._fn_kwargs["delta"] = 0.01
    assert LSTMRegressor(**TINY, loss=loss).fit(X, Y).history_["loss"] != first
