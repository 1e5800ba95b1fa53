"""Targets and weights at each time step of sequences of any lengths."""

from numbers import Real

import keras
import numpy as np

from skrnn._data.finite import check_array, check_sample_weight
from skrnn._data.sequences import ragged_array
from skrnn._data.validation import is_ragged


def answers_steps(model):
    """Whether a network has one output, with an answer for each time step."""
    outputs = model.outputs
    return len(outputs) == 1 and len(outputs[0].shape) == 3


def holds_sequences(y):
    """Whether y is a list, an array or a Series of sequences."""
    is_object = getattr(getattr(y, "dtype", None), "kind", None) == "O"
    if not isinstance(y, list | tuple) and not (is_object and len(y.shape) == 1):
        return False
    return any(not isinstance(row, str | bytes) and np.ndim(row) for row in list(y))


def looks_like_labels_of_steps(X, y):
    """Whether y (n, T) may have a label for each time step of X."""
    if y.ndim != 2 or X.ndim < 2 or y.shape[1] != X.shape[1] or y.shape[1] < 2:
        return False
    # Tables (n, T) with several labels a row are common, too.
    return X.ndim > 2 or X.dtype.kind in "iu" or not is_indicator(y)


def is_indicator(y):
    """Whether all labels are 0 or 1, as in an indicator matrix."""
    return y.dtype.kind in "iufb" and bool(np.isin(y, (0, 1)).all())


def lengths_of(X, *, was_ragged=False):
    """Return the lengths of the sequences of a list; None if X is one array."""
    listed = was_ragged and isinstance(X, list | tuple)
    if not (listed or is_ragged(X)):
        return None
    return np.array([len(x) for x in list(X)])


def read_answers(y, lengths, n_steps):
    """Return y, as an array (n, T, ...) if its rows are sequences of answers.

    Parameters
    ----------
    y : array-like or list of array-likes
    lengths : ndarray of shape (n,) or None
        Of the sequences of X; None if X is an array.
    n_steps : int
        T.
    """
    if not holds_sequences(y):
        return y
    rows = [np.asarray(row) for row in list(y)]
    own = [len(row) if row.ndim else -1 for row in rows]
    alike = len(set(own)) == 1
    if alike and (lengths is None or own != lengths.tolist()):
        # Several targets for each row.
        return np.stack(rows)
    lengths = np.full(len(rows), n_steps) if lengths is None else lengths
    return padded_rows(rows, lengths, n_steps, "y")


def padded_rows(rows, lengths, n_steps, name):
    """Return sequences as an array (n, T, ...), padded with one of their values.

    Parameters
    ----------
    rows : list of array-likes
    lengths : ndarray of shape (n,)
        Of the sequences of X.
    n_steps : int
        T.
    name : str
        What to call `rows` in errors.
    """
    arrays = [np.asarray(row) for row in rows]
    if len(arrays) != len(lengths):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(lengths), len(arrays)]}"
        )
    for i, (array, length) in enumerate(zip(arrays, lengths, strict=True)):
        if array.ndim < 1 or len(array) != length:
            found = f"{len(array)} time steps" if array.ndim else "no time steps"
            raise ValueError(
                f"{name}[{i}] has {found}, but X[{i}] has {length}; where there is an "
                "answer for each time step, both must have as many."
            )
    kinds = {array.dtype.kind in "US" for array in arrays}
    if len(kinds) > 1:
        raise TypeError(f"{name} must hold strings or numbers throughout.")
    flat = np.concatenate(arrays)
    block = np.full((len(arrays), n_steps, *flat.shape[1:]), flat[0], flat.dtype)
    block[real_steps(lengths, n_steps)] = flat
    return block


def real_steps(lengths, n_steps):
    """Return which steps aren't padding, as an array (n, T)."""
    return np.arange(n_steps) < np.asarray(lengths)[:, None]


def cut(block, lengths):
    """Return the real steps of each row of a block, as an object array."""
    return ragged_array([row[:n] for row, n in zip(block, lengths, strict=True)])


def read_weights(sample_weight, shape, lengths):
    """Return a weight for each of the steps of `shape`, 0 at the padding.

    Parameters
    ----------
    sample_weight : None, number or array-like
        Of shape (n,), (n, T), or ragged.
    shape : tuple of int
        n and T.
    lengths : ndarray of shape (n,) or None
    """
    n_rows, n_steps = shape
    real = np.ones(shape) if lengths is None else real_steps(lengths, n_steps)
    if sample_weight is None or isinstance(sample_weight, Real):
        return real * (1.0 if sample_weight is None else float(sample_weight))
    if lengths is not None and holds_sequences(sample_weight):
        rows = list(sample_weight)
        sample_weight = padded_rows(rows, lengths, n_steps, "sample_weight")
    array = _numbers(sample_weight, f"(n,), ({n_rows}, {n_steps})")
    if array.ndim == 1:
        array = np.repeat(_checked(array, n_rows)[:, None], n_steps, axis=1)
    elif array.shape != shape:
        raise ValueError(
            f"sample_weight has shape {array.shape}; expected ({n_rows},), one a "
            f"sequence, or {shape}, one a time step."
        )
    return np.where(real, array, 0.0)


def read_row_weights(sample_weight, n_rows, name):
    """Return a weight for each row, for a network with one answer a row."""
    if sample_weight is None or isinstance(sample_weight, Real):
        return _checked(sample_weight, n_rows)
    array = _numbers(sample_weight, f"({n_rows},)")
    if array.ndim != 1:
        raise ValueError(
            f"sample_weight has shape {array.shape}, but the network of this {name} "
            f"has one answer for each sequence; expected ({n_rows},)."
        )
    return _checked(array, n_rows)


def _checked(array, n_rows):
    return check_sample_weight(array, np.empty(n_rows), dtype=np.float64)


def _numbers(sample_weight, expected):
    if holds_sequences(sample_weight) and is_ragged(sample_weight):
        lengths = {len(row) for row in list(sample_weight) if np.ndim(row)}
        if len(lengths) > 1:
            raise ValueError(
                "sample_weight holds sequences of different lengths, but X doesn't, or "
                f"the network has no answer for each step; expected {expected}."
            )
        sample_weight = list(sample_weight)
    return check_array(
        sample_weight,
        ensure_2d=False,
        allow_nd=True,
        dtype=np.float64,
        input_name="sample_weight",
    )


def in_keras_type(weights):
    """Return weights in Keras' type, which must have room for them."""
    with np.errstate(over="ignore"):
        found = weights.astype(keras.config.floatx())
    if not np.isfinite(found).all():
        raise ValueError(
            f"sample_weight, times class_weight, is as large as {weights.max():.3g}; "
            f"expected numbers of {found.dtype}."
        )
    return found


def without_unweighted_gaps(y, sample_weight):
    """Return y with 0 in place of NaN where the weight is 0."""
    if sample_weight is None or isinstance(sample_weight, Real):
        return y
    if holds_sequences(y) and len(y) == len(sample_weight):
        pairs = zip(list(y), list(sample_weight), strict=True)
        return [without_unweighted_gaps(row, np.asarray(w)) for row, w in pairs]
    array = np.asarray(y)
    if array.dtype.kind != "f" or not np.isnan(array).any():
        return y
    weights = np.asarray(sample_weight)
    if weights.dtype.kind not in "fiub" or weights.shape != array.shape[: weights.ndim]:
        # Refused later, with a message.
        return y
    weights = weights.reshape(weights.shape + (1,) * (array.ndim - weights.ndim))
    return np.where(np.isnan(array) & (weights == 0), array.dtype.type(0), array)
