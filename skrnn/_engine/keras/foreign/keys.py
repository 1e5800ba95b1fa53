"""Cache keys for user-defined losses and for what they refer to.

Compiled functions keep what they were traced with: the code, and the values that it
finds in closures, defaults, globals and attributes. A key holds the current values of
all of these. So it notices a changed constant or a notebook cell that was run again,
and an equal lambda isn't compiled twice.
"""

import dis
import hashlib
import sys
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import keras
import numpy as np

_SIMPLE = (type(None), bool, int, float, complex, str, bytes, type(...))
# Functions and classes of these packages don't change.
_LIBRARIES = sys.stdlib_module_names | {"jax", "keras", "numpy", "skrnn", "tensorflow"}
_LIBRARIES |= {"scipy", "sklearn", "torch"}
_WRAPPED = staticmethod, classmethod, property
# Attributes of a class that describe it or its storage, not what it computes.
_UNREAD = {"__dict__", "__doc__", "__module__", "__weakref__", "__annotations__"}
_UNREAD |= {"__firstlineno__", "__static_attributes__", "__abstractmethods__"}
_UNREAD |= {"__qualname__", "__orig_bases__", "__parameters__", "_abc_impl"}


def value_key(value):
    """Return a hashable stand-in for `value`: a loss, or what a loss refers to.

    A value that can't be read has a key that equals no other.
    """
    try:
        key = _key(value, [])
        hash(key)
    except Exception:  # Whatever an object of the user's raises.
        return object()
    return key


class Same:
    """A key by identity; it keeps the object alive, so that its address stays taken."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self):
        return id(self.value)


def _key(value, seen):
    if isinstance(value, _SIMPLE):
        # Equal numbers of different types, and 0.0 and -0.0, give different results.
        return type(value), repr(value) if isinstance(value, float) else value
    for index, other in enumerate(seen):
        if other is value:
            return "seen", index
    seen.append(value)
    for types, make in _MAKERS:
        if isinstance(value, types):
            return make(value, seen)
    make = _tensor_key if keras.ops.is_tensor(value) else _object_key
    return make(value, seen)


def _array_key(array, _seen):
    array = np.asarray(array)
    if array.dtype.hasobject:
        raise TypeError("an array of objects")
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).digest()
    return array.dtype.str, array.shape, digest


def _tensor_key(tensor, seen):
    # PyTorch's tensors may change in place, as TensorFlow's variables do.
    if hasattr(tensor, "assign") or keras.backend.backend() == "torch":
        return Same(tensor)
    return _array_key(keras.ops.convert_to_numpy(tensor), seen)


def _items_key(items, seen):
    return type(items), *(_key(item, seen) for item in items)


def _set_key(items, seen):
    return type(items), *(_key(item, seen) for item in sorted(items))


def _mapping_key(mapping, seen):
    pairs = mapping.items()
    return type(mapping), *((_key(k, seen), _key(v, seen)) for k, v in pairs)


def _function_key(function, seen):
    if _is_of_a_library(function):
        return Same(function)
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    found = {name: function.__globals__[name] for name in _global_names(function)}
    values = function.__defaults__, function.__kwdefaults__, cells, found
    names = set(_attribute_names(function.__code__))
    modules = [
        _module_key(value, names, seen)
        for value in found.values()
        if isinstance(value, ModuleType)
    ]
    return function.__code__, _key(values, seen), *modules


def _method_key(method, seen):
    return _key(method.__func__, seen), _key(method.__self__, seen)


def _partial_key(part, seen):
    return "partial", _key((part.func, part.args, part.keywords), seen)


def _wrapped_key(wrapped, seen):
    if isinstance(wrapped, property):
        return _key((wrapped.fget, wrapped.fset), seen)
    return type(wrapped), _key(wrapped.__func__, seen)


def _class_key(cls, seen):
    """Return a class with all that its functions and those of its bases refer to."""
    if _is_of_a_library(cls):
        return Same(cls)
    read = {name: v for name, v in vars(cls).items() if name not in _UNREAD}
    bases = [_key(base, seen) for base in cls.__bases__]
    return Same(cls), _mapping_key(read, seen), *bases


def _module_key(module, names, seen):
    """Return what `names` are in a module of the user's own; libraries don't change."""
    if _is_of_a_library(module):
        return Same(module)
    return _mapping_key({n: v for n, v in vars(module).items() if n in names}, seen)


def _identity_key(value, _seen):
    return Same(value)


def _variable_key(variable, _seen):
    if keras.backend.backend() == "jax":
        raise TypeError("its value is a constant where JAX compiles")
    # Its value is read whenever the function runs.
    return Same(variable)


def _object_key(value, seen):
    # Keras numbers automatic names, and they don't change what is computed.
    named = isinstance(value, keras.losses.Loss)
    attributes = {k: v for k, v in vars(value).items() if not (named and k == "name")}
    return _key(type(value), seen), _mapping_key(attributes, seen)


# Types -> f(value, seen) -> key; `seen` are the enclosing objects, for cycles.
_MAKERS = (
    (FunctionType, _function_key),
    (MethodType, _method_key),
    (partial, _partial_key),
    (_WRAPPED, _wrapped_key),
    (type, _class_key),
    # The names that a function reads from a module are in the key of the function.
    ((ModuleType, BuiltinFunctionType, np.ufunc), _identity_key),
    ((np.ndarray, np.generic), _array_key),
    (keras.Variable, _variable_key),
    (keras.Layer, _variable_key),
    ((tuple, list), _items_key),
    ((set, frozenset), _set_key),
    (dict, _mapping_key),
)


def _is_of_a_library(value):
    """Whether a value belongs to a library, whose definitions don't change."""
    name = value.__name__ if isinstance(value, ModuleType) else value.__module__
    return str(name).split(".")[0] in _LIBRARIES


def _global_names(function):
    names = _names(function.__code__, {"LOAD_GLOBAL", "LOAD_NAME"})
    return sorted(name for name in names if name in function.__globals__)


def _attribute_names(code):
    return _names(code, {"LOAD_ATTR", "LOAD_METHOD"})


def _names(code, operations):
    """Return the names that `code`, and the functions inside of it, look up."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname in operations}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant, operations)
    return names
