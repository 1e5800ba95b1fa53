"""Student's t distribution, whose tails are heavier than those of the normal one."""

import math

import numpy as np
from scipy import stats
from scipy.special import digamma

from skrnn._networks.distributions.row import Distribution, Parameter
from skrnn._networks.formulas import stirling_error

_HALF_LOG_2_PI = math.log(2 * math.pi) / 2


def _losses(ops, y, location, spread, freedom):
    half, error = freedom / 2, (y - location) / spread
    # Of the gamma function at half and at half + 1/2, which cancel almost.
    peak = stirling_error(ops, half + 0.5) - stirling_error(ops, half)
    peak = peak + half * ops.log1p(0.5 / half) - 0.5 - _HALF_LOG_2_PI
    tail = (half + 0.5) * ops.log1p(error * error / freedom)
    return ops.log(spread) + tail - peak


def _slopes(y, location, spread, freedom):
    error = (y - location) / spread
    square = error * error
    # 1 for the normal distribution; below for errors far out.
    share = (freedom + 1) / (freedom + square)
    of_freedom = (
        np.log1p(square / freedom)
        + 1 / freedom
        - share * square / freedom
        - digamma((freedom + 1) / 2)
        + digamma(freedom / 2)
    ) / 2
    return -share * error / spread, (1 - share * square) / spread, of_freedom


def _in_scipy(level, scale, location, spread, freedom):
    return stats.t(freedom, level + scale * location, scale * spread)


STUDENT_T = Distribution(
    name="student_t",
    parameters=(
        Parameter("location"),
        Parameter("spread", above=1e-3),
        # From 2 on there is a variance.
        Parameter("freedom", above=2.01),
    ),
    losses=_losses,
    slopes=_slopes,
    in_scipy=_in_scipy,
    description="the likelihood of Student's t, for errors with heavy tails",
    source="Lange et al., 1989",
)
