"""Where rows stand in time: one grid of times for all series."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._data.rows.series import Rows, read_rows, row_index
from skrnn._estimators.forecasting.reading.axis import times_in_columns
from skrnn._estimators.forecasting.reading.tables import read_table
from skrnn._sklearn import naming, num_samples


@dataclass(frozen=True)
class TimeGrid:
    """Where each row stands in time.

    Attributes
    ----------
    positions : ndarray of int of shape (n_rows,)
        Position of each row's time among all times.
    n_times : int
    places : ndarray of int of shape (n_rows,)
        Position of each row in its series.
    codes : ndarray of int of shape (n_rows,)
        Position of each row's series in `keys`.
    lengths : ndarray of int of shape (n_series,)
    keys : list of hashable, or None
        None for one series without a name.
    times : pandas.Index
        The time of each row as it came, or `places` for rows without an index.
    by_label : bool
        Whether labels tell the position; otherwise all series end together.
    """

    positions: np.ndarray
    n_times: int
    places: np.ndarray
    codes: np.ndarray
    lengths: np.ndarray
    keys: list | None
    times: Any
    by_label: bool

    @property
    def n_series(self) -> int:
        """Number of series."""
        return len(self.lengths)

    @cached_property
    def steps(self) -> Any:
        """The time of each position of the grid, or None if labels don't tell it."""
        if not self.by_label:
            return None
        return self.times[np.unique(self.positions, return_index=True)[1]]

    def counts(self, chosen: np.ndarray) -> np.ndarray:
        """Return how many of the chosen rows each series has."""
        return np.bincount(self.codes[chosen], minlength=self.n_series)

    def in_time_order(self) -> np.ndarray:
        """Return the rows series after series, each in its order."""
        return np.lexsort((self.places, self.codes))


def read_grid(X, y=None, groups=None, *, align="auto") -> TimeGrid:
    """Read where the rows of X stand in time.

    Parameters
    ----------
    X : array-like or None
        None is the rows of y. The only column of times in a frame is its index, as it
        is for a Forecaster.
    y : array-like or None, default=None
        Its index serves where X has none.
    groups : array-like of shape (n_rows,), str or None, default=None
        The series of each row, or the name of the column that has it.
    align : {"auto", "time", "end"}, default="auto"
        Whether series are held together by their labels or by their ends; "auto" takes
        labels where they tell a time.

    Raises
    ------
    ValueError
        If rows aren't in order, or there are no labels for ``align="time"``.
    """
    name, table = ("y", y) if X is None else ("X", X)
    with naming(name):
        n_rows = num_samples(table)
    if not n_rows:
        raise ValueError(f"{name} has 0 rows; expected some.")
    groups = series_of(table, groups)
    holder, groups = _with_times(table, groups)
    rows = read_rows(holder, n_rows, groups=groups, y=y)
    codes = np.zeros(rows.n_rows, int) if rows.codes is None else rows.codes
    starts = np.cumsum(rows.lengths) - rows.lengths
    places = rows.places()[1] - starts[codes]
    tells = rows.labels is not None and not (rows.are_counted and rows.keys)
    by_label = tells and rows.labels.kind != "names" and align != "end"
    if align == "time" and not by_label and rows.keys is not None:
        raise ValueError(
            "align='time' needs a time for each row: expected a MultiIndex (series, "
            "time), or an index of times beside groups."
        )
    if by_label and rows.keys is not None:
        found, positions = np.unique(rows.labels.values(), return_inverse=True)
        n_times = len(found)
    else:
        n_times = int(rows.lengths.max())
        positions = places + (n_times - rows.lengths)[codes]
    times = _times(rows) if tells else pd.Index(places)
    return TimeGrid(
        positions, n_times, places, codes, rows.lengths, rows.keys, times, by_label
    )


def rows_of(X: Any, y: Any) -> Any:
    """Return X with rows that can be counted: None and an index become a frame.

    Raises
    ------
    TypeError
        That names X or y, if it has no rows.
    """
    with naming("y"):
        n_rows = num_samples(y)
    if isinstance(X, pd.Index):
        return pd.DataFrame(index=X)
    if X is not None:
        with naming("X"):
            num_samples(X)
        return X
    if isinstance(y, pd.Series | pd.DataFrame):
        return pd.DataFrame(index=y.index)
    return pd.DataFrame(index=range(n_rows))


def _with_times(X, groups):
    """Return what holds the index of the rows, and the series of each row."""
    if not is_frame(X):
        return X, groups
    _, times = times_in_columns(read_table(X), row_index(X))
    if times is None:
        return X, groups
    return pd.DataFrame(index=times), None if groups is None else as_plain(groups)


def series_of(X, groups):
    """Return the series of each row, which may be a column of X."""
    if not isinstance(groups, str):
        return groups
    try:
        column = X[groups]
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ValueError(
            f"groups={groups!r} is no column of X; expected the name of one, or the "
            "series of each row."
        ) from error
    return column if row_index(column) is not None else np.asarray(column)


def _times(rows: Rows):
    assert rows.labels is not None
    times = rows.labels.given
    return times.rename(None) if times.name is not None else times
