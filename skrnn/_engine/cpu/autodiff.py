"""Reverse-mode differentiation over NumPy arrays.

Operations on a `Node` compute at once and note how a gradient passes back through them
(Linnainmaa, 1976); `differentiate` then walks the notes backwards. Arrays that need no
gradient stay plain arrays. A recurrent layer in C is one note, whatever its steps.
"""

import numpy as np


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

    @property
    def dtype(self):
        return self.value.dtype

    @property
    def ndim(self):
        return self.value.ndim

    def __add__(self, other):
        return record(self.value + value_of(other), (self, other), lambda g: (g, g))

    __radd__ = __add__

    def __neg__(self):
        return record(-self.value, (self,), lambda g: (-g,))

    def __sub__(self, other):
        return record(self.value - value_of(other), (self, other), lambda g: (g, -g))

    def __rsub__(self, other):
        return record(other - self.value, (self,), lambda g: (-g,))

    def __mul__(self, other):
        x, y = self.value, value_of(other)
        # The gradient of an array that isn't a node would be computed for nothing.
        sources = (self, other) if isinstance(other, Node) else (self,)
        return record(x * y, sources, lambda g: (g * y, g * x)[: len(sources)])

    __rmul__ = __mul__

    def __truediv__(self, other):
        x, y = self.value, value_of(other)
        sources = (self, other) if isinstance(other, Node) else (self,)

        def pull(g):
            return (g / y, -g * x / (y * y))[: len(sources)]

        return record(x / y, sources, pull)

    def __rtruediv__(self, other):
        x = self.value
        return record(other / x, (self,), lambda g: (-g * other / (x * x),))

    def __pow__(self, exponent):
        x = self.value

        def pull(g):
            return (g * exponent * x ** (exponent - 1) if exponent else 0 * x,)

        return record(x**exponent, (self,), pull)

    def __gt__(self, other):
        return self.value > value_of(other)

    def __ge__(self, other):
        return self.value >= value_of(other)

    def __lt__(self, other):
        return self.value < value_of(other)

    def __le__(self, other):
        return self.value <= value_of(other)

    def __getitem__(self, key):
        add = _may_repeat(key)

        def pull(g):
            whole = np.zeros_like(self.value)
            if add:
                np.add.at(whole, key, g)
            else:
                whole[key] = g
            return (whole,)

        return record(self.value[key], (self,), pull)


def _may_repeat(key):
    """Whether an index can name an entry twice: one made of integers in arrays."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = (np.asarray(part) for part in parts if isinstance(part, list | np.ndarray))
    return any(array.dtype.kind in "iu" and array.ndim for array in arrays)


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
                    part = sum_to(part, source.value.shape)
                    seen = source.gradient
                    source.gradient = part if seen is None else seen + part
        node.gradient = node.pull = None
        node.sources = ()


def value_of(x):
    """Return the array of what may be a node."""
    return x.value if isinstance(x, Node) else x


def any_node(sources):
    """Whether any of some arrays needs a gradient."""
    return any(isinstance(source, Node) for source in sources)


def sum_to(gradient, shape):
    """Undo broadcasting from `shape`."""
    if gradient.shape == shape:
        return gradient
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=ones, keepdims=True) if ones else gradient
