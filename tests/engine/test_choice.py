"""One table decides what runs where; here it is walked through."""

import re

import numpy as np
import pytest

from skrnn import (
    GRUClassifier,
    LSTMRegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
)
from skrnn._engine import choice
from skrnn.text import TextGenerator

CELLS_OF_A_ROW = re.compile(r"  +")
X = np.random.default_rng(0).normal(size=(20, 4, 2)).astype(np.float32)


def rows_of_the_table():
    """Return the rows that the module's docstring shows: engine, kernels, backend."""
    _, _, body, _ = re.split(r"(?m)^=.*$", choice.__doc__)
    lines = body.strip().splitlines()
    return [CELLS_OF_A_ROW.split(line.strip()) for line in lines]


STATES = {"any": (True, False), "there": (True,), "not there": (False,)}
BACKENDS = {"any": (True, False), "another one": (False,)}


@pytest.mark.parametrize("row", rows_of_the_table(), ids=lambda row: "-".join(row))
def test_what_the_table_says_is_done(row, monkeypatch):
    engine, kernels, backend, runs = row
    engine = engine.strip('`"')
    choice._warn_without_kernels.cache_clear()
    for compiled in STATES[kernels]:
        for default in BACKENDS.get(backend, (True,)):
            monkeypatch.setattr(choice, "ARE_COMPILED", compiled)
            monkeypatch.setattr(choice, "is_default_backend", lambda d=default: d)
            monkeypatch.setattr(choice, "_warn_without_kernels", lambda: None)
            assert choice.choose(engine) == runs


def test_the_rules_are_the_rows_of_the_table():
    assert len(rows_of_the_table()) == len(choice.RULES)
    assert {rule.engine for rule in choice.RULES} == set(choice.ENGINES)


@pytest.mark.parametrize(
    ("compiled", "backend", "is_small", "engine", "runner"),
    [
        (True, "tensorflow", False, "auto", "kernels"),
        (True, "tensorflow", False, "keras", "compiled"),
        (True, "tensorflow", True, "keras", "kernels"),
        (True, "jax", False, "auto", "compiled"),
        (True, "jax", False, "cpu", "kernels"),
        (True, "jax", True, "auto", "kernels"),
        (False, "tensorflow", True, "auto", "reference"),
        (False, "tensorflow", False, "auto", "compiled"),
        (False, "tensorflow", False, "cpu", "reference"),
    ],
)
def test_what_predicts(compiled, backend, is_small, engine, runner, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(choice, "ARE_COMPILED", compiled)
    monkeypatch.setattr(choice, "is_default_backend", lambda: backend == "tensorflow")
    assert choice.predicts_on(is_small, engine) == runner


def test_a_forked_process_predicts_without_a_backend(monkeypatch):
    monkeypatch.setattr(choice, "is_forked", lambda: True)
    assert choice.predicts_on(is_small=False, engine="keras") == "kernels"


def test_without_kernels_one_warning_says_so(monkeypatch):
    choice._warn_without_kernels.cache_clear()
    monkeypatch.setattr(choice, "ARE_COMPILED", False)
    monkeypatch.setattr(choice, "WHY_NOT", "no compiler")
    with pytest.warns(UserWarning, match=r"without its kernels.*no compiler") as caught:
        assert choice.choose("auto") == choice.choose("auto") == "keras"
    assert len(caught) == 1
    # Who asks for an engine knows what it is.
    assert choice.choose("cpu") == "cpu"
    choice._warn_without_kernels.cache_clear()


ESTIMATORS = {
    "regressor": (LSTMRegressor, X, X[:, -1, 0]),
    "classifier": (GRUClassifier, X, X[:, -1, 0] > 0),
    "numbers": (Seq2SeqRegressor, X, X[:, :2, 0]),
    "labels": (Seq2SeqClassifier, ["ab", "ba"] * 10, ["ab", "ba"] * 10),
    "text": (TextGenerator, ["abc", "acb"] * 10, None),
}


@pytest.mark.parametrize("key", ESTIMATORS)
def test_engine_is_a_parameter_of_every_estimator(key):
    cls, data, y = ESTIMATORS[key]
    # `keras/test_estimators.py` trains each on both engines.
    assert cls().get_params()["engine"] == "auto"
    with pytest.raises(
        ValueError, match=r"'engine' parameter of .* must be a str among"
    ):
        cls(engine="gpu", units=3, epochs=2).fit(data, y)
