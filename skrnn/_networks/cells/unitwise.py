"""Cells whose units read only their own state: no matrix is between the steps.

All products are with the inputs, for all steps at once. Step by step, only a few
operations per unit remain, and units don't wait for each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from skrnn._networks.cells.base import BaseCell
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class UnitwiseCell(BaseCell):
    """A cell with one state; each unit reads only its own number of it.

    Attributes
    ----------
    n_gates : int
        The kernel has ``n_gates * units`` columns.
    formula : callable
        ``formula(ops, activation, x, u, h, drop) -> states`` with the projection ``x =
        x_t @ kernel + bias``, and the recurrent weights u, (units,) or None.
    gates : callable or None
        ``gates(ops, activation, x) -> dict`` with the gates that `formula` uses, by
        name; None for a cell without any.
    recurrent : bool
        Whether each unit has a weight for its own previous state.
    slow_gate : int or None
        Which gate lets inputs in. Its biases begin such that units forget over times of
        all sizes.
    gate_order : tuple of str
        The gates that the columns of the kernel belong to.
    """

    n_gates: int
    formula: Callable
    gates: Callable | None = None
    recurrent: bool = False
    slow_gate: int | None = None
    gate_order: tuple[str, ...] = ()

    # Attributes that the kernels in C read of every cell.
    n_states = 1
    recurrent_bias = False

    def weights(self, width, units):
        columns = self.n_gates * units
        rows = [Weight("kernel", (width, columns), "glorot")]
        if self.recurrent:
            rows.append(Weight("recurrent_kernel", (units,), "shares"))
        slow = None
        if self.slow_gate is not None:
            slow = self.slow_gate * units, (self.slow_gate + 1) * units
        return [*rows, Weight("bias", (columns,), "zeros", slow=slow)]

    def biases(self, w):
        """Return the bias of the input's projection; the state's has none."""
        return w["bias"], None

    def step(self, ops, activation, w, projected, states, drop):
        (x,), (h,), u = projected, states, w.get("recurrent_kernel")
        return self.formula(ops, activation, x, u, h, drop)

    def gate_values(self, ops, activation, w, projected, states):
        return {} if self.gates is None else self.gates(ops, activation, *projected)
