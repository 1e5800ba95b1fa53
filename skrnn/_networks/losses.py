"""Losses: one row each, which everything that knows losses is made from.

The names that estimators take, their other spellings and their documentation, what
each engine trains with and what Keras calls it are all read from `LOSSES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp, softmax


@dataclass(frozen=True)
class LossRow:
    """A loss.

    Attributes
    ----------
    name : str
        What it is called here.
    targets : {"numbers", "labels"}
        What its targets are: which estimators have it.
    activations : tuple of str
        Activations of the heads that it goes with.
    formula : callable
        ``f(ops, y, z, *values) -> losses`` of targets y (..., K), or class numbers
        (..., 1), and of outputs z (..., K) before the head's activation. The losses
        (...) are means over the last axis. `ops` has NumPy's names: it is ``numpy`` or
        ``keras.ops``.
    at_outputs : callable
        ``f(y, z, *values) -> losses (n,), gradients (n, K)`` for arrays (n, K): the
        formula with its derivative by z.
    description : str
        What it is, to be read behind the name.
    source : str
        Authors and year.
    keras : str or None
        Name of the same function in ``keras.losses``, if there is one.
    keras_one_hot : str or None
        Name of that one which takes one-hot rows for class numbers.
    aliases : tuple of str
        Other spellings, in lower case and without spaces, dashes and underscores. The
        name, spelt with these, needs none.
    parameters : tuple of str
        Parameters of the estimators whose `values` the formulas take.
    fused : int or None
        Its place among the losses of the fused step in C (``steps.h``), if it is there;
        that takes one parameter.
    """

    name: str
    targets: str
    activations: tuple[str, ...]
    formula: Callable[..., Any]
    at_outputs: Callable[..., tuple[np.ndarray, np.ndarray]]
    description: str
    source: str
    keras: str | None = None
    keras_one_hot: str | None = None
    aliases: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    fused: int | None = None


# How a head names its loss: by a row, with the values of its parameters if it has any.
NamedLoss = str | tuple[Any, ...]


def loss_of_head(loss, activation: str) -> NamedLoss | None:
    """Return the one name of the loss that a head with `activation` has.

    Parameters
    ----------
    loss : str, tuple, list or None
        A name, or one with the values of its parameters behind it. None or "auto" is
        the first of `LOSSES` that goes with the activation.

    Raises
    ------
    ValueError
        If there is no such loss, or it isn't one for the activation.
    """
    default = next(
        (row for row in LOSSES.values() if activation in row.activations), None
    )
    if loss is None or loss == "auto":
        return default.name if default else None
    row, values = row_of(loss)
    if activation not in row.activations:
        # Two categories are one sigmoid.
        of_labels = row.targets == "labels"
        if default is None or not (of_labels and default.targets == row.targets):
            raise ValueError(f"loss {row.name!r} isn't for an output of {activation!r}")
        row, values = default, ()
    return (row.name, *values) if values else row.name


def row_of(loss: NamedLoss) -> tuple[LossRow, tuple]:
    """Return the row of a loss and the values of its parameters."""
    name, *values = (loss,) if isinstance(loss, str) else loss
    row = LOSSES.get(name)
    if row is None or len(values) != len(row.parameters):
        raise ValueError(f"there is no loss {loss!r}")
    return row, tuple(values)


def loss_at_outputs(head) -> Callable:
    """Return ``f(y, z) -> losses (n,), gradients (n, K)`` for the loss of a head.

    Targets are y, and outputs before the head's activation z.
    """
    row, values = row_of(head.loss)
    return lambda y, z: row.at_outputs(y, z, *values)


def _mean(losses, gradients):
    """Take the mean over the columns of y."""
    n_columns = losses.shape[-1]
    if n_columns == 1:
        return losses[:, 0], gradients
    return losses.sum(axis=-1) / n_columns, gradients / n_columns


def _positive_part(ops, x):
    # The gradient at 0 is 0 on every backend; that of a maximum or of `abs` isn't.
    return ops.where(x > 0, x, 0.0)


def _squared_error(ops, y, z):
    return ops.mean((z - y) ** 2, axis=-1)


def _squared_error_at_outputs(y, z):
    d = z - y
    return _mean(d * d, 2 * d)


def _absolute_error(ops, y, z):
    d = z - y
    return ops.mean(_positive_part(ops, d) + _positive_part(ops, -d), axis=-1)


def _absolute_error_at_outputs(y, z):
    d = z - y
    return _mean(np.abs(d), np.sign(d))


def _huber(ops, y, z):
    error = ops.abs(z - y)
    return ops.mean(ops.where(error <= 1, error**2 / 2, error - 0.5), axis=-1)


def _huber_at_outputs(y, z):
    d = z - y
    near = np.clip(d, -1, 1)
    return _mean(near * (d - near / 2), near)


def _log_cosh(ops, y, z):
    error = ops.abs(z - y)
    twice = ops.log1p(ops.exp(-2 * error))
    return ops.mean(error + twice - float(np.log(2)), axis=-1)


def _log_cosh_at_outputs(y, z):
    d = z - y
    return _mean(np.logaddexp(d, -d) - np.float32(np.log(2)), np.tanh(d))


def _pinball(ops, y, z, quantile):
    d = y - z
    above, below = _positive_part(ops, d), _positive_part(ops, -d)
    return ops.mean(quantile * above + (1 - quantile) * below, axis=-1)


def _pinball_at_outputs(y, z, quantile):
    d, quantile = y - z, np.float32(quantile)
    below, above = quantile * (d > 0), (1 - quantile) * (d < 0)
    return _mean(d * (below - above), above - below)


def _binary_crossentropy(ops, y, z):
    softplus = ops.log1p(ops.exp(ops.where(z > 0, -z, z)))
    softplus = softplus + _positive_part(ops, z)
    return ops.mean(softplus - z * y, axis=-1)


def _binary_crossentropy_at_outputs(y, z):
    losses = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return _mean(losses, expit(z) - y)


def _categorical_crossentropy(ops, y, z):
    z = z - ops.max(z, axis=-1, keepdims=True)
    likelihood = ops.take_along_axis(z, y, axis=-1)[..., 0]
    return ops.log(ops.sum(ops.exp(z), axis=-1)) - likelihood


def _categorical_crossentropy_at_outputs(y, z):
    gradients = softmax(z, axis=-1)
    losses = logsumexp(z, axis=-1) - np.take_along_axis(z, y, axis=-1)[:, 0]
    gradients[np.arange(len(y)), y[:, 0]] -= 1
    return losses, gradients


# Name -> its row. The first one that goes with an activation is the default there.
LOSSES = {
    row.name: row
    for row in (
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
        LossRow(
            name="binary_crossentropy",
            targets="labels",
            activations=("sigmoid",),
            formula=_binary_crossentropy,
            at_outputs=_binary_crossentropy_at_outputs,
            description="for two classes, or labels that are there or not",
            source="Cox, 1958",
            keras="binary_crossentropy",
            aliases=("bce", "bceloss", "bcewithlogitsloss"),
            fused=1,
        ),
        LossRow(
            name="categorical_crossentropy",
            targets="labels",
            activations=("softmax",),
            formula=_categorical_crossentropy,
            at_outputs=_categorical_crossentropy_at_outputs,
            description="for one of several classes",
            source="Bridle, 1990",
            keras="sparse_categorical_crossentropy",
            keras_one_hot="categorical_crossentropy",
            aliases=("sparsecategoricalcrossentropy",),
            fused=2,
        ),
    )
}
