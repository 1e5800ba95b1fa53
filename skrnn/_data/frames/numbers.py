"""What can be read as real numbers, and what float32 loses."""

import datetime
import warnings
from contextlib import contextmanager
from numbers import Number
from typing import Any

import numpy as np

from skrnn._data.finite import refuse_masked
from skrnn._sklearn import is_pandas_na

# Objects that NumPy refuses without saying where they are.
_NO_NUMBERS = (
    complex,
    np.complexfloating,
    datetime.date,
    datetime.timedelta,
    np.datetime64,
    np.timedelta64,
    type,
)
# The first integer from which float32 can't represent every one.
_FIRST_ROUNDED = 2**24
# Fewer steps of float32 than this within the middle half of a feature's values are too
# few: rounding moves a value by up to 2 % of their spread then.
_FEWEST_STEPS = 32
# A spread below this share of the values is float64's own rounding of a constant.
_CONSTANT = 1e-12
# A share of steps; more than this must not be lost.
_MOST_LOST = 0.5
# How many rows of a table, steps of a sequence, and sequences are looked at. They are
# enough for the quartiles; more took several times as long as an epoch.
_LOOKED_AT = 4096, 16
_FEWER = 512


def called(estimator, what="X"):
    """Return the name of an argument in messages: X_val if it is a validation set."""
    return f"{what}{getattr(estimator, '_suffix_of_names', '')}"


def refuse_non_numbers(estimator, array, what):
    """Refuse an array that can't be read as real numbers, calling it `what`."""
    refuse_masked(array, what)
    refuse_kind(estimator, array.dtype, what)
    if is_object(array):
        for value in np.ravel(array):
            if isinstance(value, str | bytes):
                raise ValueError(
                    f"could not convert string to float: {what} holds "
                    f"{str(value)[:40]!r}, but {_name(estimator)} expects numbers."
                    f"{_for_strings(estimator, what)}"
                )
            # A missing time is read as a missing number.
            if isinstance(value, _NO_NUMBERS) and value == value:
                raise ValueError(
                    f"{what} holds {value!r:.60} of type {type(value).__name__}, but "
                    f"{_name(estimator)} expects real numbers."
                )


def refuse_kind(estimator, dtype, what):
    """Refuse a dtype of complex numbers, of times or of strings."""
    kind = getattr(dtype, "kind", "O")
    if kind == "c":
        raise ValueError(
            f"Complex data not supported: {what} has dtype {dtype}, but "
            f"{_name(estimator)} expects real numbers."
        )
    if kind in "mM":
        raise ValueError(
            f"{what} has dtype {dtype}, but {_name(estimator)} expects numbers; "
            f"{_for_times(estimator, what)}."
        )
    # NumPy's own have no other kinds, and take long to write their names.
    of_others = not isinstance(dtype, np.dtype)
    if kind in "USTV" or (of_others and str(dtype) in ("str", "string")):
        raise ValueError(
            f"could not convert string to float: {what} has dtype {dtype}, but "
            f"{_name(estimator)} expects numbers.{_for_strings(estimator, what)}"
        )


@contextmanager
def nan_explained():
    """Put what helps with sequences in place of scikit-learn's advice for rows."""
    try:
        yield
    except ValueError as error:
        found, of_sklearn, _ = str(error).partition(" encoded as NaN natively.")
        if not of_sklearn:
            raise
        raise ValueError(
            f"{found}: fill them, as SequenceWise(SimpleImputer()) before it does, or "
            "leave those sequences out."
        ) from None


def _for_times(estimator, what):
    """Say where dates belong: in the index of a series that is forecast."""
    if what.endswith("y") and _name(estimator) == "Forecaster":
        return (
            "dates belong into the index, as in frame.set_index('ds')['y'], and a long "
            "frame of several series is for Forecaster.from_long"
        )
    return "turn times into numbers first"


