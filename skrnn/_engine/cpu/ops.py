"""The array functions of the cpu engine, for arrays and for nodes that need gradients.

They are those of `skrnn._networks.contracts.Ops`. Where there are only arrays, they are
NumPy's, but for products, which are the kernels'.
"""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, any_node, record, value_of
from skrnn._engine.cpu.kernels.einsum import contract
from skrnn._engine.cpu.kernels.matmul import NO_OTHER, outer, project

_plain = reference.ops


def lifted(plain, differentiable):
    """Return `differentiable` for nodes and `plain` where there are only arrays."""

    def function(*args, **options):
        arrays = args[0] if isinstance(args[0], list | tuple) else args
        chosen = differentiable if any_node(arrays) else plain
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
    project((1, rows, _count(rows)), x, k, np.ascontiguousarray(w), False, n, None, out)
    return out


@lru_cache(maxsize=1024)
def _count(rows):
    """Return what the kernels take for `rows` rows in one step."""
    return np.array([rows], np.int32)


def _matmul(x, w):
    a, b = np.ascontiguousarray(value_of(x)), np.ascontiguousarray(value_of(w))
    (k, n), rows = b.shape, a.size // len(b)

    def pull(g):
        g, layout = np.ascontiguousarray(g), (1, rows, _count(rows))
        dw = None
        if isinstance(w, Node):
            dw = np.empty_like(b)
            outer(layout, g, n, 0, None, a, k, dw, NO_OTHER)
        if not isinstance(x, Node):
            return None, dw
        dx = np.empty_like(a)
        project(layout, g, n, b, True, k, None, dx)
        return dx, dw

    return record(matmul(a, b), (x, w), pull)


def _concatenate(arrays, axis):
    if len(arrays) == 1:
        return arrays[0]
    values = [value_of(part) for part in arrays]
    ends = np.cumsum([value.shape[axis] for value in values])[:-1]
    pull = lambda g: np.split(g, ends, axis)  # noqa: E731
    return record(np.concatenate(values, axis), tuple(arrays), pull)


def _cumsum(x, axis):
    def pull(g):
        return (np.flip(np.cumsum(np.flip(g, axis), axis), axis),)

    return record(np.cumsum(x.value, axis), (x,), pull)


def _split(x, sections, axis):
    width = x.shape[axis] // sections
    index = [slice(None)] * x.value.ndim
    parts = []
    for i in range(sections):
        index[axis] = slice(i * width, (i + 1) * width)
        parts.append(x[tuple(index)])
    return parts


def _stack(arrays, axis):
    values = [value_of(part) for part in arrays]

    def pull(g):
        return tuple(np.moveaxis(g, axis, 0))

    return record(np.stack(values, axis), tuple(arrays), pull)


def _spread(g, axis, keepdims, shape):
    """Give the gradient of a sum along an axis the shape of what was summed."""
    return np.broadcast_to(g if keepdims else np.expand_dims(g, axis), shape)


def _sum(x, axis, keepdims=False):
    def pull(g):
        return (_spread(g, axis, keepdims, x.shape),)

    return record(x.value.sum(axis, keepdims=keepdims), (x,), pull)


def _mean(x, axis, keepdims=False):
    n = x.shape[axis]

    def pull(g):
        return (_spread(g / n, axis, keepdims, x.shape),)

    return record(x.value.mean(axis, keepdims=keepdims), (x,), pull)


def _max(x, axis, keepdims=False):
    at = np.expand_dims(x.value.argmax(axis), axis)

    def pull(g):
        whole = np.zeros_like(x.value)
        np.put_along_axis(whole, at, g if keepdims else np.expand_dims(g, axis), axis)
        return (whole,)

    return record(x.value.max(axis, keepdims=keepdims), (x,), pull)


def _reshape(x, shape):
    return record(x.value.reshape(shape), (x,), lambda g: (g.reshape(x.shape),))


def _transpose(x, axes):
    back = np.argsort(axes)
    return record(x.value.transpose(axes), (x,), lambda g: (g.transpose(back),))


def _take(x, indices, axis):
    def pull(g):
        whole = np.zeros_like(x.value)
        first = np.moveaxis(whole, axis, 0)
        axes = range(axis % x.ndim, axis % x.ndim + np.ndim(indices))
        np.add.at(first, indices, np.moveaxis(g, axes, range(np.ndim(indices))))
        return (whole,)

    return record(np.take(x.value, indices, axis), (x,), pull)


def _softmax(x, axis):
    y = _plain.softmax(x.value, axis=axis)

    def pull(g):
        return (y * (g - (g * y).sum(axis, keepdims=True)),)

    return record(y, (x,), pull)


def _where(condition, x, y):
    def pull(g):
        zero = np.float32(0)
        return np.where(condition, g, zero), np.where(condition, zero, g)

    return record(np.where(condition, value_of(x), value_of(y)), (x, y), pull)


def _einsum(formula, x, y):
    (left, right), out = formula.split("->")[0].split(","), formula.split("->")[1]
    a, b = value_of(x), value_of(y)

    def pull(g):
        return (
            contract(f"{out},{right}->{left}", g, b),
            contract(f"{left},{out}->{right}", a, g),
        )

    return record(contract(formula, a, b), (x, y), pull)


def _maximum(x, y):
    """Where both are equal, the second one has the gradient."""
    a, b = value_of(x), value_of(y)
    return _chosen(np.maximum(a, b), a > b, x, y)


def _minimum(x, y):
    a, b = value_of(x), value_of(y)
    return _chosen(np.minimum(a, b), a < b, x, y)


def _chosen(value, is_first, x, y):
    def pull(g):
        zero = np.float32(0)
        return np.where(is_first, g, zero), np.where(is_first, zero, g)

    return record(value, (x, y), pull)


def _logaddexp(x, y):
    a, b = value_of(x), value_of(y)
    share = _plain.sigmoid(a - b)
    return record(np.logaddexp(a, b), (x, y), lambda g: (g * share, g * (1 - share)))


def _where_lifted(condition, x, y):
    return (_where if any_node((x, y)) else np.where)(condition, x, y)


ops = SimpleNamespace(
    abs=_by_slope(np.abs, lambda x, _y: np.sign(x)),
    concatenate=lifted(_plain.concatenate, _concatenate),
    cumsum=lifted(_plain.cumsum, _cumsum),
    einsum=lambda formula, x, y: lifted(
        lambda x, y: np.einsum(formula, x, y), lambda x, y: _einsum(formula, x, y)
    )(x, y),
    exp=_by_slope(np.exp, lambda _x, y: y),
    log=_by_slope(np.log, lambda x, _y: 1 / x),
    log1p=_by_slope(np.log1p, lambda x, _y: 1 / (1 + x)),
    logaddexp=lifted(np.logaddexp, _logaddexp),
    matmul=lifted(matmul, _matmul),
    max=lifted(np.max, _max),
    maximum=lifted(np.maximum, _maximum),
    mean=lifted(np.mean, _mean),
    minimum=lifted(np.minimum, _minimum),
    reshape=lifted(np.reshape, _reshape),
    sigmoid=_by_slope(_plain.sigmoid, lambda _x, y: y * (1 - y)),
    softmax=lifted(_plain.softmax, _softmax),
    split=lifted(_plain.split, _split),
    sqrt=_by_slope(np.sqrt, lambda _x, y: 0.5 / y),
    stack=lifted(_plain.stack, _stack),
    sum=lifted(np.sum, _sum),
    take=lifted(np.take, _take),
    tanh=_by_slope(np.tanh, lambda _x, y: 1 - y * y),
    transpose=lifted(np.transpose, _transpose),
    where=_where_lifted,
)
