"""A network as a list of operations: its own formula, run on names of arrays.

The formula of every layer and cell is run once with `Traced` in place of arrays, which
records each operation. The result is a `Program`: `numpy_file` writes it as it is, and
`onnx_file` translates it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np

# Types of arrays: floats have 32 or 64 bits, as the reader of the program chooses.
FLOAT, INT, BOOL = "float", "int", "bool"


@dataclass(frozen=True)
class Node:
    """One operation, by a name of `predictor.OPERATIONS`, a loop or a "layer".

    A "scan" runs over the steps of its inputs, a "loop" as long as its condition holds.

    Attributes
    ----------
    operation : str
    inputs : tuple of str
        Names of arrays.
    options : dict
        Plain values.
    outputs : tuple of str
    """

    operation: str
    inputs: tuple[str, ...]
    options: dict
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """An array that a program is given, or answers.

    Attributes
    ----------
    name : str
        For users.
    inner : str
        For nodes.
    dtype : str
        "float32", "float64" or "int64".
    shape : tuple of int or str
        Sizes that depend on the inputs have names.
    """

    name: str
    inner: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Program:
    """What a network computes.

    Attributes
    ----------
    nodes : list of Node
        In an order in which they can be run.
    arrays : dict of ndarray
        Weights and numbers.
    inputs, outputs : list of Port
    """

    nodes: list[Node]
    arrays: dict[str, np.ndarray]
    inputs: list[Port]
    outputs: list[Port]


class Tape:
    """Where operations are noted; those inside of a loop have a tape of their own."""

    def __init__(self, parent: "Tape | None" = None):
        self.nodes: list[Node] = []
        self.arrays: dict[str, np.ndarray] = parent.arrays if parent else {}
        self._numbers: Iterator[int] = parent._numbers if parent else count()

    def new_name(self) -> str:
        """Return a name that nothing else has."""
        return f"v{next(self._numbers)}"

    def array(self, value) -> "Traced":
        """Note an array of numbers that is always the same."""
        value = np.asarray(value)
        kinds = {"f": (FLOAT, np.float32), "i": (INT, np.int64)}
        dtype, kept = kinds[value.dtype.kind]
        name = self.new_name()
        self.arrays[name] = np.ascontiguousarray(value, kept).reshape(value.shape)
        return Traced(self, name, value.shape, dtype)

    def note(self, operation, inputs, shape, dtype=FLOAT, **options) -> "Traced":
        """Note an operation of `Traced` and return its result."""
        name = self.new_name()
        names = tuple(each.name for each in inputs)
        self.nodes.append(Node(operation, names, options, (name,)))
        return Traced(self, name, tuple(shape), dtype)


@dataclass(frozen=True, eq=False)
class Traced:
    """Stands for an array: a name, and what is known of its shape.

    Attributes
    ----------
    shape : tuple of int or None
        None where it depends on the network's inputs.
    """

    tape: Tape = field(repr=False)
    name: str
    shape: tuple[int | None, ...]
    dtype: str = FLOAT

    # So that NumPy's numbers leave `number * traced` to us.
    __array_ufunc__ = None

    def on(self, tape: Tape) -> "Traced":
        """Return the same array for a tape inside of this one."""
        return Traced(tape, self.name, self.shape, self.dtype)

    def _with(self, operation, other, dtype=None, turned=False):
        other = as_traced(self.tape, other, self.dtype)
        pair = (other, self) if turned else (self, other)
        shape = broadcast(self.shape, other.shape)
        return self.tape.note(operation, pair, shape, dtype or self.dtype)

    def __add__(self, other):
        return self._with("add", other)

    __radd__ = __add__

    def __sub__(self, other):
        return self._with("subtract", other)

    def __rsub__(self, other):
        return self._with("subtract", other, turned=True)

    def __mul__(self, other):
        return self._with("multiply", other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with("divide", other)

    def __rtruediv__(self, other):
        return self._with("divide", other, turned=True)

    def __floordiv__(self, other):
        """Divide what isn't negative."""
        quotient = self.tape.note("as_float", [self], self.shape, FLOAT) / other
        return self.tape.note("as_int", [quotient], quotient.shape, INT)

    def __pow__(self, other):
        return self._with("power", other)

    def __neg__(self):
        return self.tape.note("negative", [self], self.shape, self.dtype)

    def __gt__(self, other):
        return self._with("greater", other, BOOL)

    def __lt__(self, other):
        return self._with("less", other, BOOL)

    def __ge__(self, other):
        return self._with("greater_equal", other, BOOL)

    def __le__(self, other):
        return self._with("less_equal", other, BOOL)

    def __len__(self):
        raise TypeError("The length of an array isn't known before it is there.")

    def __getitem__(self, key):
        key = _whole_key(key, len(self.shape))
        shape, sizes = [], iter(self.shape)
        for part in key:
            size = None if part is None else next(sizes)
            if part is None:
                shape.append(1)
            elif isinstance(part, list):
                shape.append(_size_of(part, size))
        return self.tape.note("index", [self], shape, self.dtype, key=key)


