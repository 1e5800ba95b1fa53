"""Which backends run in the process that this one was forked from.

Their threads don't survive a fork: in the child whatever waits for one waits for ever.
"""

import os
import sys

from skrnn._engine.keras.backends import title_of_backend


def _tensorflow_runs():
    """Whether something has computed on TensorFlow; importing it starts no threads."""
    module = sys.modules.get("tensorflow.python.eager.context")
    context = getattr(module, "_context", None)
    return getattr(context, "_context_handle", None) is not None


def _jax_runs():
    return bool(getattr(sys.modules.get("jax._src.xla_bridge"), "_backends", None))


def _torch_runs():
    # It doesn't tell: what is known is whether the engine has loaded it.
    return "skrnn._engine.keras.torch" in sys.modules


# What people call the backend -> whether it runs in this process. The names that are
# private to a backend are here and nowhere else: `tests/engine/keras/test_forks.py`
# holds them.
_RUNS = {"TensorFlow": _tensorflow_runs, "JAX": _jax_runs, "PyTorch": _torch_runs}

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

    To be called before anything is made with Keras: layers, models and optimizers
    compute as soon as they have variables.
    """
    title = title_of_backend() if _lost else None
    if title in _lost:
        raise RuntimeError(
            f"This process was forked from one that had already used {title}, which "
            "cannot run in it. Use joblib's default backend 'loky' or 'threading' "
            "instead of 'multiprocessing'."
        )
