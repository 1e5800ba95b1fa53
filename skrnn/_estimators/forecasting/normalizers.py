"""How the values of a window become numbers of unit size, and come back.

A window is normalised by itself, so that a network sees its shape alone: it serves
series of any level and spread, and those that leave the range of training.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Relative to the level: a smaller spread is that of rounding.
_CONSTANT = 1e-9


@dataclass(frozen=True)
class Units:
    """The units of some windows: ``level + scale * z`` is in those of y.

    Attributes
    ----------
    level, scale : ndarray of shape (B, K)
        The scale of a window of one value alone is 1.
    varies : ndarray of bool of shape (B, K), or True
        False for such a window.
    """

    level: np.ndarray
    scale: np.ndarray
    varies: np.ndarray | bool = True

    def normalized(self, values):
        """Return values (..., B, K) in these units."""
        return (values - self.level) / self.scale

    def restored(self, z):
        """Return forecasts z (..., B, K) in units of y: undo `normalized`.

        A window of one value alone is forecast as that value: nothing tells the unit of
        what the network adds to it.
        """
        return self.level + self.scale * np.where(self.varies, z, 0.0)

    @property
    def spread(self):
        """The scale in proportion to the level, (B, K)."""
        return self.scale / np.maximum(np.abs(self.level), _CONSTANT)


def _by_season(windows, season):
    """Take the mean of the last season, and the mean distance from it."""
    return _with_distance(windows, windows[-season:].mean(axis=0))


def _by_last(windows, season):
    """Take the last value, and the mean distance from it."""
    return _with_distance(windows, windows[-1])


def _with_distance(windows, level):
    scale = np.abs(windows - level).mean(axis=0)
    is_constant = scale <= _CONSTANT * (1 + np.abs(level))
    return Units(level, np.where(is_constant, 1.0, scale), ~is_constant)


def _as_it_is(windows, season):
    level = np.zeros(windows.shape[1:])
    return Units(level, np.ones_like(level))


# Name -> ``f(windows (L, B, K), season) -> Units``.
NORMALIZERS: dict[str | None, Callable[[np.ndarray, int], Units]] = {
    "window": _by_season,
    "last": _by_last,
    None: _as_it_is,
}
