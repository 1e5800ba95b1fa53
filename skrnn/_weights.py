"""Names, shapes and first values of a network's weights, in the order of Keras.

The initial values are drawn by NumPy from one seed, layer by layer, so that they are
the same in every process, on every backend and whatever else uses random numbers.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skrnn._cells import CELLS
from skrnn._spec import LanguageSpec, NetworkSpec


@dataclass(frozen=True)
class Weight:
    """A weight's name, shape, the name of its initializer, and whether it is learnt."""

    name: str
    shape: tuple[int, ...]
    initializer: str
    trainable: bool = True


@lru_cache(maxsize=64)
def weight_table(spec: NetworkSpec) -> tuple[Weight, ...]:
    """List the weights of `spec` in the order in which its Keras model has them."""
    table, width = _embedding_weights(spec)
    for layer, units in enumerate(spec.units):
        for direction in spec.directions:
            prefix = f"recurrent_{layer}/{direction}"
            table += cell_weights(spec.cell, prefix, width, units)
        width = units * len(spec.directions)
        if spec.layer_norm:
            table += norm_weights(f"norm_{layer}", width)
    table += attention_weights(spec.attention, width)
    width *= 2 if spec.attention else 1
    for layer, units in enumerate(spec.dense_units):
        table += dense_weights(f"dense_{layer}", width, units)
        width = units
    return (*table, *dense_weights("head", width, spec.head.units))


def initial_weights(spec: NetworkSpec, seed: int) -> list[np.ndarray]:
    """Draw the first weights of `spec`.

    Kernels are Glorot uniform (Glorot & Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014), biases zero but for a forget gate's, embeddings uniform.
    """
    return draw_weights(weight_table(spec), spec.cell, seed)


@lru_cache(maxsize=64)
def language_weight_table(spec: LanguageSpec) -> tuple[Weight, ...]:
    """List the weights of a language model."""
    width = spec.embedding_dim
    table = [Weight("embedding", (spec.vocabulary_size, width), "uniform")]
    for layer, units in enumerate(spec.units):
        table += cell_weights(spec.cell, f"recurrent_{layer}", width, units)
        width = units
        if spec.layer_norm:
            table += norm_weights(f"norm_{layer}", width)
    kernel, bias = dense_weights("head", width, spec.vocabulary_size)
    return (*table, bias) if spec.tie_weights else (*table, kernel, bias)


def initial_language_weights(spec: LanguageSpec, seed: int) -> list[np.ndarray]:
    """Draw the first weights of a language model, as `initial_weights` does."""
    return draw_weights(language_weight_table(spec), spec.cell, seed)


def draw_weights(table, cell: str, seed: int) -> list[np.ndarray]:
    """Draw the first values of the weights of any table."""
    rng = np.random.default_rng(seed)
    return [
        _INITIALIZERS[w.initializer](rng, w.shape, CELLS[cell]).astype(np.float32)
        for w in table
    ]


def _embedding_weights(spec):
    if spec.embedding_dim is None:
        return [], spec.n_features
    learnt, shapes = spec.embedding_trainable, spec.embeddings
    table = [Weight(name, shape, "uniform", learnt) for name, shape in shapes.items()]
    return table, sum(width for _, width in shapes.values())


def cell_weights(name, prefix, width, units):
    """List the weights of one layer of cells in one direction."""
    cell = CELLS[name]
    gates = cell.n_gates * units
    bias = (2, gates) if cell.recurrent_bias else (gates,)
    return [
        Weight(f"{prefix}/kernel", (width, gates), "glorot"),
        Weight(f"{prefix}/recurrent_kernel", (units, gates), "orthogonal"),
        Weight(f"{prefix}/bias", bias, "cell_bias"),
    ]


def norm_weights(prefix, width):
    """List the weights of a layer's normalisation."""
    return [
        Weight(f"{prefix}/gamma", (width,), "ones"),
        Weight(f"{prefix}/beta", (width,), "zeros"),
    ]


def dense_weights(prefix, width, units):
    """List the weights of a dense layer."""
    return [
        Weight(f"{prefix}/kernel", (width, units), "glorot"),
        Weight(f"{prefix}/bias", (units,), "zeros"),
    ]


def attention_weights(attention, width, query_width=None):
    """List the projections of queries and keys, and what scores them.

    Queries are as wide as keys if `query_width` is None.
    """
    square, query = (width, width), (query_width or width, width)
    tables = {
        None: [],
        # What can't be multiplied is projected first: "general" in Luong et al. (2015).
        "dot": [Weight("attention/query/kernel", query, "glorot")]
        if query != square
        else [],
        "additive": [
            Weight("attention/query/kernel", query, "glorot"),
            Weight("attention/key/kernel", square, "glorot"),
            Weight("attention/score/kernel", (width, 1), "glorot"),
        ],
        "multihead": [
            Weight("attention/key/kernel", square, "glorot"),
            Weight("attention/query/kernel", query, "glorot"),
            Weight("attention/value/kernel", square, "glorot"),
            Weight("attention/output/kernel", square, "glorot"),
        ],
    }
    return tables[attention]


# Columns that are factored at a time. With more of them OpenBLAS wakes up other threads
# for 50 units already; nothing is gained, and they turn for 20 ms before they sleep, on
# cores that another fit may need.
_FACTORED = 8
# From more numbers than these on OpenBLAS divides a factorisation, and from more
# multiplications a product.
_MOST_FACTORED, _MOST_MULTIPLIED = 8192, 2**18


def _glorot(rng, shape, _cell):
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape, _cell):
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
    """Multiply by parts of a's rows that OpenBLAS doesn't divide among its threads.

    They wait for each other at every product, and turn while they wait: where other
    processes compute, 256 units took seconds.
    """
    n = max(1, _MOST_MULTIPLIED // (a.shape[1] * b.shape[1]))
    return np.concatenate([a[at : at + n] @ b for at in range(0, len(a), n)])


def _cell_bias(_rng, shape, cell):
    bias = np.zeros(shape)
    if cell.forget_gate is not None:
        units = shape[-1] // cell.n_gates
        bias[..., cell.forget_gate * units : (cell.forget_gate + 1) * units] = 1
    return bias


_INITIALIZERS = {
    "glorot": _glorot,
    "orthogonal": _orthogonal,
    "cell_bias": _cell_bias,
    "uniform": lambda rng, shape, _cell: rng.uniform(-0.05, 0.05, shape),
    "zeros": lambda _rng, shape, _cell: np.zeros(shape),
    "ones": lambda _rng, shape, _cell: np.ones(shape),
}
