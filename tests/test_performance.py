"""The benchmark of speed runs, and its report tells what is met and missed."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """Import modules of the benchmark by name, and forget them again."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if name.startswith("performance"):
            del sys.modules[name]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "performance.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_cheapest_rows_are_measured_kept_and_reported(tmp_path):
    folders = "--results", tmp_path / "kept", "--output", tmp_path / "report"
    printed = run("--rows", "import", "--rounds", 1, *folders)
    assert "sklearn" in printed
    kept = json.loads((tmp_path / "kept" / "import.json").read_text())
    assert [len(values) for values in kept["cases"][0]["ways"].values()] == [1, 1]
    reported = run("--report", *folders)
    assert set(printed.splitlines()[2:]) <= set(reported.splitlines())
    assert (tmp_path / "report" / "output.txt").read_text() == reported


@pytest.mark.parametrize(
    ("name", "kind", "against", "ours", "theirs", "ratio", "verdict"),
    [
        ("step, LSTM, T=30", "faster", "Keras on TensorFlow", 1.0, 8.0, "8.00x", "met"),
        (
            "step, LSTM, T=30",
            "faster",
            "PyTorch, 1 thread",
            1.0,
            0.9,
            "0.900x",
            "missed",
        ),
        ("step, GRU, T=100", "faster", "matrix products", 2.4, 2.0, "1.20x", "met"),
        ("step, GRU, T=100", "faster", "matrix products", 2.6, 2.0, "1.30x", "missed"),
        ("step, GRU, T=100", "faster", "skorch", 1.0, 123.4, "123x", None),
        ("import", "more", "sklearn", 151.0, 100.0, "51.0 ms", "missed"),
        ("import", "more", "sklearn", 1.0, 400.0, "-399 ms", "met"),
        ("memory of fits", "within", "after fit 20", 103.0, 100.0, "1.03x", "met"),
    ],
)
def test_targets_are_judged(module, name, kind, against, ours, theirs, ratio, verdict):
    report, groups = map(module, ("performance_report", "performance_groups"))
    case = groups.Case(name, {"ours": [ours] * 3, against: [theirs] * 3}, kind)
    (row,) = report.compared(case)
    assert row["ratio"] == row["lowest"] == row["highest"] == ratio
    assert row.get("verdict") == verdict
    assert [against in line for line in report.reasons(case)] == [True] * (
        verdict == "missed"
    )


def test_a_peer_that_is_missing_is_said_to_be(module):
    report, groups, worker = map(
        module, ("performance_report", "performance_groups", "performance_worker")
    )

    def missing():
        raise worker.MissingPackageError("peer")

    found = groups.in_turns({"ours": lambda: 1.0, "peer": missing}, 2)
    assert found == {"ours": [1.0, 1.0], "peer": None}
    (line,) = report.lines(groups.Case("step", found))
    assert line.endswith("not installed")


def test_the_better_number_of_threads_is_reported(module):
    found = {
        ("a", None): [3.0],
        ("b", 1): [2.0, 5.0, 2.0],
        ("b", 2): [3.0, 1.0, 3.0],
        ("c", 1): None,
        ("c", 2): None,
    }
    best = dict(module("performance_groups").best_threads(found))
    assert best == {"a": [3.0], "b, 1 thread": [2.0, 5.0, 2.0], "c": None}


def test_exponents_are_those_of_a_power(module):
    growth = module("performance_growth")
    points = [(x, 3 * x**1.5, 0, 0) for x in (1, 10, 100)]
    assert growth.exponent(points) == pytest.approx(1.5)


def test_every_way_trains_the_same_kind_of_network(module):
    ways = module("performance_ways")
    problem = ways.Problem(steps=3, units=4, batch=8, batches=4, features=2)
    X, y = problem.data()
    assert X.shape == (32, 3, 2)
    assert y.shape == (32,)
    model = ways.Skrnn().estimator(problem, epochs=1).fit(X, y)
    keras = ways.Keras().network(problem)
    assert [w.shape for w in model.model_.get_weights()] == [
        w.shape for w in keras.get_weights()
    ]
    windows = ways.Problem(steps=3, batch=8, batches=4, features=1, windows=True)
    X, y = windows.data()
    assert np.shares_memory(X[0, 1], X[1, 0])
    np.testing.assert_array_equal(y, X[:, -1, 0])


@pytest.mark.parametrize("name", ["skrnn", "Keras on TensorFlow", "matrix products"])
def test_a_step_is_measured(module, name):
    tasks, ways = map(module, ("performance_tasks", "performance_ways"))
    measured = tasks.Tasks(ways.WAYS[name].make)
    problem = dict(steps=3, units=4, batch=8, batches=20, features=2)
    values = [measured.step(problem, seconds=0.02) for _ in range(3)]
    assert max(values) > 0
