"""Checkpoints of a ``fit``: which file is its own, and what may be gone on from."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any

import numpy as np

from skrnn._data.digests import described, digest_of
from skrnn._engine import Checkpoint, TrainingState
from skrnn._networks.weights import weight_table
from skrnn._persistence.atomic import name_of_file
from skrnn._persistence.checkpoint_file import read_tree, write_tree
from skrnn._persistence.container import UnreadableError

# Parameters that make no difference to what is learnt.
_NOT_ASKED = {"checkpoint_path", "verbose", "random_state"}
_ENDING = ".checkpoint"
# Differences that an error names.
_NAMED = 3


@dataclass(frozen=True)
class FitCheckpoint:
    """The checkpoint of one ``fit``.

    Attributes
    ----------
    path : str
    identity : dict
        What tells this fit from others: "estimator", "parameters" and "data".
    seed : int or None
        Seed of the fit that has begun already; None if this one begins.
    state : dict or None
        Of the training so far.
    ended : bool
        Whether that fit came to its end.
    """

    path: str
    identity: dict
    seed: int | None = None
    state: dict | None = None
    ended: bool = False

    def for_training(self, spec, seed: int) -> Checkpoint:
        """Return what the engine goes on from, and where it writes to.

        Raises
        ------
        ValueError
            If the state in the file can't be that of a network like `spec`.
        """
        found = None
        if self.state is not None:
            try:
                found = _read_state(self.state, spec)
            except UnreadableError as error:
                raise _unusable(self.path, error) from None

        def write(state: TrainingState) -> None:
            values = {each.name: getattr(state, each.name) for each in fields(state)}
            self.write(seed, values, state.ended)

        return Checkpoint(found, write)

    def write(self, seed: int, state: dict | None, ended: bool) -> None:
        """Write the file."""
        facts = {"seed": seed, "ended": ended, "state": state}
        write_tree(self.path, self.identity | facts)

    def of_member(self, number: int) -> str:
        """Return the path of the checkpoint of one of several networks."""
        root, ending = os.path.splitext(self.path)
        return f"{root}-{number}{ending}"


def parameters_of(estimator, **others: Any) -> dict[str, str]:
    """Describe the parameters that make a difference, by name.

    `others` stand for parameters of these names.
    """
    params = estimator.get_params(deep=False) | others
    seed = params.get("random_state")
    found = {k: described(v) for k, v in params.items() if k not in _NOT_ASKED}
    # For anything but an int, the seed that was drawn is in the file.
    if isinstance(seed, int | np.integer):
        found["random_state"] = described(seed)
    callbacks = params.get("callbacks")
    if callbacks:
        found["callbacks"] = repr([type(each).__name__ for each in callbacks])
    return found


def fit_checkpoint(path, estimator, parameters: dict, *data) -> FitCheckpoint:
    """Look for the checkpoint of a fit of `estimator` with `parameters` on `data`.

    Parameters
    ----------
    path : str or path-like
        Path of a file, or of an existing folder, in which the file is named after
        parameters and data.
    estimator : estimator
    parameters : dict of str
    *data : object
        Arrays, and what holds them.

    Raises
    ------
    ValueError
        If the file is that of another unfinished fit, or isn't a checkpoint.
    OSError
        If there is no such folder, or the file can't be read.
    """
    path = os.path.abspath(name_of_file(path, "checkpoint_path"))
    name = type(estimator).__name__
    identity = {"estimator": name, "parameters": parameters, "data": digest_of(data)}
    if os.path.isdir(path):
        path = os.path.join(path, f"{name}-{digest_of(identity)[:32]}{_ENDING}")
    new = FitCheckpoint(path, identity)
    _require_folder(path)
    if not os.path.exists(path):
        return new
    found = _read(path)
    if {key: found[key] for key in identity} == identity:
        return replace(new, **{k: found[k] for k in ("seed", "state", "ended")})
    if not found["ended"]:
        raise ValueError(_of_another_fit(path, identity, found))
    return new


def _require_folder(path):
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"checkpoint_path={path!r} is in a folder that isn't there; make it first."
        )
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"checkpoint_path={path!r} is in a folder that can't be written to."
        )


def _read(path):
    try:
        found = read_tree(path)
        for key, fits in _FACTS.items():
            if not (isinstance(found, dict) and fits(found.get(key))):
                raise UnreadableError(f"its {key!r} is missing or wrong")
    except UnreadableError as error:
        raise _unusable(path, error) from None
    return found


def _unusable(path, error):
    return ValueError(
        f"checkpoint_path={path!r} is no checkpoint that training can go on from: "
        f"{error}. Remove the file, or choose another path."
    )


def _of_another_fit(path, identity, found):
    mine, its = identity["parameters"], found["parameters"]
    names = [name for name in {**mine, **its} if mine.get(name) != its.get(name)]
    changes = [f"{n} was {its.get(n)} and is {mine.get(n)}" for n in names[:_NAMED]]
    if found["estimator"] != identity["estimator"]:
        changes = [f"it was of {found['estimator']}"]
    elif not changes:
        changes = ["the data were others"]
    return (
        f"checkpoint_path={path!r} holds an interrupted fit that isn't this one: "
        f"{'; '.join(changes)}. Remove the file to begin anew, choose another path, or "
        "give a folder, in which each fit has a file of its own (as the fits of a "
        "search need)."
    )


def _is_count(value):
    return type(value) is int and value >= 0


def _are_arrays(value):
    return isinstance(value, list) and all(isinstance(a, np.ndarray) for a in value)


def _is_history(value):
    if not (isinstance(value, dict) and isinstance(value.get("loss"), list)):
        return False
    n = len(value["loss"])
    return all(
        isinstance(losses, list)
        and len(losses) == n
        and all(isinstance(loss, Real) for loss in losses)
        for losses in value.values()
    )


def _is_generator(value):
    if value is None:
        return True
    try:
        np.random.default_rng(0).bit_generator.state = value
    except Exception:  # NumPy raises various errors for files that aren't its own.
        return False
    return True


def _or_none(fits) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _is_finite(value):
    return isinstance(value, float) and math.isfinite(value)


# Fact -> whether a value can be one.
_FACTS: dict[str, Callable[[Any], bool]] = {
    "estimator": lambda value: isinstance(value, str),
    "parameters": lambda value: isinstance(value, dict),
    "data": lambda value: isinstance(value, str),
    "seed": _is_count,
    "ended": lambda value: isinstance(value, bool),
    "state": _or_none(lambda value: isinstance(value, dict)),
}
# The same of a training's state.
_OF_STATE: dict[str, Callable[[Any], bool]] = {
    "weights": _are_arrays,
    "optimizer_state": _are_arrays,
    "history": _is_history,
    "learning_rate": _or_none(_is_finite),
    "step": _is_count,
    "generator": _is_generator,
    "best_weights": _or_none(_are_arrays),
    "best_loss": lambda value: isinstance(value, float),
    "best_epoch": _is_count,
    "callbacks": lambda value: (
        isinstance(value, tuple) and all(isinstance(each, dict) for each in value)
    ),
    "ended": lambda value: isinstance(value, bool),
    "diverged": lambda value: isinstance(value, bool),
}


def _read_state(state, spec) -> TrainingState:
    """Return the state of a training, checked before anything computes with it."""
    for key, fits in _OF_STATE.items():
        if key not in state or not fits(state[key]):
            raise UnreadableError(f"its {key!r} is missing or wrong")
    if not state["history"]["loss"] and not state["ended"]:
        raise UnreadableError("no epoch is in it")
    shapes = [row.shape for row in weight_table(spec)]
    for key in ("weights", "best_weights"):
        if state[key] is not None:
            _check_weights(key, state[key], shapes)
    return TrainingState(**{key: state[key] for key in _OF_STATE})


def _check_weights(key, weights, shapes):
    found = [(weight.dtype.name, weight.shape) for weight in weights]
    if found != [("float32", shape) for shape in shapes]:
        raise UnreadableError(
            f"{key} must be float32 arrays of the shapes {shapes}, got {found}"
        )
    if not all(np.isfinite(weight).all() for weight in weights):
        raise UnreadableError(f"{key} contain NaN or infinity")
