"""A layer with a memory in C: it is its formula, forward and on the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu import reference
from skrnn._engine.cpu import run as running
from skrnn._engine.cpu.autodiff import Node, differentiate
from skrnn._engine.cpu.kernels import threads
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels
from skrnn._engine.cpu.kernels.memory import is_in_c
from skrnn._engine.cpu.run import CpuRun, DropoutMasks, PredictingRun
from skrnn._networks.cells import CellRun, cell_of
from skrnn._networks.layers import Lookup

pytestmark = pytest.mark.skipif(not ARE_COMPILED, reason="the kernels aren't there")
CLOSE = dict(rtol=2e-4, atol=2e-5)


def problem(lengths, width, units, memory):
    """Return inputs (T, B, F), lengths, and weights away from their first values."""
    rng, lengths = np.random.default_rng(0), np.sort(lengths)[::-1]
    rows = cell_of("ntm", memory=memory).weights(width, units)
    noise = {row.name: 0.3 * rng.normal(size=row.shape) for row in rows}
    w = {row.name: np.float32(row.draw(rng) + noise[row.name]) for row in rows}
    x = rng.normal(size=(lengths[0], len(lengths), width)).astype(np.float32)
    return x, np.array(lengths), w


def ran(x, lengths, w, memory, *, by_formula=False):
    """Return the outputs and the gradients of a sum of them by all that is read."""
    tape, rng = [], np.random.default_rng(1)
    nodes = {name: Node(weight, tape) for name, weight in w.items()}
    read, units = Node(x, tape), w["output_kernel"].shape[1]
    run = CpuRun(lengths, Workspace(), DropoutMasks({}, 0))
    given = CellRun("ntm", "tanh", units, nodes, memory=memory), read, lengths
    recur = reference.recur_by_formula if by_formula else None
    y = recur(run, *given, held=False)[0] if recur else run.recur(*given)[0]
    real = reference.real_steps(x, lengths)[:, :, None]
    differentiate(y, np.float32(rng.normal(size=y.shape)) * real)
    found = {name: node.gradient for name, node in nodes.items()}
    return y.value * real, found | {"x": read.gradient}


few = st.integers(1, 9)


@settings(max_examples=15)
@given(st.lists(few, min_size=1, max_size=20), few, few, st.integers(1, 40), few)
def test_it_is_the_formula_at_all_shapes(lengths, width, units, slots, of_slot):
    memory = slots, of_slot
    x, lengths, w = problem(lengths, width, units, memory)
    y, gradients = ran(x, lengths, w, memory)
    expected, slopes = ran(x, lengths, w, memory, by_formula=True)
    np.testing.assert_allclose(y, expected, **CLOSE)
    for name, slope in slopes.items():
        scale = max(1, np.abs(slope).max())
        np.testing.assert_allclose(
            gradients[name] / scale, slope / scale, atol=2e-5, err_msg=name
        )
    # What keeps no step for the way back puts out the same.
    cell = CellRun("ntm", "tanh", units, w, memory=memory)
    alone, _ = PredictingRun(lengths, Workspace()).recur(cell, x, lengths)
    np.testing.assert_array_equal(alone, y)


@pytest.mark.parametrize("instructions", ["plain", "avx2", "avx512"])
def test_every_set_of_instructions_computes_it(instructions):
    before = kernels.instructions()
    x, lengths, w = problem([7, 5, 5], 3, 6, (19, 5))
    expected, slopes = ran(x, lengths, w, (19, 5), by_formula=True)
    try:
        kernels.use(instructions)
    except ValueError:
        pytest.skip(f"this processor lacks {instructions}")
    try:
        y, gradients = ran(x, lengths, w, (19, 5))
    finally:
        kernels.use(before)
    np.testing.assert_allclose(y, expected, **CLOSE)
    for name, slope in slopes.items():
        np.testing.assert_allclose(gradients[name], slope, rtol=1e-3, atol=1e-4)


def test_results_do_not_depend_on_threads(monkeypatch):
    x, lengths, w = problem([6] * 21, 3, 5, (12, 4))
    expected, slopes = ran(x, lengths, w, (12, 4))
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "number_of_threads", lambda *_: 3, raising=False)
    y, gradients = ran(x, lengths, w, (12, 4))
    np.testing.assert_array_equal(y, expected)
    for name, slope in slopes.items():
        np.testing.assert_array_equal(gradients[name], slope, err_msg=name)


def test_token_ids_are_read_alike():
    _, lengths, w = problem([4, 3], 3, 5, (6, 4))
    ids, table = np.array([[1, 2], [0, 1], [2, 2], [1, 0]]), np.eye(3, dtype="f")
    cell = CellRun("ntm", "tanh", 5, w, memory=(6, 4))
    run = PredictingRun(lengths, Workspace())
    found, _ = run.recur(cell, Lookup(table, ids.astype(np.int32)), lengths)
    run = PredictingRun(lengths, Workspace())
    expected, _ = run.recur(cell, table[ids], lengths)
    np.testing.assert_allclose(found, expected, **CLOSE)


def test_what_the_kernel_does_not_know_goes_by_the_formula(monkeypatch):
    """States to begin from, states to end in, resets, dropout, other activations."""
    cell = CellRun("ntm", "tanh", 2, {}, memory=(3, 2))
    assert is_in_c(cell, None, None, False, None)
    something = np.ones(2)
    assert not is_in_c(cell, (something,), None, False, None)
    assert not is_in_c(cell, None, something, False, None)
    assert not is_in_c(cell, None, None, True, None)
    assert not is_in_c(cell, None, None, False, something)
    assert not is_in_c(CellRun("ntm", "relu", 2, {}, memory=(3, 2)))
    assert not is_in_c(CellRun("ntm", "tanh", 2, {}, timescale=2, memory=(3, 2)))
    assert not is_in_c(CellRun("lstm", "tanh", 2, {}))
    # States in which it ends are those from which it goes on.
    x, lengths, w = problem([5, 5], 3, 4, (6, 3))
    cell = CellRun("ntm", "tanh", 4, w, memory=(6, 3))
    run = running.PredictingRun(lengths, Workspace())
    whole, _ = run.recur(cell, x, lengths)
    half = np.array([2, 2])
    _, states = running.PredictingRun(half, Workspace()).recur(
        cell, x[:2], half, final=True
    )
    rest, _ = running.PredictingRun(lengths - 2, Workspace()).recur(
        cell, x[2:], lengths - 2, states
    )
    np.testing.assert_allclose(rest, whole[2:], **CLOSE)


@pytest.mark.parametrize(
    "wrong",
    [(2, 3, 4, 5, 0, 1, 0, 3), (2, 3, 4, 0, 2, 1, 0, 3), (2, 3, 4, 5, 2, 1, 0, 4)],
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    small = np.zeros(4, np.float32)
    with pytest.raises(ValueError, match=r"a size of|bytes where"):
        kernels.memory(*wrong, np.array([3, 3], np.int32), *[small] * 13, None, None)
