"""Reverse-mode differentiation of the network's formula, over NumPy arrays.

Operations on a `Node` compute at once and note how a gradient passes back through them
(Linnainmaa, 1976); `differentiate` then walks the notes backwards. Arrays that need no
gradient stay plain arrays. A recurrent layer is one note: its many steps are in C.
"""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.kernels.einsum import contract
from skrnn._engine.cpu.kernels.matmul import NO_OTHER, outer, project


class Node:
    """A value that gradients flow back from, to its `sources`.

    Attributes
    ----------
    value : ndarray
    sources : tuple
        What it was computed from; those that are nodes get a gradient.
    pull : callable
        ``pull(gradient) -> tuple`` with a gradient for each source.
    tape : list of Node
        All nodes in the order in which they were computed.
    gradient : ndarray or None
    """

    __slots__ = ("gradient", "pull", "sources", "tape", "value")
    # Arrays leave operators with a node on the right to the node.
    __array_ufunc__ = None

    def __init__(self, value, tape, sources=(), pull=None):
        self.value, self.tape = value, tape
        self.sources, self.pull, self.gradient = sources, pull, None
        if pull is not None:
            tape.append(self)

    @property
    def shape(self):
        return self.value.shape

    def __add__(self, other):
        return record(_value(self) + _value(other), (self, other), lambda g: (g, g))

    __radd__ = __add__

    def __sub__(self, other):
        return record(_value(self) - _value(other), (self, other), lambda g: (g, -g))

    def __rsub__(self, other):
        return record(other - self.value, (self,), lambda g: (-g,))

    def __mul__(self, other):
        x, y = self.value, _value(other)
        # The gradient of an array that isn't a node would be computed for nothing.
        sources = (self, other) if isinstance(other, Node) else (self,)
        return record(x * y, sources, lambda g: (g * y, g * x)[: len(sources)])

    __rmul__ = __mul__

    def __truediv__(self, other):
        x, y = self.value, _value(other)
        return record(x / y, (self, other), lambda g: (g / y, -g * x / (y * y)))

    def __gt__(self, other):
        return self.value > _value(other)

    def __getitem__(self, key):
        def pull(g):
            whole = np.zeros_like(self.value)
            whole[key] = g
            return (whole,)

        return record(self.value[key], (self,), pull)


def record(value, sources, pull):
    """Note that `value` was computed from `sources`."""
    tape = next(source.tape for source in sources if isinstance(source, Node))
    return Node(value, tape, sources, pull)


def differentiate(output, gradient):
    """Give the gradient of `output` on to everything that it was computed from."""
    output.gradient, tape = gradient, output.tape
    while tape:
        # Taken off the tape: nodes that hold it would wait for the garbage collector.
        node = tape.pop()
        if node.gradient is not None:
            gradients = node.pull(node.gradient)
            for source, part in zip(node.sources, gradients, strict=True):
                if isinstance(source, Node) and part is not None:
                    part = _sum_to(part, source.value.shape)
                    seen = source.gradient
                    source.gradient = part if seen is None else seen + part
        node.gradient = node.pull = None
        node.sources = ()


def _value(x):
    return x.value if isinstance(x, Node) else x


def _sum_to(gradient, shape):
    """Undo broadcasting from `shape`."""
    if gradient.shape == shape:
        return gradient
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=ones, keepdims=True) if ones else gradient


# ---- functions that may be given nodes or arrays ------------------------------------


def lifted(plain, differentiable):
    """Return `differentiable` for nodes and `plain` where there are only arrays."""

    def function(*args, **options):
        nodes = args[0] if isinstance(args[0], list | tuple) else args
        chosen = plain
        if any(isinstance(each, Node) for each in nodes):
            chosen = differentiable
        return chosen(*args, **options)

    return function


def _by_slope(function, slope):
    """Make an elementwise function from its derivative ``slope(x, y)``."""

    def differentiable(x):
        y = function(x.value)
        return record(y, (x,), lambda g: (g * slope(x.value, y),))

    return lifted(function, differentiable)


def matmul(x, w):
    """Multiply x (..., k) by w (k, n); a row's result doesn't depend on the others."""
    x = np.ascontiguousarray(x)
    (k, n), rows = w.shape, x.size // len(w)
    out = np.empty((*x.shape[:-1], n), np.float32)
    project((1, rows, _count(rows)), x, k, w, False, n, None, out)
    return out


