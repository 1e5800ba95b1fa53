"""Reading X: the only place that tells 2-D, 3-D, ragged and token input apart."""

import math
import warnings
from dataclasses import replace

import numpy as np

from skrnn._data.finite import check_array
from skrnn._data.frames.as_arrays import (
    check_names,
    names_of,
    sequence_as_array,
    table_as_array,
    takes_nan,
    warn_of_time_index,
)
from skrnn._data.frames.columns import as_plain, integer_columns, is_column, is_frame
from skrnn._data.frames.numbers import (
    as_integers,
    as_one_dtype,
    called,
    is_object,
    nan_explained,
    refuse_non_numbers,
    warn_of_lost_numbers,
    warn_of_rounding,
)
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import (
    Sequences,
    pack_dense,
    pack_ragged,
    pack_windows,
    ragged_array,
)
from skrnn._data.series_windows import SeriesWindows
from skrnn._data.tokens.checks import check_words, read_tokens
from skrnn._data.tokens.ids import vocabulary_of
from skrnn._sklearn import check_n_columns, naming, num_samples

_SHAPES = (
    "an array of shape (n_samples, n_timesteps, n_features) or "
    "(n_samples, n_timesteps), or a list of (n_timesteps, n_features) arrays"
)

_ONE_SEQUENCE = (
    " For a single sequence give X[:1] rather than X[0], or [X] for a frame: there is "
    "an axis for the sequences."
)


def check_sequences(
    estimator,
    X,
    *,
    reset,
    dtype=np.float32,
    ensure_min_samples=1,
    tokens=None,
    vocabulary_size=None,
    trains=False,
    each_row_is_one=False,
) -> Sequences:
    """Read any accepted X as packed sequences.

    Parameters
    ----------
    estimator : estimator
        If `reset`, its ``n_features_in_``, ``feature_names_in_`` and vocabulary of
        token ids are set, otherwise X is compared with them. Its class is named in
        error messages.
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
    trains : bool, default=False
        Whether a network is trained on X or validated, as it is on that of ``fit``.
    each_row_is_one : bool, default=False
        Whether the rows of a table are sequences: a warning then if they are times.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words where it has them.
    """
    given, vocabulary = X, None
    if type(X) is np.ndarray and X.dtype.kind in "biuf":
        # Numbers alone: there are no columns, words, masks or orders of rows.
        if hasattr(estimator, "feature_names_in_"):
            check_names(estimator, X, reset=reset)
    else:
        if reset and each_row_is_one and not tokens:
            warn_of_time_index(estimator, X)
        X, vocabulary = _as_arrays(estimator, X, reset, tokens)
    options = {"dtype": None if tokens else dtype, "min_samples": ensure_min_samples}
    options |= {"given": given, "trains": reset or trains}
    if is_ragged(X):
        sequences = _read_ragged(estimator, X, **options)
    elif _ndim(X) == 3:
        sequences = _read_dense(estimator, X, **options)
    else:
        options |= {"reset": reset, "tokens": tokens}
        sequences = _read_columns(estimator, X, **options)
    if tokens:
        check_words(estimator, vocabulary, reset=reset)
        sequences = read_tokens(_name(estimator), sequences, vocabulary_size)
        sequences = replace(sequences, vocabulary=vocabulary)
    if sequences.form != "columns" or tokens or _fitted_on_steps(estimator, reset):
        check_n_features(estimator, sequences, reset=reset)
    if reset:
        estimator._form, estimator._longest = sequences.form, sequences.n_timesteps
    return sequences


def _as_arrays(estimator, X, reset, tokens):
    """Return X as arrays of numbers, and the vocabulary of its token ids.

    `tokens` is False where numbers are read, not ids.
    """
    check_order_within(X, "X")
    arrays, vocabulary = _arrays_of(estimator, X, reset), vocabulary_of(X)
    if vocabulary is not None and tokens is False:
        raise ValueError(
            "X holds token ids of a vocabulary, whose size and order mean nothing, but "
            f"{_name(estimator)} reads numbers: set embedding_dim, or give an "
            "embedding_matrix."
        )
    if hasattr(arrays, "dtype"):
        refuse_non_numbers(estimator, arrays, "X")
    return arrays, vocabulary


