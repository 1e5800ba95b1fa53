"""Calendar features: where in the hour, day, week, month and year a row lies.

They depend on the labels of rows alone, so they are known as far ahead as one likes. A
cycle is a pair of sine and cosine for each of its harmonics: there is no jump from 23
to 0 o'clock, or from December to January.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

_DAY = pd.Timedelta(days=1)
_NONE = pd.Timedelta(0)


@dataclass(frozen=True)
class Cycle:
    """A cycle of the calendar.

    Attributes
    ----------
    length : pandas.Timedelta
    most : pandas.Timedelta
        The longest step between rows with which it says something.
    place : callable
        From a DatetimeIndex to where in the cycle each label is, from 0 to below 1.
    harmonics : int
        0 is a flag: `place` is what it is.
    least : pandas.Timedelta
        The shortest step between rows with which it says something.
    """

    length: pd.Timedelta
    most: pd.Timedelta
    place: Callable
    harmonics: int = 1
    least: pd.Timedelta = _NONE


def _of_hour(times):
    return (times.minute * 60 + times.second) / 3600


def _of_day(times):
    return (times.hour * 3600 + times.minute * 60 + times.second) / 86400


def _of_week(times):
    return times.day_of_week / 7


def _is_weekend(times):
    return times.day_of_week >= 5


def _of_month(times):
    return (times.day - 1) / times.days_in_month


def _of_year(times):
    return (times.day_of_year - 1) / (365 + times.is_leap_year)


def _of_months(times):
    return (times.month - 1) / 12


# Weekdays and months are steps rather than waves, and get a second harmonic.
CYCLES = {
    "minute_of_hour": Cycle(pd.Timedelta(hours=1), pd.Timedelta(minutes=20), _of_hour),
    "time_of_day": Cycle(_DAY, pd.Timedelta(hours=8), _of_day, 2),
    "day_of_week": Cycle(7 * _DAY, 2 * _DAY, _of_week, 2),
    "weekend": Cycle(7 * _DAY, _DAY, _is_weekend, 0),
    "day_of_month": Cycle(31 * _DAY, 7 * _DAY, _of_month),
    "day_of_year": Cycle(366 * _DAY, 7 * _DAY, _of_year, 2),
    "month_of_year": Cycle(366 * _DAY, 186 * _DAY, _of_months, 2, 8 * _DAY),
}


def find_calendar(calendar, labels, lengths, frequency):
    """Choose the cycles that become channels.

    Parameters
    ----------
    calendar : "auto", None, False or tuple of str
        "auto" takes those that the longest series covers at least twice, and that have
        more than two rows each.
    labels : RowLabels or None
        Series after series.
    lengths : ndarray of int
    frequency : Frequency or None

    Returns
    -------
    cycles : tuple of (str, int)
        Names, and the number of harmonics.
    """
    is_bool = isinstance(calendar, bool | np.bool_)
    if calendar is None or (is_bool and not calendar):
        return ()
    if is_bool:
        raise ValueError(
            f"calendar=True; expected 'auto', a tuple of names among {sorted(CYCLES)}, "
            "None or False."
        )
    is_time = labels is not None and _has_dates(labels.index)
    if calendar != "auto":
        return _named(calendar, is_time)
    if not is_time or frequency is None or not len(labels):
        return ()
    times = _times(labels.index)
    longest = int(np.argmax(lengths))
    end = int(np.sum(lengths[: longest + 1]))
    first, last = times[end - int(lengths[longest])], times[end - 1]
    if lengths[longest] < 2:
        return ()
    span = last - first
    step = span / (int(lengths[longest]) - 1)
    chosen = {
        name: cycle
        for name, cycle in CYCLES.items()
        if cycle.least <= step <= cycle.most and 2 * cycle.length <= span + step
    }
    if frequency.name == "B":
        # Weekends are never there.
        chosen.pop("weekend", None)
    return tuple((name, _harmonics(cycle, step)) for name, cycle in chosen.items())


def _named(names, is_time):
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if not isinstance(name, str) or name not in CYCLES:
            raise ValueError(
                f"calendar has {name!r}; expected names among {sorted(CYCLES)}."
            )
    if names and not is_time:
        raise ValueError(
            f"calendar={names!r} needs rows with a DatetimeIndex or a PeriodIndex, "
            "which neither X nor y has."
        )
    return tuple((name, CYCLES[name].harmonics) for name in names)


def _harmonics(cycle, step):
    """Return as many harmonics as can be told apart with this step between rows."""
    n_steps = round(cycle.length / step)
    return min(cycle.harmonics, max(1, (n_steps - 1) // 2))


def _has_dates(index):
    return isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)


def _times(index):
    """Return the times of a period's beginning, or of a label itself."""
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def n_calendar_channels(cycles) -> int:
    """Return how many channels some cycles become."""
    return sum(max(1, 2 * harmonics) for _, harmonics in cycles)


def calendar_names(cycles) -> tuple:
    """Return what the channels are called."""
    return tuple(
        f"{name} {part}".strip()
        for name, harmonics in cycles
        for part in (
            [f"{f}{k}" for k in range(1, harmonics + 1) for f in ("sin", "cos")] or [""]
        )
    )


def calendar_channels(cycles, index) -> np.ndarray:
    """Return the channels of the labels of rows.

    Parameters
    ----------
    cycles : tuple of (str, int)
    index : pandas.DatetimeIndex or pandas.PeriodIndex

    Returns
    -------
    channels : ndarray of float32 of shape (n_rows, n_channels)
    """
    if not cycles:
        return np.empty((len(index), 0), dtype=np.float32)
    # The series of a panel mostly share their labels.
    codes, unique = index.factorize()
    times = _times(unique)
    made = [
        wave
        for name, harmonics in cycles
        for wave in _waves(np.asarray(CYCLES[name].place(times)), harmonics)
    ]
    return np.column_stack(made).astype(np.float32)[codes]


def _waves(place, harmonics):
    if not harmonics:
        return [place]
    angles = (2 * np.pi * k * place for k in range(1, harmonics + 1))
    return [wave for angle in angles for wave in (np.sin(angle), np.cos(angle))]
