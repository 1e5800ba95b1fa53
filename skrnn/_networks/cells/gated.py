"""Cells whose gates are sums of a product with the input and one with the state."""

from collections.abc import Callable
from dataclasses import dataclass

from skrnn._networks.cells.base import BaseCell
from skrnn._networks.weights import Weight


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
        The gates that the columns of the kernels belong to: `units` columns for each,
        one gate after the other.
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
