"""What a network reads of a window, as channels of the steps of a sequence.

Two layouts. `Aligned` has a step for each step of the horizon, which reads what is
known about it: the last values of the same season, its place, covariates. `Folded` has
the steps of the window's season, the seasons side by side; a network reads them all
and then answers the whole horizon. The first is what makes networks good forecasters
(compare Smyl's winner of the M4 competition, 2020, and Salinas et al., 2020).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.table import SeriesTable

# Floor of the relative spread of a window, before its logarithm.
_LEAST_SPREAD = 1e-4
# Windows that tell the usual size of values in units of their window, and how far from
# it a window's own may be.
_N_USUAL, _MOST_UNUSUAL = 4096, 8.0


@dataclass(frozen=True)
class Layout:
    """The places of a window, and what is read at them.

    Attributes
    ----------
    horizon, gap : int
        Steps to forecast, and steps between the window and the first of them.
    season : int
        Steps of the season that values are aligned with; 1 without one.
    lookback : int
        Steps of a window.
    normalize : str or None
        A name of `NORMALIZERS`.
    events : tuple of (int, float)
        Known channels that are read in units of the window as well. What a holiday adds
        to y is the same in every window, but in units of a window it is more where the
        spread is small. The factor of each brings it to a spread of 1, without which a
        few hundred windows are too few to learn it.
    usual_size : float
        The size of values in units of their window, of which that is a multiple.
    """

    horizon: int
    gap: int
    season: int
    lookback: int
    normalize: str | None = "window"
    events: tuple[tuple[int, float], ...] = ()
    usual_size: float = 1.0

    def with_events(self, events: tuple, table: SeriesTable) -> "Layout":
        """Return a layout that reads events in units of the window as well."""
        origins = table.origins(self.lookback, self.gap + self.horizon)
        if not events or self.normalize is None or not len(origins):
            return self
        some = origins[:: -(-len(origins) // _N_USUAL)]
        windows, units = self.windows(table, some)
        varying = _size(windows, units)[units.varies]
        usual = float(np.median(varying)) if varying.size else 1.0
        return replace(self, events=events, usual_size=usual or 1.0)

    @property
    def n_steps(self) -> int:
        """Steps of the sequence that a network reads."""
        raise NotImplementedError

    @cached_property
    def n_lags(self) -> int:
        """Values of one place of the season in a window."""
        return self.lookback // self.season

    @cached_property
    def _window(self):
        return np.arange(-self.lookback, 0)[:, None]

    @cached_property
    def ahead(self) -> np.ndarray:
        """The rows of the horizon, (H, 1), from the first one after the window on."""
        return self.gap + np.arange(self.horizon)[:, None]

    def windows(self, table: SeriesTable, origins: np.ndarray):
        """Return the values before `origins`, (L, B, K), and the units of each."""
        values = table.values[origins + self._window]
        return values, NORMALIZERS[self.normalize](values, self.season)

    def inputs(self, table: SeriesTable, origins: np.ndarray):
        """Return what is read of windows: (T, B, C) of float32, and their units."""
        windows, units = self.windows(table, origins)
        parts = self._channels(windows, units, table, origins)
        n_channels = sum(part.shape[-1] for part in parts)
        x = np.empty((self.n_steps, len(origins), n_channels), np.float32)
        at = 0
        for part in parts:
            x[..., at : at + part.shape[-1]] = part
            at += part.shape[-1]
        return x, units

    def _channels(self, windows, units, table, origins) -> list[np.ndarray]:
        """Return arrays (T or 1, B or 1, channels) that stand side by side."""
        raise NotImplementedError

    def _known_ahead(self, windows, units, table, origins):
        """Return arrays (H, B, channels) of what is known of the horizon."""
        known = table.known[origins + self.ahead]
        if not self.events:
            return [known] if known.shape[-1] else []
        size = _size(windows, units) / self.usual_size
        size = np.clip(size, 1 / _MOST_UNUSUAL, _MOST_UNUSUAL).astype(np.float32)
        places, factors = zip(*self.events, strict=True)
        events = known[..., list(places)] * np.asarray(factors, np.float32)
        in_units = events[..., None] * size[:, None]
        return [known, in_units.reshape(*known.shape[:2], -1)]

    def targets(self, table: SeriesTable, origins: np.ndarray):
        """Return the horizon's values (H, B, K).

        Beside them whether they are known, (H, B), or None if all are.
        """
        rows = origins + self.ahead
        there = None if table.observed is None else table.observed[rows].all(axis=-1)
        return table.values[rows], there


def _size(windows, units):
    """Return the mean size of windows' values, (B, K), in their own units."""
    return np.abs(windows).mean(axis=0) / units.scale


