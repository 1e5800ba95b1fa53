"""What follows the rows of a panel: which series, which labels, what is known."""

from dataclasses import replace

import numpy as np
import pandas as pd

from skrnn._estimators.forecasting.panel import Ahead, Panel, ranges
from skrnn._estimators.forecasting.reading.axis import check_gaps, plain_labels
from skrnn._estimators.forecasting.reading.calendar import (
    calendar_channels,
    n_calendar_channels,
)
from skrnn._estimators.forecasting.reading.columns import Columns, n_channels
from skrnn._estimators.forecasting.reading.frequency import are_next, shown

# Enough names in an error.
_N_SHOWN = 5


def series_of(axis, panel, *, may_be_new=False) -> np.ndarray:
    """Return the place in the panel of each series of some rows; -1 for a new one.

    Raises
    ------
    ValueError
        If there is a new one that may not be, or if it isn't told which is which.
    """
    if panel.keys is None and axis.keys is None:
        return np.zeros(1, dtype=np.intp)
    if axis.keys is None:
        if len(panel.keys) == 1:
            return np.zeros(1, dtype=np.intp)
        raise ValueError(
            f"X has rows of one series without a name, but fit had {len(panel.keys)} "
            "series; expected a MultiIndex (series, time), or groups."
        )
    if panel.keys is None:
        raise ValueError(
            f"X has {len(axis.keys)} series with names, but fit had one without; "
            "expected neither a MultiIndex nor groups."
        )
    places = {key: i for i, key in enumerate(panel.keys)}
    where = np.array([places.get(key, -1) for key in axis.keys], dtype=np.intp)
    if (where < 0).any() and not may_be_new:
        new = axis.keys[int(np.argmin(where))]
        shown = ", ".join(map(repr, panel.keys[:_N_SHOWN]))
        more = ", ..." * (len(panel.keys) > _N_SHOWN)
        raise ValueError(
            f"X has series {new!r}, which fit hadn't; it had {shown}{more}. "
            "forecast(history=...) takes new series with their past."
        )
    return where


def times_ahead(panel, columns, where, lengths, *, gap=None) -> pd.Index:
    """Return the labels of the rows that follow.

    Parameters
    ----------
    panel : Panel
    columns : Columns
    where : ndarray of int of shape (n_asked,)
        Places of series in the panel.
    lengths : ndarray of int of shape (n_asked,)
        Rows of each of them.
    gap : int or None
        Rows to leave out first; None for that of ``fit``.

    Returns
    -------
    index : pandas.Index
        Without the names of series. Rows without an index are counted from 0.
    """
    gap = columns.gap if gap is None else gap
    if not columns.is_labelled or panel.labels is None:
        first = _n_given(panel)[where] + gap
        if len(where) == 1:
            return pd.RangeIndex(int(first[0]), int(first[0] + lengths[0]))
        return pd.Index(np.repeat(first, lengths) + _counted(lengths))
    last = panel.labels.index[np.repeat(_ends(panel, where), lengths)]
    return columns.frequency.after(last, _counted(lengths) + gap + 1)


def _ends(panel, where):
    """Return the last row of some series."""
    return panel.starts[where] + panel.lengths[where] - 1


def _n_given(panel):
    """Return the rows of each series, with those that were left out."""
    if panel.places is None or not (panel.places < 0).any() or len(panel.lengths) > 1:
        return panel.lengths
    return np.array([len(panel.places)])


def _counted(lengths):
    """Count the rows of each series from 0."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(np.sum(lengths))) - np.repeat(starts, lengths)


def steps_between(axis, panel, columns, where) -> int:
    """Return how many rows of each series are of the gap: all of it, or none.

    They are if the first ones follow the last known ones at once.
    """
    gap, labels = columns.gap, axis.labels
    if not gap or labels is None or not columns.is_labelled or panel.labels is None:
        return 0
    labels = alike(plain_labels(labels), panel.labels, axis)
    first, last = labels.index[axis.starts], panel.labels.index[_ends(panel, where)]
    is_next = are_next(columns.frequency, last, first)
    return gap if is_next.all() and (axis.lengths > gap).all() else 0


def labels_that_follow(axis, panel, columns, where, *, method, n_between=0):
    """Return the labels of later rows, checked or found.

    Parameters
    ----------
    axis : Axis
        Of the later rows.
    panel : Panel
    columns : Columns
    where : ndarray of int
        Place in the panel of each series; -1 for a new one.
    method : {"predict", "update"}
        Rows to predict follow after the gap.
    n_between : int, default=0
        Rows of the gap that are among them.

    Returns
    -------
    labels : RowLabels or None
        Series after series; None if the panel has none.

    Raises
    ------
    ValueError
        If they don't follow.
    """
    if panel.labels is None:
        return None
    gap = columns.gap - n_between if method == "predict" else 0
    if axis.labels is None:
        if not columns.is_labelled:
            return None
        if (where < 0).any():
            raise ValueError(
                f"{axis.called(int(np.argmin(where)))} is new and has no index, but "
                "the rows of fit had one; expected the same."
            )
        index = times_ahead(panel, columns, where, axis.lengths, gap=gap)
        return replace(panel.labels, index=index, given=index)
    labels = alike(plain_labels(axis.labels), panel.labels, axis)
    if columns.is_labelled:
        _check_firsts(labels, axis, panel, columns, where, gap, method)
        may_fill = method == "update"
        check_gaps(columns.frequency, labels, axis, may_fill=may_fill)
    else:
        _check_later(labels, axis, panel, where, method)
    return labels


def alike(labels, of_fit, axis):
    """Return labels in the time zone of those of ``fit``."""
    index, known = labels.index, of_fit.index
    same = labels.kind == of_fit.kind and _form(index) == _form(known)
    if not same:
        raise ValueError(
            f"The {labels.what} of {axis.name} holds {_form(index)}, but that of fit "
            f"held {_form(known)}; expected the same."
        )
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        index = index.tz_convert(known.tz)
    return replace(labels, index=index, given=index)


def _form(index):
    """Say what the labels of an index are."""
    if isinstance(index, pd.DatetimeIndex):
        return f"times {'without' if index.tz is None else 'with'} a time zone"
    if isinstance(index, pd.PeriodIndex):
        return f"periods of {index.freqstr}"
    return "durations" if isinstance(index, pd.TimedeltaIndex) else "numbers"


def _check_firsts(labels, axis, panel, columns, where, gap, method):
    """Refuse series whose first row isn't the one that follows."""
    known = np.flatnonzero(where >= 0)
    if not len(known):
        return
    first = labels.index[axis.starts[known]]
    last = panel.labels.index[
        panel.starts[where[known]] + panel.lengths[where[known]] - 1
    ]
    before = columns.frequency.after(last, gap) if gap else last
    wrong = ~are_next(columns.frequency, before, first)
    if wrong.any():
        i = int(np.argmax(wrong))
        expected = columns.frequency.after(last[i : i + 1], gap + 1)[0]
        _refuse(axis, known[i], first[i], last[i], expected, gap, method)


