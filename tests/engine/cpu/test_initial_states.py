"""Layers that start from given states and hand on their last."""

import numpy as np
import pytest

from skrnn._engine.cpu import autodiff
from skrnn._engine.cpu.kernels import layer
from skrnn._engine.cpu.ops import ops
from skrnn._engine.cpu.reference import ReferenceRun, recur_by_formula
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.cells import CELLS, CellRun
from skrnn._networks.layers import Lookup

CLOSE = dict(rtol=1e-4, atol=1e-5)
N_STEPS, N_SEQUENCES, N_FEATURES, UNITS = 6, 5, 3, 7


class Case:
    """A ragged batch with weights, states, and gradients of all that comes out."""

    def __init__(self, cell, masked, activation="tanh"):
        rng = np.random.default_rng(0)
        self.cell, self.activation = cell, activation
        self.lengths = np.array([N_STEPS, 4, 4, 2, 1])

        def draw(*shape):
            return rng.normal(scale=0.5, size=shape).astype(np.float32)

        rows = CELLS[cell].weights(N_FEATURES, UNITS)
        state = N_SEQUENCES, UNITS
        shapes = CELLS[cell].state_shapes(UNITS)
        self.states = [draw(N_SEQUENCES, *shape) for shape in shapes]
        self.weights = {row.name: draw(*row.shape) for row in rows}
        self.x = draw(N_STEPS, N_SEQUENCES, N_FEATURES)
        self.real = (np.arange(N_STEPS)[:, None] < self.lengths)[..., None]
        self.d_outputs = draw(N_STEPS, *state) * self.real
        self.d_final = [draw(*each.shape) for each in self.states]
        self.reset_mask = self.ids = None
        self.mask = (draw(*state) > 0) * np.float32(2) if masked else None

    def reset(self, *, ids):
        """Begin some sequences anew, and with `ids` look inputs up in a table."""
        rng = np.random.default_rng(1)
        drawn = rng.integers(4, size=(N_STEPS, N_SEQUENCES)).astype(np.int32)
        self.reset_mask = drawn == 0
        if ids:
            self.ids = drawn
            self.x = rng.normal(size=(4, N_FEATURES)).astype(np.float32)

    def given(self, x, states, weights):
        """Return the arguments of `recur`, the weights being arrays or nodes."""
        cell = CellRun(self.cell, self.activation, UNITS, weights)
        x = x if self.ids is None else Lookup(x, self.ids)
        return cell, x, self.lengths, tuple(states), self.reset_mask

    def run(self, way):
        """Return the outputs, the last states, and all gradients."""
        tape: list = []

        def node(value):
            return autodiff.Node(value, tape)

        x, states = node(self.x), [node(each) for each in self.states]
        weights = {name: node(value) for name, value in self.weights.items()}
        outputs, final = way(self, self.given(x, states, weights))
        weighted = [(outputs, self.d_outputs), *zip(final, self.d_final, strict=True)]
        total = sum(_sum(each * by) for each, by in weighted)
        autodiff.differentiate(total, np.float32(1))
        gradients = [each.gradient for each in (x, *states, *weights.values())]
        return [outputs.value * self.real, *(f.value for f in final), *gradients]


def _sum(node):
    for _ in node.shape:
        node = ops.sum(node, axis=0)
    return node


def by_kernels(case, given):
    run = CpuRun(case.lengths, layer.Workspace())
    run._recurrent_mask = lambda *_: case.mask
    return run.recur(*given, final=True)


def by_formula(case, given):
    run = CpuRun(case.lengths, layer.Workspace())
    return recur_by_formula(run, *given, mask=case.mask)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", layer.KERNEL_ACTIVATIONS)
@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_states_and_their_gradients_are_those_of_the_formula(cell, activation, masked):
    case = Case(cell, masked, activation)
    for a, b in zip(case.run(by_kernels), case.run(by_formula), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", layer.KERNEL_ACTIVATIONS)
@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_resets_and_tables_are_those_of_the_formula(cell, activation, masked, ids):
    case = Case(cell, masked, activation)
    case.reset(ids=ids)
    # At the beginning, in between and in the padding.
    assert case.reset_mask[0].any()
    assert case.reset_mask[1:4, :3].any()
    assert case.reset_mask[2:, 3:].any()
    for a, b in zip(case.run(by_kernels), case.run(by_formula), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_a_reset_forgets_what_was_before(cell):
    case = Case(cell, masked=False)
    case.reset(ids=True)
    case.lengths = np.full(N_SEQUENCES, N_STEPS)
    case.reset_mask = np.zeros_like(case.reset_mask)
    case.reset_mask[2] = True
    whole, _ = by_kernels(case, case.given(case.x, case.states, case.weights))
    case.ids, case.reset_mask = case.ids[2:].copy(), None
    case.lengths = 4 * np.ones(N_SEQUENCES, int)
    zeros = [np.zeros_like(state) for state in case.states]
    part, _ = by_kernels(case, case.given(case.x, zeros, case.weights))
    np.testing.assert_allclose(whole[2:], part, **CLOSE)


@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_predictions_go_on_from_states_as_the_formula_does(cell):
    case = Case(cell, masked=False)
    given = case.given(case.x, case.states, case.weights)
    outputs, final = by_kernels(case, given)
    expected, expected_final = ReferenceRun().recur(*given, final=True)
    np.testing.assert_allclose(outputs * case.real, expected * case.real, **CLOSE)
    np.testing.assert_allclose(final, expected_final, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_are_the_whole(cell):
    case = Case(cell, masked=False)
    case.lengths = np.full(N_SEQUENCES, N_STEPS)
    whole, final = by_kernels(case, case.given(case.x, case.states, case.weights))
    states = case.states
    for part in np.split(np.arange(N_STEPS), [2]):
        case.lengths = np.full(N_SEQUENCES, len(part))
        given = case.given(case.x[part], states, case.weights)
        outputs, states = by_kernels(case, given)
        np.testing.assert_allclose(outputs, whole[part], **CLOSE)
    for found, expected in zip(states, final, strict=True):
        np.testing.assert_allclose(found, expected, **CLOSE)


@pytest.mark.parametrize("n", [1, 20])
@pytest.mark.parametrize("cell", CELLS)
def test_single_steps_are_the_steps_of_a_layer(cell, n):
    rng, case = np.random.default_rng(2), Case(cell, masked=False)
    x = rng.normal(size=(3, n, N_FEATURES)).astype(np.float32)
    cell = CellRun(cell, "tanh", UNITS, case.weights)
    lengths = np.full(n, 3)
    whole, final = CpuRun(lengths, layer.Workspace()).recur(
        cell, x, lengths, final=True
    )
    states = None
    for step in range(3):
        run = CpuRun(np.ones(n, int), layer.Workspace())
        states = run.step(cell, x[step], states)
        np.testing.assert_allclose(cell.cell.output(states), whole[step], **CLOSE)
    for found, expected in zip(states, final, strict=True):
        np.testing.assert_allclose(found, expected, **CLOSE)
