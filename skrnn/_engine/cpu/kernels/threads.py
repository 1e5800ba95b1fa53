"""Large work divided among threads; its results don't depend on their number.

A part of the work changes arrays in place, so it must be done only once, even if a
helping thread can't be started, for example because a container limits their number.
"""

import atexit
import os
import threading
from contextlib import suppress
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

# Multiplications below which waking up another thread costs more than it saves.
WORTH_A_THREAD = 20_000_000
# Rows of a tile in the kernels: parts are whole tiles.
_TILE = 8

_here = threading.local()


def n_threads() -> int:
    """Return how many threads may compute at once: OMP_NUM_THREADS, or all cores.

    joblib sets that variable in its worker processes, so that they share the cores.
    """
    limit = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    return min(int(limit), cores) if limit.isdecimal() and int(limit) else cores


def divide(run, n, work):
    """Call ``run(first, last)`` for parts of ``range(n)``, at once if it is worth it.

    Parameters
    ----------
    run : callable
        Must release the interpreter's lock.
    n : int
    work : int
        Multiplications of the whole.
    """
    if work < WORTH_A_THREAD:
        # Checked first: looking for the cores takes as long as a small product.
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
            # If no other thread has taken it.
            other.do()
    finally:
        _end(others)


def for_each(function, items, work):
    """Call `function` for each of `items`, several at once if it is worth it.

    `function` must release the interpreter's lock, and not depend on the order.
    """
    if work < WORTH_A_THREAD or n_threads() == 1:
        for item in items:
            function(item)
        return
    share_out(function, items, n_threads(), _pool(os.getpid()))


def share_out(function, items, n_workers, pool):
    """Call `function` for each of `items` in `n_workers` threads, or as many as start.

    This thread is one of them, the others are from a `pool`. Within a call nothing is
    divided.
    """
    items, lock = iter(items), threading.Lock()
    failed = threading.Event()

    def take_turns():
        # A thread that waits for others in the pool could wait for ever.
        _here.is_divided = True
        try:
            while not failed.is_set():
                with lock:
                    item = next(items, None)
                if item is None:
                    return
                function(item)
        except BaseException:
            # Ctrl-C too: the others shouldn't go on to the end.
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
    """Work for whoever comes first: one thread does it, once."""

    def __init__(self, function, *args):
        self._work: Any = (function, args)
        self._owner: dict[str, int] = {}
        self._error: BaseException | None = None
        self._running = threading.Lock()
        self._running.acquire()

    def _claim(self):
        """Whether it is this thread's. Atomic: no other thread can come in between."""
        me = threading.get_ident()
        return self._owner.setdefault("thread", me) == me

    def do(self):
        """Do it, unless another thread has begun. A thread calls this once."""
        if not self._claim():
            return
        # A queue may hold the task for longer than its arrays should live.
        (function, args), self._work = self._work, None
        try:
            function(*args)
        except BaseException as error:
            self._error = error
            raise
        finally:
            self._running.release()

    def withdraw(self):
        """Make sure that no thread begins it any more."""
        if self._claim():
            self._work = None

    def wait(self):
        """Wait for another thread that has begun; return its error, or None."""
        if self._claim():
            return None
        self._running.acquire()
        return self._error


def _end(tasks):
    for task in tasks:
        task.withdraw()
    # Wait for all before the first error is raised: none keeps running.
    errors = [task.wait() for task in tasks]
    for error in errors:
        if error is not None:
            raise error


class Helpers:
    """Threads of one process that do tasks: as many as can start, up to `most`."""

    def __init__(self, most):
        self._process, self._most = os.getpid(), most
        self._threads: list[threading.Thread] = []
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._idle, self._lock = threading.Semaphore(0), threading.Lock()
        atexit.register(self._stop)

    def offer(self, task):
        """Put a task where helpers find it, if there are any."""
        if not self._idle.acquire(blocking=False) and self._starts_with(task):
            return
        if self._threads:
            self._tasks.put(task)

    def _starts_with(self, task):
        """Whether a new thread takes a task: one that waits for it would be idle."""
        with self._lock:
            if len(self._threads) >= self._most:
                return False
            # Python doesn't wait for these threads when it ends: `_stop` does.
            thread = threading.Thread(
                target=self._help, args=(task,), name="skrnn", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # No more threads are allowed here, or Python is about to end.
                return False
            self._threads.append(thread)
            return True

    def _help(self, task):
        while task is not None:
            # The thread that waits for the task gets its error.
            with suppress(BaseException):
                task.do()
            del task
            task = self._next()
        # For the next one.
        self._tasks.put(None)

    def _next(self):
        try:
            return self._tasks.get_nowait()
        except Empty:
            self._idle.release()
            return self._tasks.get()

    def _stop(self):
        if os.getpid() != self._process:
            # Of the parent, before a fork.
            return
        self._most = 0
        self._tasks.put(None)
        for thread in self._threads:
            thread.join()


def _offer(tasks, pool):
    """Let other threads do tasks. After Ctrl-C here, their maker ends them."""
    for task in tasks:
        pool.offer(task)


@cache
def _pool(_process):
    """Return the helping threads of a process: those of its parent aren't in a fork."""
    return Helpers(n_threads())
