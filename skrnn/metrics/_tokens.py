"""Accuracies: over single labels, and over whole sequences."""

from numbers import Number
from typing import Any

import numpy as np

from skrnn._data.typing import Targets, Weights
from skrnn.metrics._reading import read_pair


def token_accuracy_score(
    y_true: Targets,
    y_pred: Targets,
    *,
    ignore_label: Any = None,
    sample_weight: Weights | None = None,
) -> float:
    """Return the share of labels that are right.

    Parameters
    ----------
    y_true : array-like of shape (n, T) or (n, T, K), or list of (T_i,) or (T_i, K)
        True labels, numbers or text. Of K labels at once, each 0 or 1, all must be
        right.
    y_pred : array-like of the shape of `y_true`, or list
        Predicted labels of the same sequences. Empty strings at the ends of an array
        are padding and don't count, unless the empty string is a label.
    ignore_label : label or None, default=None
        Steps with this true label don't count, such as the padding of an array. It has
        the type of the labels: a number or text.
    sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), default=None
        Weight of each sequence's labels, or of each label. A label of weight 0 is left
        out: with ``X != 0`` the padding of token ids X doesn't count.

    Returns
    -------
    score : float
        From 0 to 1, the best.

    Raises
    ------
    ValueError, TypeError
        If the sequences differ in length, are empty, hold NaN or mix text with
        numbers, or `ignore_label` is of another type than they are.

    See Also
    --------
    sequence_accuracy_score : The share of sequences without any mistake.
    span_f1_score : How well spans are found, where most labels are outside of them.

    Examples
    --------
    >>> from skrnn.metrics import token_accuracy_score
    >>> token_accuracy_score([["D", "N", "V"], ["N"]], [["D", "N", "N"], ["N"]])
    0.75
    """
    pair = read_pair(y_true, y_pred, sample_weight, several=True)
    truth, predicted, weights = pair.truth, pair.predicted, pair.weights
    if ignore_label is not None:
        _refuse_other_type(ignore_label, truth.flat)
        weights = weights * (truth.flat != ignore_label)
        if not weights.any():
            raise ValueError(
                f"Every label of y_true is ignore_label={ignore_label!r} or has "
                "weight 0: nothing is left."
            )
    return float(np.average(truth.flat == predicted.flat, weights=weights))


def _refuse_other_type(ignore_label, labels):
    is_text = labels.dtype.kind in "OUS"
    fits = isinstance(ignore_label, str | bytes if is_text else Number | np.bool_)
    if not fits:
        raise TypeError(
            f"ignore_label={ignore_label!r} is of another type than the labels of "
            f"y_true, such as {labels[:1].tolist()[0]!r}: expected "
            f"{'text' if is_text else 'a number'}."
        )


def sequence_accuracy_score(
    y_true: Targets, y_pred: Targets, *, sample_weight: Weights | None = None
) -> float:
    """Return the share of sequences that are right from end to end.

    Parameters
    ----------
    y_true : array-like of shape (n, T) or (n, T, K), or list of (T_i,), (T_i, K) or str
        True label sequences. A string is the sequence of its characters.
    y_pred : array-like of the shape of `y_true`, or list
        Predicted label sequences. A sequence that isn't as long as the true one is
        wrong. Empty strings at the ends of an array are padding and don't count, unless
        the empty string is a label.
    sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), default=None
        Weight of each sequence. If it has a weight for each label, labels of weight 0
        don't count, and the weight of a sequence is the mean of the others.

    Returns
    -------
    score : float
        From 0 to 1, the best.

    Raises
    ------
    ValueError, TypeError
        If there are none, or they hold NaN or mix text with numbers.

    See Also
    --------
    token_accuracy_score : The share of single labels that are right.

    Examples
    --------
    >>> from skrnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([[1, 2], [3], [4, 4]], [[1, 2], [3], [4, 0]])
    0.6666666666666666
    >>> sequence_accuracy_score(["colour", "labour"], ["colour", "labor"])
    0.5
    """
    pair = read_pair(y_true, y_pred, sample_weight, strings=True, several=True)
    right = pair.truth.lengths == pair.predicted.lengths
    same = zip(_split(pair.truth), _split(pair.predicted), strict=True)
    right &= np.array([np.array_equal(*each) for each in same])
    return float(np.average(right, weights=pair.of_sequences))


def _split(labels):
    return np.split(labels.flat, labels.firsts()[1:])
