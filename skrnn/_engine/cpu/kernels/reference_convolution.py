"""The kernels of convolutions in NumPy, which compute the same as those in C."""

import numpy as np


def _reads(steps, size, dilation, before, lengths):
    """Yield each step of a window, the input steps it reads, and where these exist."""
    for i in range(size):
        read = np.arange(steps)[:, None] - before + i * dilation
        yield i, np.clip(read, 0, steps - 1), (read >= 0) & (read < lengths)


def _windows(steps, n, width, size, dilation, before, lengths, x):
    x, found = x.reshape(steps, n, width), np.zeros((steps, n, size, width), np.float32)
    for i, at, is_there in _reads(steps, size, dilation, before, lengths):
        found[:, :, i] = np.where(is_there[..., None], x[at, np.arange(n)], 0)
    # Windows in the padding are zeros.
    found[np.arange(steps)[:, None] >= lengths] = 0
    return found.reshape(steps, n, size * width)


def convolve(
    steps, n, width, size, filters, dilation, before, lengths, first, last, x, kernel,
    bias, out,
):  # fmt: skip
    """Set sequences of `out` to the convolution, and to zeros in the padding."""
    read = _windows(steps, n, width, size, dilation, before, lengths, x)
    y = read @ kernel.reshape(size * width, filters) + (0 if bias is None else bias)
    y[np.arange(steps)[:, None] >= lengths] = 0
    out.reshape(steps, n, filters)[:, first:last] = y[:, first:last]


def convolve_back(
    steps, n, width, size, filters, dilation, before, lengths, first, last, x, g,
    d_kernel, d_bias,
):  # fmt: skip
    """Set the gradients of the kernel and the bias for filters `first` to `last`."""
    read = _windows(steps, n, width, size, dilation, before, lengths, x)
    is_real = np.arange(steps)[:, None] < lengths
    g = np.where(is_real[..., None], g.reshape(steps, n, filters), 0)[..., first:last]
    found = np.einsum("tbk,tbc->kc", read, g)
    d_kernel.reshape(size * width, filters)[:, first:last] = found
    d_bias[first:last] = g.sum(axis=(0, 1))


def statistics(steps, n, width, first, last, real, n_real, x, mean, variance):
    """Set means and variances of channels `first` to `last` over the real steps."""
    x, at = x.reshape(steps, n, width), slice(first, last)
    counts = _real(real, steps, n)[..., None]
    found = np.where(counts, x, 0).sum(axis=(0, 1)) / max(n_real, 1)
    mean[at] = found[at]
    squares = np.where(counts, (x - found) ** 2, 0).sum(axis=(0, 1)) / max(n_real, 1)
    variance[at] = squares[at]


def rectify(steps, n, width, pool, first, last, real, x, mean, factor, beta, y):
    """Set y to the maximum over each `pool` real steps, at least zero."""
    given = steps, n, width, pool, real, x, mean, factor, beta
    y = y.reshape(-1, n, width)
    y[..., first:last] = np.maximum(_pools(*given).max(axis=1), 0)[..., first:last]


def rectify_back(
    steps, n, width, pool, first, last, real, x, mean, factor, beta, inverse, n_real, g,
    dx, d_gamma, d_beta,
):  # fmt: skip
    """Set the gradients of channels `first` to `last`; mean and variance are x's."""
    pools = _pools(steps, n, width, pool, real, x, mean, factor, beta)
    best, at = pools.argmax(axis=1)[:, None], slice(first, last)
    of_each, g = np.zeros_like(pools), g.reshape(-1, 1, n, width)
    above = np.take_along_axis(pools, best, axis=1) > 0
    np.put_along_axis(of_each, best, np.where(above, g, 0), axis=1)
    given = of_each.reshape(-1, n, width)[:steps]
    own = (x.reshape(steps, n, width) - mean) * inverse
    to_gamma, to_beta = (given * own).sum(axis=(0, 1)), given.sum(axis=(0, 1))
    found = (given - (to_beta + own * to_gamma) / max(n_real, 1)) * factor
    found = np.where(_real(real, steps, n)[..., None], found, 0)
    d_gamma[at], d_beta[at] = to_gamma[at], to_beta[at]
    dx.reshape(steps, n, width)[..., at] = found[..., at]


def _pools(steps, n, width, pool, real, x, mean, factor, beta):
    """Return x normalised, (pooled steps, pool, B, C); the padding is -inf."""
    y = (x.reshape(steps, n, width) - mean) * factor + beta
    whole = np.full((-(-steps // pool) * pool, n, width), -np.inf, np.float32)
    whole[:steps] = np.where(_real(real, steps, n)[..., None], y, -np.inf)
    return whole.reshape(-1, pool, n, width)


def _real(real, steps, n):
    return np.ones((steps, n), bool) if real is None else real.reshape(steps, n)
