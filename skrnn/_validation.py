"""The only place that knows 2-D, 3-D, ragged and token input, and their errors."""

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
    strip_padding,
)

_SHAPES = (
    "an array of shape (n_samples, n_timesteps, n_features) or "
    "(n_samples, n_timesteps), or a list of (n_timesteps, n_features) arrays"
)


def check_sequences(
    estimator,
    X,
    *,
    reset,
    dtype=np.float32,
    ensure_min_samples=1,
    tokens=False,
    vocabulary_size=None,
) -> Sequences:
    """Read any accepted X as packed sequences.

    Parameters
    ----------
    estimator : estimator
        Its ``n_features_in_`` and ``feature_names_in_`` are set when `reset`, and
        compared with X otherwise; its class is named in error messages.
    X : array-like or list of array-likes
        (n, T, F), (n, T), or a list of (T_i, F) or (T_i,) arrays.
    reset : bool
        Whether this is the X of ``fit``.
    dtype : dtype or list of dtypes, default=float32
        As in :func:`sklearn.utils.check_array`.
    ensure_min_samples : int, default=1
        Fewer sequences are an error.
    tokens : bool, default=False
        Read X as token ids: integers, 0 is padding before and after a sequence.
    vocabulary_size : int or None
        Token ids at or above it are an error.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words where it has them.
    """
    _refuse_odd_types(estimator, X)
    options = {"dtype": None if tokens else dtype, "min_samples": ensure_min_samples}
    if is_ragged(X):
        sequences = _read_ragged(estimator, X, **options)
    elif _ndim(X) == 3:
        sequences = _read_dense(estimator, X, **options)
    else:
        sequences = _read_columns(estimator, X, reset=reset, tokens=tokens, **options)
    if tokens:
        sequences = _read_tokens(estimator, sequences, vocabulary_size)
    if sequences.form != "columns" or tokens:
        _check_feature_names(estimator, X, reset=reset)
        _check_n_features(estimator, sequences, tokens=tokens, reset=reset)
    if reset:
        estimator._form = sequences.form
    return sequences


def is_ragged(X) -> bool:
    """Whether X is a list of sequences rather than one rectangular array."""
    if _is_object(X) and _ndim(X) == 1:
        return True
    if not isinstance(X, list | tuple) or not len(X):
        return False
    if all(isinstance(x, np.ndarray) and x.ndim > 0 for x in X):
        return True
    return len({_length(x) for x in X}) > 1


def _ndim(X):
    # numpy.ndim would hand array-likes of other libraries back to themselves.
    return X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim


def _is_object(X):
    return getattr(getattr(X, "dtype", None), "kind", None) == "O"


def check_equal_lengths(X: Sequences, arrays, name):
    """Refuse sequences `name` that are not as long as those of X, naming the first."""
    for i, (length, array) in enumerate(zip(X.lengths, arrays, strict=True)):
        if len(array) != length:
            raise ValueError(
                f"{name}[{i}] has {len(array)} time steps, but X[{i}] has {length}; "
                "with return_sequences=True every step needs a value."
            )


def _length(x):
    return len(x) if hasattr(x, "__len__") and not isinstance(x, str) else -1


def _name(estimator):
    return type(estimator).__name__


def _refuse_odd_types(estimator, X):
    dtypes = getattr(X, "dtypes", None)
    if dtypes is not None and hasattr(X, "columns"):
        if not X.columns.is_unique:
            twice = X.columns[X.columns.duplicated()][0]
            raise ValueError(f"X has more than one column named {twice!r}.")
        for column, kind in zip(X.columns, dtypes, strict=True):
            _refuse_kind(estimator, kind, f"Column {column!r} of X")
    elif isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise TypeError(
            f"X is a masked array with masked values, which {_name(estimator)} would "
            "read as data; fill them or leave those steps out (ragged sequences)."
        )
    elif hasattr(X, "dtype"):
        _refuse_kind(estimator, X.dtype, "X")


def _refuse_kind(estimator, dtype, what):
    kind = getattr(dtype, "kind", "O")
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
        return check_array(
            values,
            dtype=dtype,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=min_samples,
            estimator=estimator,
            input_name="X",
        )


def _read_columns(estimator, X, *, reset, tokens, dtype, min_samples):
    _refuse_dimensions(estimator, X)
    options = dict(dtype=dtype, ensure_min_samples=min_samples)
    with np.errstate(over="ignore"):
        if tokens or _was_fitted_on_one_channel(estimator, reset):
            X = check_array(X, estimator=estimator, input_name="X", **options)
        else:
            X = validate_data(estimator, X, reset=reset, **options)
    return pack_dense(X, "columns")


def _was_fitted_on_one_channel(estimator, reset):
    """Tell that a 2-D X can only be univariate sequences: fit saw one feature."""
    fitted_on_steps = getattr(estimator, "_form", "columns") != "columns"
    return not reset and fitted_on_steps and estimator.n_features_in_ == 1


def _refuse_dimensions(estimator, X):
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
    _check_same_width(arrays)
    sequences = pack_ragged(arrays)
    if sequences.values.dtype.kind in "iu" and dtype is None:
        return sequences
    values = sequences.values.reshape(len(sequences.values), -1)
    return replace(sequences, values=_check_values(estimator, values, dtype=dtype))


def _read_sequence(estimator, i, x):
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty((), dtype=object)
    if array.ndim not in (1, 2) or (array.dtype == object and _holds_sequences(array)):
        raise ValueError(
            f"X[{i}] is {_describe(x)}, but {_name(estimator)} expects {_SHAPES}."
        )
    _refuse_kind(estimator, array.dtype, f"X[{i}]")
    if 0 in array.shape:
        what = "time steps" if len(array) == 0 else "features"
        raise ValueError(f"X[{i}] has no {what}; every sequence needs at least one.")
    return array


def _holds_sequences(array):
    return any(hasattr(x, "__len__") for x in array.ravel())


def _describe(x):
    kind = type(x).__name__
    return f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {kind}"


def _check_same_width(arrays):
    first = arrays[0].shape[1:]
    for i, array in enumerate(arrays):
        if array.shape[1:] != first:
            raise ValueError(
                f"All sequences need the same number of features: X[{i}] has shape "
                f"{array.shape}, but X[0] has shape {arrays[0].shape}."
            )


def _read_tokens(estimator, sequences, vocabulary_size):
    values = sequences.values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(
            f"With embedding_dim set, {_name(estimator)} expects X to hold token ids: "
            "integers of shape (n_samples, n_timesteps) or a list of integer "
            f"sequences. Got {sequences.n_features} feature(s) of dtype {values.dtype}."
        )
    if values.min() < 0:
        raise ValueError(f"Token ids must not be negative: X contains {values.min()}.")
    if vocabulary_size is not None and values.max() >= vocabulary_size:
        raise ValueError(
            f"X contains the token id {values.max()}, but {_name(estimator)} was "
            f"fitted with ids below {vocabulary_size}."
        )
    return strip_padding(replace(sequences, values=values.astype(np.int32)))


def _check_n_features(estimator, sequences, *, tokens, reset):
    if reset:
        estimator.n_features_in_ = sequences.n_features
        return
    # Fitted on (n, T): n_features_in_ counts columns, but a step has one feature.
    columns = getattr(estimator, "_form", None) == "columns"
    expected = 1 if columns or tokens else estimator.n_features_in_
    if sequences.n_features != expected:
        raise ValueError(
            f"X has {sequences.n_features} features, but {_name(estimator)} is "
            f"expecting {expected} features as input."
        )
