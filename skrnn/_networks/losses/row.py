"""What a row of `LOSSES` says of a loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def _one(*_values):
    return 1


@dataclass(frozen=True)
class LossRow:
    """A loss.

    Attributes
    ----------
    name : str
        What it is called here.
    targets : {"numbers", "labels", "forecasts"}
        Kind of its targets, which decides which estimators have it. Estimators of
        numbers and of labels list theirs as ``loss``; losses of forecasts are for the
        Forecaster, which knows what their outputs mean.
    activations : tuple of str
        Activations of the heads that it goes with.
    formula : callable
        ``f(ops, y, z, *values) -> losses`` of targets y (..., K), or class numbers
        (..., 1), and of outputs z (..., K) before the head's activation. The losses
        (...) are means over the last axis. `ops` has NumPy's names: it is ``numpy`` or
        ``keras.ops``. With several outputs or columns a target, both are wider: see
        below.
    at_outputs : callable
        ``f(y, z, *values) -> losses (n,), gradients (n, K)`` for arrays (n, K): the
        formula with its derivative by z.
    description : str
        What it is, to be read after the name.
    source : str
        Authors and year.
    keras : str or None
        Name of the same function in ``keras.losses``, if there is one.
    keras_one_hot : str or None
        Name of the version that takes one-hot rows instead of class numbers.
    aliases : tuple of str
        Other spellings, in lower case and without spaces, dashes and underscores. The
        name, spelt with these, needs none.
    parameters : tuple of str
        Parameters of the estimators whose `values` the formulas take.
    fused : int or None
        Its place among the losses of the fused step in C (``steps.h``), if it is there;
        that takes one parameter.
    outputs_per_target : callable or None
        ``f(*values) -> P``: how many outputs of the head belong to each of K targets.
        Outputs are (..., P * K): the first one of all targets, then the second one of
        all, and so on. None if all outputs are those of a single target.
    target_columns : int
        Columns C that each target has in a batch: y is (..., C * K), first the targets
        themselves, then the next column of all of them.
    predictions : callable or None
        ``f(ops, z, *values) -> predictions (..., P * K)``: turns outputs into
        predictions. None if outputs already are predictions after the head's
        activation.
    of_predictions : callable or None
        ``f(ops, y, predictions, *values) -> losses``: the formula for predictions
        instead of outputs. Set if `predictions` is.
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
    outputs_per_target: Callable[..., int] | None = _one
    target_columns: int = 1
    predictions: Callable[..., Any] | None = None
    of_predictions: Callable[..., Any] | None = None


def mean_over_columns(losses, gradients):
    """Take the mean over the columns of y."""
    n_columns = losses.shape[-1]
    if n_columns == 1:
        return losses[:, 0], gradients
    return losses.sum(axis=-1) / n_columns, gradients / n_columns
