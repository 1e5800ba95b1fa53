"""The NumPy backend: small predictions without TensorFlow, and the kit's plain twin.

Every method is the specification of the method with the same name in the compiled
backends. It computes in the dtype of the weights it is given; prediction gives it
float64, in which a row's result doesn't depend on the rows beside it.
"""

from types import SimpleNamespace

import numpy as np
from scipy.special import expit, softmax

from skrnn._networks.cells import ACTIVATIONS, CELLS, hold


def _split(x, sections, axis):
    """Do what `numpy.split` does along the last axis, in a fourth of the time."""
    width = x.shape[axis] // sections
    return [x[..., i * width : (i + 1) * width] for i in range(sections)]


ops = SimpleNamespace(
    abs=np.abs,
    concatenate=np.concatenate,
    einsum=np.einsum,
    exp=np.exp,
    logaddexp=np.logaddexp,
    matmul=np.matmul,
    maximum=np.maximum,
    mean=np.mean,
    minimum=np.minimum,
    sigmoid=expit,
    softmax=softmax,
    split=_split,
    sqrt=np.sqrt,
    stack=np.stack,
    tanh=np.tanh,
    where=np.where,
)


def take_rows(table, ids):
    """Return the rows of `table` (V, D) at `ids`: (..., D)."""
    return table[ids]


def dropout(x, _enabled):
    """Drop nothing: this backend only predicts."""
    return x


def reverse(x, lengths):
    """Reverse each sequence of x (T, B, ...) within its own length."""
    steps = np.arange(len(x))[:, None]
    steps = np.where(steps < lengths, lengths - 1 - steps, steps)
    return x[steps, np.arange(x.shape[1])]


def last(x, lengths):
    """Return the last real step of x (T, B, U): (B, U)."""
    return x[lengths - 1, np.arange(x.shape[1])]


def attendable(x, lengths):
    """Return the steps (T, B, U) to attend to and which of them are real, (T, B)."""
    return x, np.arange(x.shape[0])[:, None] < lengths


def run_cell(cell, activation, x, kernel, recurrent_kernel, biases, held, dropout):
    """Run a cell over x (T, B, F) from a zero state: (T, B, U).

    `held` are the lengths after which a sequence's state stays as it is, or None.
    """
    zeros = np.zeros((x.shape[1], len(recurrent_kernel)), kernel.dtype)
    initial = (zeros,) * CELLS[cell].n_states
    weights = kernel, recurrent_kernel, biases
    return run_cell_from(initial, cell, activation, x, *weights, held, dropout)[0]


def run_cell_from(
    initial, cell, activation, x, kernel, recurrent_kernel, biases, lengths, _dropout
):
    """Run a cell from given states (B, U); return the outputs and the last states.

    The last states are those after each sequence's own length.
    """
    formula, activate = CELLS[cell].step, ACTIVATIONS[activation]
    bias, recurrent_bias = biases
    # All inputs in one product: only the recurrent one must wait for its turn.
    x = x @ kernel + bias
    states = initial
    outputs = np.empty((len(x), *states[0].shape), x.dtype)
    for t in range(len(x)):
        recurrent = states[0] @ recurrent_kernel
        if recurrent_bias is not None:
            recurrent += recurrent_bias
        after = formula(ops, activate, x[t], recurrent, *states)
        states = after if lengths is None else hold(ops, t < lengths, after, states)
        outputs[t] = states[0]
    return outputs, states
