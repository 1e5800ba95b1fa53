"""Which process the backend runs in: its threads don't survive a fork."""

import os

from skrnn._engine._backends import title_of_backend

_owner: dict[str, int] = {}


def is_forked() -> bool:
    """Whether this process was forked from one that had used the engine."""
    return _owner.setdefault("process", os.getpid()) != os.getpid()


def refuse_forked_process():
    """Raise an error where training would hang for ever."""
    if is_forked():
        raise RuntimeError(
            "This process was forked from one that had already used "
            f"{title_of_backend()}, which cannot run in it. Use joblib's default "
            "backend 'loky' or 'threading' instead of 'multiprocessing'."
        )