def _check_later(labels, axis, panel, where, method):
    """Refuse series whose first row isn't later than their last one.

    For rows that are counted over all series.
    """
    known = np.flatnonzero(where >= 0)
    first = labels.index[axis.starts[known]]
    last = panel.labels.index[
        panel.starts[where[known]] + panel.lengths[where[known]] - 1
    ]
    wrong = np.asarray(first <= last)
    if wrong.any():
        i = int(np.argmax(wrong))
        _refuse(axis, known[i], first[i], last[i], "a later one", 0, method)


def _refuse(axis, i, first, last, expected, gap, method):
    """Say where rows start, and where they should."""
    of = "" if axis.keys is None else f" of series {axis.keys[i]!r}"
    after = f", {gap} rows after it (gap={gap})" if gap else ""
    is_known = method == "predict" and first <= last
    hint = ""
    if is_known:
        if isinstance(expected, int | np.integer):
            # Who makes a frame of rows to come seldom thinks of its numbers.
            hint = f" If they do follow, number them so: X.index += {expected - first}."
        hint += (
            " fitted_values() has the forecasts of known rows. A search takes folds "
            "that follow, as those of TimeSeriesSplit, and return_train_score=False: "
            "rows that were learned from have no forecasts of several steps."
        )
    raise ValueError(
        f"The rows{of} in {axis.name} must follow those known so far, which end at "
        f"{shown(last)}; they start at {shown(first)}, expected {shown(expected)}"
        f"{after}.{hint}"
    )


def with_steps_behind(
    ahead: Ahead, panel: Panel, columns: Columns, n_steps: int
) -> Ahead:
    """Return what is known of `n_steps` steps of each series at least.

    A network that runs over a horizon in both directions reads all of it, so that three
    steps alone are forecast as the first three of twelve are. The calendar goes on by
    itself; of covariates the last known ones stay.

    Parameters
    ----------
    ahead : Ahead
    panel : Panel
    columns : Columns
    n_steps : int
    """
    if not columns.calendar or (ahead.lengths >= n_steps).all():
        return ahead
    lengths = np.maximum(ahead.lengths, n_steps)
    steps = ranges(np.zeros_like(lengths), lengths)
    last = np.repeat(ahead.lengths, lengths) - 1
    known = ahead.known[np.repeat(ahead.starts, lengths) + np.minimum(steps, last)]
    index = times_ahead(panel, columns, ahead.series, lengths)
    first = n_channels(columns.future)
    behind = first + n_calendar_channels(columns.calendar)
    known[:, first:behind] = calendar_channels(columns.calendar, index)
    return replace(ahead, lengths=lengths, known=known)


def with_steps_between(ahead: Ahead, panel: Panel, columns: Columns) -> Ahead:
    """Return the same with what is known of the steps of the gap.

    They have dates of their own, and so a calendar. Of covariates that nobody gave the
    last known row stays.
    """
    n, gap = len(ahead.series), columns.gap
    if not gap or ahead.between is not None:
        return ahead
    lasts = panel.known[_ends(panel, ahead.series)]
    known = np.repeat(lasts[:, None], gap, axis=1)
    if columns.calendar:
        index = times_ahead(panel, columns, ahead.series, np.full(n, gap), gap=0)
        made = calendar_channels(columns.calendar, index)
        first = n_channels(columns.future)
        known[..., first : first + made.shape[1]] = made.reshape(n, gap, -1)
    return replace(ahead, between=known)


def with_rows_behind(panel: Panel, columns: Columns, n_rows: int) -> np.ndarray:
    """Return the known channels of the `n_rows` rows behind each series.

    Returns
    -------
    known : ndarray of shape (n_series, n_rows, F)
    """
    where = np.arange(len(panel.lengths))
    lasts = panel.known[panel.starts + panel.lengths - 1]
    ahead = Ahead(where, np.ones_like(where), lasts, where)
    ahead = with_steps_behind(ahead, panel, replace(columns, gap=0), n_rows)
    rows = ahead.starts[:, None] + np.minimum(np.arange(n_rows), ahead.lengths[0] - 1)
    return ahead.known[rows]
