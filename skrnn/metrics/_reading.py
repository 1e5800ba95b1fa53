"""Reading label sequences, for all scores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_consistent_length

from skrnn._data.finite import check_sample_weight
from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._data.targets.reading import as_array, check_labels
from skrnn._data.targets.weights import are_of_steps, rows_of
from skrnn._sklearn import naming


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
        """Return the position in `flat` where each sequence begins."""
        return np.cumsum(self.lengths) - self.lengths


def read_unchecked(name, y, *, mixed) -> Labels:
    """Read one-dimensional label sequences, none of them empty.

    The caller checks the labels that count; with `mixed`, strings and numbers may be
    in one sequence until then.
    """
    rows = _read_rows(name, y, mixed=mixed)
    return Labels(np.concatenate(_of_one_kind(rows)), np.array([*map(len, rows)]))


def _read_rows(name, y, **options):
    rows = enumerate(as_sequences(name, y))
    return [_read_sequence(f"{name}[{i}]", row, **options) for i, row in rows]


def _put_together(name, rows):
    arrays = _of_one_kind([array for array in rows if len(array)])
    flat = np.concatenate(arrays) if arrays else np.empty(0, "U1")
    lengths = np.array([len(array) for array in rows])
    return Labels(check_labels(flat, name) if arrays else flat, lengths)


def _of_one_kind(arrays):
    # NumPy would make strings of the numbers.
    kinds = {array.dtype.kind in "US" for array in arrays}
    return [array.astype(object) for array in arrays] if len(kinds) > 1 else arrays


def as_sequences(name, y, what="label sequences"):
    """Return a non-empty list or array of sequences."""
    y = np.asarray(y) if is_frame(y) else as_plain(y)
    if issparse(y):
        raise TypeError(
            f"{name} is a sparse {type(y).__name__}; expected {what} in dense arrays: "
            "use '.toarray()'."
        )
    if isinstance(y, str | bytes) or getattr(y, "shape", None) == () or not _has_len(y):
        raise TypeError(f"{name} must hold {what}. Got {y!r:.60}.")
    if len(y) == 0:
        raise ValueError(f"{name} is empty; at least one sample is required.")
    return y


def _has_len(y):
    # A generator can be read only once.
    has_both = hasattr(y, "__len__") and hasattr(y, "__getitem__")
    return has_both and not isinstance(y, type | Mapping)


def _read_sequence(name, sequence, *, strings=False, several=False, mixed=False):
    if isinstance(sequence, str | bytes):
        if not strings:
            raise TypeError(
                f"{name} is {sequence!r:.60}, but every label sequence must be a list "
                "or an array of labels. sequence_accuracy_score takes strings as well."
            )
        return np.array(list(sequence)) if sequence else np.empty(0, "U1")
    try:
        array = as_array(sequence, name, mixed=mixed)
    except ValueError:
        # Lists of different lengths in a list.
        array = np.empty(())
    if array.ndim == 2 and array.shape[1] == 1 and array is sequence:
        # An array of one label a step, in a column.
        array = array[:, 0]
    is_table = array.ndim == 2 and array.shape[1] and array.dtype.kind in "buifO"
    if several and is_table and np.isin(array, (0, 1)).all():
        # Several labels at once become one string of zeros and ones.
        return np.array(["".join(map(str, step)) for step in array.astype(int)])
    if array.ndim != 1:
        raise TypeError(
            f"{name} is {sequence!r:.60}, but every label sequence must be a list or "
            "an array of labels, of one dimension."
        )
    if not len(array) and not strings:
        raise ValueError(f"{name} is empty; every sequence needs at least one label.")
    listed = array.dtype.kind == "U" and isinstance(sequence, list | tuple)
    if listed and "\0" in "".join(map(str, sequence)):
        # NumPy's strings lose trailing NULs.
        return np.array(sequence, dtype=object)
    return array


@dataclass(frozen=True)
class Pair:
    """True and predicted labels, where they count.

    Labels of weight 0 are left out, and so is padding: empty strings at the ends of
    predicted arrays, as ``predict`` returns them. Sequences may become empty.

    Attributes
    ----------
    truth, predicted : Labels
    weights : ndarray of shape (n_labels,)
        Weights of the true labels.
    of_sequences : ndarray of shape (n_sequences,)
        With a weight for each label it is the mean of those that count.
    """

    truth: Labels
    predicted: Labels
    weights: np.ndarray
    of_sequences: np.ndarray


def read_pair(y_true, y_pred, sample_weight=None, *, strings=False, several=False):
    """Read true and predicted labels, where they count.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n, T), or list of (T_i,)
    sample_weight : array-like of shape (n,) or (n, T), list of (T_i,), or None
    strings : bool, default=False
        Whether sequences may be strings, or empty, and two of a pair of two lengths.
    several : bool, default=False
        Whether steps may have several labels at once, 0 or 1 each.

    Returns
    -------
    pair : Pair
    """
    options = {"strings": strings, "several": several}
    options["mixed"] = sample_weight is not None
    truth = _read_rows("y_true", y_true, **options)
    predicted = _read_rows("y_pred", y_pred, **options)
    check_consistent_length(truth, predicted)
    lengths = np.array([len(labels) for labels in truth])
    if not strings:
        others = np.array([len(labels) for labels in predicted])
        refuse_other_lengths(lengths, "y_pred", others)
    weights, of_sequences = _read_weights(sample_weight, lengths)
    rows = list(zip(truth, predicted, weights, strict=True))
    # A list has no padding.
    padding = _find_padding(rows, isinstance(y_pred, np.ndarray))
    rows = [_kept(*row, ends) for row, ends in zip(rows, padding, strict=True)]
    truth, predicted, weights = map(list, zip(*rows, strict=True))
    gone = (lengths > 0) & [not len(labels) for labels in truth]
    if of_sequences is None:
        of_sequences = _means(weights)
    labels = _put_together("y_true", truth), _put_together("y_pred", predicted)
    refuse_other_types(*(each.flat for each in labels))
    of_sequences = np.where(gone, 0, of_sequences)
    if not of_sequences.any():
        raise ValueError("y_pred is padding alone, or has weight 0: nothing is left.")
    return Pair(*labels, np.concatenate(weights), of_sequences)


def _kept(truth, predicted, weights, padding):
    """Return the labels of a sequence that count, and their weights."""
    kept = weights > 0
    if len(truth) == len(predicted):
        kept[padding] = False
        if not kept.all():
            return truth[kept], predicted[kept], weights[kept]
    elif not kept.all():
        truth, weights = truth[kept], weights[kept]
    return truth, predicted, weights


def _find_padding(rows, may_be_padded):
    """Return which labels of each sequence are padding, by the predictions.

    Empty strings are ordinary labels if they are the true labels of some steps, and not
    only where they were predicted.
    """
    nothing: list = [[]] * len(rows)
    if not may_be_padded or any(len(t) != len(p) for t, p, _ in rows):
        return nothing
    padding = [_empty_ends(predicted) for _, predicted, _ in rows]
    at_padding, elsewhere = set(), False
    for (truth, predicted, weights), places in zip(rows, padding, strict=True):
        empty = _are_empty(truth)
        at_padding |= set(empty[places][weights[places] > 0].tolist())
        elsewhere |= bool((empty & (weights > 0) & ~_are_empty(predicted)).any())
    return nothing if elsewhere or len(at_padding) > 1 else padding


def _are_empty(labels):
    if labels.dtype.kind not in "OU":
        return np.zeros(len(labels), bool)
    return np.asarray(labels == "", bool)


def _empty_ends(labels):
    """Return which labels are empty strings before or after all other labels."""
    there = np.flatnonzero(~_are_empty(labels))
    places = np.arange(len(labels))
    if not len(there):
        return places
    return places[(places < there[0]) | (places > there[-1])]


# Kind of NumPy -> what labels of it are; all others are numbers.
_KINDS = dict.fromkeys("OUS", "string") | {"M": "time", "m": "length of time"}


def refuse_other_types(truth, labels, name="y_pred"):
    """Refuse strings in one and numbers in the other."""
    if not len(truth) or not len(labels):
        return
    of_truth, of_labels = (_KINDS.get(x.dtype.kind, "number") for x in (truth, labels))
    kinds = sorted({of_truth, of_labels}, reverse=True)
    if len(kinds) > 1:
        raise TypeError(
            f"Mix of label input types ({' and '.join(kinds)}): y_true holds "
            f"{truth[:1].tolist()[0]!r}, {name} holds {labels[:1].tolist()[0]!r}."
        )


def refuse_other_lengths(lengths, name, others):
    """Refuse sequences `name` whose lengths aren't those of y_true."""
    for i in np.flatnonzero(lengths != others)[:1]:
        raise ValueError(
            f"y_true[{i}] has {lengths[i]} labels, but {name}[{i}] has {others[i]}; "
            "every step needs both."
        )


