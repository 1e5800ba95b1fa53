"""Rows that follow those of ``fit``: appended to a panel, or to be forecast."""

from dataclasses import replace

import numpy as np

from skrnn._estimators.forecasting.panel import Ahead, Panel, ranges
from skrnn._estimators.forecasting.reading.axis import (
    check_gaps,
    plain_labels,
    read_axis,
)
from skrnn._estimators.forecasting.reading.calendar import (
    calendar_channels,
    n_calendar_channels,
)
from skrnn._estimators.forecasting.reading.columns import Columns, n_channels
from skrnn._estimators.forecasting.reading.features import (
    encode,
    refuse_changed,
)
from skrnn._estimators.forecasting.reading.following import (
    alike,
    labels_that_follow,
    series_of,
    steps_between,
    times_ahead,
)
from skrnn._estimators.forecasting.reading.panels import (
    all_kept,
    known_channels,
    make_panel,
    of_kept,
    read_given,
    without_beginnings,
)
from skrnn._estimators.forecasting.reading.tables import (
    read_table,
    with_columns_of_fit,
)
from skrnn._sklearn import naming


def read_more(X, y, groups, panel: Panel, columns: Columns) -> Panel:
    """Append rows to the series that they follow; new series come behind the others.

    Parameters
    ----------
    X, y, groups : object
        As in ``fit``. Rows without an index are assumed to follow.
    panel : Panel
    columns : Columns

    Returns
    -------
    panel : Panel

    Raises
    ------
    ValueError
        If the first row of a series isn't the one that follows.
    """
    given = read_given(X, y, groups, columns)
    axis = given.axis
    where = series_of(axis, panel, may_be_new=True)
    is_new = where < 0
    labels = labels_that_follow(axis, panel, columns, where, method="update")
    kept = without_beginnings(given, is_new)
    before = _last_channels(panel, where, columns)
    more = make_panel(given, columns, kept, of_kept(labels, kept), before)
    return _joined(panel, more, where, columns)


def read_history(history, columns: Columns, of_fit: Panel | None = None) -> Panel:
    """Read the past of series that weren't in ``fit``.

    Parameters
    ----------
    history : array-like, Series, frame, or tuple (X, y)
        y alone, if ``fit`` had no columns of X. A MultiIndex tells several series.
    columns : Columns
    of_fit : Panel or None
        The series of ``fit``, whose kind of labels these must have.

    Returns
    -------
    panel : Panel
    """
    X, y = history if isinstance(history, tuple) else (None, history)
    if X is None and (columns.future or columns.past or columns.static):
        needed = [f.label for f in (*columns.future, *columns.past, *columns.static)]
        raise ValueError(
            f"history has no X, but fit had columns {needed}; expected a tuple (X, y) "
            "with them."
        )
    with naming("history"):
        given = read_given(X, y, None, columns)
    kept = without_beginnings(given)
    labels = None
    if given.axis.labels is not None and columns.is_labelled:
        labels = plain_labels(given.axis.labels)
        _check_kind(labels, columns)
        if of_fit is not None and of_fit.labels is not None:
            axis = replace(given.axis, name="history")
            labels = alike(labels, of_fit.labels, axis)
        check_gaps(columns.frequency, labels, given.axis)
    elif columns.calendar:
        raise ValueError(
            "history has no index, but fit had calendar features; expected a Series "
            "or a frame with the times of its rows."
        )
    return make_panel(given, columns, kept, of_kept(labels, kept))


def _check_kind(labels, columns):
    """Refuse numbers where ``fit`` had times, and times where it had numbers."""
    expected = "numbers" if columns.frequency.kind == "numbers" else "times"
    if labels.kind != expected:
        raise ValueError(
            f"history has an index of {labels.kind}, but fit had one of {expected}; "
            "expected the same."
        )


