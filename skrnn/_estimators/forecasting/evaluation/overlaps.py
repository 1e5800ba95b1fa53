"""How far rows reach, ahead by their targets and back by their windows."""

import re
from dataclasses import dataclass

import numpy as np

from skrnn._estimators.forecasting.evaluation.grid import TimeGrid

# What `make_supervised` calls the columns of y.
_STEP_AHEAD = re.compile(r".*\(t\+(\d+)\)")
# Leads that are looked for where names don't tell them.
_MOST_AHEAD = 2_000


@dataclass(frozen=True)
class Reach:
    """How far the targets of a row lie ahead of it.

    Attributes
    ----------
    first, last : int
        Steps to the first and the last target; 0 for targets of the row itself.
    """

    first: int
    last: int


def reach_of(X: np.ndarray | None, y, grid: TimeGrid, horizon=None) -> Reach:
    """Find out how far ahead the targets lie.

    Parameters
    ----------
    X : ndarray of float of shape (n, F), or None
        None for anything that isn't a table of numbers.
    y : array-like of n rows
    grid : TimeGrid
    horizon : int or None
        What the user says of the last target.
    """
    if horizon is not None:
        return Reach(min(horizon, 1), horizon)
    named = _named_steps(y)
    if named:
        return Reach(min(named), max(named))
    targets = np.asarray(y)
    if targets.dtype.kind not in "fiub" or targets.ndim > 3:
        return Reach(0, 0)
    targets = targets.reshape(len(targets), -1).astype(float)
    places = _longest_series(grid)
    found = [] if X is None else _leads(X[places], targets[places])
    if found:
        return Reach(min(found), max(found))
    if _are_shifted(targets[places]):
        return Reach(1, targets.shape[1])
    return Reach(0, 0)


def _named_steps(y):
    """Return the steps that names such as "sales(t+3)" tell."""
    columns = getattr(y, "columns", None)
    names = [getattr(y, "name", None)] if columns is None else list(columns)
    found = [_STEP_AHEAD.fullmatch(name) for name in names if isinstance(name, str)]
    return [int(each[1]) for each in found if each]


def _longest_series(grid):
    """Return the rows of the longest series in their order."""
    rows = np.flatnonzero(grid.codes == np.argmax(grid.lengths))
    return rows[np.argsort(grid.places[rows])]


def _leads(X, targets):
    """Return how far the first and the last target are ahead of a column of X."""
    ends = sorted({0, targets.shape[1] - 1})
    tried = [[_lead(column, targets[:, j]) for column in X.T] for j in ends]
    # The columns of a window all have it; the last one is the nearest.
    leads = [[each for each in row if each is not None] for row in tried]
    return [min(row) for row in leads if row]


def _lead(values, target):
    """Return by how many rows `target` is ahead of `values`, or None if it isn't."""
    n = len(target)
    if n < 8 or np.ptp(target) == 0:
        return None
    same = np.flatnonzero(values[1 : min(n // 2, _MOST_AHEAD)] == target[0]) + 1
    ahead = (int(d) for d in same if np.array_equal(values[d:], target[: n - d]))
    return next(ahead, None)


def _are_shifted(targets):
    """Whether each column is the one before it, a row later, as of a horizon."""
    is_number = targets.dtype.kind in "fiub"
    if len(targets) < 8 or targets.shape[1] < 2 or not is_number:
        return False
    if (targets == targets[0]).all():
        return False
    return np.array_equal(targets[1:, :-1], targets[:-1, 1:])


def window_of(estimators, X) -> int:
    """Return how many rows the longest window reaches back.

    Parameters
    ----------
    estimators : iterable
        Those that make windows have `lookback` and `sampling_rate`.
    X : array-like
        May hold windows already, of shape (n, T, F) or (n, T).
    """
    array = X if isinstance(X, np.ndarray) else None
    is_made = array is not None and array.ndim in (2, 3) and _are_shifted(array)
    spans = [array.shape[1] - 1 if array is not None and is_made else 0]
    for each in estimators:
        if hasattr(each, "lookback") and hasattr(each, "sampling_rate"):
            spans.append((int(each.lookback) - 1) * int(each.sampling_rate))
    return max(spans)


@dataclass(frozen=True)
class Overlap:
    """What of a training part a test part overlaps with.

    Attributes
    ----------
    n_targets : int
        Training rows before the test part whose targets aren't known at its start.
    n_windows : int
        Training rows after the test part, or within it, whose targets or windows hold
        its values.
    n_later : int
        Training rows later than the first test row, those above among them.
    """

    n_targets: int
    n_windows: int
    n_later: int


def overlap_of(train, test, grid: TimeGrid, reach: Reach, span: int) -> Overlap:
    """Count the training rows that overlap with the test part of their series."""
    far = len(grid.places) + 1
    firsts = np.full(grid.n_series, far)
    lasts = np.full(grid.n_series, -far)
    np.minimum.at(firsts, grid.codes[test], grid.places[test])
    np.maximum.at(lasts, grid.codes[test], grid.places[test])
    place, code = grid.places[train], grid.codes[train]
    is_before = place < firsts[code]
    too_late = is_before & (place + reach.last > firsts[code]) & (reach.last > 0)
    is_tested = firsts[code] < far
    later = is_tested & ~is_before
    between = later & (place <= lasts[code])
    looks_in = (
        later & (place - span <= lasts[code] + reach.last) & (span + reach.last > 0)
    )
    return Overlap(
        int(too_late.sum()), int((between | looks_in).sum()), int(later.sum())
    )
