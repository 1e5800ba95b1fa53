"""Frames as X: their numbers, and the names and order of columns that fit saw."""

import re
import warnings
from collections.abc import Mapping

import numpy as np

from skrnn._data.finite import check_array
from skrnn._data.frames.columns import (
    as_known,
    as_plain,
    at_once,
    column_labels,
    columns_of,
    first_frame,
    frames_in,
    is_column,
    is_frame,
)
from skrnn._data.frames.numbers import (
    called,
    common_dtype,
    is_object,
    objects_as_numbers,
    refuse_kind,
    refuse_non_numbers,
)
from skrnn._data.rows.labels import read_labels
from skrnn._data.warn import warn
from skrnn._sklearn import check_feature_names, check_n_columns, naming

# Enough to tell times from names: strings take long to read.
_N_LABELS = 100


def check_names(estimator, X, *, reset, what="X", attribute="feature_names_in_"):
    """Check a frame, or a list of frames, against the names of columns of ``fit``.

    The order of columns is checked too. Call it wherever an X of any form is read:
    arrays are compared too. All errors and warnings are in scikit-learn's words.

    Parameters
    ----------
    estimator : object
        Its ``feature_names_in_`` is set, or deleted where X has no names, when `reset`,
        and compared with X otherwise; its class is named in messages.
    X : any
        A frame of pandas, polars or pyarrow; a list, tuple, object array or Series of
        them, whose columns are the features of a step; anything else has no names.
    reset : bool
        Whether this is the X of ``fit``.
    what : str, default="X"
        What to call it.
    attribute : str, default="feature_names_in_"
        Where `estimator` has the names.

    Raises
    ------
    ValueError
        If the names or their order aren't those of ``fit``, or if the frames of a list
        differ from each other in them.
    """
    if _has_no_names(X):
        # scikit-learn takes long to find that out.
        if reset:
            vars(estimator).pop(attribute, None)
        if getattr(estimator, attribute, None) is None:
            return
    what = called(estimator, what)
    X = _representative(X, what)
    if attribute == "feature_names_in_" and what == "X":
        check_feature_names(estimator, X, reset=reset)
        return
    # scikit-learn's function always uses `feature_names_in_` and calls it X.
    known = type(type(estimator).__name__, (), {})()
    names = getattr(estimator, attribute, None)
    if names is not None:
        known.feature_names_in_ = names
    has_names, found = names is not None, _string_labels(X) is not None
    if not reset and has_names != found:
        given, fitted = ("has", "without") if found else ("does not have valid", "with")
        warnings.warn(
            f"{what} {given} feature names, but {type(estimator).__name__} was fitted "
            f"{fitted} feature names",
            stacklevel=2,
        )
        return
    try:
        check_feature_names(known, X, reset=reset)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    if reset:
        setattr(estimator, attribute, getattr(known, "feature_names_in_", None))


def _has_no_names(X):
    """Whether X is plainly an array of numbers, or a list of texts."""
    if isinstance(X, list):
        return len(X) > 0 and all(type(x) is str for x in X)
    return type(X) is np.ndarray and X.dtype.kind != "O"


def frame_as_array(estimator, frame, what="X"):
    """Return the numbers of a frame.

    Parameters
    ----------
    estimator : estimator
        Named in errors.
    frame : frame
    what : str, default="X"
        What to call it.

    Returns
    -------
    array : ndarray of shape (n, n_columns)
        Integers stay integers, also nullable ones and several types of them. Memory is
        shared if the frame has it in one piece.

    Raises
    ------
    ValueError
        That names a column which occurs twice, doesn't hold numbers, or has missing
        values.
    """
    array = _numbers_of(estimator, frame, what)
    _refuse_missing(estimator, array, what, column_labels(frame))
    return array


def table_as_array(estimator, frame, *, reset):
    """Return the numbers of a frame that is X itself, after its names were checked.

    Errors come in scikit-learn's order: not a number, wrong names, missing values.
    """
    array = _numbers_of(estimator, frame, "X")
    check_names(estimator, frame, reset=reset)
    _refuse_missing(estimator, array, "X", column_labels(frame))
    return array


