"""Scores of predictions, over the targets whose weight isn't 0."""

import numpy as np
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_consistent_length

from skrnn._data.batches import row_blocks, sum_of_blocks
from skrnn._data.finite import assert_all_finite
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


def share_right(truth, predicted, weights=None):
    """Return scikit-learn's accuracy, in blocks where no error is possible."""
    arrays = truth, predicted
    is_plain = all(type(a) is np.ndarray and a.ndim == 1 and len(a) for a in arrays)
    if not is_plain or len(truth) != len(predicted) or not _are_alike(*arrays):
        try:
            return accuracy_score(truth, predicted, sample_weight=weights)
        except (TypeError, ValueError) as error:
            shapes = f"{np.shape(truth)}, and predictions {np.shape(predicted)}"
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(
                f"y has shape {shapes}, which have no accuracy: {error}"
            ) from error
    blocks = ((rows, truth[rows] == predicted[rows]) for rows in row_blocks(len(truth)))
    if weights is None:
        return int(sum(np.count_nonzero(here) for _, here in blocks)) / len(truth)
    right = np.empty(len(truth), bool)
    for rows, here in blocks:
        right[rows] = here
    return float(np.average(right, weights=weights))


def _are_alike(truth, predicted):
    """Whether labels are of types that compare, and are whole numbers or strings."""
    kinds = {truth.dtype.kind, predicted.dtype.kind}
    return kinds <= set("biu") or kinds == {"U"}


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
    truth, predicted = (a.reshape(len(a), -1) for a in (truth, predicted))
    of_rows = weights is None or weights.ndim == 1
    is_large = len(truth) > next(row_blocks(len(truth))).stop
    if of_rows and is_large and truth.shape == predicted.shape:
        return _mean_r2_in_blocks(truth, predicted, weights)
    truth, predicted = _of_like_size(truth, predicted)
    if of_rows:
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
    both = [a.astype(np.float64) for a in (truth, predicted)]
    exponent = _exponent(_largest(*both))
    return [np.ldexp(a, -exponent) for a in both]


def _largest(truth, predicted):
    """Return the largest distance from 0 in each column of both."""
    # Values of weight 0 may be NaN.
    both = truth, predicted
    return np.fmax(*(np.fmax.reduce(np.abs(a), axis=0, initial=0.0) for a in both))


def _exponent(largest):
    return np.frexp(np.where(np.isfinite(largest), largest, 1.0))[1]


def _mean_r2_in_blocks(truth, predicted, weights):
    """Return R2 of each column of (n, K), averaged, with a weight for each row or None.

    Ten million windows leave no room for another array of numbers, so they are read in
    blocks.
    """
    low, high, largest = _ends(truth, predicted)
    exponent = _exponent(largest)

    def scaled(values, rows):
        return np.ldexp(values[rows].astype(np.float64), -exponent)

    def total(function):
        """Return the weighted sum of a function of the rows, column by column."""

        def of_block(rows):
            weight = 1.0 if weights is None else weights[rows, None]
            return (weight * function(rows)).sum(axis=0)

        return sum_of_blocks(of_block, len(truth))

    n = len(truth) if weights is None else weights.sum()
    mean = total(lambda rows: scaled(truth, rows)) / n
    # The mean of a constant is off by rounding, and would give it a spread.
    mean = np.where(low == high, np.ldexp(low, -exponent), mean)
    wrong = total(lambda rows: (scaled(truth, rows) - scaled(predicted, rows)) ** 2)
    spread = total(lambda rows: (scaled(truth, rows) - mean) ** 2)
    varies = spread != 0
    # Of a constant scikit-learn says 1 where it is predicted, and else 0.
    scores = np.where(varies, 1.0, wrong == 0)
    scores[varies] -= wrong[varies] / spread[varies]
    return float(scores.mean())


def _ends(truth, predicted):
    """Return the least and the largest number of truth, and the largest magnitude."""
    found = []
    for rows in row_blocks(len(truth)):
        own, other = (a[rows].astype(np.float64) for a in (truth, predicted))
        assert_all_finite(own)
        assert_all_finite(other)
        found.append((own.min(axis=0), own.max(axis=0), _largest(own, other)))
    low, high, largest = zip(*found, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0), np.max(largest, axis=0)


def _r2_of_one(truth, predicted, weights):
    there = weights > 0
    return r2_score(truth[there], predicted[there], sample_weight=weights[there])
