"""Named losses and their gradients, as plain formulas on arrays.

Each is ``f(y, z) -> losses (n,), gradients (n, K)`` of targets y and outputs z before
the head's activation. What they compute is what Keras' losses of the same name do.
"""

from functools import partial

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skrnn._networks.losses import Pinball

# What "auto" means for each activation of the head.
DEFAULTS = {
    "linear": "mean_squared_error",
    "sigmoid": "binary_crossentropy",
    "softmax": "categorical_crossentropy",
}


def loss_name(loss, activation):
    """Return the name of a loss; a crossentropy is that of the head.

    Two categories are one sigmoid.
    """
    if isinstance(loss, Pinball):
        return "pinball"
    by_head = loss == "auto" or loss.endswith("crossentropy")
    return DEFAULTS[activation] if by_head else loss


def loss_formula(loss, activation):
    """Return the formula of a loss by name."""
    if isinstance(loss, Pinball):
        return partial(_pinball, np.float32(loss.quantile))
    return LOSSES[loss_name(loss, activation)]


def _mean(losses, gradients):
    """Take the mean over the columns of y."""
    n_columns = losses.shape[-1]
    if n_columns == 1:
        return losses[:, 0], gradients
    return losses.sum(axis=-1) / n_columns, gradients / n_columns


def _squared_error(y, z):
    d = z - y
    return _mean(d * d, 2 * d)


def _absolute_error(y, z):
    d = z - y
    return _mean(np.abs(d), np.sign(d))


def _huber(y, z):
    """Huber (1964), quadratic up to an error of 1."""
    d = z - y
    near = np.clip(d, -1, 1)
    return _mean(near * (d - near / 2), near)


def _log_cosh(y, z):
    d = z - y
    return _mean(np.logaddexp(d, -d) - np.float32(np.log(2)), np.tanh(d))


def _pinball(quantile, y, z):
    """Koenker & Bassett (1978); the gradient is 0 where z is right."""
    d = y - z
    below, above = quantile * (d > 0), (1 - quantile) * (d < 0)
    return _mean(d * (below - above), above - below)


def _binary_crossentropy(y, z):
    losses = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return _mean(losses, expit(z) - y)


def _categorical_crossentropy(y, z):
    gradients = softmax(z, axis=-1)
    losses = logsumexp(z, axis=-1) - np.take_along_axis(z, y, axis=-1)[:, 0]
    rows = np.arange(len(y))
    gradients[rows, y[:, 0]] -= 1
    return losses, gradients


LOSSES = {
    "mean_squared_error": _squared_error,
    "mean_absolute_error": _absolute_error,
    "huber": _huber,
    "log_cosh": _log_cosh,
    "binary_crossentropy": _binary_crossentropy,
    "categorical_crossentropy": _categorical_crossentropy,
}
