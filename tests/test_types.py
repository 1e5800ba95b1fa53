"""What type checkers see of the package, installed in either way.

The script below is a user's. A comment tells what each checker has to say of a line:
``# an error``, ``# an error: pyright`` or ``# is: a type``; it must say nothing else.
"""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import _builds
import pandas as pd
import pytest
from _tables import LONG, covering
from test_structure import public_objects

pytestmark = [_builds.needs_setuptools, _builds.in_one_worker]

SCRIPT = """
import numpy as np
from typing_extensions import reveal_type

import skrnn
import skrnn.metrics
from skrnn import GRUClassifier, LSTMRegressor, Seq2SeqClassifier, SlidingWindow
from skrnn.forecasting import BacktestFrame, Forecaster, WindowSplit
from skrnn.forecasting import backtest, check_leakage
from skrnn.preprocessing import SequencePadder, TextSequencer
from skrnn.text import TextGenerator

X, y = np.zeros((8, 3, 2)), np.zeros(8)

# Constructors
model = LSTMRegressor(units=(8, 4), dropout=0.1, random_state=0)
reveal_type(model)  # is: LSTMRegressor
reveal_type(model.patience)  # is: int
LSTMRegressor(units=[8, 4], dense_units=[3])
LSTMRegressor(units=np.int64(3), dense_units=np.int64(3))
reveal_type(GRUClassifier(class_weight="balanced"))  # is: GRUClassifier
reveal_type(Seq2SeqClassifier(n_beams=2))  # is: Seq2SeqClassifier
reveal_type(SlidingWindow(3))  # is: SlidingWindow
reveal_type(TextSequencer())  # is: TextSequencer
reveal_type(TextGenerator(lookback=8))  # is: TextGenerator
reveal_type(skrnn.preprocessing.SlidingWindow(3))  # is: SlidingWindow
forecaster = Forecaster(model, horizon=3, lookback="auto", quantiles=(0.1, 0.9))
reveal_type(forecaster)  # is: Forecaster
reveal_type(forecaster.horizon)  # is: int
reveal_type(WindowSplit(3))  # is: WindowSplit
Forecaster(horizon="long")  # an error
Forecaster(n_members=None)  # an error
LSTMRegressor(units="many")  # an error
LSTMRegressor(dropout=None)  # an error
GRUClassifier(bidirectional="yes")  # an error
TextGenerator(lookback="long")  # an error
SlidingWindow("long")  # an error
TextSequencer(maxlen="long")  # an error
# mypy takes any name of a class whose bases it can't see: scikit-learn has no types.
LSTMRegressor(unit=8)  # an error: pyright
LSTMRegressor(32)  # an error: pyright

# Names
from skrnn import LSTM  # an error
skrnn.nonsense  # an error
reveal_type(skrnn.__version__)  # is: str
reveal_type(skrnn.show_versions())  # is: None
"""

METHODS = """
reveal_type(model.fit(X, y))  # is: LSTMRegressor
reveal_type(model.fit(X, y).predict(X))  # is: ndarray
reveal_type(GRUClassifier().fit(X, y).predict(X))  # is: ndarray
reveal_type(GRUClassifier().partial_fit(X, y, classes=[0, 1]))  # is: GRUClassifier
reveal_type(GRUClassifier().fit(X, y).predict_proba(X))  # is: ndarray
reveal_type(model.transform(X))  # is: ndarray
reveal_type(model.fit_transform(X, y))  # is: ndarray
reveal_type(model.score(X, y))  # is: float
reveal_type(SlidingWindow(3).fit(X[0]))  # is: SlidingWindow
reveal_type(SlidingWindow(3).fit(X[0]).transform(X[0]))  # is: ndarray
reveal_type(SequencePadder(4).fit_transform(X))  # is: ndarray
reveal_type(TextSequencer().fit_transform(["a text"]))  # is: ndarray
reveal_type(skrnn.make_supervised(y))  # is: tuple
reveal_type(TextGenerator().fit("a text"))  # is: TextGenerator
reveal_type(TextGenerator().fit(["a text"]).perplexity("a"))  # is: float
reveal_type(skrnn.metrics.token_accuracy_score([["a"]], [["a"]]))  # is: float
reveal_type(TextGenerator().generate("a", temperature=0))  # is: str
reveal_type(skrnn.metrics.span_f1_score([["O"]], [["O"]]))  # is: float
of_types = skrnn.metrics.span_f1_score([["O"]], [["O"]], average=None)
reveal_type(of_types)  # is: ndarray
TextGenerator().generate(max_new_tokens="many")  # an error
reveal_type(forecaster.fit(None, y))  # is: Forecaster
reveal_type(forecaster.fit(None, y).predict(X))  # is: ndarray
reveal_type(forecaster.predict_interval(X, coverage=0.8))  # is: ndarray
reveal_type(forecaster.update(None, y))  # is: Forecaster
reveal_type(forecaster.score(X, y))  # is: float
found = backtest(forecaster, None, y, horizon=3, coverage=0.8)
reveal_type(found)  # is: BacktestFrame
kept: BacktestFrame = found
reveal_type(found.summary(by="step"))  # is: DataFrame
reveal_type(check_leakage(forecaster, WindowSplit(3), X, y))  # is: LeakageReport
backtest(forecaster, None, y, horizon="long")  # an error
backtest(forecaster, None, y, refit="never")  # an error
forecaster.fit(None, y, weights=y)  # an error
model.fit(X, y, weights=y)  # an error
model.predict(None)  # an error
"""
CHECKERS = ["mypy", "pyright"]
every_way = pytest.mark.parametrize(
    ("checker", "installation"), covering(CHECKERS, _builds.WITHOUT_KERNELS)
)


