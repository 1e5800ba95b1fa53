"""Losses: one row each, which everything that knows losses is made from.

The names that estimators take, other spellings, documentation, the formulas of each
engine and Keras' names are all read from `LOSSES`.
"""

from collections.abc import Callable
from typing import Any

from skrnn._networks.losses import labels, likelihoods, numbers, quantiles
from skrnn._networks.losses.row import LossRow

__all__ = [
    "LOSSES",
    "LossRow",
    "NamedLoss",
    "loss_at_outputs",
    "loss_of_head",
    "row_of",
]

# How a head names its loss: by the name of a row, and values of its parameters if any.
NamedLoss = str | tuple[Any, ...]

# Name -> its row. The first one that goes with an activation is the default there.
LOSSES: dict[str, LossRow] = {
    row.name: row
    for row in (*numbers.ROWS, *labels.ROWS, *quantiles.ROWS, *likelihoods.ROWS)
}


def loss_of_head(loss, activation: str) -> NamedLoss | None:
    """Return the one name of the loss that a head with `activation` has.

    Parameters
    ----------
    loss : str, tuple, list or None
        A name, or a name followed by the values of its parameters. None or "auto" is
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
