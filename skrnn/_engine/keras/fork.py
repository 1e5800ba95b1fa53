"""Which backends ran in the process that this one was forked from.

Their threads don't survive a fork, so in the child such a backend would wait for ever.
"""

import os
import sys

from skrnn._engine.keras.backends import title_of_backend
from skrnn._engine.keras.private import jax_runs, tensorflow_runs


def _torch_runs():
    # PyTorch can't be asked whether it ran; look whether the engine has loaded it.
    return "skrnn._engine.keras.adapters.torch" in sys.modules


# Usual name of the backend -> whether it runs in this process.
_RUNS = {"TensorFlow": tensorflow_runs, "JAX": jax_runs, "PyTorch": _torch_runs}

_lost: set[str] = set()


def _note_what_is_lost():
    _lost.update(title for title, runs in _RUNS.items() if runs())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_what_is_lost)


def is_forked() -> bool:
    """Whether this process was forked from one in which a backend ran."""
    return bool(_lost)


def refuse_forked_process():
    """Raise an error where what uses Keras' backend would hang for ever.

    Call it before anything is made with Keras: layers, models and optimizers compute as
    soon as they have variables.
    """
    title = title_of_backend() if _lost else None
    if title in _lost:
        raise RuntimeError(
            f"This process was forked from one that had already used {title}, which "
            "cannot run in it. Use joblib's default backend 'loky' or 'threading' "
            "instead of 'multiprocessing'."
        )
