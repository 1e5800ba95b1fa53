"""Where sequences come out of a Pipeline, also of one inside of other estimators."""

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skrnn.inspection._parts import held_by
from skrnn.preprocessing import SlidingWindow


@dataclass(frozen=True)
class AtWindows:
    """What reads sequences, and the sequences.

    Attributes
    ----------
    model : estimator
        The whole estimator without the steps that X has gone through: what predicts
        from sequences as the whole does from rows.
    X : array-like
    before : tuple of transformers
        The steps that X has gone through.
    """

    model: Any
    X: Any
    before: tuple[Any, ...] = ()


def at_windows(estimator: Any, X: Any, caller: str) -> AtWindows:
    """Transform X up to the step of a Pipeline that makes windows.

    Without such a step it is up to the last one. It looks into searches, Pipelines in
    Pipelines, and what hands X on as it is, as a `TransformedTargetRegressor` does.

    Raises
    ------
    TypeError
        If the windows are made where `caller` can't look: in an ensemble, say. Columns
        would be taken for steps.
    """
    name = held_by(estimator)
    if name == "best_estimator_" or isinstance(estimator, FrozenEstimator):
        return at_windows(getattr(estimator, name or "estimator"), X, caller)
    if _is_sequences(X):
        return AtWindows(estimator, X)
    if isinstance(estimator, Pipeline):
        return _in_pipeline(estimator, X, caller)
    if name is None:
        _refuse_windows_in(estimator, caller)
        return AtWindows(estimator, X)
    found = at_windows(getattr(estimator, name), X, caller)
    model = copy(estimator)
    setattr(model, name, found.model)
    return AtWindows(model, found.X, found.before)


def _in_pipeline(pipeline, X, caller):
    before = list[Any]()
    for place, (_, step) in enumerate(pipeline.steps[:-1]):
        if step is None or isinstance(step, str):
            continue
        X = step.transform(X)
        before.append(step)
        if getattr(X, "ndim", 0) == 3:
            return AtWindows(Pipeline(pipeline.steps[place + 1 :]), X, tuple(before))
    found = at_windows(pipeline.steps[-1][1], X, caller)
    return AtWindows(found.model, found.X, (*before, *found.before))


def _is_sequences(X):
    """Whether X has steps already: an array (n, T, F), or a list of (T_i, F)."""
    if hasattr(X, "columns") or hasattr(X, "iloc") or not len(X):
        return False
    return np.ndim(X[0]) == 2


def _refuse_windows_in(estimator, caller):
    if not isinstance(estimator, BaseEstimator):
        return
    inside = estimator.get_params(deep=True).values()
    if any(isinstance(each, SlidingWindow) for each in inside):
        raise TypeError(
            f"{caller} can't see the windows that a SlidingWindow makes inside of a "
            f"{type(estimator).__name__}: expected a Pipeline, or a search or "
            "TransformedTargetRegressor around one. Pass one of its estimators_, or "
            "put the SlidingWindow before it."
        )


def scorer_within(estimator: Any) -> Any:
    """Return what ``score`` scores by if a search does it; None if it isn't one.

    Only the best estimator of a search is scored on its windows, but by what the search
    was asked for.
    """
    if isinstance(estimator, FrozenEstimator):
        return scorer_within(estimator.estimator)
    if isinstance(estimator, Pipeline):
        return scorer_within(estimator.steps[-1][1])
    if getattr(estimator, "best_estimator_", None) is None:
        return None
    found: Any = getattr(estimator, "scorer_", None)
    if not getattr(estimator, "multimetric_", False):
        return found
    name = estimator.refit
    if isinstance(found, dict):
        return found[name]
    return lambda *given, **options: found(*given, **options)[name]
