"""X as columns side by side, and y as numbers, whatever library they come from."""

from dataclasses import dataclass, replace
from numbers import Integral, Number
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from sklearn.utils.validation import column_or_1d

from skrnn._data.finite import check_array
from skrnn._data.frames.as_arrays import column_as_array
from skrnn._data.frames.columns import (
    as_known,
    as_plain,
    column_labels,
    columns_of,
    is_column,
    is_frame,
)
from skrnn._data.frames.numbers import refuse_non_numbers
from skrnn._data.rows.series import refuse_list_of_series, row_index
from skrnn._data.warn import warn
from skrnn._estimators.forecasting.reading.columns import TargetForm
from skrnn._sklearn import naming

# Who is named in errors that come from below.
NAMED = type("Forecaster", (), {})()


@dataclass(frozen=True)
class Table:
    """X as columns.

    Attributes
    ----------
    n_rows : int or None
        None if X is None.
    labels : list
        Names of the columns, or their positions.
    columns : list
        One-dimensional arrays, or columns of the frame's library.
    has_names : bool
        Whether X is a frame.
    index : pandas.Index or None
        Of the rows.
    """

    n_rows: int | None
    labels: list
    columns: list
    has_names: bool = False
    index: Any = None

    def column(self, label):
        """Return a column by its name or position; None if there is none."""
        found = [i for i, each in enumerate(self.labels) if each == label]
        return self.columns[found[0]] if found else None


def read_table(X, *, least_columns=0) -> Table:
    """Take X apart: an array, a frame, an index alone, or None.

    An array without columns is as good as a frame without.
    """
    if X is None:
        return Table(None, [], [])
    if isinstance(X, Integral):
        raise TypeError(
            f"X is {X}; expected rows, or their index. The next {X} steps are "
            f"forecast({X})."
        )
    X = _unmasked(X)
    if is_frame(X):
        return _of_frame(X)
    if hasattr(X, "inferred_type"):
        # An index of pandas.
        return Table(len(X), [], [], True, X)
    refuse_list_of_series(X, "X")
    _refuse_flat(X)
    with naming("X"):
        array = check_array(
            X,
            dtype="numeric",
            ensure_all_finite=False,
            ensure_min_features=least_columns,
            estimator=NAMED,
            input_name="X",
        )
    refuse_non_numbers(NAMED, array, "X")
    columns = [array[:, i] for i in range(array.shape[1])]
    return Table(len(array), list(range(len(columns))), columns)


def _refuse_flat(X):
    """Refuse one series as X: it is often y that was meant."""
    if isinstance(X, np.ndarray):
        is_flat = X.ndim == 1
    else:
        is_listed = isinstance(X, list | tuple) and bool(X)
        is_flat = is_column(X) or (is_listed and isinstance(X[0], Number))
    if is_flat:
        raise ValueError(
            "X is one series; expected a table of covariates, of shape (n, F). For a "
            "series without other columns write fit(None, y) and forecast(steps). "
            "Reshape your data if it is a covariate: X.to_frame() of a Series, "
            "X.reshape(-1, 1) of an array."
        )


def _unmasked(values):
    """Return a masked array with NaN where it is masked; anything else as it is."""
    if not isinstance(values, np.ma.MaskedArray) or values.dtype.kind not in "biuf":
        return values
    return np.ma.filled(values.astype(np.float64), np.nan)


def _of_frame(X):
    X = as_known(X)
    labels = column_labels(X)
    twice = [label for i, label in enumerate(labels) if label in labels[:i]]
    if twice:
        raise ValueError(f"X has more than one column named {twice[0]!r}.")
    index = row_index(X)
    n_rows = len(index) if index is not None else len(X)
    return Table(n_rows, labels, columns_of(X), True, index)


def read_target(y) -> tuple[np.ndarray, TargetForm]:
    """Read y as numbers.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, K), Series or frame

    Returns
    -------
    values : ndarray of float64 of shape (n, K)
        NaN for what is missing.
    form : TargetForm
    """
    if y is None:
        raise ValueError(
            "This Forecaster estimator requires y to be passed, but the target y is "
            "None. For a series without other columns write fit(None, y)."
        )
    if isinstance(y, str):
        raise TypeError(
            f"y is {y!r}; expected values. If it is a column, give frame[{y!r}], and "
            "leave it out of X."
        )
    y = _unmasked(y)
    names, container = None, _container(y)
    if is_frame(y):
        names = tuple(column_labels(y))
        columns = zip(names, columns_of(as_known(y)), strict=True)
        read = [
            column_as_array(NAMED, c, f"Column {name!r} of y") for name, c in columns
        ]
        array = np.column_stack(read) if read else np.empty((len(y), 0))
    elif is_column(y):
        names = (getattr(y, "name", None),)
        array = column_as_array(NAMED, y, "y")
    else:
        array = _plain_target(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    is_flat = array.ndim == 1
    values = np.asarray(array, dtype=np.float64)
    values = values[:, None] if is_flat else values
    _check_target(values)
    return values, TargetForm(values.shape[1], is_flat, names, container)


def _plain_target(y):
    refuse_list_of_series(y, "y")
    with naming("y"):
        array = check_array(
            y,
            dtype=None,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
            estimator=NAMED,
            input_name="y",
        )
    if array.ndim not in (1, 2):
        raise ValueError(
            "y should be an array of shape (n,) or (n, n_targets), got an array of "
            f"shape {array.shape} instead."
        )
    refuse_non_numbers(NAMED, array, "y")
    if array.dtype == object:
        flat = column_as_array(NAMED, array.ravel(), "y")
        array = flat.reshape(array.shape)
    return array


def _container(y):
    library = type(y).__module__.partition(".")[0]
    return library if library in ("pandas", "polars") else "numpy"


def _check_target(values):
    if not len(values):
        raise ValueError(
            "Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is "
            "required by Forecaster: y is empty."
        )
    if not values.shape[1]:
        raise ValueError("y has no column; expected one for each target.")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        where = f"row {row}" + (f", column {column}" if values.shape[1] > 1 else "")
        raise ValueError(
            "Input y contains infinity or a value too large for dtype('float64'), in "
            f"{where}; a missing value is NaN."
        )


def check_same_length(n_rows, n_targets):
    """Refuse an X and a y of different lengths, in scikit-learn's words."""
    if n_rows is not None and n_rows != n_targets:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[n_rows, n_targets]}; X and y have one row for each step."
        )


