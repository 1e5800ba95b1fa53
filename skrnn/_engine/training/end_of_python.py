"""Training in threads that Python doesn't wait for when it ends.

Python stops daemon threads wherever they are. If that is in the middle of a call, JAX
crashes the whole process, and other libraries may. So Python waits until such threads
return from their call, which is short, and they stop training.
"""

import atexit
import threading
from contextlib import contextmanager

# A call takes less than a second, unless it compiles.
_MOST_SECONDS = 10

_changed = threading.Condition()
_training: set[int] = set()
_is_over = False


@contextmanager
def waited_for():
    """Make Python wait for this thread, if it is a daemon."""
    if not threading.current_thread().daemon:
        yield
        return
    me = threading.get_ident()
    # Registered again: what was loaded since the last time is ended after this.
    atexit.unregister(_wait)
    atexit.register(_wait)
    # A fit within a fit is waited for as the outer one.
    is_inner = me in _training
    _training.add(me)
    try:
        yield
    finally:
        if not is_inner:
            with _changed:
                _training.discard(me)
                _changed.notify_all()


def stop_if_python_ends():
    """End a thread that Python waits for, silently by SystemExit."""
    if _is_over and threading.get_ident() in _training:
        raise SystemExit


def _wait():
    global _is_over
    _is_over = True
    with _changed:
        _changed.wait_for(lambda: not _training, _MOST_SECONDS)
