"""Losses as rows: each has its gradient, is Keras', and is all that is needed."""

import json
import re
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from _instances import in_new_process
from _network_cases import spec_of

import skrnn
from skrnn import (
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
)
from skrnn._engine import programs
from skrnn._engine.keras.foreign.losses import (
    LossOfArrays,
    loss_function,
    loss_in_keras,
)
from skrnn._estimators.docs.rows import rows_as_rst
from skrnn._networks.losses import LOSSES, loss_at_outputs, loss_of_head, row_of
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.specs import Head, NetworkSpec

VALUES = {"quantile": 0.8}
STEPS_IN_C = Path(skrnn.__file__).parent / "_engine/cpu/kernels/source/steps.h"
# Those of forecasts are in test_forecast_losses.py.
NAMED = [name for name, row in LOSSES.items() if row.targets != "forecasts"]
every_loss = pytest.mark.parametrize("name", NAMED)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(26, 5, 2))
Y = X[:, -1, 0]
TINY = dict(units=3, epochs=2, batch_size=8, learning_rate=0.05, random_state=0)


def head_of(name, n=3):
    row = LOSSES[name]
    loss = (name, *(VALUES[each] for each in row.parameters))
    return Head(n, row.activations[0], loss)


def draw(head, n=7, seed=0):
    """Return targets and outputs, some of which are equal, and some exactly 0."""
    rng = np.random.default_rng(seed)
    z = (3 * rng.normal(size=(n, head.units))).astype(np.float32)
    z[0] = 0
    y = rng.normal(size=z.shape)
    if head.activation == "softmax":
        return rng.integers(0, head.units, size=(n, 1)).astype(np.int32), z
    y = rng.integers(0, 2, size=z.shape) if head.activation == "sigmoid" else y
    y = y.astype(np.float32)
    if head.activation == "linear":
        y[1:2] = z[1:2]
    return y, z


# The rows


@pytest.mark.parametrize("table", [LOSSES, OPTIMIZERS], ids=["losses", "optimizers"])
def test_every_row_is_complete(table):
    for name, row in table.items():
        assert row.name == name
        assert callable(row.formula)
        assert row.description
        # They stand in one sentence, with semicolons between.
        assert ";" not in row.description
        assert re.fullmatch(r"[A-Z]\w+( & [A-Z]\w+| et al\.)?, \d{4}", row.source)
        plain = re.compile("[a-z0-9]+")
        assert all(plain.fullmatch(alias) for alias in row.aliases)
    spellings = [alias for row in table.values() for alias in row.aliases]
    assert len(spellings) == len(set(spellings))


def test_rows_of_losses_know_estimators_and_keras():
    for row in LOSSES.values():
        assert row.targets in ("numbers", "labels", "forecasts")
        assert row.activations
        for name in filter(None, [row.keras, row.keras_one_hot]):
            assert callable(getattr(keras.losses, name))
        if row.targets != "forecasts":
            assert all(hasattr(GRURegressor, each) for each in row.parameters)
        assert (row.predictions is None) == (row.of_predictions is None)
    for row in OPTIMIZERS.values():
        assert issubclass(
            getattr(keras.optimizers, row.keras), keras.optimizers.Optimizer
        )


def test_the_fused_step_has_the_losses_in_their_places():
    source = STEPS_IN_C.read_text()
    *first, n_losses = re.search(r"enum \{(.*?)\};", source, re.DOTALL)[1].split(",")
    places = {row.fused: row.name for row in LOSSES.values() if row.fused is not None}
    found = [places[i].removeprefix("mean_").upper() for i in range(len(places))]
    assert found == [name.strip() for name in first]
    assert n_losses.strip() == "N_LOSSES"


