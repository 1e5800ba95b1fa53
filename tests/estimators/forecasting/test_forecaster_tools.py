"""The Forecaster in scikit-learn's tools, in other processes, and interrupted."""

import hashlib
import os
import signal
import threading
import time
from functools import cache

import numpy as np
import pandas as pd
import pytest
from _forecasters import STRATEGIES, months, of_every_strategy, panel_of, quick, season
from _instances import assert_same_network, in_new_process
from _tables import LONG, covering
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TimeSeriesSplit,
    cross_validate,
)

from skrnn._engine.cpu.kernels import turns
from skrnn._estimators.forecasting.windows import Windows

Y = season(72, noise=0.3)
CV = TimeSeriesSplit(n_splits=3, test_size=6)
# A frame without columns: X has its rows and nothing else.
NOTHING = pd.DataFrame(index=range(72))


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


# The line of progress


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (dict(n_members=2), "Forecaster, member 1 of 2 [####"),
        (dict(), "Forecaster [####"),
        (dict(horizon=2, strategy="direct"), "Forecaster, step 1 of 2 [####"),
    ],
    ids=["members", "one", "steps"],
)
def test_a_line_tells_which_member_is_trained(given, name, capsys):
    quick(lookback=12, verbose=1, **given).fit(None, Y)
    shown = capsys.readouterr().err
    assert name in shown
    assert "member 2" not in shown
    assert "SequenceRegressor" not in shown


# ---- searches


@of_every_strategy
def test_scores_are_those_of_forecasts_of_several_steps(strategy):
    forecaster = quick(strategy=strategy, lookback=12)
    found = cross_validate(
        forecaster, NOTHING, Y, cv=CV, scoring="neg_mean_absolute_error"
    )
    for (train, test), score in zip(CV.split(Y), found["test_score"], strict=True):
        forecasts = clone(forecaster).fit(None, Y[train]).forecast(6)
        np.testing.assert_allclose(-score, mean_absolute_error(Y[test], forecasts))


