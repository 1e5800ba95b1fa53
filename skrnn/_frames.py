"""The only place that knows frames: those of pandas, polars, pyarrow and their like.

It reads the numbers of their columns, and holds every later frame to their names.
"""

import sys
import warnings
from functools import lru_cache
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils.validation import _check_feature_names

from skrnn._numbers import (
    as_integers,
    common_dtype,
    is_object,
    objects_as_numbers,
    refuse_kind,
    refuse_non_numbers,
)

# Library -> what it calls a frame, and a column of one.
_CLASSES = {
    "pandas": (("DataFrame",), ("Series",)),
    "polars": (("DataFrame",), ("Series",)),
    "pyarrow": (("Table", "RecordBatch"), ("Array", "ChunkedArray")),
    "modin.pandas": (("DataFrame",), ("Series",)),
    "cudf": (("DataFrame",), ("Series",)),
}
_TEMPORAL = {"datetime64", "timedelta64", "period"}


def is_frame(X) -> bool:
    """Whether X is a table with names of columns."""
    cls: Any = type(X)
    return _kind_of(cls) == "frame"


def is_column(x) -> bool:
    """Whether x is a Series, or an array of pyarrow."""
    cls: Any = type(x)
    return _kind_of(cls) == "column"


# A list may hold a million objects of one class.
@lru_cache(maxsize=1024)
def _kind_of(cls):
    for library, names in _CLASSES.items():
        # Of a library that isn't loaded nobody has an object.
        module = sys.modules.get(library)
        for kind, classes in zip(("frame", "column"), names, strict=True):
            if issubclass(cls, tuple(getattr(module, n) for n in classes if module)):
                return kind
    return None


def column_labels(frame) -> list:
    """Return what the columns of a frame are called, in their order."""
    return list(frame.column_names if _is_arrow(frame) else frame.columns)


def check_names(estimator, X, *, reset, what="X", attribute="feature_names_in_"):
    """Hold a frame, or a list of frames, to the names and order of columns of ``fit``.

    Call it wherever an X is read that may be of any form: arrays are compared too. All
    errors and warnings are in scikit-learn's words.

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
    X = _representative(X, what)
    if attribute == "feature_names_in_":
        _check_feature_names(estimator, X, reset=reset)
        return
    # scikit-learn's knows one attribute and one name.
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
        _check_feature_names(known, X, reset=reset)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from error
    if reset:
        setattr(estimator, attribute, getattr(known, "feature_names_in_", None))


def frame_as_array(estimator, frame, what="X"):
    """Return the numbers of a frame.

    Parameters
    ----------
    estimator : estimator
        Who reads it, for the errors.
    frame : frame
    what : str, default="X"
        What to call it.

    Returns
    -------
    array : ndarray of shape (n, n_columns)
        Integers stay integers, nullable ones and several types of them too. The memory
        is shared where the frame has it in one piece.

    Raises
    ------
    ValueError
        Naming the column that is there twice, holds something else than numbers, or
        isn't complete.
    """
    labels = column_labels(frame)
    _refuse_twice(labels, what)
    array = _at_once(frame)
    if array is None:
        columns = [
            column_as_array(estimator, column, f"Column {label!r} of {what}")
            for label, column in zip(labels, _columns(frame), strict=True)
        ]
        array = _side_by_side(columns) if columns else np.empty((len(frame), 0))
    _refuse_missing(estimator, array, what, labels)
    return array


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

    What has names is held to those of the steps of ``fit``, if these had any.
    """
    names = getattr(estimator, "feature_names_in_", None)
    named = names is not None and estimator._form != "columns"
    if is_frame(x):
        if named:
            check_names(estimator, x, reset=False)
        array = frame_as_array(estimator, x, "x")
        return array[0] if len(array) == 1 else array
    labels = list(getattr(x, "index", [])) if is_column(x) else []
    if named and labels and all(isinstance(label, str) for label in labels):
        check_names(estimator, x.to_frame().T, reset=False)
    return as_plain(x)


def as_plain(x):
    """Return a Series, or an array of pyarrow, as an array; anything else as it is."""
    if not is_column(x):
        return x
    if _is_arrow(x):
        # Of its two kinds one copies anyway and has no such option.
        options = {"zero_copy_only": False} if hasattr(x, "buffers") else {}
        return x.to_numpy(**options)
    return nw.from_native(x, series_only=True).to_numpy()


def only_column(X):
    """Return the only column of a frame as an array; anything else as it is."""
    if not is_frame(X):
        return as_plain(X)
    columns = _columns(X)
    return as_plain(columns[0]) if len(columns) == 1 else X


def frames_in(X) -> dict:
    """Return the frames of a list, tuple, object array or Series of them, by place."""
    if isinstance(X, np.ndarray):
        listed = is_object(X) and X.ndim == 1
    else:
        listed = isinstance(X, list | tuple) or (is_column(X) and is_object(X))
    return {i: x for i, x in enumerate(X) if is_frame(x)} if listed else {}


def _first_frame(X):
    """Return X if it is a frame, or else the first one in it; None without any."""
    return X if is_frame(X) else next(iter(frames_in(X).values()), None)


def first_row(frame) -> tuple:
    """Return the values of the first row of a frame."""
    return tuple(as_plain(column[:1])[0] for column in _columns(frame))


def holds_integer_columns(x) -> bool:
    """Whether all columns of a frame, or a Series, are of integers, missing or not."""
    columns = _columns(x) if is_frame(x) else [x]
    return all(map(_holds_integers, columns))


