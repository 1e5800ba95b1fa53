"""Trainings that take turns at the cores: more of them than cores, and none is idle."""

import threading
import time
from collections import Counter

import numpy as np
import pytest
from _tables import covering

from skrnn import LSTMRegressor
from skrnn._engine.cpu.kernels import threads, turns


@pytest.fixture
def cores(monkeypatch):
    """Let there be so many cores."""

    def there_are(n):
        for module in threads, turns:
            monkeypatch.setattr(module, "n_threads", lambda: n)
        turns._pool.cache_clear()

    yield there_are
    turns._pool.cache_clear()


class Watched:
    """Calls of some steps each, with who computed and when."""

    def __init__(self, n_steps=4, n_at_first=1):
        self.n_steps, self.steps = n_steps, list[int]()
        self.lock, self.computing, self.most = threading.Lock(), 0, 0
        # Nobody ends the first step before so many have come to it, or wait.
        self.n_at_first, self.come = n_at_first, set[int]()

    def __call__(self, item):
        for _ in range(self.n_steps):
            turns.let_others_on()
            with self.lock:
                self.computing += 1
                self.most = max(self.most, self.computing)
                self.come.add(item)
            self._stay()
            with self.lock:
                self.computing -= 1
                self.steps.append(item)

    def _stay(self):
        end = time.monotonic() + 60
        own = getattr(turns._here, "turns", None)
        while len(self.come) + len(own._waiting if own else ()) < self.n_at_first:
            assert time.monotonic() < end
            time.sleep(1e-3)
        time.sleep(0.03)


@pytest.mark.parametrize(
    ("n_items", "n_cores"), [(1, 2), (2, 2), (3, 2), (5, 2), (2, 3), (7, 4), (9, 1)]
)
def test_all_is_done_once_and_no_more_compute_than_there_are_cores(
    n_items, n_cores, cores
):
    cores(n_cores)
    seen = Watched(n_at_first=min(n_items, n_cores))
    turns.in_turns(seen, range(n_items))
    assert Counter(seen.steps) == dict.fromkeys(range(n_items), seen.n_steps)
    assert seen.most == min(n_items, n_cores)


def test_the_last_one_isnt_left_for_the_end(cores):
    """Three on two cores: all end together, but for a turn or two."""
    cores(2)
    seen = Watched(n_steps=6, n_at_first=3)
    turns.in_turns(seen, range(3))
    assert seen.most == 2
    ends = [max(np.flatnonzero(np.equal(seen.steps, each))) for each in range(3)]
    assert min(ends) >= len(seen.steps) - 2 * 3


@pytest.mark.parametrize(
    ("n_items", "n_cores", "expected"),
    [
        (2, 2, 2),
        (3, 2, 3),
        (4, 2, 2),
        (5, 2, 3),
        (3, 16, 3),
        (17, 16, 17),
        (24, 16, 24),
    ],
)
def test_no_more_are_begun_at_once_than_come_out_even(
    n_items, n_cores, expected, cores, monkeypatch
):
    """The others take no memory before their time."""
    cores(n_cores)
    asked = []
    monkeypatch.setattr(turns, "share_out", lambda *given: asked.append(given[2]))
    turns.in_turns(print, range(n_items))
    assert asked == [expected]


@pytest.mark.parametrize("is_over", [False, True])
def test_a_turn_is_passed_on_when_it_was_long_enough(is_over, monkeypatch):
    monkeypatch.setattr(turns, "_LEAST_SECONDS", 0.0 if is_over else 1e9)
    shared, began = turns.Turns(1), threading.Event()

    def other():
        shared.wait()
        began.set()
        shared.leave()

    shared.wait()
    # Nobody waits yet.
    shared.pass_on()
    thread = threading.Thread(target=other)
    thread.start()
    while not shared._waiting:
        time.sleep(1e-3)
    shared.pass_on()
    assert began.is_set() == is_over
    shared.leave()
    thread.join(60)
    assert began.is_set()


@pytest.mark.parametrize(
    ("error", "failing"),
    covering([ValueError, KeyboardInterrupt, SystemExit], range(3)),
)
def test_an_error_of_one_is_raised_and_leaves_no_turn_taken(error, failing, cores):
    cores(2)
    made = []

    class Kept(turns.Turns):
        def __init__(self, most):
            super().__init__(most)
            made.append(self)

    def run(item):
        for step in range(3):
            turns.let_others_on()
            time.sleep(0.03)
            if item == failing and step == 1:
                raise error("on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "Turns", Kept)
        with pytest.raises(error, match="on purpose"):
            turns.in_turns(run, range(3))
    assert not made[0]._computing
    assert not made[0]._waiting
    # And the next ones have all cores.
    seen = Watched(n_at_first=3)
    turns.in_turns(seen, range(3))
    assert seen.most == 2


def test_who_is_interrupted_on_the_way_to_a_turn_holds_nobody_up(cores, monkeypatch):
    cores(2)
    wait, main = turns.Turns.wait, threading.get_ident()
    n_waits = [0]

    def interrupted(self):
        if threading.get_ident() == main:
            n_waits[0] += 1
            if n_waits[0] == 2:
                with self._changed:
                    self._waiting.append(main)
                raise KeyboardInterrupt
        wait(self)

    monkeypatch.setattr(turns.Turns, "wait", interrupted)
    monkeypatch.setattr(turns, "_MOST_SECONDS", 60)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        turns.in_turns(Watched(n_steps=6), range(3))
    assert time.monotonic() - started < 30


def test_a_lock_that_one_holds_while_it_waits_stops_nobody_for_ever(cores, monkeypatch):
    """Callbacks may hold one from the beginning of a batch to its end."""
    cores(2)
    monkeypatch.setattr(turns, "_MOST_SECONDS", 0.2)
    own, done = threading.Lock(), []

    def run(item):
        with own:
            for _ in range(3):
                turns.let_others_on()
                time.sleep(0.03)
        done.append(item)

    turns.in_turns(run, range(3))
    assert sorted(done) == [0, 1, 2]


@pytest.mark.parametrize("n_started", [0, 1])
def test_all_is_done_where_threads_cant_be_started(n_started, cores, monkeypatch):
    cores(2)
    start, started = threading.Thread.start, []

    def start_or_fail(thread):
        started.append(thread)
        if len(started) > n_started:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    seen = Watched()
    turns.in_turns(seen, range(3))
    assert Counter(seen.steps) == dict.fromkeys(range(3), seen.n_steps)


def test_nobody_takes_turns_outside(cores):
    cores(2)
    turns.in_turns(Watched(), range(3))
    assert getattr(turns._here, "turns", None) is None
    turns.let_others_on()


def test_networks_are_those_that_are_trained_alone(cores, monkeypatch):
    monkeypatch.setattr(turns, "_LEAST_SECONDS", 0.0)
    X = np.random.default_rng(0).normal(size=(60, 5, 2))
    networks = [LSTMRegressor(units=4, epochs=6, random_state=i) for i in range(3)]

    def fit(i):
        networks[i].fit(X, X[:, -1, 0])

    cores(1)
    turns.in_turns(fit, range(3))
    alone = [network._weights for network in networks]
    cores(2)
    turns.in_turns(fit, range(3))
    for network, weights in zip(networks, alone, strict=True):
        for one, other in zip(network._weights, weights, strict=True):
            np.testing.assert_array_equal(one, other)
