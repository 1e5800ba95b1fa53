"""Label sequences with weights: labels of weight 0 are never read."""

import numpy as np

from skrnn._data.sequences import ragged_array
from skrnn._data.targets.reading import is_missing
from skrnn._data.targets.weights import are_of_steps, rows_of, weights_of_outputs


def without_masked(y, sample_weight):
    """Return y with valid labels, or whole rows, in place of those of weight 0.

    A label of weight 0 may be anything: None, NaN, a label for padding. A sequence of
    weight 0 may be missing; if it isn't, its labels count as classes. If the shapes
    don't fit, y is returned as it is, and refused later with its weights.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, H), list of str or list of sequences
    sample_weight : array-like of shape (n,) or (n, H), list of (H_i,), or None
    """
    if not (_has_rows(y) and _has_rows(sample_weight)):
        return y
    kept = [row != 0 for row in rows_of(sample_weight)]
    if len(y) != len(kept) or all(row.all() for row in kept):
        return y
    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    if not are_of_steps(sample_weight):
        there = [k or not _is_missing(row) for row, k in zip(y, kept, strict=True)]
        return _without_rows(y, np.array(there))
    if getattr(y, "ndim", 1) == 1 and not any(map(_is_sequence, y)):
        return _without_rows(y, np.array([row.any() for row in kept]))
    rows = list(zip(y, kept, strict=True))
    if any(not _is_sequence(r) or (len(r),) != k.shape for r, k in rows):
        return y
    counted = (row[k.argmax()] for row, k in rows if k.any())
    label = next(counted, None)
    filled = [_filled(row, k, label) for row, k in rows]
    return _in_the_form_of(y, filled)


def _has_rows(value):
    # An array without axes has the method, and no length.
    return hasattr(value, "__len__") and getattr(value, "ndim", 1) > 0


def _without_rows(y, kept):
    if kept.all() or not kept.any():
        return y
    row = y[int(kept.argmax())]
    filled = [each if k else row for each, k in zip(y, kept, strict=True)]
    return _in_the_form_of(y, filled)


def _in_the_form_of(y, rows):
    if not isinstance(y, np.ndarray):
        return rows
    in_one = y.ndim == 2 or y.dtype.kind != "O"
    return np.array(rows, y.dtype) if in_one else ragged_array(rows)


def _is_missing(row):
    if isinstance(row, str):
        return False
    return any(map(is_missing, row)) if np.ndim(row) == 1 else is_missing(row)


def _is_sequence(row):
    return isinstance(row, str) or np.ndim(row) == 1


def _filled(row, kept, label):
    if isinstance(row, np.ndarray):
        row = row.copy()
        row[~kept] = label
        return row
    labels = [each if k else label for each, k in zip(row, kept, strict=True)]
    if isinstance(row, str):
        return "".join(labels)
    return tuple(labels) if type(row) is tuple else labels


def with_ends(weights, lengths):
    """Add a weight for the end of each sequence: that of its last label.

    Parameters
    ----------
    weights : ndarray of shape (n_labels,)
    lengths : ndarray of shape (n,)
    """
    ends = np.cumsum(lengths)
    return np.insert(weights, ends, weights[ends - 1])


def share_of_right(estimator, truth, predicted, sample_weight):
    """Return the share of sequences whose labels, but those of weight 0, are right.

    Parameters
    ----------
    estimator : estimator
        It is named in errors.
    truth, predicted : list of lists
    sample_weight : array-like of shape (n,) or (n, H), list of (H_i,), or None
        With a weight for each label, a sequence gets the mean of its weights above 0,
        and its end counts if its last label does.
    """
    lengths = np.array([len(labels) for labels in truth])
    weights = weights_of_outputs(estimator, lengths, sample_weight)
    rows = np.split(weights, np.cumsum(lengths)[:-1])
    right = [_is_right(*each) for each in zip(truth, predicted, rows, strict=True)]
    of_sequences = np.array([row[0] for row in rows])
    if are_of_steps(sample_weight):
        of_sequences = np.array(
            [row[row > 0].mean() if row.any() else 0 for row in rows]
        )
    return float(np.average(right, weights=of_sequences))


def _is_right(truth, predicted, weights):
    if weights[-1] and len(truth) != len(predicted):
        return False
    places = np.flatnonzero(weights)
    return all(p < len(predicted) and truth[p] == predicted[p] for p in places)
