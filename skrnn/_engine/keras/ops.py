"""The array functions of the keras engine: those of `contracts.Ops`, on any backend.

Gradients are the backend's. Operators and indices are those of its tensors.
"""

import math
from types import SimpleNamespace

from keras import ops as k


def _logaddexp(x, y):
    # Keras' own may have a NaN gradient where both arguments are infinite or equal. One
    # condition for both parts: their gradients are right together where they are equal.
    above = x > y
    difference = k.where(above, y - x, x - y)
    both_infinite = k.logical_and(x == y, k.abs(x) == math.inf)
    difference = k.where(both_infinite, 0.0, difference)
    return k.where(above, x, y) + k.log1p(k.exp(difference))


def _matmul(x, w):
    """Multiply x (..., k) by w (k, n) as one product of two matrices.

    Otherwise a backend may compute one product for each step, and its gradient as an
    array with a matrix for each step.
    """
    if len(x.shape) == 2 or x.shape[-1] == 0:
        return k.matmul(x, w)
    rows = k.matmul(k.reshape(x, (-1, x.shape[-1])), w)
    return k.reshape(rows, (*k.shape(x)[:-1], w.shape[-1]))


def _softmax(x, axis):
    # Keras warns about an axis of length 1, where the result, 1, is right.
    return x * 0 + 1 if x.shape[axis] == 1 else k.softmax(x, axis)


ops = SimpleNamespace(
    abs=k.abs,
    concatenate=k.concatenate,
    cos=k.cos,
    cumsum=k.cumsum,
    einsum=k.einsum,
    exp=k.exp,
    log=k.log,
    log1p=k.log1p,
    logaddexp=_logaddexp,
    matmul=_matmul,
    max=k.max,
    maximum=k.maximum,
    mean=k.mean,
    minimum=k.minimum,
    reshape=lambda x, shape: k.reshape(x, shape),
    sigmoid=k.sigmoid,
    sin=k.sin,
    softmax=_softmax,
    split=k.split,
    sqrt=k.sqrt,
    stack=k.stack,
    sum=k.sum,
    take=k.take,
    tanh=k.tanh,
    transpose=lambda x, axes: k.transpose(x, axes),
    where=k.where,
)
