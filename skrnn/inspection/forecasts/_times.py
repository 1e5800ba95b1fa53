"""Indexes of series as positions on an axis of time, and the ticks of that axis."""

from typing import Any

import numpy as np
import pandas as pd


def positions(index: pd.Index) -> np.ndarray:
    """Return where the labels of an index stand: datetime64 (n,), or numbers (n,).

    A period stands where it begins. Times with a zone are those of UTC, and the ticks
    tell the zone's.

    Raises
    ------
    TypeError
        If the labels are neither times nor numbers.
    """
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp(how="start")
    elif index.inferred_type == "date":
        index = pd.DatetimeIndex(index)
    if isinstance(index, pd.DatetimeIndex):
        return index.tz_convert(None).to_numpy() if index.tz else index.to_numpy()
    if isinstance(index, pd.TimedeltaIndex):
        return index.total_seconds().to_numpy()
    if index.dtype.kind not in "iuf":
        raise TypeError(
            "The index must be dates, periods or numbers. "
            f"Got {index.dtype} labels, as {index[0]!r}."
        )
    return index.to_numpy()


def position(label: Any, index: pd.Index) -> Any:
    """Return where one label stands beside those of an index."""
    if isinstance(index, pd.PeriodIndex) and not isinstance(label, pd.Period):
        label = pd.Timestamp(label).to_period(index.freqstr)
    return positions(pd.Index([label]))[0]


def following(index: pd.Index | None, n: int) -> pd.Index:
    """Return the `n` labels after an index; without one they count from 0.

    Raises
    ------
    ValueError
        If the distance of its dates isn't the same everywhere.
    """
    if index is None or not len(index):
        return pd.RangeIndex(n)
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=n)
    if isinstance(index, pd.DatetimeIndex):
        freq = index.freq or (pd.infer_freq(index) if len(index) > 2 else None)
        if freq is None:
            raise ValueError(
                "forecast needs an index of its own: the dates of history have no "
                "frequency."
            )
        return pd.date_range(index[-1], periods=n + 1, freq=freq)[1:]
    if index.dtype.kind not in "iu":
        raise ValueError("forecast needs an index of its own, as that of history.")
    step = index[-1] - index[-2] if len(index) > 1 else 1
    return pd.RangeIndex(index[-1] + step, index[-1] + step * (n + 1), step)


def set_ticks(ax: Any, index: pd.Index, *, small: bool) -> None:
    """Give the axis of time ticks that can be read: dates as short as can be.

    Parameters
    ----------
    index : pandas.Index
        Of what was drawn.
    small : bool
        Whether the axes are one of many, with room for few ticks.
    """
    from matplotlib import dates, ticker  # noqa: PLC0415

    if positions(index[:1]).dtype.kind != "M":
        whole = index.dtype.kind in "iu"
        steps: list[float] = [1, 2, 5, 10]
        locator = ticker.MaxNLocator(4 if small else 8, integer=whole, steps=steps)
        ax.xaxis.set_major_locator(locator)
        return
    zone = getattr(index, "tz", None)
    # Six months are the longest step below a year: five ticks of them don't reach three
    # years, where yearly ones begin if there must be three.
    few, many = (2, 5) if small else (3, 8)
    of_dates = dates.AutoDateLocator(tz=zone, minticks=few, maxticks=many)
    ax.xaxis.set_major_locator(of_dates)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(of_dates, tz=zone))
