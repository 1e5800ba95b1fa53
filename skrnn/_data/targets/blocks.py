"""Blocks of numbers with a row for each step of a horizon: y and `future`."""

import numpy as np

from skrnn._data.finite import assert_all_finite
from skrnn._data.frames.as_arrays import frame_as_array, names_of
from skrnn._data.frames.columns import frames_in, integer_columns, is_frame
from skrnn._data.frames.numbers import (
    as_one_dtype,
    is_object,
    objects_as_numbers,
    refuse_non_numbers,
    warn_of_lost_numbers,
    warn_of_rounding,
)
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import ragged_array

# Most output steps: weights don't limit them, so a file could name any number.
MOST_STEPS = 100_000


def refuse_too_long(n_steps):
    """Refuse a y of more steps than an encoder and decoder predicts."""
    if n_steps > MOST_STEPS:
        raise ValueError(
            f"y has sequences of {n_steps} steps; expected at most {MOST_STEPS}."
        )


def one_array(y):
    """Return y as an array; as an object array if its sequences differ in length."""
    if hasattr(y, "shape") and not is_object(y):
        return y
    try:
        # Arrays of one length in an object array become one block.
        return np.asarray(y.tolist() if is_object(y) and y.ndim == 1 else y)
    except ValueError:
        # An object array of the sequences: the caller refuses it with a message.
        return ragged_array(list(y))


def holds_sequences(y):
    """Whether y is an array of objects that has sequences in it."""
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    return kind == "O" and any(map(_length, np.ravel(y)))


def _length(x):
    return 1 if isinstance(x, list | tuple) else getattr(x, "ndim", 0)


def as_numbers(estimator, data, name, *, reset):
    """Return finite numbers of float32."""
    check_order_within(data, name)
    try:
        array = _one_block(estimator, data, name)
    except _NotRectangular as error:
        raise ValueError(
            f"{name} holds sequences of different lengths; expected an array of shape "
            "(n, H, n_features)."
        ) from error
    refuse_non_numbers(estimator, array, name)
    # No matrix from here on, whose product is another one.
    array = np.asarray(array)
    if array.dtype.kind == "O" and not array.ndim:
        raise TypeError(
            f"{name} is of type {type(data).__name__}; expected an array of shape "
            "(n, H, n_features)."
        )
    if is_object(array):
        numbers = objects_as_numbers(estimator, array.ravel(), name)
        array = numbers.reshape(array.shape)
    # Too large for float32 becomes infinite, which the check below refuses.
    with np.errstate(over="ignore"):
        numbers = np.asarray(array, np.float32)
    assert_all_finite(numbers, input_name=name)
    warn_of_rounding(array, numbers, integer_columns(data), what=name)
    if reset and array.ndim > 1:
        warn_of_lost_numbers(array, names=names_of(data), what=name, axis=1)
    return numbers


class _NotRectangular(ValueError):
    """Sequences of a list differ in their lengths, or in their features."""


def _one_block(estimator, data, name):
    """Return an array, a frame, or a list of these, as one array."""
    if is_frame(data):
        return frame_as_array(estimator, data, name)
    frames = frames_in(data)
    arrays = [
        frame_as_array(estimator, x, f"{name}[{i}]") if i in frames else np.asarray(x)
        for i, x in enumerate(data if frames else [])
    ]
    try:
        return np.stack(as_one_dtype(arrays)) if arrays else np.asanyarray(data)
    except ValueError as error:
        raise _NotRectangular from error