@every_loss
def test_gradients_are_those_of_the_formula(name):
    head = head_of(name)
    y, z = draw(head)
    row, values = row_of(head.loss)
    losses, gradients = loss_at_outputs(head)(y, z)
    z = z.astype(np.float64)
    np.testing.assert_allclose(losses, row.formula(np, y, z, *values), rtol=1e-5)
    step = 1e-6
    for column in range(z.shape[1]):
        up, down = z.copy(), z.copy()
        up[:, column] += step
        down[:, column] -= step
        difference = row.formula(np, y, up, *values)
        difference = (difference - row.formula(np, y, down, *values)) / (2 * step)
        # Where there is a corner, the mean of both sides isn't the answer.
        smooth = slice(None)
        if head.activation == "linear":
            smooth = np.abs(z[:, column] - y[:, column]) > 1e-3
        expected = gradients[smooth, column]
        np.testing.assert_allclose(difference[smooth], expected, rtol=1e-4, atol=1e-6)


@every_loss
def test_the_formula_is_that_of_keras_and_so_is_its_gradient(name):
    import tensorflow as tf

    head = head_of(name)
    y, z = draw(head)
    losses, gradients = loss_at_outputs(head)(y, z)
    formula, outputs = loss_function(None, head), tf.Variable(z)
    with tf.GradientTape() as tape:
        found = formula(tf.constant(y), outputs)
    np.testing.assert_allclose(found, losses, rtol=1e-5, atol=1e-6)
    slope = tf.convert_to_tensor(tape.gradient(found, outputs))
    np.testing.assert_allclose(slope, gradients, rtol=1e-5, atol=1e-6)
    predictions = keras.activations.get(head.activation)(tf.constant(z))
    compiled = keras.losses.get(loss_in_keras(None, head))
    y = y[:, 0] if head.activation == "softmax" else y
    np.testing.assert_allclose(
        compiled(tf.constant(y), predictions), losses, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_loss_that_keras_lacks_is_computed_from_predictions(activation, monkeypatch):
    head = Head(3, activation)
    y, z = draw(head)
    row = replace(LOSSES[head.loss], keras=None)
    monkeypatch.setitem(LOSSES, head.loss, row)
    predictions = keras.activations.get(activation)(keras.ops.convert_to_tensor(z))
    found = loss_in_keras(None, head)(keras.ops.convert_to_tensor(y), predictions)
    expected, _ = loss_at_outputs(head)(y, z)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


# The head


@every_loss
def test_a_head_survives_json_with_its_loss(name):
    spec = spec_of("gru", head=head_of(name))
    again = NetworkSpec.from_json(spec.to_json())
    assert again == spec
    assert hash(again) == hash(spec)
    assert json.loads(spec.to_json())["head"]["loss"]


def test_a_loss_changes_no_weight():
    one, other = (spec_of("gru", head=Head(1, loss=loss)) for loss in (None, "huber"))
    assert one != other
    assert one.changes_to(other) == []
    assert one.changes_to(replace(other, head=Head(2, loss="huber"))) != []


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("linear", "mse"),
        ("linear", "pinball"),
        ("linear", ("huber", 1.0)),
        ("linear", "binary_crossentropy"),
        ("sigmoid", "mean_squared_error"),
        ("softmax", ("pinball", 0.5)),
    ],
)
def test_a_head_refuses_a_loss_that_is_not_for_it(activation, loss):
    with pytest.raises(ValueError, match="loss"):
        loss_of_head(loss, activation)


def test_training_goes_on_with_another_loss():
    made = GRURegressor(**TINY, warm_start=True).fit(X, Y)
    made.set_params(loss="pinball", quantile=0.3).fit(X, Y)
    assert made._spec.head.loss == ("pinball", 0.3)
    made.set_params(loss=lambda y, z: abs(y - z)).fit(X, Y)
    assert made.n_iter_ == 6


# Losses of the user's own, on the cpu engine


@every_loss
def test_a_loss_of_keras_at_the_outputs_is_the_named_one(name):
    head = head_of(name)
    row, values = row_of(head.loss)
    own = getattr(keras.losses, row.keras or "", None)
    if own is None:
        own = lambda y, z: row.formula(keras.ops, y, z, *values)  # noqa: E731
    made = LossOfArrays(own, head)
    for n in (7, 1, 12):
        y, z = draw(head, n)
        losses, gradients = loss_at_outputs(head)(y, z)
        found, slopes = made(y, z)
        assert found.shape == (n,)
        np.testing.assert_allclose(found, losses, rtol=1e-4, atol=1e-6)
        # Keras' formulas have other sides of the corner.
        there = np.abs(z - y) > 0 if head.activation == "linear" else slice(None)
        np.testing.assert_allclose(slopes[there], gradients[there], 1e-4, 1e-5)


