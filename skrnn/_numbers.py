"""What can be read as real numbers, and what float32 keeps of them."""

import warnings
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils._missing import is_pandas_na

# From here on float32 skips integers.
_FIRST_ROUNDED = 2**24
# Fewer steps of float32 than this within the middle half of a feature's values are too
# few: rounding moves a value by up to 2 % of their spread then.
_FEWEST_STEPS = 32
# A spread below this share of the values is float64's own rounding of a constant.
_CONSTANT = 1e-12
# Rows, and steps of each, that are looked at: as many tell the middle half.
_LOOKED_AT = 4096, 64


def refuse_non_numbers(estimator, array, what):
    """Refuse an array that can't be read as real numbers, calling it `what`."""
    refuse_masked(array, what)
    refuse_kind(estimator, array.dtype, what)
    if is_object(array):
        strings = (v for v in np.ravel(array) if isinstance(v, str | bytes))
        for string in strings:
            raise ValueError(
                f"could not convert string to float: {what} holds "
                f"{str(string)[:40]!r}, but {_name(estimator)} expects numbers."
            )


def refuse_masked(array, what):
    """Refuse an array with masked values, which NumPy's functions read as data."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise TypeError(
            f"{what} is a masked array with masked values, which would be read as "
            "data; fill them or leave them out."
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
            "turn times into numbers first."
        )
    if kind in "USTV" or str(dtype) in ("str", "string"):
        raise ValueError(
            f"could not convert string to float: {what} has dtype {dtype}, but "
            f"{_name(estimator)} expects numbers."
        )


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
    """Return an object array of integers as what it holds; any other as it is."""
    if not is_object(array):
        return array
    found = np.array(array.tolist())
    return found if found.dtype.kind in "iu" else array


def common_dtype(arrays) -> np.dtype:
    """Return the dtype that holds the numbers of all arrays; integers stay integers.

    NumPy makes floats of int64 and uint64 together, which they become only where
    neither type holds them all.
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
    """Warn if integers of X are others in the float32 array `values`.

    Parameters
    ----------
    X : ndarray
        As it was given.
    values : ndarray of shape (..., n_columns)
    integers : ndarray of shape (n_columns,) or None
        Which columns held integers before they stood together, if any had names.
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


def warn_of_lost_spread(X, *, names=None, what="X"):
    """Warn if float32, to which X is cast, can hardly tell a feature's values apart.

    A feature is warned about if fewer than 32 numbers of float32 lie within the middle
    half of its values, from quartile to quartile: the time in seconds since 1970, over
    an hour, say. What is constant but for the rounding of float64 isn't. At most 4,096
    rows, and 64 steps of each sequence, are looked at.

    Parameters
    ----------
    X : ndarray of shape (n, n_features) or (n, T, n_features)
        As it was given: float32 has nothing to lose, integers have a warning of their
        own.
    names : sequence or None
        Of the features.
    what : str, default="X"
        What to call X.
    """
    if X.dtype.kind not in "fO" or X.dtype.itemsize <= 4 or not X.size:
        return
    for axis, n in enumerate(_LOOKED_AT[: X.ndim - 1]):
        if X.shape[axis] > n:
            seen = np.linspace(0, X.shape[axis] - 1, n).astype(int)
            # Unlike take, this never copies all of an array first.
            X = X[seen] if axis == 0 else X[:, seen]
    rows = X.reshape(-1, X.shape[-1]).astype(np.float64)
    low, high = np.quantile(rows, [0.25, 0.75], axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    spread = high - low
    steps = spread / np.spacing(size.astype(np.float32))
    lost = (spread > _CONSTANT * size) & (steps < _FEWEST_STEPS)
    for i in np.flatnonzero(lost)[:1]:
        feature = i if names is None else repr(names[i])
        warnings.warn(
            f"Feature {feature} of {what} has half of its values between {low[i]:.12g} "
            f"and {high[i]:.12g}, where float32 has only {steps[i]:.0f} numbers to "
            "tell them apart: the network would be trained on what rounding leaves. "
            "Subtract an offset first, as StandardScaler does.",
            stacklevel=2,
        )


def _name(estimator):
    return type(estimator).__name__
