"""Series as arrays that windows are cut from."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._estimators.forecasting.panel import Ahead, Panel


@dataclass(frozen=True)
class SeriesTable:
    """Series as arrays that windows are cut from, one series after the other.

    Attributes
    ----------
    values : ndarray of float64 of shape (n_rows, K)
        Missing ones are filled with values before them.
    observed : ndarray of bool of shape (n_rows, K), or None
        False where a value was missing; None if none was.
    known : ndarray of float32 of shape (n_rows, F)
    past : ndarray of float32 of shape (n_rows, P)
    lengths : ndarray of int of shape (n_series,)
        Rows of each series.
    """

    values: np.ndarray
    observed: np.ndarray | None
    known: np.ndarray
    past: np.ndarray
    lengths: np.ndarray

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each series."""
        return np.cumsum(self.lengths) - self.lengths

    def origins(self, before: int, after: int) -> np.ndarray:
        """Return the rows with `before` rows of their series before them.

        They and the rows that follow are `after` rows at least.
        """
        counts = np.maximum(self.lengths - before - after + 1, 0)
        firsts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(firsts, counts)
        return np.repeat(self.starts + before, counts) + within

    def taken(self, rows: np.ndarray, lengths: np.ndarray) -> "SeriesTable":
        """Return a table of the rows `rows`, as series of `lengths`."""
        observed = None if self.observed is None else self.observed[rows]
        given = self.values[rows], observed, self.known[rows], self.past[rows]
        return SeriesTable(*given, lengths)

    def lengthened(self, least: int, season: int) -> "SeriesTable":
        """Repeat the first season of shorter series in front of them."""
        missing = np.maximum(least - self.lengths, 0)
        if not missing.any():
            return self
        series = zip(self.starts, missing, self.lengths, strict=True)
        rows = [start + _in_front(n, length, season) for start, n, length in series]
        return self.taken(np.concatenate(rows), self.lengths + missing)


def _in_front(n, length, season):
    """Return places in a series: `n` of its first season, and then all of them."""
    return np.append(np.arange(-n, 0) % min(season, length), np.arange(length))


def series_table(panel: Panel, season: int) -> SeriesTable:
    """Make a table of a panel; missing values are filled with earlier ones.

    The value one season before stands for a missing one, or else the last value:
    nothing that comes later is looked at.
    """
    missing, given = np.isnan(panel.y), (panel.known, panel.past, panel.lengths)
    if not missing.any():
        return SeriesTable(panel.y, None, *given)
    values = panel.y.copy()
    first = np.repeat(panel.starts, panel.lengths)
    for row, column in np.argwhere(missing):
        back = season if row - season >= first[row] else 1
        values[row, column] = values[row - back, column] if row > first[row] else 0.0
    return SeriesTable(values, ~missing, *given)


@dataclass(frozen=True)
class Tails:
    """The ends of series, with room for their forecasts behind them.

    Attributes
    ----------
    table : SeriesTable
        A series of ``lookback + gap + n_steps`` rows for each that is forecast.
    origins : ndarray of int of shape (n_series,)
        The first row behind what was observed.
    """

    table: SeriesTable
    origins: np.ndarray

    def with_values(self, values: np.ndarray) -> "Tails":
        """Return the same with other values."""
        return replace(self, table=replace(self.table, values=values))


def tails(
    table: SeriesTable, ahead: Ahead, *, lookback: int, gap: int, n_steps: int
) -> Tails:
    """Return the last `lookback` rows of series, and what is known of those behind.

    Parameters
    ----------
    table : SeriesTable
        Each series has `lookback` rows at least.
    ahead : Ahead
        If it has fewer steps than `n_steps`, its last one stands for those missing.
    """
    n, width = len(ahead.series), lookback + gap + n_steps
    ends = (table.starts + table.lengths)[ahead.series]
    # What comes behind is overwritten, or isn't read: the last row stands there.
    rows = np.minimum(np.arange(width), lookback - 1) + ends[:, None] - lookback
    found = table.taken(rows.ravel(), np.full(n, width))
    steps = np.minimum(np.arange(n_steps), ahead.lengths[:, None] - 1)
    known = found.known.reshape(n, width, found.known.shape[1])
    known[:, lookback + gap :] = ahead.known[ahead.starts[:, None] + steps]
    if found.observed is not None:
        found.observed.reshape(n, width, -1)[:, lookback:] = True
    return Tails(found, np.arange(n) * width + lookback)
