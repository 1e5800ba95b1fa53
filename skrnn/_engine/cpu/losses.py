"""The losses that programs of the cpu engine train with."""

from collections.abc import Callable

from skrnn._networks.losses import row_of


def loss_at_outputs(head) -> Callable:
    """Return ``f(y, z) -> losses (n,), gradients (n, K)`` for the loss of a head.

    Targets are y, and outputs before the head's activation z.
    """
    row, values = row_of(head.loss)
    return lambda y, z: row.at_outputs(y, z, *values)


def place_in_c(head) -> int | None:
    """Return the place of a head's loss in the fused step's list, or None."""
    return row_of(head.loss)[0].fused