def read_ahead(
    X, groups, panel: Panel, columns: Columns, *, with_gap: bool = False
) -> Ahead:
    """Read the rows to forecast: they follow each series after the gap.

    Parameters
    ----------
    X : array-like, frame or index
        A frame need not have columns that are known only up to the present, nor
        static ones.
    groups : array-like of shape (n,), column name, or None
    panel : Panel
    columns : Columns
    with_gap : bool, default=False
        Whether the rows of the gap may stand in front of them.

    Returns
    -------
    ahead : Ahead

    Raises
    ------
    ValueError
        If columns are missing, or rows don't follow.
    """
    table = read_table(X, least_columns=min(1, columns.n_columns))
    if table.n_rows is None:
        raise ValueError(
            "X is None; expected the rows to forecast. For the next steps of a series "
            "without X write forecast(steps)."
        )
    if not table.n_rows:
        raise ValueError(
            "Found array with 0 sample(s) while a minimum of 1 is required by "
            "Forecaster: X is empty."
        )
    table = with_columns_of_fit(table, columns, _not_needed(columns))
    axis = read_axis(table, None, table.n_rows, groups, columns=columns)
    where = series_of(axis, panel)
    n_between = steps_between(axis, panel, columns, where) if with_gap else 0
    given = {"method": "predict", "n_between": n_between}
    labels = labels_that_follow(axis, panel, columns, where, **given)
    before, _ = _last_channels(panel, where, columns)
    known = known_channels(table, columns, all_kept(axis), labels, before)
    _put_static(known, panel, where, axis.lengths, columns)
    _check_given_static(table, axis, known, columns)
    ahead = Ahead(where, axis.lengths, known, axis.rows.places()[1])
    return _behind_gap(ahead, n_between) if n_between else ahead


def ahead_of(steps, panel: Panel, columns: Columns, X=None, groups=None) -> Ahead:
    """Return what is known of the next steps of all series.

    Parameters
    ----------
    steps : int
    panel : Panel
    columns : Columns
    X : array-like, frame or None
        At least `steps` rows of each series; needed if there are columns known ahead.
    groups : array-like of shape (n,), column name, or None
        The series of the rows of X.

    Returns
    -------
    ahead : Ahead
        In the order of the panel.
    """
    if X is not None:
        found = read_ahead(X, groups, panel, columns, with_gap=True)
        return _cut(found, steps, panel)
    if columns.future:
        needed = [feature.label for feature in columns.future]
        raise ValueError(
            f"forecast needs X: fit had the columns {needed}, which are known ahead; "
            "expected their rows for the steps to forecast. Columns that aren't known "
            "ahead belong in past_features."
        )
    where = np.arange(len(panel.lengths))
    lengths = np.full(len(where), steps)
    n_rows = int(lengths.sum())
    known = np.empty((n_rows, panel.known.shape[1]), dtype=np.float32)
    if columns.calendar:
        index = times_ahead(panel, columns, where, lengths)
        n_cycles = n_calendar_channels(columns.calendar)
        known[:, :n_cycles] = calendar_channels(columns.calendar, index)
    _put_static(known, panel, where, lengths, columns)
    return Ahead(where, lengths, known, np.arange(n_rows))


def _behind_gap(ahead, gap):
    """Put the first rows of each series, those of the gap, aside."""
    lengths = ahead.lengths - gap
    rows = ranges(ahead.starts + gap, lengths)
    return Ahead(
        ahead.series,
        lengths,
        ahead.known[rows],
        np.arange(len(rows)),
        between=ahead.known[ahead.starts[:, None] + np.arange(gap)],
    )


def _not_needed(columns):
    """Return the labels of columns that the rows to forecast need not have."""
    needed = {feature.label for feature in columns.future}
    return [name for name in columns.names or () if name not in needed]


def _last_channels(panel, where, columns):
    """Return the last channels of each series, known and past; NaN for a new one."""
    rows = panel.starts[where] + panel.lengths[where] - 1
    known = panel.known[rows, : n_channels(columns.future)]
    past = panel.past[rows]
    known[where < 0], past[where < 0] = np.nan, np.nan
    return known, past


def _put_static(known, panel, where, lengths, columns):
    """Give the rows of each series its static features."""
    n_static = n_channels(columns.static)
    if n_static:
        of_series = panel.known[panel.starts[where], -n_static:]
        known[:, -n_static:] = np.repeat(of_series, lengths, axis=0)


