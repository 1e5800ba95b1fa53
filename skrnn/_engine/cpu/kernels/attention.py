"""Self-attention of the steps of each sequence, and layer normalisation, in float32."""

import numpy as np

from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.layers.normalization import EPSILON


def attend_rule(q, k, v, *, lengths, causal, space):
    """Return what each head finds, and what gives the gradients.

    Parameters
    ----------
    q, k, v : ndarray of shape (T, B, heads, d)
    lengths : ndarray of shape (B,)
        Steps behind them are neither read nor written, but for zeros.
    causal : bool
    space : Workspace
    """
    q, k, v = (np.ascontiguousarray(x, np.float32) for x in (q, k, v))
    (steps, n, heads, d), out = q.shape, space.empty(*q.shape)
    shares = space.empty(n, heads, steps, steps)
    known = steps, n, heads, d, int(causal), np.ascontiguousarray(lengths, np.int32)
    # An exponential takes as long as some ten multiplications.
    work = n * heads * steps * steps * (2 * d + 10)

    def run(first, last):
        kernels.attend(*known, first, last, q, k, v, out, shares)

    divide(run, n * heads, work)

    def pull(g):
        g = np.ascontiguousarray(g, np.float32)
        found = tuple(space.empty(*q.shape) for _ in range(3))

        def run(first, last):
            kernels.attend_back(*known, first, last, q, k, v, g, shares, *found)

        divide(run, n * heads, 2 * work)
        return found

    return out, pull


def normalise_rule(x, gamma, beta, *, space):
    """Return x normalised over its last axis, and what gives the gradients."""
    x, n = np.ascontiguousarray(x, np.float32), x.shape[-1]
    known, y = (x.size // n, n, x), space.empty(*x.shape)
    found = space.empty(x.size // n, 2)
    kernels.normalise(*known, gamma, beta, EPSILON, y, found)

    def pull(g):
        dx, d_gamma, d_beta = (
            space.empty(*x.shape),
            np.empty_like(gamma),
            np.empty_like(beta),
        )
        g = np.ascontiguousarray(g, np.float32)
        kernels.normalise_back(*known, g, gamma, found, dx, d_gamma, d_beta)
        return dx, d_gamma, d_beta

    return y, pull