def _for_strings(estimator, what):
    """Say what reads strings: a transformer before a network, or a classifier."""
    name = _name(estimator)
    if what[0] == "y" and name.endswith("Regressor"):
        return f" For labels take {name.removesuffix('Regressor')}Classifier."
    if what[0] == "X" and hasattr(estimator, "embedding_dim"):
        made = f"make_pipeline(TextSequencer(), {name}(embedding_dim=32))"
        return f" For texts and words put a TextSequencer before it: {made}."
    return ""


def is_object(array):
    """Whether `array` has elements of any type."""
    return getattr(getattr(array, "dtype", None), "kind", None) == "O"


def objects_as_numbers(estimator, array, what):
    """Return an object array as one of numbers; what is missing becomes NaN.

    Raises
    ------
    ValueError
        For an element that is no number, such as a date.
    """
    missing = np.array([v is None or is_pandas_na(v) for v in array], dtype=bool)
    for value in array[~missing]:
        if not isinstance(value, Number | np.bool_):
            raise ValueError(
                f"{what} holds {value!r:.60} of type {type(value).__name__}, but "
                f"{_name(estimator)} expects numbers."
            )
    if missing.any():
        array = np.where(missing, np.nan, array)
    found = np.array(array.tolist())
    return found.astype(np.float64) if is_object(found) else found


def as_integers(array):
    """Return an object array of integers as an integer array; any other as it is."""
    if not is_object(array):
        return array
    found = np.array(array.tolist())
    return found if found.dtype.kind in "iu" else array


def common_dtype(arrays) -> np.dtype:
    """Return the dtype that holds the numbers of all arrays; integers stay integers.

    NumPy makes floats of int64 and uint64 together. Here they become floats only if
    neither of the two types holds all of them.
    """
    dtype: Any = np.result_type(*{array.dtype for array in arrays})
    if dtype.kind in "iu" or any(array.dtype.kind not in "iu" for array in arrays):
        return dtype
    ends = [int(end) for x in arrays if x.size for end in (x.min(), x.max())]
    if max(ends, default=0) <= np.iinfo(np.int64).max:
        return np.dtype(np.int64)
    return dtype if min(ends) < 0 else np.dtype(np.uint64)


def as_one_dtype(arrays):
    """Return arrays of numbers with the `common_dtype` of all."""
    if len({array.dtype for array in arrays}) == 1 or any(map(is_object, arrays)):
        return arrays
    dtype = common_dtype(arrays)
    return [array.astype(dtype, copy=False) for array in arrays]


def warn_of_rounding(X, values, integers=None, *, what="X"):
    """Warn if X holds integers that float32 may have rounded.

    Parameters
    ----------
    X : ndarray
        As it was given.
    values : ndarray of shape (..., n_columns)
    integers : ndarray of shape (n_columns,) or None
        Which columns held integers before they became one array, if X was a frame.
    what : str, default="X"
        What to call X.
    """
    if not X.size:
        return
    if X.dtype.kind not in "iu":
        if integers is None or not integers.any():
            return
        values = values[..., integers]
    if max(values.max(), -values.min()) >= _FIRST_ROUNDED:
        warnings.warn(
            f"{what} holds integers from 2**24 = {_FIRST_ROUNDED} on, where float32 "
            f"can't tell neighbours apart; subtract an offset or scale {what} first.",
            stacklevel=2,
        )