def _cut(ahead, steps, panel):
    """Take the first steps of each series, in the order of the panel.

    What X knows of later steps is kept beside them.
    """
    asked = np.full(len(panel.lengths), -1)
    asked[ahead.series] = np.arange(len(ahead.series))
    lengths = np.where(asked < 0, 0, ahead.lengths[asked])
    if (lengths < steps).any():
        i = int(np.argmax(lengths < steps))
        of = "" if panel.keys is None else f" of series {panel.keys[i]!r}"
        raise ValueError(
            f"X has {lengths[i]} rows{of}, but {steps} steps are to be forecast; "
            "expected a row for each."
        )
    lengths = ahead.lengths[asked]
    rows = ranges(ahead.starts[asked], lengths)
    where, order = np.arange(len(asked)), np.arange(len(rows))
    between = None if ahead.between is None else ahead.between[asked]
    whole = Ahead(where, lengths, ahead.known[rows], order, between=between)
    return replace(whole.first(steps), whole=whole)


def _joined(panel, more, where, columns):
    """Put the rows of each series behind those that it has."""
    n_series = len(panel.lengths)
    is_new = where < 0
    where = np.where(is_new, n_series + np.cumsum(is_new) - 1, where)
    codes = np.concatenate(
        [np.repeat(np.arange(n_series), panel.lengths), np.repeat(where, more.lengths)]
    )
    order = np.argsort(codes, kind="stable")
    keys = panel.keys
    if keys is not None and more.keys is not None:
        keys = [*keys, *(k for k, new in zip(more.keys, is_new, strict=True) if new)]
    joined = Panel(
        np.concatenate([panel.y, more.y])[order],
        np.bincount(codes),
        np.concatenate([panel.known, more.known])[order],
        np.concatenate([panel.past, more.past])[order],
        keys,
        _joined_labels(panel.labels, more.labels, order),
        _joined_places(panel, more, order),
    )
    _check_static(joined, columns)
    return joined


def _check_static(panel, columns):
    """Refuse new rows whose static features aren't those of their series."""
    first = panel.known.shape[1] - n_channels(columns.static)
    for feature in columns.static:
        block = panel.known[:, first : first + feature.n_channels]
        changed = block != np.repeat(block[panel.starts], panel.lengths, axis=0)
        if changed.any():
            row = int(np.argmax(changed.any(axis=1)))
            refuse_changed(feature, row, panel.starts, panel.called)
        first += feature.n_channels


def _check_given_static(table, axis, known, columns):
    """Refuse static features of rows to forecast that aren't those of their series.

    They need not be there, and what is missing is as it was.
    """
    take, first = all_kept(axis).take, known.shape[1] - n_channels(columns.static)
    for feature in columns.static:
        of_fit = known[:, first : first + feature.n_channels]
        first += feature.n_channels
        if feature.label not in table.labels:
            continue
        given = np.empty_like(of_fit)
        encode((feature,), table, take, given, impute="last")
        # Numbers may be as exact as float32.
        changed = ~(np.isclose(given, of_fit, 1e-4, 1e-5) | np.isnan(given))
        if changed.any():
            row = int(np.argmax(changed.any(axis=1)))
            refuse_changed(feature, row, axis.starts, axis.called)


def _joined_labels(labels, more, order):
    if labels is None or more is None:
        return None
    index = labels.index.append(more.index)[order]
    return replace(labels, index=index, given=index)


def _joined_places(panel, more, order):
    """Return where the rows of both are now, in the order in which they came."""
    now = np.empty(len(order), dtype=np.intp)
    now[order] = np.arange(len(order))
    places = np.concatenate(
        [_moved(panel, now[: len(panel.y)]), _moved(more, now[len(panel.y) :])]
    )
    return None if (places == np.arange(len(places))).all() else places


def _moved(panel, now):
    if panel.places is None:
        return now
    return np.where(panel.places < 0, -1, now[panel.places])
