"""The kernels of chains in NumPy. The kernels in C must give the same results."""

import numpy as np
from scipy.special import logsumexp


def chain(
    n_steps, n, _k, n_groups, first, last, x, lengths, transitions, start, end,
    labels, weights, sums, dx, pairs,
):  # fmt: skip
    """Do forward-backward for the groups `first` to `last` of sequences.

    Sequence b is in group b modulo `n_groups`. Without labels, `sums` gets the logs of
    the sums over all paths, and `dx` the labels' probabilities. With labels, `sums`
    gets losses times weights, and `dx` and `pairs` get the gradients.
    """
    group = np.arange(n) % n_groups
    rows = np.flatnonzero((group >= first) & (group < last))
    x, lengths = x[:, rows], lengths[rows]
    scores = transitions, start, end
    total, shares, counts = _forward_backward(x, lengths, *scores)
    if labels is None:
        sums[rows], dx[:, rows] = total, shares
        return
    own, w = labels[:, rows, None], weights[rows]
    allowed = (own < 0) | (own == np.arange(x.shape[-1]))
    known = np.where(allowed, x, -1e30)
    known_total, known_shares, known_counts = _forward_backward(known, lengths, *scores)
    sums[rows] = w * (total - known_total)
    dx[:, rows] = w[:, None] * (shares - known_shares)
    counts = w[:, None, None] * (counts - known_counts)
    np.add.at(pairs, rows % n_groups, counts)


def _forward_backward(x, lengths, transitions, start, end):
    """Return logs of sums (B,), probabilities (T, B, K), expected pairs (B, K, K)."""
    n_steps, n, k = x.shape
    until, since = np.empty(x.shape), np.zeros(x.shape)
    until[0] = start + x[0]
    for t in range(1, n_steps):
        before = until[t - 1][:, :, None] + transitions
        until[t] = logsumexp(before, axis=1) + x[t]
    for t in reversed(range(n_steps)):
        if t + 1 < n_steps:
            after = transitions + (x[t + 1] + since[t + 1])[:, None]
            since[t] = logsumexp(after, axis=2)
        since[t] = np.where((t == lengths - 1)[:, None], end, since[t])
    totals = logsumexp(until[lengths - 1, np.arange(n)] + end, axis=1)
    real = np.arange(n_steps)[:, None] < lengths
    logs = np.where(real[..., None], until + since - totals[:, None], -np.inf)
    counts = np.zeros((n, k, k))
    for t in range(1, n_steps):
        pairs = until[t - 1][:, :, None] + transitions
        pairs = pairs + (x[t] + since[t] - totals[:, None])[:, None]
        counts += np.where(real[t][:, None, None], np.exp(np.minimum(pairs, 0)), 0)
    return totals, np.exp(logs), counts


def viterbi(n_steps, _n, _k, first, last, x, lengths, transitions, start, end, paths):
    """Set the best paths of the sequences from `first` to `last`."""
    x, lengths = x[:, first:last], lengths[first:last]
    best, back = start + x[0], np.zeros(x.shape, np.int32)
    # In the padding, a sequence keeps its last label.
    best = np.where((lengths == 1)[:, None], best + end, best)
    for t in range(1, n_steps):
        scores = best[:, :, None] + transitions
        going_on = (t < lengths)[:, None]
        after = scores.max(axis=1) + x[t]
        after = np.where((t == lengths - 1)[:, None], after + end, after)
        back[t] = np.where(going_on, scores.argmax(axis=1), np.arange(x.shape[2]))
        best = np.where(going_on, after, best)
    at, rows = best.argmax(axis=1), np.arange(len(lengths))
    for t in reversed(range(n_steps)):
        paths[t, first:last] = np.where(t < lengths, at, 0)
        at = back[t, rows, at]
