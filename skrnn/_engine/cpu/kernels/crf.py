"""Conditional random fields: likelihood with gradient, marginals, best paths.

Each sequence is computed by itself in double precision. Results therefore don't depend
on other sequences or on the number of threads.
"""

import numpy as np

from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import divide

# Number of partial sums of gradients. It doesn't depend on the number of threads.
_GROUPS = 32
# Approximate cost of an exponential and its gradient, in multiplications.
_WORK = 6


def likelihood(x, labels, lengths, chain, weights):
    """Return the losses of sequences and their gradients.

    Parameters
    ----------
    x : ndarray of shape (T, B, K)
        Emissions.
    labels : ndarray of int of shape (T, B)
        -1 where the label is unknown.
    lengths : ndarray of shape (B,)
    chain : Chain
    weights : ndarray of shape (B,)
        The weight of each sequence's loss.

    Returns
    -------
    losses : ndarray of shape (B,)
        Negative log-likelihoods times `weights`.
    dx : ndarray of shape (T, B, K)
        Zero in the padding.
    d_chain : tuple of ndarray
        The gradients of the transitions, the start scores and the end scores.
    """
    x, labels = np.asarray(x, np.float64), np.ascontiguousarray(labels, np.int32)
    weights = np.ascontiguousarray(weights, np.float64)
    sums, dx, pairs = _sum_of_paths(x, labels, lengths, chain, weights)
    last = dx[lengths - 1, np.arange(len(lengths))].sum(axis=0)
    return sums, dx, (pairs.sum(axis=0), dx[0].sum(axis=0), last)


def marginals(x, lengths, chain):
    """Return the probability of each label at each step, (T, B, K); 0 in padding."""
    weights = np.ones(len(lengths))
    return _sum_of_paths(np.asarray(x, np.float64), None, lengths, chain, weights)[1]


def best_paths(x, lengths, chain):
    """Return the likeliest labels of each sequence, (T, B) (Viterbi, 1967)."""
    (n_steps, n, k), arrays = x.shape, _in_double(x, lengths, chain)
    paths = np.zeros((n_steps, n), np.int32)

    def run(first, last):
        kernels.viterbi(n_steps, n, k, first, last, *arrays, paths)

    divide(run, n, work=x.size * k)
    return paths


def _sum_of_paths(x, labels, lengths, chain, weights):
    (n_steps, n, k), arrays = x.shape, _in_double(x, lengths, chain)
    n_groups = min(n, _GROUPS)
    sums, dx = np.zeros(n), np.zeros(x.shape)
    pairs = np.zeros((n_groups if labels is not None else 0, k, k))

    def run(first, last):
        given = n_groups, first, last, *arrays, labels, weights, sums, dx, pairs
        kernels.chain(n_steps, n, k, *given)

    divide(run, n_groups, work=_WORK * x.size * k)
    return sums, dx, pairs


def _in_double(x, lengths, chain):
    chain = chain.excluding(np)
    arrays = x, chain.transitions, chain.start, chain.end
    x, *scores = (np.ascontiguousarray(array, np.float64) for array in arrays)
    return x, np.ascontiguousarray(lengths, np.int64), *scores
