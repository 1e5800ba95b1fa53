"""One pass over a batch in double precision that remembers every step of every cell.

The kernels keep only what training needs. This is for looking inside: hidden states,
gates, and how the gradient of a loss flows back. In double precision, a gradient that
vanishes over hundreds of steps still isn't 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, apply, differentiable, value_of
from skrnn._engine.cpu.ops import ops
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.cells.dilated import DilatedCell


def _matmul(x, w):
    (k, n) = w.shape
    return x @ w, (
        lambda g: g @ w.T,
        lambda g: x.reshape(-1, k).T @ g.reshape(-1, n),
    )


def _einsum(formula, x, y):
    (left, right), out = formula.split("->")[0].split(","), formula.split("->")[1]
    return np.einsum(formula, x, y), (
        None,
        lambda g: np.einsum(f"{out},{right}->{left}", g, y),
        lambda g: np.einsum(f"{left},{out}->{right}", x, g),
    )


# Those of the cpu engine, except products, which its kernels compute in float32.
exact_ops = SimpleNamespace(
    **vars(ops)
    | {
        "matmul": differentiable(_matmul, np.matmul),
        "einsum": differentiable(_einsum, np.einsum),
    }
)


@dataclass
class Pass:
    """What a cell did in one direction, in the order in which it read the steps.

    Attributes
    ----------
    outputs : list of ndarray of shape (B, units)
        One per step; values at padding don't matter.
    states : list of tuples of ndarray
        After each step.
    gates : list of dicts of ndarray
    gradients : dict of ndarray of shape (B, ...)
        Number of the step -> gradient of the state after it that is the output, as far
        as the loss depends on it; of the first state if the output is none of them.
    """

    outputs: list[Any] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    gradients: dict[int, Any] = field(default_factory=dict)


class TracingRun(reference.ReferenceRun):
    """One pass over a batch that remembers its steps; predicts without a tape.

    Parameters
    ----------
    tape : list or None
        That of the weights, if gradients are asked for.

    Attributes
    ----------
    passes : list of Pass
        In the order of the layers, of each the forward direction first.
    input_gradients : dict of ndarray of shape (T, B, F)
        One for the network's input, or for each channel of embedded token ids.
    """

    ops = exact_ops
    reverse = staticmethod(CpuRun.reverse)

    def __init__(self, tape=None):
        self.tape = tape
        self.passes: list[Pass] = []
        self.input_gradients: dict[int, Any] = {}
        self._n_inputs = 0

    def read(self, x):
        """Return numbers X (T, B, F) so that their gradients are remembered."""
        if self.tape is None:
            return x
        return self._watched_input(Node(x, self.tape))

    def take_rows(self, table, ids):
        rows = self.ops.take(table, ids, axis=0)
        return self._watched_input(rows) if isinstance(rows, Node) else rows

    def _watched_input(self, node):
        place, self._n_inputs = self._n_inputs, self._n_inputs + 1
        return _watched(node, lambda g: self.input_gradients.update({place: g}))

    def dense(self, x, kernel, bias, transposed=False):
        kernel = self.ops.transpose(kernel, (1, 0)) if transposed else kernel
        return self.ops.matmul(x, kernel) + bias

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        known = Pass()
        self.passes.append(known)
        run = self, _Remembering(cell, known), x, lengths, states, reset_mask
        held = reference.is_held(cell, final)
        outputs, after = reference.recur_by_formula(*run, held=held)
        return outputs, after if final else None


class UnwatchedRun(TracingRun):
    """A pass that only propagates gradients, such as a decoder's."""

    def _watched_input(self, node):
        return node


class _Remembering:
    """A cell with its weights, as `recur_by_formula` takes it, that keeps its steps."""

    def __init__(self, cell, known):
        self.weights, self.activation, self.zeros = (
            cell.weights,
            cell.activation,
            cell.zeros,
        )
        own: Any = cell.cell
        if isinstance(own, DilatedCell):
            # Its states are those of several steps: only the last one is of this step.
            own = replace(own, inner=_KeptSteps(own.inner, known))
        else:
            own = _KeptSteps(own, known)
        self.cell = own


class _KeptSteps:
    """A cell that keeps its steps in a `Pass`."""

    def __init__(self, cell, known):
        self._cell, self._known = cell, known
        self.project, self.output = cell.project, cell.output

    def step(self, ops, activation, w, projected, states, drop):
        known, values = self._known, (_values(projected), _values(states))
        plain = {name: value_of(weight) for name, weight in w.items()}
        known.gates.append(self._cell.gate_values(ops, activation, plain, *values))
        after = list(self._cell.step(ops, activation, w, projected, states, drop))
        place = self._place_of_output(after)
        if isinstance(after[place], Node):
            keep = _keeper(known.gradients, len(known.states))
            after[place] = _watched(after[place], keep)
        known.states.append(_values(after))
        known.outputs.append(value_of(self.output(tuple(after))))
        return tuple(after)

    def _place_of_output(self, states):
        """Return which of the states is the output; the first one if none is."""
        output = self.output(tuple(states))
        return next((i for i, state in enumerate(states) if state is output), 0)


def _values(arrays):
    return tuple(value_of(each) for each in arrays)


def _keeper(found: dict, place: int) -> Callable:
    return lambda g: found.update({place: g})


def _watched(node, keep):
    """Return the node's value as a node that tells `keep` its whole gradient."""

    def rule(x):
        def pull(g):
            keep(g)
            return (g,)

        return x, pull

    return apply(rule, node)
