"""Warnings that point at the user's line, however deep they are raised."""

import sys
import warnings
from types import FrameType

# Packages whose frames are skipped on the way to the user's line.
_PASSED = ("skrnn", "sklearn", "joblib", "threading", "concurrent")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the first line outside of skrnn and scikit-learn."""
    level = 2
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _package(frame) in _PASSED:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