def read_table(estimator, X, *, reset, **options):
    """Read rows of numbers as scikit-learn's ``validate_data`` does, or a frame's."""
    if is_frame(X):
        values = table_as_array(estimator, X, reset=reset)
    else:
        check_names(estimator, X, reset=reset)
        if is_column(X):
            raise ValueError(
                "Expected 2D array, got a Series instead: X needs a column for each "
                "feature, as X.to_frame() has."
            )
        values = as_plain(X)
    if hasattr(values, "dtype"):
        refuse_non_numbers(estimator, values, "X")
    with naming("X"):
        values = check_array(values, estimator=estimator, input_name="X", **options)
    check_n_columns(estimator, values, reset=reset)
    return values


def _numbers_of(estimator, frame, what):
    labels = column_labels(frame)
    _refuse_twice(labels, what)
    array = at_once(frame)
    if array is not None:
        return array
    columns = [
        column_as_array(estimator, column, f"Column {label!r} of {what}")
        for label, column in zip(labels, columns_of(frame), strict=True)
    ]
    return _side_by_side(columns) if columns else np.empty((len(frame), 0))


def column_as_array(estimator, column, what):
    """Return the numbers of a Series, or of an array of pyarrow; NaN is missing."""
    refuse_kind(estimator, getattr(column, "dtype", getattr(column, "type", "")), what)
    array = as_plain(column)
    refuse_non_numbers(estimator, array, what)
    return objects_as_numbers(estimator, array, what) if is_object(array) else array


def sequence_as_array(estimator, x, what):
    """Return the numbers of a frame or a Series; anything else as it is."""
    if is_frame(x):
        return frame_as_array(estimator, x, what)
    if not is_column(x):
        return x
    array = column_as_array(estimator, x, what)
    _refuse_missing(estimator, array, what)
    return array


def step_as_array(estimator, x):
    """Return the features of one step: those of a frame's row, or of a Series.

    If `x` has names, they must be those of the steps of ``fit``. A dict is read by
    these names.
    """
    names = list(getattr(estimator, "feature_names_in_", []))
    named = bool(names) and estimator._form != "columns"
    if is_frame(x):
        if named:
            check_names(estimator, x, reset=False)
        array = frame_as_array(estimator, x, "x")
        return array[0] if len(array) == 1 else array
    labels = list(getattr(x, "index", [])) if is_column(x) else []
    if named and labels and all(isinstance(label, str) for label in labels):
        check_names(estimator, x.to_frame().T, reset=False)
    if isinstance(x, Mapping):
        return _by_name(estimator, x, names if named else None)
    fields = getattr(x, "_fields", None) or getattr(
        getattr(x, "dtype", None), "names", None
    )
    if named and fields:
        _refuse_other_fields(estimator, fields, names)
    return list(x) if fields else as_plain(x)


def _by_name(estimator, x, names):
    if names is None:
        raise TypeError(
            f"x is of type {type(x).__name__}, but {type(estimator).__name__} was "
            "fitted without names of features; expected an array of shape "
            "(n_features,)."
        )
    if set(x) != set(names):
        _refuse_fields(estimator, list(x), names)
    return [x[name] for name in names]


def _refuse_other_fields(estimator, fields, names):
    # Where a column's name is no Python name, pandas' named tuples have _1 and so on.
    pairs = zip(fields, names, strict=False)
    known = [name if re.match(r"_\d+$", field) else field for field, name in pairs]
    if len(fields) != len(names) or known != names:
        _refuse_fields(estimator, list(fields), names)


def _refuse_fields(estimator, fields, names):
    raise ValueError(
        f"x has the names {fields}, but {type(estimator).__name__} was fitted with "
        f"{names}; expected the same in the same order."
    )


def takes_nan(estimator):
    """Whether an estimator reads missing values, as the wrapper of an imputer does."""
    return getattr(estimator, "_takes_nan", False)


