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
    """A weight's name, shape and the name of its initializer."""

    name: str
    shape: tuple[int, ...]
    initializer: str


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
            table += _norm_weights(f"norm_{layer}", width)
    table += attention_weights(spec.attention, width)
    width *= 2 if spec.attention else 1
    for layer, units in enumerate(spec.dense_units):
        table += _dense_weights(f"dense_{layer}", width, units)
        width = units
    return (*table, *_dense_weights("head", width, spec.head.units))


@lru_cache(maxsize=64)
def language_weight_table(spec: LanguageSpec) -> tuple[Weight, ...]:
    """List the weights of a language model."""
    width = spec.embedding_dim
    table = [Weight("embedding", (spec.vocabulary_size, width), "uniform")]
    for layer, units in enumerate(spec.units):
        table += cell_weights(spec.cell, f"recurrent_{layer}", width, units)
        width = units
        if spec.layer_norm:
            table += _norm_weights(f"norm_{layer}", width)
    kernel, bias = _dense_weights("head", width, spec.vocabulary_size)
    return (*table, bias) if spec.tie_weights else (*table, kernel, bias)


def initial_weights(spec: NetworkSpec | LanguageSpec, seed: int) -> list[np.ndarray]:
    """Draw the first weights of `spec`.

    Kernels are Glorot uniform (Glorot & Bengio, 2010), recurrent kernels orthogonal
    (Saxe et al., 2014), biases zero but for a forget gate's, embeddings uniform.
    """
    rng = np.random.default_rng(seed)
    cell, is_language = CELLS[spec.cell], isinstance(spec, LanguageSpec)
    table = language_weight_table(spec) if is_language else weight_table(spec)
    return [
        _INITIALIZERS[w.initializer](rng, w.shape, cell).astype(np.float32)
        for w in table
    ]


def _embedding_weights(spec):
    if spec.embedding_dim is None:
        return [], spec.n_features
    shape = (spec.vocabulary_size, spec.embedding_dim)
    return [Weight("embedding", shape, "uniform")], spec.embedding_dim


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


def _norm_weights(prefix, width):
    return [
        Weight(f"{prefix}/gamma", (width,), "ones"),
        Weight(f"{prefix}/beta", (width,), "zeros"),
    ]


def _dense_weights(prefix, width, units):
    return [
        Weight(f"{prefix}/kernel", (width, units), "glorot"),
        Weight(f"{prefix}/bias", (units,), "zeros"),
    ]


def attention_weights(attention, width):
    """List the projections of queries and keys, and what scores them."""
    square = (width, width)
    tables = {
        None: [],
        "dot": [],
        "additive": [
            Weight("attention/query/kernel", square, "glorot"),
            Weight("attention/key/kernel", square, "glorot"),
            Weight("attention/score/kernel", (width, 1), "glorot"),
        ],
        "multihead": [
            Weight(f"attention/{name}/kernel", square, "glorot")
            for name in ("key", "query", "value", "output")
        ],
    }
    return tables[attention]


def _glorot(rng, shape, _cell):
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def _orthogonal(rng, shape, _cell):
    units, columns = shape
    q, r = np.linalg.qr(rng.standard_normal((columns, units)))
    # The signs make the distribution uniform over orthogonal matrices.
    return (q * np.sign(np.diag(r))).T


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
