"""Forecasts as Series and frames, with the labels of their rows."""

from contextlib import suppress

import numpy as np
import pandas as pd

from skrnn._estimators.forecasting.panel import Ahead, Panel
from skrnn._estimators.forecasting.reading.columns import Columns
from skrnn._estimators.forecasting.reading.following import times_ahead

# Enough for pandas to tell business days from days.
_N_LABELS = 32


def index_ahead(panel: Panel, columns: Columns, ahead: Ahead) -> pd.Index:
    """Return the index of the rows to forecast, series after series.

    For several series a MultiIndex (series, time). Rows without an index are counted
    from 0, on from those that are known.
    """
    times = times_ahead(panel, columns, ahead.series, ahead.lengths)
    if panel.keys is None:
        times = _as_regular(times, panel, 0)
    return _with_series(times, panel, columns, ahead.series, ahead.lengths)


def labels_ahead(panel: Panel, columns: Columns, i: int, steps: int) -> pd.Index:
    """Return the labels of the steps that follow series `i`, after the gap."""
    where = np.array([i])
    index = times_ahead(panel, columns, where, np.array([steps]))
    return _as_regular(index, panel, i).rename(columns.index_names[-1])


def _as_regular(index, panel, i):
    """Return dates with the frequency that pandas finds in those of series `i`."""
    if panel.labels is None or not isinstance(index, pd.DatetimeIndex):
        return index
    end = panel.labels.index[panel.rows_of(i)][-_N_LABELS:]
    found = pd.DatetimeIndex(end, freq="infer").freq if len(end) > 2 else None
    if found is None:
        return index
    with suppress(ValueError):
        # Such as 24 hours, where some day has 23.
        return pd.DatetimeIndex(index, freq=found)
    return index


def index_of_rows(panel: Panel, columns: Columns) -> pd.Index:
    """Return the index of the rows of a panel, series after series."""
    where = np.arange(len(panel.lengths))
    if panel.labels is not None:
        times = panel.labels.index
    else:
        counted = [np.arange(length) for length in panel.lengths]
        times = pd.Index(np.concatenate(counted))
    return _with_series(times, panel, columns, where, panel.lengths)


def _with_series(times, panel, columns, where, lengths):
    *of_series, of_time = columns.index_names
    if panel.keys is None:
        return times.rename(of_time)
    keys = [panel.keys[i] for i in where]
    codes = np.repeat(np.arange(len(keys)), lengths)
    time_codes, unique = times.factorize()
    if len(of_series) > 1 and isinstance(keys[0], tuple):
        levels = pd.MultiIndex.from_tuples(keys)
        arrays = [levels.get_level_values(j)[codes] for j in range(levels.nlevels)]
        return pd.MultiIndex.from_arrays([*arrays, times], names=columns.index_names)
    names = [of_series[0] if of_series else None, of_time]
    series = pd.Index(keys, tupleize_cols=False)
    return pd.MultiIndex(
        levels=[series, unique],
        codes=[codes.tolist(), time_codes.tolist()],
        names=names,
    )


def as_answer(values, index: pd.Index, columns: Columns, names=None):
    """Return forecasts as a Series or a frame.

    Parameters
    ----------
    values : ndarray of shape (n,), (n, K) or (n, K, Q)
        With a last axis Q they are quantiles and the like.
    index : pandas.Index
        Of the n rows.
    columns : Columns
    names : list or None
        Of the Q columns.

    Returns
    -------
    answer : pandas.Series or pandas.DataFrame
        A Series for one target. With `names` a frame with these columns; for several
        targets its columns have the levels target and name.
    """
    form, values = columns.target, np.asarray(values)
    targets = list(form.names or range(form.n_targets))
    if names is None:
        if form.n_targets == 1:
            name = None if form.names is None else form.names[0]
            return pd.Series(values.reshape(len(index)), index=index, name=name)
        return pd.DataFrame(values, index=index, columns=pd.Index(targets))
    flat = values.reshape(len(index), -1)
    if form.n_targets == 1:
        return pd.DataFrame(flat, index=index, columns=pd.Index(list(names)))
    made = pd.MultiIndex.from_product([targets, list(names)])
    return pd.DataFrame(flat, index=index, columns=made)
