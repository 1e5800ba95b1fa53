"""Rows of a series and their futures."""

from numbers import Integral

import numpy as np

from skrnn._constraints import StrictInterval
from skrnn._typing import validate_params
from skrnn._windows import sliding_windows


@validate_params(
    {
        "series": ["array-like"],
        "horizon": [StrictInterval(Integral, 1, None, closed="left")],
        "gap": [StrictInterval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def make_supervised(series, *, horizon=1, gap=0, target=None):
    """Return the rows of a series whose future is known, and that future.

    ``y[t]`` holds the target at rows ``t + gap + 1, ..., t + gap + horizon``. X keeps
    one row for each time, for a pipeline that starts with :class:`SlidingWindow`.

    Parameters
    ----------
    series : array-like, Series or DataFrame of shape (n,) or (n, n_columns)
        Values in time order.
    horizon : int, default=1
        Number of future steps in y.
    gap : int, default=0
        Number of steps between a row of X and the first step of its y that are left
        out.
    target : str, int, list of them, or None, default=None
        Columns that y is made of: names of a frame's columns, or positions. None is
        all columns.

    Returns
    -------
    X : ndarray or DataFrame of shape (n - gap - horizon, n_columns)
        The rows with a full future; the rows of an array are a view.
    y : ndarray, Series or DataFrame of n - gap - horizon rows
        Shape (n',) for one step of one target, (n', horizon) for one target, (n', K)
        for one step of K targets, and (n', horizon, K) otherwise, always an array
        then. Columns of pandas objects are called after the column and the step, such
        as ``"sales(t+2)"``, and have the index of X.

    Raises
    ------
    ValueError
        If no row has a full future, or if a target is unknown or named twice.

    Examples
    --------
    >>> from skrnn.preprocessing import make_supervised
    >>> X, y = make_supervised([1, 2, 3, 4, 5], horizon=2)
    >>> X.ravel()
    array([1, 2, 3])
    >>> y
    array([[2, 3],
           [3, 4],
           [4, 5]])
    """
    table = _as_table(series)
    targets = _target_positions(target, table)
    n_rows = _count_rows(len(table), horizon, gap)
    future = _take_columns(table, targets)[gap + 1 :]
    # A copy: y would be read-only otherwise, which nobody expects of it.
    y = sliding_windows(future, horizon).copy()
    y = y.reshape([n_rows, *(size for size in y.shape[1:] if size > 1)])
    if not _is_frame(table):
        return table[:n_rows], y
    X = table.iloc[:n_rows]
    steps = range(gap + 1, gap + horizon + 1)
    names = [f"{table.columns[i]}(t+{step})" for step in steps for i in targets]
    return X, _as_pandas(y, X.index, names)


def _is_frame(series):
    return hasattr(series, "iloc")


def _as_table(series):
    """Return a frame for what is pandas', a two-dimensional array for the rest."""
    if hasattr(series, "to_frame") and _is_frame(series):
        return series.to_frame("x0" if series.name is None else series.name)
    if _is_frame(series):
        return series
    table = np.asarray(series)
    if table.ndim not in (1, 2):
        raise ValueError(
            f"series has shape {table.shape}; expected (n_rows,) or "
            "(n_rows, n_columns)."
        )
    return table.reshape(len(table), -1) if table.ndim == 1 else table


def _take_columns(table, positions):
    if _is_frame(table):
        return table.iloc[:, positions].to_numpy()
    return table[:, positions]


def _count_rows(n, horizon, gap):
    if horizon + gap >= n:
        raise ValueError(
            f"horizon={horizon} and gap={gap} need a series of at least "
            f"{horizon + gap + 1} rows, but series has n={n}."
        )
    return n - gap - horizon


def _target_positions(target, table):
    n_columns = table.shape[1]
    names = list(table.columns) if _is_frame(table) else None
    if target is None:
        target = range(n_columns)
    items = [target] if isinstance(target, str) or np.ndim(target) == 0 else target
    positions = [_position(item, names, n_columns) for item in items]
    if not positions or len(set(positions)) < len(positions):
        raise ValueError(
            f"target={target!r} is invalid; expected at least one column of series, "
            "and none of them twice."
        )
    return positions


def _position(item, names, n_columns):
    """Return where in series the column `item` is."""
    if isinstance(item, str) and names is not None and names.count(item) == 1:
        return names.index(item)
    is_position = isinstance(item, Integral) and not isinstance(item, bool)
    if is_position and -n_columns <= item < n_columns:
        return int(item) % n_columns
    named = "without names" if names is None else f"named {names}"
    raise ValueError(
        f"target={item!r} is not one column of series, which has {n_columns} columns "
        f"{named}; expected a name or a position."
    )


def _as_pandas(y, index, names):
    # Deferred: only somebody who has a frame comes here, and then it is loaded.
    import pandas as pd  # noqa: PLC0415

    if y.ndim == 1:
        return pd.Series(y, index=index, name=names[0])
    return pd.DataFrame(y, index=index, columns=names) if y.ndim == 2 else y
