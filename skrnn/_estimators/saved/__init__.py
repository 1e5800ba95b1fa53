"""The state of a fitted estimator in a pickle, and its validation.

A state that was changed by hand, cut off or written by another version is refused when
it is read, not by whatever fails first much later.
"""

from skrnn._estimators.saved.attributes import ATTRIBUTES
from skrnn._estimators.saved.networks import read_spec, read_weights
from skrnn._estimators.saved.values import UnusableError, holds
from skrnn._sklearn import CALLBACKS

# Raise it whenever a fitted attribute is added, renamed or changes its meaning.
VERSION = 1
_MARK = "_saved"
_NEEDED = {
    "_spec", "_weights", "_optimizer_state", "_optimizer_kind",
    "history_", "n_iter_", "best_epoch_",
}  # fmt: skip


def mark_state(state: dict) -> dict:
    """Return a fitted state, its spec as text, with the version and all its names."""
    state = state | {"_spec": state["_spec"].to_json()}
    # A file has no callbacks: they are nothing that is learnt.
    return state | {_MARK: (VERSION, sorted(state.keys() - {CALLBACKS}))}


def read_state(estimator, state):
    """Return what `mark_state` was given; a state that isn't fitted stays as it is.

    Raises
    ------
    ValueError
        That names the class and what is wrong, if no such estimator can work.
    """
    if not isinstance(state, dict) or not state.keys() & {"_spec", "_weights", _MARK}:
        return state
    try:
        return _read(estimator, dict(state))
    except UnusableError as error:
        raise ValueError(
            f"This isn't the state of a fitted {type(estimator).__name__}: {error}."
        ) from error


def _read(estimator, state):
    _check_names(state, state.pop(_MARK, None))
    spec = state["_spec"] = read_spec(estimator._spec_class, state["_spec"])
    state["_weights"] = read_weights(spec, state["_weights"])
    for name, value in state.items():
        expected, fits = ATTRIBUTES.get(name, ("", None))
        if fits is not None and not holds(fits, value, spec):
            raise UnusableError(f"{name} must be {expected}, got {value!r:.80}")
    strings = getattr(state.get("_labels_like"), "form", None) == "strings"
    if strings and not all(isinstance(label, str) for label in state["classes_"]):
        raise UnusableError("classes_ must be characters, which make strings")
    return state


def _check_names(state, mark):
    if not isinstance(mark, tuple) or len(mark) != 2 or mark[0] != VERSION:
        raise UnusableError(
            "it was saved by another version of skrnn, whose fitted attributes were "
            "others; fit again"
        )
    missing = {*mark[1], *_NEEDED} - state.keys()
    if missing:
        raise UnusableError(f"it lacks {sorted(missing)}")
