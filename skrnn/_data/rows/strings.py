"""Strings as labels of rows: those that are dates or whole numbers."""

import re
from contextlib import suppress

# The kinds of the parts of a date -> what they may mean. A year has four digits (Y) or
# counts from 2000 (n), and a month is a number or a name (a).
_DAYS = {
    "Y n n": ["%Y %m %d"],
    "Y n": ["%Y %m"],
    "Y a n": ["%Y %b %d"],
    "Y a": ["%Y %b"],
    "n n Y": ["%d %m %Y", "%m %d %Y"],
    "n n n": ["%d %m %y", "%m %d %y", "%y %m %d"],
    "n Y": ["%m %Y"],
    "n a Y": ["%d %b %Y"],
    "n a n": ["%d %b %y"],
    "a n Y": ["%b %d %Y"],
    "a Y": ["%b %Y"],
}
_YEAR = r"(?:1[6-9]|2[0-2])\d\d"
_DATE = rf"{_YEAR}(0[1-9]|1[0-2])([0-2]\d|3[01])"
# Labels of one kind as a whole -> how they are read.
_WHOLE = {
    rf"{_DATE}(T\d+)?$": ["ISO8601", "integers"],
    rf"{_DATE}\d{{4}}$": ["%Y%m%d%H%M"],
    rf"{_DATE}\d{{6}}$": ["%Y%m%d%H%M%S"],
    r"[+-]?\d+$": ["integers"],
    rf"{_YEAR}-?Q[1-4]$": ["quarters"],
    rf"{_YEAR}-W\d\d$": ["%G-W%V"],
    rf"{_YEAR}-W\d\d-\d$": ["%G-W%V-%u"],
    rf"{_YEAR}[-/]\d\d([-/]\d\d.*)?$": ["ISO8601"],
}
_PART = re.compile(rf"({_YEAR}(?!\d))|(\d\d?(?!\d))|([^\W\d_]+)|([-/., ]+)|(.)")
_CLOCK = re.compile(
    r"(.+?)(?:(T| +)(\d\d?:\d\d)(:\d\d)?(\.\d+)?( ?)([AP]M)?)?$",
    re.IGNORECASE | re.DOTALL,
)


def read_strings(index, known=()):
    """Read strings that are dates or integers: they don't order as strings do.

    Parameters
    ----------
    index : pandas.Index
        Of strings.
    known : iterable of str
        How the strings in `fit` were read; preferred to other readings.

    Returns
    -------
    readings : dict of pandas.Index
        Format -> all labels, read in this format. Two items if the day and the month
        can't be told apart, none for names.
    """
    first = next((label for label in index if isinstance(label, str)), "").strip()
    for forms in (known, *_forms(first)):
        found = {}
        for form in forms:
            with suppress(ValueError, TypeError, OverflowError):
                found[form] = _read(index, form)
        if found:
            return found
    return {}


def _read(index, form):
    # Deferred: X is pandas', so the user has loaded it already.
    import pandas as pd  # noqa: PLC0415

    if form == "integers":
        return pd.Index([int(label) for label in index])
    if form == "quarters":
        return pd.PeriodIndex(index, freq="Q")
    if form == "%G-W%V":
        index, form = index + "-1", "%G-W%V-%u"
    return pd.DatetimeIndex(pd.to_datetime(index, format=form, utc=True))


def _forms(label):
    """Yield lists of the formats that a label may have, the likeliest first."""
    for pattern, forms in _WHOLE.items():
        if re.match(pattern, label):
            yield from ([form] for form in forms)
    found = _CLOCK.match(label)
    if found is None:
        return
    day, *clock = found.groups()
    parts = [(match.lastindex or 0, match.group()) for match in _PART.finditer(day)]
    key = " ".join("_Yna_?"[kind] for kind, _ in parts if kind != 4)
    for month in ("%b", "%B"):
        yield [
            _spelled(parts, days.replace("%b", month)) + _clock_form(*clock)
            for days in _DAYS.get(key, ())
        ]


def _spelled(parts, days):
    """Write a format with the separators of a label between its parts."""
    codes = iter(days.split())
    return "".join(part if kind == 4 else next(codes) for kind, part in parts)


def _clock_form(before, minutes=None, seconds=None, fraction=None, space="", half=None):
    if minutes is None:
        return ""
    hours = "%I" if half else "%H"
    optional = (seconds and ":%S", fraction and ".%f", half and f"{space}%p")
    return f"{before}{hours}:%M" + "".join(filter(None, optional))
