"""Perplexity: how many labels a model hesitates between."""

import numpy as np
from sklearn.utils.validation import check_consistent_length

from skrnn._data.targets.reading import as_array, check_labels, is_several
from skrnn._data.targets.weights import are_of_steps
from skrnn._data.typing import (
    ArrayLike,
    Targets,
    Weights,
)
from skrnn._data.validation import is_ragged
from skrnn.metrics._reading import (
    Labels,
    as_sequences,
    read_unchecked,
    refuse_other_lengths,
    refuse_other_types,
    weights_of_labels,
)

# How much the sum of a step's probabilities may differ from 1, for rounding.
_SUM_TOLERANCE = 1e-4


def perplexity(
    y_true: Targets,
    y_proba: Targets,
    *,
    labels: ArrayLike | None = None,
    sample_weight: Weights | None = None,
) -> float:
    """Return the exponential of the mean negative log-likelihood of the true labels.

    A model that guesses among C labels has the perplexity C. A model that is always
    right and certain has 1.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, T), or list of (T_i,)
        True labels: one for each sample, or one for each step.
    y_proba : array-like of shape (n, n_classes) or (n, T, n_classes), or list of \
(T_i, n_classes)
        Probabilities of all labels, as ``predict_proba`` returns them. Steps of an
        array (n, T, n_classes), or of an object array, whose probabilities are all 0
        are padding: they don't count, whatever their labels are. Beside an array (n, T)
        of labels a list is T arrays (n, n_classes), scikit-learn's form for several
        outputs; beside other labels it has an array for each sample.
    labels : array-like of shape (n_classes,), default=None
        The label of each column of `y_proba`: the ``classes_`` of a classifier. None is
        the labels of `y_true`, sorted.
    sample_weight : array-like of shape (n,) or (n, T), or list of (T_i,), default=None
        Weight of each sample's labels, or of each label. A label of weight 0 is left
        out.

    Returns
    -------
    perplexity : float
        From 1, the best, to infinity, if a true label had the probability 0.

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, a true label has no column, or `y_proba` holds what can't
        be the probabilities of a step.

    See Also
    --------
    sklearn.metrics.log_loss : The logarithm of it, with one label for each sample.

    Notes
    -----
    The probabilities of a :class:`~skrnn.Seq2SeqClassifier` at a step depend on the
    labels that it predicted before. For y of shape (n, H) they can be scored
    nevertheless. Strings and lists may end anywhere, so there isn't a step for each
    true label.

    Jelinek et al. (1977), Perplexity: a measure of the difficulty of speech recognition
    tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.metrics import perplexity
    >>> perplexity([["a", "b"]], np.full((1, 2, 4), 0.25), labels=list("abcd"))
    4.0
    """
    y_true = as_sequences("y_true", y_true)
    y_proba = as_sequences("y_proba", y_proba, "probabilities")
    if _is_by_output(y_true, y_proba):
        y_proba = _by_sample(y_true, y_proba)
    truth, probabilities = _read(y_true, y_proba, are_of_steps(sample_weight))
    weights = weights_of_labels(sample_weight, truth.lengths)
    real = np.full(len(weights), True)
    if _may_be_padded(y_true, y_proba):
        real = probabilities.any(axis=1)
    if are_of_steps(sample_weight):
        real &= weights > 0
    weights, probabilities = weights[real], probabilities[real]
    if not weights.any():
        raise ValueError("y_proba is 0 or has weight 0 everywhere: nothing is left.")
    flat = check_labels(truth.flat[real], "y_true")
    columns = _columns(flat, labels, probabilities.shape[1])
    counted = weights > 0
    _check_probabilities(probabilities[counted])
    with np.errstate(divide="ignore"):
        losses = -np.log(probabilities[np.arange(len(columns)), columns])
    return float(np.exp(np.average(losses[counted], weights=weights[counted])))


def _is_by_output(y_true, y_proba):
    """Whether there is an array for each output rather than for each sample."""
    listed = isinstance(y_proba, list | tuple)
    # Nested lists are read as one array.
    of_arrays = listed and all(getattr(block, "ndim", 0) for block in y_proba)
    return of_arrays and getattr(y_true, "ndim", 1) == 2


def _by_sample(y_true, y_proba):
    """Turn H arrays (n, n_classes) into a list of n arrays (H, n_classes)."""
    n_samples, n_outputs = y_true.shape
    shapes = [np.shape(block) for block in y_proba]
    expected = n_samples, shapes[0][-1]
    wrong = [shape for shape in shapes if shape != expected]
    if wrong or len(shapes) != n_outputs:
        raise ValueError(
            f"y_proba is a list beside a y_true of shape {y_true.shape}; expected "
            f"{n_outputs} arrays of shape ({n_samples}, n_classes), one for each "
            f"column. Got {len(shapes)}, one of shape {(wrong or shapes)[0]}. For "
            "taggers give an array (n_samples, n_timesteps, n_classes)."
        )
    return list(np.stack(y_proba, axis=1))