def test_a_loss_is_traced_once_for_any_number_of_rows():
    traces = []

    def own(y, z):
        traces.append(1)
        return keras.ops.square(y - z)

    made = LossOfArrays(own, Head(2))
    for n in (1, 5, 64, 2):
        made(*draw(Head(2), n))
    assert len(traces) == 1


def test_a_loss_without_a_gradient_is_refused():
    with pytest.raises(ValueError, match="it must depend on y_pred"):
        GRURegressor(**TINY, loss=lambda y, z: y).fit(X, Y)


# Networks that TensorFlow compiles in little time.
OWN = {
    "regressor": (LSTMRegressor, "huber", keras.losses.Huber, Y),
    "steps": (LSTMRegressor, "huber", keras.losses.Huber, X),
    "two": (LSTMClassifier, "auto", keras.losses.BinaryCrossentropy, Y > 0),
    "several": (
        LSTMClassifier,
        "auto",
        keras.losses.SparseCategoricalCrossentropy,
        np.digitize(Y, [-0.5, 0.5]),
    ),
}


@pytest.mark.parametrize("key", OWN)
def test_both_engines_train_on_a_loss_of_the_users_own(key):
    kind, name, loss, y = OWN[key]
    options = TINY | dict(return_sequences=key == "steps", dropout=0.0)
    named = kind(**options, loss=name).fit(X, y)
    direct = kind(**options, loss=loss()).fit(X, y)
    compiled = kind(**options, loss=loss(), engine="keras").fit(X, y)
    for a, b, c in zip(named._weights, direct._weights, compiled._weights, strict=True):
        np.testing.assert_allclose(b, a, 1e-3, 1e-4)
        np.testing.assert_allclose(c, a, 1e-3, 1e-4)


def test_a_loss_and_an_optimizer_of_ones_own_compile_no_network():
    before = programs.made
    made = GRURegressor(
        **TINY, loss=lambda y, z: (y - z) ** 4, optimizer=keras.optimizers.Muon(0.01)
    )
    made.fit(X, Y)
    kinds = {key[0] for key in programs._idle if isinstance(key[0], str)}
    assert programs.made == before + 2
    assert {"loss", "optimizer"} <= kinds


# A new row is all that is needed.

