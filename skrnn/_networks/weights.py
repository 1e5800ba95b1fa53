"""Names, shapes and first values of a network's weights.

NumPy draws the first values from one seed, weight by weight. So they are the same in
every process and on every backend, whatever else uses random numbers.
"""

import math
import os
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

# Columns that are factored at a time. With more of them, OpenBLAS wakes up other
# threads for as few as 50 units. That gains nothing, and the threads spin for 20 ms
# before they sleep, on cores that another fit may need.
_FACTORED = 8
# OpenBLAS uses several threads for a factorisation of more numbers than this, and for a
# product of more multiplications.
_MOST_FACTORED, _MOST_MULTIPLIED = 8192, 2**18
# Steps over which the slowest gates forget at first.
SLOWEST = 1000
# How much the first of several scores exceeds the others.
_FIRST = 10.0


@dataclass(frozen=True)
class Weight:
    """One weight of a network.

    Attributes
    ----------
    name : str
        Unique within the network: ``recurrent_0/forward/kernel``.
    shape : tuple of int
    initializer : str
        A key of `INITIALIZERS`.
    trainable : bool
    follows : bool
        Whether it follows statistics of the batches in training; no gradient changes
        it.
    ones : tuple of two ints or None
        Start and stop of the entries on the last axis that begin with 1 instead of the
        initializer's values: the bias of a forget gate (Jozefowicz et al., 2015).
    slow : tuple of two ints or None
        The same for entries that begin with ``-log(n - 1)``, whose sigmoid is 1 / n.
        The logarithm of n is evenly spread from 2 to `SLOWEST`. A gate that lets inputs
        in then forgets over times of all sizes (Tallec & Ollivier, 2018).
    """

    name: str
    shape: tuple[int, ...]
    initializer: str
    trainable: bool = True
    ones: tuple[int, int] | None = None
    follows: bool = False
    slow: tuple[int, int] | None = None

    def draw(self, rng):
        """Draw the first value, float32."""
        value = INITIALIZERS[self.initializer](rng, self.shape)
        if self.ones is not None:
            value[..., slice(*self.ones)] = 1
        if self.slow is not None:
            first, last = self.slow
            n = np.exp(rng.uniform(np.log(2), np.log(SLOWEST), last - first))
            value[..., first:last] = -np.log(n - 1)
        return value.astype(np.float32)


@lru_cache(maxsize=128)
def weight_table(spec) -> tuple[Weight, ...]:
    """List the weights of `spec`, in the order in which they are kept."""
    return tuple(spec.weights())


def initial_weights(spec, seed: int) -> list[np.ndarray]:
    """Draw the first weights of `spec`.

    Kernels are Glorot uniform (Glorot & Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014), biases zero except a forget gate's, embeddings uniform.
    """
    _refuse_too_many(spec)
    rng = np.random.default_rng(seed)
    return [row.draw(rng) for row in weight_table(spec)]


def _refuse_too_many(spec):
    """Refuse a network whose weights don't fit into this machine's memory."""
    n_weights = sum(math.prod(map(int, row.shape)) for row in weight_table(spec))
    if 4 * n_weights > _memory():
        raise ValueError(
            f"The network has {n_weights:.3g} weights, more than the memory here can "
            "hold; make units, dense_units, latent_dim or embedding_dim smaller."
        )


@lru_cache(maxsize=1)
def _memory():
    """Return the bytes of this machine's memory; infinite if unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return math.inf


def named(prefix: str, rows) -> list[Weight]:
    """Put a prefix in front of the names of weights."""
    return [replace(row, name=f"{prefix}/{row.name}") for row in rows]


def _glorot(rng, shape):
    limit = np.sqrt(6 / sum(shape[-2:]))
    return rng.uniform(-limit, limit, shape)


def _he(rng, shape):
    """Draw for layers that are rectified (He et al., 2015)."""
    limit = np.sqrt(6 / math.prod(shape[:-1]))
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape):
    units, columns = shape
    drawn = rng.standard_normal((columns, units))
    q = np.empty_like(drawn)
    width = max(1, min(_FACTORED, _MOST_FACTORED // columns))
    for at in range(0, units, width):
        before, part = q[:, :at], drawn[:, at : at + width]
        # Twice is enough to be orthogonal to the columns before (Giraud et al., 2005).
        for _ in range(2 if at else 0):
            part = part - _product(before, _product(before.T, part))
        found, r = np.linalg.qr(part)
        # The signs make the distribution uniform over orthogonal matrices.
        q[:, at : at + width] = found * np.sign(np.diag(r))
    return q.T


def _product(a, b):
    """Multiply parts of a's rows that are too small for several threads of OpenBLAS.

    Its threads wait for each other at every product, and spin while they wait: with
    other processes on the cores, 256 units took seconds.
    """
    n = max(1, _MOST_MULTIPLIED // (a.shape[1] * b.shape[1]))
    return np.concatenate([a[at : at + n] @ b for at in range(0, len(a), n)])


# Name -> ``f(rng, shape) -> array``.
INITIALIZERS = {
    "glorot": _glorot,
    "he": _he,
    "orthogonal": _orthogonal,
    "uniform": lambda rng, shape: rng.uniform(-0.05, 0.05, shape),
    "shares": lambda rng, shape: rng.uniform(0, 1, shape),
    "zeros": lambda _rng, shape: np.zeros(shape),
    "ones": lambda _rng, shape: np.ones(shape),
    # Its softmax is nearly 1 at the first entry.
    "first": lambda _rng, shape: _FIRST * (np.arange(shape[-1]) == 0) + np.zeros(shape),
}
