"""The label of predictions at padding: one that is no class."""

from itertools import count

import numpy as np

from skrnn._data.sequences import Sequences, unpack_steps
from skrnn._data.targets.reading import as_array, is_missing
from skrnn._data.validation import is_ragged


def given_label(X: Sequences, y):
    """Return the label that y has at padding; None if it has none there.

    Parameters
    ----------
    X : Sequences
    y : array-like or list of array-likes
        A label, or several, for each step of X.
    """
    if X.offsets is None or (X.form == "ragged" and not is_ragged(y)):
        return None
    real = unpack_steps(np.ones(X.lengths.sum(), bool), X, False)
    for labels, here in zip(y if is_ragged(y) else np.asarray(y), real, strict=True):
        if not here.all():
            label = as_array(labels, mixed=True)[~here].ravel()[0]
            return None if is_missing(label) else label
    return None


def label_of_padding(classes):
    """Return a label of the type of `classes` that is none of them.

    It is the empty string, or -1, or the next smaller number if -1 is a class. For
    unsigned integers it is the largest free number. If the type has no free number, a
    wider type is used. Booleans have no free value: it is False.
    """
    kind, known = classes.dtype.kind, set(classes.tolist())
    if isinstance(classes[0], str):
        return "" if "" not in known else "<padding>"
    if kind == "b":
        return False
    highest = np.iinfo(classes.dtype).max if kind == "u" else -1
    return next(number for number in count(highest, -1) if number not in known)


def unpack_labels(labels, sequences: Sequences, label, classes):
    """Return labels in the form of X, with `label` at the padding.

    It is `label_of_padding` if it is None. The dtype is that of the labels, unless it
    can't hold `label`.
    """
    if sequences.offsets is None:
        return unpack_steps(labels, sequences, 0)
    label = label_of_padding(classes) if label is None else label
    if not _holds(labels.dtype, label):
        labels = labels.astype(np.result_type(labels.dtype, np.asarray(label).dtype))
    return unpack_steps(labels, sequences, label)


def _holds(dtype, label):
    try:
        return np.full(1, label, dtype)[0] == label
    except (OverflowError, ValueError, TypeError):
        return False
