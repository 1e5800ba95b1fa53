"""A network is changed by one thread while no other predicts with it."""

import threading
import weakref
from collections import Counter
from contextlib import contextmanager
from threading import get_ident

_turns: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
_lock = threading.Lock()


class Turns:
    """Lets either many threads read or a single one change.

    A thread that waits to change goes first. A thread may nest what it is doing. One
    that reads and then wants to change, such as a callback of ``predict`` that trains,
    doesn't count as a reader while it waits: two such threads would wait for each
    other.
    """

    def __init__(self):
        self._condition = threading.Condition()
        self._readers: Counter = Counter()
        self._changer: int | None = None
        self._waiting: set[int] = set()

    @contextmanager
    def reading(self):
        """Read while nobody else changes."""
        own = get_ident()
        with self._condition:
            self._condition.wait_for(lambda: self._may_read(own))
            self._readers[own] += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers[own] -= 1
                # Drop threads that no longer read.
                self._readers += Counter()
                self._condition.notify_all()

    @contextmanager
    def changing(self):
        """Change while nobody else reads or changes."""
        own = get_ident()
        with self._condition:
            self._waiting.add(own)
            # It may be the last reader that another one waits for.
            self._condition.notify_all()
            try:
                self._condition.wait_for(lambda: self._may_change(own))
            finally:
                self._waiting.discard(own)
                self._condition.notify_all()
            before, self._changer = self._changer, own
        try:
            yield
        finally:
            with self._condition:
                self._changer = before
                self._condition.notify_all()

    def _may_read(self, own):
        if self._changer is not None or own in self._readers:
            return self._changer in (None, own)
        return not self._waiting

    def _may_change(self, own):
        reading = self._readers.keys() - self._waiting
        return self._changer in (None, own) and not reading


def turns_of(model) -> Turns:
    """Return the turns of a model of Keras."""
    with _lock:
        return _turns.setdefault(model, Turns())
