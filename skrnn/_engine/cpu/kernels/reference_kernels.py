"""The kernels in NumPy, for systems where those in C couldn't be compiled.

Each function has the name and the arguments of a kernel. It is slower and doesn't check
its arguments. `layer` isn't here: `skrnn._engine.cpu.reference` runs it step by step.
"""

import numpy as np

from skrnn._engine.cpu.kernels.reference_chain import chain, viterbi
from skrnn._engine.cpu.kernels.reference_convolution import (
    convolve,
    convolve_back,
    rectify,
    rectify_back,
    statistics,
)

__all__ = [
    "adam",
    "chain",
    "clip",
    "convolve",
    "convolve_back",
    "crossentropy",
    "narrow",
    "outer",
    "project",
    "rectify",
    "rectify_back",
    "scatter",
    "statistics",
    "viterbi",
]


def project(_steps, _sequences, active, a, k, b, transposed, n, bias, c):
    """Set c = [bias +] a b for the active rows, zeros for the others."""
    right = b.reshape(n, k).T if transposed else b.reshape(k, n)
    c = c.reshape(-1, n)
    np.matmul(a.reshape(-1, k), right, out=c)
    if bias is not None:
        c += bias
    c[~_are_active(active, len(c) // len(active))] = 0


def outer(
    _steps, sequences, active, b, ldb, first, n, column, ldout, total,
    a, m, out, other, other_m, mask, other_out,
):  # fmt: skip
    """Set columns of both outputs to sums of outer products of the active rows.

    The mask is for the second left operand, or for the first one without a second.
    """
    rows = _are_active(active, sequences)
    right = b.reshape(-1, ldb)[rows, first : first + n]
    if total is not None:
        total.reshape(-1)[column : column + n] = right.sum(axis=0)
    lefts = [(a, m, out, mask if other is None else None)]
    if other is not None:
        lefts.append((other, other_m, other_out, mask))
    for left, width, to, factor in lefts:
        left = left.reshape(-1, width)
        if factor is not None:
            left = left * np.tile(factor, (len(active), 1))
        to.reshape(-1, ldout)[:, column : column + n] = left[rows].T @ right


def stacked(stack, m, k, a, b, n, c):
    """Set each c of a stack to a (m, k) times the transpose of b (n, k)."""
    left, right = a.reshape(stack, m, k), b.reshape(stack, n, k).transpose(0, 2, 1)
    np.matmul(left, right, out=c.reshape(stack, m, n))


def narrow(_m, k, a, b, n, bias, c):
    """Set c = [bias +] a b."""
    np.matmul(a.reshape(-1, k), b.reshape(k, n), out=c.reshape(-1, n))
    if bias is not None:
        c += bias


def clip(x, ends, limit):
    """Clip the norm of each part of x; return whether all norms are finite."""
    finite = True
    for part in np.split(x, ends[:-1]):
        norm = np.sqrt(np.square(part, dtype=np.float64).sum())
        finite = finite and bool(np.isfinite(norm))
        if norm > limit:
            part *= np.float32(limit / norm)
    return finite


def adam(w, g, m, v, rate, keep_1, keep_2, epsilon):
    """Update the weights w and both moments, m and v."""
    m += (g - m) * np.float32(1 - keep_1)
    v += (g * g - v) * np.float32(1 - keep_2)
    w -= np.float32(rate) * m / (np.sqrt(v) + np.float32(epsilon))


def scatter(ids, rows, n, width, first, last, table):
    """Add columns of `rows` to the same columns of the table's rows at `ids`."""
    rows = rows.reshape(n, width)[:, first:last]
    np.add.at(table.reshape(-1, width)[:, first:last], ids.reshape(n), rows)


def crossentropy(z, targets, losses, first, last, _n, scale):
    """Set the losses of some rows, and z to the gradient; both 0 for a target of -1."""
    z, losses = z[first:last], losses[first:last]
    targets = targets.ravel()[first:last]
    rows = np.flatnonzero(targets >= 0)
    at = rows, targets[rows]
    z -= z.max(axis=1, keepdims=True)
    own = z[at]
    np.exp(z, out=z)
    total = z.sum(axis=1, keepdims=True)
    losses[...] = 0
    losses[rows] = np.log(total[rows, 0]) - own
    z *= np.float32(scale) / total
    z[at] -= np.float32(scale)
    z[targets < 0] = 0


def normalise(rows, n, x, gamma, beta, epsilon, y, found):
    """Set y to normalised rows, `found` to means and inverse standard deviations."""
    x, found[:, 0] = x.reshape(rows, n), x.reshape(rows, n).mean(axis=1)
    found[:, 1] = 1 / np.sqrt(x.var(axis=1) + epsilon)
    own = (x - found[:, :1]) * found[:, 1:]
    y.reshape(rows, n)[...] = own * gamma + beta


def normalise_back(rows, n, x, g, gamma, found, dx, dgamma, dbeta):
    """Set the gradients of x, gamma and beta."""
    g, own = g.reshape(rows, n), (x.reshape(rows, n) - found[:, :1]) * found[:, 1:]
    dgamma[...], dbeta[...] = (g * own).sum(axis=0), g.sum(axis=0)
    g = g * gamma
    mean, product = g.mean(axis=1), (g * own).mean(axis=1)
    g = (g - mean[:, None] - own * product[:, None]) * found[:, 1:]
    dx.reshape(rows, n)[...] = g


def _are_active(active, sequences):
    return (np.arange(sequences) < active[:, None]).ravel()
