r"""A linear-chain conditional random field: labels of a sequence that hang together.

The score of a sequence of labels :math:`y` for emissions :math:`x` (T, K) is

.. math::

    s(x, y) = b_{y_1} + \sum_{t=1}^{T} x_{t, y_t}
        + \sum_{t=2}^{T} A_{y_{t-1}, y_t} + e_{y_T}

with the transitions A, the start b and the end e, which are the arrays of
``weights_["crf"]``. Each function reads one sequence.
"""

import numpy as np

from skrnn._data.typing import Array, ArrayLike


def crf_log_likelihood(
    emissions: ArrayLike,
    labels: ArrayLike,
    transitions: ArrayLike,
    start: ArrayLike,
    end: ArrayLike,
) -> float:
    r"""Return the log-likelihood of labels, by the forward algorithm.

    .. math::

        \begin{aligned}
        \alpha_{1, j} &= b_j + x_{1, j} \\
        \alpha_{t, j} &= x_{t, j} + \log \textstyle\sum_i
            \exp(\alpha_{t-1, i} + A_{ij}) \\
        \log p(y \mid x) &= s(x, y) - \log \textstyle\sum_j \exp(\alpha_{T, j} + e_j)
        \end{aligned}

    Parameters
    ----------
    emissions : array-like of shape (T, K)
        What the network says of each label at each step.
    labels : array-like of int of shape (T,)
        Places among the K labels.
    transitions : array-like of shape (K, K)
        Score of label j behind label i at [i, j].
    start, end : array-like of shape (K,)
        Scores of the first and of the last label.

    Returns
    -------
    log_likelihood : float

    See Also
    --------
    crf_marginals : The probability of each label.
    crf_best_labels : The likeliest sequence.

    References
    ----------
    Lafferty, J., McCallum, A., Pereira, F. (2001). Conditional random fields. ICML.

    Examples
    --------
    >>> from skrnn import reference
    >>> chain = {"transitions": [[0, 0], [0, 0]], "start": [0, 0], "end": [0, 0]}
    >>> round(reference.crf_log_likelihood([[0, 0], [0, 0]], [0, 1], **chain), 3)
    -1.386
    """
    x, y = np.asarray(emissions, float), np.asarray(labels)
    pairs, first, last = _read(transitions, start, end)
    score = first[y[0]] + x[np.arange(len(x)), y].sum() + last[y[-1]]
    score += pairs[y[:-1], y[1:]].sum()
    sums = _forward(x, pairs, first)
    return float(score - np.logaddexp.reduce(sums[-1] + last))


def crf_marginals(
    emissions: ArrayLike, transitions: ArrayLike, start: ArrayLike, end: ArrayLike
) -> Array:
    r"""Return the probability of each label at each step: forward-backward.

    .. math::

        \begin{aligned}
        \beta_{T, i} &= e_i \\
        \beta_{t, i} &= \log \textstyle\sum_j
            \exp(A_{ij} + x_{t+1, j} + \beta_{t+1, j}) \\
        p(y_t = j \mid x) &= \mathrm{softmax}(\alpha_t + \beta_t)_j
        \end{aligned}

    Parameters
    ----------
    emissions : array-like of shape (T, K)
        What the network says of each label at each step.
    transitions : array-like of shape (K, K)
        Score of label j behind label i at [i, j].
    start, end : array-like of shape (K,)
        Scores of the first and of the last label.

    Returns
    -------
    probabilities : ndarray of shape (T, K)

    See Also
    --------
    crf_log_likelihood : What is learned.
    crf_best_labels : The likeliest sequence.

    References
    ----------
    Lafferty, J., McCallum, A., Pereira, F. (2001). Conditional random fields. ICML.

    Examples
    --------
    >>> from skrnn import reference
    >>> stay = {"transitions": [[2, 0], [0, 2]], "start": [1, 0], "end": [0, 0]}
    >>> reference.crf_marginals([[0, 0], [0, 0]], **stay).round(2)
    array([[0.73, 0.27],
           [0.68, 0.32]])
    """
    x = np.asarray(emissions, float)
    pairs, first, last = _read(transitions, start, end)
    until, since = _forward(x, pairs, first), np.empty_like(x)
    since[-1] = last
    for t in reversed(range(len(x) - 1)):
        after = pairs + x[t + 1] + since[t + 1]
        since[t] = np.logaddexp.reduce(after, axis=1)
    logs = until + since
    return np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))


def crf_best_labels(
    emissions: ArrayLike, transitions: ArrayLike, start: ArrayLike, end: ArrayLike
) -> Array:
    r"""Return the likeliest sequence of labels, by Viterbi's algorithm.

    .. math::

        \begin{aligned}
        \delta_{1, j} &= b_j + x_{1, j} \\
        \delta_{t, j} &= x_{t, j} + \max_i (\delta_{t-1, i} + A_{ij}) \\
        y_T &= \mathrm{argmax}_j (\delta_{T, j} + e_j) \\
        y_{t-1} &= \mathrm{argmax}_i (\delta_{t-1, i} + A_{i, y_t})
        \end{aligned}

    Parameters
    ----------
    emissions : array-like of shape (T, K)
        What the network says of each label at each step.
    transitions : array-like of shape (K, K)
        Score of label j behind label i at [i, j].
    start, end : array-like of shape (K,)
        Scores of the first and of the last label.

    Returns
    -------
    labels : ndarray of int of shape (T,)

    See Also
    --------
    crf_marginals : The probability of each label.
    crf_log_likelihood : What is learned.

    References
    ----------
    Viterbi, A. (1967). Error bounds for convolutional codes and an asymptotically
    optimum decoding algorithm. IEEE Transactions on Information Theory, 13(2).

    Examples
    --------
    >>> from skrnn import reference
    >>> stay = {"transitions": [[2, 0], [0, 2]], "start": [0, 0], "end": [0, 0]}
    >>> reference.crf_best_labels([[0, 1], [1, 0], [0, 1]], **stay)
    array([1, 1, 1])
    """
    x = np.asarray(emissions, float)
    pairs, first, last = _read(transitions, start, end)
    best, before = first + x[0], []
    for emission in x[1:]:
        scores = best[:, None] + pairs
        before.append(scores.argmax(axis=0))
        best = scores.max(axis=0) + emission
    labels = [int(np.argmax(best + last))]
    for places in reversed(before):
        labels.append(int(places[labels[-1]]))
    return np.array(labels[::-1])


def _forward(x, transitions, start):
    """Return the log of the sum over all labels up to each step, for each label."""
    sums = [start + x[0]]
    for emission in x[1:]:
        paths = sums[-1][:, None] + transitions
        sums.append(emission + np.logaddexp.reduce(paths, axis=0))
    return np.array(sums)


def _read(*arrays):
    return [np.asarray(each, float) for each in arrays]