def _of_window(z, windows):
    """Return what describes a whole window, (1, B, C): its end and its spread."""
    mean = np.abs(windows).mean(axis=0)
    with np.errstate(over="ignore"):
        # Squares may be infinite where values aren't; there is no larger share.
        std = np.minimum(windows.std(axis=0), mean * np.sqrt(len(windows)))
    share = np.divide(std, mean, out=np.zeros_like(mean), where=mean > 0)
    spread = np.log(np.maximum(share, _LEAST_SPREAD)) / 2
    return [z[-1:], z[-3:].mean(axis=0, keepdims=True), spread[None]]


@dataclass(frozen=True)
class Aligned(Layout):
    """A step for each step of the horizon."""

    @property
    def n_steps(self) -> int:
        """Those of the horizon."""
        return self.horizon

    @cached_property
    def _lags(self):
        """Rows of a window, (H, J), with the season's place of each step: j-th last."""
        h = 1 + self.ahead
        last = self.lookback - 1 + h - self.season * -(-h // self.season)
        return last - self.season * np.arange(self.n_lags)

    def _channels(self, windows, units, table, origins):
        z, lags = units.normalized(windows), self._lags
        h = np.arange(1, self.horizon + 1)
        parts = [z[lags[:, j]] for j in range(self.n_lags)]
        parts += [(h / self.horizon)[:, None, None], *_of_window(z, windows)]
        parts.append(self._horizon_before(z))
        if table.observed is not None:
            seen = ~table.observed[origins + self._window]
            parts += [seen[lags[:, j]] for j in range(self.n_lags)]
        parts += self._known_ahead(windows, units, table, origins)
        if table.past.shape[1]:
            parts.append(table.past[origins - 1][None])
            at = lags[:, : 1 if self.season > 1 else self.n_lags] - self.lookback
            parts += [table.past[origins + lag[:, None]] for lag in at.T]
        return parts

    def _horizon_before(self, z):
        """Return the values one horizon before each step; zeros before the window."""
        n_missing = max(self.horizon - self.lookback, 0)
        zeros = np.zeros((n_missing, *z.shape[1:]))
        return np.concatenate([zeros, z[-self.horizon :]])


@dataclass(frozen=True)
class Folded(Layout):
    """The steps of a season, or of the window where there is none."""

    @property
    def n_steps(self) -> int:
        """Those of the season, or of the window."""
        return self.season if self.season > 1 else self.lookback

    @property
    def _n_folds(self):
        return self.lookback // self.n_steps

    def _channels(self, windows, units, table, origins):
        z = units.normalized(windows)
        parts = [self._folded(z), *_of_window(z, windows)]
        if table.observed is not None:
            parts.append(self._folded(~table.observed[origins + self._window]))
        if table.past.shape[1]:
            parts.append(self._folded(table.past[origins + self._window]))
        for ahead in self._known_ahead(windows, units, table, origins):
            parts.append(np.moveaxis(ahead, 0, 1).reshape(1, len(origins), -1))
        return parts

    def _folded(self, rows):
        """Put the last seasons of rows (L, B, C) side by side: (T, B, folds * C)."""
        t, folds = self.n_steps, self._n_folds
        rows = rows[len(rows) - t * folds :]
        seasons = rows.reshape(folds, t, *rows.shape[1:])
        return np.concatenate(list(seasons[::-1]), axis=-1)

    def flat(self, table: SeriesTable, origins: np.ndarray):
        """Return the same as a table (B, features), each number once, and the units."""
        windows, units = self.windows(table, origins)
        parts = self._channels(windows, units, table, origins)
        rows = [np.moveaxis(p, 1, 0).reshape(len(origins), -1) for p in parts]
        return np.concatenate(rows, axis=1), units
