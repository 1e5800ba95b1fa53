"""Which cycles of the calendar a series follows: the others are noise to learn."""

from dataclasses import replace

import numpy as np

from skrnn._estimators.forecasting.reading.calendar import (
    CYCLES,
    n_calendar_channels,
)
from skrnn._estimators.forecasting.reading.columns import n_channels

# Share of the variance of changes that a cycle has to explain, later than where it was
# estimated.
_LEAST_EXPLAINED = 0.01
# A cycle and a season are the same if their lengths differ by less.
_TOLERANCE = 0.1
_MOST_ROWS = 200_000
# Changes beyond so many of the usual size count as such ones.
_LARGEST = 5.0


def with_followed_calendar(panel, columns, periods, seen):
    """Leave out the cycles of the calendar that y doesn't follow.

    A cycle stays if its length is one of the seasons of y, or if it explains changes
    from one row to the next: estimated on the first two thirds of each series, it has
    to explain a hundredth of their variance on the last third. A random walk of 876
    days had an error 1 to 16 % larger by cycles that it doesn't follow.

    Parameters
    ----------
    panel : Panel
    columns : Columns
    periods : tuple of int
        Seasons of y, in rows.
    seen : Panel
        The rows that are learned from.

    Returns
    -------
    panel : Panel
    columns : Columns
    """
    cycles = columns.calendar
    if not cycles:
        return panel, columns
    first = n_channels(columns.future)
    widths = [n_calendar_channels([cycle]) for cycle in cycles]
    ends = first + np.cumsum(widths)
    rows, changes, is_late = _changes(seen)
    step = _step(panel)
    kept = []
    for (name, _), end, width in zip(cycles, ends, widths, strict=True):
        length = CYCLES[name].length / step
        is_season = any(abs(length / p - 1) < _TOLERANCE for p in periods)
        channels = seen.known[rows, end - width : end]
        kept.append(is_season or _explains(channels, changes, is_late))
    if all(kept):
        return panel, columns
    stays = np.ones(panel.known.shape[1], bool)
    stays[first : ends[-1]] = np.repeat(kept, widths)
    chosen = tuple(c for c, keep in zip(cycles, kept, strict=True) if keep)
    panel = replace(panel, known=np.ascontiguousarray(panel.known[:, stays]))
    return panel, replace(columns, calendar=chosen)


def _step(panel):
    """Return the mean time between two rows of the longest series."""
    longest = int(np.argmax(panel.lengths))
    index = panel.labels.index[panel.rows_of(longest)]
    index = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    return (index[-1] - index[0]) / (len(index) - 1)


def _changes(panel):
    """Return rows, their changes in units of the series' usual one, and which are late.

    The first target stands for all.
    """
    y = panel.y[:, 0]
    within = np.arange(len(y)) - np.repeat(panel.starts, panel.lengths)
    change = np.diff(y, prepend=y[:1])
    usable = np.flatnonzero((within > 0) & np.isfinite(change))[:_MOST_ROWS]
    series = np.repeat(np.arange(len(panel.lengths)), panel.lengths)[usable]
    n_series = len(panel.lengths)
    count = np.maximum(np.bincount(series, minlength=n_series), 1)
    size = np.bincount(series, np.abs(change[usable]), n_series) / count
    usual = np.where(size > 0, size, 1.0)[series]
    changes = np.clip(change[usable] / usual, -_LARGEST, _LARGEST)
    is_late = within[usable] >= 2 * panel.lengths[series] // 3
    return usable, changes, is_late


def _explains(channels, changes, is_late):
    """Whether channels explain later changes as they did earlier ones."""
    if is_late.all() or not is_late.any():
        return False
    table = np.column_stack([np.ones(len(channels)), channels.astype(np.float64)])
    early = ~is_late
    weights, *_ = np.linalg.lstsq(table[early], changes[early], rcond=None)
    left = np.square(changes[is_late] - table[is_late] @ weights).sum()
    whole = np.square(changes[is_late] - changes[early].mean()).sum()
    return left < (1 - _LEAST_EXPLAINED) * whole
