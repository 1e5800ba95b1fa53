"""Compiled functions are made once for each architecture, and few are kept."""

import ctypes
import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from _instances import assert_same_network
from _network_cases import pairwise
from _tables import LONG
from sklearn.model_selection import GridSearchCV, ParameterGrid
from tensorflow.python.framework.func_graph import FuncGraph

from skrnn import RNNClassifier, RNNRegressor, _engine
from skrnn._engine import choice
from skrnn._engine.keras.program_cache import ProgramCache
from skrnn._engine.prediction import batches

TINY = dict(units=2, epochs=2, random_state=0)


@pytest.fixture
def programs(monkeypatch):
    """Compile whatever is trained, and start without any compiled function."""
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    pool = ProgramCache(size=4)
    monkeypatch.setattr(_engine, "programs", pool)
    monkeypatch.setattr(batches, "_compiled", {})
    return pool


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).normal(size=(40, 4, 2))
    return X, X[:, -1, 0]


def idle(pool):
    return [item for items in pool._idle.values() for item in items]


# The pool


def test_an_object_is_lent_again():
    pool = ProgramCache(size=2)
    with pool.borrow("a", object) as first:
        pass
    with pool.borrow("a", object) as again:
        assert again is first
    assert pool.made == 1


def test_two_borrowers_get_an_object_each_and_both_come_back():
    pool = ProgramCache(size=2)
    with pool.borrow("a", object) as first, pool.borrow("a", object) as second:
        assert first is not second
    with pool.borrow("a", object) as one, pool.borrow("a", object) as other:
        assert {one, other} == {first, second}
    assert pool.made == 2


def test_an_object_comes_back_from_a_failure():
    pool = ProgramCache(size=2)
    with pytest.raises(KeyboardInterrupt), pool.borrow("a", object):
        raise KeyboardInterrupt
    assert len(idle(pool)) == 1


def test_what_was_not_used_for_longest_goes_first():
    pool = ProgramCache(size=2)
    for key in "aba":
        with pool.borrow(key, object):
            pass
    with pool.borrow("c", object):
        pass
    assert list(pool._idle) == ["a", "c"]
    assert pool.made == 3