def names_of(X):
    """Return the names of the columns of a frame, or of the first of several."""
    return _string_labels(first_frame(X))


def warn_of_time_index(estimator, X):
    """Warn if the rows of a frame are times, since its columns are read as time steps.

    Parameters
    ----------
    estimator : estimator
        It reads each row of X as a sequence; named in the warning.
    X : any
    """
    index = getattr(X, "index", None) if is_frame(X) else None
    levels = getattr(index, "levels", [index])
    times = [level for level in levels if _holds_times(level)]
    if times:
        is_plain = hasattr(times[0], "asi8")
        kind = f"a {type(times[0]).__name__}" if is_plain else "an index of times"
        warn(
            f"The rows of X have {kind}, but to {type(estimator).__name__} every row "
            "is a sequence of its own and the columns are its time steps. If the rows "
            "are the steps of a series, put skrnn.preprocessing.SlidingWindow before "
            "it in a Pipeline; if not, give X.to_numpy().",
        )


def _holds_times(index):
    """Whether the labels of rows are times; only the first ones are looked at."""
    is_known = hasattr(index, "inferred_type")
    return is_known and read_labels(index[:_N_LABELS]).kind == "times"


def _string_labels(frame):
    """Return the names of the columns if they are strings, as names of features are."""
    labels = column_labels(frame) if is_frame(frame) else []
    return labels if labels and all(isinstance(x, str) for x in labels) else None


def _representative(X, what):
    """Return the frame whose names count: X itself, or the first one in a list."""
    if is_frame(X):
        _refuse_twice(column_labels(X), what)
        return as_known(X)
    frames = frames_in(X)
    if not frames:
        return X
    first, *others = frames
    _refuse_twice(column_labels(frames[first]), f"{what}[{first}]")
    for i in others:
        names = f"{what}[{first}]", f"{what}[{i}]"
        _refuse_other_names(frames[first], frames[i], *names)
    nameless = next((i for i in range(len(X)) if i not in frames), None)
    if nameless is not None and _string_labels(frames[first]):
        warnings.warn(
            f"{what}[{nameless}] does not have valid feature names, but "
            f"{what}[{first}] has feature names",
            stacklevel=2,
        )
    return as_known(frames[first])


def _refuse_twice(labels, what):
    if len(set(labels)) < len(labels):
        twice = next(label for i, label in enumerate(labels) if label in labels[:i])
        raise ValueError(f"{what} has more than one column named {twice!r}.")


def _refuse_other_names(one, other, name_of_one, name_of_other):
    labels, others = column_labels(one), column_labels(other)
    if labels == others:
        return
    _refuse_twice(others, name_of_other)
    # Numbers count columns and are no names, unless the same numbers come reordered.
    are_names = _string_labels(one) or _string_labels(other)
    if are_names or (len(labels) == len(others) and set(labels) == set(others)):
        raise ValueError(
            f"{name_of_other} has the columns {others}, but {name_of_one} has "
            f"{labels}; expected the same in the same order."
        )


def _side_by_side(columns):
    array = np.empty((len(columns[0]), len(columns)), common_dtype(columns))
    for i, column in enumerate(columns):
        array[:, i] = column
    return array


def _refuse_missing(estimator, array, what, labels=None):
    if array.dtype.kind != "f" or takes_nan(estimator):
        return
    # Cheap, as in scikit-learn: the sum is NaN if any value is.
    with np.errstate(invalid="ignore", over="ignore"):
        if not np.isnan(array.sum()):
            return
    for row, *column in np.argwhere(np.isnan(array))[:1]:
        where = what if labels is None else f"column {labels[column[0]]!r} of {what}"
        raise ValueError(
            f"Input {what.partition('[')[0]} contains NaN.\n"
            f"{type(estimator).__name__} does not accept missing values, of which "
            f"{where} has one in row {row}: fill them, as a SimpleImputer does (inside "
            "SequenceWise for sequences), or leave the rows out."
        )
