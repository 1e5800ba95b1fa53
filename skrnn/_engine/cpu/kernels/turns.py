"""More trainings than cores: all of them are started, and take turns on the cores.

One after the other, three trainings on two cores take as long as four: while the third
one runs, the other core does nothing.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from skrnn._engine.cpu.kernels.threads import Helpers, n_threads, share_out

# Least length of a turn: for shorter ones, changing costs more than it saves.
_LEAST_SECONDS = 0.02
# After waiting this long, a thread goes on without a turn. The thread that has the turn
# may be waiting for something that this one holds, such as a callback's lock.
_MOST_SECONDS = 10.0

_here = threading.local()


class Turns:
    """Lets `most` threads compute at once; the one that has waited longest is next."""

    def __init__(self, most: int):
        self._most, self._changed = most, threading.Condition()
        # Thread -> when its turn began.
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
        """End a turn, or waiting for one, if there is any: Ctrl-C can come anywhere."""
        me = threading.get_ident()
        with self._changed:
            self._computing.pop(me, None)
            if me in self._waiting:
                self._waiting.remove(me)
            self._changed.notify_all()

    def pass_on(self) -> None:
        """Let others compute if they wait and this turn was long enough."""
        began = self._computing.get(threading.get_ident(), 0.0)
        if self._waiting and time.monotonic() - began >= _LEAST_SECONDS:
            self.leave()
            self.wait()

    def _is_next(self, me):
        return self._waiting.index(me) < self._most - len(self._computing)


def in_turns(function: Callable[[Any], None], items: Sequence) -> None:
    """Call `function` for each of `items`, with all cores busy until the end.

    Each call has one core, and may let others compute by `let_others_on`. Its result
    mustn't depend on when it does so.
    """
    n = n_threads()
    # The other items fill all cores in whole rounds.
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
    """Let other trainings compute now, if this one takes turns with them."""
    turns = getattr(_here, "turns", None)
    if turns is not None:
        turns.pass_on()


@cache
def _pool(_process):
    """Return threads of a process for trainings; most of them wait at any time."""
    return Helpers(2 * n_threads())
