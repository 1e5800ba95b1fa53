"""Compiled functions, kept for the next fit of the same architecture."""

import os
import threading
from collections import OrderedDict
from contextlib import contextmanager


class ProgramCache:
    """A bounded store of objects that serve one borrower at a time.

    Two threads that want the same key at once get an object each; both are returned. If
    there are more than `size`, the least recently used ones are dropped, and `after` is
    called.
    """

    def __init__(self, size, after=lambda: None):
        self.size, self._after = size, after
        self.made = 0
        self._idle = OrderedDict()
        self._renew_lock()
        if hasattr(os, "register_at_fork"):
            # In the parent another thread may hold it at that moment.
            os.register_at_fork(after_in_child=self._renew_lock)

    def _renew_lock(self):
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, key, make):
        """Lend the object of `key`, made by `make()` if none is idle."""
        with self._lock:
            idle = self._idle.get(key)
            item = idle.pop() if idle else None
        if item is None:
            item = make()
            with self._lock:
                self.made += 1
        try:
            yield item
        finally:
            self._give_back(key, item)

    def _give_back(self, key, item):
        with self._lock:
            self._idle.setdefault(key, []).append(item)
            self._idle.move_to_end(key)
            too_many = sum(map(len, self._idle.values())) > self.size
            while sum(map(len, self._idle.values())) > self.size:
                oldest = next(iter(self._idle))
                self._idle[oldest].pop(0)
                if not self._idle[oldest]:
                    del self._idle[oldest]
        if too_many:
            self._after()
