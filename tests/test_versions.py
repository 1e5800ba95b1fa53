"""What `show_versions` tells, and how little it loads to find out."""

import re
import sys
from importlib.metadata import version

import pytest
from _instances import in_new_process
from _tables import covering

import skrnn
from skrnn._estimators import versions


def rows_of(text):
    """Return what stands behind each name."""
    found = re.findall(r"^ +([^:]+): (.*)$", text, re.MULTILINE)
    assert len(dict(found)) == len(found)
    return dict(found)


def test_it_tells_what_is_here(capsys):
    skrnn.show_versions()
    rows = rows_of(capsys.readouterr().out)
    assert rows["python"] == sys.version.replace("\n", " ")
    assert rows["skrnn"] == skrnn.__version__
    for package in ("numpy", "scikit-learn", "keras", "tensorflow", "scikeras"):
        assert rows[package] == version(package)
    assert rows["instructions"] in ("avx512", "avx2", "plain", "NumPy's")
    assert int(rows["threads"]) >= 1


def test_a_package_that_is_not_there_is_said_so(capsys, monkeypatch):
    monkeypatch.setattr(versions, "_PACKAGES", ("numpy", "no-such-package"))
    skrnn.show_versions()
    rows = rows_of(capsys.readouterr().out)
    assert rows["no-such-package"] == "not installed"


SHOW = """
import os, sys
if "without" in sys.argv:
    sys.modules["skrnn._engine.cpu.kernels._kernels"] = None
os.environ.update(KERAS_BACKEND=sys.argv[2], OMP_NUM_THREADS="1")
import skrnn
skrnn.show_versions()
print(" loaded:", *sys.modules)
"""
HEAVY = {"keras", "tensorflow", "jax", "torch", "scikeras", "sklearn", "pandas"}


@pytest.mark.parametrize(
    ("kernels", "backend"), covering(["with", "without"], ["tensorflow", "jax"])
)
def test_it_tells_what_computes_and_loads_none_of_it(kernels, backend):
    rows = rows_of(in_new_process(SHOW, kernels, backend))
    assert rows["Keras' backend"] == backend
    assert rows["threads"] == "1"
    assert (
        rows["kernels in C"].split(":")[0] == {"with": "yes", "without": "no"}[kernels]
    )
    reason = {
        "with": "yes",
        "without": "import of skrnn._engine.cpu.kernels._kernels halted",
    }
    assert reason[kernels] in rows["kernels in C"]
    assert (rows["instructions"] == "NumPy's") == (kernels == "without")
    assert not HEAVY & set(rows["loaded"].split())


def test_an_unknown_backend_is_said_to_be_so():
    rows = rows_of(in_new_process(SHOW, "with", "foo"))
    assert rows["Keras' backend"] == "foo (none of tensorflow, jax, torch)"


def test_the_instructions_are_those_that_are_used():
    kernels = pytest.importorskip("skrnn._engine.cpu.kernels._kernels")
    before = kernels.instructions()
    try:
        kernels.use("plain")
        assert kernels.instructions() == "plain"
    finally:
        kernels.use(before)
    assert kernels.instructions() == before
