"""Classes and functions of a user's script, which Keras finds by no name."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from _instances import in_new_process
from _own_classes import CASES, TAKEN, ExponentialDecay, Falling, relu

from skrnn._engine.keras.foreign.optimizers import copy_of_optimizer, optimizer_key
from skrnn.scikeras.engine.keys import NotTakenError, architecture_key

SCRIPT = Path(__file__).with_name("_own_classes.py")
# The others are the same to Keras; that they are left to it is asked below.
RUN = "layer", "layer called Dense", "layer of a class in a class", "cell"
RUN += "activation called relu", "lambda", "operation", "loss", "optimizer called SGD"
RUN += "schedule", "schedule called ExponentialDecay", "callback", "model of layers"
SOME = "layer", "cell", "schedule"
# Code that makes a script ``__main__``, and what of it is run.
WAYS = {
    "python script.py": (
        f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')",
        RUN,
    ),
    # In a notebook, too, classes are in no file.
    "python -c": (SCRIPT.read_text(), SOME),
}


in_one_worker = pytest.mark.xdist_group("own_classes")


@pytest.fixture(scope="module", params=WAYS)
def told(request):
    """Run the script; return what it says."""
    code, names = WAYS[request.param]
    return json.loads(in_new_process(code, *names).splitlines()[-1])


@in_one_worker
def test_all_are_trained_as_by_plain_scikeras(told):
    for name, (engine, away, epochs) in told["found"].items():
        assert away < 2e-5, name
        assert epochs[0] == epochs[1], name
        assert (engine == "skrnn") == (name in TAKEN), name


@in_one_worker
def test_a_class_that_is_defined_again_is_another_one(told):
    assert min(told["moved"]) > 0.01


def test_the_script_has_all_of_them():
    assert len(CASES) == 31
    assert set(CASES) >= {*TAKEN, *RUN, *SOME}


# The same in a module


@pytest.mark.parametrize("name", sorted(set(CASES) - TAKEN))
def test_what_is_not_keras_own_is_known_by_the_object(name):
    make, options = CASES[name]
    if set(options) - {"loss"}:
        pytest.skip("it is compiled, and no part of the network")
    with pytest.raises(NotTakenError):
        architecture_key(make())


def test_what_an_instance_was_given_is_seen():
    model = CASES["loss"][0]()
    assert architecture_key(model)
    layer = model.layers[-1]
    layer.call = lambda x: 2 * type(layer).call(layer, x)
    with pytest.raises(NotTakenError, match="isn't Keras' own"):
        architecture_key(model)


def test_functions_of_tensorflow_that_keras_has_too():
    import tensorflow as tf

    def built(activation):
        dense = keras.layers.Dense(2, activation=activation)
        return keras.Sequential([keras.Input((3,)), dense])

    assert architecture_key(built(tf.nn.relu)) == architecture_key(built("relu"))
    with pytest.raises(NotTakenError, match="relu isn't Keras' own"):
        architecture_key(built(relu))


def test_copies_of_optimizers_keep_their_schedule():
    for schedule in (Falling(), ExponentialDecay(0.1, 1, 0.9)):
        optimizer = keras.optimizers.SGD(schedule, momentum=0.5)
        copied = copy_of_optimizer(optimizer)
        assert copied is not optimizer
        assert copied.momentum == 0.5
        assert float(copied.learning_rate) == float(schedule(0))


def test_keys_of_optimizers_tell_schedules_apart():
    def key(schedule):
        return optimizer_key(keras.optimizers.SGD(schedule))

    def own():
        return type("Falling", (Falling,), {})

    plain = keras.optimizers.schedules.ExponentialDecay
    assert key(plain(0.1, 1, 0.9)) == key(plain(0.1, 1, 0.9))
    assert key(plain(0.1, 1, 0.9)) != key(plain(0.1, 1, 0.8))
    assert key(plain(0.1, 1, 0.9)) != key(ExponentialDecay(0.1, 1, 0.9))
    assert key(own()()) != key(own()())
    assert np.isfinite(hash(key(Falling())))
