"""What the labels of rows are: times, numbers or names; their order and their step."""

import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from statistics import median_low
from typing import Any

# What pandas calls the values of an index -> what their order is that of.
_KINDS = {
    "datetime64": "times",
    "timedelta64": "times",
    "period": "times",
    "integer": "numbers",
    "floating": "numbers",
    "decimal": "numbers",
    "mixed-integer-float": "numbers",
    "boolean": "numbers",
}
# Enough to tell business days from days, and not so many that an old hole matters.
_N_LABELS = 32
# Floats are rounded, and measured times are never quite regular.
_TOLERANCE = Fraction(1, 100)

_INTEGER = re.compile(r"[+-]?\d{1,7}$|[+-]?\d{9,}$")
_QUARTER = re.compile(r"\d{4}-?Q[1-4]$")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b|\d{8}$")
_DAYS = "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%Y-%m-%d", "%Y-%m"
_CLOCKS = "", " %H:%M", " %H:%M:%S"


@dataclass(frozen=True)
class RowLabels:
    """The labels of rows.

    Attributes
    ----------
    index : pandas.Index
        Dates that came as strings or as Python's are times in it.
    kind : {"times", "numbers", "names"}
        Names have no order.
    given : pandas.Index
        The labels as they came, for errors.
    what : str
        What the user calls the index: the name of its class.
    """

    index: Any
    kind: str
    given: Any
    what: str

    def __len__(self):
        return len(self.index)

    def __getitem__(self, rows):
        return RowLabels(self.index[rows], self.kind, self.given[rows], self.what)

    def end(self):
        """Return a copy of the last labels, enough to tell what comes next."""
        last = self.index[-_N_LABELS:].copy(deep=True)
        return RowLabels(last, self.kind, last, self.what)

    def values(self):
        """Return an array whose order is that of times or numbers."""
        return self.index.asi8 if self.kind == "times" else self.index.to_numpy()


def read_labels(index, what=None):
    """Tell what the labels of a pandas index are.

    Parameters
    ----------
    index : pandas.Index
        Without levels.
    what : str or None, default=None
        What the user calls it, if that isn't the name of its class.

    Returns
    -------
    labels : RowLabels
    """
    what, given = what or type(index).__name__, index
    if index.inferred_type == "categorical":
        index = index.astype(index.categories.dtype)
    if index.inferred_type == "interval":
        index = index.left
    read = _READERS.get(index.inferred_type)
    index = index if read is None else read(index)
    return RowLabels(index, _KINDS.get(index.inferred_type, "names"), given, what)


def _datetimes(index):
    # Deferred, as everywhere here: somebody who comes here has loaded it.
    import pandas as pd  # noqa: PLC0415

    if index.inferred_type == "datetime" or index.dtype == object:
        return pd.DatetimeIndex(pd.to_datetime(index, utc=True, errors="coerce"))
    return index if hasattr(index, "asi8") else pd.DatetimeIndex(index)


def _durations(index):
    import pandas as pd  # noqa: PLC0415

    return index if hasattr(index, "asi8") else pd.TimedeltaIndex(index)


def _periods(index):
    import pandas as pd  # noqa: PLC0415

    return index if hasattr(index, "asi8") else pd.PeriodIndex(index)


def _strings(index):
    """Read strings that are dates or integers as such: their order is no string's."""
    first = next((label for label in index if isinstance(label, str)), "")
    if _INTEGER.match(first):
        return _as_integers(index)
    if _QUARTER.match(first):
        return _as_quarters(index)
    return _as_dates(index) if _DATE.match(first) else index


def _as_integers(index):
    import pandas as pd  # noqa: PLC0415

    try:
        return pd.Index([int(label) for label in index])
    except (TypeError, ValueError):
        return index


def _as_quarters(index):
    import pandas as pd  # noqa: PLC0415

    try:
        return pd.PeriodIndex(index, freq="Q")
    except ValueError:
        return index


def _as_dates(index):
    """Return times, read in the way in which they are in order, if there is any."""
    found = None
    for dates in _readings(index):
        if dates.is_monotonic_increasing and dates.is_unique:
            return dates
        found = dates if found is None else found
    return index if found is None else found


def _readings(index):
    """Yield what strings may mean as dates: some put the day first, some the month."""
    import pandas as pd  # noqa: PLC0415

    def read(strings, form):
        return pd.DatetimeIndex(pd.to_datetime(strings, format=form, utc=True))

    with suppress(ValueError, TypeError, OverflowError):
        yield read(index, "ISO8601")
    with_dashes = index.str.replace("T", " ").str.replace(r"[/.]", "-", n=2, regex=True)
    for day, clock in product(_DAYS, _CLOCKS):
        with suppress(ValueError, TypeError, OverflowError):
            yield read(with_dashes, f"{day}{clock}")


_READERS = {
    "datetime64": _datetimes,
    "datetime": _datetimes,
    "date": _datetimes,
    "timedelta64": _durations,
    "timedelta": _durations,
    "period": _periods,
    "string": _strings,
}


def continues(end, labels):
    """Whether `labels` start one step after `end`.

    Parameters
    ----------
    end : RowLabels
        The last labels of what came before.
    labels : RowLabels

    Returns
    -------
    continues : bool
        Always False for labels that are neither times nor numbers.
    """
    if len(end) < 2 or end.kind != labels.kind or end.kind == "names":
        return False
    if end.kind == "numbers":
        return _next_number(end.index, labels.index)
    return _next_time(end.index, labels.index[0])


def _next_number(end, index):
    """Whether a number is one step from the last: the size of both says nothing."""
    try:
        known = [Fraction(label) for label in end.to_list()]
        gone = Fraction(index[:1].to_list()[0]) - known[-1]
    except OverflowError:
        # Nothing follows infinity.
        return False
    # A hole at the very end is no step.
    step = median_low(after - before for before, after in pairwise(known))
    exact = gone.denominator == step.denominator == 1
    return abs(gone - step) <= (0 if exact else _TOLERANCE * step)


def _next_time(end, time):
    """Whether a time is what the calendar of those before says."""
    frequency = _frequency(end)
    if frequency is not None:
        return bool(time == end[-1] + frequency)
    try:
        gone = time - end[-1]
    except TypeError:
        # One of them has a time zone, or isn't a point in time.
        return False
    step = median_low(after - before for before, after in pairwise(end))
    return bool(abs(gone - step) <= step / _TOLERANCE.denominator)


def _frequency(times):
    if times.freq is not None:
        return times.freq
    # From the longest stretch before the end without a hole: three labels alone
    # can't tell business days from days.
    for n_labels in range(len(times), 2, -1):
        frequency = type(times)(times[-n_labels:], freq="infer").freq
        if frequency is not None:
            return frequency
    return None
