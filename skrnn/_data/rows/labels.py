"""What the labels of rows are: times, numbers or names; their order and their step."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product
from statistics import median_low
from typing import Any

from skrnn._data.rows.strings import read_strings

# pandas' name for the values of an index -> whether they order as times or numbers.
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
# Enough to tell business days from days; few enough that an old gap doesn't matter.
_N_LABELS = 32
# Without a gap five labels may be one week of business days.
_N_STRETCH = 6
# Floats are rounded, and measured times are never quite regular.
_TOLERANCE = Fraction(1, 100)


@dataclass(frozen=True)
class RowLabels:
    """The labels of rows.

    Attributes
    ----------
    index : pandas.Index
        Dates that came as strings or as Python's dates are times here.
    kind : {"times", "numbers", "names"}
        Names have no order.
    given : pandas.Index
        The labels as they came, for errors.
    what : str
        What the user calls the index: the name of its class.
    form : str or None
        How strings were read.
    others : tuple of RowLabels
        Other readings, if the day and the month of strings can't be told apart.
    """

    index: Any
    kind: str
    given: Any
    what: str
    form: str | None = None
    others: tuple = ()

    def __len__(self):
        return len(self.index)

    def __getitem__(self, rows):
        return self._each(lambda each: (each.index[rows], each.given[rows]))

    def _each(self, change):
        index, given = change(self)
        others = tuple(other._each(change) for other in self.others)
        return replace(self, index=index, given=given, others=others)

    def end(self):
        """Return a copy of the last labels, enough to tell what comes next."""
        return self[-_N_LABELS:]._each(lambda each: (each.index.copy(deep=True),) * 2)

    def bare(self):
        """Return the labels without the original strings."""
        return self._each(lambda each: (each.index,) * 2)

    @property
    def readings(self):
        """What the labels may mean, each alone."""
        return (replace(self, others=()), *self.others)

    @property
    def forms(self):
        """How strings were read, in each reading."""
        return tuple(each.form for each in self.readings if each.form is not None)

    def values(self):
        """Return an array whose order is that of times or numbers."""
        return self.index.asi8 if self.kind == "times" else self.index.to_numpy()


def read_labels(index, what=None, known=()):
    """Read the labels of a pandas index as times, numbers or names.

    Parameters
    ----------
    index : pandas.Index
        Without levels.
    what : str or None, default=None
        What the user calls it, if that isn't the name of its class.
    known : tuple of str
        How strings were read before: the `forms` of the labels of ``fit``.

    Returns
    -------
    labels : RowLabels
    """
    what, given = what or type(index).__name__, index
    if index.inferred_type == "categorical":
        index = index.astype(index.categories.dtype)
    if index.inferred_type == "interval":
        index = index.left
    if index.inferred_type == "string":
        readings = read_strings(index, known) or {None: index}
    else:
        read = _READERS.get(index.inferred_type)
        readings = {None: index if read is None else read(index)}
    first, *others = (
        RowLabels(found, _KINDS.get(found.inferred_type, "names"), given, what, form)
        for form, found in readings.items()
    )
    return replace(first, others=tuple(others))


def _datetimes(index):
    # Deferred: X is pandas', so the user has loaded it already.
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


_READERS = {
    "datetime64": _datetimes,
    "datetime": _datetimes,
    "date": _datetimes,
    "timedelta64": _durations,
    "timedelta": _durations,
    "period": _periods,
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
    return all(_follows(*pair) for pair in paired(end, labels))


def paired(before, after):
    """Pair the readings of two RowLabels that were read in the same way."""
    pairs = list(product(before.readings, after.readings))
    return [pair for pair in pairs if pair[0].form == pair[1].form] or pairs


def _follows(end, labels):
    if len(end) < 2 or end.kind != labels.kind or end.kind == "names":
        return False
    if end.kind == "numbers":
        return _next_number(end.index.to_list(), labels.index[:1].to_list()[0])
    if hasattr(end.index, "to_timestamp"):
        same = end.index.dtype == labels.index.dtype
        return same and _next_number(end.index.asi8.tolist(), int(labels.index.asi8[0]))
    return _next_time(end.index, labels.index[0])


def _next_number(end, number):
    """Whether a number is one step after the last one, whatever their magnitude."""
    try:
        known = [Fraction(label) for label in end]
        gone = Fraction(number) - known[-1]
    except OverflowError:
        # Nothing follows infinity.
        return False
    # A gap at the very end is no regular step.
    step = median_low(after - before for before, after in pairwise(known))
    exact = gone.denominator == step.denominator == 1
    return abs(gone - step) <= (0 if exact else _TOLERANCE * step)


def _next_time(end, time):
    """Whether a time is the next one by the calendar of the earlier times."""
    try:
        frequency = end.freq or calendar_of(end)
        if frequency is not None:
            return bool(time == end[-1] + frequency)
        gone = time - end[-1]
    except (TypeError, OverflowError, ValueError):
        # Only one of them has a time zone, one is a period, or the next time overflows.
        return False
    step = median_low(after - before for before, after in pairwise(end))
    return bool(abs(gone - step) <= step / _TOLERANCE.denominator)


def calendar_of(times):
    """Return the frequency of most steps, such as business days, or None.

    Parameters
    ----------
    times : pandas.DatetimeIndex or pandas.TimedeltaIndex
        A few labels: every stretch of them is looked at.

    Returns
    -------
    frequency : pandas.DateOffset or None
    """
    n_labels = min(_N_STRETCH, max(3, (len(times) + 1) // 2))
    n_labels = len(times) if _inferred(times) is not None else n_labels
    stretches = range(len(times) - n_labels + 1)
    found = {_inferred(times[i : i + n_labels]) for i in stretches} - {None}
    steps = list(pairwise(times))
    explained = {each: sum(a + each == b for a, b in steps) for each in found}
    best = max(explained, key=explained.__getitem__, default=None)
    return best if best is not None and 2 * explained[best] > len(steps) else None


def _inferred(times):
    # pandas infers it from three labels or more, in order, and not from periods.
    return type(times)(times, freq="infer").freq if len(times) > 2 else None
