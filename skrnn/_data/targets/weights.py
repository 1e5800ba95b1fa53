"""What `sample_weight` may be: one weight a sequence, or one a step."""

from dataclasses import replace

import numpy as np

from skrnn._data.finite import check_sample_weight
from skrnn._data.frames.numbers import refuse_non_numbers
from skrnn._data.sequences import Sequences
from skrnn._data.targets.class_weights import WeightsOfClasses
from skrnn._data.targets.reading import is_missing, read_steps
from skrnn._data.validation import is_ragged
from skrnn._sklearn import naming


def are_of_steps(sample_weight) -> bool:
    """Whether each step has a weight: (n, T), or an array for each sequence."""
    if sample_weight is None or isinstance(sample_weight, str | bytes | type):
        return False
    if is_ragged(sample_weight):
        # An object array of plain numbers has a weight for each sequence.
        with naming("sample_weight"):
            return any(np.ndim(weights) for weights in sample_weight)
    # numpy.ndim would dispatch to other libraries, by __array_function__.
    array = (
        sample_weight if hasattr(sample_weight, "ndim") else np.asarray(sample_weight)
    )
    return array.ndim > 1


def rows_of(sample_weight) -> list:
    """Return the weights of each sequence as an array; a single number is allowed."""
    if not is_ragged(sample_weight):
        given = sample_weight
        # Iterating over a frame yields its columns.
        sample_weight = np.asarray(given)
        if not sample_weight.ndim:
            raise TypeError(
                f"sample_weight is of type {type(given).__name__}; expected an "
                "array-like with a weight for each sequence or step."
            )
    with naming("sample_weight"):
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
        return check_weights(estimator, len(X.lengths), sample_weight)
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

    If `weights` is None they are all equal, in the memory of one.
    """
    if weights is None:
        return scaled_down(constant(np.float64(1), n))
    # A stand-in of n rows: with array_api_dispatch scikit-learn takes only arrays.
    rows = np.broadcast_to(np.float64(), n)
    with naming("sample_weight"):
        refuse_non_numbers(estimator, np.asanyarray(weights), "sample_weight")
        weights = check_sample_weight(
            weights, rows, dtype=np.float64, ensure_non_negative=True
        )
    return scaled_down(weights)


def refuse_no_weight(weights):
    """Refuse weights, times those of classes, that are 0 everywhere."""
    if not weights.any():
        raise ValueError(
            "sample_weight times class_weight is 0 for every sequence: nothing is "
            "left to train on."
        )


def constant(weight, n):
    """Return `n` equal weights in the memory of one."""
    return np.broadcast_to(weight, n)


def is_constant(weights) -> bool:
    """Whether weights are one number, by their memory alone."""
    return weights.strides == (0,) and len(weights) > 0


def scaled_down(weights):
    """Divide weights by a power of two, so that the largest is about 1.

    Sums of very large weights would be infinite, and only proportions count. A power of
    two rounds nothing. Weights that are too small for float32 compared with the largest
    become 0: training is in float32, and targets of weight 0 don't count in the units
    of y.
    """
    if is_constant(weights):
        return constant(scaled_down(weights[:1].copy())[0], len(weights))
    if isinstance(weights, WeightsOfClasses):
        return weights.of_table(scaled_down)
    _, exponent = np.frexp(weights.max(initial=0))
    weights = np.ldexp(weights, -exponent)
    weights[weights < np.finfo(np.float32).tiny] = 0.0
    return weights


def weighted(dataset, weights):
    """Return a dataset with weights to train with, without sequences of weight 0.

    Parameters
    ----------
    dataset : Dataset
        Each target has a weight, times that of its class.
    weights : ndarray of shape (n,) or (n_real_steps,)
        Those of the user: a sequence is left out where all of them are 0.

    Returns
    -------
    dataset : Dataset
        Its weights are of float32 and of mean 1, so that the loss and the step size
        don't depend on their unit.
    """
    refuse_no_weight(dataset.weights)
    own, of_steps = scaled_down(dataset.weights), dataset.of_steps
    if of_steps and not is_constant(weights):
        weights = np.maximum.reduceat(weights, np.asarray(dataset.target_starts))
    if not weights.all():
        dataset = dataset.take(np.flatnonzero(weights))
    if is_constant(own):
        return replace(dataset, weights=constant(np.float32(1), len(own)))
    n_targets = dataset.sequences.n_steps if of_steps else len(dataset)
    return replace(dataset, weights=_of_mean_one(own, n_targets, own.sum()))


def _of_mean_one(weights, n_targets, total):
    """Return weights in float32, the float64 ones being used up."""
    if isinstance(weights, WeightsOfClasses):
        return weights.of_table(lambda table: _of_mean_one(table, n_targets, total))
    weights *= n_targets
    weights /= total
    return weights.astype(np.float32)


def left_out(values, weights, padding):
    """Return the labels of weight 0, except those at padding and missing ones.

    Parameters
    ----------
    values : ndarray of shape (n,) or (n, K), or sparse matrix
    weights : ndarray of shape (n,)
    padding : ndarray of bool of shape (n,)
    """
    gone = () if weights.all() else np.flatnonzero((weights == 0) & ~padding)
    if not len(gone) or values.shape[1:] not in ((), (1,)):
        return np.empty(0)
    labels = np.asarray(values)[gone].ravel()
    return labels[[not is_missing(label) for label in labels]]


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
