"""What is seen on the standard error stream where TensorFlow is loaded by us."""

import json
import os
import subprocess
import sys

from test_backends import FIT, assert_only_loads
from test_private_names import LOADED

from skrnn._engine.keras import private

# Each loads TensorFlow, which takes seconds; so it answers what others want to know.
BY_FIT = f"""
import sys
import numpy as np
from skrnn import GRURegressor
X = np.zeros((8, 3, 1))
GRURegressor(units=2, epochs=1, engine="keras").fit(X, X[:, 0, 0])
print("fitted", file=sys.stderr)
{FIT}
"""
SCIKERAS = f"""{LOADED}
said.append(private.tensorflow_runs())
from skrnn.scikeras import KerasRegressor
print("imported", file=sys.stderr)
import keras
keras.layers.Dense(1)
said.append(private.tensorflow_runs())
keras.Variable([1.0])
said.append(private.tensorflow_runs())
print(json.dumps(said))
"""


def streams_of(code, *arguments):
    given = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    run = [sys.executable, "-c", code, *arguments]
    given["KERAS_BACKEND"] = "tensorflow"
    done = subprocess.run(run, capture_output=True, text=True, env=given)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_tensorflow_does_not_greet_in_a_fit_which_loads_no_other_backend():
    loaded, errors = streams_of(BY_FIT)
    assert errors == "fitted\n"
    assert_only_loads(set(loaded.split()), "tensorflow")


def test_importing_scikeras_does_not_greet_and_runs_nothing():
    said, errors = streams_of(SCIKERAS, private.__file__)
    assert errors.startswith("imported\n")
    assert json.loads(said) == [False, False, True]


def test_errors_and_what_is_asked_for_are_seen_and_nothing_is_left():
    code = """
import os, sys
from skrnn._engine.keras.quiet import quietly
os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)
with quietly():
    os.write(2, b"I0000 00:00:1.2 1 x.cc:1] a greeting\\nan error\\n")
    print("of Python", file=sys.stderr)
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
print("after", file=sys.stderr)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"
with quietly():
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"
    os.write(2, b"I0000 00:00:1.2 1 x.cc:1] asked for\\n")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
with quietly():
    os.write(2, b"I0000 00:00:1.2 1 x.cc:1] not asked for\\n")
assert os.environ.pop("TF_CPP_MIN_LOG_LEVEL") == "3"
try:
    with quietly():
        raise ImportError("no TensorFlow")
except ImportError:
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
os.close(2)
with quietly():
    pass
"""
    expected = ["an error", "of Python", "after", "I0000 00:00:1.2 1 x.cc:1] asked for"]
    assert streams_of(code)[1].splitlines() == expected
