"""Prediction intervals from errors on a calibration part: split conformal.

Vovk, Gammerman & Shafer (2005); Lei et al. (2018). The error of a forecast is taken in
units of its window's spread, so that intervals are wide where a series is.
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
