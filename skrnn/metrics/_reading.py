"""Reading label sequences: what all scores share."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from skrnn._columns import as_plain, is_frame
from skrnn._targets._reading import as_array, check_labels


@dataclass(frozen=True)
class Labels:
    """Label sequences put end to end.

    Attributes
    ----------
    flat : ndarray of shape (n_labels,)
    lengths : ndarray of shape (n_sequences,)
    """

    flat: np.ndarray
    lengths: np.ndarray

    def firsts(self) -> np.ndarray:
        """Return the place in `flat` where each sequence begins."""
        return np.cumsum(self.lengths) - self.lengths


def read_labels(name, y, *, strings=False) -> Labels:
    """Read label sequences; `strings` may be sequences of characters, or empty ones."""
    sequences = [
        _read_sequence(f"{name}[{i}]", sequence, strings)
        for i, sequence in enumerate(as_sequences(name, y))
    ]
    arrays = [array for array in sequences if len(array)]
    if len({array.dtype.kind in "US" for array in arrays}) > 1:
        # Together, NumPy would make text of the numbers.
        arrays = [array.astype(object) for array in arrays]
    flat = np.concatenate(arrays) if arrays else np.empty(0, "U1")
    lengths = np.array([len(array) for array in sequences])
    return Labels(check_labels(flat, name) if arrays else flat, lengths)


def as_sequences(name, y, what="label sequences"):
    """Return something that holds sequences and has a length above 0."""
    y = np.asarray(y) if is_frame(y) else as_plain(y)
    if isinstance(y, str | bytes) or getattr(y, "shape", None) == () or not _has_len(y):
        raise TypeError(f"{name} must hold {what}. Got {y!r:.60}.")
    if len(y) == 0:
        raise ValueError(f"{name} is empty; at least one sample is required.")
    return y


def _has_len(y):
    # A generator would be empty the second time it is read.
    return hasattr(y, "__len__") and hasattr(y, "__getitem__")


def _read_sequence(name, sequence, strings):
    if isinstance(sequence, str | bytes):
        if not strings:
            raise TypeError(
                f"{name} is {sequence!r:.60}, but every label sequence must be a list "
                "or an array of labels. sequence_accuracy_score takes strings as well."
            )
        return np.array(list(sequence)) if sequence else np.empty(0, "U1")
    try:
        array = as_array(sequence, name)
    except ValueError:
        # Lists of several lengths in a list.
        array = np.empty(())
    if array.ndim != 1:
        raise TypeError(
            f"{name} is {sequence!r:.60}, but every label sequence must be a list or "
            "an array of labels, of one dimension."
        )
    if not len(array) and not strings:
        raise ValueError(f"{name} is empty; every sequence needs at least one label.")
    listed = array.dtype.kind == "U" and isinstance(sequence, list | tuple)
    if listed and "\0" in "".join(map(str, sequence)):
        # NumPy's strings lose it at the end.
        return np.array(sequence, dtype=object)
    return array


def read_pair(y_true, y_pred, *, strings=False):
    """Read what is and what was predicted; without `strings`, of the same lengths."""
    truth = read_labels("y_true", y_true, strings=strings)
    predicted = read_labels("y_pred", y_pred, strings=strings)
    check_consistent_length(truth.lengths, predicted.lengths)
    refuse_other_types(truth.flat, predicted.flat)
    if not strings:
        refuse_other_lengths(truth.lengths, "y_pred", predicted.lengths)
    return truth, predicted


def refuse_other_types(truth, labels, name="y_pred"):
    """Refuse text in one and numbers in the other."""
    if not len(truth) or not len(labels):
        return
    if (truth.dtype.kind in "OUS") != (labels.dtype.kind in "OUS"):
        raise TypeError(
            "Mix of label input types (string and number): y_true holds "
            f"{truth[:1].tolist()[0]!r}, {name} holds {labels[:1].tolist()[0]!r}."
        )


def refuse_other_lengths(lengths, name, others):
    """Refuse sequences `name` that are longer or shorter than those of y_true."""
    for i in np.flatnonzero(lengths != others)[:1]:
        raise ValueError(
            f"y_true[{i}] has {lengths[i]} labels, but {name}[{i}] has {others[i]}; "
            "every step needs both."
        )


def check_weights(sample_weight, lengths):
    """Return a weight for each sequence, 1 without `sample_weight`."""
    return _check_sample_weight(
        sample_weight, lengths, dtype=np.float64, ensure_non_negative=True
    )
