"""Transforms of the target: the panel that is trained on, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from skrnn._estimators.forecasting.panel import Panel, series_of
from skrnn._estimators.forecasting.table import series_table


def _squared(z):
    """Undo a square root, of which there is none below 0."""
    return np.square(np.maximum(z, 0))


# Name -> the transform and its inverse.
TRANSFORMS: dict[str, tuple[Callable, Callable]] = {
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
    "sqrt": (np.sqrt, _squared),
}


@dataclass(frozen=True)
class TargetTransform:
    """What becomes of y before anything else, and lags that it is differenced by.

    Attributes
    ----------
    name : str or None
        Of `TRANSFORMS`.
    fitted : transformer or None
        A fitted transformer of the user's, if there is no name.
    signs : ndarray of shape (K,), or 1
        -1 for a target that `fitted` turns round, such as by a reciprocal: what is
        learned rises with y, so that its quantiles are those of y.
    lags : tuple of int
        Of the differences, one after the other.
    """

    name: str | None = None
    fitted: Any = None
    signs: np.ndarray | float = 1.0
    lags: tuple[int, ...] = ()

    @property
    def n_lost(self) -> int:
        """Rows at the start of a series that have no difference."""
        return sum(self.lags)

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Return what y (n, K) becomes, without the differences.

        Raises
        ------
        ValueError
            If a value has no transform.
        """
        if self.name is None and self.fitted is None:
            return y
        with np.errstate(all="ignore"):
            if self.name is not None:
                made = TRANSFORMS[self.name][0](y)
            else:
                made = self.signs * _as_rows(self.fitted.transform, y)
        wrong = ~np.isfinite(made) & ~np.isnan(y)
        if wrong.any():
            name = self.name or type(self.fitted).__name__
            raise ValueError(
                f"y has {y[wrong][0]:.6g}, of which target_transform={name!r} makes "
                "no number; expected values that have one."
            )
        return made

    def backward(self, z: np.ndarray) -> np.ndarray:
        """Undo `forward`, for any shape (..., K)."""
        if self.name is not None:
            return TRANSFORMS[self.name][1](z)
        if self.fitted is None:
            return z
        rows = z.reshape(-1, z.shape[-1]) * self.signs
        return _as_rows(self.fitted.inverse_transform, rows).reshape(z.shape)

    def of(self, panel: Panel) -> "Transformed":
        """Transform a panel.

        Raises
        ------
        ValueError
            If a series is too short to be differenced.
        """
        self._check_lengths(panel)
        y = self.forward(panel.y)
        levels, lengths = [], panel.lengths
        within = np.arange(len(y)) - np.repeat(panel.starts, lengths)
        for lag in self.lags:
            levels.append(series_table(replace(panel, y=y), 1).values)
            y = np.where((within >= lag)[:, None], y - np.roll(y, lag, axis=0), np.nan)
        keep = within >= self.n_lost
        if not keep.all():
            panel, y = panel.taken(keep, lengths - self.n_lost), y[keep]
        return Transformed(self, replace(panel, y=y), tuple(levels))

    def _check_lengths(self, panel):
        if (panel.lengths <= self.n_lost).any():
            i = int(np.argmin(panel.lengths))
            lags = self.lags[0] if len(self.lags) == 1 else self.lags
            raise ValueError(
                f"{panel.called(i)} has {panel.lengths[i]} rows, but "
                f"difference={lags} needs at least {self.n_lost + 1}."
            )


@dataclass(frozen=True)
class Transformed:
    """A transformed panel, and what its forecasts need to come back.

    Attributes
    ----------
    transform : TargetTransform
    panel : Panel
        What is trained on; the first rows of each series may be lost.
    levels : tuple of ndarray of shape (n_rows, K)
        The values, all rows, before each difference.
    """

    transform: TargetTransform
    panel: Panel
    levels: tuple[np.ndarray, ...]

    def undo(self, z: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Return forecasts z (H, B, K) in units of y.

        Parameters
        ----------
        z : ndarray of shape (H, B, K)
        origins : ndarray of int of shape (B,)
            Rows of `panel`; the first forecast is of this row.
        """
        lost = self.transform.n_lost
        if lost:
            origins = origins + (series_of(self.panel.starts, origins) + 1) * lost
        for lag, values in zip(
            self.transform.lags[::-1], self.levels[::-1], strict=True
        ):
            before = values[origins + np.arange(-lag, 0)[:, None]]
            found = np.concatenate([before, z])
            for h in range(len(z)):
                found[lag + h] += found[h]
            z = found[lag:]
        return self.transform.backward(z)


def _as_rows(function, y):
    """Apply a transformer's method to rows (n, K) of which some may be missing."""
    y = np.asarray(y, np.float64)
    there = ~np.isnan(y).any(axis=1)
    out = np.full_like(y, np.nan)
    if there.any():
        rows = y[there]
        made = function(rows)
        if issparse(made) or np.size(made) != rows.size:
            raise ValueError(
                f"target_transform makes {np.shape(made)} of y, {rows.shape}; expected "
                "a dense array of one number for each number."
            )
        out[there] = np.asarray(made, np.float64).reshape(rows.shape)
    return out


def fit_transform(transform, lags, y: np.ndarray) -> TargetTransform:
    """Make the transform of a fit from the parameters of a Forecaster.

    Parameters
    ----------
    transform : str, transformer or None
    lags : sequence of int
        Of the differences.
    y : ndarray of shape (n_rows, K)
        What a transformer learns from.
    """
    lags = tuple(int(lag) for lag in lags)
    if transform is None or isinstance(transform, str):
        return TargetTransform(transform, lags=lags)
    rows = y[~np.isnan(y).any(axis=1)]
    fitted = clone(transform).fit(rows)
    return TargetTransform(None, fitted, _signs(fitted, rows), lags)


def _signs(fitted, rows):
    """Return -1 for each column of rows (n, K) that a transformer turns round."""
    with np.errstate(all="ignore"):
        made = _as_rows(fitted.transform, rows)
        falls = ((rows - rows.mean(axis=0)) * made).sum(axis=0) < 0
    return np.where(falls, -1.0, 1.0)
