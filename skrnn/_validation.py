"""The only place that knows 2-D, 3-D, ragged and token input, and their errors."""

import warnings
from dataclasses import replace

import numpy as np
from sklearn.utils.validation import (
    _check_feature_names,
    _num_samples,
    check_array,
    validate_data,
)

from skrnn._sequences import (
    Sequences,
    pack_dense,
    pack_ragged,
    pack_windows,
    ragged_array,
)
from skrnn._token_ids import vocabulary_of
from skrnn._tokens import read_tokens, refuse_other_words

_SHAPES = (
    "an array of shape (n_samples, n_timesteps, n_features) or "
    "(n_samples, n_timesteps), or a list of (n_timesteps, n_features) arrays"
)
# From here on float32 skips integers.
_FIRST_ROUNDED = 2**24


def check_sequences(
    estimator,
    X,
    *,
    reset,
    dtype=np.float32,
    ensure_min_samples=1,
    tokens=None,
    vocabulary_size=None,
) -> Sequences:
    """Read any accepted X as packed sequences.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_``, and what it knows of the words
        of token ids, are set when `reset`, and compared with X otherwise; its class is
        named in error messages.
    X : array-like or list of array-likes
        (n, T, F), (n, T), or a list of (T_i, F) or (T_i,) arrays.
    reset : bool
        Whether this is the X of ``fit``.
    dtype : dtype or list of dtypes, default=float32
        As in :func:`sklearn.utils.check_array`.
    ensure_min_samples : int, default=1
        Fewer sequences are an error.
    tokens : bool or None, default=None
        Read X as token ids: integers, 0 is padding before and after a sequence. False
        refuses ids of a vocabulary, None reads them as any numbers.
    vocabulary_size : int, tuple of int or None
        Token ids at or above it, or at or above that of their channel, are an error.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words where it has them.
    """
    if isinstance(X, list | tuple) and len(X) and not is_ragged(X):
        # Lists that happen to be equally long stay what those of fit were.
        fitted_on_ragged = not reset and getattr(estimator, "_form", "") == "ragged"
        X = ragged_array([np.asarray(x) for x in X]) if fitted_on_ragged else X
        X = X if fitted_on_ragged else np.asarray(X)
    vocabulary = vocabulary_of(X)
    if vocabulary is not None and tokens is False:
        raise ValueError(
            "X holds token ids of a vocabulary, whose size and order mean nothing, but "
            f"{_name(estimator)} reads numbers: set embedding_dim, or give an "
            "embedding_matrix."
        )
    refuse_odd_types(estimator, X)
    options = {"dtype": None if tokens else dtype, "min_samples": ensure_min_samples}
    if is_ragged(X):
        sequences = _read_ragged(estimator, X, **options)
    elif _ndim(X) == 3:
        sequences = _read_dense(estimator, X, **options)
    else:
        sequences = _read_columns(estimator, X, reset=reset, tokens=tokens, **options)
    if tokens:
        _check_words(estimator, vocabulary, reset=reset)
        sequences = read_tokens(_name(estimator), sequences, vocabulary_size)
        sequences = replace(sequences, vocabulary=vocabulary)
    if sequences.form != "columns" or tokens or _fitted_on_steps(estimator, reset):
        _check_feature_names(estimator, X, reset=reset)
        _check_n_features(estimator, sequences, reset=reset)
    if reset:
        estimator._form = sequences.form
    return sequences


def _check_words(estimator, vocabulary, *, reset):
    if reset:
        # The dict itself: in a pickle of a Pipeline its transformer has the same one.
        estimator._words = vocabulary
    else:
        known = getattr(estimator, "_words", None)
        refuse_other_words(_name(estimator), known, vocabulary)


def is_ragged(X) -> bool:
    """Whether X is a list of sequences rather than one rectangular array."""
    if _is_object(X) and _ndim(X) == 1:
        return True
    if not isinstance(X, list | tuple) or not len(X):
        return False
    if all(isinstance(x, np.ndarray) and x.ndim > 0 for x in X):
        return True
    return len({_length(x) for x in X}) > 1 or not _is_rectangular(X)