def warn_of_lost_numbers(X, *, names=None, what="X", axis=None, apart=1, starts=()):
    """Warn if float32, to which X is cast, can hardly tell values of a feature apart.

    A feature is warned about if fewer than 32 numbers of float32 lie within the middle
    half of its values, from quartile to quartile: the time in seconds since 1970, over
    an hour, say. So is a feature whose steps mostly round to the same float32 number:
    such times over a year, with an hour in each sequence. There is no warning for
    features that are constant except for rounding, nor for float32 numbers in another
    type. At most 4,096 rows of a table, or 16 steps of 512 sequences, are looked at,
    which is fast compared with an epoch.

    Parameters
    ----------
    X : ndarray of shape (n, n_features) or (n, T, n_features)
        As it was given: float32 loses nothing, and integers have a warning of their
        own.
    names : sequence or None
        Of the features.
    what : str, default="X"
        What to call X.
    axis : int or None, default=None
        Axis of the steps; None is the last but one. The columns of a table (n, T) are
        steps of one feature.
    apart : int, default=1
        Rows from one step to the next.
    starts : sequence of int
        First rows of sequences, if a table isn't one sequence.
    """
    if X.dtype.kind not in "fO" or X.dtype.itemsize <= 4 or not X.size:
        return
    axis = X.ndim - 2 if axis is None else axis
    if axis and len(X) > _FEWER:
        X = X[np.linspace(0, len(X) - 1, _FEWER).astype(int)]
    # Numbers beyond float32 are refused elsewhere, or left to the user.
    with np.errstate(over="ignore", invalid="ignore"):
        problem = _lost_spread(X, names, what) or _lost_steps(
            X, names, what, axis, apart, starts
        )
    if problem:
        warnings.warn(problem, stacklevel=2)


def _places(n, axis):
    """Return the indices to look at along an axis of length n."""
    return np.linspace(0, n - 1, min(n, _LOOKED_AT[axis])).astype(int)


def _at(X, places, axis):
    # `take` would copy the whole array first.
    return (X[places] if axis == 0 else X[:, places]).astype(np.float64)


def _lost_spread(X, names, what):
    """Describe a feature whose values float32 can't tell apart; None if it can."""
    axis = X.ndim - 2
    rows = _at(X, _places(X.shape[axis], axis), axis).reshape(-1, X.shape[-1])
    low, high = np.quantile(rows, [0.25, 0.75], axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    spread = high - low
    steps = spread / np.spacing(size.astype(np.float32))
    lost = (spread > _CONSTANT * size) & (steps < _FEWEST_STEPS)
    # Values that float32 represents exactly have nothing to lose.
    lost[lost] = (rows[:, lost] != rows[:, lost].astype(np.float32)).any(axis=0)
    for i in np.flatnonzero(lost)[:1]:
        return (
            f"Feature {_called(i, names)} of {what} has half of its values between "
            f"{low[i]:.12g} and {high[i]:.12g}, where float32 has only {steps[i]:.0f} "
            "numbers to tell them apart: the network would be trained on what rounding "
            "leaves. Subtract an offset first, as StandardScaler does."
        )
    return None


def _lost_steps(X, names, what, axis, apart, starts):
    """Describe a feature whose steps float32 rounds away; None if there is none."""
    if X.shape[axis] <= apart:
        return None
    is_table = axis == X.ndim - 1
    first = _places(X.shape[axis] - apart, axis)
    first = first[~np.isin(first + apart, starts)]
    if not len(first):
        return None
    before, after = (
        _at(X, places, axis).reshape(-1, 1 if is_table else X.shape[-1])
        for places in (first, first + apart)
    )
    size = np.maximum(np.abs(before), np.abs(after))
    lost = np.abs(after - before) > _CONSTANT * size
    lost &= before.astype(np.float32) == after.astype(np.float32)
    shares = lost.mean(axis=0)
    for i in np.flatnonzero(shares > _MOST_LOST)[:1]:
        feature = what if is_table else f"Feature {_called(i, names)} of {what}"
        return (
            f"{feature} changes from step to step, but in {shares[i]:.0%} of the steps "
            f"by less than float32 can tell at numbers up to {size[:, i].max():.12g}: "
            "to the network it would stand still. Subtract an offset of each sequence "
            "first, such as its first step."
        )
    return None


def _called(i, names):
    return i if names is None else repr(names[i])


def _name(estimator):
    return type(estimator).__name__