def _may_be_padded(y_true, y_proba):
    """Whether zeros in y_proba mean padding: in one array, or in an object array."""
    listed = is_ragged(y_proba) and not isinstance(y_proba, np.ndarray)
    return not (_is_flat(y_true) or listed)


def _read(y_true, y_proba, mixed):
    """Return labels, and probabilities (n_labels, n_classes), one row a label."""
    truth = _read_truth(y_true, mixed)
    blocks = [_read_block(i, block) for i, block in enumerate(_blocks(y_true, y_proba))]
    check_consistent_length(truth.lengths, blocks)
    for i, block in enumerate(blocks):
        if block.shape[1] != blocks[0].shape[1]:
            raise ValueError(
                f"y_proba[{i}] has {block.shape[1]} columns, but y_proba[0] has "
                f"{blocks[0].shape[1]}; every step needs one for each label."
            )
    lengths = np.array([len(block) for block in blocks])
    refuse_other_lengths(truth.lengths, "y_proba", lengths)
    return truth, np.concatenate(blocks)


def _is_flat(y_true):
    """Whether there is one label for each sample."""
    return not any(map(is_several, y_true))


def _read_truth(y_true, mixed):
    if not _is_flat(y_true):
        return read_unchecked("y_true", y_true, mixed=mixed)
    flat = as_array(y_true, "y_true")
    return Labels(flat, np.ones(len(flat), int))


def _blocks(y_true, y_proba):
    """Return the probabilities (T_i, n_classes) of each sample."""
    if is_ragged(y_proba):
        return y_proba
    y_proba = np.asarray(y_proba)
    dimensions = 2 if _is_flat(y_true) else 3
    if y_proba.ndim != dimensions:
        raise ValueError(
            f"y_proba has shape {y_proba.shape}; expected {dimensions} dimensions: "
            f"{_SHAPES[dimensions]}."
        )
    return y_proba[:, None] if dimensions == 2 else y_proba


_SHAPES = {
    2: "(n_samples, n_classes) for one label a sample",
    3: "(n_samples, n_timesteps, n_classes), or a list, for one label a step",
}


def _read_block(i, block):
    try:
        # A cast to float would leave out imaginary parts.
        dtype = np.asarray(block).dtype
        block = np.asarray(block, float if dtype.kind != "c" else None)
    except (TypeError, ValueError, OverflowError):
        block = np.empty(0)
    if block.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: y_proba[{i}] has dtype {block.dtype}."
        )
    if block.ndim != 2:
        raise ValueError(
            f"y_proba[{i}] must hold numbers of shape (n_timesteps, n_classes)."
        )
    return block


def _sorted_labels(flat):
    try:
        return np.unique(flat)
    except TypeError as error:
        raise TypeError(
            f"y_true holds labels that can't be put in order: {error}."
        ) from error


def _columns(flat, labels, n_columns):
    """Return the column of each true label."""
    if labels is None:
        labels = _sorted_labels(flat)
    else:
        labels = check_labels(as_array(labels, "labels"), "labels")
    if labels.ndim != 1:
        raise ValueError(
            f"labels has shape {labels.shape}; expected one label for each of the "
            f"{n_columns} columns of y_proba."
        )
    if len(labels) != n_columns:
        raise ValueError(
            f"y_proba has {n_columns} columns, but there are {len(labels)} labels; "
            "give the label of each column as `labels`: `classes_` of a classifier."
        )
    refuse_other_types(flat, labels, "labels")
    places = {label: column for column, label in enumerate(labels.tolist())}
    if len(places) < n_columns:
        raise ValueError(f"labels must differ. Got {labels.tolist()}.")
    known, which = np.unique(flat, return_inverse=True)
    for label in known.tolist():
        if label not in places:
            raise ValueError(f"y_true holds {label!r}, which is none of the labels.")
    return np.array([places[label] for label in known.tolist()])[which]


def _check_probabilities(probabilities):
    if np.isnan(probabilities).any():
        raise ValueError("Input y_proba contains NaN.")
    lowest, highest = probabilities.min(initial=0), probabilities.max(initial=0)
    if lowest < 0 or highest > 1 + _SUM_TOLERANCE:
        outside = lowest if lowest < 0 else highest
        raise ValueError(
            f"y_proba must hold probabilities, from 0 to 1. Got {outside:.6g}; of "
            "logarithms take the exponential first."
        )
    sums = probabilities.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
    if len(wrong):
        raise ValueError(
            "The probabilities of every step must add up to 1. Those of a step of "
            f"y_proba add up to {sums[wrong[0]]:.6g}."
        )