def _is_rectangular(X):
    try:
        np.asarray(X)
    except ValueError:
        return False
    return True


def _ndim(X):
    # numpy.ndim would hand array-likes of other libraries back to themselves.
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def _is_object(X):
    return getattr(getattr(X, "dtype", None), "kind", None) == "O"


def check_equal_lengths(X: Sequences, arrays, name):
    """Refuse sequences `name` that are not as long as those of X, naming the first."""
    for i, (length, array) in enumerate(zip(X.lengths, arrays, strict=True)):
        if array.ndim == 0:
            raise ValueError(
                f"{name}[{i}] is {array.item()!r}, but X[{i}] has {length} time steps; "
                "with return_sequences=True every step needs a value."
            )
        if len(array) != length:
            raise ValueError(
                f"{name}[{i}] has {len(array)} time steps, but X[{i}] has {length}; "
                "with return_sequences=True every step needs a value."
            )


def _length(x):
    try:
        return -1 if isinstance(x, str) else len(x)
    except TypeError:
        return -1


def _name(estimator):
    return type(estimator).__name__


def refuse_odd_types(estimator, X):
    dtypes = getattr(X, "dtypes", None)
    if dtypes is not None and hasattr(X, "columns"):
        # Those of polars can't be the same, nor be asked.
        if not getattr(X.columns, "is_unique", True):
            twice = X.columns[X.columns.duplicated()][0]
            raise ValueError(f"X has more than one column named {twice!r}.")
        for column, dtype in zip(X.columns, dtypes, strict=True):
            _refuse_kind(estimator, dtype, f"Column {column!r} of X")
            if getattr(dtype, "kind", "O") == "O":
                column_values = np.asarray(X[column])
                refuse_non_numbers(estimator, column_values, f"Column {column!r} of X")
    elif hasattr(X, "dtype"):
        refuse_non_numbers(estimator, X, "X")


def refuse_non_numbers(estimator, array, what):
    """Refuse an array that can't be read as real numbers, calling it `what`."""
    refuse_masked(array, what)
    _refuse_kind(estimator, array.dtype, what)
    if _is_object(array):
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


def _refuse_kind(estimator, dtype, what):
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


def _check_values(estimator, values, *, dtype, min_samples=1):
    """Run scikit-learn's checks on an array of any number of dimensions."""
    # A float64 beyond float32's range becomes inf, which the same call reports.
    with np.errstate(over="ignore"):
        checked = check_array(
            values,
            dtype=dtype,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=min_samples,
            estimator=estimator,
            input_name="X",
        )
    _warn_of_rounding(values, checked)
    return checked


def _warn_of_rounding(X, values):
    """Warn if integers of X are others in the float32 array `values`."""
    dtypes = [X.dtype] if hasattr(X, "dtype") else getattr(X, "dtypes", [])
    integers = [getattr(dtype, "kind", "O") in "iu" for dtype in dtypes]
    if values.dtype != np.float32 or not any(integers):
        return
    values = values if all(integers) else values[:, integers]
    if max(values.max(), -values.min()) >= _FIRST_ROUNDED:
        warnings.warn(
            f"X holds integers from 2**24 = {_FIRST_ROUNDED} on, where float32 can't "
            "tell neighbours apart; subtract an offset or scale X first.",
            stacklevel=2,
        )


def _read_columns(estimator, X, *, reset, tokens, dtype, min_samples):
    _refuse_dimensions(estimator, X)
    options = dict(dtype=dtype, ensure_min_samples=min_samples)
    with np.errstate(over="ignore"):
        if tokens or _fitted_on_steps(estimator, reset):
            checked = check_array(X, estimator=estimator, input_name="X", **options)
        else:
            checked = validate_data(estimator, X, reset=reset, **options)
    _warn_of_rounding(X, checked)
    return pack_dense(checked, "columns")


