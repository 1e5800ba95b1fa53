"""Which process TensorFlow runs in: its threads don't survive a fork."""

import os

_owner: dict[str, int] = {}


def is_forked() -> bool:
    """Whether this process was forked from one in which TensorFlow ran."""
    return _owner.setdefault("process", os.getpid()) != os.getpid()


def refuse_forked_process():
    """Raise an error where training would hang for ever."""
    if is_forked():
        raise RuntimeError(
            "This process was forked from one that had already used TensorFlow, which "
            "cannot run in it. Use joblib's default backend 'loky' or 'threading' "
            "instead of 'multiprocessing'."
        )
