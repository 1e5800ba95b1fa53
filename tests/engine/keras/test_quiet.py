"""What is seen on the standard error stream where TensorFlow is loaded by us."""

import os
import subprocess
import sys

import pytest

KERAS_BY_FIT = """
import numpy as np
from skrnn import GRURegressor
X = np.zeros((8, 3, 1))
GRURegressor(units=2, epochs=1, engine="keras").fit(X, X[:, 0, 0])
"""
SCIKERAS = "from skrnn.scikeras import KerasRegressor"


def stderr_of(code):
    given = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    run = [sys.executable, "-c", code]
    options = dict(capture_output=True, text=True, env=given)
    done = subprocess.run(run, **options)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("code", [KERAS_BY_FIT, SCIKERAS], ids=["fit", "scikeras"])
def test_tensorflow_does_not_greet(code):
    assert stderr_of(code) == ""


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
    assert stderr_of(code).splitlines() == expected
