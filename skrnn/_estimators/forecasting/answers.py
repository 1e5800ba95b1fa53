"""What networks answer with: numbers, quantiles, or a distribution.

Of each target a network has P outputs. An answer says which loss they are trained with,
what a batch's targets are for it, and how predictions become forecasts in units of y.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._sklearn import Share

# Quantiles of a distribution that are shown if none are asked for.
SHOWN = (0.1, 0.5, 0.9)
# Those that are compared with a calibration part; others are between them.
_OUTER = (0.01, 0.025, 0.05, 0.1)
_COMPARED = (*_OUTER, 0.3, 0.5, 0.7, *(1 - level for level in _OUTER[::-1]))


class Answer(Protocol):
    """The protocol. Predictions are (H, B, K, P), units (B, K), forecasts (H, B, K)."""

    @property
    def loss(self) -> tuple | None:
        """The loss of the head; None for the estimator's own."""

    @property
    def n_outputs(self) -> int:
        """P, the outputs of a target."""

    def targets(self, values: np.ndarray, units: Any) -> np.ndarray:
        """Return a batch's targets (H, B, K * columns) for values (H, B, K)."""

    def point(self, found: np.ndarray, units: Any) -> np.ndarray:
        """Return the forecasts."""

    def quantiles(self, found: np.ndarray, units: Any, levels) -> np.ndarray:
        """Return the quantiles (H, B, K, Q) at `levels`."""

    @property
    def compared(self) -> tuple[float, ...]:
        """The levels of quantiles that are compared with a calibration part."""

    def possible(self, quantiles: np.ndarray) -> np.ndarray:
        """Return the nearest values that there can be."""


@dataclass(frozen=True)
class Numbers:
    """One number a target."""

    loss = None
    n_outputs = 1
    compared = ()

    def possible(self, quantiles):
        """Return them as they are."""
        return quantiles

    def targets(self, values, units):
        """Return values in the windows' units."""
        return units.asked(values)

    def point(self, found, units):
        """Return the forecasts."""
        return units.restored(found[..., 0])

    def quantiles(self, found, units, levels):
        """Raise ValueError: there are none."""
        raise ValueError(
            "Quantiles need networks that were trained for them: fit with "
            "Forecaster(quantiles=(0.1, 0.5, 0.9)) or distribution='normal'."
        )


@dataclass(frozen=True)
class Quantiles:
    """Quantiles that never cross.

    Attributes
    ----------
    levels : tuple of float
        Increasing; 0.5 is one of them.
    """

    levels: tuple[float, ...]

    @property
    def loss(self) -> tuple:
        """The mean pinball loss of all levels."""
        return ("quantiles", self.levels)

    @property
    def n_outputs(self) -> int:
        """The number of levels."""
        return len(self.levels)

    @property
    def compared(self) -> tuple[float, ...]:
        """All levels."""
        return self.levels

    def possible(self, quantiles):
        """Return them as they are."""
        return quantiles

    def targets(self, values, units):
        """Return values in the windows' units."""
        return units.asked(values)

    def point(self, found, units):
        """Return the medians."""
        return units.restored(found[..., self.levels.index(0.5)])

    def quantiles(self, found, units, levels):
        """Return those of `levels`, which must be among the trained ones."""
        near = np.isclose(np.asarray(levels)[:, None], self.levels, rtol=0, atol=1e-9)
        unknown = [
            level for level, n in zip(levels, near.any(axis=1), strict=True) if not n
        ]
        if unknown:
            raise ValueError(
                f"quantiles={unknown} weren't trained; expected some of "
                f"{list(self.levels)}."
            )
        places = near.argmax(axis=1)
        return units.restored(found[..., places], extra=1)


@dataclass(frozen=True)
class Drawn:
    """A distribution of each target at each step.

    Attributes
    ----------
    name : str
        Of `DISTRIBUTIONS`.
    """

    name: str

    @property
    def _row(self):
        return DISTRIBUTIONS[self.name]

    @property
    def loss(self) -> tuple:
        """The negative log-likelihood."""
        return (self.name,)

    compared = _COMPARED

    @property
    def counts(self) -> bool:
        """Whether it is of counts 0, 1, 2, ..."""
        return self._row.counts

    @property
    def n_outputs(self) -> int:
        """The number of its parameters."""
        return len(self._row.parameters)

    def possible(self, quantiles):
        """Return whole numbers from 0 where the distribution is of counts.

        Between two of them it is the higher one: as many are at or below it as the
        level says, or more.
        """
        if not self.counts:
            return quantiles
        return np.maximum(np.floor(quantiles + 0.5), 0)

    def targets(self, values, units):
        """Return values in the windows' units; or counts, and their windows' scales."""
        if not self.counts:
            return (values - units.level) / units.drawn_scale
        scales = np.broadcast_to(units.count_scale, values.shape)
        return np.concatenate([values, scales], axis=-1)

    def of(self, found, units):
        """Return the distributions of ``scipy.stats``, (H, B, K), in units of y."""
        scale = units.count_scale if self.counts else units.drawn_scale
        return self._row.in_scipy(units.level, scale, *np.moveaxis(found, -1, 0))

    def point(self, found, units):
        """Return the medians."""
        return self.of(found, units).median()

    def quantiles(self, found, units, levels):
        """Return those of any levels."""
        frozen = self.of(found, units)
        return np.stack([frozen.ppf(level) for level in levels], axis=-1)


def answer_of(quantiles, distribution) -> Answer:
    """Return what networks shall answer with, by the parameters of a Forecaster.

    Raises
    ------
    ValueError
        If both are given, or quantiles aren't increasing between 0 and 1.
    """
    if quantiles is None:
        return Numbers() if distribution is None else Drawn(distribution)
    if distribution is not None:
        raise ValueError(
            f"quantiles={quantiles!r} and distribution={distribution!r}: expected one "
            "of them; a distribution has quantiles of any level."
        )
    return Quantiles(tuple(sorted({0.5, *checked_levels(quantiles)})))


class Coverage(Share):
    """Of an interval; the error tells what isn't a percentage."""

    def __init__(self):
        super().__init__(zero=False)

    def __str__(self):
        return f"{super().__str__()}, as 0.9 for 90 %"


def checked_levels(quantiles) -> list[float]:
    """Return levels of quantiles as numbers.

    Raises
    ------
    ValueError
        If they aren't increasing numbers between 0 and 1.
    """
    levels = np.atleast_1d(quantiles)
    is_right = levels.ndim == 1 and levels.dtype.kind in "fi" and len(levels) > 0
    if not is_right or not (np.diff([0, *levels, 1]) > 0).all():
        raise ValueError(
            f"quantiles={quantiles!r}; expected increasing numbers between 0 and 1, "
            "such as (0.1, 0.5, 0.9)."
        )
    return [float(level) for level in levels]
