"""Pieces of formulas over ``ops``, which several losses and distributions have.

`ops` is ``numpy`` or ``keras.ops``. Gradients are finite everywhere on every backend:
also in the branch that `where` doesn't choose, because zero times infinity is NaN.
"""


def positive_part(ops, x):
    """Return x where it is above 0, and 0 elsewhere."""
    # The gradient at 0 is 0 on every backend; that of a maximum or of `abs` isn't.
    return ops.where(x <= 0, 0.0, x)


def softplus(ops, x):
    """Return ``log(1 + exp(x))`` without overflow; its slope is the sigmoid."""
    return ops.log1p(ops.exp(ops.where(x > 0, -x, x))) + positive_part(ops, x)


def log1p_unless_far(ops, x, far):
    """Return ``log(1 + x)`` for x > -1, taken as `far` where 1 + x is small.

    Near -1 the sum rounds to 0: `far` is the same logarithm, written as a difference of
    others.
    """
    near = x > -0.5
    return ops.where(near, ops.log1p(ops.where(near, x, 0.0)), far)


# Shifts of the argument, after which the series has nine digits for every x > 0.
_N_SHIFTS = 5


def stirling_error(ops, x):
    """Return ``log(gamma(x + 1)) - (x + 1/2) log(x) + x - log(2 pi) / 2`` for x > 0.

    The error of Stirling's formula. It is below 1/12 for x above 1. Likelihoods built
    from it are exact in float32, in which the logarithm of the gamma function of a
    large number has few decimals.

    Source: Loader (2000), "Fast and accurate computation of binomial probabilities".
    """
    error = 0.0
    for _ in range(_N_SHIFTS):
        error = error + (x + 0.5) * ops.log1p(1 / x) - 1
        x = x + 1
    # The series of the logarithm of the gamma function.
    w = 1 / x
    square = w * w
    series = 1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))
    return error + w * series
