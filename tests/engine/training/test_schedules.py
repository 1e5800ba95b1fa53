"""Learning rates that change from step to step: the same by every way of training."""

import re

import keras
import numpy as np
import pytest
from _instances import in_new_process, needs

from skrnn import GRUClassifier, GRURegressor, LSTMRegressor, Seq2SeqRegressor
from skrnn._engine import choice
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 2))
Y = X[:, -1, 0]
TEXT = "to be, or not to be"
RATE, EPOCHS = 0.1, 8
TINY = dict(units=3, learning_rate=RATE, epochs=EPOCHS, shuffle=False, random_state=0)
# One step an epoch: what can be taken by hand.
WAYS = {
    "steps in C": (GRURegressor, {}, (X, Y)),
    "tape": (GRURegressor, {"units": (3, 2), "optimizer": "rmsprop"}, (X, Y)),
    "labels": (GRUClassifier, {"optimizer": "sgd"}, (X, Y > 0)),
    "nadam": (GRURegressor, {"optimizer": "nadam"}, (X, Y)),
    "pairs": (Seq2SeqRegressor, {}, (X, X[:, :2, 0])),
    "pairs, nadam": (
        Seq2SeqRegressor,
        {"optimizer": "nadam"},
        (X, X[:, :2, 0]),
    ),
    "text": (TextGenerator, {"embedding_dim": 2, "lookback": 10}, ([TEXT],)),
}
every_way = pytest.mark.parametrize("way", WAYS)


def of_keras(name, n_steps=EPOCHS):
    made = keras.optimizers.schedules
    if name == "cosine":
        return made.CosineDecay(RATE, n_steps, alpha=0.01)
    return made.ExponentialDecay(RATE, n_steps, 0.01)


def estimator(way, **more):
    kind, options, data = WAYS[way]
    return kind(**TINY | {"batch_size": 24} | options | more), data


def assert_same(one, other, rtol=1e-5, atol=1e-6):
    for a, b in zip(one._weights, other._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol, atol)


@every_way
@pytest.mark.parametrize("name", ["cosine", "exponential"])
def test_each_step_has_its_rate(way, name):
    made, data = estimator(way, learning_rate_schedule=name)
    made.fit(*data)
    by_hand, _ = estimator(way, epochs=1, warm_start=True)
    for step in range(EPOCHS):
        rate = float(of_keras(name)(step))
        by_hand.set_params(learning_rate=rate).fit(*data)
    assert_same(made, by_hand)
    constant, _ = estimator(way)
    first = constant.fit(*data)._weights[0]
    assert abs(first - made._weights[0]).max() > 1e-3


@every_way
def test_an_object_of_keras_is_asked_at_each_step(way):
    named, data = estimator(way, learning_rate_schedule="cosine")
    # Its own rate counts.
    given = {"learning_rate_schedule": of_keras("cosine"), "learning_rate": 9.0}
    made, _ = estimator(way, **given)
    assert_same(made.fit(*data), named.fit(*data))
    assert (
        made.get_params()["learning_rate_schedule"] is given["learning_rate_schedule"]
    )


BATCHES = TINY | dict(batch_size=5, shuffle=True, learning_rate_schedule="cosine")


def test_batches_are_the_steps(monkeypatch):
    direct = LSTMRegressor(**BATCHES).fit(X, Y)
    n_steps = EPOCHS * 5
    given = BATCHES | dict(learning_rate_schedule=of_keras("cosine", n_steps))
    assert_same(LSTMRegressor(**given).fit(X, Y), direct)
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    assert_same(LSTMRegressor(**BATCHES).fit(X, Y), direct, 1e-3, 1e-4)


@pytest.mark.parametrize("options", [{}, {"optimizer": "nadam"}])
def test_callbacks_see_the_rate(options):
    seen = []
    listen = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: seen.append(float(made.model.optimizer.learning_rate))
    )
    made = listen
    fitted = GRURegressor(**BATCHES | options, callbacks=[listen]).fit(X, Y)
    last = [of_keras("cosine", EPOCHS * 5)(5 * n + 4) for n in range(EPOCHS)]
    np.testing.assert_allclose(seen, last, rtol=1e-5)
    assert_same(fitted, GRURegressor(**BATCHES | options).fit(X, Y))


