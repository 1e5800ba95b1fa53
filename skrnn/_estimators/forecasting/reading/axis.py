"""Which rows are there: their series, their order and their labels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from skrnn._data.frames.columns import as_plain
from skrnn._data.rows.labels import RowLabels, read_labels
from skrnn._data.rows.series import Rows, read_rows, row_index
from skrnn._data.warn import warn
from skrnn._estimators.forecasting.reading.frequency import (
    are_next,
    find_frequency,
    shown,
    within_series,
)
from skrnn._estimators.forecasting.reading.tables import kind_of, objects_of, times_of

# Enough to tell times from other labels.
_N_LABELS = 100
# Numbers that are taken for years.
_YEARS = range(1800, 2201)


@dataclass(frozen=True)
class Axis:
    """The rows of X and y, sorted by series.

    Attributes
    ----------
    rows : Rows
        As they came.
    order : slice or ndarray of int
        The rows, series after series. A slice if they came like that.
    lengths : ndarray of int
        Rows of each series.
    labels : RowLabels or None
        In this order, if they are times or numbers.
    names : tuple
        Of the levels of the index.
    name : str
        What has the index: "X" or "y".
    time_column, group_column : hashable or None
        Columns of X that stand for the index.
    """

    rows: Rows
    order: Any
    lengths: np.ndarray
    labels: RowLabels | None
    names: tuple
    name: str
    time_column: Any = None
    group_column: Any = None

    @property
    def keys(self):
        """The names of the series; None for one without a name."""
        return self.rows.keys

    @property
    def starts(self):
        """The first row of each series."""
        return np.cumsum(self.lengths) - self.lengths

    def called(self, i):
        """Return what series `i` is called in errors."""
        return self.name if self.keys is None else f"series {self.keys[i]!r}"

    def row(self, i):
        """Return the row, as it came, that is row `i` of the sorted ones."""
        return int(i) if isinstance(self.order, slice) else int(self.order[i])


def read_axis(table, y, n_rows, groups, *, columns=None) -> Axis:
    """Read the series and the order of rows.

    Parameters
    ----------
    table : Table
        X.
    y : object or None
        Its index counts if X has none.
    n_rows : int
    groups : array-like, column name or None
    columns : Columns or None
        What was learned in ``fit``, for later rows.
    """
    group_column = _group_column(table, groups, columns)
    names = [group_column if group_column is not None else _name_of(groups)]
    if group_column is not None:
        groups = objects_of(table.column(group_column))
    index, name = table.index, "X"
    of_y = row_index(y)
    if index is not None and of_y is not None:
        _check_same_index(index, of_y)
    if index is None:
        index, name = of_y, "y"
    time_column, times = times_in_columns(table, index)
    if time_column is not None:
        index, name = times, "X"
        groups = None if groups is None else as_plain(groups)
    has_levels = hasattr(index, "levels")
    if has_levels and columns is None:
        _warn_of_date_parts(index)
    if has_levels and groups is None:
        names = list(index.names[:-1])
    elif groups is None:
        names = []
    holder = None if index is None else pd.DataFrame(index=index)
    forms = () if columns is None else columns.forms
    rows = read_rows(holder, n_rows, groups=groups, known=forms, name=name)
    names.append(None if index is None else index.names[-1])
    order = _order(rows)
    labels = rows.labels
    if labels is not None:
        _check_zones(labels, name)
        labels = None if labels.kind == "names" else labels[order]
    return Axis(
        rows, order, rows.lengths, labels, tuple(names), name, time_column, group_column
    )


def _warn_of_date_parts(index):
    """Warn of levels such as (year, month): each year is a series of its own there."""
    kinds = [level.inferred_type for level in index.levels]
    if kinds != ["integer", "integer"]:
        return
    years, parts = (index.get_level_values(i).to_series() for i in range(2))
    by_year = parts.groupby(years.to_numpy())
    first, last = by_year.min(), by_year.max()
    if len(first) < 2:
        return
    are_years = first.index[0] in _YEARS and first.index[-1] in _YEARS
    follow = (np.diff(first.index) == 1).all()
    # Weeks and days of a year differ by one; the last year may go on.
    whole = (first[1:] == 1).all() and np.ptp(last[:-1]) <= 1 and last.max() <= 366
    if are_years and follow and whole:
        warn(
            f"The levels of the MultiIndex look like year and month, but it counts as "
            f"{len(first)} series, one for each year. If they are one, replace it by "
            "dates, such as pandas.PeriodIndex.from_fields(year=..., month=..., "
            'freq="M").'
        )


def _order(rows):
    """Return the rows sorted by series, as a slice if they are."""
    order, _ = rows.places()
    in_order = rows.codes is None or (np.diff(rows.codes) >= 0).all()
    return slice(None) if in_order else order


def _group_column(table, groups, columns):
    if isinstance(groups, str):
        if not table.has_names or table.column(groups) is None:
            raise ValueError(
                f"groups is {groups!r}, but X has no such column; expected the name of "
                f"one among {table.labels}, or an array-like of shape (n_rows,)."
            )
        return groups
    known = None if columns is None else columns.group_column
    if groups is None and known is not None:
        if table.column(known) is None:
            raise ValueError(
                f"X has no column {known!r}, which told the series in fit; expected "
                "it, or groups."
            )
        return known
    return None


def _name_of(groups):
    return getattr(groups, "name", None)


def times_in_columns(table, index):
    """Find the only column of times, if the rows have no index of times.

    Returns
    -------
    label : hashable or None
        Of the column, if there is one.
    times : pandas.Index or None
        What is in it.
    """
    if not table.has_names or _holds_times(index) or hasattr(index, "levels"):
        return None, None
    found = [
        label
        for label, column in zip(table.labels, table.columns, strict=True)
        if _is_time(column, label)
    ]
    if len(found) != 1:
        return None, None
    times = pd.Index(times_of(table.column(found[0])))
    return found[0], times.rename(found[0])


def _is_time(column, label):
    dtype = str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    maybe = dtype.startswith(("datetime", "date", "timestamp", "period", "object"))
    head = column.iloc if hasattr(column, "iloc") else column
    try:
        return maybe and kind_of(head[:_N_LABELS], label) == "time"
    except ValueError:
        # Such as strings among numbers: refused where it is read as a feature.
        return False


def _holds_times(index):
    if index is None:
        return False
    levels = getattr(index, "levels", [index])
    return any(read_labels(level[:_N_LABELS]).kind == "times" for level in levels)


def _check_same_index(of_x, of_y):
    if of_x is of_y or len(of_x) != len(of_y) or of_x.equals(of_y):
        return
    pairs = zip(of_x, of_y, strict=True)
    row = next((i for i, (one, other) in enumerate(pairs) if one != other), 0)
    raise ValueError(
        f"The index of y isn't that of X: row {row} is {shown(of_x[row])} in X and "
        f"{shown(of_y[row])} in y. If their rows are the same as they stand, pass "
        "y.to_numpy()."
    )


def _check_zones(labels, name):
    """Refuse times of several zones: pandas would read them as those of UTC."""
    if labels.kind != "times" or labels.given.dtype != object:
        return
    zones = {str(getattr(time, "tzinfo", None)) for time in labels.given}
    if len(zones) > 1:
        raise ValueError(
            f"The {labels.what} of {name} has times of several time zones, "
            f"{', '.join(sorted(zones))}; expected one, as "
            "pandas.to_datetime(..., utc=True) makes them."
        )


def plain_labels(labels):
    """Return labels in the reading that counts, without the original strings.

    Dates that came as strings, or as Python's, have no time zone.
    """
    index = labels.index
    if isinstance(index, pd.DatetimeIndex) and len(index):
        # Strings and Python's dates were read as times of UTC.
        zone = getattr(labels.given[0], "tzinfo", None)
        index = index.tz_convert(zone) if index.tz is not None else index
    return replace(labels, index=index, given=index, others=())


def learn_frequency(axis):
    """Find how the labels go on, and refuse gaps.

    Returns
    -------
    frequency : Frequency or None
        None for rows without labels, or whose labels count the rows of all series.
    labels : RowLabels or None
    """
    if axis.labels is None or axis.rows.are_counted:
        return None, None if axis.labels is None else plain_labels(axis.labels)
    readings = [plain_labels(each) for each in axis.labels.readings]
    for labels in readings:
        frequency = find_frequency(labels, axis.lengths)
        if frequency is not None and first_gap(frequency, labels, axis.lengths) is None:
            return frequency, labels
    labels = readings[0]
    frequency = find_frequency(labels, axis.lengths)
    if frequency is not None:
        check_gaps(frequency, labels, axis)
    if max(axis.lengths) < 2:
        return None, None
    raise ValueError(_irregular(axis, labels))


def first_gap(frequency, labels, lengths):
    """Return the first row that isn't one step after the row before it, or None."""
    index = labels.index
    if len(index) < 2:
        return None
    wrong = ~are_next(frequency, index[:-1], index[1:]) & within_series(lengths)
    return int(np.argmax(wrong)) + 1 if wrong.any() else None


