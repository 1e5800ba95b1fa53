"""Reverse-mode differentiation over NumPy arrays.

Operations on a `Node` compute at once and note how a gradient passes back through them
(Linnainmaa, 1976); `differentiate` then walks the notes backwards. Arrays that need no
gradient stay plain arrays. A recurrent layer in C is one note, however many steps it
has.
"""

import numpy as np


class Node:
    """A value that gradients flow back from, to its `sources`.

    Attributes
    ----------
    value : ndarray
    sources : tuple
        What it was computed from; those that are nodes get a gradient.
    pull : callable or tuple of callables
        ``pull(gradient) -> tuple`` with a gradient for each source; or one function for
        each source, which is called only if that source needs a gradient.
    tape : list of Node
        All nodes in the order in which they were computed.
    gradient : ndarray or None
    """

    __slots__ = ("gradient", "pull", "sources", "tape", "value")
    # With a node on the right, arrays leave operators to the node.
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
        return apply(_add, self, other)

    __radd__ = __add__

    def __neg__(self):
        return apply(_negative, self)

    def __sub__(self, other):
        return apply(_subtract, self, other)

    def __rsub__(self, other):
        return apply(_subtract, other, self)

    def __mul__(self, other):
        return apply(_multiply, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return apply(_divide, self, other)

    def __rtruediv__(self, other):
        return apply(_divide, other, self)

    def __pow__(self, exponent):
        if isinstance(exponent, Node) or np.ndim(exponent):
            raise TypeError("the exponent of ** must be a plain number in formulas")
        return apply(_power, self, exponent)

    def __gt__(self, other):
        return self.value > value_of(other)

    def __ge__(self, other):
        return self.value >= value_of(other)

    def __lt__(self, other):
        return self.value < value_of(other)

    def __le__(self, other):
        return self.value <= value_of(other)

    def __eq__(self, other):
        raise TypeError("== of arrays with gradients isn't an operator of formulas")

    __ne__ = __eq__
    __hash__ = object.__hash__

    def __getitem__(self, key):
        return apply(_entries, self, key)


def apply(rule, *sources, **options):
    """Compute by a rule, and note it if one of the sources needs a gradient.

    Parameters
    ----------
    rule : callable
        ``rule(*values, **options) -> value, pull`` takes the arrays of the sources, and
        returns the `pull` of a node. `pull` may leave out the last sources: they get no
        gradient.
    sources : Node, ndarray or whatever the rule takes
    """
    tape, dtype, values = None, None, []
    for source in sources:
        if type(source) is Node:
            tape, dtype = source.tape, source.value.dtype
            values.append(source.value)
        else:
            values.append(source)
    if tape is None:
        return rule(*values, **options)[0]
    node = Node(None, tape, sources)
    value, node.pull = rule(*values, **options)
    # A float64 constant, such as a square root of NumPy's, doesn't change the type.
    node.value = value if value.dtype == dtype else value.astype(dtype)
    tape.append(node)
    return node


def leaves(values, learnt):
    """Return arrays, those that are learnt as nodes of a new tape."""
    tape: list = []
    known = zip(values, learnt, strict=True)
    return [Node(value, tape) if own else value for value, own in known]


def beside(node, values, keep):
    """Return nodes for a node's other results.

    Parameters
    ----------
    node : Node
        Its `pull` reads the gradients of the other results.
    values : list of ndarray
    keep : callable
        ``keep(i, g)`` is called before that with the gradient of value i.
    """

    def pull_of(i):
        def pull(g):
            keep(i, g)
            return (np.broadcast_to(np.float32(0), node.value.shape),)

        return pull

    known = enumerate(values)
    return [Node(value, node.tape, (node,), pull_of(i)) for i, value in known]


def differentiable(rule, plain):
    """Return an array function that uses a rule if an argument needs a gradient.

    Parameters
    ----------
    rule : callable
        As `apply` takes it. If the function's first argument is a list of arrays, the
        rule takes them one by one, and the axis by name.
    plain : callable
        The function for plain arrays.
    """

    def function(*args, **options):
        sources = args
        if isinstance(args[0], list | tuple):
            sources, *axis = args
            options |= {"axis": axis[0]} if axis else {}
        for source in sources:
            if type(source) is Node:
                return apply(rule, *sources, **options)
        given = args if sources is args else (sources,)
        return plain(*given, **options)

    return function


# The rules of operators.


def _add(x, y):
    return x + y, lambda g: (g, g)


def _negative(x):
    return -x, lambda g: (-g,)


def _subtract(x, y):
    return x - y, (lambda g: g, lambda g: -g)


def _multiply(x, y):
    return x * y, (lambda g: g * y, lambda g: g * x)


def _divide(x, y):
    return x / y, (lambda g: g / y, lambda g: -g * x / (y * y))


def _power(x, exponent):
    def pull(g):
        return (g * exponent * x ** (exponent - 1) if exponent else 0 * x,)

    return x**exponent, pull


def _entries(x, key):
    add = _may_repeat(key)

    def pull(g):
        whole = np.zeros_like(x)
        if add:
            np.add.at(whole, key, g)
        else:
            whole[key] = g
        return (whole,)

    return x[key], pull


def _may_repeat(key):
    """Whether an index can name an entry twice, as arrays of integers can.

    If one of them is strictly increasing, like row numbers, none is named twice.
    """
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [np.asarray(x) for x in parts if isinstance(x, list | tuple | np.ndarray)]
    numbers = [array for array in arrays if array.dtype.kind in "iu" and array.ndim]
    if not numbers or len(numbers) < len(arrays):
        return bool(numbers)
    size = np.broadcast(*numbers).size
    return not any(_rises(x) and x.size == size for x in numbers)


def _rises(numbers):
    """Whether each is greater than the one before, and none is negative."""
    above = (numbers[1:] > numbers[:-1]).all() and (numbers[:1] >= 0).all()
    return numbers.ndim == 1 and above


def differentiate(output, gradient):
    """Propagate the gradient of `output` to everything it was computed from."""
    output.gradient, tape = gradient.astype(output.dtype, copy=False), output.tape
    while tape:
        # Taken off the tape: nodes that hold it would wait for the garbage collector.
        node = tape.pop()
        g, pull = node.gradient, node.pull
        # Each part is the gradient of a source, or the function that computes it.
        of_each = isinstance(pull, tuple)
        parts = () if g is None else pull if of_each else pull(g)
        for source, part in zip(node.sources, parts, strict=False):
            if type(source) is Node and part is not None:
                part = part(g) if of_each else part
                if part.shape != source.value.shape:
                    part = sum_to(part, source.value.shape)
                if part.dtype != source.value.dtype:
                    part = part.astype(source.value.dtype)
                seen = source.gradient
                source.gradient = part if seen is None else seen + part
        node.gradient = node.pull = None
        node.sources = ()


def value_of(x):
    """Return the array of a node; an array stays as it is."""
    return x.value if isinstance(x, Node) else x


def sum_to(gradient, shape):
    """Undo broadcasting from `shape`."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=ones, keepdims=True) if ones else gradient
