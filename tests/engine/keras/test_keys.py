"""Keys of losses: equal for what computes the same, and for nothing else."""

import functools
import types

import keras
import numpy as np
import pytest

from skrnn import GRURegressor
from skrnn._engine import programs
from skrnn._engine.keras.foreign.keys import value_key
from skrnn.scikeras import KerasRegressor
from skrnn.scikeras.engine import training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 4, 2)).astype(np.float32)
Y = X[:, -1, 0]

SOURCE = """
import keras
settings = types.SimpleNamespace(scale=SCALE)
module = types.ModuleType("own")
module.scale = SCALE
table = {"scale": [SCALE]}
array = np.full(3, SCALE)

def scaled(y, z):
    return SCALE * keras.ops.square(y - z)

def by_another(y, z):
    return scaled(y, z)

def inside(y, z):
    return (lambda: scaled(y, z))()

def of_an_object(y, z):
    return settings.scale * scaled_plainly(y, z)

def of_a_module(y, z):
    return module.scale * scaled_plainly(y, z)

def of_a_table(y, z):
    return table["scale"][0] * scaled_plainly(y, z)

def of_an_array(y, z):
    return array[0] * scaled_plainly(y, z)

def scaled_plainly(y, z):
    return keras.ops.square(y - z)

def closing(scale=SCALE):
    return lambda y, z: scale * keras.ops.square(y - z)

closed = closing()

def of_a_default(y, z, scale=SCALE):
    return scale * keras.ops.square(y - z)

partial = functools.partial(of_a_default, scale=SCALE)

class Own(keras.losses.Loss):
    def call(self, y, z):
        return scaled(y, z)

class Given(keras.losses.Loss):
    def __init__(self, scale=SCALE, **options):
        super().__init__(**options)
        self.scale = scale

    def call(self, y, z):
        return self.scale * keras.ops.square(y - z)

own, given = Own(), Given()
method = given.call

class Holder(keras.losses.Loss):
    def __init__(self, function, **options):
        super().__init__(**options)
        self.function = function

    def call(self, y, z):
        return self.function(y, z)

holding = Holder(scaled)
"""
LOSSES = [
    "scaled",
    "by_another",
    "inside",
    "of_an_object",
    "of_a_module",
    "of_a_table",
    "of_an_array",
    "closed",
    "of_a_default",
    "partial",
    "own",
    "given",
    "method",
    "holding",
]


def notebook(scale):
    """Run the source as a cell of a notebook."""
    space = {"SCALE": scale, "np": np, "types": types, "functools": functools}
    space["__name__"] = "__main__"
    exec(compile(SOURCE, "cell", "exec"), space)
    return space


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_loss_refers_to_is_in_its_key(name):
    one, other = notebook(1.0), notebook(2.0)
    assert value_key(one[name]) != value_key(other[name])


# The others have classes or modules in them, which are other ones then.
FUNCTIONS = ["scaled", "inside", "of_a_table", "of_an_array", "closed"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_cell_that_was_run_again_has_the_same_key(name):
    assert value_key(notebook(1.0)[name]) == value_key(notebook(1.0)[name])


def test_another_instance_has_the_same_key():
    space = notebook(1.0)
    for make in (space["Own"], space["Given"], lambda: space["Holder"](space["own"])):
        assert make().name != make().name
        assert value_key(make()) == value_key(make())
    assert value_key(space["Given"](2.0)) != value_key(space["Given"](3.0))
    assert value_key(keras.losses.Huber(0.1)) == value_key(keras.losses.Huber(0.1))
    assert value_key(keras.losses.Huber(0.1)) != value_key(keras.losses.Huber(0.2))


def test_a_variable_counts_by_its_identity():
    def closing(variable):
        return lambda y, z: variable * (y - z)

    one, other = keras.Variable(1.0), keras.Variable(1.0)
    key = value_key(closing(one))
    assert key != value_key(closing(other))
    one.assign(2.0)
    assert key == value_key(closing(one))


def test_what_cannot_be_known_equals_nothing():
    handle = iter(())

    def loss(y, z):
        return handle and y - z

    assert value_key(loss) != value_key(loss)


def test_a_function_that_calls_itself():
    def loss(y, z, depth=1):
        return loss(y, z, depth - 1) if depth else y - z

    assert value_key(loss) == value_key(loss)


# What follows from it


def build():
    layers = [keras.layers.SimpleRNN(2), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((None, 2)), *layers])


ESTIMATORS = {
    "wrapper": lambda loss: KerasRegressor(
        build, loss=loss, optimizer="sgd", verbose=0, random_state=0
    ),
    "own": lambda loss: GRURegressor(
        units=2, loss=loss, random_state=0, epochs=1, normalize_y=False
    ),
}
POOLS = {"wrapper": training.keras_programs, "own": programs}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_global_that_has_changed_is_seen(kind):
    space, make = notebook(1.0), ESTIMATORS[kind]
    first = make(space["scaled"]).fit(X, Y).history_["loss"][0]
    made = POOLS[kind].made
    again = make(space["scaled"]).fit(X, Y).history_["loss"][0]
    assert again == first
    assert POOLS[kind].made == made
    space["SCALE"] = 1000.0
    assert make(space["scaled"]).fit(X, Y).history_["loss"][0] > 10 * first


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_another_instance_compiles_nothing(kind):
    space, make = notebook(1.0), ESTIMATORS[kind]
    make(space["Given"]()).fit(X, Y)
    made = POOLS[kind].made
    make(space["Given"]()).fit(X, Y)
    assert POOLS[kind].made == made
