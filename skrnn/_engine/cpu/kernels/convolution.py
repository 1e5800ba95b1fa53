"""What convolutions need beside products, with gradients: in few passes over arrays."""

import numpy as np


def windows_rule(x, size, dilation):
    """Return what a convolution reads at each step, and its gradient's rule.

    x (T, B, F) gives (T, B, size * F), zeros standing outside of the sequence.
    """
    n_steps, n_sequences, width = x.shape
    before = (size - 1) * dilation // 2
    out = np.zeros((n_steps, n_sequences, size, width), x.dtype)
    places = []
    for i in range(size):
        to = i * dilation - before
        first, last = max(0, -to), min(n_steps, n_steps - to)
        if first < last:
            places.append((i, slice(first, last), slice(first + to, last + to)))
    for i, at, read in places:
        out[at, :, i] = x[read]

    def pull(g):
        g, dx = g.reshape(out.shape), np.zeros_like(x)
        for i, at, read in places:
            dx[read] += g[at, :, i]
        return (dx,)

    return out.reshape(n_steps, n_sequences, size * width), pull


def normalise_batch_rule(x, gamma, beta, *, real, epsilon, found):
    """Normalise x (T, B, C) over its real steps and rectify it; zeros stand elsewhere.

    `found` gets the means and the variances (C,). `real` (T, B, 1) is None where no
    step is padding.
    """
    n_real = x.shape[0] * x.shape[1] if real is None else int(real.sum())
    n = np.float32(max(n_real, 1))
    mean = _sum(x if real is None else np.where(real, x, np.float32(0))) / n
    centred = x - mean
    if real is not None:
        centred *= real
    variance = _sum_of_products(centred, centred) / n
    found.extend((mean, variance))
    scale = 1 / np.sqrt(variance + np.float32(epsilon))
    y = centred * (scale * gamma)
    y += beta
    np.maximum(y, 0, out=y)
    if real is not None:
        y *= real

    def pull(g):
        g = g * (y > 0)
        d_beta, d_gamma = _sum(g), _sum_of_products(g, centred) * scale
        dx = centred * (-scale * d_gamma / n)
        dx -= d_beta / n
        dx += g
        dx *= scale * gamma
        if real is not None:
            dx *= real
        return dx, d_gamma, d_beta

    return y, pull


def _sum(x):
    """Sum x (T, B, C) over all but its last axis, each step by itself first."""
    return x.sum(axis=1).sum(axis=0)


def _sum_of_products(x, y):
    return np.einsum("tbc,tbc->tc", x, y).sum(axis=0)
