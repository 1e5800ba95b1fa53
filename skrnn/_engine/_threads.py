"""Large work divided among threads; its results don't depend on their number."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

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


def is_worth_a_thread(work):
    """Whether `work` multiplications are enough to wake up another thread for."""
    return work >= WORTH_A_THREAD


def divide(run, n, work):
    """Call ``run(first, last)`` for parts of ``range(n)``, at once if it is worth it.

    Parameters
    ----------
    run : callable
        Must let go of the interpreter's lock.
    n : int
    work : int
        Multiplications of the whole.
    """
    if not is_worth_a_thread(work):
        # First of all: looking for the cores takes as long as a small product.
        run(0, n)
        return
    n_parts = min(n_threads(), work // WORTH_A_THREAD + 1, -(-n // _TILE))
    if n_parts == 1 or getattr(_here, "is_divided", False):
        run(0, n)
        return
    size = -(-n // n_parts // _TILE) * _TILE
    ranges = [(at, min(at + size, n)) for at in range(0, n, size)]
    others = [_begin(run, *range_) for range_ in ranges[1:]]
    run(*ranges[0])
    for other, range_ in zip(others, ranges[1:], strict=True):
        # Nobody was free to take it.
        if other is None or other.cancel():
            run(*range_)
        else:
            other.result()


def for_each(function, items, work):
    """Call `function` for each of `items`, several at once if it is worth it.

    `function` must let go of the interpreter's lock, and mustn't mind the order.
    """
    if work < WORTH_A_THREAD or n_threads() == 1:
        for item in items:
            function(item)
        return
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

    others = [_begin(take_turns) for _ in range(n_threads() - 1)]
    try:
        take_turns()
    finally:
        for other in others:
            if other is not None and not other.cancel():
                other.result()


def _begin(function, *args):
    """Start `function` in another thread; None if the interpreter is shutting down."""
    try:
        return _pool(os.getpid()).submit(function, *args)
    except RuntimeError:
        return None


@cache
def _pool(_process):
    """Return the helping threads of a process: those of its parent aren't in a fork."""
    return ThreadPoolExecutor(n_threads(), thread_name_prefix="skrnn")
