"""Scores of predictions, over the targets whose weight isn't 0."""

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_consistent_length

from skrnn._data.targets.reading import counted, read_steps, read_targets
from skrnn._data.targets.weights import read_weights


def beside_truth(estimator, X, y, predicted, sample_weight):
    """Return truth, prediction and weight of all targets whose weight isn't 0.

    Parameters
    ----------
    estimator : estimator
        A recurrent one.
    X : Sequences
    y : array-like or list of array-likes
        True targets.
    predicted : ndarray of shape (n, ...) or (n_real_steps, ...)
    sample_weight : array-like of shape (n,) or (n, T), list of (T_i,), or None

    Returns
    -------
    truth, predicted, weights : ndarray
        Without `sample_weight` the weights are None.
    """
    read = read_steps if estimator.return_sequences else read_targets
    truth = read(estimator, X, y)
    if hasattr(sample_weight, "__len__") and not estimator.return_sequences:
        check_consistent_length(truth, sample_weight)
    weights = read_weights(estimator, X, sample_weight)
    truth, predicted = counted(truth, weights), counted(predicted, weights)
    if not len(predicted):
        raise ValueError("Every sequence of X is padding alone: nothing is left.")
    weights = None if sample_weight is None else weights[weights > 0]
    return truth, predicted, weights


def mean_r2(truth, predicted, weights=None):
    """Return R2 of each target, averaged over targets.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n,) or (n, ...)
        All axes but the first are targets.
    weights : ndarray of shape (n,) or of the shape of `truth`, or None
        Zeros leave out values of single targets. A target with fewer than two values
        left has no R2 and isn't averaged over, unless no target has.

    Returns
    -------
    score : float
    """
    truth, predicted = _of_like_size(truth, predicted)
    if weights is None or weights.ndim == 1:
        return float(r2_score(truth, predicted, sample_weight=weights))
    weights = weights.reshape(truth.shape)
    columns = np.flatnonzero((weights > 0).sum(axis=0) > 1)
    if not len(columns):
        # scikit-learn warns and returns NaN.
        return float(r2_score(np.zeros(1), np.zeros(1)))
    columns_of = truth.T[columns], predicted.T[columns], weights.T[columns]
    return float(np.mean([_r2_of_one(*each) for each in zip(*columns_of, strict=True)]))


def _of_like_size(truth, predicted):
    """Return both (n, K), each target divided by a power of two.

    This rounds nothing, and keeps squares of very large or small numbers in range.
    """
    both = [a.reshape(len(a), -1).astype(np.float64) for a in (truth, predicted)]
    # Values of weight 0 may be NaN.
    largest = np.fmax(*(np.fmax.reduce(np.abs(a), axis=0, initial=0.0) for a in both))
    _, exponent = np.frexp(np.where(np.isfinite(largest), largest, 1.0))
    return [np.ldexp(a, -exponent) for a in both]


def _r2_of_one(truth, predicted, weights):
    there = weights > 0
    return r2_score(truth[there], predicted[there], sample_weight=weights[there])
