"""Long tables, with a row for each series and time, as X and y."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from skrnn._data.frames.columns import as_known, column_labels, columns_of, is_frame
from skrnn._data.rows.labels import read_labels
from skrnn._estimators.forecasting.reading.tables import objects_of, times_of


def from_long(frame, id="unique_id", time="ds", target="y"):
    """Split a long table into X and y, sorted by series and time.

    Parameters
    ----------
    frame : frame
        Of pandas, polars or pyarrow, with a row for each series and time.
    id : str, default="unique_id"
        The column with the names of the series.
    time : str, default="ds"
        The column with the times, or numbers that count steps.
    target : str, list of str or None, default="y"
        The column with the values, or several. None for rows whose values aren't known
        yet.

    Returns
    -------
    X : pandas.DataFrame
        All other columns, with a MultiIndex (series, time). It may have no column.
    y : pandas.Series or pandas.DataFrame
        With the same index. A frame for a list of targets. With ``target=None`` only X
        is returned.

    Raises
    ------
    ValueError
        If a column isn't there.

    Examples
    --------
    >>> import pandas as pd
    >>> long = pd.DataFrame(
    ...     {"unique_id": ["a", "a"], "ds": [1, 2], "y": [3.0, 4.0], "price": [5, 6]}
    ... )
    >>> X, y = from_long(long)
    >>> X.columns.tolist(), y.index.names
    (['price'], FrozenList(['unique_id', 'ds']))
    """
    if not is_frame(frame):
        raise TypeError(
            "frame must be a frame of pandas, polars or pyarrow. Got "
            f"{type(frame).__name__}."
        )
    frame = as_known(frame)
    labels = column_labels(frame)
    targets = [target] if isinstance(target, str) else list(target or [])
    _check_labels(
        labels, [("id", id), ("time", time), *(("target", t) for t in targets)]
    )
    made = _as_pandas(frame, labels)
    series = made[id].factorize()[0]
    _check_names(series, id)
    times = read_labels(pd.Index(made[time])).index
    order = pd.DataFrame({"series": series, "time": times.to_numpy()})
    made = made.iloc[order.sort_values(["series", "time"], kind="stable").index]
    made = made.set_index([id, time])
    if target is None:
        return made
    y = made[target if isinstance(target, str) else targets]
    return made.drop(columns=targets), y


def _check_labels(labels, named):
    for parameter, name in named:
        if name not in labels:
            ahead = " For rows whose y isn't known yet, say target=None."
            raise ValueError(
                f"{parameter}={name!r} is no column of the frame; its columns are "
                f"{labels}.{ahead * (parameter == 'target')}"
            )


def _check_names(series, id):
    """Refuse rows that don't tell their series."""
    if (series < 0).any():
        row = int(np.argmax(series < 0))
        raise ValueError(
            f"Column {id!r} names no series in row {row}; expected a name in each row."
        )


def _as_pandas(frame, labels):
    """Return a copy as a frame of pandas; polars' own way there needs pyarrow."""
    if hasattr(frame, "iloc"):
        return frame.reset_index(drop=True)
    columns = zip(labels, columns_of(frame), strict=True)
    return pd.DataFrame({label: _column(column) for label, column in columns})


def _column(column):
    dtype = nw.from_native(column, series_only=True).dtype
    if dtype in (nw.Datetime, nw.Date):
        return times_of(column)
    return objects_of(column)
