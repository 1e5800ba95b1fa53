"""How the values of a window become numbers of unit size, and come back.

A window is normalised by itself, so that a network sees its shape alone: it serves
series of any level and spread, and those that leave the range of training.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Relative to the values: a smaller spread is that of rounding.
_CONSTANT = 1e-9
# Scale of a constant window, relative to its level.
_OF_CONSTANT = 1e-2


@dataclass(frozen=True)
class Units:
    """The units of some windows: ``level + scale * z`` is in those of y.

    Attributes
    ----------
    level, scale : ndarray of shape (B, K)
        The scale of a window of one value alone is 1.
    mean : ndarray of shape (B, K)
        Of the values.
    varies : ndarray of bool of shape (B, K)
        False for such a window.
    """

    level: np.ndarray
    scale: np.ndarray
    mean: np.ndarray
    varies: np.ndarray

    def normalized(self, values):
        """Return values (..., B, K) in these units."""
        return (values - self.level) / self.scale

    def asked(self, values):
        """Return values (..., B, K) to be answered in these units, for `restored`.

        Behind a window of one value they are 0. In its units, those of y, a single one
        may be so large that nothing else is learned.
        """
        return np.where(self.varies, self.normalized(values), 0.0)

    def restored(self, z, extra=0):
        """Return forecasts z (..., B, K) in units of y: undo `normalized`.

        A window of one value alone is forecast as that value: nothing tells the unit of
        what the network adds to it. z may have `extra` axes more, behind the others.
        """
        shape = *self.level.shape, *[1] * extra
        level, scale = self.level.reshape(shape), self.scale.reshape(shape)
        return level + scale * np.where(self.varies.reshape(shape), z, 0.0)

    @property
    def drawn_scale(self):
        """The scale, small beside the level where a window is of one value alone."""
        small = np.where(self.level == 0, 1.0, _OF_CONSTANT * np.abs(self.level))
        return np.where(self.varies, self.scale, small)

    @property
    def count_scale(self):
        """What the mean of counts is a multiple of, (B, K) (Salinas et al., 2020)."""
        return 1 + np.maximum(self.mean, 0)

    @property
    def spread(self):
        """The scale in proportion to the level, (B, K); infinite where that is 0."""
        size = np.abs(self.level)
        found = np.full(self.scale.shape, np.inf)
        with np.errstate(over="ignore"):
            return np.divide(self.scale, size, out=found, where=size > 0)


def _by_season(windows, season):
    """Take the mean of the last season, and the mean distance from it."""
    return _with_distance(windows, windows[-season:].mean(axis=0))


def _by_last(windows, season):
    """Take the last value, and the mean distance from it."""
    return _with_distance(windows, windows[-1])


def _with_distance(windows, level):
    scale = np.abs(windows - level).mean(axis=0)
    # Relative alone: values may be of any unit.
    is_constant = scale <= _CONSTANT * np.abs(windows).mean(axis=0)
    scale, mean = np.where(is_constant, 1.0, scale), windows.mean(axis=0)
    return Units(level, scale, mean, ~is_constant)


def _as_it_is(windows, season):
    level = np.zeros(windows.shape[1:])
    ones = np.ones_like(level)
    return Units(level, ones, windows.mean(axis=0), ones > 0)


# Name -> ``f(windows (L, B, K), season) -> Units``.
NORMALIZERS: dict[str | None, Callable[[np.ndarray, int], Units]] = {
    "window": _by_season,
    "last": _by_last,
    None: _as_it_is,
}
