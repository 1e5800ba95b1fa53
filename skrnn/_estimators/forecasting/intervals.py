"""Prediction intervals and quantiles put right by a calibration part: split conformal.

Vovk, Gammerman & Shafer (2005); Lei et al. (2018); of quantiles Romano et al. (2019).
The error of a forecast is taken in units of its window's spread, so that intervals are
wide where a series is.
"""

from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Calibration:
    """The errors of forecasts that training didn't see.

    Attributes
    ----------
    scores : ndarray of shape (H, n, K)
        Absolute errors in units of the windows' spread, sorted along n; NaN, at the
        end, where the truth is missing.
    """

    scores: np.ndarray

    def width(self, coverage: float) -> np.ndarray:
        """Return the half width of intervals, (H, K), in units of a window's spread.

        Raises
        ------
        ValueError
            If there are too few errors for `coverage`.
        """
        n = (~np.isnan(self.scores)).sum(axis=1)
        # The finite-sample correction: the quantile of n errors and of the next one.
        # Rounding mustn't lift a whole number to the next one.
        rank = np.ceil((n + 1) * coverage - _ROUNDING).astype(int)
        if (rank > n).any():
            least = int(np.ceil(coverage / (1 - coverage) - _ROUNDING))
            raise ValueError(
                f"coverage={coverage} needs {least} errors for each step of the "
                f"horizon, and the calibration part has {int(n.min())}; make "
                "calibration_size larger, or coverage smaller."
            )
        return np.take_along_axis(self.scores, rank[:, None] - 1, axis=1)[:, 0]


def calibrated(truth, forecast, scale) -> Calibration:
    """Make a calibration of forecasts (H, n, K), the truth and the windows' spread."""
    with np.errstate(invalid="ignore"):
        return Calibration(np.sort(np.abs(truth - forecast) / scale, axis=1))


@dataclass(frozen=True)
class Shifts:
    """How far quantiles are to be moved, so that they are right on a calibration part.

    Attributes
    ----------
    levels : ndarray of shape (G,)
        Increasing.
    values : ndarray of shape (H, K, G)
        In units of a window's spread. The median stays where it is: it is the forecast.
    """

    levels: np.ndarray
    values: np.ndarray

    def moved(self, quantiles: np.ndarray, levels, scale: np.ndarray) -> np.ndarray:
        """Return quantiles (H, n, K, Q) in the right places, increasing.

        Steps beyond the horizon are moved as its last one is.
        """
        steps = np.minimum(np.arange(len(quantiles)), len(self.values) - 1)
        shifts = [
            [np.interp(levels, self.levels, each) for each in step]
            for step in self.values
        ]
        moved = quantiles + np.asarray(shifts)[steps][:, None] * scale[..., None]
        return _around_median(np.sort(moved, axis=-1), quantiles, np.asarray(levels))

    def at(self, levels: np.ndarray) -> np.ndarray:
        """Return how far quantiles at `levels` (S, H, n, K) are to be moved."""
        found = np.empty_like(levels)
        for h, k in np.ndindex(levels.shape[1], levels.shape[3]):
            values = self.values[min(h, len(self.values) - 1), k]
            found[:, h, :, k] = np.interp(levels[:, h, :, k], self.levels, values)
        return found


def _around_median(moved, before, levels):
    """Put increasing quantiles on both sides of the median, where it was before."""
    place = np.flatnonzero(np.isclose(levels, 0.5, rtol=0, atol=1e-9))
    if not len(place):
        return moved
    middle = before[..., place[0]][..., None]
    low, high = moved[..., : place[0]], moved[..., place[0] + 1 :]
    parts = [np.minimum(low, middle), middle, np.maximum(high, middle)]
    return np.concatenate(parts, axis=-1)


def shifts_of(truth, quantiles, scale, levels) -> Shifts:
    """Compare the truth (H, n, K) with quantiles (H, n, K, G) of a calibration part."""
    found = np.zeros((*truth[:, 0].shape, len(levels)))
    n = np.maximum((~np.isnan(truth)).sum(axis=1), 1)
    for i, level in enumerate(levels):
        if level == 0.5:
            continue
        errors = (truth - quantiles[..., i]) / scale
        # Outwards, as the next error is one of n + 1.
        outer = (level * (n + 1) - (level < 0.5)) / n
        found[..., i] = _quantile_of_each(errors, np.clip(outer, 0, 1))
    return Shifts(np.asarray(levels), found)


def _quantile_of_each(errors, levels):
    """Return a quantile of errors (H, n, K) for each of levels (H, K); 0 of none."""
    found = np.zeros(levels.shape)
    for h, k in np.ndindex(levels.shape):
        known = errors[h, ~np.isnan(errors[h, :, k]), k]
        if len(known):
            found[h, k] = np.quantile(known, levels[h, k])
    return found
