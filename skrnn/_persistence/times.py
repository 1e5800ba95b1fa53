"""Values of pandas: indexes with their frequency and time zone, times and offsets."""

import datetime
import zoneinfo
from typing import Any, cast

import numpy as np
import pandas as pd

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly

_UNITS = ("s", "ms", "us", "ns")


def _write_zone(zone, writer):
    if zone is None:
        return None
    if isinstance(zone, datetime.timezone):
        return int(zone.utcoffset(None).total_seconds())
    # pytz calls it zone.
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if not isinstance(name, str):
        writer.refuse(f"in a time zone of type {type(zone).__name__}", "one by name")
    return name


def _read_zone(zone):
    if zone is None:
        return None
    if type(zone) is int:
        whole = datetime.timedelta(seconds=zone)
        # That of zero is another object, which pandas compares by.
        return datetime.timezone(whole) if zone else datetime.UTC
    if type(zone) is not str:
        raise UnreadableError("a time zone is wrong")
    return zoneinfo.ZoneInfo(zone)


def _write_offset(value: Any, writer):
    if type(value) is pd.DateOffset:
        known = {k: v for k, v in value.kwds.items() if type(v) is int}
        if known == value.kwds:
            return {
                "n": value.n,
                "kwds": known,
                "normalize": bool(cast(Any, value).normalize),
            }
    try:
        if pd.tseries.frequencies.to_offset(value.freqstr) == value:
            return {"name": value.freqstr}
    except ValueError:
        # What pandas has no short name for.
        pass
    return writer.refuse(f"the offset {value!r}", "one that has a name in pandas")


def _read_offset(node, _reader=None):
    if node is None:
        return None
    if "name" in node:
        return pd.tseries.frequencies.to_offset(exactly(node, "name", str))
    kwds = exactly(node, "kwds", dict)
    if not set(kwds) <= _OF_OFFSETS or not all(type(v) is int for v in kwds.values()):
        raise UnreadableError("an offset of dates is wrong")
    n = exactly(node, "n", int)
    make: Any = pd.DateOffset
    return make(n, normalize=exactly(node, "normalize", bool), **kwds)


_PARTS = ("year", "month", "week", "day", "hour", "minute", "second", "microsecond")
_OF_OFFSETS = {"weekday", "nanosecond", "nanoseconds"}.union(
    _PARTS, (f"{part}s" for part in _PARTS)
)


def _write_times(index, writer):
    node: dict[str, Any] = {
        "unit": index.unit,
        "array": writer.array(np.ascontiguousarray(index.asi8)),
        "name": writer.value(index.name, ".name"),
        "freq": None if index.freq is None else _write_offset(index.freq, writer),
    }
    zone = _write_zone(getattr(index, "tz", None), writer)
    return node if zone is None else node | {"zone": zone}


def _read_times(letter):
    make: Any = pd.DatetimeIndex if letter == "M" else pd.TimedeltaIndex

    def read(node, reader):
        unit = exactly(node, "unit", str)
        if unit not in _UNITS:
            raise UnreadableError(f"times are in units of {unit!r:.20}")
        counts = _whole_numbers(node, reader)
        index = make(counts.view(f"{letter}8[{unit}]"))
        zone = _read_zone(node.get("zone"))
        if zone is not None:
            index = index.tz_localize("UTC").tz_convert(zone)
        freq = _read_offset(node["freq"])
        if freq is not None:
            # pandas compares it with the times.
            index.freq = freq
        return index.rename(reader.value(node["name"]))

    return read


def _whole_numbers(node, reader):
    found = reader.array(node["array"])
    if found.dtype != np.int64 or found.ndim != 1:
        raise UnreadableError("times are stored as something else")
    return found


def _write_periods(index, writer):
    return {
        "freq": index.freqstr,
        "array": writer.array(np.ascontiguousarray(index.asi8)),
        "name": writer.value(index.name, ".name"),
    }


def _read_periods(node, reader):
    freq, name = exactly(node, "freq", str), reader.value(node["name"])
    counts = _whole_numbers(node, reader)
    make: Any = pd.PeriodIndex
    return make.from_ordinals(counts, freq=freq, name=name)


