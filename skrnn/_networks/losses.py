"""Losses, as descriptions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pinball:
    """The loss whose minimum is a quantile (Koenker & Bassett, 1978)."""

    quantile: float