def check_gaps(frequency, labels, axis, *, may_fill=True):
    """Refuse rows of which one isn't a step after the one before it.

    Parameters
    ----------
    frequency : Frequency
    labels : RowLabels
        Series after series.
    axis : Axis
        Of the same rows.
    may_fill : bool, default=True
        Whether a row with NaN may be put into the gap.

    Raises
    ------
    ValueError
        That names the first missing label.
    """
    row = first_gap(frequency, labels, axis.lengths)
    if row is None:
        return
    index = labels.index
    i = int(np.searchsorted(axis.starts, row, side="right")) - 1
    of = "" if axis.keys is None else f" in series {axis.keys[i]!r}"
    missing = frequency.after(index[row - 1 : row])[0]
    what = "is missing" if index[row] > missing else "was expected"
    raise ValueError(
        f"The {axis.labels.what} of {axis.name} goes on in steps of {frequency}, but "
        f"{shown(missing)} {what} between row {axis.row(row - 1)}, "
        f"{shown(index[row - 1])}, and row {axis.row(row)}, {shown(index[row])}{of}. "
        + (_filled(frequency, axis) if may_fill else "Expected a row for each step.")
    )


def _filled(frequency, axis):
    """Say how to fill gaps."""
    name = axis.name
    ways = {
        "numbers": f"reindex(range(first, last + 1, {frequency.step}))",
        "periods": f"resample({frequency.name!r}).asfreq()",
    }
    way = ways.get(frequency.kind, f"asfreq({frequency.name!r})")
    each = "" if axis.keys is None else ", series by series,"
    return (
        f"Fill the gap: {name}.{way}{each} puts NaN there, which y may have, and X "
        f"with impute. {_dropped(axis)}"
    )


def _dropped(axis):
    groups = "" if axis.keys is None else " and tell the series by groups"
    return (
        "Or, if each row is a step as it stands, drop the index: "
        f"{axis.name}.reset_index(drop=True){groups}."
    )


def _irregular(axis, labels):
    some = ", ".join(shown(each) for each in labels.index[:3])
    return (
        f"The {axis.labels.what} of {axis.name} has no regular frequency: {some}, ... "
        f'aren\'t equal steps apart. Make it regular, such as {axis.name}.resample("D")'
        f".mean(). {_dropped(axis)}"
    )
