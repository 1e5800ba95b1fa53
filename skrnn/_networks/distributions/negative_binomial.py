"""The negative binomial distribution: counts that vary more than Poisson's do."""

import math

import numpy as np
from scipy import stats
from scipy.special import digamma

from skrnn._networks.distributions.row import Distribution, Parameter
from skrnn._networks.formulas import log1p_unless_far, stirling_error


def _losses(ops, y, scale, mean, dispersion):
    """Return the losses of counts y, exact in float32 for large ones too.

    The probability is written with Stirling's errors and deviances (Loader, 2000), and
    with the dispersion instead of its inverse, the number of successes. So no terms as
    large as a count's factorial, or as a large number of successes, cancel.
    """
    mean = scale * mean
    is_some = y > 0
    count = ops.where(is_some, y, 1.0)
    widths = 1 + dispersion * count, 1 + dispersion * mean
    logs = [ops.log1p(dispersion * each) for each in (count, mean)]
    successes = log1p_unless_far(
        ops, dispersion * (mean - count) / widths[0], logs[1] - logs[0]
    )
    failures = log1p_unless_far(
        ops,
        (count - mean) / (widths[0] * mean),
        ops.log(count) - ops.log(mean) + logs[1] - logs[0],
    )
    number = 1 / dispersion
    errors = (
        stirling_error(ops, number)
        + stirling_error(ops, count)
        - stirling_error(ops, number + count)
    )
    roots = (logs[0] + ops.log(2 * math.pi * count)) / 2
    of_some = errors + successes / dispersion + count * failures + roots
    return ops.where(is_some, of_some, logs[1] / dispersion)


def _slopes(y, scale, mean, dispersion):
    y, mean, number = np.maximum(y, 0), scale * mean, 1 / dispersion
    width = 1 + dispersion * mean
    of_mean = scale * (mean - y) / (mean * width)
    of_number = digamma(y + number) - digamma(number)
    of_number += (mean - y) / (number + mean) - np.log1p(dispersion * mean)
    return of_mean, of_number * number**2


def _in_scipy(_level, scale, mean, dispersion):
    return stats.nbinom(1 / dispersion, 1 / (1 + dispersion * scale * mean))


NEGATIVE_BINOMIAL = Distribution(
    name="negative_binomial",
    # The variance is mean + dispersion * mean^2, of the mean in y's units.
    parameters=(Parameter("mean", above=1e-6), Parameter("dispersion", above=1e-4)),
    losses=_losses,
    slopes=_slopes,
    in_scipy=_in_scipy,
    description="the likelihood of a negative binomial, for counts",
    source="Salinas et al., 2020",
    counts=True,
)
