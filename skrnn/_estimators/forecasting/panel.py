"""Series as numbers, one after the other: what crosses from reading to forecasting."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._data.rows.labels import RowLabels


@dataclass(frozen=True)
class Panel:
    """One or more series with their covariates, series after series, in time order.

    Attributes
    ----------
    y : ndarray of float64 of shape (n_rows, K)
        NaN where the value is missing. The first row of a series isn't: rows before
        its first value are left out.
    lengths : ndarray of int of shape (n_series,)
        Rows of each series.
    known : ndarray of float32 of shape (n_rows, F)
        Covariates that are known ahead, calendar and static features included, as
        numbers of about unit size, without NaN.
    past : ndarray of float32 of shape (n_rows, P)
        Covariates that are known only up to the present.
    keys : list of hashable, or None
        The names of the series; None for one series without a name.
    labels : RowLabels or None
        Of the rows in this order; None for rows without an index.
    places : ndarray of int, or None
        For each row, as the user gave them, its row here; -1 for one that was left
        out. None if they are the same.
    """

    y: np.ndarray
    lengths: np.ndarray
    known: np.ndarray
    past: np.ndarray
    keys: list | None = None
    labels: RowLabels | None = None
    places: np.ndarray | None = None

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each series."""
        return np.cumsum(self.lengths) - self.lengths

    def taken(self, rows: np.ndarray, lengths: np.ndarray) -> "Panel":
        """Return a panel of the rows `rows`, as series of `lengths`; without labels."""
        return replace(
            self,
            y=self.y[rows],
            known=self.known[rows],
            past=self.past[rows],
            lengths=lengths,
            labels=None,
            places=None,
        )

    def rows_of(self, i: int) -> slice:
        """Return the rows of series `i`."""
        start = int(self.starts[i])
        return slice(start, start + int(self.lengths[i]))

    def called(self, i: int) -> str:
        """Return what series `i` is called in errors."""
        return "y" if self.keys is None else f"series {self.keys[i]!r}"


@dataclass(frozen=True)
class Ahead:
    """What is known of the rows to forecast, series after series, in time order.

    Attributes
    ----------
    series : ndarray of int of shape (n_asked,)
        Place in the panel of each series that is asked for.
    lengths : ndarray of int of shape (n_asked,)
        Steps to forecast of each of them, from the first one after the gap on.
    known : ndarray of float32 of shape (sum of lengths, F)
        The covariates of these steps, made as those of the panel.
    order : ndarray of int of shape (sum of lengths,)
        ``forecasts[order]`` are in the order of the rows that the user gave.
    whole : Ahead or None
        The same with further steps that are known too: a network that runs over the
        horizon in both directions reads them.
    between : ndarray of float32 of shape (n_asked, gap, F), or None
        The covariates of the steps of the gap, before the first one asked for.
    """

    series: np.ndarray
    lengths: np.ndarray
    known: np.ndarray
    order: np.ndarray
    whole: "Ahead | None" = None
    between: np.ndarray | None = None

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each series that is asked for."""
        return np.cumsum(self.lengths) - self.lengths

    def first(self, n: int) -> "Ahead":
        """Return the first `n` steps of each series, or as many as it has."""
        lengths = np.minimum(self.lengths, n)
        rows = ranges(self.starts, lengths)
        order = np.arange(len(rows))
        return replace(
            self, lengths=lengths, known=self.known[rows], order=order, whole=None
        )


def ranges(firsts, counts) -> np.ndarray:
    """Return ``firsts[i], firsts[i] + 1, ...``, counts[i] of them, for each i."""
    within = np.arange(np.sum(counts)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(firsts, counts) + within


def series_of(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the series that ends before each of the rows `ends`, or goes on there."""
    return np.searchsorted(starts, ends - 1, side="right") - 1


def in_rows(forecasts: np.ndarray, ahead: Ahead) -> np.ndarray:
    """Return forecasts (H, n, ...) series after series, each with its own steps."""
    lengths = ahead.lengths
    steps = ranges(np.zeros_like(lengths), lengths)
    return forecasts[steps, np.repeat(np.arange(len(lengths)), lengths)]
