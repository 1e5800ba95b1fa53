"""Labels: one for each sequence or step, or several at once."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from skrnn._data.targets.codes import few_like
from skrnn._data.targets.reading import advice, check_labels
from skrnn._data.validation import is_ragged
from skrnn._sklearn import check_y, naming


def labels_of_steps(labels):
    """Check the labels of all steps of all sequences.

    Parameters
    ----------
    labels : ndarray of shape (n_steps,), (n_steps, 1) or (n_steps, n_labels)

    Returns
    -------
    labels : ndarray of shape (n_steps,), or (n_steps, n_labels) of 0 and 1

    Raises
    ------
    ValueError, TypeError
        If they are anything else.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim not in (1, 2) or 0 in labels.shape[1:]:
        raise ValueError(
            "With return_sequences=True every step needs one label, or an indicator of "
            f"0 and 1 for each of several; y has steps of shape {labels.shape[1:]}."
        )
    labels = check_labels(labels)
    if labels.ndim == 2:
        return _indicators(labels)
    with naming("y"):
        check_classification_targets(few_like(labels))
    return labels


def _indicators(labels):
    """Return zeros and ones (n_steps, n_labels)."""
    # Strings such as '0' and '1' aren't taken for numbers.
    known = np.isin(labels, (0, 1)) & (labels.dtype.kind in "biuf")
    if not known.all():
        raise ValueError(
            f"y has steps of shape {labels.shape[1:]}, which must be indicators of 0 "
            f"and 1: several labels at once. Got {labels[~known].tolist()[0]!r}; for "
            "one label a step give y of shape (n_samples, n_timesteps)."
        )
    return labels.astype(int)


def several_a_step(y):
    """Whether y, (n, T, K) or a list of (T_i, K), has several labels at each step."""
    with naming("y"):
        if is_ragged(y):
            first = next(iter(y))
            return np.ndim(first) == 2 and np.shape(first)[1] > 1
        return np.ndim(y) == 3 and np.shape(y)[2] > 1


def check_columns(classes, y):
    """Refuse classes that aren't the numbers of the columns of an indicator matrix."""
    n_labels = np.shape(next(iter(y)) if is_ragged(y) else y)[-1]
    if not np.array_equal(np.sort(classes), np.arange(n_labels)):
        raise ValueError(
            f"classes={classes!r}, but each column of y has a label of its own, which "
            f"is 0 or 1: expected classes=range({n_labels}), or None."
        )


def several_a_sequence(y):
    """Whether each sequence has several labels at once."""
    with naming("y"):
        return np.ndim(y) == 2 and np.shape(y)[1] > 1


def labels_of_sequences(estimator, X, y):
    """Check y as labels (n,), or as an indicator matrix (n, n_labels).

    Parameters
    ----------
    estimator : estimator
        Named in errors.
    X : Sequences
    y : array-like, or sparse matrix of zeros and ones
    """
    # scikit-learn asks whether floats are integers, which fails beyond int64.
    with naming("y"), np.errstate(invalid="ignore"):
        y = y if issparse(y) else check_labels(y)
        y = check_y(y, multi_output=True, estimator=estimator)
        few = few_like(y)
        check_classification_targets(few)
        kind = type_of_target(few, input_name="y")
    if kind == "multilabel-indicator":
        y = y.toarray() if issparse(y) else y
    if y.ndim == 2 and y.shape[1] > 1 and not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"y has shape {y.shape} and is no indicator matrix of 0 and 1; "
            f"{type(estimator).__name__} predicts one label for each sequence."
            f"{advice(estimator, X, y)}"
        )
    return y if kind == "multilabel-indicator" else column_or_1d(y, warn=True)