def test_a_grid_finds_parameters_of_the_forecaster_and_its_network():
    grid = {"estimator__units": [2, 4], "strategy": ["direct", "aligned"]}
    y = months(Y)
    X = pd.DataFrame(index=y.index)
    search = GridSearchCV(
        quick(lookback=12), grid, cv=CV, scoring="neg_root_mean_squared_error"
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_
    assert best.estimators_[0].units == search.best_params_["estimator__units"]
    assert best.strategy_ == search.best_params_["strategy"]
    assert best.forecast(2).index[0] == pd.Timestamp("2006-01-01")


def test_halving_spends_on_the_better_ones():
    search = HalvingGridSearchCV(
        quick(),
        {"lookback": [6, 12, 18, 24]},
        cv=CV,
        resource="n_windows",
        factor=2,
        min_resources=64,
        max_resources=256,
        scoring="neg_mean_absolute_error",
        # Rows of training can't be forecast.
        return_train_score=False,
    ).fit(NOTHING, Y)
    assert search.n_resources_ == [64, 128, 256]
    assert search.best_estimator_.n_windows == 256


def test_groups_are_routed():
    """A panel's series in arrays: fit and predict get the groups of their rows."""
    y = np.stack([Y, 50 + Y], axis=1).ravel()
    groups = np.tile([0, 1], 72)
    # Rows of both series in turn, so that a fold holds the same times of both.
    cv = TimeSeriesSplit(n_splits=2, test_size=12)
    X = np.arange(144.0).reshape(-1, 1)
    with config_context(enable_metadata_routing=True):
        forecaster = quick(Ridge(), lookback=12).set_fit_request(groups=True)
        forecaster.set_predict_request(groups=True).set_score_request(groups=True)
        found = cross_validate(forecaster, X, y, cv=cv, params={"groups": groups})
    for (train, test), score in zip(cv.split(X), found["test_score"], strict=True):
        alone = quick(Ridge(), lookback=12).fit(
            X[train], y[train], groups=groups[train]
        )
        expected = alone.predict(X[test], groups=groups[test])
        residual = np.square(y[test] - expected).sum()
        np.testing.assert_allclose(
            score, 1 - residual / np.square(y[test] - y[test].mean()).sum()
        )


# ---- one seed

ELSEWHERE = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_forecaster_tools import forecasts

print(forecasts())
"""


@cache
def forecasts():
    """Return a digest of forecasts of every strategy by ensembles."""
    y = panel_of(Y, 50 + season(60, noise=0.3, seed=1))
    found = [
        quick(strategy=strategy, n_members=3, lookback=12)
        .fit(None, y)
        .forecast(6)
        .to_numpy()
        for strategy in STRATEGIES
    ]
    return hashlib.sha256(np.stack(found).tobytes()).hexdigest()


def test_members_that_take_turns_are_those_that_are_trained_alone(monkeypatch):
    given = dict(n_members=3, lookback=12, n_windows=800)
    monkeypatch.setattr(turns, "n_threads", lambda: 1)
    alone = quick(**given).fit(None, Y)
    monkeypatch.setattr(turns, "n_threads", lambda: 2)
    monkeypatch.setattr(turns, "_LEAST_SECONDS", 0.0)
    taken, have_come, gather = [], threading.Event(), Windows.gather

    def wait(self, wait=turns.Turns.wait):
        taken.append(threading.get_ident())
        if len(set(taken)) == 3:
            have_come.set()
        wait(self)

    def gather_when_all_are_there(self, rows, **given):
        assert have_come.wait(60)
        return gather(self, rows, **given)

    monkeypatch.setattr(turns.Turns, "wait", wait)
    monkeypatch.setattr(Windows, "gather", gather_when_all_are_there)
    together = quick(**given).fit(None, Y)
    # They did give way to each other.
    assert len(taken) > 3
    for one, other in zip(together.estimators_, alone.estimators_, strict=True):
        assert_same_network(one, other)
        assert one.history_ == other.history_


# Here there are as many as the machine has cores.
@pytest.mark.parametrize("threads", ["1", *LONG * ["2"]])
def test_one_seed_is_one_forecast_with_any_number_of_threads(threads):
    there = in_new_process(
        ELSEWHERE, os.path.dirname(__file__), OMP_NUM_THREADS=threads
    )
    assert there.strip() == forecasts()


def test_one_seed_is_one_forecast_in_workers():
    # New interpreters, as joblib's workers are elsewhere too.
    with parallel_config("multiprocessing", n_jobs=2):
        scores = cross_validate(quick(n_members=2), NOTHING, Y, cv=CV)["test_score"]
    same(scores, cross_validate(quick(n_members=2), NOTHING, Y, cv=CV)["test_score"])


def test_seeds_make_a_difference_and_nothing_global_is_drawn_from():
    state = str(np.random.mtrand._rand.get_state())
    one, other = (quick(random_state=s).fit(None, Y).forecast(3) for s in (0, 1))
    assert (one != other).all()
    assert str(np.random.mtrand._rand.get_state()) == state
    drawn = np.random.RandomState(5)
    first, second = (quick(random_state=drawn).fit(None, Y).forecast(3) for _ in "ab")
    assert (first != second).all()


# ---- Ctrl-C


@pytest.fixture
def hears_ctrl_c():
    """Let Ctrl-C raise, also where tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_after(monkeypatch, n_batches, thread=None):
    """Send Ctrl-C in the n-th batch that any member reads; return what was seen."""
    gather, seen, lock = Windows.gather, [], threading.Lock()

    def counting(self, rows, **given):
        with lock:
            seen.append(time.perf_counter())
            is_time = len(seen) == n_batches
        if is_time:
            os.kill(os.getpid(), signal.SIGINT)
        return gather(self, rows, **given)

    monkeypatch.setattr(Windows, "gather", counting)
    return seen


@pytest.fixture
def two_cores(monkeypatch):
    """Let there be two, which more members than those take turns at, step by step."""
    monkeypatch.setattr(turns, "n_threads", lambda: 2)
    monkeypatch.setattr(turns, "_LEAST_SECONDS", 0.0)


@pytest.mark.usefixtures("hears_ctrl_c", "two_cores")
@pytest.mark.parametrize(
    ("strategy", "n_members"),
    covering(["aligned", "multioutput", "recursive"], [2, 3]),
)
def test_ctrl_c_ends_all_members_and_keeps_what_they_learned(
    monkeypatch, strategy, n_members
):
    given = dict(strategy=strategy, n_members=n_members, n_windows=10**6)
    forecaster = quick(lookback=12, **given)
    monkeypatch.setattr("skrnn._estimators.forecasting.windows.MOST_PASSES", 10**4)
    seen = interrupt_after(monkeypatch, 200)
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(None, Y)
    monkeypatch.undo()
    # Far from the 16,000 batches of a member.
    assert len(seen) < 2000
    assert 1 <= len(forecaster.estimators_) <= n_members
    assert np.isfinite(forecaster.forecast(6)).all()
    for network in forecaster.estimators_:
        assert all(np.isfinite(w).all() for w in network._weights)
    # The next fit is like any other's.
    expected = quick(lookback=12).fit(None, Y).forecast(4)
    again = forecaster.set_params(**quick(lookback=12).get_params()).fit(None, Y)
    same(again.forecast(4), expected)


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "fitted"])
def test_ctrl_c_before_the_first_step_changes_nothing(monkeypatch, is_known):
    forecaster = quick(n_members=1)
    if is_known:
        forecaster.fit(None, Y)
    before = dict(vars(forecaster))
    interrupt_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(None, Y + 1)
    assert vars(forecaster) == before


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("n_members", [2, 3])
def test_an_error_in_one_member_ends_the_others(monkeypatch, n_members):
    gather, seen = Windows.gather, []

    def failing(self, rows, **given):
        seen.append(self)
        if len(seen) == 50:
            raise MemoryError("on purpose")
        return gather(self, rows, **given)

    monkeypatch.setattr(Windows, "gather", failing)
    monkeypatch.setattr("skrnn._estimators.forecasting.windows.MOST_PASSES", 10**4)
    forecaster = quick(n_members=n_members, lookback=12, n_windows=10**6)
    before = dict(vars(forecaster))
    with pytest.raises(MemoryError, match="on purpose"):
        forecaster.fit(None, Y)
    assert vars(forecaster) == before
    assert len(seen) < 2000
