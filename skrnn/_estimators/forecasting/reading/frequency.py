"""The step from one label to the next: found, checked, and taken into the future."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skrnn._data.rows.labels import RowLabels, calendar_of

_DAY = pd.Timedelta(days=1)
# The shortest month.
_MONTH = pd.Timedelta(days=28)
_LETTERS = {1: "M", 3: "Q", 12: "Y"}
# Measured times are never quite regular: as in rows/labels.
_TOLERANCE = 0.01
# Enough labels to tell business days from days.
_N_LABELS = 32
# Steps that pandas adds to one time after the other, with a warning that it does.
_ONE_BY_ONE = (
    pd.offsets.CustomBusinessDay,
    pd.offsets.CustomBusinessMonthBegin,
    pd.offsets.CustomBusinessMonthEnd,
)


@dataclass(frozen=True)
class Frequency:
    """How labels go on, in every series.

    Attributes
    ----------
    kind : {"numbers", "periods", "durations", "clock", "calendar"}
        "clock" counts hours, minutes and the like; "calendar" counts days, months and
        so on in local time, where a day may have 23 hours.
    step : int, float, pandas.Timedelta or pandas.DateOffset
        From one label to the next. For periods the number of their own steps.
    name : str or None
        What pandas calls it: "MS", "D", "30min".
    """

    kind: str
    step: Any
    name: str | None = None

    def __str__(self):
        return str(self.step if self.name is None else self.name)

    def after(self, index, n=1):
        """Return the labels `n` steps after those of an index.

        Parameters
        ----------
        index : pandas.Index
            Without levels.
        n : int or ndarray of int of shape (len(index),), default=1
        """
        if self.kind in ("numbers", "periods"):
            return index + np.asarray(n) * self.step
        if self.kind == "clock" and index.tz is not None:
            moved = self._moved(index.tz_convert("UTC"), n)
            return moved.tz_convert(index.tz)
        if self.kind != "calendar" or index.tz is None:
            return self._moved(index, n)
        # The hour that is there twice is the later one, as in standard time.
        later = np.zeros(len(index), dtype=bool)
        moved = self._moved(index.tz_localize(None), n)
        return moved.tz_localize(index.tz, ambiguous=later, nonexistent="shift_forward")

    def _moved(self, index, n):
        if isinstance(self.step, pd.Timedelta):
            return (
                index + np.asarray(n) * self.step.as_unit(index.unit).to_timedelta64()
            )
        if np.ndim(n) == 0:
            step = int(n) * self.step
            if isinstance(step, _ONE_BY_ONE):
                one_by_one = pd.DatetimeIndex([time + step for time in index])
                return one_by_one.as_unit(index.unit)
            return index + step
        codes, starts = index.factorize()
        most = np.zeros(len(starts), dtype=np.int64)
        np.maximum.at(most, codes, n)
        following = [
            pd.date_range(start, periods=int(steps) + 1, freq=self.step)
            for start, steps in zip(starts, most, strict=True)
        ]
        first = np.cumsum(most + 1) - (most + 1)
        return following[0].append(following[1:])[first[codes] + n]


def find_frequency(labels: RowLabels, lengths) -> Frequency | None:
    """Find the step that most labels are from the one before them.

    Parameters
    ----------
    labels : RowLabels
        Series after series; times or numbers.
    lengths : ndarray of int
        Rows of each series.

    Returns
    -------
    frequency : Frequency or None
        None if no step is that of most labels.
    """
    index, within = labels.index, within_series(lengths)
    if not hasattr(index, "asi8"):
        return _of_numbers(index.to_numpy(), within)
    if isinstance(index, pd.PeriodIndex):
        return _of_periods(index, within)
    if isinstance(index, pd.TimedeltaIndex):
        step = _fixed(index, within)
        return None if step is None else Frequency("durations", step, _name(step))
    return _of_times(index, within, lengths)


def within_series(lengths):
    """Tell of each row but the first whether the row before it is of its series."""
    within = np.ones(max(int(np.sum(lengths)) - 1, 0), dtype=bool)
    within[np.cumsum(lengths)[:-1] - 1] = False
    return within


def are_next(frequency, before, after):
    """Tell of each pair of labels whether the second is one step after the first."""
    expected = frequency.after(before)
    if frequency.kind == "numbers" and isinstance(frequency.step, float):
        return np.abs(expected - after) <= _TOLERANCE * abs(frequency.step)
    return np.asarray(expected == after)


def shown(label):
    """Return a label as errors show it: midnight is left out."""
    return str(label).removesuffix(" 00:00:00")


def _commonest(steps):
    """Return the step that more than half of the steps are, or None."""
    if not len(steps):
        return None
    middle = np.partition(steps, len(steps) // 2)[len(steps) // 2]
    return middle if 2 * np.count_nonzero(steps == middle) > len(steps) else None


def _of_numbers(values, within):
    if not within.any():
        # A row alone is counted on from.
        return Frequency("numbers", 1)
    if values.dtype.kind in "iu":
        step = _commonest(np.diff(values)[within])
        return None if step is None else Frequency("numbers", int(step))
    steps = np.diff(values.astype(np.float64))[within]
    step = float(np.median(steps))
    near = np.abs(steps - step) <= _TOLERANCE * abs(step)
    return Frequency("numbers", step) if 2 * near.sum() > len(steps) else None


def _of_periods(index, within):
    own: Any = index.freq
    step = _commonest(np.diff(index.asi8)[within]) if within.any() else own.n
    if step is None or step % own.n:
        return None
    return Frequency("periods", int(step) // own.n, index.freqstr)


def _fixed(index, within):
    """Return the commonest step between times, or None."""
    step = _commonest(np.diff(index.asi8)[within])
    return None if step is None else pd.Timedelta(int(step), unit=index.unit)


def _of_times(index, within, lengths):
    """Find the frequency of a DatetimeIndex."""
    if index.freq is not None:
        return _of_offset(index.freq)
    if not within.any():
        return None
    local = index if index.tz is None else index.tz_localize(None)
    steps = np.diff(local.asi8)[within]
    months = None
    if np.median(steps) >= _MONTH // pd.Timedelta(1, unit=index.unit):
        months = _of_months(local, within)
    if months is not None:
        return months
    step = _fixed(local, within)
    if (steps == steps[0]).all():
        return _of_step(step)
    absolute = np.diff(index.asi8)[within]
    if (absolute == absolute[0]).all():
        # Such as 24 hours, over the day with 23 hours.
        step = _fixed(index, within)
        return Frequency("clock", step, _name(step))
    offset = calendar_of(_end_of_longest(local, lengths))
    if offset is not None and _of_offset(offset).kind == "calendar":
        return _of_offset(offset)
    step = _fixed(index, within)
    return None if step is None else _of_step(step)


def _of_step(step):
    return Frequency("clock" if step % _DAY else "calendar", step, _name(step))


def _end_of_longest(index, lengths):
    """Return the last labels of the longest series."""
    longest = int(np.argmax(lengths))
    end = int(np.sum(lengths[: longest + 1]))
    return index[end - min(int(lengths[longest]), _N_LABELS) : end]


def _of_months(local, within):
    """Find a step of whole months, from one day of the month to the same one."""
    months = np.asarray(local.year) * 12 + np.asarray(local.month)
    step = _commonest(np.diff(months)[within])
    if not step:
        return None
    n, days = int(step), np.asarray(local.day)
    if (days == 1).all():
        return Frequency("calendar", pd.offsets.MonthBegin(n), _of_month(n, "S"))
    if local.is_month_end.all():
        return Frequency("calendar", pd.offsets.MonthEnd(n), _of_month(n, "E"))
    if (days == days[0]).all() and days[0] <= _MONTH.days:
        return Frequency("calendar", pd.DateOffset(months=n), _of_month(n, "S"))
    return None


def _of_month(n, end):
    """Write what pandas calls a step of `n` months."""
    most = max(m for m in _LETTERS if n % m == 0)
    times = "" if n == most else str(n // most)
    return f"{times}{_LETTERS[most]}{end}"


def _of_offset(offset):
    """Return the frequency of an offset of pandas.

    One that depends on a weekday or a month of the year becomes one that doesn't: the
    series of a panel may differ in them.
    """
    n, of = offset.n, pd.offsets
    days = {"Day": 1, "Week": 7}.get(type(offset).__name__)
    if days is not None:
        return _of_step(n * days * _DAY)
    if isinstance(offset, of.Tick):
        step = pd.Timedelta(offset)
        return Frequency("clock", step, _name(step))
    for ends, letter, kind in (
        ((of.MonthBegin, of.QuarterBegin, of.YearBegin), "S", of.MonthBegin),
        ((of.MonthEnd, of.QuarterEnd, of.YearEnd), "E", of.MonthEnd),
    ):
        if type(offset) in ends:
            months = n * (1, 3, 12)[ends.index(type(offset))]
            return Frequency("calendar", kind(months), _of_month(months, letter))
    return Frequency("calendar", offset, offset.freqstr)


def _name(step):
    """Return what pandas calls a step of fixed length."""
    for letter, length in (("W", 7 * _DAY), ("D", _DAY)):
        n = step // length
        if step == n * length:
            return letter if n == 1 else f"{n}{letter}"
    return pd.tseries.frequencies.to_offset(step).freqstr
