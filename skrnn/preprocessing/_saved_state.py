"""The state of a fitted transformer in a pickle, and its validation."""

from typing import Any

import numpy as np

from skrnn._data.rows.history import History
from skrnn._estimators.advice import AdvisedEstimator

_MARK = "_saved"


class SavedStateMixin(AdvisedEstimator):
    """A transformer that refuses a state which was changed by hand or cut off."""

    def __getstate__(self):
        state: dict[str, Any] = super().__getstate__()
        sizes = {name: _size(state[name]) for name in _ATTRIBUTES if name in state}
        return state | ({_MARK: sizes} if sizes else {})

    def __setstate__(self, state):
        state = dict(state)
        sizes = state.pop(_MARK, {})
        for name in _ATTRIBUTES:
            if name not in state and name not in sizes:
                continue
            expected, fits = _ATTRIBUTES[name]
            value = state.get(name)
            if sizes.get(name) != _size(value) or not _holds(fits, value, state):
                raise ValueError(
                    f"This isn't the state of a fitted {type(self).__name__}: {name} "
                    f"must be {expected}, as it was when it was saved."
                )
        super().__setstate__(state)


def _size(value):
    return len(value) if hasattr(value, "__len__") else type(value).__name__


def _holds(fits, value, state):
    """Whether a condition holds; False for values that make it raise."""
    try:
        return bool(fits(value, state))
    except Exception:
        return False


def _are_rows(value, state):
    arrays = value.values() if isinstance(value, dict) else [value]
    shape = "n_features_in_"
    return all(
        isinstance(a, np.ndarray)
        and a.dtype.kind == "f"
        and a.ndim == 2
        and a.shape[1] == state[shape]
        and np.isfinite(a).all()
        for a in arrays
    )


def _is_vocabulary(value, _state):
    ids = set(value.values())
    return len(ids) == len(value) and all(_is_count(i) for i in ids)


def _is_count(value):
    return isinstance(value, int | np.integer) and value is not True and value > 0


def _is_length(value, state):
    # Without padding texts have any length.
    return _is_count(value) or (value is None and "vocabulary_" in state)


# Attribute -> what it must be, and whether a value is, in a state.
_ATTRIBUTES = {
    "tail_": ("the last rows of each series", _are_rows),
    "_history": ("what is known of them", lambda value, _: isinstance(value, History)),
    "vocabulary_": ("a dict of tokens and ids", _is_vocabulary),
    "maxlen_": ("a positive int", _is_length),
    "_has_features": ("a bool", lambda value, _: isinstance(value, bool | np.bool_)),
}