def _fitted_on_steps(estimator, reset):
    """Tell that fit saw (n, T, F) or ragged X: a 2-D one has steps of one feature."""
    return not reset and getattr(estimator, "_form", "columns") != "columns"


def _refuse_dimensions(estimator, X):
    if _ndim(X) == 0:
        raise TypeError(
            f"X is {_describe(X)}, but {_name(estimator)} expects {_SHAPES}."
        )
    if _ndim(X) == 1 and len(X):
        raise ValueError(
            f"Expected 2D or 3D array, got 1D array instead (shape={(len(X),)}): "
            f"{_name(estimator)} expects {_SHAPES}. Reshape your data, or make windows "
            "of a series with SlidingWindow."
        )
    if _ndim(X) == 1:
        raise ValueError(
            "Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is "
            f"required by {_name(estimator)}."
        )
    if _ndim(X) > 3:
        raise ValueError(
            f"Found array with dim {_ndim(X)} and shape {np.asarray(X).shape}; "
            f"{_name(estimator)} expects {_SHAPES}."
        )


def _read_dense(estimator, X, *, dtype, min_samples):
    windows = pack_windows(X) if isinstance(X, np.ndarray) else None
    if windows is not None and len(X) >= min_samples:
        values = _check_values(estimator, windows.values, dtype=dtype)
        return replace(windows, values=values)
    X = _check_values(estimator, X, dtype=dtype, min_samples=min_samples)
    for axis, what in ((1, "timestep(s)"), (2, "feature(s)")):
        if X.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 is "
                f"required by {_name(estimator)}."
            )
    return pack_dense(X, "dense")


def _read_ragged(estimator, X, *, dtype, min_samples):
    if _num_samples(X) < min_samples:
        raise ValueError(
            f"Found {len(X)} sequence(s) while a minimum of {min_samples} is required "
            f"by {_name(estimator)}: n_samples = {len(X)}."
        )
    arrays = [_read_sequence(estimator, i, x) for i, x in enumerate(X)]
    check_same_width(arrays)
    sequences = pack_ragged(arrays)
    if sequences.values.dtype.kind in "iu" and dtype is None:
        return sequences
    values = sequences.values.reshape(len(sequences.values), -1)
    return replace(sequences, values=_check_values(estimator, values, dtype=dtype))


def _read_sequence(estimator, i, x):
    try:
        # A masked array stays one, to be refused.
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
    except ValueError:
        array = np.empty((), dtype=object)
    if array.ndim not in (1, 2) or (array.dtype == object and _holds_sequences(array)):
        raise ValueError(
            f"X[{i}] is {_describe(x)}; in a list every sequence must be an array of "
            "numbers of shape (n_timesteps, n_features) or (n_timesteps,)."
        )
    refuse_non_numbers(estimator, array, f"X[{i}]")
    if 0 in array.shape:
        what = "time steps" if len(array) == 0 else "features"
        raise ValueError(f"X[{i}] has no {what}; every sequence needs at least one.")
    return array


def _holds_sequences(array):
    return any(_length(x) >= 0 for x in array.ravel())


def _describe(x):
    if x is None:
        return "None"
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}"
    return f"of type {type(x).__name__}"


def check_same_width(arrays, name="X", what="features"):
    """Refuse arrays (T_i, F) that differ in F, naming the first."""
    for i, array in enumerate(arrays):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"All sequences need the same number of {what}: {name}[{i}] has shape "
                f"{array.shape}, but {name}[0] has shape {arrays[0].shape}."
            )


def _check_n_features(estimator, sequences, *, reset):
    if reset:
        estimator.n_features_in_ = sequences.n_features
        return
    # Fitted on (n, T): n_features_in_ counts columns, but a step has one feature.
    columns = getattr(estimator, "_form", None) == "columns"
    expected = 1 if columns else estimator.n_features_in_
    if sequences.n_features != expected:
        raise ValueError(
            f"X has {sequences.n_features} features, but {_name(estimator)} is "
            f"expecting {expected} features as input."
        )
