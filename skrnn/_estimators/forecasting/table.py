"""Series as arrays that windows are cut from."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._estimators.forecasting.panel import (
    Ahead,
    Panel,
    ranges,
    series_of,
)


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
        return ranges(self.starts + before, counts)

    def taken(self, rows: np.ndarray, lengths: np.ndarray) -> "SeriesTable":
        """Return a table of the rows `rows`, as series of `lengths`."""
        observed = None if self.observed is None else self.observed[rows]
        given = self.values[rows], observed, self.known[rows], self.past[rows]
        return SeriesTable(*given, lengths)

    def marked(self, marks: bool) -> "SeriesTable":
        """Return the same with marks of missing values, or without."""
        if marks == (self.observed is not None):
            return self
        observed = np.ones(self.values.shape, bool) if marks else None
        return replace(self, observed=observed)

    def lengthened(self, least: int, season: int) -> "SeriesTable":
        """Repeat the first season of shorter series in front of them."""
        missing = np.maximum(least - self.lengths, 0)
        if not missing.any():
            return self
        series = zip(self.starts, missing, self.lengths, strict=True)
        rows = [
            start + in_series(np.arange(-n, length), length, season)
            for start, n, length in series
        ]
        return self.taken(np.concatenate(rows), self.lengths + missing)


def in_series(places, length, season):
    """Return places of a series, of which those before it are in its first season."""
    return np.where(places < 0, places % np.minimum(season, length), places)


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
class Room:
    """How many rows a forecast needs.

    Attributes
    ----------
    lookback : int
        Before the present.
    gap, n_steps : int
        Behind it: those that aren't forecast, and those that are.
    """

    lookback: int
    gap: int
    n_steps: int

    @property
    def width(self) -> int:
        """All of them."""
        return self.lookback + self.gap + self.n_steps


@dataclass(frozen=True)
class Tails:
    """The ends of series, with room for their forecasts behind them.

    Attributes
    ----------
    table : SeriesTable
        A series of ``room.width`` rows for each that is forecast.
    origins : ndarray of int of shape (n_series,)
        The first row behind what was observed.
    """

    table: SeriesTable
    origins: np.ndarray


def tails(
    table: SeriesTable, ends: np.ndarray, ahead: Ahead, *, season: int, room: Room
) -> Tails:
    """Return the rows of series before `ends`, and what is known of those behind.

    Parameters
    ----------
    table : SeriesTable
    ends : ndarray of int of shape (n_asked,)
        For each series that is asked for the row behind the last one to be read. Where
        too few are before it, the first season is repeated in front.
    ahead : Ahead
        If it has fewer steps than `room`, its last one stands for those missing.
    season : int
    room : Room
        How many rows there are to be.
    """
    n, lookback, width = len(ends), room.lookback, room.width
    series = series_of(table.starts, ends)
    lengths = (ends - table.starts[series])[:, None]
    # What comes behind is overwritten, or isn't read: the last row stands there.
    places = lengths + np.minimum(np.arange(-lookback, width - lookback), -1)
    rows = table.starts[series][:, None] + in_series(places, lengths, season)
    found = table.taken(rows.ravel(), np.full(n, width))
    steps = np.minimum(np.arange(room.n_steps), ahead.lengths[:, None] - 1)
    known = found.known.reshape(n, width, found.known.shape[1])
    known[:, lookback + room.gap :] = ahead.known[ahead.starts[:, None] + steps]
    if found.observed is not None:
        found.observed.reshape(n, width, -1)[:, lookback:] = True
    return Tails(found, np.arange(n) * width + lookback)
