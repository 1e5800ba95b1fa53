"""The array functions of the cpu engine, for arrays and for nodes that need gradients.

They are those of `skrnn._networks.contracts.Ops`. For plain arrays they are NumPy's,
except products, which are the kernels'.
"""

from types import SimpleNamespace

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, differentiable
from skrnn._engine.cpu.kernels.einsum import einsum_rule
from skrnn._engine.cpu.kernels.matmul import matmul, matmul_rule

_plain = reference.ops


def _elementwise(function, slope):
    """Make an elementwise function from its derivative ``slope(x, y)``."""

    def rule(x):
        y = function(x)
        return y, lambda g: (g * slope(x, y),)

    return differentiable(rule, function)


def _concatenate(*arrays, axis=0):
    ends = np.cumsum([array.shape[axis] for array in arrays])[:-1]
    return np.concatenate(arrays, axis), lambda g: np.split(g, ends, axis)


def _cumsum(x, axis):
    def pull(g):
        return (np.flip(np.cumsum(np.flip(g, axis), axis), axis),)

    return np.cumsum(x, axis), pull


def _split(x, sections, axis):
    if not isinstance(x, Node):
        return _plain.split(x, sections, axis)
    width = reference.width_of_part(x.value.shape[axis], sections)
    index = [slice(None)] * x.value.ndim
    parts = []
    for i in range(sections):
        index[axis] = slice(i * width, (i + 1) * width)
        parts.append(x[tuple(index)])
    return parts


def _stack(*arrays, axis=0):
    return np.stack(arrays, axis), lambda g: tuple(np.moveaxis(g, axis, 0))


def _spread(g, axis, keepdims, shape):
    """Give the gradient of a sum along an axis the shape of what was summed."""
    return np.broadcast_to(g if keepdims else np.expand_dims(g, axis), shape)


def _sum(x, axis, *, keepdims=False):
    def pull(g):
        return (_spread(g, axis, keepdims, x.shape),)

    return x.sum(axis, keepdims=keepdims), pull


def _mean(x, axis, *, keepdims=False):
    n = x.shape[axis]

    def pull(g):
        return (_spread(g / n, axis, keepdims, x.shape),)

    return x.mean(axis, keepdims=keepdims), pull


def _max(x, axis, *, keepdims=False):
    at = np.expand_dims(x.argmax(axis), axis)

    def pull(g):
        whole = np.zeros_like(x)
        np.put_along_axis(whole, at, g if keepdims else np.expand_dims(g, axis), axis)
        return (whole,)

    return x.max(axis, keepdims=keepdims), pull


def _reshape(x, shape):
    return x.reshape(shape), lambda g: (g.reshape(x.shape),)


def _transpose(x, axes):
    back = np.argsort([axis % x.ndim for axis in axes])
    return x.transpose(axes), lambda g: (g.transpose(back),)


def _take(x, indices, axis):
    def pull(g):
        whole = np.zeros_like(x)
        first = np.moveaxis(whole, axis, 0)
        axes = range(axis % x.ndim, axis % x.ndim + np.ndim(indices))
        np.add.at(first, indices, np.moveaxis(g, axes, range(np.ndim(indices))))
        return (whole,)

    return np.take(x, indices, axis), pull


def _softmax(x, axis):
    y = _plain.softmax(x, axis=axis)

    def pull(g):
        return (y * (g - (g * y).sum(axis, keepdims=True)),)

    return y, pull


def _where(condition, x, y):
    return np.where(condition, x, y), (None, *_chosen(condition))


def _chosen(is_first):
    """Return the function of the gradients of two arrays, of which one was chosen."""
    zero = np.float32(0)
    return (
        lambda g: np.where(is_first, g, zero),
        lambda g: np.where(is_first, zero, g),
    )


def _maximum(x, y):
    """If both are equal, the second one gets the gradient."""
    return np.maximum(x, y), _chosen(x > y)


def _minimum(x, y):
    return np.minimum(x, y), _chosen(x < y)


def _logaddexp(x, y):
    # Where both are the same, infinite numbers too, each has half of the gradient.
    zeros = np.zeros(
        np.broadcast_shapes(np.shape(x), np.shape(y)), np.result_type(x, y)
    )
    share = _plain.sigmoid(np.subtract(x, y, out=zeros, where=x != y))
    return np.logaddexp(x, y), (lambda g: g * share, lambda g: g * (1 - share))


# For plain arrays.
plain_ops = SimpleNamespace(**vars(_plain) | {"matmul": matmul})
ops = SimpleNamespace(
    abs=_elementwise(np.abs, lambda x, _y: np.sign(x)),
    concatenate=differentiable(_concatenate, _plain.concatenate),
    cos=_elementwise(np.cos, lambda x, _y: -np.sin(x)),
    cumsum=differentiable(_cumsum, _plain.cumsum),
    einsum=differentiable(einsum_rule, np.einsum),
    exp=_elementwise(np.exp, lambda _x, y: y),
    log=_elementwise(np.log, lambda x, _y: 1 / x),
    log1p=_elementwise(np.log1p, lambda x, _y: 1 / (1 + x)),
    logaddexp=differentiable(_logaddexp, np.logaddexp),
    matmul=differentiable(matmul_rule, matmul),
    max=differentiable(_max, np.max),
    maximum=differentiable(_maximum, np.maximum),
    mean=differentiable(_mean, np.mean),
    minimum=differentiable(_minimum, np.minimum),
    reshape=differentiable(_reshape, np.reshape),
    sigmoid=_elementwise(_plain.sigmoid, lambda _x, y: y * (1 - y)),
    sin=_elementwise(np.sin, lambda x, _y: np.cos(x)),
    softmax=differentiable(_softmax, _plain.softmax),
    split=_split,
    sqrt=_elementwise(np.sqrt, lambda _x, y: 0.5 / y),
    stack=differentiable(_stack, _plain.stack),
    sum=differentiable(_sum, np.sum),
    take=differentiable(_take, np.take),
    tanh=_elementwise(np.tanh, lambda _x, y: 1 - y * y),
    transpose=differentiable(_transpose, np.transpose),
    where=differentiable(_where, np.where),
)
