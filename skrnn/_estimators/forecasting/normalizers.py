"""How the values of a window become numbers of unit size, and come back.

A window is normalised by itself, so that a network sees its shape alone: it serves
series of any level and spread, and those that leave the range of training.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Relative to the level: a smaller spread is that of rounding.
_CONSTANT = 1e-9
# Scale of a constant window, relative to its level.
_OF_CONSTANT = 1e-2


@dataclass(frozen=True)
class Units:
    """The units of some windows: ``level + scale * z`` is in those of y.

    Attributes
    ----------
    level, scale : ndarray of shape (B, K)
    mean : ndarray of shape (B, K)
        Of the values.
    """

    level: np.ndarray
    scale: np.ndarray
    mean: np.ndarray

    def normalized(self, values):
        """Return values (..., B, K) in these units."""
        return (values - self.level) / self.scale

    def restored(self, z, extra=0):
        """Undo `normalized`; z may have `extra` axes behind (..., B, K)."""
        shape = *self.level.shape, *[1] * extra
        return self.level.reshape(shape) + self.scale.reshape(shape) * z

    @property
    def count_scale(self):
        """What the mean of counts is a multiple of, (B, K) (Salinas et al., 2020)."""
        return 1 + np.maximum(self.mean, 0)

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
    # What a network adds to a constant is small beside it then.
    small = np.where(level == 0, 1.0, _OF_CONSTANT * np.abs(level))
    return Units(level, np.where(is_constant, small, scale), windows.mean(axis=0))


def _as_it_is(windows, season):
    level = np.zeros(windows.shape[1:])
    return Units(level, np.ones_like(level), windows.mean(axis=0))


# Name -> ``f(windows (L, B, K), season) -> Units``.
NORMALIZERS: dict[str | None, Callable[[np.ndarray, int], Units]] = {
    "window": _by_season,
    "last": _by_last,
    None: _as_it_is,
}