@cache
def _script():
    path = _builds.here("script") / "script.py"
    path.write_text(SCRIPT + METHODS)
    return path


def expected(checker, text, first=1):
    """Return what a checker has to say: number of a line -> "error" or a type."""
    said = {}
    for number, line in enumerate(text.splitlines(), start=first):
        error = re.search(r"# an error(?:: (\w+))?$", line)
        if error and error[1] in (None, checker):
            said[number] = "error"
        if shown := re.search(r"# is: (.*)$", line):
            said[number] = shown[1]
    return said


@cache
def said(checker, installation):
    """Return what a checker says: number of a line -> what, errors as "error: ..."."""
    run = {"mypy": _mypy, "pyright": _pyright}[checker]
    found = {}
    for number, kind, message in run(_builds.python_with(installation)):
        message = message if kind == "information" else f"error: {message}"
        found[number] = f"{found[number]}\n{message}" if number in found else message
    return found


# What skrnn calls, or what calls it, and none of its annotations name: to read it
# takes mypy longer than all the rest.
UNREAD = """
[mypy]
[mypy-dask.*,distributed.*,hypothesis.*,jax.*,jaxlib.*,matplotlib.*,narwhals.*,polars.*]
follow_imports = skip
"""


def _mypy(python):
    (_script().parent / "mypy.ini").write_text(UNREAD)
    # Shared by both installations, if mypy sees both; to write it takes a while.
    kept = _script().parent / "mypy" if LONG else os.devnull
    options = ["--python-executable", python, "--cache-dir", kept, "--no-pretty"]
    command = [sys.executable, "-m", "mypy", *options, _script().name]
    for line in _output(command, _script().parent).splitlines():
        found = re.match(r"script\.py:(\d+): (note|error): (.*)", line)
        if found and found[2] == "error":
            yield int(found[1]), "error", found[3]
        elif found and "Revealed type is" in found[3]:
            yield int(found[1]), "information", found[3]


def _pyright(python):
    folder = Path(sys.executable).parent
    names = "basedpyright", "pyright"
    program = next(filter(None, (shutil.which(name, path=folder) for name in names)))
    settings = {"typeCheckingMode": "standard", "reportUnusedExpression": False}
    (_script().parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [program, "--pythonpath", python, "--outputjson", "--project", "."]
    report = json.loads(_output(command, _script().parent))
    for each in report["generalDiagnostics"]:
        line = each["range"]["start"]["line"] + 1
        if each["severity"] in ("error", "information"):
            yield line, each["severity"], each["message"]


def _output(command, folder):
    done = subprocess.run(
        command,
        cwd=folder,
        env=_builds.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def is_said(wanted, found):
    """Whether what a checker says of a line is what it has to say."""
    shown = re.fullmatch(r"(?:Type of .* is|Revealed type is) \"(.*)\"", found)
    if not shown:
        return wanted == found.partition(":")[0]
    kind = re.sub(r"^(\w+\.)+", "", shown[1]).lower()
    is_known = "unknown" not in kind and " | any" not in kind
    # Arrays have parameters of their own.
    return is_known and (
        kind == wanted.lower() or kind.startswith(f"{wanted.lower()}[")
    )


def differences(checker, installation, text, first):
    """List what a checker says that it shouldn't, or doesn't say that it should."""
    lines = text.splitlines()
    wanted, found = expected(checker, text, first), said(checker, installation)
    return [
        f"{line} -> {found.get(number)}"
        for number, line in enumerate(lines, start=first)
        if (number in wanted) != (number in found)
        or (number in wanted and not is_said(wanted[number], found[number]))
    ]


@every_way
def test_constructors_and_names_are_typed(checker, installation):
    assert not differences(checker, installation, SCRIPT, 1)


@every_way
def test_methods_are_typed(checker, installation):
    first = len(SCRIPT.splitlines()) + 1
    assert not differences(checker, installation, METHODS, first)


def lacks_annotations(name):
    """Whether a public function, class or method leaves what it takes or gives open."""
    found = resolve_name(name)
    if inspect.isclass(found) and issubclass(found, pd.DataFrame):
        # The constructor of a kind of frame is pandas' own.
        return False
    signature = inspect.signature(found)
    kinds = {k: each.annotation for k, each in signature.parameters.items()}
    kinds.pop("self", None)
    if inspect.isclass(found):
        # The constructors of scikeras' wrappers are scikeras' own.
        kinds.pop("kwargs", None)
        return inspect.Signature.empty in kinds.values()
    return inspect.Signature.empty in [*kinds.values(), signature.return_annotation]


def test_public_functions_classes_and_methods_are_annotated():
    assert not [name for name in sorted({*public_objects()}) if lacks_annotations(name)]
