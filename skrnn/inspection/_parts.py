"""The networks inside of Pipelines and searches, and what reaches them there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.inspected import is_network, reads_texts


def part_with(estimator: Any, name: str, expected: str) -> Any:
    """Return the estimator, or what it holds, that has the attribute `name`.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If nothing in it has the attribute: it expected `expected`.
    """
    if not isinstance(estimator, type):
        if isinstance(estimator, BaseEstimator):
            check_is_fitted(estimator)
        part = found_in(estimator, name)
        if part is not None:
            return part
    found = estimator if isinstance(estimator, type) else type(estimator)
    raise TypeError(f"Expected {expected}. Got {found.__name__}.")


def found_in(estimator: Any, name: str) -> Any:
    """Return the outermost part of an estimator with an attribute, or None.

    It looks into the last step of a Pipeline, the best estimator of a search, and what
    a target's transformer wraps.
    """
    while estimator is not None and not _has(estimator, name):
        estimator = _inside(estimator)
    return estimator


def _has(estimator, name):
    """Whether an estimator has an attribute, or all that it was made of have it."""
    return hasattr(estimator, name) or bool(members_with(estimator, name))


def members_with(ensemble: Any, name: str) -> list[Any]:
    """Return the parts of an ensemble that have an attribute, if all have it."""
    members = getattr(ensemble, "estimators_", None)
    if not isinstance(members, list):
        return []
    parts = [found_in(member, name) for member in members]
    return [] if any(part is None for part in parts) else parts


def _inside(estimator):
    steps = getattr(estimator, "steps", None)
    if steps:
        return steps[-1][1]
    names = "best_estimator_", "regressor_", "estimator_"
    found = (getattr(estimator, name, None) for name in names)
    return next((each for each in found if each is not None), None)


@dataclass(frozen=True)
class Reached:
    """A fitted network, and the data as they reach it.

    Attributes
    ----------
    network : estimator
    X, y : array-like
    before : list of transformers
        The steps that X went through.
    """

    network: Any
    X: Any
    y: Any = None
    before: tuple[Any, ...] = ()


def reach_network(
    estimator: Any, X: Any, caller: str, y: Any = None, *, texts: bool = False
) -> Reached:
    """Return the network in a Pipeline or search, with X and y as they reach it.

    Parameters
    ----------
    caller : str
        For the error.
    texts : bool
        Whether a language model is a network too.

    Raises
    ------
    NotFittedError
        If the estimator isn't fitted.
    TypeError
        If it is no network of skrnn, and ends in none.
    """
    is_one = (
        (lambda each: is_network(each) or reads_texts(each)) if texts else is_network
    )
    _need_network(estimator, caller, is_one)
    before = list[Any]()
    while not is_one(estimator):
        check_is_fitted(estimator)
        if getattr(estimator, "steps", None) and len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
            before += [step for _, step in estimator.steps[:-1]]
        y = _as_transformed(estimator, y)
        estimator = _inside(estimator)
    check_is_fitted(estimator)
    return Reached(estimator, X, y, tuple(before))


def _need_network(estimator, caller, is_one):
    """Raise a TypeError unless there is a network, before X is transformed."""
    inside = None if isinstance(estimator, type) else estimator
    while inside is not None and not is_one(inside):
        if isinstance(inside, BaseEstimator):
            check_is_fitted(inside)
        inside = _inside(inside)
    if inside is None:
        found = estimator if isinstance(estimator, type) else type(estimator)
        raise TypeError(
            f"{caller} takes a recurrent estimator of skrnn, or a Pipeline or search "
            f"that ends in one. Got {found.__name__}.{_instead_of(found.__name__)}"
        )


def refuse_no_windows(estimator: Any, caller: str) -> None:
    """Refuse what reads texts, or whole series, and no windows."""
    name = type(estimator).__name__
    if name in _INSTEAD:
        raise TypeError(
            f"{caller} takes an estimator that reads sequences (n, T, F). Got {name}."
            f"{_instead_of(name)}"
        )


def _instead_of(name):
    """Say what to pass instead of what holds networks, or is one of another kind."""
    return _INSTEAD.get(name, "")


_INSTEAD = {
    "Forecaster": " Pass one of its networks, forecaster.estimators_[0], with X of "
    "shape (n, T, F) in units of its windows.",
    "TextGenerator": " Of a TextGenerator there are hidden_states(model, texts) and "
    "gates(model, texts).",
}


def _as_transformed(estimator, y):
    """Return y as the regressor that a target's transformer wraps gets it."""
    transformer = getattr(estimator, "transformer_", None)
    if y is None or transformer is None or not hasattr(estimator, "regressor_"):
        return y
    y = np.asarray(y)
    made = transformer.transform(y.reshape(len(y), -1))
    return made.reshape(len(y)) if y.ndim == 1 else made