def test_training_that_goes_on_begins_anew():
    options = TINY | dict(batch_size=24, learning_rate_schedule="cosine", epochs=4)
    made = GRURegressor(**options, warm_start=True).fit(X, Y).fit(X, Y)
    by_hand = GRURegressor(**options | dict(epochs=1), warm_start=True)
    by_hand.set_params(learning_rate_schedule=None)
    for step in (0, 1, 2, 3) * 2:
        rate = float(of_keras("cosine", 4)(step))
        by_hand.set_params(learning_rate=rate).fit(X, Y)
    assert_same(made, by_hand)


@pytest.mark.parametrize("way", ["steps in C", "nadam", "pairs", "text"])
def test_epochs_of_partial_fit_have_their_place_among_all(way):
    options = dict(learning_rate_schedule="exponential", epochs=3, warm_start=True)
    made, data = estimator(way, **options)
    whole, _ = estimator(way, **options)
    for _ in range(3):
        made.partial_fit(*data)
    assert_same(made, whole.fit(*data))
    # Then it stays at what is left.
    made.partial_fit(*data)
    end = dict(epochs=1, learning_rate=0.01 * RATE, learning_rate_schedule=None)
    whole.set_params(**end)
    assert_same(made, whole.fit(*data))


@pytest.mark.parametrize("rate", [0.01, 0.001])
@pytest.mark.parametrize("kind", [GRURegressor, Seq2SeqRegressor])
def test_a_callback_can_not_decide_as_well(kind, rate):
    other = keras.callbacks.LearningRateScheduler(lambda _: rate)
    made = kind(**BATCHES, callbacks=[other])
    with pytest.raises(ValueError, match="learning_rate_schedule='cosine' decides"):
        made.fit(X, Y)


@pytest.mark.parametrize("schedule", ["cosine", of_keras("cosine")])
def test_an_instance_has_its_own_rate(schedule):
    adam = keras.optimizers.Adam(0.01)
    made = GRURegressor(optimizer=adam, learning_rate_schedule=schedule)
    expected = f"learning_rate_schedule={schedule!r} is for an optimizer by name"
    with pytest.raises(ValueError, match=re.escape(expected)):
        made.fit(X, Y)


@pytest.mark.parametrize(
    "schedule", ["linear", 3, of_keras, keras.optimizers.schedules.CosineDecay]
)
def test_what_is_no_schedule_is_refused(schedule):
    made = LSTMRegressor(learning_rate_schedule=schedule)
    with pytest.raises(ValueError, match="The 'learning_rate_schedule' parameter"):
        made.fit(X, Y)


CODE = """
import sys
import numpy as np
from skrnn import GRURegressor
rng = np.random.default_rng(0)
X = rng.normal(size=(24, 5, 2))
made = GRURegressor(
    units=3, learning_rate=0.1, epochs=4, batch_size=5, random_state=0,
    learning_rate_schedule="cosine", global_clipnorm=0.3, clipnorm=0.25,
    loss="pinball", quantile=0.8,
).fit(X, X[:, -1, 0])
np.savez(sys.argv[1], *made._weights)
"""


@pytest.mark.parametrize(
    "backend", [pytest.param("jax", marks=pytest.mark.jax), "torch"]
)
def test_other_backends_take_the_same_steps(backend, tmp_path):
    needs(backend)
    in_new_process(CODE, tmp_path / "there.npz", KERAS_BACKEND=backend)
    here = {"__name__": "here"}
    arguments = CODE.replace("sys.argv[1]", repr(str(tmp_path / "here.npz")))
    exec(arguments, here)
    found, expected = (np.load(tmp_path / f"{n}.npz") for n in ("there", "here"))
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], 1e-3, 1e-4)
