"""What callbacks of Keras remember from epoch to epoch, as plain values and arrays."""

from collections.abc import Mapping

import keras
import numpy as np

# Attributes of the model, or settings changed in place before the first epoch.
_NO_STATE = {"model", "_model", "params", "validation_data", "min_delta"}
_PLAIN = type(None), bool, int, float, str
# It keeps the state of a training too.
_RIVALS = (keras.callbacks.BackupAndRestore,)


def refuse_rivals(callbacks) -> None:
    """Refuse callbacks that restore a training by themselves."""
    for callback in callbacks:
        if isinstance(callback, _RIVALS):
            raise ValueError(
                f"callbacks has a {type(callback).__name__}, which goes on from files "
                "of its own; checkpoint_path does the same: use one of the two."
            )


def state_of(callback) -> dict:
    """Return what a callback remembers.

    That is what its ``state_dict()`` returns, if it has one and
    ``load_state_dict(state)``. Otherwise it is its attributes; functions among them
    are part of what it is.

    Raises
    ------
    ValueError
        If an attribute of a callback that isn't Keras' own can't be saved.
    """
    if _tells(callback):
        state = dict(callback.state_dict())
        refused = [name for name, value in state.items() if not is_plain(value)]
        where = "its state_dict() has"
    else:
        found = {k: v for k, v in vars(callback).items() if k not in _NO_STATE}
        found = {k: v for k, v in found.items() if not callable(v)}
        state = {name: value for name, value in found.items() if is_plain(value)}
        refused = [name for name in found if name not in state]
        where = "it has the attribute"
    if refused and not _is_of_keras(callback):
        raise ValueError(
            f"checkpoint_path can't save what {type(callback).__name__} remembers: "
            f"{where} {refused[0]!r}, which isn't made of numbers, str and arrays. "
            "Leave the callback out, or give it methods state_dict() and "
            "load_state_dict(state)."
        )
    return state


def restore(callback, state: dict) -> None:
    """Let a callback remember what `state_of` returned."""
    if _tells(callback):
        callback.load_state_dict(state)
        return
    for name, value in state.items():
        setattr(callback, name, value)


def is_plain(value) -> bool:
    """Whether a value is made of numbers, str and arrays of numbers."""
    if isinstance(value, Mapping):
        names = all(isinstance(key, str) for key in value)
        return type(value) is dict and names and all(map(is_plain, value.values()))
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(is_plain, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "fiub"
    return isinstance(value, _PLAIN)


def _tells(callback):
    methods = "state_dict", "load_state_dict"
    return all(callable(getattr(callback, name, None)) for name in methods)


def _is_of_keras(callback):
    # Whatever such a callback can't save, it makes anew when training begins.
    return type(callback).__module__.startswith("keras.")
