"""Paths drawn from forecast distributions, with steps that depend on each other."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import norm

from skrnn._estimators.forecasting.table import SeriesTable, Tails

# Windows that the dependence of steps is estimated on, at most.
_N_WINDOWS = 1000
# Share of independence: a matrix of few windows is uncertain.
_SHRINKAGE = 0.1
_CLIP = 1e-4


@dataclass(frozen=True)
class Dependence:
    """How the steps of a horizon, and the targets, depend on each other.

    It is a Gaussian copula.

    Attributes
    ----------
    factor : ndarray of shape (H, H)
        The Cholesky factor of the correlations between steps.
    factor_of_targets : ndarray of shape (K, K)
        That of the correlations between targets, the same at all steps.

    Notes
    -----
    The copula joins distributions of single steps (Sklar, 1959). Its correlations are
    those of the probability integral transforms (Rosenblatt, 1952) of the steps of
    training windows, as normal scores; counts are randomised (Czado et al., 2009).
    """

    factor: np.ndarray
    factor_of_targets: np.ndarray

    def uniform(self, shape, rng) -> np.ndarray:
        """Draw numbers (H, ..., K) between 0 and 1."""
        n_targets = len(self.factor_of_targets)
        drawn = rng.standard_normal((len(self.factor), *shape, n_targets))
        drawn = drawn @ self.factor_of_targets.T
        return norm.cdf(np.tensordot(self.factor, drawn, 1))


def dependence_of(member: Any, table: SeriesTable, rng) -> Dependence:
    """Estimate how the steps and targets of a member's forecasts go together."""
    layout = member.layout
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    origins = origins[:: -(-len(origins) // _N_WINDOWS)]
    values, there = layout.targets(table, origins)
    frozen = member.distributions(table, origins)
    high = frozen.cdf(values)
    # The probability of a count itself is spread evenly; of numbers it is 0.
    low = frozen.cdf(np.ceil(values) - 1) if member.answer.counts else high
    u = low + rng.random(high.shape) * (high - low)
    scores = norm.ppf(np.clip(u, _CLIP, 1 - _CLIP))
    if there is not None:
        scores = scores[:, there.all(axis=0)]
    n_targets = scores.shape[-1]
    return Dependence(
        _factor(scores.reshape(len(scores), -1)),
        _factor(np.moveaxis(scores, -1, 0).reshape(n_targets, -1)),
    )


def _factor(rows):
    """Return the Cholesky factor of the correlations between rows."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    size = np.sqrt((rows**2).mean(axis=1)) if rows.shape[1] else np.zeros(len(rows))
    rows = rows / np.where(size > 0, size, 1)[:, None]
    mixed = (1 - _SHRINKAGE) * (rows @ rows.T) / max(rows.shape[1], 1)
    np.fill_diagonal(mixed, 1)
    return np.linalg.cholesky(mixed)


def roll_paths(member, ends: Tails, gap, n_steps, dependence, rng):
    """Draw paths (n_steps, B, K), with what was drawn as further values.

    Returns
    -------
    paths : ndarray
    levels : ndarray
        Which quantile of its distribution each value is.
    """
    values, found, levels = ends.table.values.copy(), [], []
    table = replace(ends.table, values=values)
    for first in range(0, n_steps, member.horizon):
        origins = ends.origins + first
        u = dependence.uniform((len(origins),), rng)
        drawn = member.drawn(table, origins, u)
        found.append(drawn)
        levels.append(u)
        values[origins + gap + np.arange(len(drawn))[:, None]] = drawn
    return np.concatenate(found)[:n_steps], np.concatenate(levels)[:n_steps]
