"""Series, frames and arrays of one series, a panel or several targets, taken apart."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

Key = tuple[Hashable, Hashable]
BOUNDS = ["lower", "upper"]
AUTO_COVERAGES = 0.5, 0.9


def split(
    values: Any,
    name: str,
    index: pd.Index | None = None,
    only: Collection[Hashable] | None = None,
) -> dict[Key, pd.Series]:
    """Return the single series of a Series, a frame of targets or an array, by key.

    A key is the series' name in a panel and the target's, None where there is one.
    Rows of an array have the labels of `index`, or count from 0. Of a panel the series
    in `only` are returned.
    """
    found = {}
    for target, column in _columns(values, name, index).items():
        for series, rows in _panel(column, only).items():
            found[series, target] = _in_order(rows, name)
    return found


def split_bounds(
    bounds: Any,
    coverage: float,
    index: pd.Index,
    only: Collection[Hashable] | None = None,
) -> dict[Key, pd.DataFrame]:
    """Return the lower and upper bounds of single series, by key.

    Parameters
    ----------
    bounds : DataFrame, or array-like of shape (n, 2) or (n, K, 2)
        A frame has columns "lower" and "upper", of several targets below each target.
    coverage : float
        For errors.
    index : pandas.Index
        Of the rows of an array.
    """
    frame = _frame_of_bounds(bounds, coverage, index)
    lower, upper = (
        split(_level(frame, bound), "intervals", frame.index, only) for bound in BOUNDS
    )
    return {
        key: pd.DataFrame({"lower": lower[key], "upper": upper[key]}) for key in lower
    }


def _frame_of_bounds(bounds, coverage, index):
    if isinstance(bounds, pd.DataFrame):
        names = {name for column in bounds.columns for name in np.atleast_1d(column)}
        if not set(BOUNDS) <= names:
            raise ValueError(
                f"intervals[{coverage}] must have columns 'lower' and 'upper'. "
                f"Got {list(bounds.columns)}."
            )
        return bounds
    array = np.asarray(bounds, dtype=float)
    if array.ndim not in (2, 3) or (len(array), array.shape[-1]) != (len(index), 2):
        raise ValueError(
            f"intervals[{coverage}] must have shape ({len(index)}, 2). "
            f"Got {array.shape}."
        )
    if array.ndim == 2:
        return pd.DataFrame(array, index=index, columns=BOUNDS)
    columns = pd.MultiIndex.from_product([range(array.shape[1]), BOUNDS])
    return pd.DataFrame(array.reshape(len(array), -1), index=index, columns=columns)


def _level(frame, name):
    """Return a column of a frame, or the columns of all targets with this name."""
    if frame.columns.nlevels == 1:
        return frame[name]
    level = next(i for i in range(2) if name in frame.columns.get_level_values(i))
    return frame.xs(name, axis=1, level=level)


def forecast_of(frame: Any) -> Any:
    """Return the forecast itself of what ``forecast`` gives with a coverage."""
    if not isinstance(frame, pd.DataFrame):
        return frame
    names = {name for column in frame.columns for name in np.atleast_1d(column)}
    return _level(frame, "forecast") if set(BOUNDS) <= names else frame


def _columns(values, name, index):
    """Return the columns of all targets as Series, by the target's name."""
    if isinstance(values, pd.Series):
        return {None: values}
    if not isinstance(values, pd.DataFrame):
        if hasattr(values, "to_numpy"):
            values = values.to_numpy()
        array = np.asarray(values)
        if array.ndim not in (1, 2) or array.dtype.kind not in "biuf":
            raise TypeError(
                f"{name} must be a Series, a frame or an array of numbers (n,) or "
                f"(n, K). Got {type(values).__name__} of shape {array.shape}."
            )
        if index is not None and len(index) != len(array):
            raise ValueError(f"{name} must have {len(index)} rows. Got {len(array)}.")
        values = pd.DataFrame(array, index=index)
    if values.shape[1] == 1:
        return {None: values.iloc[:, 0]}
    return {target: values[target] for target in values.columns}


def _panel(column, only):
    """Return the series of a panel by their names; one series has the name None."""
    if column.index.nlevels == 1:
        return {None: column}
    if only is not None:
        column = column[column.index.get_level_values(0).isin(list(only))]
    groups = column.groupby(level=0, sort=False)
    return {name: rows.droplevel(0) for name, rows in groups}


def _in_order(rows, name):
    if rows.index.nlevels > 1:
        raise ValueError(
            f"The index of {name} must have the levels (series, time). "
            f"Got {rows.index.nlevels + 1} levels."
        )
    if rows.dtype.kind not in "biuf":
        rows = pd.to_numeric(rows)
    rows = rows.astype(float)
    return rows if rows.index.is_monotonic_increasing else rows.sort_index()


def bands_of(intervals: Any) -> Mapping[float, Any]:
    """Return the intervals of one forecast by coverage.

    Raises
    ------
    ValueError
        If a coverage is no number between 0 and 1.
    """
    if intervals is None:
        return {}
    if not isinstance(intervals, Mapping):
        raise TypeError(
            "intervals must be a dict from coverages to bounds, as {0.9: bounds}. "
            f"Got {type(intervals).__name__}."
        )
    for coverage in intervals:
        need_coverage(coverage)
    return intervals


def coverages_of(coverage: Any) -> list[Any]:
    """Return the coverages that were asked for: one, several or none."""
    if coverage is None:
        return []
    if isinstance(coverage, str) and coverage == "auto":
        return list(AUTO_COVERAGES)
    found = [coverage] if np.isscalar(coverage) else list(coverage)
    for each in found:
        need_coverage(each)
    return found


def need_coverage(coverage: Any) -> None:
    """Raise a ValueError if a coverage is no number between 0 and 1."""
    is_number = isinstance(coverage, int | float | np.number)
    if not is_number or not 0 < coverage < 1:
        raise ValueError(
            f"coverage must be numbers between 0 and 1, as 0.9. Got {coverage!r}."
        )


def names_in(values: Any) -> list[Hashable]:
    """Return the names of a panel's series, in their order; none of one series."""
    index = getattr(values, "index", None)
    if not isinstance(index, pd.MultiIndex):
        return []
    return list(index.get_level_values(0).unique())


def longest(values: Any) -> int:
    """Return the number of rows of the longest series."""
    index = getattr(values, "index", None)
    if isinstance(index, pd.MultiIndex):
        return int(index.get_level_values(0).value_counts().max())
    if not np.ndim(values):
        raise TypeError(
            f"y={values!r}; expected the values that came. The number of steps to "
            f"forecast is steps={values!r}."
        )
    return len(values)


def y_of(history: Any) -> Any:
    """Return y of a history (X, y) or y, with the labels of X if it has none."""
    if not isinstance(history, tuple):
        return history
    X, y = history
    if isinstance(y, pd.Series | pd.DataFrame) or X is None:
        return y
    index = X if isinstance(X, pd.Index) else getattr(X, "index", None)
    if not isinstance(index, pd.Index):
        return y
    return pd.DataFrame(np.asarray(y).reshape(len(index), -1), index=index)
