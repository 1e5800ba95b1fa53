"""What `sample_weight` may be: one weight a sequence, or one a step."""

import numpy as np

from skrnn._data.frames.numbers import refuse_non_numbers
from skrnn._data.sequences import Sequences
from skrnn._data.targets.class_weights import constant, scaled_down
from skrnn._data.targets.reading import is_missing, read_steps
from skrnn._data.validation import is_ragged
from skrnn._sklearn import check_sample_weight


def are_of_steps(sample_weight) -> bool:
    """Whether each step has a weight: (n, T), or an array for each sequence."""
    if sample_weight is None or isinstance(sample_weight, str | bytes):
        return False
    if is_ragged(sample_weight):
        # An object array of plain numbers has a weight for each sequence.
        return any(np.ndim(weights) for weights in sample_weight)
    # numpy.ndim would dispatch to other libraries, by __array_function__.
    array = (
        sample_weight if hasattr(sample_weight, "ndim") else np.asarray(sample_weight)
    )
    return array.ndim > 1


def rows_of(sample_weight) -> list:
    """Return the weights of each sequence as an array; a single number is allowed."""
    if not is_ragged(sample_weight):
        # Iterating over a frame yields its columns.
        sample_weight = np.asarray(sample_weight)
    return [np.asarray(row) for row in sample_weight]


def read_weights(estimator, X: Sequences, sample_weight):
    """Return a weight for each target.

    Parameters
    ----------
    estimator : estimator
        A recurrent one; it is named in errors.
    X : Sequences
    sample_weight : array-like of shape (n,) or (n, T), list of (T_i,), or None

    Returns
    -------
    weights : ndarray of shape (n,), or (n_real_steps,) with `return_sequences`
        In float64; 0 for the one step that is kept of a sequence of padding only.
    """
    of_steps = are_of_steps(sample_weight)
    if X.empty is not None and X.empty.all():
        raise ValueError("Every sequence of X is padding alone: nothing is left.")
    if not estimator.return_sequences:
        if of_steps:
            _refuse_steps(estimator, sample_weight)
        return check_weights(estimator, len(X), sample_weight)
    if of_steps:
        steps = read_steps(estimator, X, sample_weight, "sample_weight")
        if steps.ndim > 1:
            _refuse_several(X, sample_weight, steps)
        weights = check_weights(estimator, len(steps), steps)
    elif sample_weight is None:
        weights = check_weights(estimator, X.n_steps, None)
    else:
        weights = check_weights(estimator, len(X), sample_weight)
        weights = np.repeat(weights, X.lengths)
    if X.empty is not None:
        weights = np.where(steps_of_padding(X), 0.0, weights)
    return weights


def steps_of_padding(X: Sequences):
    """Return which of the real steps stand for sequences of padding only."""
    if X.empty is None:
        return np.zeros(X.n_steps, bool)
    return np.repeat(X.empty, X.lengths)


def _refuse_steps(estimator, sample_weight):
    shape = "weights of several steps for a sequence"
    if not is_ragged(sample_weight):
        shape = f"shape {np.asarray(sample_weight).shape}"
    raise ValueError(
        f"sample_weight has {shape}, but {type(estimator).__name__} predicts one "
        "target for each sequence of X: expected a weight for each, (n_samples,). For "
        "a weight at each time step set return_sequences=True."
    )


def _refuse_several(X, sample_weight, steps):
    if is_ragged(sample_weight):
        shape, axes = f"steps of shape {steps.shape[1:]}", "(T_i,) for each sequence"
    else:
        shape = f"shape {np.shape(sample_weight)}"
        axes = f"({len(X)}, {X.n_timesteps})"
    raise ValueError(
        f"sample_weight has {shape}; expected one weight for each time step: {axes}."
    )


def check_weights(estimator, n, weights):
    """Return `n` finite, non-negative weights in float64, the largest about 1.

    Without `weights` they are all equal, and take the memory of one.
    """
    if weights is None:
        return scaled_down(constant(np.float64(1), n))
    refuse_non_numbers(estimator, np.asanyarray(weights), "sample_weight")
    # A stand-in of n rows: with array_api_dispatch scikit-learn takes only arrays.
    rows = np.broadcast_to(np.float64(), n)
    weights = check_sample_weight(
        weights, rows, dtype=np.float64, ensure_non_negative=True
    )
    return scaled_down(weights)


def counted(values, weights):
    """Return the values whose weight isn't 0: the others are never read."""
    if weights.all():
        return values
    values = values if hasattr(values, "tocsr") else np.asarray(values)
    return values[weights > 0]


def left_out(values, weights, padding):
    """Return the labels of weight 0, except those at padding and missing ones.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, K), or sparse matrix
    weights : ndarray of shape (n,)
    padding : ndarray of bool of shape (n,)
    """
    gone = np.flatnonzero((weights == 0) & ~padding)
    if not len(gone) or values.shape[1:] not in ((), (1,)):
        return np.empty(0)
    labels = np.asarray(values)[gone].ravel()
    return labels[[not is_missing(label) for label in labels]]


def put_back(values, weights):
    """Undo `counted`, with zeros at weights of 0."""
    if weights.all():
        return values
    whole = np.zeros((len(weights), *values.shape[1:]), values.dtype)
    whole[weights > 0] = values
    return whole


def weights_of_outputs(estimator, lengths, sample_weight):
    """Return the weight of every output step, one sequence after the other.

    Parameters
    ----------
    estimator : estimator
        An encoder and decoder; named in errors.
    lengths : ndarray of shape (n,)
        Of the outputs.
    sample_weight : array-like of shape (n,) or (n, H), list of (H_i,), or None

    Returns
    -------
    weights : ndarray of shape (n_output_steps,)
    """
    n = len(lengths)
    if sample_weight is None:
        return check_weights(estimator, lengths.sum(), None)
    if not are_of_steps(sample_weight):
        return np.repeat(check_weights(estimator, n, sample_weight), lengths)
    if len(sample_weight) != n:
        raise ValueError(
            f"sample_weight has {len(sample_weight)} rows; expected {n}, one for each "
            "sequence."
        )
    rows = rows_of(sample_weight)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if row.shape != (length,):
            raise ValueError(
                f"sample_weight[{i}] has shape {row.shape}, but y[{i}] has {length} "
                "steps: expected a weight for each of them, or one for the sequence."
            )
    flat = np.concatenate(rows)
    return check_weights(estimator, len(flat), flat)
