"""What frames are in pandas, polars and pyarrow: their columns, types and values."""

import sys
from functools import lru_cache
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from skrnn._data.frames.numbers import as_integers, is_object

# Library -> what it calls a frame, and a column of one.
_CLASSES = {
    "pandas": (("DataFrame",), ("Series",)),
    "polars": (("DataFrame",), ("Series",)),
    "pyarrow": (("Table", "RecordBatch"), ("Array", "ChunkedArray")),
    "modin.pandas": (("DataFrame",), ("Series",)),
    "cudf": (("DataFrame",), ("Series",)),
}


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
        # If a library isn't loaded, no object can come from it.
        module = sys.modules.get(library)
        for kind, classes in zip(("frame", "column"), names, strict=True):
            if issubclass(cls, tuple(getattr(module, n) for n in classes if module)):
                return kind
    return None


def column_labels(frame) -> list:
    """Return what the columns of a frame are called, in their order."""
    return list(frame.column_names if _is_arrow(frame) else frame.columns)


def columns_of(frame):
    """Return the columns of a frame, in the types of its library."""
    if hasattr(frame, "iloc"):
        # narwhals refuses two columns of one name, and names that aren't strings.
        return [frame.iloc[:, i] for i in range(frame.shape[1])]
    return frame.columns if _is_arrow(frame) else frame.get_columns()


def as_known(frame):
    """Return the frame in a form that narwhals can wrap."""
    if _is_batch(frame):
        return sys.modules["pyarrow"].Table.from_batches([frame])
    return frame


def at_once(frame):
    """Return a frame as one array, without a copy if it is one block; else None."""
    dtypes = _dtypes(frame)
    kinds = _kinds(dtypes)
    if kinds is None:
        return None
    # Mixed integer types, or bools beside them, would become floats or objects.
    is_simple = len(set(dtypes)) == 1 or ("f" in kinds and "b" not in kinds)
    return frame.to_numpy() if is_simple else None


def as_plain(x):
    """Return a Series, or an array of pyarrow, as an array; anything else as it is."""
    if isinstance(x, memoryview):
        # One of two dimensions can't be read item by item.
        return np.asarray(x)
    if not is_column(x):
        return x
    if _is_arrow(x):
        # Only an Array has this option: a ChunkedArray always copies.
        options = {"zero_copy_only": False} if hasattr(x, "buffers") else {}
        return x.to_numpy(**options)
    return nw.from_native(x, series_only=True).to_numpy()


def only_column(X):
    """Return the only column of a frame as an array; anything else as it is."""
    if not is_frame(X):
        return as_plain(X)
    columns = columns_of(X)
    return as_plain(columns[0]) if len(columns) == 1 else X


def first_row(frame) -> tuple:
    """Return the values of the first row of a frame."""
    return tuple(as_plain(column[:1])[0] for column in columns_of(frame))


def frames_in(X) -> dict:
    """Return the frames in a list, tuple, object array or Series: position -> frame."""
    if isinstance(X, np.ndarray):
        listed = is_object(X) and X.ndim == 1
    else:
        listed = isinstance(X, list | tuple) or (is_column(X) and is_object(X))
    return {i: x for i, x in enumerate(X) if is_frame(x)} if listed else {}


def first_frame(X):
    """Return X if it is a frame, else the first frame in it, else None."""
    return X if is_frame(X) else next(iter(frames_in(X).values()), None)


def integer_columns(X):
    """Tell which columns of a frame, or of the first of several, hold integers."""
    frame = first_frame(X)
    if frame is None:
        return None
    kinds = _kinds(_dtypes(frame))
    if kinds is not None:
        return np.isin(kinds, ("i", "u"))
    return np.array([_holds_integers(column) for column in columns_of(frame)])


def holds_integer_columns(x) -> bool:
    """Whether a frame or Series has only integers; some may be missing."""
    columns = columns_of(x) if is_frame(x) else [x]
    return all(map(_holds_integers, columns))


def _holds_integers(column):
    if _is_arrow(column):
        return sys.modules["pyarrow"].types.is_integer(column.type)
    dtype = nw.from_native(column, series_only=True).dtype
    if dtype.is_numeric():
        return dtype.is_integer()
    # Objects, and categories of numbers.
    return as_integers(as_plain(column)).dtype.kind in "iu"


def _is_batch(X):
    pyarrow = sys.modules.get("pyarrow")
    return pyarrow is not None and isinstance(X, pyarrow.RecordBatch)


def _is_arrow(x):
    return type(x).__module__.startswith("pyarrow.")


def _kinds(dtypes):
    """Return NumPy's letters for the column types; None if one of them has none."""
    kinds = {dtype: _kind(dtype) for dtype in set(dtypes)}
    known = kinds and set(kinds.values()) <= set("biuf")
    return [kinds[dtype] for dtype in dtypes] if known else None


def _dtypes(frame):
    """Return the types of the columns; pyarrow's don't tell what is missing."""
    return [] if _is_arrow(frame) else list(frame.dtypes)


def _kind(dtype):
    if isinstance(dtype, np.dtype):
        return dtype.kind
    is_integer = getattr(dtype, "is_integer", None)
    if is_integer is None:
        return "O"
    return "i" if is_integer() else "f" if dtype.is_float() else "O"
