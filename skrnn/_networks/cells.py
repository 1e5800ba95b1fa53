"""The table of recurrent cells and activations: plain formulas, and Keras' names.

A cell is one row of `CELLS`. Its `step` is the textbook formula on already projected
inputs; every engine (NumPy, compiled) and every estimator reads it from here.
"""

from collections.abc import Callable
from dataclasses import dataclass


def rnn_step(ops, activation, x, r, h):
    """Elman's network: ``h' = activation(x + r)`` (Elman, 1990)."""
    return (activation(ops, x + r),)


def lstm_step(ops, activation, x, r, h, c):
    """Long short-term memory with forget gate (Gers et al., 2000).

    ``c' = f * c + i * activation(g)`` and ``h' = o * activation(c')`` where the four
    gates i, f, g, o are the quarters of ``x + r``.
    """
    i, f, g, o = ops.split(x + r, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * activation(ops, g)
    return ops.sigmoid(o) * activation(ops, c), c


def gru_step(ops, activation, x, r, h):
    """Gated recurrent unit, the reset gate after the product (Cho et al., 2014).

    ``h' = z * h + (1 - z) * activation(x_n + reset * r_n)``.
    """
    x_z, x_reset, x_n = ops.split(x, 3, axis=-1)
    r_z, r_reset, r_n = ops.split(r, 3, axis=-1)
    z = ops.sigmoid(x_z + r_z)
    candidate = activation(ops, x_n + ops.sigmoid(x_reset + r_reset) * r_n)
    return (z * h + (1 - z) * candidate,)


@dataclass(frozen=True)
class Cell:
    """One kind of recurrent cell.

    Attributes
    ----------
    keras_layer : str or None
        Name of the class in ``keras.layers`` whose weights have the same layout; None
        makes the layer of a Keras model from `step`.
    n_gates : int
        The kernels have ``n_gates * units`` columns.
    n_states : int
        Arrays carried from step to step; the first is the output.
    step : callable
        ``step(ops, activation, x, r, *states) -> states`` with the projections
        ``x = x_t @ kernel + bias`` and ``r = h @ recurrent_kernel``.
    recurrent_bias : bool
        Whether r has a bias of its own (bias is then of shape (2, gates * units)).
    forget_gate : int or None
        Which gate starts with a bias of 1 (Jozefowicz et al., 2015).
    """

    keras_layer: str | None
    n_gates: int
    n_states: int
    step: Callable
    recurrent_bias: bool = False
    forget_gate: int | None = None


CELLS = {
    "rnn": Cell("SimpleRNN", n_gates=1, n_states=1, step=rnn_step),
    "lstm": Cell("LSTM", n_gates=4, n_states=2, step=lstm_step, forget_gate=1),
    "gru": Cell("GRU", n_gates=3, n_states=1, step=gru_step, recurrent_bias=True),
}


def hold(ops, going_on, after, before):
    """Return the states `after` a step for the sequences (B,) that are still going on.

    For every backend: `ops` are its functions.
    """
    pairs = zip(after, before, strict=True)
    return tuple(ops.where(going_on[:, None], *pair) for pair in pairs)


# The constants of Klambauer et al. (2017), "Self-normalizing neural networks".
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _elu(ops, x):
    return ops.where(x > 0, x, ops.exp(ops.minimum(x, 0)) - 1)


def _selu(ops, x):
    negative = _SELU_ALPHA * (ops.exp(ops.minimum(x, 0)) - 1)
    return _SELU_SCALE * ops.where(x > 0, x, negative)


# Named as in Keras; each is `activation(ops, x)`.
ACTIVATIONS = {
    "tanh": lambda ops, x: ops.tanh(x),
    "relu": lambda ops, x: ops.maximum(x, 0),
    "sigmoid": lambda ops, x: ops.sigmoid(x),
    "softmax": lambda ops, x: ops.softmax(x, axis=-1),
    "linear": lambda ops, x: x,
    "elu": _elu,
    "selu": _selu,
    "silu": lambda ops, x: x * ops.sigmoid(x),
    "softplus": lambda ops, x: ops.logaddexp(x, x * 0),
    "softsign": lambda ops, x: x / (1 + ops.abs(x)),
}
# With these a state cannot overflow, however often a step is repeated.
BOUNDED_ACTIVATIONS = ("tanh", "sigmoid", "softsign")
HIDDEN_ACTIVATIONS = tuple(name for name in ACTIVATIONS if name != "softmax")
