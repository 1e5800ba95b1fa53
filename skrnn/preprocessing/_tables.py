"""Arrays and frames of any library as tables: columns by name, rows by place."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import numpy as np

from skrnn._data.frames.columns import as_known

_NO_FEATURE = (
    "{column} of series holds times ({dtype}), which are neither features nor targets. "
)
_AS_INDEX = (
    "Make it the index, series.set_index({name!r}), which tells the order of the rows; "
    "or turn it into numbers."
)
_SORTED = "Sort the rows by it, then leave it out or turn it into numbers."


def read_table(series):
    """Wrap a series or a frame as a table.

    Parameters
    ----------
    series : array-like, Series or DataFrame
        Of pandas, or of another library that narwhals knows.

    Returns
    -------
    table : ArrayTable, PandasTable or OtherTable

    Raises
    ------
    ValueError
        If it has neither one nor two dimensions, or holds times.
    """
    if hasattr(series, "iloc"):
        return PandasTable.of(series)
    # scikit-learn reads frames with it too; it imports none of their libraries.
    import narwhals.stable.v2 as nw  # noqa: PLC0415

    known = nw.from_native(
        as_known(series), eager_only=True, allow_series=True, pass_through=True
    )
    if isinstance(known, nw.DataFrame | nw.Series):
        return OtherTable.of(known)
    return ArrayTable.of(series)


@dataclass(frozen=True)
class ArrayTable:
    """An array of two dimensions, whose columns have no names."""

    rows: np.ndarray
    names: None = None

    @classmethod
    def of(cls, series):
        """Read anything that NumPy reads."""
        array = np.asarray(series)
        if array.ndim not in (1, 2):
            raise ValueError(
                f"series has shape {array.shape}; expected (n_rows,) or "
                "(n_rows, n_columns)."
            )
        table = array[:, None] if array.ndim == 1 else array
        are_objects = array.dtype == object
        if array.dtype.kind in "mM" or (
            are_objects and any(map(_is_of_times, table.T))
        ):
            _refuse_times("An array", array.dtype, _SORTED)
        return cls(table)

    @property
    def n_columns(self):
        """Number of columns."""
        return self.rows.shape[1]

    def take(self, rows):
        """Return some of the rows; a slice of them is a view."""
        return self.rows[rows]

    def columns(self, positions):
        """Return an array of some of the columns."""
        return self.rows[:, positions]

    def framed(self, y, names, X):
        """Return `y` in the form of the library."""
        return y


@dataclass(frozen=True)
class PandasTable:
    """A frame of pandas."""

    frame: Any

    @classmethod
    def of(cls, series):
        """Read a Series or a DataFrame."""
        if hasattr(series, "to_frame"):
            series = series.to_frame("x0" if series.name is None else series.name)
        for i, name in enumerate(series.columns):
            column = series.iloc[:, i]
            if _holds_times(column):
                _refuse_times(f"Column {name!r}", column.dtype, _AS_INDEX, name)
        return cls(series)

    @property
    def names(self):
        """Names of the columns."""
        return list(self.frame.columns)

    @property
    def n_columns(self):
        """Number of columns."""
        return self.frame.shape[1]

    def take(self, rows):
        """Return some of the rows."""
        return self.frame.iloc[rows]

    def columns(self, positions):
        """Return an array of some of the columns."""
        return self.frame.iloc[:, positions].to_numpy()

    def framed(self, y, names, X):
        """Return `y` with the index of `X`, a Series or a frame."""
        import pandas as pd  # noqa: PLC0415

        if y.ndim == 1:
            return pd.Series(y, index=X.index, name=names[0])
        return pd.DataFrame(y, index=X.index, columns=names) if y.ndim == 2 else y


@dataclass(frozen=True)
class OtherTable:
    """A frame of polars, pyarrow or another library, as narwhals wraps it."""

    frame: Any

    @classmethod
    def of(cls, series):
        """Read a Series or a DataFrame of narwhals."""
        if hasattr(series, "to_frame"):
            series = series.alias(series.name or "x0").to_frame()
        for name, dtype in series.schema.items():
            are_objects = str(dtype) in ("Object", "Categorical")
            if dtype.is_temporal() or (are_objects and _is_of_times(series[name])):
                _refuse_times(f"Column {name!r}", dtype, _SORTED)
        return cls(series)

    @property
    def names(self):
        """Names of the columns."""
        return self.frame.columns

    @property
    def n_columns(self):
        """Number of columns."""
        return len(self.frame.columns)

    def take(self, rows):
        """Return some of the rows, a frame of the same library."""
        return self.frame[rows].to_native()

    def columns(self, positions):
        """Return an array of some of the columns."""
        return self.frame[:, positions].to_numpy()

    def framed(self, y, names, X):
        """Return `y` as a Series or a frame of the same library."""
        import narwhals.stable.v2 as nw  # noqa: PLC0415

        library = self.frame.implementation
        if y.ndim == 1:
            return nw.new_series(names[0], y, backend=library).to_native()
        if y.ndim == 2:
            return nw.from_numpy(y, names, backend=library).to_native()
        return y


def _holds_times(column):
    """Whether a column of pandas holds times, of any type."""
    if getattr(column.dtype, "kind", "O") in "mM":
        return True
    # The categories tell, even those that don't occur.
    values = getattr(column.dtype, "categories", column)
    if values.dtype == object and _is_of_times(values):
        return True
    if hasattr(column, "cat") or values.dtype == object or _is_period(values.dtype):
        import pandas as pd  # noqa: PLC0415

        return pd.api.types.infer_dtype(values, skipna=True) in _TIMES
    return False


def _is_period(dtype):
    return str(dtype).startswith(("period", "time"))


def _is_of_times(values):
    """Whether the first object that isn't missing is a time."""
    first = next((each for each in values if each is not None), None)
    return isinstance(first, date | time | timedelta | np.datetime64 | np.timedelta64)


_TIMES = {"date", "datetime", "datetime64", "time", "timedelta", "period"}


def _refuse_times(column, dtype, advice, name=None):
    raise ValueError(
        _NO_FEATURE.format(column=column, dtype=dtype) + advice.format(name=name)
    )
