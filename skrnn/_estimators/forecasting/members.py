"""Members of an ensemble: each forecasts the steps of a horizon from windows."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._estimators.forecasting.layouts import Layout
from skrnn._estimators.forecasting.table import SeriesTable, Tails

# Windows that are read at once.
_BLOCK = 4096


@dataclass(frozen=True)
class Member:
    """A fitted estimator, with the layout of what it reads.

    Attributes
    ----------
    layout : Layout
    estimator : estimator
    reads : {"steps", "sequences", "table"}
        What its X is: sequences of the horizon's steps, each of which it answers;
        sequences of another length; or rows of a table.
    answer : Answer
        What the estimator answers with.
    spread : ndarray of shape (H,) or None
        What the distances of quantiles from their median are multiplied by.
    """

    layout: Layout
    estimator: Any
    reads: str
    answer: Any
    spread: np.ndarray | None = None

    @property
    def lookback(self) -> int:
        """Rows that a window needs."""
        return self.layout.lookback

    @property
    def horizon(self) -> int:
        """Steps that it forecasts at once."""
        return self.layout.horizon

    def forecast(self, table: SeriesTable, origins: np.ndarray) -> np.ndarray:
        """Return forecasts (H, B, K) in units of the table's values."""
        return self._each_block(self.answer.point, table, origins)

    def quantiles(self, table: SeriesTable, origins: np.ndarray, levels) -> np.ndarray:
        """Return quantiles (H, B, K, Q) in units of the table's values."""

        def read(found, units):
            quantiles = self.answer.quantiles(found, units, levels)
            return self._spread_out(
                quantiles, self.answer.point(found, units)[..., None]
            )

        return self._each_block(read, table, origins)

    def drawn(self, table: SeriesTable, origins: np.ndarray, u) -> np.ndarray:
        """Return the values (H, B, K) of quantiles u (H, B, K) of the distributions."""
        frozen = self.distributions(table, origins)
        drawn = np.asarray(frozen.ppf(u), np.float64)
        return self._spread_out(drawn, frozen.median())

    def _spread_out(self, values, medians):
        """Move values (H, ...) away from their medians, or towards them."""
        if self.spread is None:
            return values
        factors = self.spread.reshape(-1, *[1] * (values.ndim - 1))
        return self.answer.possible(medians + factors * (values - medians))

    def distributions(self, table: SeriesTable, origins: np.ndarray) -> Any:
        """Return the distributions (H, B, K) of ``scipy.stats``."""
        return self.answer.of(*self._predictions(table, origins))

    def _each_block(self, read, table, origins):
        blocks = range(0, len(origins), _BLOCK)
        parts = [
            read(*self._predictions(table, origins[at : at + _BLOCK])) for at in blocks
        ]
        return np.concatenate(parts, axis=1)

    def _predictions(self, table, origins):
        """Return what is predicted, (H, B, K, P), and the units of the windows."""
        X, units = read(self.layout, self.reads, table, origins)
        found = np.asarray(self.estimator.predict(X))
        n, h, k = len(origins), self.horizon, table.values.shape[1]
        p = self.answer.n_outputs
        if self.reads == "steps":
            return found.reshape(n, h, p, k).transpose(1, 0, 3, 2), units
        return found.reshape(n, p, h, k).transpose(2, 0, 3, 1), units


@dataclass(frozen=True)
class Direct:
    """Members that forecast one step each, of the horizon's first, second, ...

    Attributes
    ----------
    members : tuple of Member
    """

    members: tuple[Member, ...]

    @property
    def lookback(self) -> int:
        """Rows that a window needs."""
        return max(member.lookback for member in self.members)

    @property
    def horizon(self) -> int:
        """Steps that they forecast together."""
        return len(self.members)

    def forecast(self, table: SeriesTable, origins: np.ndarray) -> np.ndarray:
        """Return forecasts (H, B, K) in units of the table's values."""
        parts = [member.forecast(table, origins) for member in self.members]
        return np.concatenate(parts)

    def quantiles(self, table: SeriesTable, origins: np.ndarray, levels) -> np.ndarray:
        """Return quantiles (H, B, K, Q) in units of the table's values."""
        parts = [each.quantiles(table, origins, levels) for each in self.members]
        return np.concatenate(parts)


def read(layout, reads, table, origins):
    """Return X as an estimator reads it, a row a window, and the windows' units."""
    if reads == "table":
        return layout.flat(table, origins)
    x, units = layout.inputs(table, origins)
    return np.ascontiguousarray(np.moveaxis(x, 1, 0)), units


def roll(member: Any, ends: Tails, gap: int, n_steps: int, levels=None) -> np.ndarray:
    """Forecast `n_steps` steps (n_steps, B, K), with forecasts as further values.

    Parameters
    ----------
    member : Member or Direct
    ends : Tails
        With room for whole horizons.
    gap : int
        Of the member's layout; where it isn't 0, one horizon is all there is.
    levels : sequence of float or None
        Return quantiles (n_steps, B, K, Q) instead; forecasts are the further values.
    """
    values, found = ends.table.values.copy(), []
    table = replace(ends.table, values=values)
    for first in range(0, n_steps, member.horizon):
        origins = ends.origins + first
        if levels is not None:
            found.append(member.quantiles(table, origins, levels))
            if first + member.horizon >= n_steps:
                # Nobody reads what is forecast here.
                break
        z = member.forecast(table, origins)
        if levels is None:
            found.append(z)
        values[origins + gap + np.arange(len(z))[:, None]] = z
    return np.concatenate(found)[:n_steps]