def _holds_integers(column):
    if _is_arrow(column):
        return sys.modules["pyarrow"].types.is_integer(column.type)
    dtype = nw.from_native(column, series_only=True).dtype
    if dtype.is_numeric():
        return dtype.is_integer()
    # Objects, and categories of numbers.
    return as_integers(as_plain(column)).dtype.kind in "iu"


def integer_columns(X):
    """Tell which columns of a frame, or of the first of several, hold integers."""
    frame = _first_frame(X)
    if frame is None:
        return None
    kinds = _kinds(_dtypes(frame))
    if kinds is not None:
        return np.isin(kinds, ("i", "u"))
    return np.array([_holds_integers(column) for column in _columns(frame)])


def names_of(X):
    """Return the names of the columns of a frame, or of the first of several."""
    return _string_labels(_first_frame(X))


def warn_of_time_index(estimator, X):
    """Warn if the rows of a frame are moments, whose columns are read as time steps.

    Parameters
    ----------
    estimator : estimator
        Who reads each row of X as a sequence.
    X : any
    """
    index = getattr(X, "index", None) if is_frame(X) else None
    levels = getattr(index, "levels", [index])
    times = [level for level in levels if _holds_times(level)]
    if times:
        warnings.warn(
            f"The rows of X have a {type(times[0]).__name__}, but to "
            f"{type(estimator).__name__} every row is a sequence of its own and the "
            "columns are its time steps. If the rows are the steps of a series, put "
            "skrnn.preprocessing.SlidingWindow before it in a Pipeline; if not, give "
            "X.to_numpy().",
            stacklevel=2,
        )


def _holds_times(index):
    return getattr(index, "inferred_type", None) in _TEMPORAL


def _is_batch(X):
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(X, pyarrow.RecordBatch)


def _is_arrow(x):
    return type(x).__module__.startswith("pyarrow.")


def _columns(frame):
    """Return the columns of a frame, in the types of its library."""
    if hasattr(frame, "iloc"):
        # narwhals knows no two columns of one name, of which some have no string.
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    return frame.columns if _is_arrow(frame) else frame.get_columns()


def _as_known(frame):
    """Return a frame of a kind that narwhals knows."""
    if _is_batch(frame):
        return sys.modules["pyarrow"].Table.from_batches([frame])
    return frame


def _string_labels(frame):
    """Return the names of the columns if they are strings, as names of features are."""
    labels = column_labels(frame) if is_frame(frame) else []
    return labels if labels and all(isinstance(x, str) for x in labels) else None


def _representative(X, what):
    """Return what has the names of X: itself, or the first frame of several alike."""
    if is_frame(X):
        _refuse_twice(column_labels(X), what)
        return _as_known(X)
    frames = frames_in(X)
    if not frames:
        return X
    first, *others = frames
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
    return _as_known(frames[first])


def _refuse_twice(labels, what):
    if len(set(labels)) < len(labels):
        twice = next(label for i, label in enumerate(labels) if label in labels[:i])
        raise ValueError(f"{what} has more than one column named {twice!r}.")


def _refuse_other_names(one, other, name_of_one, name_of_other):
    labels, others = column_labels(one), column_labels(other)
    if labels == others:
        return
    # Numbers are places rather than names, unless the same ones stand elsewhere.
    are_names = _string_labels(one) or _string_labels(other)
    if are_names or (len(labels) == len(others) and set(labels) == set(others)):
        raise ValueError(
            f"{name_of_other} has the columns {others}, but {name_of_one} has "
            f"{labels}; expected the same in the same order."
        )


def _kinds(dtypes):
    """Return NumPy's letters for the types of columns; None if it has none for one."""
    kinds = {dtype: _kind(dtype) for dtype in set(dtypes)}
    known = kinds and set(kinds.values()) <= set("biuf")
    return [kinds[dtype] for dtype in dtypes] if known else None


def _dtypes(frame):
    """Return the types of the columns; pyarrow's say nothing of what is missing."""
    return [] if _is_arrow(frame) else list(frame.dtypes)


def _kind(dtype):
    if isinstance(dtype, np.dtype):
        return dtype.kind
    is_integer = getattr(dtype, "is_integer", None)
    if is_integer is None:
        return "O"
    return "i" if is_integer() else "f" if dtype.is_float() else "O"


def _at_once(frame):
    """Return a frame as an array, without a copy if it is one; None if it can't say."""
    dtypes = _dtypes(frame)
    kinds = _kinds(dtypes)
    if kinds is None:
        return None
    # Integers of several types become floats, or objects, and so do bools beside them.
    is_simple = len(set(dtypes)) == 1 or ("f" in kinds and "b" not in kinds)
    return frame.to_numpy() if is_simple else None


def _side_by_side(columns):
    array = np.empty((len(columns[0]), len(columns)), common_dtype(columns))
    for i, column in enumerate(columns):
        array[:, i] = column
    return array


def _refuse_missing(estimator, array, what, labels=None):
    if array.dtype.kind != "f":
        return
    # As cheap as scikit-learn's own: a sum is NaN where anything is.
    with np.errstate(invalid="ignore", over="ignore"):
        if not np.isnan(array.sum()):
            return
    for row, *column in np.argwhere(np.isnan(array))[:1]:
        where = what if labels is None else f"column {labels[column[0]]!r} of {what}"
        raise ValueError(
            f"Input {what.partition('[')[0]} contains NaN.\n"
            f"{type(estimator).__name__} does not accept missing values, of which "
            f"{where} has one in row {row}: fill them or leave the rows out."
        )