def _arrays_of(estimator, X, reset):
    """Return rectangular input as an array, and lists of sequences as they are.

    The names of columns are compared with those of ``fit``.
    """
    if is_frame(X):
        return table_as_array(estimator, X, reset=reset)
    check_names(estimator, X, reset=reset)
    if not isinstance(X, list | tuple) or not len(X) or is_ragged(X):
        return as_plain(X)
    # If fit saw lists of different lengths, equally long ones are read the same way.
    if not reset and getattr(estimator, "_form", "") == "ragged":
        return ragged_array(X)
    if not any(is_frame(x) or is_column(x) for x in X):
        return np.asarray(X)
    arrays = [_read_sequence(estimator, i, x) for i, x in enumerate(X)]
    return np.stack(as_one_dtype(arrays))


def is_ragged(X) -> bool:
    """Whether X is a list of sequences rather than one rectangular array."""
    if isinstance(X, np.ndarray) and X.dtype.kind != "O":
        return False
    X = as_plain(X)
    if is_object(X) and _ndim(X) == 1:
        return True
    if not isinstance(X, list | tuple) or not len(X):
        return False
    if all(isinstance(x, np.ndarray) and x.ndim > 0 for x in X):
        return True
    return len({_length(x) for x in X}) > 1 or not _is_rectangular(X)


def _is_rectangular(X):
    if all(is_frame(x) for x in X):
        return len({x.shape for x in X}) == 1
    try:
        np.asarray(X)
    except ValueError:
        return False
    return True


def _ndim(X):
    # numpy.ndim would dispatch to other libraries.
    is_array = hasattr(X, "ndim") and not isinstance(X, type)
    return X.ndim if is_array else np.asarray(X).ndim


def _length(x):
    try:
        return -1 if isinstance(x, str) else len(x)
    except TypeError:
        return -1


def _name(estimator):
    return type(estimator).__name__


def _check_values(
    estimator, values, *, given, trains, dtype, min_samples=1, ensure_2d=False, **steps
):
    """Run scikit-learn's checks on an array of any number of dimensions.

    `steps` are keyword arguments of `warn_of_lost_numbers`: where the steps are.
    """
    # A float64 beyond float32's range becomes inf, which the same call reports.
    with naming("X"), nan_explained(), np.errstate(over="ignore", invalid="ignore"):
        if dtype is np.float32 and _is_ready(values, min_samples, ensure_2d):
            checked = values
        else:
            checked = check_array(
                values,
                dtype=dtype,
                ensure_2d=ensure_2d,
                allow_nd=not ensure_2d,
                ensure_min_samples=min_samples,
                ensure_all_finite="allow-nan" if takes_nan(estimator) else True,
                estimator=estimator,
                input_name="X",
            )
    checked = as_integers(checked) if dtype is None else checked
    # What was float32 has lost nothing.
    was_cast = isinstance(values, np.ndarray) and values is not checked
    if was_cast and checked.dtype == np.float32:
        what = called(estimator)
        warn_of_rounding(values, checked, integer_columns(given), what=what)
        if trains:
            names = names_of(given)
            warn_of_lost_numbers(values, names=names, what=what, **steps)
    return checked


def _is_ready(values, min_samples, ensure_2d):
    """Whether ``check_array`` would return `values` themselves, as float32 numbers.

    ``check_array`` itself takes longer than a small network for one sequence.
    """
    return (
        type(values) is np.ndarray
        and values.dtype == np.float32
        and (values.ndim == 2 or (values.ndim > 2 and not ensure_2d))
        and len(values) >= min_samples
        and values.size > 0
        # The sum of large numbers may be infinite: then they are checked one by one.
        and math.isfinite(np.add.reduce(values, axis=None))
    )


def _read_columns(estimator, X, *, given, reset, tokens, **options):
    _refuse_dimensions(estimator, X, reset)
    options |= {"given": given, "ensure_2d": True, "axis": 1}
    checked = _check_values(estimator, X, **options)
    if not (tokens or _fitted_on_steps(estimator, reset)):
        _check_n_steps(estimator, checked, reset=reset)
    return pack_dense(checked, "columns")