def weights_of_labels(sample_weight, lengths):
    """Return the weight of each label, 1 without `sample_weight`."""
    weights, _ = _read_weights(sample_weight, lengths)
    return np.concatenate(weights)


def _read_weights(sample_weight, lengths):
    """Return the weights of labels by sequence, and those of sequences or None."""
    with naming("sample_weight"):
        return _split_weights(sample_weight, lengths)


def _split_weights(sample_weight, lengths):
    ends = np.cumsum(lengths)[:-1]
    if not are_of_steps(sample_weight):
        of_sequences = _check_weights(sample_weight, lengths)
        return np.split(np.repeat(of_sequences, lengths), ends), of_sequences
    rows = rows_of(sample_weight)
    check_consistent_length(lengths, rows)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if row.shape != (length,):
            raise ValueError(
                f"y_true[{i}] has {length} labels, but sample_weight[{i}] has shape "
                f"{row.shape}; every label needs a weight, or every sequence one."
            )
    flat = np.concatenate(rows)
    return np.split(_check_weights(flat, flat), ends), None


def _check_weights(sample_weight, rows):
    return check_sample_weight(
        sample_weight, rows, dtype=np.float64, ensure_non_negative=True
    )


def _means(weights):
    """Return the mean of each array, and 0 of an empty one."""
    # Rounding would move the mean of equal numbers.
    spread = (w if len(w) and np.ptp(w) else w[:1] for w in weights)
    return np.array([w.mean() if len(w) else 0.0 for w in spread])
