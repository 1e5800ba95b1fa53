"""Run more trainings than cores: all of them start, and they take turns on the cores.

Without turns, three trainings on two cores take as long as four, because one core is
idle during the third training.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from skrnn._engine.cpu.kernels.threads import Helpers, n_threads, share_out

# Minimum length of a turn. For shorter turns, switching costs more than it saves.
_LEAST_SECONDS = 0.02
# After waiting this long, a thread continues without a turn. The thread that has the
# turn may be waiting for this one, for example for a lock in a callback.
_MOST_SECONDS = 10.0

_here = threading.local()


class Turns:
    """Lets `most` threads compute in parallel; the longest waiting one is next."""

    def __init__(self, most: int):
        self._most, self._changed = most, threading.Condition()
        # The start time of each thread's turn.
        self._computing: dict[int, float] = {}
        self._waiting: list[int] = []

    def wait(self) -> None:
        """Wait for a turn."""
        me = threading.get_ident()
        with self._changed:
            self._waiting.append(me)
            self._changed.wait_for(lambda: self._is_next(me), _MOST_SECONDS)
            self._waiting.remove(me)
            self._computing[me] = time.monotonic()

    def leave(self) -> None:
        """End a turn or the wait for one, if any. Ctrl-C can come at any point."""
        me = threading.get_ident()
        with self._changed:
            self._computing.pop(me, None)
            if me in self._waiting:
                self._waiting.remove(me)
            self._changed.notify_all()

    def pass_on(self) -> None:
        """Let another thread compute if one waits and this turn was long enough."""
        began = self._computing.get(threading.get_ident(), 0.0)
        if self._waiting and time.monotonic() - began >= _LEAST_SECONDS:
            self.leave()
            self.wait()

    def _is_next(self, me):
        return self._waiting.index(me) < self._most - len(self._computing)


def in_turns(function: Callable[[Any], None], items: Sequence) -> None:
    """Call `function` for each of `items`, with all cores busy until the end.

    Each call uses one core. It may call `let_others_on` to let other calls compute, and
    its result mustn't depend on when it does so.
    """
    n = n_threads()
    # Open n and the remainder first: the rest then fills all cores in whole rounds.
    n_open = min(n + len(items) % n, len(items))
    if n == 1 or n_open < 2:
        for item in items:
            function(item)
        return
    turns = Turns(n)

    def take_one(item):
        _here.turns = turns
        try:
            turns.wait()
            function(item)
        finally:
            _here.turns = None
            turns.leave()

    share_out(take_one, items, n_open, _pool(os.getpid()))


def let_others_on() -> None:
    """Let other trainings compute now if this one takes turns with them."""
    turns = getattr(_here, "turns", None)
    if turns is not None:
        turns.pass_on()


@cache
def _pool(_process):
    """Return a process's pool of threads for trainings; up to half of them compute."""
    return Helpers(2 * n_threads())
