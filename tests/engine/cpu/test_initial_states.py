"""Layers that start from given states and hand on their last."""

import numpy as np
import pytest

from skrnn._engine.cpu import autodiff, reference
from skrnn._engine.cpu.kernels import layer
from skrnn._engine.cpu.run import Kit, run_plainly
from skrnn._networks.cells import CELLS

CLOSE = dict(rtol=1e-4, atol=1e-5)
N_STEPS, N_SEQUENCES, N_FEATURES, UNITS = 6, 5, 3, 7


class Case:
    """A ragged batch with weights, states, and gradients of all that comes out."""

    def __init__(self, cell, masked):
        rng, columns = np.random.default_rng(0), CELLS[cell].n_gates * UNITS
        self.lengths = np.array([N_STEPS, 4, 4, 2, 1])

        def draw(*shape):
            return rng.normal(scale=0.5, size=shape).astype(np.float32)

        state = N_SEQUENCES, UNITS
        self.states = [draw(*state) for _ in range(CELLS[cell].n_states)]
        biases = [draw(columns), draw(columns) if CELLS[cell].recurrent_bias else None]
        weights = draw(N_FEATURES, columns), draw(UNITS, columns)
        self.sources = draw(N_STEPS, N_SEQUENCES, N_FEATURES), *weights, *biases
        self.real = (np.arange(N_STEPS)[:, None] < self.lengths)[..., None]
        self.d_outputs = draw(N_STEPS, *state) * self.real
        self.d_final = [draw(*state) for _ in self.states]
        self.fresh = None
        self.mask = (draw(*state) > 0) * np.float32(2) if masked else None

    def read_ids(self):
        """Look inputs up in a table, and begin some sequences anew."""
        rng, columns = np.random.default_rng(1), self.sources[1].shape[1]
        self.ids = rng.integers(4, size=(N_STEPS, N_SEQUENCES)).astype(np.int32)
        self.fresh = self.ids == 0
        self.table = rng.normal(size=(4, columns)).astype(np.float32)
        self.sources = self.ids, self.table, self.sources[2], None, self.sources[4]

    def run(self, way):
        """Return the outputs, the last states, and all gradients."""
        tape: list = []
        nodes = [
            each
            if each is None or each.dtype.kind == "i"
            else autodiff.Node(each, tape)
            for each in (*self.sources, *self.states)
        ]
        outputs, final = way(self, nodes)
        weighted = [(outputs, self.d_outputs), *zip(final, self.d_final, strict=True)]
        total = sum(_sum(node * by) for node, by in weighted)
        autodiff.differentiate(total, np.float32(1))
        gradients = [node.gradient for node in nodes if isinstance(node, autodiff.Node)]
        return [outputs.value * self.real, *(f.value for f in final), *gradients]


def _sum(node):
    for size in node.shape:
        node = autodiff.ops.mean(node, axis=0, keepdims=False) * np.float32(size)
    return node


def by_kernels(case, nodes):
    kit = Kit(case.lengths, layer.Workspace())
    kit._recurrent_mask = lambda *_: case.mask
    options = nodes[:3], nodes[3:5], case.lengths
    return run_from(kit, nodes[5:], *options, fresh=case.fresh)


def run_from(kit, states, weights, biases, lengths, cell=None, fresh=None):
    cell = cell or {1: "rnn", 3: "gru", 4: "lstm"}[weights[2].shape[1] // UNITS]
    options = (
        (biases, lengths, False) if fresh is None else (biases, lengths, False, fresh)
    )
    return kit.run_cell_from(tuple(states), cell, "tanh", *weights, *options)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_states_and_their_gradients_are_those_of_the_formula(cell, masked):
    case = Case(cell, masked)

    def plainly(case, nodes):
        return run_plainly(cell, "tanh", nodes, case.mask, case.lengths)

    for a, b in zip(case.run(by_kernels), case.run(plainly), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_fresh_starts_and_tables_are_those_of_the_formula(cell, masked, ids):
    case = Case(cell, masked)
    features = case.sources
    case.read_ids()
    if not ids:
        case.sources = features

    def plainly(case, nodes):
        return run_plainly(cell, "tanh", nodes, case.mask, case.lengths, case.fresh)

    # At the beginning, in between and in the padding.
    assert case.fresh[0].any()
    assert case.fresh[1:4, :3].any()
    assert case.fresh[2:, 3:].any()
    for a, b in zip(case.run(by_kernels), case.run(plainly), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_a_fresh_start_forgets_what_was_before(cell):
    case = Case(cell, masked=False)
    case.read_ids()
    case.lengths, case.fresh = np.full(N_SEQUENCES, N_STEPS), np.zeros_like(case.fresh)
    case.fresh[2] = True
    zeros = [np.zeros_like(state) for state in case.states]
    after = 4 * np.ones(N_SEQUENCES, int)
    weights, biases = case.sources[1:3], case.sources[3:]
    kit = Kit(case.lengths, layer.Workspace())
    options = biases, case.lengths, cell, case.fresh
    whole, _ = run_from(kit, case.states, (case.ids, *weights), *options)
    kit, ids = Kit(after, layer.Workspace()), case.ids[2:].copy()
    part, _ = run_from(kit, zeros, (ids, *weights), biases, after, cell)
    np.testing.assert_allclose(whole[2:], part, **CLOSE)


@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_predictions_go_on_from_states_as_the_formula_does(cell):
    case = Case(cell, masked=False)
    weights, biases = case.sources[:3], case.sources[3:]
    kit = Kit(case.lengths, layer.Workspace())
    options = case.states, weights, biases, case.lengths
    outputs, final = run_from(kit, *options)
    expected, expected_final = run_from(reference, *options, cell=cell)
    np.testing.assert_allclose(outputs * case.real, expected * case.real, **CLOSE)
    np.testing.assert_allclose(final, expected_final, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_are_the_whole(cell):
    case = Case(cell, masked=False)
    x, *weights = case.sources[:3]
    biases, lengths = case.sources[3:], np.full(N_SEQUENCES, N_STEPS)
    whole, final = run_from(
        Kit(lengths, layer.Workspace()), case.states, [x, *weights], biases, lengths
    )
    states = case.states
    for part in np.split(np.arange(N_STEPS), [2]):
        lengths = np.full(N_SEQUENCES, len(part))
        kit = Kit(lengths, layer.Workspace())
        options = [x[part], *weights], biases, lengths
        outputs, states = run_from(kit, states, *options)
        np.testing.assert_allclose(outputs, whole[part], **CLOSE)
    np.testing.assert_allclose(states, final, **CLOSE)
