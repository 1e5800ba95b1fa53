"""Values of NumPy: arrays of any plain type, scalars, dtypes, masks, and generators.

An array is stored as plain numbers that safetensors knows, together with its dtype:
times as whole numbers, strings as their code points, complex numbers as pairs. Arrays
of objects are lists of values in the JSON. Nothing is ever unpickled.
"""

import math
import re
from typing import Any

import numpy as np

from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly

_TIMES = re.compile(r"<[mM]8(\[(\d{1,9})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")
_NUMBERS = {"|b1", "|i1", "|u1"} | {f"<{k}{n}" for k in "iu" for n in (2, 4, 8)}
_NUMBERS |= {"<f2", "<f4", "<f8"}
_COMPLEX = {"<c8": "<f4", "<c16": "<f8"}
_TEXTS = re.compile(r"<U\d{1,9}|\|S\d{1,9}")
# State of the Mersenne Twister: words, and the place in them that comes next.
_WORDS = 624


def _little(dtype):
    return dtype.newbyteorder("<").str


def _write_array(value, writer):
    if value.dtype == object:
        items = value.ravel().tolist()
        return {
            "dtype": "object",
            "shape": list(value.shape),
            "items": [writer.value(v, f"[{i}]") for i, v in enumerate(items)],
        }
    name = _little(value.dtype)
    if not _is_known(name):
        writer.refuse(f"an array of dtype {value.dtype}", "numbers, texts and times")
    # Products of matrices are rounded otherwise in another order of memory.
    columns_first = value.flags.f_contiguous and not value.flags.c_contiguous
    stored = value.T if columns_first else value
    stored = np.ascontiguousarray(stored, dtype=name).reshape(stored.shape)
    node = {"dtype": name, "array": writer.array(_as_stored(stored))}
    return node | ({"order": "F"} if columns_first else {})


def _is_known(name):
    simple = name in _NUMBERS or name in _COMPLEX
    return simple or bool(_TEXTS.fullmatch(name) or _TIMES.fullmatch(name))


def _as_stored(array):
    """Return the plain numbers that an array is made of."""
    kind = array.dtype.kind
    if kind in "mM":
        return array.view("<i8")
    if kind == "c":
        return _with_axis(array, _COMPLEX[array.dtype.str])
    if kind in "US":
        return _with_axis(array, "<u4" if kind == "U" else "|u1")
    return array


def _with_axis(array, dtype):
    width = array.dtype.itemsize // np.dtype(dtype).itemsize
    flat = array.reshape(-1).view(dtype)
    return flat.reshape(*array.shape, width)


def _read_array(node, reader):
    name = exactly(node, "dtype", str)
    if name == "object":
        return _read_objects(node, reader)
    if not _is_known(name):
        raise UnreadableError(f"it has an array of dtype {name!r:.60}")
    array = _from_stored(reader.array(node["array"]), np.dtype(name))
    # The whole was one block in the other order.
    return array.T if node.get("order") == "F" else array


def _from_stored(stored, dtype):
    if dtype.kind in "cUS":
        part = _COMPLEX.get(dtype.str, "<u4" if dtype.kind == "U" else "|u1")
        width = dtype.itemsize // np.dtype(part).itemsize
        if stored.dtype != part or stored.ndim == 0 or stored.shape[-1] != width:
            raise UnreadableError(f"an array of dtype {dtype.str} is stored as others")
        if dtype.kind == "U" and (stored > 0x10FFFF).any():
            raise UnreadableError("it has a character that doesn't exist")
        return stored.reshape(-1).view(dtype).reshape(stored.shape[:-1])
    if stored.dtype != (np.dtype("<i8") if dtype.kind in "mM" else dtype):
        raise UnreadableError(f"an array of dtype {dtype.str} is stored as another")
    return stored.view(dtype) if dtype.kind in "mM" else stored


def _read_objects(node, reader):
    shape, items = tuple(exactly(node, "shape", list)), reader.values(node["items"])
    if not all(type(n) is int and n >= 0 for n in shape):
        raise UnreadableError("the shape of an array of objects is wrong")
    if len(shape) > 32 or math.prod(shape) != len(items):
        raise UnreadableError("an array of objects hasn't as many as its shape says")
    found = np.empty(len(items), dtype=object)
    # One by one: NumPy would make an axis of lists.
    for i, item in enumerate(items):
        found[i] = item
    return found.reshape(shape)


ARRAY = Kind("array", _write_array, _read_array, is_shared=True)


def _write_scalar(value, writer):
    return _write_array(np.asarray(value), writer)


def _read_scalar(node, reader):
    found = _read_array(node, reader)
    if found.shape or found.dtype == object:
        raise UnreadableError("a number is stored as an array of several")
    return found[()]


SCALAR = Kind("scalar", _write_scalar, _read_scalar)


def _write_masked(value, writer):
    return {
        "data": writer.value(np.asarray(value.data), ".data"),
        "mask": writer.value(np.ma.getmaskarray(value), ".mask"),
        "fill_value": writer.value(value.fill_value, ".fill_value"),
    }


def _read_masked(node, reader):
    data, mask, fill = (reader.value(node[n]) for n in ("data", "mask", "fill_value"))
    if not isinstance(data, np.ndarray) or np.shape(mask) != data.shape:
        raise UnreadableError("a masked array has another mask")
    return np.ma.MaskedArray(data, mask=mask, fill_value=fill)


MASKED = Kind("masked", _write_masked, _read_masked, is_shared=True)


def _write_dtype(value, writer):
    name = "object" if value.kind == "O" else _little(value)
    if name != "object" and not _is_known(name):
        writer.refuse(f"the dtype {value}", "that of numbers, texts, times or objects")
    return {"name": name}


def _read_dtype(node, _reader):
    name = exactly(node, "name", str)
    if name != "object" and not _is_known(name):
        raise UnreadableError(f"it has the dtype {name!r:.60}")
    return np.dtype(name)


DTYPE = Kind("dtype", _write_dtype, _read_dtype)


def _write_generator(value, writer):
    state: Any = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        writer.refuse(f"a RandomState of {state['bit_generator']}", "MT19937")
    return {
        "key": writer.value(state["state"]["key"], ".key"),
        "pos": int(state["state"]["pos"]),
        "has_gauss": int(state["has_gauss"]),
        "gauss": writer.value(float(state["gauss"]), ".gauss"),
    }


def _read_generator(node, reader):
    key, pos = reader.value(node["key"]), exactly(node, "pos", int)
    fits = isinstance(key, np.ndarray) and key.shape == (_WORDS,)
    # NumPy would read behind the words.
    if not fits or key.dtype != np.uint32 or not 0 <= pos <= _WORDS:
        raise UnreadableError("the state of a RandomState is wrong")
    drawn = np.random.RandomState(0)
    gauss = (
        int(exactly(node, "has_gauss", int) != 0),
        float(reader.value(node["gauss"])),
    )
    drawn.set_state(("MT19937", key, pos, *gauss))
    return drawn


GENERATOR = Kind("random_state", _write_generator, _read_generator, is_shared=True)

# Exact type -> kind. Scalars are found by their base.
OF_NUMPY = {
    np.ndarray: ARRAY,
    np.ma.MaskedArray: MASKED,
    np.random.RandomState: GENERATOR,
}


def kind_of_numpy(value):
    """Return the kind of a value of NumPy, or None."""
    if isinstance(value, np.generic):
        return SCALAR
    return DTYPE if isinstance(value, np.dtype) else OF_NUMPY.get(type(value))
