"""Convolutions over time, normalisation, ReLU and pooling, with gradients."""

import numpy as np

from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import divide
from skrnn._networks.layers.convolution import steps_before

# Approximate cost of reading and writing a number, in multiplications.
_WORK = 20


def convolve_rule(x, kernel, bias, *, lengths, dilation, causal, space):
    """Return a convolution of x with a kernel, and functions for its gradients.

    Parameters
    ----------
    x : ndarray of shape (T, B, F)
    kernel : ndarray of shape (size, F, C)
        The steps of a window are `dilation` time steps apart. Outside of the sequence
        they are zeros.
    causal : bool
        Whether a window ends at its time step, instead of being around it.
    bias : ndarray of shape (C,)
    lengths : ndarray of shape (B,)
        Later steps count as zeros, and become zeros.
    space : Workspace

    Returns
    -------
    ndarray of shape (T, B, C)
    """
    x, kernel = (np.ascontiguousarray(each, np.float32) for each in (x, kernel))
    size, _, filters = kernel.shape
    reach = (size - 1) * dilation
    before = steps_before(size, dilation, causal)
    lengths = np.ascontiguousarray(lengths, np.int32)
    known = x, kernel.shape, dilation, before, lengths
    work, found = x.shape[0] * x.shape[1] * kernel.size, []

    def dx(g):
        # Each step is in the windows of the steps around it, so its gradient is a
        # convolution of g with the reversed kernel.
        turned = np.ascontiguousarray(kernel[::-1].transpose(0, 2, 1))
        given = g, turned.shape, dilation, reach - before, lengths
        return _convolve(given, turned, None, space)

    def d_kernel(g):
        at, sums = np.empty_like(kernel), np.empty_like(bias)
        g = np.ascontiguousarray(g, np.float32)

        def run(first, last):
            kernels.convolve_back(*_sizes(*known), first, last, x, g, at, sums)

        divide(run, filters, work)
        found.append(sums)
        return at

    # `d_kernel` is called before the last function and computes its result too.
    return _convolve(known, kernel, bias, space), (dx, d_kernel, lambda g: found.pop())


def _convolve(known, kernel, bias, space):
    x, shape, *others = known
    x, (steps, sequences) = np.ascontiguousarray(x, np.float32), x.shape[:2]
    out, sizes = space.empty(steps, sequences, shape[-1]), _sizes(x, shape, *others)

    def run(first, last):
        kernels.convolve(*sizes, first, last, x, kernel, bias, out)

    divide(run, sequences, steps * sequences * kernel.size)
    return out


def _sizes(x, shape, dilation, before, lengths):
    size, width, filters = shape
    return *x.shape[:2], width, size, filters, dilation, before, lengths


def rectify(x, gamma, beta, mean, variance, *, real, epsilon, pool, space):
    """Normalise x (T, B, C), apply ReLU, and return the maximum of each `pool` steps.

    `real` (T, B) is False in the padding. It is None if there is no padding.
    """
    return _rectify(
        _Given(x, real, pool, space), _factors(gamma, variance, epsilon), mean, beta
    )


def rectify_rule(x, gamma, beta, *, real, epsilon, pool, found, space):
    """Do the same as `rectify`, with the mean and variance of the real steps of x.

    `found` gets the means and the variances (C,). The second result is a function that
    returns the gradients.
    """
    given = _Given(x, real, pool, space)
    mean, variance = np.empty_like(gamma), np.empty_like(gamma)

    def run(first, last):
        kernels.statistics(
            *given.shape, first, last, given.real, given.n_real, given.x, mean, variance
        )

    given.divide(run)
    found.extend((mean, variance))
    factors = _factors(gamma, variance, epsilon)

    def pull(g):
        g, dx = np.ascontiguousarray(g, np.float32), space.empty(*given.shape)
        d_gamma, d_beta = np.empty_like(gamma), np.empty_like(beta)
        own = mean, factors[1], beta, factors[0], given.n_real, g, dx, d_gamma, d_beta
        given.divide(lambda *range_: kernels.rectify_back(*given.of(*range_), *own))
        return dx, d_gamma, d_beta

    return _rectify(given, factors, mean, beta), pull


class _Given:
    """The arguments that all kernels of `rectify` share."""

    def __init__(self, x, real, pool, space):
        self.x, self.shape = np.ascontiguousarray(x, np.float32), x.shape
        self.pool, self.space = pool, space
        self.real = None if real is None else np.ascontiguousarray(real)
        self.n_real = x.shape[0] * x.shape[1] if real is None else int(real.sum())

    def of(self, first, last):
        return *self.shape, self.pool, first, last, self.real, self.x

    def divide(self, run):
        divide(run, self.shape[-1], _WORK * self.x.size)


def _factors(gamma, variance, epsilon):
    inverse = 1 / np.sqrt(variance + np.float32(epsilon))
    return inverse, inverse * gamma


def _rectify(given, factors, mean, beta):
    steps, sequences, channels = given.shape
    y = given.space.empty(-(-steps // given.pool), sequences, channels)
    own = mean, factors[1], beta, y
    given.divide(lambda *range_: kernels.rectify(*given.of(*range_), *own))
    return y
