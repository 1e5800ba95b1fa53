"""Load TensorFlow without the lines that it prints at its start."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Lines of level INFO and WARNING, in both forms that TensorFlow has, and what it says
# of the logging itself and of GPUs that aren't there.
_GREETING = re.compile(
    rb"\d{4}-\d\d-\d\d [\d:.]+: [IW] "
    rb"|[IW]\d{4} \d\d:"
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|E\d{4} .*(factory|cuInit|cuda)"
    rb"|To enable the following instructions:"
)
_lock = threading.Lock()


@contextmanager
def quietly() -> Iterator[None]:
    """Load TensorFlow in the body without its greetings; errors are shown.

    Nothing is done if TensorFlow is loaded already, or if the user has asked for its
    lines, by level 0 or 1. A level that the user has set stays. Otherwise it is set
    only while TensorFlow reads it, once.
    """
    with _lock:
        level = os.environ.get(LEVEL)
        if "tensorflow" in sys.modules or level in ("0", "1"):
            yield
            return
        os.environ.setdefault(LEVEL, "2")
        try:
            with _filtered():
                yield
                _complain_now()
        finally:
            if level is None:
                os.environ.pop(LEVEL, None)


def _complain_now():
    """Let TensorFlow look for a GPU where there is none: it complains at once.

    Where there is one it is left alone: a forked process could no longer use it.
    """
    loaded = sys.modules.get("tensorflow")
    if loaded is not None and not os.path.exists("/dev/nvidiactl"):
        loaded.config.list_physical_devices("GPU")


@contextmanager
def _filtered():
    """Hold back what is written to file descriptor 2, and write what is no greeting.

    Some lines come before TensorFlow reads the variable, and not by Python.
    """
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    try:
        shown = os.dup(2)
    except OSError:
        # There is no such file: in a program without a console.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            with suppress(OSError, ValueError, AttributeError):
                sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
            _write_rest(held)


def _write_rest(held):
    held.seek(0)
    lines = held.read().splitlines(keepends=True)
    for line in lines:
        if not _GREETING.match(line):
            with suppress(OSError):
                os.write(2, line)
