"""Losses of numbers."""

import numpy as np

from skrnn._networks.formulas import positive_part
from skrnn._networks.losses.row import LossRow, mean_over_columns


def _squared_error(ops, y, z):
    return ops.mean((z - y) ** 2, axis=-1)


def _squared_error_at_outputs(y, z):
    d = z - y
    return mean_over_columns(d * d, 2 * d)


def _absolute_error(ops, y, z):
    d = z - y
    return ops.mean(positive_part(ops, d) + positive_part(ops, -d), axis=-1)


def _absolute_error_at_outputs(y, z):
    d = z - y
    return mean_over_columns(np.abs(d), np.sign(d))


def _huber(ops, y, z):
    error = ops.abs(z - y)
    return ops.mean(ops.where(error <= 1, error**2 / 2, error - 0.5), axis=-1)


def _huber_at_outputs(y, z):
    d = z - y
    near = np.clip(d, -1, 1)
    return mean_over_columns(near * (d - near / 2), near)


def _log_cosh(ops, y, z):
    error = ops.abs(z - y)
    twice = ops.log1p(ops.exp(-2 * error))
    return ops.mean(error + twice - float(np.log(2)), axis=-1)


def _log_cosh_at_outputs(y, z):
    d = z - y
    return mean_over_columns(np.logaddexp(d, -d) - np.float32(np.log(2)), np.tanh(d))


def _pinball(ops, y, z, quantile):
    d = y - z
    above, below = positive_part(ops, d), positive_part(ops, -d)
    return ops.mean(quantile * above + (1 - quantile) * below, axis=-1)


def _pinball_at_outputs(y, z, quantile):
    d, quantile = y - z, np.float32(quantile)
    below, above = quantile * (d > 0), (1 - quantile) * (d < 0)
    return mean_over_columns(d * (below - above), above - below)


ROWS = (
    LossRow(
        name="mean_squared_error",
        targets="numbers",
        activations=("linear",),
        formula=_squared_error,
        at_outputs=_squared_error_at_outputs,
        description="the square of the error, least at the mean",
        source="Legendre, 1805",
        keras="mean_squared_error",
        aliases=("mse", "squarederror", "l2", "mseloss"),
        fused=0,
    ),
    LossRow(
        name="mean_absolute_error",
        targets="numbers",
        activations=("linear",),
        formula=_absolute_error,
        at_outputs=_absolute_error_at_outputs,
        description="the size of the error, least at the median",
        source="Laplace, 1774",
        keras="mean_absolute_error",
        aliases=("mae", "absoluteerror", "l1", "l1loss"),
        fused=3,
    ),
    LossRow(
        name="huber",
        targets="numbers",
        activations=("linear",),
        formula=_huber,
        at_outputs=_huber_at_outputs,
        description="half the square up to an error of 1, linear beyond",
        source="Huber, 1964",
        keras="huber",
        # With PyTorch's default they are the same.
        aliases=("huberloss", "smoothl1", "smoothl1loss"),
        fused=4,
    ),
    LossRow(
        name="log_cosh",
        targets="numbers",
        activations=("linear",),
        formula=_log_cosh,
        at_outputs=_log_cosh_at_outputs,
        description="log of the error's hyperbolic cosine, a smooth Huber",
        source="Green, 1990",
        keras="log_cosh",
        fused=5,
    ),
    LossRow(
        name="pinball",
        targets="numbers",
        activations=("linear",),
        formula=_pinball,
        at_outputs=_pinball_at_outputs,
        description="the size of the error by its sign, least at the `quantile`",
        source="Koenker & Bassett, 1978",
        aliases=("quantile", "quantileloss", "pinballloss"),
        parameters=("quantile",),
        fused=6,
    ),
)
