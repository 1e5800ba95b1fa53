"""The table of recurrent cells: each owns its weights, its projection and its step.

A cell is one row of `CELLS`. Its formula is the textbook's, and every engine and every
estimator reads it from here. `GatedCell` is for cells whose gates are sums of a product
with the input and one with the state before; any other kind is an object with the
methods of `skrnn._networks.contracts.Cell`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from skrnn._networks.weights import Weight


def rnn_step(ops, activation, x, r, h):
    """Elman's network: ``h' = activation(x + r)`` (Elman, 1990)."""
    return (activation(ops, x + r),)


def lstm_gates(ops, activation, x, r):
    """Return the gates of `lstm_step`, which are the quarters of ``x + r``, by name."""
    i, f, g, o = ops.split(x + r, 4, axis=-1)
    return {
        "input": ops.sigmoid(i),
        "forget": ops.sigmoid(f),
        "candidate": activation(ops, g),
        "output": ops.sigmoid(o),
    }


def lstm_step(ops, activation, x, r, h, c):
    """Long short-term memory with forget gate (Gers et al., 2000).

    ``c' = forget * c + input * candidate`` and ``h' = output * activation(c')``.
    """
    gates = lstm_gates(ops, activation, x, r)
    c = gates["forget"] * c + gates["input"] * gates["candidate"]
    return gates["output"] * activation(ops, c), c


def gru_gates(ops, activation, x, r):
    """Return the gates of `gru_step`, the thirds of x and r, by name."""
    x_z, x_reset, x_n = ops.split(x, 3, axis=-1)
    r_z, r_reset, r_n = ops.split(r, 3, axis=-1)
    update, reset = ops.sigmoid(x_z + r_z), ops.sigmoid(x_reset + r_reset)
    candidate = activation(ops, x_n + reset * r_n)
    return {"update": update, "reset": reset, "candidate": candidate}


def gru_step(ops, activation, x, r, h):
    """Gated recurrent unit, the reset gate after the product (Cho et al., 2014).

    ``h' = z * h + (1 - z) * activation(x_n + reset * r_n)``, z being the update gate.
    """
    gates = gru_gates(ops, activation, x, r)
    z = gates["update"]
    return (z * h + (1 - z) * gates["candidate"],)


class BaseCell:
    """What most cells have in common: one state (B, units), which is the output."""

    keras_layer: str | None = None
    tensorflow_kernel: str | None = None
    gate_order: tuple[str, ...] = ()

    def state_shapes(self, units):
        return ((units,),)

    def project(self, ops, w, x):
        return (ops.matmul(x, w["kernel"]) + w["bias"],)

    def output(self, states):
        return states[0]

    def gate_values(self, ops, activation, w, projected, states):
        return {}


@dataclass(frozen=True)
class GatedCell(BaseCell):
    """A cell whose step has the projections of its input and of its state.

    Attributes
    ----------
    n_gates : int
        The kernels have ``n_gates * units`` columns.
    n_states : int
        Arrays carried from step to step; the first is the output.
    formula : callable
        ``formula(ops, activation, x, r, *states) -> states`` with the projections
        ``x = x_t @ kernel + bias`` and ``r = h @ recurrent_kernel``.
    recurrent_bias : bool
        Whether r has a bias of its own (bias is then of shape (2, gates * units)).
    gates : callable or None
        ``gates(ops, activation, x, r) -> dict`` with the gates that `formula` uses, by
        name; None for a cell without any.
    forget_gate : int or None
        Which gate starts with a bias of 1 (Jozefowicz et al., 2015).
    keras_layer : str or None
        Name of the class in ``keras.layers`` whose weights have the same layout; None
        makes the layer of a Keras model from `formula`.
    tensorflow_kernel : str or None
        Name of the operation of TensorFlow that runs a whole layer with tanh.
    gate_order : tuple of str
        The gates that the columns of the kernels are for: `units` columns of each, one
        gate after the other.
    """

    n_gates: int
    n_states: int
    formula: Callable
    gates: Callable | None = None
    recurrent_bias: bool = False
    forget_gate: int | None = None
    keras_layer: str | None = None
    tensorflow_kernel: str | None = None
    gate_order: tuple[str, ...] = ()

    def weights(self, width, units):
        gates = self.n_gates * units
        ones = None
        if self.forget_gate is not None:
            ones = self.forget_gate * units, (self.forget_gate + 1) * units
        shape = (2, gates) if self.recurrent_bias else (gates,)
        return [
            Weight("kernel", (width, gates), "glorot"),
            Weight("recurrent_kernel", (units, gates), "orthogonal"),
            Weight("bias", shape, "zeros", ones=ones),
        ]

    def state_shapes(self, units):
        return ((units,),) * self.n_states

    def biases(self, w):
        """Return the bias of the input's projection, and that of the state's."""
        bias = w["bias"]
        return (bias[0], bias[1]) if self.recurrent_bias else (bias, None)

    def project(self, ops, w, x):
        return (ops.matmul(x, w["kernel"]) + self.biases(w)[0],)

    def step(self, ops, activation, w, projected, states, drop):
        recurrent = self._recurrent(ops, w, drop(states[0]))
        return self.formula(ops, activation, *projected, recurrent, *states)

    def gate_values(self, ops, activation, w, projected, states):
        if self.gates is None:
            return {}
        recurrent = self._recurrent(ops, w, states[0])
        return self.gates(ops, activation, *projected, recurrent)

    def _recurrent(self, ops, w, h):
        recurrent = ops.matmul(h, w["recurrent_kernel"])
        return recurrent + self.biases(w)[1] if self.recurrent_bias else recurrent


CELLS: dict[str, Any] = {
    "rnn": GatedCell(n_gates=1, n_states=1, formula=rnn_step, keras_layer="SimpleRNN"),
    "lstm": GatedCell(
        n_gates=4,
        n_states=2,
        formula=lstm_step,
        gates=lstm_gates,
        forget_gate=1,
        keras_layer="LSTM",
        tensorflow_kernel="BlockLSTM",
        gate_order=("input", "forget", "candidate", "output"),
    ),
    "gru": GatedCell(
        n_gates=3,
        n_states=1,
        formula=gru_step,
        gates=gru_gates,
        recurrent_bias=True,
        keras_layer="GRU",
        gate_order=("update", "reset", "candidate"),
    ),
}


@dataclass(frozen=True)
class CellRun:
    """A cell with its weights, ready to run over steps.

    Attributes
    ----------
    name : str
        Key of `CELLS`.
    activation : str
        Key of `ACTIVATIONS`.
    weights : dict of arrays
        By the names that the cell gives them.
    drops : bool
        Whether there is recurrent dropout in training.
    """

    name: str
    activation: str
    units: int
    weights: dict = field(repr=False)
    drops: bool = False

    @cached_property
    def cell(self):
        return CELLS[self.name]

    def zeros(self, make, n_sequences):
        """Return the states before the first step, each by ``make(shape)``."""
        shapes = self.cell.state_shapes(self.units)
        return tuple(make((n_sequences, *shape)) for shape in shapes)


def hold(ops, going_on, after, before):
    """Return the states `after` a step of the sequences (B,) that are still going on.

    The others keep those `before`. For every engine: `ops` are its functions.
    """
    return tuple(
        ops.where(_as_wide_as(going_on, new), new, old)
        for new, old in zip(after, before, strict=True)
    )


def _as_wide_as(mask, array):
    """Give a mask (B,) the dimensions of an array (B, ...)."""
    return mask[(slice(None),) + (None,) * (len(array.shape) - 1)]