def test_what_cannot_be_made_leaves_nothing():
    pool = ProgramCache(size=2)
    with pytest.raises(ZeroDivisionError), pool.borrow("a", lambda: 1 // 0):
        pass
    assert pool.made == len(idle(pool)) == 0


def test_threads_at_once_get_different_objects():
    pool, barrier = ProgramCache(size=8), threading.Barrier(4)

    def borrow():
        with pool.borrow("a", object) as item:
            barrier.wait(timeout=10)
            return item

    with ThreadPoolExecutor(4) as threads:
        items = [each.result() for each in [threads.submit(borrow) for _ in range(4)]]
    assert len(set(items)) == pool.made == 4


# What is compiled


def test_a_grid_compiles_one_training_and_one_prediction(programs, data, monkeypatch):
    monkeypatch.setattr(choice, "predicts_on", lambda *_: "compiled")
    X, y = data
    grid = {
        "learning_rate": [0.01, 0.1],
        "clipnorm": [None, 0.5],
        "global_clipnorm": [None, 0.5],
        "learning_rate_schedule": [None, "cosine"],
        "dropout": [0.1, 0.2],
        "batch_size": [4, 16],
    }
    for seed, parameters in enumerate(ParameterGrid(grid) if LONG else pairwise(grid)):
        model = RNNRegressor(**TINY | parameters | {"random_state": seed})
        n = 20 + seed
        model.fit(X[:n], y[:n]).predict(X)
        model.set_params(early_stopping=True).fit(X[:n, :3], y[:n])
    assert programs.made == 1
    (program,) = idle(programs)
    # One of training and one of evaluation.
    assert program.n_traces == 2
    assert len(batches._compiled) == 1
    (predictor,) = batches._compiled.values()
    assert predictor.n_traces == 1


def test_a_search_compiles_once_for_each_architecture(programs, data):
    X, y = data
    grid = {
        "units": [2, 3],
        "learning_rate": [0.01, 0.1],
        "class_weight": [None, "balanced"],
    }
    GridSearchCV(RNNClassifier(**TINY), grid, cv=2).fit(X, y > 0)
    assert programs.made == 2


def test_rates_of_optimizer_instances_share_a_program(programs, data):
    for rate in (0.01, 0.02):
        RNNRegressor(optimizer=keras.optimizers.SGD(rate), **TINY).fit(*data)
    assert programs.made == 1


def test_dropout_and_none_are_two_architectures(programs, data):
    for dropout in (0.0, 0.1, 0.2):
        RNNRegressor(**TINY, dropout=dropout).fit(*data)
    assert programs.made == 2


def test_pool_of_programs_is_bounded(programs, data):
    programs.size = 1
    for units in (1, 2):
        RNNRegressor(**TINY | {"units": units, "epochs": 1}).fit(*data)
    assert len(idle(programs)) == 1
    # The latest is kept.
    RNNRegressor(**TINY | {"units": 2}).fit(*data)
    assert programs.made == 2


def test_compiled_predictions_are_bounded(programs, data, monkeypatch):
    monkeypatch.setattr(choice, "predicts_on", lambda *_: "compiled")
    # Only these are compiled.
    monkeypatch.setattr(choice, "choose", lambda *_: "cpu")
    monkeypatch.setattr(batches, "_MAX_COMPILED", 2)
    models = [RNNRegressor(**TINY | {"units": n}).fit(*data) for n in (1, 2, 3)]
    for model in models * 2:
        model.predict(data[0])
    assert len(batches._compiled) == 2


# Threads


def test_fits_at_once_are_the_fits_one_after_the_other(programs, data):
    X, y = data
    options = TINY | dict(dropout=0.2, batch_size=8)
    models = [RNNRegressor(**options | {"random_state": i}) for i in range(8)]
    expected = [RNNRegressor(**m.get_params()).fit(X, y) for m in models]
    barrier = threading.Barrier(4)

    def fit(model):
        barrier.wait(timeout=60)
        return model.fit(X, y).predict(X)

    with ThreadPoolExecutor(4) as threads:
        predicted = list(threads.map(fit, models))
    for model, found, serial in zip(models, predicted, expected, strict=True):
        assert_same_network(model, serial)
        np.testing.assert_array_equal(found, serial.predict(X))
    # Each program was made for one thread; no fit makes one of its own.
    assert 1 < programs.made <= 4


def test_compiled_predictions_at_once_are_those_one_by_one(programs, data, monkeypatch):
    X, y = data
    monkeypatch.setattr(choice, "choose", lambda *_: "cpu")
    model = RNNRegressor(**TINY).fit(X, y)
    monkeypatch.setattr(choice, "predicts_on", lambda *_: "compiled")
    parts = [X[i : i + 10] for i in range(0, 40, 5)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(model.predict, parts))
    for part, each in zip(parts, found, strict=True):
        np.testing.assert_array_equal(each, model.predict(part))
    assert len(batches._compiled) == 1


# Memory


def live_graphs():
    gc.collect()
    # Not isinstance: it asks objects of other libraries, which may warn.
    return sum(issubclass(type(each), FuncGraph) for each in gc.get_objects())


def resident_megabytes():
    # Free memory that malloc keeps would count for what earlier tests left in pieces.
    getattr(ctypes.CDLL(None), "malloc_trim", int)(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_many_fits_of_a_network_leave_nothing_behind(programs, data):
    RNNRegressor(**TINY).fit(*data)
    before = live_graphs()
    for seed in range(10):
        RNNRegressor(**TINY | {"random_state": seed}).fit(*data)
    assert live_graphs() == before


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_many_fits_of_many_networks_leave_nothing_behind(programs, data):
    programs.size = 2
    measured = []
    for sizes in ((1, 2), (3, 4)):
        for units in sizes:
            RNNRegressor(**TINY | {"units": units, "epochs": 1}).fit(*data)
        measured.append((live_graphs(), resident_megabytes()))
    (graphs, megabytes), (later_graphs, later_megabytes) = measured
    assert later_graphs == graphs
    # Graphs that stayed would be 10 MB for each of the two fits.
    assert later_megabytes - megabytes < 15
