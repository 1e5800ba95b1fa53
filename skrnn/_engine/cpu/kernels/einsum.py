"""Products of stacks of matrices, with formulas like `numpy.einsum`, for training."""

from functools import lru_cache

import numpy as np

from skrnn._engine.cpu.kernels.layer import kernels
from skrnn._engine.cpu.kernels.threads import divide

# Copying the stack is worth it from this many multiplications per matrix product on.
_WORTH_A_COPY = 2_000


def contract(formula, a, b):
    """Do the same as ``numpy.einsum(formula, a, b)``, in float32.

    Indices in both operands and in the result form a stack of matrix products. The
    kernel computes each one separately, so results don't depend on the rest.
    """
    axes = _axes(formula)
    if axes is None:
        return np.einsum(formula, a, b)
    left_axes, right_axes, back = axes
    left, right = a.transpose(left_axes), b.transpose(right_axes)
    (m, k), n = left.shape[-2:], right.shape[-2]
    if min(m, n) == 1 or m * n * k < _WORTH_A_COPY:
        return np.einsum(formula, a, b)
    left, right = (np.ascontiguousarray(x, np.float32) for x in (left, right))
    out = np.empty((*left.shape[:-2], m, n), np.float32)
    stack = left.reshape(-1, m, k), right.reshape(-1, n, k), out.reshape(-1, m, n)
    size = len(stack[0])

    def run(first, last):
        x, y, z = (part[first:last] for part in stack)
        kernels.stacked(last - first, m, k, x, y, n, z)

    divide(run, size, size * m * n * k)
    return out.transpose(back)


def einsum_rule(formula, x, y):
    """Return the product, and functions for its operands' gradients."""
    (left, right), out = formula.split("->")[0].split(","), formula.split("->")[1]

    return contract(formula, x, y), (
        None,
        lambda g: contract(f"{out},{right}->{left}", g, y),
        lambda g: contract(f"{left},{out}->{right}", x, g),
    )


@lru_cache(maxsize=64)
def _axes(formula):
    """Return the axes that turn the operands into (stack, m, k) and (stack, n, k).

    The third result turns (stack, m, n) into the formula's result. Returns None if the
    formula isn't a stack of matrix products: one index must be summed, and each operand
    must have one index of its own.
    """
    inputs, result = formula.split("->")
    left, right = inputs.split(",")
    stack = [i for i in left if i in right and i in result]
    summed_all = [i for i in left if i in right and i not in result]
    owns, others = (set(x) - {*stack, *summed_all} for x in (left, right))
    if (len(summed_all), len(owns), len(others)) != (1, 1, 1):
        return None
    (summed,), (own,), (other,) = summed_all, owns, others
    made = [*stack, own, other]
    return (
        [left.index(i) for i in [*stack, own, summed]],
        [right.index(i) for i in [*stack, other, summed]],
        [made.index(i) for i in result],
    )
