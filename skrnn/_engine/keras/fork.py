"""What a forked process has lost: backends that ran before, and threads with locks.

Threads don't survive a fork, so in the child such a backend would wait for ever. So
would code that asks for a lock that a thread of the parent held at that moment, and
whoever imports what such a thread was importing.
"""

import os
import sys
import threading
from functools import cached_property

from skrnn._engine.keras.backends import title_of_backend
from skrnn._engine.keras.private import jax_runs, tensorflow_runs


def _torch_runs():
    # PyTorch can't be asked whether it ran; look whether the engine has loaded it.
    return "skrnn._engine.keras.adapters.torch" in sys.modules


# Usual name of the backend -> whether it runs in this process.
_RUNS = {"TensorFlow": tensorflow_runs, "JAX": jax_runs, "PyTorch": _torch_runs}

# What a thread may be importing for many seconds, the first time that Keras is needed:
# the packages, and the modules of ours that need them.
_SLOW = (
    *("keras.", "tensorflow.", "jax.", "torch."),
    *("skrnn._engine.keras.", "skrnn._networks.keras.", "skrnn.scikeras."),
)

_lost: set[str] = set()

# Type of a lock -> what makes a new one.
_LOCKS = {type(make()): make for make in (threading.Lock, threading.RLock)}


def _note_what_is_lost():
    _lost.update(title for title, runs in _RUNS.items() if runs())
    if any(map(_is_half_imported, list(sys.modules))):
        _lost.add(title_of_backend())


def _is_half_imported(name):
    """Whether a thread was importing this module of Keras or of a backend.

    Python's own sign of it, which its import statement reads too.
    """
    if not f"{name}.".startswith(_SLOW):
        return False
    spec = getattr(sys.modules[name], "__spec__", None)
    return getattr(spec, "_initializing", False)


def _renew_locks():
    """Replace the locks of ours, at the top of modules and of cached properties.

    Before Python 3.12 a cached property has a lock for all objects of its class.
    """
    of_ours = [module for name, module in sys.modules.items() if _is_ours(name)]
    for module in of_ours:
        for name, value in list(vars(module).items()):
            if type(value) in _LOCKS:
                setattr(module, name, _LOCKS[type(value)]())
            elif isinstance(value, type) and _is_ours(value.__module__):
                _renew_locks_of_properties(value)


def _renew_locks_of_properties(cls):
    for value in vars(cls).values():
        if isinstance(value, cached_property) and hasattr(value, "lock"):
            value.lock = threading.RLock()


def _is_ours(name):
    return name.startswith("skrnn.")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_what_is_lost)
    os.register_at_fork(after_in_child=_renew_locks)


def is_forked() -> bool:
    """Whether this process was forked from one that used a backend."""
    return bool(_lost)


def refuse_forked_process():
    """Raise an error in a process in which Keras' backend would hang for ever.

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
