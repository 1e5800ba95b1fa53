"""The tidy frame of a backtest as forecasts of several cutoffs, and the truth."""

from typing import Any

import numpy as np
import pandas as pd

from skrnn.inspection.forecasts._series_forms import BOUNDS
from skrnn.inspection.forecasts._times import positions

NEEDED = ["cutoff", "step", "time", "y_true", "y_pred"]


def checked(frame: Any) -> pd.DataFrame:
    """Return what a backtest returned as a frame of pandas.

    Raises
    ------
    TypeError
        If it is no frame.
    ValueError
        If it has no rows, or lacks columns.
    """
    if hasattr(frame, "to_pandas"):
        frame = frame.to_pandas()
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"frame must be what backtest returns. Got {type(frame).__name__}."
        )
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise ValueError(
            f"frame must have the columns {', '.join(NEEDED)}, as backtest returns "
            f"them. It lacks {', '.join(missing)}."
        )
    if not len(frame):
        raise ValueError("frame must have rows. Got none.")
    return frame


def forecasts_of(frame: pd.DataFrame) -> dict[Any, tuple[Any, dict]]:
    """Return cutoff -> its forecast, and its intervals by coverage."""
    pairs = interval_columns(frame)
    return {
        cutoff: (
            _wide(rows, "y_pred"),
            {
                coverage: pd.concat(
                    [_wide(rows, name) for name in pair], axis=1, keys=BOUNDS
                )
                for coverage, pair in pairs.items()
            },
        )
        for cutoff, rows in frame.groupby("cutoff")
    }


def interval_columns(frame: pd.DataFrame) -> dict[float, tuple[str, str]]:
    """Return coverage -> the columns of the bounds: quantiles, "lower" and "upper"."""
    pairs = quantile_pairs(frame.columns)
    nominal = list(frame["nominal"].unique()) if "nominal" in frame else []
    if len(nominal) == 1 and {*BOUNDS} <= {*frame.columns}:
        pairs[round(float(nominal[0]), 6)] = ("lower", "upper")
    return pairs


def quantile_pairs(columns: Any) -> dict[float, tuple[str, str]]:
    """Return coverage -> the columns of the quantiles around it: "q0.1" and "q0.9"."""
    levels = {}
    for name in columns:
        text = str(name)
        if text.startswith("q") and text[1:].replace(".", "", 1).isdigit():
            levels[round(float(text[1:]), 6)] = name
    return {
        round(1 - 2 * level, 6): (name, levels[round(1 - level, 6)])
        for level, name in levels.items()
        if level < 0.5 and round(1 - level, 6) in levels
    }


def _wide(rows, column):
    """Return a column over the rows' times, of several targets side by side."""
    index = [name for name in ("series", "time") if name in rows]
    if "target" in rows:
        return rows.pivot(index=index, columns="target", values=column)
    return rows.set_index(index if len(index) > 1 else "time")[column]


def truth_of(frame: pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return what came, at all times that a forecast was for.

    A NaN stands where times between two cutoffs had no forecast, so that no line is
    drawn over them.
    """
    keys = [name for name in ("series", "target") if name in frame]
    once = frame.drop_duplicates([*keys, "time"]).sort_values("time", kind="stable")
    wide = _wide(once, "y_true")
    if isinstance(wide, pd.Series):
        wide = wide.rename(None)
    spacing = _spacing(frame, keys)
    if "series" not in frame:
        return _with_gaps(wide, spacing)
    parts = {
        name: _with_gaps(rows.droplevel(0), spacing)
        for name, rows in wide.groupby(level=0, sort=False)
    }
    return pd.concat(parts)


def _spacing(frame, keys):
    """Return the largest distance of two times that follow in one forecast, or None."""
    first = frame.sort_values("step", kind="stable").groupby([*keys, "cutoff"])
    found = [np.diff(positions(pd.Index(rows["time"]))) for _, rows in first]
    found = [each.max() for each in found if len(each)]
    return max(found) if found else None


def _with_gaps(values, spacing):
    """Put a NaN after each value that is followed by one further away."""
    if spacing is None:
        return values
    wide = np.diff(positions(values.index)) > 1.5 * spacing
    places = np.sort(np.r_[np.arange(len(values)), np.flatnonzero(wide)])
    again = np.r_[False, np.diff(places) == 0]
    made = values.iloc[places].astype(float)
    made.iloc[again] = np.nan
    return made
