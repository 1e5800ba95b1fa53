"""Accuracies: over single labels, and over whole sequences."""

import numpy as np

from skrnn.metrics._reading import check_weights, read_pair


def token_accuracy_score(y_true, y_pred, *, ignore_label=None, sample_weight=None):
    """Return the share of labels that are right.

    Parameters
    ----------
    y_true : array-like of shape (n, T), or list of (T_i,)
        True labels, numbers or text.
    y_pred : array-like of shape (n, T), or list of (T_i,)
        Predicted labels of the same sequences.
    ignore_label : label or None, default=None
        Steps with this true label don't count: what stands at the padding of an
        array. A number or text, as the labels are.
    sample_weight : array-like of shape (n,), default=None
        Weight of each sequence's labels.

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
    truth, predicted = read_pair(y_true, y_pred)
    weights = np.repeat(check_weights(sample_weight, truth.lengths), truth.lengths)
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
    if isinstance(ignore_label, str | bytes) != is_text:
        raise TypeError(
            f"ignore_label={ignore_label!r} is of another type than the labels of "
            f"y_true, such as {labels[:1].tolist()[0]!r}: expected "
            f"{'text' if is_text else 'a number'}."
        )


def sequence_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Return the share of sequences that are right from end to end.

    Parameters
    ----------
    y_true : array-like of shape (n, T), or list of (T_i,) or str
        True label sequences. A string is the sequence of its characters.
    y_pred : array-like of shape (n, T), or list of (T_i,) or str
        Predicted label sequences. One of another length than the true one is wrong.
    sample_weight : array-like of shape (n,), default=None
        Weight of each sequence.

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
    truth, predicted = read_pair(y_true, y_pred, strings=True)
    weights = check_weights(sample_weight, truth.lengths)
    right = truth.lengths == predicted.lengths
    same = zip(_split(truth), _split(predicted), strict=True)
    right &= np.array([np.array_equal(*pair) for pair in same])
    return float(np.average(right, weights=weights))


def _split(labels):
    return np.split(labels.flat, labels.firsts()[1:])
