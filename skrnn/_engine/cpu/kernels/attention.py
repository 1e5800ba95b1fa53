"""Self-attention of the steps of each sequence, all heads at once, in float32."""

import numpy as np

from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import divide


def attend_rule(q, k, v, *, lengths, causal):
    """Return what each head finds, and what gives the gradients.

    Parameters
    ----------
    q, k, v : ndarray of shape (T, B, heads, d)
    lengths : ndarray of shape (B,)
        Steps behind them are neither read nor written, but for zeros.
    causal : bool
    """
    q, k, v = (np.ascontiguousarray(x, np.float32) for x in (q, k, v))
    (steps, n, heads, d), out = q.shape, np.empty_like(q)
    shares = np.empty((n, heads, steps, steps), np.float32)
    known = steps, n, heads, d, int(causal), np.ascontiguousarray(lengths, np.int32)
    # An exponential takes as long as some ten multiplications.
    work = n * heads * steps * steps * (2 * d + 10)

    def run(first, last):
        kernels.attend(*known, first, last, q, k, v, out, shares)

    divide(run, n * heads, work)

    def pull(g):
        g = np.ascontiguousarray(g, np.float32)
        found = tuple(np.empty_like(q) for _ in range(3))

        def run(first, last):
            kernels.attend_back(*known, first, last, q, k, v, g, shares, *found)

        divide(run, n * heads, 2 * work)
        return found

    return out, pull

