"""Rows of a series with their future values as targets."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from skrnn._data.rows.series import read_rows, refuse_list_of_series
from skrnn._data.typing import ArrayLike, SequenceData
from skrnn._data.windows import sliding_windows
from skrnn._estimators.advice import advised_function
from skrnn._sklearn import StrictInterval, naming, validate_params
from skrnn.preprocessing._tables import read_table


@advised_function
@validate_params(
    {
        "series": ["array-like"],
        "horizon": [StrictInterval(Integral, 1, None, closed="left")],
        "gap": [StrictInterval(Integral, 0, None, closed="left")],
        "groups": ["array-like", str, None],
    },
    prefer_skip_nested_validation=True,
)
def make_supervised(
    series: SequenceData,
    *,
    horizon: int = 1,
    gap: int = 0,
    target: str | int | Iterable[str | int] | None = None,
    groups: ArrayLike | None = None,
) -> tuple[Any, Any]:
    """Return the rows of a series whose future is known, and that future.

    ``y[t]`` holds the target at rows ``t + gap + 1, ..., t + gap + horizon`` of the
    same series. X keeps one row for each time, for a pipeline that starts with
    :class:`SlidingWindow`.

    Parameters
    ----------
    series : array-like, Series or DataFrame of shape (n,) or (n, n_columns)
        Values in time order. Frames of pandas, polars and pyarrow keep their columns.
        With a MultiIndex (series, time), it holds several series, which may be one
        after the other or mixed.
    horizon : int, default=1
        Number of future steps in y.
    gap : int, default=0
        Number of steps to skip between a row of X and the first step of its y.
    target : str, int, list of them, or None, default=None
        Columns to predict: names of a frame's columns, or positions. An integer or a
        tuple is first looked up among the names. None is all columns.
    groups : array-like of shape (n,) or None, default=None
        The series that each row belongs to, where no MultiIndex says it.

    Returns
    -------
    X : ndarray or DataFrame of shape (n', n_columns)
        The rows with a full future, in their order: n' is n - gap - horizon, or the sum
        of that over all series; a series that is too short has no rows. The rows of an
        array are a view if they are of one series.
    y : ndarray, Series or DataFrame of n' rows
        Shape (n',) for one step of one target, (n', horizon) for one target, (n', K)
        for one step of K targets, and (n', horizon, K) otherwise, always an array
        then. Columns of frames are called after the column and the step, such
        as ``"sales(t+2)"``, and those of pandas have the index of X.

    Raises
    ------
    ValueError
        If no row has a full future, if a target is unknown or named twice, if a column
        holds times, or if the index isn't in ascending order, within each series, or
        has a label twice.

    See Also
    --------
    skrnn.preprocessing.SlidingWindow : The windows of the rows.
    skrnn.forecasting.Forecaster : Makes windows and targets by itself.

    Notes
    -----
    The `groups` of the rows of X, for :class:`SlidingWindow`, are
    ``make_supervised(groups, groups=groups, ...)[0].ravel()`` with the same `horizon`
    and `gap`. A frame that has them as a column, or in its index, still has them in X.

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

    No target is taken from another series:

    >>> X, y = make_supervised([1, 2, 3, 70, 80], groups=["a", "a", "a", "b", "b"])
    >>> X.ravel(), y
    (array([ 1,  2, 70]), array([ 2,  3, 80]))
    """
    refuse_list_of_series(series, "series")
    table = read_table(series)
    targets = _target_positions(target, table)
    values = table.columns(targets)
    rows = read_rows(series, len(values), groups=groups, name="series")
    # NumPy's small types may not hold their sum.
    horizon, gap = int(horizon), int(gap)
    _check_length(rows, horizon, gap)
    kept, futures = _with_future(rows, horizon, gap)
    if futures is None:
        # A copy: otherwise y would be read-only, which is unexpected.
        y = sliding_windows(values[gap + 1 :], horizon).copy()
    else:
        y = values[futures]
    y = y.reshape([len(y), *(size for size in y.shape[1:] if size > 1)])
    X = table.take(kept)
    steps = range(gap + 1, gap + horizon + 1)
    names = table.names and [f"{table.names[i]}(t+{s})" for s in steps for i in targets]
    return X, table.framed(y, names, X)


def _with_future(rows, horizon, gap):
    """Return the rows with a full future in their series, and their positions.

    For one series these are the first rows, and the positions are None.
    """
    if rows.keys is None:
        return slice(rows.n_rows - gap - horizon), None
    order, places = rows.places()
    left = np.cumsum(rows.lengths)[rows.codes] - 1 - places
    kept = np.flatnonzero(left >= gap + horizon)
    ahead = np.arange(gap + 1, gap + horizon + 1)
    return kept, order[places[kept][:, None] + ahead]


def _check_length(rows, horizon, gap):
    n = int(rows.lengths.max(initial=0))
    if horizon + gap >= n:
        whose = "series" if rows.keys is None else "the longest one in series"
        raise ValueError(
            f"horizon={horizon} and gap={gap} need a series of at least "
            f"{horizon + gap + 1} rows, but {whose} has n={n}."
        )


def _target_positions(target, table):
    n_columns, names = table.n_columns, table.names
    if target is None:
        target = range(n_columns)
    with naming("target"):
        is_one = isinstance(target, str) or np.ndim(target) == 0
        # A tuple is the name of a column of a MultiIndex.
        is_one = is_one or (isinstance(target, tuple) and target in (names or ()))
        items = [target] if is_one else list(target)
        positions = [_position(item, names, n_columns) for item in items]
    if not positions or len(set(positions)) < len(positions):
        raise ValueError(
            f"target={target!r} is invalid; expected at least one column of series, "
            "and none of them twice."
        )
    return positions


def _position(item, names, n_columns):
    """Return the position of the column `item`."""
    is_position = isinstance(item, Integral) and not isinstance(item, bool)
    is_name = is_position or isinstance(item, str | tuple)
    n_named = names.count(item) if is_name and names else 0
    if n_named == 1:
        return names.index(item)
    if is_position and not n_named and -n_columns <= item < n_columns:
        return int(item) % n_columns
    named = "without names" if names is None else f"named {names}"
    raise ValueError(
        f"target={item!r} is not one column of series, which has {n_columns} columns "
        f"{named}; expected a name or a position."
    )