def _check_n_steps(estimator, table, *, reset):
    try:
        check_n_columns(estimator, table, reset=reset)
    except ValueError as error:
        # One column: a single sequence (T, 1) looks like this.
        if table.shape[1] != 1:
            raise
        raise ValueError(f"{error}{_ONE_SEQUENCE}") from None


def _fitted_on_steps(estimator, reset):
    """Whether fit saw (n, T, F) or ragged X, so that a 2-D X has one feature a step."""
    return not reset and getattr(estimator, "_form", "columns") != "columns"


def _refuse_dimensions(estimator, X, reset):
    if _ndim(X) == 0:
        raise TypeError(
            f"X is {_describe(X)}, but {_name(estimator)} expects {_SHAPES}."
        )
    if _ndim(X) == 1 and len(X):
        raise ValueError(
            f"Expected 2D or 3D array, got 1D array instead (shape={(len(X),)}): "
            f"{_name(estimator)} expects {_SHAPES}. Reshape your data, or make windows "
            f"of a series with SlidingWindow.{'' if reset else _ONE_SEQUENCE}"
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


def _read_dense(estimator, X, *, min_samples, **options):
    windows = pack_windows(X) if isinstance(X, np.ndarray | SeriesWindows) else None
    if windows is not None and len(X) >= min_samples:
        options |= {"apart": windows.step}
        values = _check_values(estimator, windows.values, **options)
        return replace(windows, values=values)
    X = _check_values(estimator, X, min_samples=min_samples, **options)
    for axis, what in ((1, "timestep(s)"), (2, "feature(s)")):
        if X.shape[axis] == 0:
            raise ValueError(
                f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 is "
                f"required by {_name(estimator)}."
            )
    return pack_dense(X, "dense")


def _read_ragged(estimator, X, *, min_samples, **options):
    if num_samples(X) < min_samples:
        raise ValueError(
            f"Found {len(X)} sequence(s) while a minimum of {min_samples} is required "
            f"by {_name(estimator)}: n_samples = {len(X)}."
        )
    arrays = [_read_sequence(estimator, i, x) for i, x in enumerate(X)]
    check_same_width(arrays)
    sequences = pack_ragged(as_one_dtype(arrays))
    if sequences.values.dtype.kind in "iu" and options["dtype"] is None:
        return sequences
    values = sequences.values.reshape(len(sequences.values), -1)
    options |= {"starts": sequences.starts}
    return replace(sequences, values=_check_values(estimator, values, **options))


def _read_sequence(estimator, i, x):
    x = sequence_as_array(estimator, x, f"X[{i}]")
    try:
        # A masked array stays masked, so that it is refused later.
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
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}"
    return "None" if x is None else f"of type {type(x).__name__}"


def check_same_width(arrays, name="X", what="features"):
    """Refuse arrays (T_i, F) that differ in F, naming the first."""
    for i, array in enumerate(arrays):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"All sequences need the same number of {what}: {name}[{i}] has shape "
                f"{array.shape}, but {name}[0] has shape {arrays[0].shape}."
            )


def check_n_features(estimator, sequences, *, reset):
    """Keep the number of features, or refuse another one than that of ``fit``."""
    if reset:
        estimator.n_features_in_ = sequences.n_features
        return
    # Fitted on (n, T): n_features_in_ counts columns, but a step has one feature.
    columns = getattr(estimator, "_form", None) == "columns"
    expected = 1 if columns else estimator.n_features_in_
    # An array (T, F) where (n, T, F) is expected.
    as_one = not columns and sequences.form == "columns"
    as_one &= sequences.n_timesteps == expected
    # Documents of one token each are common.
    of_tokens = sequences.values.ndim == 1 and estimator._form == "ragged"
    if sequences.n_features != expected:
        raise ValueError(
            f"X has {sequences.n_features} features, but {_name(estimator)} is "
            f"expecting {expected} features as input."
            f"{_ONE_SEQUENCE if as_one else ''}"
        )
    if as_one and not of_tokens and getattr(estimator, "_longest", 1) > 1:
        warnings.warn(
            f"{called(estimator)} of shape ({len(sequences)}, 1) is read as "
            f"{len(sequences)} sequences of one step.{_ONE_SEQUENCE}",
            stacklevel=2,
        )
