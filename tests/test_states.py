"""Layers that start from given states and hand on their last; kernels' plain twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._cells import CELLS
from skrnn._engine import _kernels, _layer, _numpy_kit, _plain_kernels, _tape
from skrnn._engine._native_kit import Kit, run_plainly

CLOSE = dict(rtol=1e-4, atol=1e-5)
N_STEPS, N_SEQUENCES, N_FEATURES, UNITS = 6, 5, 3, 7


class Case:
    """A ragged batch with weights, states, and gradients of all that comes out."""

    def __init__(self, cell, masked, activation="tanh"):
        self.activation = activation
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
            each if each is None or each.dtype.kind == "i" else _tape.Node(each, tape)
            for each in (*self.sources, *self.states)
        ]
        outputs, final = way(self, nodes)
        weighted = [(outputs, self.d_outputs), *zip(final, self.d_final, strict=True)]
        total = sum(_sum(node * by) for node, by in weighted)
        _tape.differentiate(total, np.float32(1))
        gradients = [node.gradient for node in nodes if isinstance(node, _tape.Node)]
        return [outputs.value * self.real, *(f.value for f in final), *gradients]


def _sum(node):
    for size in node.shape:
        node = _tape.ops.mean(node, axis=0, keepdims=False) * np.float32(size)
    return node


def by_kernels(case, nodes):
    kit = Kit(case.lengths, _layer.Workspace())
    kit._recurrent_mask = lambda *_: case.mask
    options = nodes[:3], nodes[3:5], case.lengths
    activation = case.activation
    return run_from(kit, nodes[5:], *options, fresh=case.fresh, activation=activation)


def run_from(
    kit, states, weights, biases, lengths, cell=None, fresh=None, activation="tanh"
):
    cell = cell or {1: "rnn", 3: "gru", 4: "lstm"}[weights[2].shape[1] // UNITS]
    options = (
        (biases, lengths, False) if fresh is None else (biases, lengths, False, fresh)
    )
    return kit.run_cell_from(tuple(states), cell, activation, *weights, *options)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", _layer.KERNEL_ACTIVATIONS)
@pytest.mark.parametrize("cell", _layer.KERNEL_CELLS)
def test_states_and_their_gradients_are_those_of_the_formula(cell, activation, masked):
    case = Case(cell, masked, activation)

    def plainly(case, nodes):
        return run_plainly(cell, activation, nodes, case.mask, case.lengths)

    for a, b in zip(case.run(by_kernels), case.run(plainly), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("activation", _layer.KERNEL_ACTIVATIONS)
@pytest.mark.parametrize("cell", _layer.KERNEL_CELLS)
def test_fresh_starts_and_tables_are_those_of_the_formula(
    cell, activation, masked, ids
):
    case = Case(cell, masked, activation)
    features = case.sources
    case.read_ids()
    if not ids:
        case.sources = features

    def plainly(case, nodes):
        weights = cell, activation, nodes, case.mask
        return run_plainly(*weights, case.lengths, case.fresh)

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
    kit = Kit(case.lengths, _layer.Workspace())
    options = biases, case.lengths, cell, case.fresh
    whole, _ = run_from(kit, case.states, (case.ids, *weights), *options)
    kit, ids = Kit(after, _layer.Workspace()), case.ids[2:].copy()
    part, _ = run_from(kit, zeros, (ids, *weights), biases, after, cell)
    np.testing.assert_allclose(whole[2:], part, **CLOSE)


@pytest.mark.parametrize("cell", _layer.KERNEL_CELLS)
def test_predictions_go_on_from_states_as_the_formula_does(cell):
    case = Case(cell, masked=False)
    weights, biases = case.sources[:3], case.sources[3:]
    kit = Kit(case.lengths, _layer.Workspace())
    options = case.states, weights, biases, case.lengths
    outputs, final = run_from(kit, *options)
    expected, expected_final = run_from(_numpy_kit, *options, cell=cell)
    np.testing.assert_allclose(outputs * case.real, expected * case.real, **CLOSE)
    np.testing.assert_allclose(final, expected_final, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_two_halves_are_the_whole(cell):
    case = Case(cell, masked=False)
    x, *weights = case.sources[:3]
    biases, lengths = case.sources[3:], np.full(N_SEQUENCES, N_STEPS)
    whole, final = run_from(
        Kit(lengths, _layer.Workspace()), case.states, [x, *weights], biases, lengths
    )
    states = case.states
    for part in np.split(np.arange(N_STEPS), [2]):
        lengths = np.full(N_SEQUENCES, len(part))
        kit = Kit(lengths, _layer.Workspace())
        options = [x[part], *weights], biases, lengths
        outputs, states = run_from(kit, states, *options)
        np.testing.assert_allclose(outputs, whole[part], **CLOSE)
    np.testing.assert_allclose(states, final, **CLOSE)


# Plain twins of the kernels


counts = st.lists(st.integers(0, 4), min_size=1, max_size=5)


@settings(deadline=None)
@given(counts=counts, k=st.integers(1, 9), n=st.integers(1, 9), seed=st.integers(0, 99))
def test_products_are_those_of_their_twins(counts, k, n, seed):
    active = np.array(sorted(counts, reverse=True), np.int32)
    rng, steps = np.random.default_rng(seed), len(active)

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    a, b, bias = draw(steps * 4, k), draw(k, n), draw(n)
    for transposed in (0, 1):
        right = np.ascontiguousarray(b.T) if transposed else b
        made = [draw(steps * 4, n) for _ in range(2)]
        for module, c in zip((_kernels, _plain_kernels), made, strict=True):
            module.project(steps, 4, active, a, k, right, transposed, n, bias, c)
        np.testing.assert_allclose(*made, **CLOSE)
        rows = [draw(4, n) for _ in range(2)]
        for module, c in zip((_kernels, _plain_kernels), rows, strict=True):
            module.narrow(4, k, a[:4], b, n, bias if transposed else None, c)
        np.testing.assert_allclose(*rows, **CLOSE)
    if not active[0]:
        return
    right, other, mask = draw(steps * 4, n), draw(steps * 4, 3), draw(4, 3)
    both = []
    for module in (_kernels, _plain_kernels):
        made = [np.zeros(shape, np.float32) for shape in (n + 2, (k, n + 2))]
        made.append(np.zeros((3, n + 2), np.float32))
        products = made[0], a, k, made[1], other, 3, mask, made[2]
        module.outer(steps, 4, active, right, n, 0, n, 1, n + 2, *products)
        both.append(np.concatenate([each.ravel() for each in made]))
    np.testing.assert_allclose(*both, **CLOSE)


@settings(deadline=None)
@given(rows=st.integers(1, 40), n=st.integers(1, 40), seed=st.integers(0, 99))
def test_crossentropy_is_that_of_its_twin(rows, n, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=rng.choice([1, 30]), size=(rows, n)).astype(np.float32)
    targets, found = rng.integers(-1, n, size=rows).astype(np.int32), []
    first, last = sorted(rng.integers(0, rows + 1, size=2))
    for module in (_kernels, _plain_kernels):
        made, losses = z.copy(), np.full(rows, 7, np.float32)
        module.crossentropy(made, targets, losses, first, last, n, 0.5)
        assert (made[:first] == z[:first]).all()
        assert (losses[last:] == 7).all()
        found.append(np.column_stack([made, losses]))
    np.testing.assert_allclose(*found, rtol=1e-4, atol=2e-6)


def test_updates_are_those_of_their_twins():
    rng = np.random.default_rng(0)
    ends, start = np.array([3, 8]), rng.normal(size=(4, 8)).astype(np.float32) ** 2
    ids, rows = np.array([1, 1, 0], np.int32), start[0, :6].reshape(3, 2)
    found = []
    for module in (_kernels, _plain_kernels):
        w, g, m, v = (row.copy() for row in start)
        table = np.zeros((2, 2), np.float32)
        assert module.clip(g, ends, 0.5)
        module.adam(w, g, m, v, 0.1, 0.9, 0.999, 1e-7)
        module.scatter(ids, rows, 3, 2, 0, 2, table)
        assert not module.clip(np.full(8, np.nan, np.float32), ends, 0.5)
        found.append(np.concatenate([w, g, m, v, table.ravel()]))
    np.testing.assert_allclose(*found, **CLOSE)
