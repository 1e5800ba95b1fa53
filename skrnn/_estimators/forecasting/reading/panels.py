"""X, y and groups as a panel of numbers: which rows are kept, and their channels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._data.warn import warn
from skrnn._estimators.forecasting.panel import Panel, ranges
from skrnn._estimators.forecasting.reading.axis import (
    Axis,
    learn_frequency,
    read_axis,
)
from skrnn._estimators.forecasting.reading.calendar import (
    calendar_channels,
    find_calendar,
    n_calendar_channels,
)
from skrnn._estimators.forecasting.reading.columns import (
    Columns,
    FeatureOptions,
    TargetForm,
    n_channels,
)
from skrnn._estimators.forecasting.reading.features import (
    check_static,
    encode,
    fill,
    find_roles,
    learn_feature,
)
from skrnn._estimators.forecasting.reading.tables import (
    Table,
    check_same_length,
    read_table,
    read_target,
    with_columns_of_fit,
)


@dataclass(frozen=True)
class Given:
    """X, y and groups as they came, read but not yet sorted."""

    table: Table
    y: np.ndarray
    form: TargetForm
    axis: Axis


def read_panel(X, y, groups, options: FeatureOptions) -> tuple[Panel, Columns]:
    """Read the X, y and groups of ``fit``.

    Parameters
    ----------
    X : array-like of shape (n, n_features), frame, index, or None
        Rows in time order. A frame may come from pandas, polars or pyarrow. Times are
        its index, or its only column of times.
    y : array-like of shape (n,) or (n, K), Series or frame
        NaN is a missing value. Rows before the first value of a series are left out;
        of several targets, rows before the first one in which all have a value.
    groups : array-like of shape (n,), column name, or None
        The series of each row, if the index isn't a MultiIndex (series, time).
    options : FeatureOptions

    Returns
    -------
    panel : Panel
    columns : Columns
        What was learned, for later rows.

    Raises
    ------
    ValueError
        That names the column, the row or the series.
    """
    given = read_given(X, y, groups)
    axis, table = given.axis, given.table
    frequency, labels = learn_frequency(axis)
    kept = without_beginnings(given)
    labels = of_kept(labels, kept)
    n_last = options.held_out(kept.lengths, axis.called) if options.held_out else 0
    seen = kept.without_last(n_last)
    taken = tuple(c for c in (axis.time_column, axis.group_column) if c is not None)
    future, past, static = find_roles(table, options, taken)
    columns = Columns(
        names=tuple(table.labels) if table.has_names else None,
        n_columns=len(table.labels),
        future=tuple(
            learn_feature(table, i, kept.take, seen, is_ahead=True) for i in future
        ),
        past=tuple(learn_feature(table, i, kept.take, seen) for i in past),
        static=tuple(learn_feature(table, i, kept.first_rows()) for i in static),
        calendar=find_calendar(options.calendar, labels, kept.lengths, frequency),
        frequency=frequency,
        target=given.form,
        index_names=axis.names,
        time_column=axis.time_column,
        group_column=axis.group_column,
        is_panel=axis.keys is not None,
        forms=() if labels is None or labels.form is None else (labels.form,),
        gap=options.gap,
        impute=options.impute,
    )
    return make_panel(given, columns, kept, labels), columns


def warn_of_target(panel: Panel, columns: Columns) -> None:
    """Warn of columns that are known ahead and equal a target, which isn't.

    A constant is no secret.
    """
    place = 0
    for feature in columns.future:
        if feature.kind == "number" and feature.factor:
            as_feature = ((panel.y - feature.mean) * feature.factor).astype(np.float32)
            same = as_feature == panel.known[:, place : place + 1]
            if (same | np.isnan(panel.y)).all(axis=0).any():
                warn(
                    f"Column {feature.label!r} of X equals y, and X counts as known "
                    "ahead: forecasts need the values that they are to find. Leave the "
                    "column out of X; a series without other columns is fit(None, y)."
                )
        place += feature.n_channels


def read_given(X, y, groups, columns=None) -> Given:
    """Read X, y and groups as they came.

    Parameters
    ----------
    X, y, groups : object
        As in `read_panel`.
    columns : Columns or None
        What was learned in ``fit``: X must have the same columns then.
    """
    values, form = read_target(y)
    if columns is None:
        table = read_table(X)
    else:
        table = read_table(X, least_columns=min(1, columns.n_columns))
        table = with_columns_of_fit(table, columns)
        _check_there(table, columns)
        _check_targets(form, columns.target)
    check_same_length(table.n_rows, len(values))
    axis = read_axis(table, y, len(values), groups, columns=columns)
    return Given(table, values, form, axis)


def _check_there(table, columns):
    needed = [f.label for f in (*columns.future, *columns.past, *columns.static)]
    if table.n_rows is None and needed:
        raise ValueError(
            f"X is None, but fit had the columns {needed}; expected the same."
        )


def _check_targets(form, of_fit):
    if form.n_targets != of_fit.n_targets:
        raise ValueError(
            f"y has {form.n_targets} targets, but Forecaster was fitted with "
            f"{of_fit.n_targets}; expected the same."
        )


@dataclass(frozen=True)
class Kept:
    """Which rows are kept.

    Attributes
    ----------
    take : slice or ndarray of int
        Rows as they came, series after series.
    mask : ndarray of bool, or None
        Which of the sorted rows they are; None for all.
    lengths : ndarray of int
        Rows of each series.
    """

    take: Any
    mask: np.ndarray | None
    lengths: np.ndarray

    @property
    def starts(self):
        """The first row of each series."""
        return np.cumsum(self.lengths) - self.lengths

    def first_rows(self):
        """Return the first row of each series, as it came."""
        return self.starts if isinstance(self.take, slice) else self.take[self.starts]

    def without_last(self, n_rows):
        """Return the rows, as they came, without the last ones of each series."""
        if not n_rows:
            return self.take
        rows = ranges(self.starts, self.lengths - n_rows)
        return rows if isinstance(self.take, slice) else self.take[rows]


def all_kept(axis) -> Kept:
    """Keep all rows."""
    return Kept(axis.order, None, axis.lengths)


def without_beginnings(given, is_new=None) -> Kept:
    """Leave out the rows of each series before its first value.

    Parameters
    ----------
    given : Given
    is_new : ndarray of bool or None
        The series that this is about; None for all.
    """
    axis = given.axis
    missing = np.isnan(given.y)
    if not missing.any():
        return all_kept(axis)
    there = ~missing.any(axis=1)[axis.order]
    rows, starts = np.arange(len(there)), axis.starts
    first = np.minimum.reduceat(np.where(there, rows, len(there)), starts)
    empty = first >= starts + axis.lengths
    if is_new is not None:
        first, empty = np.where(is_new, first, starts), empty & is_new
    if empty.any():
        raise ValueError(_no_value(given, int(np.argmax(empty))))
    if (first == starts).all():
        return all_kept(axis)
    mask = rows >= np.repeat(first, axis.lengths)
    take = rows[mask] if isinstance(axis.order, slice) else axis.order[mask]
    return Kept(take, mask, axis.lengths - (first - starts))


def _no_value(given, i):
    """Say that a series has no value."""
    axis = given.axis
    rows = np.arange(len(given.y))[axis.order]
    values = given.y[rows[axis.starts[i] :][: axis.lengths[i]]]
    of = "y" if axis.keys is None else f"y of series {axis.keys[i]!r}"
    empty = np.isnan(values).all(axis=0)
    if values.shape[1] == 1 or empty.all():
        return f"{of} is NaN throughout; expected a value in at least one row."
    if empty.any():
        names = given.form.names or range(len(empty))
        return f"Column {names[int(np.argmax(empty))]!r} of {of} is NaN throughout."
    return f"{of} has no row in which every target has a value; expected one."


def of_kept(labels, kept):
    """Return the labels of the rows that are kept."""
    if labels is None or kept.mask is None:
        return labels
    index = labels.index[kept.mask]
    return replace(labels, index=index, given=index)


def make_panel(given, columns, kept, labels, before=None) -> Panel:
    """Put the numbers of some rows side by side.

    Parameters
    ----------
    given : Given
    columns : Columns
    kept : Kept
    labels : RowLabels or None
        Of the rows that are kept.
    before : tuple of ndarray, or None
        The last channels, known and past, of each series.
    """
    before_known = None if before is None else before[0]
    known = known_channels(given.table, columns, kept, labels, before_known)
    check_static(columns.static, given.table, kept, given.axis.called)
    static = known[:, known.shape[1] - n_channels(columns.static) :]
    encode(columns.static, given.table, kept.take, static, impute=columns.impute)
    defaults = columns.defaults(columns.static)
    fill(static, kept.starts, defaults, impute=columns.impute)
    past = np.empty((len(known), n_channels(columns.past)), dtype=np.float32)
    encode(columns.past, given.table, kept.take, past, impute=columns.impute)
    fill(
        past,
        kept.starts,
        columns.defaults(columns.past),
        impute=columns.impute,
        before=None if before is None else before[1],
    )
    y = given.y[kept.take]
    y = y.copy() if isinstance(kept.take, slice) else y
    keys = given.axis.keys
    return Panel(y, kept.lengths, known, past, keys, labels, _places(kept, given.axis))


def known_channels(table, columns, kept, labels, before=None) -> np.ndarray:
    """Return the channels that are known ahead; those of static features are empty.

    Parameters
    ----------
    table : Table
    columns : Columns
    kept : Kept
    labels : RowLabels or None
        Of the rows that are kept.
    before : ndarray of shape (n_series, n_channels), default=None
        The last ones of each series before.

    Returns
    -------
    known : ndarray of float32 of shape (n_rows, F)
    """
    future = n_channels(columns.future)
    cycles = n_calendar_channels(columns.calendar)
    n_rows = int(kept.lengths.sum())
    shape = n_rows, future + cycles + n_channels(columns.static)
    known = np.empty(shape, dtype=np.float32)
    channels, impute = known[:, :future], columns.impute
    encode(columns.future, table, kept.take, channels, impute=impute)
    defaults = columns.defaults(columns.future)
    fill(channels, kept.starts, defaults, impute=impute, before=before)
    if cycles:
        made = calendar_channels(columns.calendar, labels.index)
        known[:, future : future + cycles] = made
    return known


def _places(kept, axis):
    """Return for each row, as it came, its place; None if none has moved."""
    if isinstance(kept.take, slice):
        return None
    places = np.full(int(axis.lengths.sum()), -1)
    places[kept.take] = np.arange(len(kept.take))
    return places
