"""The normal distribution."""

import math

from scipy import stats

from skrnn._networks.distributions.row import Distribution, Parameter

_HALF_LOG_2_PI = math.log(2 * math.pi) / 2


def _losses(ops, y, location, spread):
    error = (y - location) / spread
    return ops.log(spread) + error * error / 2 + _HALF_LOG_2_PI


def _slopes(y, location, spread):
    error = (y - location) / spread
    return -error / spread, (1 - error * error) / spread


def _in_scipy(level, scale, location, spread):
    return stats.norm(level + scale * location, scale * spread)


NORMAL = Distribution(
    name="normal",
    # A thousandth of the window's spread: narrower ones would have gradients that drown
    # all others.
    parameters=(Parameter("location"), Parameter("spread", above=1e-3)),
    losses=_losses,
    slopes=_slopes,
    in_scipy=_in_scipy,
    description="the likelihood of a normal distribution",
    source="Nix & Weigend, 1994",
)