def kind_of(column, label):
    """Tell what a column holds: "number", "flag", "category" or "time".

    Raises
    ------
    ValueError
        For objects that are none of these.
    """
    if isinstance(column, np.ndarray):
        return "flag" if column.dtype == bool else "number"
    dtype = nw.from_native(column, series_only=True).dtype
    if dtype == nw.Boolean:
        return "flag"
    if dtype.is_numeric():
        return "number"
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return "category"
    if dtype in (nw.Datetime, nw.Date) or _is_period(column):
        return "time"
    values = as_plain(column)
    others = [v for v in values if not (isinstance(v, str) or _is_missing(v))]
    if not others:
        return "category"
    if all(isinstance(value, bool | np.bool_) for value in others):
        return "flag"
    if len(others) == len(values) and hasattr(others[0], "year"):
        return "time"
    strings = [v for v in values if isinstance(v, str)]
    if strings or dtype == nw.Duration:
        raise ValueError(
            f"Column {label!r} of X holds {others[0]!r:.60} of type "
            f"{type(others[0]).__name__}"
            f"{', and strings' if strings else ''}; expected numbers, booleans, or "
            f"strings or categories alone."
        )
    column_as_array(NAMED, column, f"Column {label!r} of X")
    return "number"


def _is_missing(value):
    """Whether a value is None, NaN, NaT or pd.NA, which can't be compared."""
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _is_period(column):
    return str(getattr(column, "dtype", "")).startswith("period[")


def numbers_of(column, label):
    """Return a column of numbers or flags as float64; NaN is missing."""
    if not isinstance(column, np.ndarray):
        wrapped = nw.from_native(column, series_only=True)
        if wrapped.dtype == nw.Boolean or wrapped.dtype.is_numeric():
            column = wrapped.cast(nw.Float64).to_numpy()
        else:
            column = column_as_array(NAMED, column, f"Column {label!r} of X")
    elif column.dtype == object:
        column = column_as_array(NAMED, column, f"Column {label!r} of X")
    return np.asarray(column, dtype=np.float64)


def objects_of(column):
    """Return the values of a column of strings or categories; None is missing."""
    if isinstance(column, np.ndarray):
        return column
    wrapped = nw.from_native(column, series_only=True)
    is_arrow = type(column).__module__.startswith("pyarrow")
    if is_arrow and wrapped.dtype in (nw.Categorical, nw.Enum):
        # Its codes would stand for what is missing, too.
        wrapped = wrapped.cast(nw.String)
    return wrapped.to_numpy()


def times_of(column):
    """Return a column of times as a pandas Series."""
    if _is_period(column):
        return column
    wrapped = nw.from_native(column, series_only=True)
    zone = getattr(wrapped.dtype, "time_zone", None)
    if hasattr(column, "iloc"):
        return column
    times = pd.Series(pd.DatetimeIndex(wrapped.to_numpy()))
    # Without pandas' types the times are those of UTC.
    return times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)


def with_columns_of_fit(table, columns, optional=()) -> Table:
    """Hold the columns of later rows to those of ``fit``, in scikit-learn's words.

    Parameters
    ----------
    table : Table
    columns : Columns
    optional : collection
        Labels of columns that a frame need not have.

    Returns
    -------
    table : Table
        With the names of ``fit``.
    """
    if table.n_rows is None or not (table.labels or columns.n_columns):
        return table
    if table.has_names and columns.names is not None:
        _check_names(table.labels, columns.names, optional)
        return table
    if len(table.labels) != columns.n_columns:
        hint = " fit had no X: forecast(steps) needs none." * (not columns.n_columns)
        raise ValueError(
            f"X has {len(table.labels)} features, but Forecaster is expecting "
            f"{columns.n_columns} features as input.{hint}"
        )
    named = columns.names if columns.names is not None else table.labels
    if all(isinstance(name, str) for name in named):
        given, fitted = (
            ("has", "without") if table.has_names else ("does not have valid", "with")
        )
        warn(
            f"X {given} feature names, but Forecaster was fitted {fitted} feature names"
        )
    known = range(columns.n_columns) if columns.names is None else columns.names
    return replace(table, labels=list(known))


def _check_names(given, of_fit, optional):
    expected = [name for name in of_fit if name in given or name not in optional]
    if given == expected:
        return
    unseen = [name for name in given if name not in of_fit]
    missing = [name for name in expected if name not in given]
    lines = ["The feature names should match those that were passed during fit."]
    if unseen:
        lines += ["Feature names unseen at fit time:", *(f"- {x}" for x in unseen)]
    if missing:
        lines += [
            "Feature names seen at fit time, yet now missing:",
            *(f"- {x}" for x in missing),
        ]
    if {"unique_id", "ds"} <= set(unseen):
        lines.append("Forecaster.from_long(X, target=None) reads a long table.")
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    raise ValueError("\n".join(lines) + "\n")
