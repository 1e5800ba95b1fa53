"""What columns tell of how they were made: from all rows, or from later values."""

import numpy as np

from skrnn._estimators.forecasting.evaluation.grid import TimeGrid

# A share of the spread of a column: exact, and clearly not.
_EXACT, _INEXACT = 1e-7, 1e-3
_WIDTH = 12
_MOST_ROWS, _MOST_COLUMNS = 20_000, 200


def scaled_over_all(X: np.ndarray, train: np.ndarray) -> list[int]:
    """Return the columns that are scaled exactly over all rows, not over `train`."""
    return [
        i
        for i in range(min(X.shape[1], _MOST_COLUMNS))
        if _is_scaled(X[:, i]) and not _is_scaled(X[train, i])
    ]


def _is_scaled(values):
    if not np.isfinite(values).all() or len(np.unique(values[:50])) < 3:
        # Nobody scales two classes.
        return False
    spread = np.std(values)
    standard = abs(np.mean(values)) < 1e-9 and abs(spread - 1) < 1e-9
    ends = abs(np.min(values)) < 1e-9 and abs(np.max(values) - 1) < 1e-9
    return standard or ends


def of_later_values(X, series, grid: TimeGrid, first_lag, skipped=()) -> list[int]:
    """Return the columns that are sums of later values of the series.

    Parameters
    ----------
    X : ndarray of float of shape (n, F)
    series : ndarray of float of shape (n,)
        The value of the series at the time of each row.
    grid : TimeGrid
    first_lag : int
        The latest value that a row may hold: 0 for its own.
    skipped : iterable of int
        Columns that aren't looked at.
    """
    n = int(grid.lengths.max())
    width = min(_WIDTH, (n - first_lag) // 8)
    if width < 1 or not np.isfinite(series).all():
        return []
    order = grid.in_time_order()
    places, lengths = grid.places[order], grid.lengths[grid.codes[order]]
    reach = first_lag + width
    inside = (places >= reach) & (places < lengths - width)
    at = np.flatnonzero(inside)[:_MOST_ROWS]
    if len(at) < 4 * (reach + width):
        return []
    values = series[order]
    earlier = _shifted(values, at, range(-reach, -first_lag + 1))
    later = _shifted(values, at, range(-first_lag + 1, width + 1))
    columns = X[order][at]
    return [
        i
        for i in range(min(X.shape[1], _MOST_COLUMNS))
        if i not in skipped and _needs(columns[:, i], earlier, later)
    ]


def _shifted(values, at, lags):
    return np.column_stack([values[at + lag] for lag in lags])


def _needs(column, earlier, later):
    """Whether a column is a sum of all these values exactly, of earlier ones not."""
    spread = np.std(column)
    if not np.isfinite(column).all() or spread == 0:
        return False
    if _rest(column, np.hstack([earlier, later])) > _EXACT * spread:
        return False
    return _rest(column, earlier) > _INEXACT * spread


def _rest(column, values):
    values = np.column_stack([np.ones(len(values)), values])
    found = np.linalg.lstsq(values, column, rcond=1e-10)[0]
    return np.std(column - values @ found)
