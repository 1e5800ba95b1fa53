"""Whatever is passed: it works, or an error names what was passed, and nothing changes.

Each case is a recipe that prints what makes it again. ``FUZZ_SECONDS`` sets for how
long is tried; then the cases differ from run to run.
"""

import os
import pickle
import time
from collections import Counter
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from _fuzz_rules import ALLOWED, Broken, assert_unchanged, attempt, contents, state
from _fuzz_subjects import SUBJECTS, cases, heavy, made
from _instances import public_estimators
from hypothesis import HealthCheck, Phase, given, seed, settings
from sklearn.base import clone

import skrnn

SECONDS = float(os.environ.get("FUZZ_SECONDS", 0))
LOG = os.environ.get("FUZZ_LOG")
CASES = int(os.environ.get("FUZZ_CASES", 25))
QUICKLY = settings(
    max_examples=CASES,
    database=None,
    derandomize=not SECONDS,
    # The recipe itself is short; to find a shorter one takes long.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    # `checkpoint_path` may be any text.
    monkeypatch.chdir(tmp_path)


def names_in(case, call=None):
    """Name what a user passed: an error has to name one of it."""
    cls = subject_of(case).made
    names = {cls.__name__, *case.params}
    names |= set(getattr(cls, "_parameter_constraints", {}))
    if not hasattr(cls, "fit"):
        names |= set(signature(cls).parameters)
    for each in case.calls if call is None else (call,):
        names |= {each.method, *each.arguments}
    # The sequences of X are called texts too.
    return names | {"X", "y"} if "X" in names or "y" in names else names


def subject_of(case):
    return SUBJECTS.get(case.subject) or heavy()[case.subject]


def run_case(case):
    """Do what a case says, and judge it."""
    subject = subject_of(case)
    if not hasattr(subject.made, "fit"):
        return _run_function(case, subject.made)
    estimator, error = attempt(subject.made, names_in(case), **case.params)
    if error is not None:
        return ["refused"]
    said = []
    for call in case.calls:
        # A method may not be there for this estimator: that is AttributeError's.
        if not _has(estimator, call.method):
            said.append("not there")
            continue
        said.append(_run_call(case, estimator, call))
    return said


def _has(estimator, method):
    try:
        return hasattr(estimator, method)
    except ALLOWED:
        return False


def _run_function(case, function):
    (call,) = case.calls
    arguments = {name: made(value) for name, value in call.arguments.items()}
    if isinstance(function, type):
        # A splitter, whose rows are drawn one after the other.
        splitter, error = attempt(function, names_in(case), **case.params)
        if error is not None:
            return ["refused"]

        def function(**given):
            return list(splitter.split(**given))

    _, error = attempt(function, names_in(case), **arguments)
    return ["works" if error is None else "refused"]


def _run_call(case, estimator, call):
    arguments = {name: made(value) for name, value in call.arguments.items()}
    passed = {name: contents(value) for name, value in arguments.items()}
    before = state(estimator)
    method = getattr(estimator, call.method)
    result, error = attempt(method, names_in(case, call), **arguments)
    if error is not None:
        try:
            assert_unchanged(before, estimator, call.method)
        except Broken:
            # A fit that went well stays, although what comes after it failed.
            if call.method not in ("fit_transform", "fit_predict"):
                raise
            _judge_whole_fit(case, estimator, arguments)
        return "refused"
    for name, value in arguments.items():
        if contents(value) != passed[name]:
            raise Broken(f"{call.method} changed {name}")
    _judge_result(case, call, result, arguments)
    if call.method in ("fit", "partial_fit", "update"):
        _judge_pickle(estimator)
    return "works"


def _judge_pickle(estimator):
    """Refuse a fit whose state can't be read again."""
    try:
        data = pickle.dumps(estimator)
    except Exception:
        # A parameter, such as a function without a name, can't be in a pickle.
        return
    try:
        pickle.loads(data)
    except Exception as error:
        raise Broken(f"a fit can't be read again: {error}") from error


def _judge_whole_fit(case, estimator, arguments):
    """Refuse a state that isn't what ``fit`` alone leaves."""
    alone = clone(estimator)
    rest = {"X": None, "texts": None, "y": None}
    given = {name: made(value) for name, value in arguments.items() if name in rest}
    _, error = attempt(alone.fit, names_in(case), **given)
    if error is not None or vars(alone).keys() != vars(estimator).keys():
        raise Broken(f"what fails after fit leaves {sorted(vars(estimator))}")


def _judge_result(case, call, result, arguments):
    if call.method not in ("predict", "predict_proba", "decision_function"):
        return
    X = arguments.get("X", arguments.get("texts"))
    # A list of probabilities has an item for each place of the outputs.
    of_pairs = subject_of(case).made is skrnn.Seq2SeqClassifier
    if of_pairs and call.method == "predict_proba":
        return
    if hasattr(X, "__len__") and not isinstance(X, str) and len(result) != len(X):
        raise Broken(f"{call.method} gives {len(result)} results for {len(X)} rows")
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        fill = getattr(call.arguments.get("X"), "fill", None)
        if fill == "normal" and not np.isfinite(result).all():
            raise Broken(f"{call.method} gives numbers that aren't finite")


def signature_of(error):
    """Tell findings apart: by what happened, and the line of ours where it did."""
    cause = error.__cause__
    trace = cause.__traceback__ if cause is not None else error.__traceback__
    where = "?"
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "/skrnn/" in name:
            where = f"{name.rpartition('/skrnn/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    kind = str(error).split(":")[0][:60]
    return f"{kind} [{where}]"


class Findings:
    """The shortest case of each thing that never may happen."""

    def __init__(self):
        self.cases, self.said = {}, Counter()

    def try_case(self, case):
        if LOG:
            # A crash of the interpreter leaves no other trace.
            Path(LOG).write_text(repr(case))
        try:
            self.said.update(run_case(case))
        except Broken as error:
            key, text = signature_of(error), f"{case}\n   {str(error)[:400]}"
            if len(text) < len(self.cases.get(key, text + " ")):
                self.cases[key] = text
                if LOG:
                    Path(LOG + ".found").write_text(str(self))

    def __str__(self):
        lines = (f"{key}\n   {text}" for key, text in sorted(self.cases.items()))
        return f"{dict(self.said)}\n" + "\n".join(lines)


@pytest.mark.skipif(bool(SECONDS), reason="the long form runs")
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_short_fuzz_finds_nothing(name):
    findings = Findings()

    @QUICKLY
    @given(cases(SUBJECTS[name]))
    def fuzz(case):
        findings.try_case(case)

    fuzz()
    assert not findings.cases, str(findings)
    # Most cases aren't refused for their parameters alone.
    is_fitted = hasattr(SUBJECTS[name].made, "fit")
    assert findings.said["works"] >= 1 or not is_fitted


@pytest.mark.skipif(not SECONDS, reason="needs FUZZ_SECONDS")
@pytest.mark.timeout(0)
def test_a_long_fuzz_finds_nothing():
    findings, until = Findings(), time.monotonic() + SECONDS
    first = number = int(time.time())
    while time.monotonic() < until:
        for subject in [*SUBJECTS.values(), *heavy().values()]:
            number += 1
            is_heavy = subject.name not in SUBJECTS
            how = settings(QUICKLY, max_examples=2) if is_heavy else QUICKLY

            @seed(number)
            @how
            @given(cases(subject))
            def fuzz(case):
                findings.try_case(case)

            fuzz()
    print(number - first, "rounds of", CASES, findings)
    assert not findings.cases, str(findings)


def test_every_public_estimator_is_fuzzed():
    fuzzed = {subject.made for subject in [*SUBJECTS.values(), *heavy().values()]}
    assert not public_estimators() - fuzzed
