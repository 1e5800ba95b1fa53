"""Values of Python itself: tuples, dicts, sets, dates, and what JSON can't write."""

import datetime
import math
import pathlib

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly

_NAMES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _write_float(value, _writer):
    # JSON has no word for them.
    return {"value": str(value)}


def _read_float(node, _reader):
    return _NAMES[exactly(node, "value", str)]


def _write_items(value, writer):
    return {"items": [writer.value(v, f"[{i}]") for i, v in enumerate(value)]}


def _write_dict(value, writer):
    items = [
        [writer.value(k, ".keys()"), writer.value(v, f"[{k!r:.40}]")]
        for k, v in value.items()
    ]
    return {"items": items}


def _read_dict(node, reader):
    found = {}
    for key, value in exactly(node, "items", list):
        found[reader.value(key)] = reader.value(value)
    if len(found) != len(node["items"]):
        raise UnreadableError("a dict has a key twice")
    return found


def _read_set(make):
    def read(node, reader):
        found = make(reader.values(node["items"]))
        if len(found) != len(node["items"]):
            raise UnreadableError("a set has a value twice")
        return found

    return read


def _write_set(value, writer):
    # In one order, so that the same estimator makes the same file.
    return _write_items(
        sorted(value, key=lambda v: (type(v).__name__, repr(v))), writer
    )


def _write_bounds(value, writer):
    return {"bounds": [writer.value(getattr(value, n), f".{n}") for n in _BOUNDS]}


_BOUNDS = ("start", "stop", "step")


def _read_bounds(make):
    def read(node, reader):
        start, stop, step = reader.values(node["bounds"])
        return make(start, stop, step)

    return read


def _write_iso(value, _writer):
    return {"value": value.isoformat()}


def _read_iso(make):
    return lambda node, _reader: make(exactly(node, "value", str))


def _write_path(value, _writer):
    return {"value": str(value)}


def _read_path(node, _reader):
    return pathlib.Path(exactly(node, "value", str))


# Type -> its kind; subclasses are other types.
PLAIN = {
    float: Kind("float", _write_float, _read_float),
    tuple: Kind("tuple", _write_items, lambda n, r: tuple(r.values(n["items"]))),
    dict: Kind("dict", _write_dict, _read_dict),
    set: Kind("set", _write_set, _read_set(set)),
    frozenset: Kind("frozenset", _write_set, _read_set(frozenset)),
    slice: Kind("slice", _write_bounds, _read_bounds(slice)),
    range: Kind("range", _write_bounds, _read_bounds(range)),
    # That of this system.
    type(pathlib.Path()): Kind("path", _write_path, _read_path),
    datetime.date: Kind("date", _write_iso, _read_iso(datetime.date.fromisoformat)),
}
