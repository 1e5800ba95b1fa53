"""The kernels in C, with large products divided among threads.

Each number is the sum of the same terms in the same order, however the work is divided.
Results therefore don't depend on the number of threads.
"""

import importlib
import math
from functools import lru_cache
from typing import Any

import numpy as np

from skrnn._engine.cpu.kernels.threads import WORTH_A_THREAD, divide

kernels: Any
try:
    # For a missing file, "from skrnn._engine import" would report a circular import.
    kernels = importlib.import_module("skrnn._engine.cpu.kernels._kernels")
    ARE_COMPILED, WHY_NOT = True, ""
except ImportError as error:  # They couldn't be compiled where skrnn was installed.
    from skrnn._engine.cpu.kernels import reference_kernels as kernels

    ARE_COMPILED, WHY_NOT = False, str(error)

# Packing the right operand isn't worth it for so few rows, or fewer.
_FEW = 8
# The arguments for no second left operand.
NO_OTHER = None, 0, None, None


def project(rows, a, k, b, transposed, n, bias, c):
    """Set c (T, B, n) to [bias +] a (T, B, k) b, and to zeros in the padding.

    Parameters
    ----------
    rows : tuple
        The number of steps, the number of sequences, and how many run at each step.
    transposed : bool
        Whether b is (n, k) instead of (k, n).
    """
    steps, sequences, active = rows
    work = steps * sequences * k * n
    if work < WORTH_A_THREAD:
        kernels.project(steps, sequences, active, a, k, b, transposed, n, bias, c)
        return
    all_run = active[-1] == sequences
    if all_run:
        # Treat all rows as one time step, which can be divided at any row.
        steps, sequences = 1, steps * sequences
    a, c = a.reshape(steps, sequences, k), c.reshape(steps, sequences, n)

    def run(first, last):
        if all_run:
            part = 1, last - first, np.array([last - first], np.int32)
            operands = a[0, first:last], c[0, first:last]
        else:
            part = last - first, sequences, active[first:last]
            operands = a[first:last], c[first:last]
        kernels.project(*part, operands[0], k, b, transposed, n, bias, operands[1])

    divide(run, sequences if all_run else steps, work)


def matmul(x, w):
    """Multiply x (..., k) by w (k, n); a row's result doesn't depend on the others."""
    x, w = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(w, np.float32)
    (k, n), rows = w.shape, math.prod(x.shape[:-1])
    out = np.empty((*x.shape[:-1], n), np.float32)
    project((1, rows, _count(rows)), x, k, w, False, n, None, out)
    return out


@lru_cache(maxsize=1024)
def _count(rows):
    """Return the kernels' `active` for `rows` rows in one time step."""
    return np.array([rows], np.int32)


def matmul_rule(x, w):
    """Return the product, and functions for its operands' gradients."""
    x, w = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(w, np.float32)
    (k, n), rows = w.shape, math.prod(x.shape[:-1])
    layout = 1, rows, _count(rows)

    def dx(g):
        out = np.empty_like(x)
        project(layout, np.ascontiguousarray(g), n, w, True, k, None, out)
        return out

    def dw(g):
        # Without rows, `outer` writes nothing.
        out = np.empty_like(w) if rows else np.zeros_like(w)
        outer(layout, np.ascontiguousarray(g), n, 0, None, x, k, out, NO_OTHER)
        return out

    return matmul(x, w), (dx, dw)


def multiply(a, b, bias=None):
    """Return [bias +] a (m, k) b (k, n), on one thread, for one time step of a network.

    NumPy's products would wait longer for threads than they compute.
    """
    (m, k), n = a.shape, b.shape[1]
    out = np.empty((m, n), np.float32)
    if m <= _FEW:
        kernels.narrow(m, k, a, b, n, bias, out)
    else:
        kernels.project(1, m, np.array([m], np.int32), a, k, b, 0, n, bias, out)
    return out


def outer(rows, b, columns, at, total, left, m, out, other=NO_OTHER):
    """Set columns of `out` to the sum of outer products of the rows of `left` and b.

    Parameters
    ----------
    rows : tuple
        As in `project`.
    b : ndarray of shape (T, B, ldb)
    columns : int
        The first `columns` columns of b are used.
    at : int
        The first column of `out` and `total` to set.
    total : ndarray or None
        Its columns are set to the sums of b's rows.
    left, out : ndarrays of shape (T, B, m) and (m, ldout)
    other : tuple
        A second left operand, its m, its mask (B, m), and its output. If the operand is
        None, the mask is for `left`.
    """
    steps, sequences, _ = rows
    ldb, to = b.shape[-1], (out.shape[-1], total, left, m, out, *other)

    def run(first, last):
        kernels.outer(*rows, b, ldb, first, last - first, at + first, *to)

    divide(run, columns, work=steps * sequences * columns * (m + other[1]))


def scatter(ids, rows, table):
    """Add rows (..., *n) to the rows of the table (V, *n) with the `ids` (...)."""
    width = math.prod(table.shape[1:])

    def run(first, last):
        kernels.scatter(ids, rows, ids.size, width, first, last, table)

    # Each addition waits for memory, so it counts as 8 multiplications.
    divide(run, width, work=8 * rows.size)


def rows_rule(table, ids):
    """Return the rows of `table` (V, *n) at `ids` (...), and its gradient function."""
    # A single one of several channels isn't contiguous.
    ids = np.ascontiguousarray(ids)

    def pull(g):
        # C order, which `table` may not have.
        whole = np.zeros(table.shape, table.dtype)
        scatter(ids, np.ascontiguousarray(g), whole)
        return (whole,)

    return table[ids], pull


def crossentropy(z, targets, losses, scale):
    """Set losses (n,) of outputs z (n, K), and replace z by its gradient times `scale`.

    A target of -1 has no loss.
    """

    def run(first, last):
        kernels.crossentropy(z, targets, losses, first, last, z.shape[1], scale)

    divide(run, len(z), work=32 * z.size)
