"""What is known of rows that weren't asked for: behind those that were, and the gap."""

from dataclasses import replace

import numpy as np

from skrnn._estimators.forecasting.panel import Ahead, Panel
from skrnn._estimators.forecasting.reading.calendar import (
    calendar_channels,
    n_calendar_channels,
)
from skrnn._estimators.forecasting.reading.columns import Columns, n_channels
from skrnn._estimators.forecasting.reading.following import times_ahead


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
    steps = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    last = np.repeat(ahead.lengths, lengths) - 1
    known = ahead.known[np.repeat(ahead.starts, lengths) + np.minimum(steps, last)]
    index = times_ahead(panel, columns, ahead.series, lengths)
    first = n_channels(columns.future)
    behind = first + n_calendar_channels(columns.calendar)
    known[:, first:behind] = calendar_channels(columns.calendar, index)
    return replace(ahead, lengths=lengths, known=known)


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
