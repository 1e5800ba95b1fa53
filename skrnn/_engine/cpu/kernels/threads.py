"""Divide large work among threads, with results that don't depend on their number.

Each part of the work changes arrays in place, so it must be done exactly once, even if
a thread can't start, for example because a container limits the number of threads.
"""

import atexit
import os
import threading
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

# Below this many multiplications, waking up another thread costs more than it saves.
WORTH_A_THREAD = 20_000_000
# Number of rows of a tile in the kernels. Each part has whole tiles.
_TILE = 8

_here = threading.local()


def n_threads() -> int:
    """Return how many threads may compute in parallel: OMP_NUM_THREADS, or all cores.

    joblib sets that variable in its worker processes, so that they share the cores.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    return min(int(limit), cores) if limit.isdecimal() and int(limit) else cores


def divide(run, n, work):
    """Call ``run(first, last)`` for parts of ``range(n)``, in parallel if worthwhile.

    Parameters
    ----------
    run : callable
        Must release the interpreter's lock.
    n : int
    work : int
        The total number of multiplications.
    """
    if work < WORTH_A_THREAD:
        # Check this first: counting the cores takes as long as a small product.
        run(0, n)
        return
    n_parts = min(n_threads(), work // WORTH_A_THREAD + 1, -(-n // _TILE))
    if n_parts == 1 or getattr(_here, "is_divided", False):
        run(0, n)
        return
    size = -(-n // n_parts // _TILE) * _TILE
    ranges = [(at, min(at + size, n)) for at in range(0, n, size)]
    others = [Task(run, *range_) for range_ in ranges[1:]]
    try:
        _offer(others, _pool(os.getpid()))
        run(*ranges[0])
        for other in others:
            # This does nothing if another thread has begun the task.
            other.do()
    finally:
        _end(others)


def for_each(function, items, work):
    """Call `function` for each of `items`, in parallel if worthwhile.

    `function` must release the interpreter's lock. Its results mustn't depend on the
    order of the calls.
    """
    if work < WORTH_A_THREAD or n_threads() == 1:
        for item in items:
            function(item)
        return
    share_out(function, items, n_threads(), _pool(os.getpid()))


def share_out(function, items, n_workers, pool):
    """Call `function` for each of `items` in `n_workers` threads, or as many as start.

    This thread is one of them. The others come from `pool`. During a call of
    `function`, `divide` uses one thread only.
    """
    items, lock = iter(items), threading.Lock()
    failed = threading.Event()

    def take_turns():
        # Dividing here could wait for ever: all threads of the pool may be busy.
        _here.is_divided = True
        try:
            while not failed.is_set():
                with lock:
                    item = next(items, None)
                if item is None:
                    return
                function(item)
        except BaseException:
            # After an error or Ctrl-C, the other threads should stop early too.
            failed.set()
            raise
        finally:
            _here.is_divided = False

    others = [Task(take_turns) for _ in range(n_workers - 1)]
    try:
        _offer(others, pool)
        take_turns()
    finally:
        _end(others)


class Task:
    """A function call that exactly one thread makes: the first one that claims it."""

    def __init__(self, function, *args):
        self._work: Any = (function, args)
        self._owner: dict[str, int] = {}
        self._error: BaseException | None = None
        self._running = threading.Lock()
        self._running.acquire()

    def _claim(self):
        """Claim the task; return whether this thread has it. `setdefault` is atomic."""
        me = threading.get_ident()
        return self._owner.setdefault("thread", me) == me

    def do(self):
        """Do the task unless another thread has it. Each thread calls this once."""
        if not self._claim():
            return
        # A queue may hold the task for long. Don't keep its arrays in memory.
        (function, args), self._work = self._work, None
        try:
            function(*args)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._running.release()

    def withdraw(self):
        """Make sure that no thread begins the task after this."""
        if self._claim():
            self._work = None

    def wait(self):
        """Wait if another thread has begun the task; return its error, or None."""
        if self._claim():
            return None
        self._running.acquire()
        return self._error


def _end(tasks):
    for task in tasks:
        task.withdraw()
    # Wait for all tasks before raising an error, so that none keeps running.
    errors = [task.wait() for task in tasks]
    for error in errors:
        if error is not None:
            raise error


class Helpers:
    """A process's pool of threads for tasks: as many as can start, at most `most`."""

    def __init__(self, most):
        self._process, self._most = os.getpid(), most
        self._threads: list[threading.Thread] = []
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._idle, self._lock = threading.Semaphore(0), threading.Lock()
        atexit.register(self._stop)

    def offer(self, task):
        """Give a task to an idle thread, to a new one, or to the queue."""
        if not self._idle.acquire(blocking=False) and self._starts_with(task):
            return
        if self._threads:
            self._tasks.put(task)

    def _starts_with(self, task):
        """Start a thread that begins with a task; return whether it could start."""
        with self._lock:
            if len(self._threads) >= self._most:
                return False
            # Python doesn't wait for daemon threads when it exits; `_stop` does.
            thread = threading.Thread(
                target=self._help, args=(task,), name="skrnn", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # The system allows no more threads, or Python is exiting.
                return False
            self._threads.append(thread)
            return True

    def _help(self, task):
        while task is not None:
            # `wait` returns the error to the thread that made the task.
            with suppress(BaseException):
                task.do()
            del task
            task = self._next()
        # The next thread should stop too.
        self._tasks.put(None)

    def _next(self):
        try:
            return self._tasks.get_nowait()
        except Empty:
            self._idle.release()
            return self._tasks.get()

    def _stop(self):
        if os.getpid() != self._process:
            # After a fork, the threads exist only in the parent.
            return
        self._most = 0
        self._tasks.put(None)
        for thread in self._threads:
            thread.join()


def _offer(tasks, pool):
    """Let other threads do tasks. After Ctrl-C, the caller must end the tasks."""
    for task in tasks:
        pool.offer(task)


@cache
def _pool(_process):
    """Return a process's pool of threads: a fork doesn't have those of its parent."""
    return Helpers(n_threads())