NEW_LOSS = """
import numpy as np
from skrnn._networks.losses import LOSSES, LossRow

def formula(ops, y, z):
    return ops.mean((z - y) ** 4, axis=-1)

def at_outputs(y, z):
    return ((z - y) ** 4).mean(axis=-1), 4 * (z - y) ** 3 / y.shape[1]

LOSSES["fourth_power"] = LossRow(
    name="fourth_power", targets="numbers", activations=("linear",), formula=formula,
    at_outputs=at_outputs, description="the fourth power of the error",
    source="Nobody, 2026", aliases=("quartic",),
)
"""
USE_LOSS = """
import pytest
from skrnn import LSTMRegressor, Seq2SeqRegressor
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 4, 1))
y = x[:, -1, 0]
options = dict(units=3, epochs=3, random_state=0, learning_rate=0.02)
made = LSTMRegressor(**options, loss="quartic").fit(x, y)
again = LSTMRegressor(**options, loss="FourthPower").fit(x, y)
other = LSTMRegressor(**options).fit(x, y)
assert (made.predict(x) == again.predict(x)).all()
assert (made.predict(x) != other.predict(x)).any()
Seq2SeqRegressor(**options, loss="fourth_power").fit(x, x[:, :2, 0])
for kind in (LSTMRegressor, Seq2SeqRegressor):
    assert '"fourth_power"' in kind.__doc__
    assert "the fourth power of the error" in " ".join(kind.__doc__.split())
    with pytest.raises(ValueError, match="Did you mean 'fourth_power'?"):
        kind(loss="forth_power").fit(x, y)
compiled = LSTMRegressor(**options, loss="fourth_power", engine="keras").fit(x, y)
np.testing.assert_allclose(compiled.predict(x), made.predict(x), 1e-3, 1e-4)
import keras
class Look(keras.callbacks.Callback):
    def on_train_end(self, logs=None):
        self.found = self.model.evaluate(x, y, verbose=0)
look = Look()
LSTMRegressor(**options, loss="fourth_power", callbacks=[look]).fit(x, y)
np.testing.assert_allclose(look.found, np.mean((made.predict(x) - y) ** 4), 1e-3)
"""
NEW_OPTIMIZER = """
import numpy as np
from skrnn._networks.optimizers import OPTIMIZERS, OptimizerRow, Slot

def formula(w, g, state, rate, step):
    (m,) = state
    m *= np.float32(0.9)
    m += g
    w -= rate * m

OPTIMIZERS["heavy_ball"] = OptimizerRow(
    name="heavy_ball", keras="SGD", formula=formula, state=(Slot(),),
    description="the gradient with momentum", source="Polyak, 1964",
    aliases=("momentum",),
)
"""
USE_OPTIMIZER = """
import pytest
import sys
from skrnn import GRURegressor, Seq2SeqRegressor
from skrnn.text import TextGenerator
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 4, 1))
options = dict(units=3, epochs=6, random_state=0, learning_rate=0.02)
for kind, data in [
    (GRURegressor, (x, x[:, -1, 0])),
    (Seq2SeqRegressor, (x, x[:, :2, 0])),
    (TextGenerator, ("abcab" * 9,)),
]:
    made = kind(**options, optimizer="momentum").fit(*data)
    assert made.history_["loss"][-1] < made.history_["loss"][0]
    half = kind(**options | dict(epochs=3), optimizer="HeavyBall", warm_start=True)
    half.set_params(shuffle=False).fit(*data).fit(*data)
    assert half.n_iter_ == 6
    assert '"heavy_ball"' in kind.__doc__
    assert "the gradient with momentum (Polyak, 1964)" in " ".join(kind.__doc__.split())
    with pytest.raises(ValueError, match="Did you mean 'heavy_ball'?"):
        kind(optimizer="heavy_bal").fit(*data)
assert "keras" not in sys.modules
"""


def test_a_new_row_is_all_that_is_needed():
    # One process. The optimizer comes first, as it doesn't load Keras.
    in_new_process(NEW_LOSS + NEW_OPTIMIZER + USE_OPTIMIZER + USE_LOSS)


def test_the_user_guide_shows_every_row():
    losses = {name: LOSSES[name] for name in NAMED}
    for table, rows in (("losses", losses), ("optimizers", OPTIMIZERS)):
        lines = "\n".join(rows_as_rst(table))
        assert len(rows_as_rst(table)) == 6 + 3 * len(rows)
        for row in rows.values():
            assert f'"{row.name}"' in lines
            assert row.description in lines
            assert row.source in lines


def test_losses_of_steps_of_a_decoder_are_those_of_the_head():
    made = Seq2SeqRegressor(**TINY, loss="mae").fit(X, X[:, :2, 0])
    assert made._spec.head.loss == "mean_absolute_error"


@pytest.mark.parametrize(
    ("kind", "name", "loss", "data"),
    [
        (Seq2SeqRegressor, "huber", keras.losses.huber, (X, X[:, :2, 0])),
        (
            Seq2SeqClassifier,
            "auto",
            keras.losses.SparseCategoricalCrossentropy(),
            (["ab", "ba", "bab"] * 6, ["ba", "a", "bb"] * 6),
        ),
    ],
)
def test_a_decoder_trains_on_a_loss_of_the_users_own(kind, name, loss, data):
    named, own = (kind(**TINY, loss=each).fit(*data) for each in (name, loss))
    for a, b in zip(named._weights, own._weights, strict=True):
        np.testing.assert_allclose(b, a, 1e-3, 1e-4)
