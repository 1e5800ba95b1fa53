"""Digests of parameters and data: whether two fits are the same one."""

import dataclasses
import hashlib
import threading
from collections.abc import Mapping
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType

import numpy as np

# Numbers of an array that are read at once.
_TOGETHER = 2**20
_PLAIN = type(None), bool, int, float, complex, str, bytes
# Locks and random generators aren't data.
_NO_DATA = (
    threading.Event,
    type(threading.Lock()),
    np.random.RandomState,
    np.random.Generator,
)
_SHOWN = 60


def digest_of(*values) -> str:
    """Return a SHA-256 digest of arrays and whatever holds them, in hexadecimal.

    Equal values have equal digests in every process. Functions count by their names
    and their code, other objects by their classes and attributes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.digests import digest_of
    >>> digest_of(np.arange(3.0)) == digest_of(np.arange(3.0))
    True
    >>> digest_of(np.arange(3.0)) == digest_of(np.arange(3))
    False
    """
    found = hashlib.sha256()
    _add(found, values, [])
    return found.hexdigest()


def described(value) -> str:
    """Return a short text that is the same for equal values, and for no others."""
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    if _is_plain(value) and len(text) <= _SHOWN:
        return text
    return f"{type(value).__name__} {digest_of(value)[:16]}"


def _is_plain(value):
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _add(found, value, seen):
    """Let a hash read `value`; `seen` are the objects around it, for cycles."""
    if any(value is each for each in seen):
        _add_text(found, "seen")
        return
    inner = [*seen, value]
    for types, add in _READERS:
        if isinstance(value, types):
            add(found, value, inner)
            return
    _add_object(found, value, inner)


def _add_text(found, *parts):
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    # The length first: "ab", "c" isn't "a", "bc".
    found.update(b"%d:" % len(text))
    found.update(text)


def _add_plain(found, value, _seen):
    _add_text(found, type(value).__name__, repr(value))


def _add_array(found, value, seen):
    array = np.asarray(value)
    _add_text(found, "array", array.dtype.str, array.shape)
    if array.dtype.hasobject:
        for each in array.ravel():
            _add(found, each, seen)
        return
    if not (array.ndim and array.size):
        found.update(array.tobytes())
        return
    # Piece by piece: an array may be larger than memory, or one number many times.
    n = max(1, _TOGETHER // max(1, array[:1].size))
    for at in range(0, len(array), n):
        found.update(np.ascontiguousarray(array[at : at + n]).data.cast("B"))


def _add_mapping(found, value, seen):
    _add_text(found, type(value).__name__, len(value))
    for key in sorted(value, key=repr):
        _add(found, key, seen)
        _add(found, value[key], seen)


def _add_items(found, value, seen):
    items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
    _add_text(found, type(value).__name__, len(value))
    for each in items:
        _add(found, each, seen)


def _add_function(found, value, seen):
    _add_text(found, value.__module__, value.__qualname__)
    if isinstance(value, FunctionType):
        values = [cell.cell_contents for cell in value.__closure__ or ()]
        read = value.__code__, value.__defaults__, value.__kwdefaults__, values
        _add(found, read, seen)


def _add_method(found, value, seen):
    _add(found, (value.__func__, value.__self__), seen)


def _add_partial(found, value, seen):
    _add(found, (value.func, value.args, value.keywords), seen)


def _add_code(found, value, seen):
    _add(found, (value.co_code, value.co_consts, value.co_names), seen)


def _add_class(found, value, _seen):
    _add_text(found, value.__module__, value.__qualname__)


def _add_nothing(_found, _value, _seen):
    """Leave it out."""


# Types -> what reads such a value.
_READERS = (
    (_PLAIN, _add_plain),
    ((np.ndarray, np.generic), _add_array),
    (Mapping, _add_mapping),
    ((tuple, list, set, frozenset), _add_items),
    ((FunctionType, BuiltinFunctionType), _add_function),
    (MethodType, _add_method),
    (partial, _add_partial),
    (CodeType, _add_code),
    (type, _add_class),
    (_NO_DATA, _add_nothing),
)


def _add_object(found, value, seen):
    cls = type(value)
    _add_text(found, cls.__module__, cls.__qualname__)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        _add(found, {name: getattr(value, name) for name in names}, seen)
    elif hasattr(value, "to_numpy"):
        # A frame or a column.
        _add(found, list(map(str, getattr(value, "columns", ()))), seen)
        _add(found, value.to_numpy(), seen)
    elif hasattr(value, "get_config"):
        _add(found, _config_of(value), seen)
    elif hasattr(value, "__array__") and not cls.__module__.startswith("skrnn."):
        _add(found, np.asarray(value), seen)
    elif hasattr(value, "__dict__"):
        _add(found, vars(value), seen)
    else:
        _add_text(found, repr(value))


def _config_of(value):
    """Return the configuration of an object of Keras; a user's own may have none."""
    try:
        config = dict(value.get_config())
    except NotImplementedError:
        return vars(value)
    # Keras numbers the names: they mean nothing.
    config.pop("name", None)
    return config