def as_traced(tape, value, dtype=FLOAT) -> Traced:
    """Return an array or a number as it is noted; a `Traced` stays what it is."""
    if isinstance(value, Traced):
        return value
    return tape.array(np.asarray(value, np.int64 if dtype == INT else np.float32))


def broadcast(*shapes) -> tuple[int | None, ...]:
    """Return the shape that arrays of `shapes` have together."""
    rank = max(map(len, shapes))
    filled = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(_together(sizes) for sizes in zip(*filled, strict=True))


def _together(sizes):
    known = [size for size in sizes if size not in (1, None)]
    return known[0] if known else (None if None in sizes else 1)


def _whole_key(key, rank):
    """Return an index as a list: ints, None, and slices as lists."""
    key = list(key) if isinstance(key, tuple) else [key]
    if not any(part is ... for part in key):
        key.append(...)
    place = next(i for i, part in enumerate(key) if part is ...)
    n_missing = rank - sum(part is not None and part is not ... for part in key)
    key[place : place + 1] = [slice(None)] * n_missing
    return [
        [part.start, part.stop, part.step] if isinstance(part, slice) else part
        for part in key
    ]


def _size_of(part, size):
    if part == [None, None, None]:
        return size
    return None if size is None else len(range(*slice(*part).indices(size)))


# The functions of arrays: what `skrnn._networks.contracts.Ops` says.


def _elementwise(name) -> Callable:
    return lambda x: x.tape.note(name, [x], x.shape)


def _of_pair(name) -> Callable:
    return lambda x, y: x._with(name, y)


def _reduction(name) -> Callable:
    def reduce(x, axis, keepdims=False):
        axis %= len(x.shape)
        kept = (1,) if keepdims else ()
        shape = *x.shape[:axis], *kept, *x.shape[axis + 1 :]
        return x.tape.note(name, [x], shape, axis=axis, keepdims=keepdims)

    return reduce


def _along(name) -> Callable:
    return lambda x, axis: x.tape.note(name, [x], x.shape, axis=axis % len(x.shape))


def _concatenate(arrays, axis):
    axis %= len(arrays[0].shape)
    sizes = [array.shape[axis] for array in arrays]
    shape = list(broadcast(*(array.shape for array in arrays)))
    shape[axis] = None if None in sizes else sum(sizes)
    tape = arrays[0].tape
    return tape.note("concatenate", arrays, shape, arrays[0].dtype, axis=axis)


def _einsum(formula, x, y):
    inputs, _, out = formula.partition("->")
    first, _, second = inputs.partition(",")
    sizes = dict(zip(first, x.shape, strict=True))
    for letter, size in zip(second, y.shape, strict=True):
        sizes[letter] = size if sizes.get(letter) is None else sizes[letter]
    return x.tape.note("einsum", [x, y], [sizes[k] for k in out], formula=formula)


def _logaddexp(x, y):
    difference = ops.abs(x - y)
    return ops.maximum(x, y) + ops.log1p(ops.exp(-difference))


def argmax(x):
    """Return the places of the greatest entries of the last axis: no gradient."""
    return x.tape.note("argmax", [x], x.shape[:-1], INT)


def _matmul(x, w):
    return x.tape.note("matmul", [x, w], (*x.shape[:-1], w.shape[-1]))


def _reshape(x, shape):
    sizes = [None if size == -1 else size for size in shape]
    return x.tape.note("reshape", [x], sizes, x.dtype, sizes=list(shape))


def _split(x, sections, axis):
    axis %= len(x.shape)
    size = x.shape[axis] // sections
    before = (slice(None),) * axis
    return [x[(*before, slice(i * size, (i + 1) * size))] for i in range(sections)]


def _stack(arrays, axis):
    axis %= len(arrays[0].shape) + 1
    key = *(slice(None),) * axis, None
    return _concatenate([array[key] for array in arrays], axis)


def _take(x, indices, axis):
    axis %= len(x.shape)
    indices = as_traced(x.tape, indices, INT)
    shape = *x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]
    return x.tape.note("take", [x, indices], shape, x.dtype, axis=axis)


def _transpose(x, axes):
    shape = [x.shape[axis] for axis in axes]
    return x.tape.note("transpose", [x], shape, x.dtype, axes=list(axes))


def _where(condition, x, y):
    tape = condition.tape
    x, y = (as_traced(tape, each) for each in (x, y))
    shape = broadcast(condition.shape, x.shape, y.shape)
    return tape.note("where", [condition, x, y], shape, x.dtype)


ops: Any = SimpleNamespace(
    **{name: _elementwise(name) for name in ("abs", "exp", "log", "log1p", "sigmoid")},
    **{name: _elementwise(name) for name in ("cos", "sin", "sqrt", "tanh")},
    **{name: _of_pair(name) for name in ("maximum", "minimum")},
    **{name: _reduction(name) for name in ("max", "mean", "sum")},
    **{name: _along(name) for name in ("cumsum", "softmax")},
    concatenate=_concatenate,
    einsum=_einsum,
    logaddexp=_logaddexp,
    matmul=_matmul,
    reshape=_reshape,
    split=_split,
    stack=_stack,
    take=_take,
    transpose=_transpose,
    where=_where,
)
