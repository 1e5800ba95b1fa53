"""Threads that can't be started: the work is done all the same, and once."""

import os
import sys
import threading
import time
from itertools import count

import numpy as np
import pytest
from _instances import assert_same_network, in_new_process

from skrnn import LSTMRegressor
from skrnn._engine.cpu.kernels import threads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 10, 3))
Y = X[:, -1, 0]


@pytest.fixture
def few_threads(monkeypatch):
    """Let work be divided in four, and only the first `n` helpers start."""

    def limit(n):
        start, started = threading.Thread.start, count()

        def start_or_fail(thread):
            if thread.name.startswith("skrnn") and next(started) >= n:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_or_fail)
        monkeypatch.setattr(threads, "n_threads", lambda: 4)
        monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
        threads._pool.cache_clear()

    yield limit
    threads._pool.cache_clear()


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_every_part_is_done_once_however_many_threads_start(n, few_threads):
    few_threads(n)
    times = np.zeros(64, int)
    lock = threading.Lock()

    def run(first, last):
        # As long as it takes the others to be asked.
        time.sleep(1e-3)
        with lock:
            times[first:last] += 1

    for _ in range(20):
        threads.divide(run, len(times), work=10**9)
    # And who comes late.
    time.sleep(0.05)
    assert set(times) == {20}
    done: list[int] = []
    threads.for_each(done.append, range(100), work=10**9)
    assert sorted(done) == list(range(100))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_nothing_stays_in_the_queue(n, few_threads):
    few_threads(n)
    arrays = [np.zeros(8)]
    for _ in range(20):
        threads.divide(lambda first, last: arrays[0][first:last], 64, work=10**9)
    tasks = threads._pool(os.getpid())._tasks
    # What is left is empty, and on its way to a helper that has nothing else to do.
    while n and tasks.qsize():
        time.sleep(0.01)
    assert tasks.qsize() == 0
    assert sys.getrefcount(arrays) == 2


def test_each_task_that_nobody_is_free_for_starts_a_thread():
    """Also while the one before is on its way to its own."""
    for _ in range(20):
        helpers, end = threads.Helpers(3), threading.Event()
        begun = [threading.Event() for _ in range(3)]

        def work(mine, end=end):
            mine.set()
            end.wait(60)

        tasks = [threads.Task(work, each) for each in begun]
        for task in tasks:
            helpers.offer(task)
            # As long as a thread takes to look for something to do.
            time.sleep(1e-3)
        assert all(each.wait(30) for each in begun)
        end.set()
        helpers._stop()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_of_a_part_is_raised_and_no_part_begins_after_it(error, few_threads):
    few_threads(1)
    begun = []

    def run(first, last):
        begun.append(first)
        if first == 0:
            raise error("on purpose")

    for _ in range(20):
        with pytest.raises(error, match="on purpose"):
            threads.divide(run, 64, work=10**9)
        n = len(begun)
        time.sleep(1e-3)
        assert len(begun) == n


def test_nothing_runs_on_where_ctrl_c_comes_before_all_is_offered(
    few_threads, monkeypatch
):
    few_threads(3)
    offer, offered, running = threads.Helpers.offer, [], []

    def interrupted(self, task):
        offered.append(task)
        if len(offered) == 2:
            raise KeyboardInterrupt
        offer(self, task)
        time.sleep(0.01)

    def run(first, last):
        running.append(first)
        time.sleep(0.1)
        running.remove(first)

    monkeypatch.setattr(threads.Helpers, "offer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        threads.divide(run, 64, work=10**9)
    assert not running


def test_an_error_in_a_helper_reaches_who_waits(few_threads):
    few_threads(3)
    caller = threading.get_ident()
    helped = threading.Event()

    def run(first, last):
        if threading.get_ident() != caller:
            helped.set()
            raise ValueError("on purpose")
        helped.wait(60)

    with pytest.raises(ValueError, match="on purpose"):
        threads.divide(run, 64, work=10**9)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_weights_are_those_of_one_thread(n, few_threads):
    params = dict(units=128, epochs=3, batch_size=120, random_state=0)
    alone = LSTMRegressor(**params).fit(X, Y)
    few_threads(n)
    limited = LSTMRegressor(**params).fit(X, Y)
    assert_same_network(limited, alone)
    np.testing.assert_array_equal(limited.predict(X), alone.predict(X))


# The system's own limit doesn't hold for root, who becomes nobody in particular here.
LIMITED = """
import os, resource, threading
import numpy as np
from skrnn import LSTMRegressor
from skrnn._engine.cpu.kernels import threads

params = dict(units=128, epochs=2, batch_size=120, random_state=0)
X = np.random.default_rng(0).normal(size=(240, 20, 3))
alone = LSTMRegressor(**params).fit(X, X[:, -1, 0])
threads.n_threads, threads.WORTH_A_THREAD = lambda: 4, 1
os.setuid(54321)
now, (_, most) = len(os.listdir("/proc/self/task")), resource.getrlimit(
    resource.RLIMIT_NPROC
)
# No thread more, and then one.
for n in (0, 1):
    resource.setrlimit(resource.RLIMIT_NPROC, (now + n, most))
    for _ in range(2):
        limited = LSTMRegressor(**params).fit(X, X[:, -1, 0])
        for one, other in zip(limited._weights, alone._weights, strict=True):
            np.testing.assert_array_equal(one, other)
try:
    for _ in range(8):
        threading.Thread(target=threading.Event().wait, args=[60], daemon=True).start()
    print("there is no limit")
except RuntimeError:
    print("equal")
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0, reason="only root may become another"
)
def test_the_limit_of_the_system_leaves_the_weights_as_they_are():
    said = in_new_process(LIMITED).strip()
    if said != "equal":
        pytest.skip(said)
