"""The Poisson distribution: counts of what happens independently."""

import math

import numpy as np
from scipy import stats

from skrnn._networks.distributions.row import Distribution, Parameter
from skrnn._networks.formulas import log1p_unless_far, stirling_error


def _losses(ops, y, scale, mean):
    """Return the losses of counts y, by Stirling's error and deviance (Loader, 2000).

    They are exact in float32 for large counts too, because no factorials cancel.
    """
    mean = scale * mean
    is_some = y > 0
    count = ops.where(is_some, y, 1.0)
    ratio = log1p_unless_far(ops, (count - mean) / mean, ops.log(count) - ops.log(mean))
    deviance = count * ratio - (count - mean)
    root = ops.log(2 * math.pi * count) / 2
    return ops.where(is_some, deviance + stirling_error(ops, count) + root, mean)


def _slopes(y, scale, mean):
    return (scale - np.maximum(y, 0) / mean,)


def _in_scipy(_level, scale, mean):
    return stats.poisson(scale * mean)


POISSON = Distribution(
    name="poisson",
    parameters=(Parameter("mean", above=1e-6),),
    losses=_losses,
    slopes=_slopes,
    in_scipy=_in_scipy,
    description="the likelihood of a Poisson distribution, for counts",
    source="Nelder & Wedderburn, 1972",
    counts=True,
)
