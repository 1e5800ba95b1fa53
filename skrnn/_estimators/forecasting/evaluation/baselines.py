"""The naive forecasts of the same training parts, and the error that MASE divides by.

Every sum over a training part is the difference of two running sums, so that thousands
of series at many origins take no loop.
"""

from functools import cached_property

import numpy as np


class Baselines:
    """Naive and seasonal-naive forecasts from any training part.

    Parameters
    ----------
    values : ndarray of shape (n_rows, K)
        True values, series after series; NaN where one is missing.
    lengths : ndarray of int of shape (n_series,)
    """

    def __init__(self, values, lengths):
        self.values = values
        self.firsts = np.repeat(np.cumsum(lengths) - lengths, lengths)
        self._sums = {}

    @cached_property
    def _last_known(self):
        """The last row up to each one whose value isn't missing; -1 for none."""
        rows = np.arange(len(self.values))[:, None]
        known = np.where(np.isnan(self.values), -1, rows)
        last = np.maximum.accumulate(known, axis=0)
        return np.where(last >= self.firsts[:, None], last, -1)

    @cached_property
    def filled(self):
        """The values, the last one before it in place of a missing one."""
        return np.take_along_axis(self.values, np.maximum(self._last_known, 0), axis=0)

    def naive(self, starts, ends):
        """Return the last values before the rows `ends`, NaN if there is none."""
        is_known = self._last_known[ends - 1] >= starts[:, None]
        return np.where(is_known, self.filled[ends - 1], np.nan)

    def seasonal(self, rows, starts, ends, season):
        """Return for each row the value at its place in the last season.

        Parameters
        ----------
        rows : ndarray of int of shape (t,)
            What is forecast.
        starts, ends : ndarray of int of shape (t,)
            The training part of each row's series: ``starts`` to ``ends - 1``.
        season : int

        Returns
        -------
        forecasts : ndarray of shape (t, K)
            The last value where there isn't a whole season.
        """
        same = ends - season + (rows - ends) % season
        found = self._seasons(season)[0][np.maximum(same, 0)]
        naive = self.naive(starts, ends)
        return np.where((same >= starts)[:, None] & ~np.isnan(found), found, naive)

    def scale(self, starts, ends, season):
        """Return the mean absolute change over a season, NaN where there is none.

        It is 0 for a training part that is constant, or the same each season.
        """
        _, sums, counts = self._seasons(season)
        # The first change within the part is that of row starts + season.
        low, last = np.minimum(starts + season, ends) - 1, ends - 1
        n, total = counts[last] - counts[low], sums[last] - sums[low]
        # What is left of sums whose terms were all 0 is rounding.
        total = np.where(total <= 1e-12 * sums[last], 0, total)
        return np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)

    def _seasons(self, season):
        """Return values filled by season, and running sums and counts of changes."""
        if season not in self._sums:
            changes = np.full(self.values.shape, np.nan)
            within = np.flatnonzero(np.arange(len(changes)) - season >= self.firsts)
            changes[within] = self.values[within] - self.values[within - season]
            known = ~np.isnan(changes)
            self._sums[season] = (
                self._carried(season),
                self._running(np.where(known, np.abs(changes), 0)),
                self._running(known.astype(float)),
            )
        return self._sums[season]

    def _running(self, terms):
        """Return the sum of each series up to each row."""
        # A sum over all series would lose the small ones behind the large ones.
        starts = np.unique(self.firsts)[1:]
        return np.vstack([np.cumsum(p, axis=0) for p in np.split(terms, starts)])

    def _carried(self, step):
        """Fill what is missing with the value `step` rows before, again and again."""
        filled = self.values.copy()
        for row in np.flatnonzero(np.isnan(filled).any(axis=1)):
            if row - step >= self.firsts[row]:
                gaps = np.isnan(filled[row])
                filled[row, gaps] = filled[row - step, gaps]
        return filled