@lru_cache(maxsize=1024)
def _count(rows):
    """Return what the kernels take for `rows` rows in one step."""
    return np.array([rows], np.int32)


def _matmul(x, w):
    a, b = np.ascontiguousarray(_value(x)), _value(w)
    (k, n), rows = b.shape, a.size // len(b)

    def pull(g):
        g, layout = np.ascontiguousarray(g), (1, rows, _count(rows))
        dw = np.empty_like(b)
        outer(layout, g, n, 0, None, a, k, dw, NO_OTHER)
        if not isinstance(x, Node):
            return None, dw
        dx = np.empty_like(a)
        project(layout, g, n, b, True, k, None, dx)
        return dx, dw

    return record(matmul(a, b), (x, w), pull)


def _concatenate(parts, axis):
    if len(parts) == 1:
        return parts[0]
    values = [_value(part) for part in parts]
    ends = np.cumsum([value.shape[axis] for value in values])[:-1]
    pull = lambda g: np.split(g, ends, axis)  # noqa: E731
    return record(np.concatenate(values, axis), tuple(parts), pull)


def _split(x, sections, axis):
    width = x.shape[axis] // sections
    index = [slice(None)] * x.value.ndim
    parts = []
    for i in range(sections):
        index[axis] = slice(i * width, (i + 1) * width)
        parts.append(x[tuple(index)])
    return parts


def _stack(parts, axis):
    values = [_value(part) for part in parts]

    def pull(g):
        return tuple(np.moveaxis(g, axis, 0))

    return record(np.stack(values, axis), tuple(parts), pull)


def _mean(x, axis, keepdims):
    n = x.shape[axis]

    def pull(g):
        g = g if keepdims else np.expand_dims(g, axis)
        return (np.broadcast_to(g / n, x.shape),)

    return record(x.value.mean(axis, keepdims=keepdims), (x,), pull)


def _softmax(x, axis):
    y = reference.ops.softmax(x.value, axis=axis)

    def pull(g):
        return (y * (g - (g * y).sum(axis, keepdims=True)),)

    return record(y, (x,), pull)


def _where(condition, x, y):
    def pull(g):
        zero = np.float32(0)
        return np.where(condition, g, zero), np.where(condition, zero, g)

    return record(np.where(condition, _value(x), _value(y)), (x, y), pull)


def _einsum(formula, x, y):
    (left, right), out = formula.split("->")[0].split(","), formula.split("->")[1]
    a, b = _value(x), _value(y)

    def pull(g):
        return (
            contract(f"{out},{right}->{left}", g, b),
            contract(f"{left},{out}->{right}", a, g),
        )

    return record(contract(formula, a, b), (x, y), pull)


_plain = reference.ops


def _maximum(x, limit):
    return _where(x.value > limit, x, np.float32(limit))


def _minimum(x, limit):
    return _where(x.value < limit, x, np.float32(limit))


def _logaddexp(x, y):
    a, b = _value(x), _value(y)
    share = _plain.sigmoid(a - b)
    return record(np.logaddexp(a, b), (x, y), lambda g: (g * share, g * (1 - share)))


def _where_lifted(condition, x, y):
    nodes = isinstance(x, Node) or isinstance(y, Node)
    return (_where if nodes else np.where)(condition, x, y)


ops = SimpleNamespace(
    abs=_by_slope(np.abs, lambda x, _y: np.sign(x)),
    concatenate=lifted(_plain.concatenate, _concatenate),
    einsum=lambda formula, x, y: lifted(
        lambda x, y: np.einsum(formula, x, y), lambda x, y: _einsum(formula, x, y)
    )(x, y),
    exp=_by_slope(np.exp, lambda _x, y: y),
    logaddexp=lifted(np.logaddexp, _logaddexp),
    matmul=lifted(matmul, _matmul),
    maximum=lifted(np.maximum, _maximum),
    mean=lifted(np.mean, _mean),
    minimum=lifted(np.minimum, _minimum),
    sigmoid=_by_slope(_plain.sigmoid, lambda _x, y: y * (1 - y)),
    softmax=lifted(_plain.softmax, _softmax),
    split=lifted(np.split, _split),
    sqrt=_by_slope(np.sqrt, lambda _x, y: 0.5 / y),
    stack=lifted(np.stack, _stack),
    tanh=_by_slope(np.tanh, lambda _x, y: 1 - y * y),
    where=_where_lifted,
)