def _write_range(index, writer):
    bounds = [index.start, index.stop, index.step]
    return {"bounds": bounds, "name": writer.value(index.name, ".name")}


def _read_range(node, reader):
    bounds = reader.values(node["bounds"])
    if len(bounds) != 3 or not all(type(b) is int for b in bounds):
        raise UnreadableError("the bounds of an index are wrong")
    start, stop, step = bounds
    return pd.RangeIndex(start, stop, step, name=reader.value(node["name"]))


def _write_index(index, writer):
    name = writer.value(index.name, ".name")
    dtype = index.dtype
    if isinstance(dtype, np.dtype):
        return {"values": writer.value(index.to_numpy(), ".values"), "name": name}
    if isinstance(dtype, pd.StringDtype):
        values = index.to_numpy(dtype=object, na_value=None)
        text = {"storage": dtype.storage, "na": dtype.na_value is pd.NA}
        return {"values": writer.value(values, ".values"), "name": name} | text
    return writer.refuse(f"an index of dtype {dtype}", "numbers, texts or times")


def _read_index(node, reader):
    values, dtype = reader.value(node["values"]), cast(Any, None)
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise UnreadableError("an index is stored as something else")
    if "storage" in node:
        if node["storage"] not in ("python", "pyarrow"):
            raise UnreadableError("an index of texts is stored in another way")
        missing: Any = pd.NA if node["na"] else np.nan
        dtype = pd.StringDtype(node["storage"], na_value=missing)
    elif values.dtype == object:
        dtype = object
    return pd.Index(values, dtype=dtype, name=reader.value(node["name"]))


def _write_time(value, writer):
    node = {"unit": value.unit, "value": int(value.asm8.view("i8"))}
    zone = _write_zone(getattr(value, "tzinfo", None), writer)
    return node if zone is None else node | {"zone": zone}


def _read_time(letter):
    make: Any = pd.Timestamp if letter == "M" else pd.Timedelta

    def read(node, _reader):
        unit = exactly(node, "unit", str)
        if unit not in _UNITS:
            raise UnreadableError(f"a time is in units of {unit!r:.20}")
        count = np.array(exactly(node, "value", int), dtype=np.int64)
        found = make(count.view(f"{letter}8[{unit}]")[()])
        zone = _read_zone(node.get("zone"))
        return found if zone is None else found.tz_localize("UTC").tz_convert(zone)

    return read


def _write_period(value, _writer):
    return {"freq": value.freqstr, "ordinal": value.ordinal}


def _read_period(node, _reader):
    freq = exactly(node, "freq", str)
    return pd.Period(ordinal=exactly(node, "ordinal", int), freq=freq)


# Exact type -> kind.
OF_PANDAS = {
    pd.DatetimeIndex: Kind("times", _write_times, _read_times("M"), is_shared=True),
    pd.TimedeltaIndex: Kind(
        "durations", _write_times, _read_times("m"), is_shared=True
    ),
    pd.PeriodIndex: Kind("periods", _write_periods, _read_periods, is_shared=True),
    pd.RangeIndex: Kind("count", _write_range, _read_range, is_shared=True),
    pd.Index: Kind("index", _write_index, _read_index, is_shared=True),
    pd.Timestamp: Kind("time", _write_time, _read_time("M")),
    pd.Timedelta: Kind("duration", _write_time, _read_time("m")),
    pd.Period: Kind("period", _write_period, _read_period),
}
_OFFSET = Kind("offset", _write_offset, _read_offset)
_MISSING = Kind(
    "missing",
    lambda value, _: {"name": "NaT" if value is pd.NaT else "NA"},
    lambda node, _: {"NaT": pd.NaT, "NA": pd.NA}[node["name"]],
)
KINDS_OF_PANDAS = (*OF_PANDAS.values(), _OFFSET, _MISSING)


def kind_of_pandas(value):
    """Return the kind of a value of pandas, or None."""
    if value is pd.NaT or value is pd.NA:
        return _MISSING
    if isinstance(value, pd.offsets.BaseOffset):
        return _OFFSET
    return OF_PANDAS.get(type(value))
