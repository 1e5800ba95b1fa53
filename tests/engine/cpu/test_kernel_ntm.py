"""A layer with a memory in C: it is its formula, forward and on the way back."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.autodiff import Node, differentiate
from skrnn._engine.cpu.kernels import threads
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels
from skrnn._engine.cpu.kernels.memory import is_in_c
from skrnn._engine.cpu.ops import ops
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


def ran(x, lengths, w, memory, *, by_formula=False, states=None):
    """Return the outputs and the gradients of a sum of them by all that is read.

    With states to begin from, the sum is of the last states too, and all come out.
    """
    tape, rng, final = [], np.random.default_rng(1), states is not None
    states = {f"state {i}": state for i, state in enumerate(states or ())}
    read = {"x": x} | w | states
    read = {name: Node(value, tape) for name, value in read.items()}
    run = CpuRun(lengths, Workspace(), DropoutMasks({}, 0))
    cell = CellRun("ntm", "tanh", w["output_kernel"].shape[1], read, memory=memory)
    given = cell, read["x"], lengths, tuple(read[name] for name in states) or None
    if by_formula:
        y, after = reference.recur_by_formula(run, *given, held=final)
    else:
        y, after = run.recur(*given, final=final)
    real = reference.real_steps(x, lengths)[:, :, None]
    y = y * np.float32(real)
    out = [y, *after] if final else [y]
    differentiate(sum(_weighted(each, rng) for each in out), np.float32(1))
    values = [each.value for each in out]
    gradients = {name: node.gradient for name, node in read.items()}
    return values if final else values[0], gradients


def _weighted(node, rng):
    """Return a sum of all entries, each with a weight of its own."""
    total = node * np.float32(rng.normal(size=node.shape))
    for _ in node.shape:
        total = ops.sum(total, axis=0)
    return total


def are_close(gradients, slopes):
    """Check gradients beside those of the formula, at the scale of these."""
    for name, slope in slopes.items():
        scale = max(1, np.abs(slope).max())
        np.testing.assert_allclose(
            gradients[name] / scale, slope / scale, atol=2e-5, err_msg=name
        )


few = st.integers(1, 9)


@settings(max_examples=15)
@given(st.lists(few, min_size=1, max_size=20), few, few, st.integers(1, 40), few)
def test_it_is_the_formula_at_all_shapes(lengths, width, units, slots, of_slot):
    memory = slots, of_slot
    x, lengths, w = problem(lengths, width, units, memory)
    y, gradients = ran(x, lengths, w, memory)
    expected, slopes = ran(x, lengths, w, memory, by_formula=True)
    np.testing.assert_allclose(y, expected, **CLOSE)
    are_close(gradients, slopes)
    # What keeps no step for the way back puts out the same.
    cell = CellRun("ntm", "tanh", units, w, memory=memory)
    alone, _ = PredictingRun(lengths, Workspace()).recur(cell, x, lengths)
    np.testing.assert_array_equal(alone, y)


def drawn_states(n, units, memory):
    """Return states such as a layer may end in; h alone could be of either sign."""
    rng = np.random.default_rng(2)
    shapes = cell_of("ntm", memory=memory).state_shapes(units)
    states = [np.float32(rng.normal(scale=0.5, size=(n, *shape))) for shape in shapes]
    # Shares differ from the first ones, but still sum to 1.
    for away in states[3:5]:
        away -= away.mean(axis=1, keepdims=True)
        away *= 0.1
    return states


@settings(max_examples=10)
@given(st.lists(few, min_size=1, max_size=20), few, st.integers(1, 40), few)
def test_it_goes_on_from_states_and_ends_in_them(lengths, units, slots, of_slot):
    memory = slots, of_slot
    x, lengths, w = problem(lengths, 3, units, memory)
    states = drawn_states(len(lengths), units, memory)
    with pytest.MonkeyPatch.context() as patch:
        # Only the kernels are left.
        patch.delattr(reference, "recur_by_formula")
        found, gradients = ran(x, lengths, w, memory, states=states)
        cell = CellRun("ntm", "tanh", units, w, memory=memory)
        run = PredictingRun(lengths, Workspace())
        alone, after = run.recur(cell, x, lengths, tuple(states), final=True)
    expected, slopes = ran(x, lengths, w, memory, states=states, by_formula=True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
    are_close(gradients, slopes)
    real = reference.real_steps(x, lengths)[:, :, None]
    for one, other in zip(found, [alone * real, *after], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_gradients_of_the_last_states_alone_are_those_of_the_formula():
    """As of an encoder whose outputs nobody reads; weights need no gradients."""
    x, lengths, w = problem([4, 2], 3, 5, (6, 4))
    found = []
    for by_formula in (False, True):
        tape: list = []
        read = Node(x, tape)
        run = CpuRun(lengths, Workspace(), DropoutMasks({}, 0))
        given = CellRun("ntm", "tanh", 5, w, memory=(6, 4)), read, lengths
        recur = partial(reference.recur_by_formula, run) if by_formula else run.recur
        _, after = recur(*given) if by_formula else recur(*given, final=True)
        rng = np.random.default_rng(3)
        differentiate(sum(_weighted(each, rng) for each in after), np.float32(1))
        found.append(read.gradient)
    np.testing.assert_allclose(*found, **CLOSE)
    assert np.abs(found[0][:2]).max() > 0.01


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


def test_what_the_kernel_does_not_know_goes_by_the_formula():
    """Resets, dropout of recurrent states, other activations."""
    cell = CellRun("ntm", "tanh", 2, {}, memory=(3, 2))
    assert is_in_c(cell, None, None)
    something = np.ones(2)
    assert not is_in_c(cell, something, None)
    assert not is_in_c(cell, None, something)
    assert not is_in_c(CellRun("ntm", "relu", 2, {}, memory=(3, 2)))
    assert not is_in_c(CellRun("ntm", "tanh", 2, {}, timescale=2, memory=(3, 2)))
    assert not is_in_c(CellRun("lstm", "tanh", 2, {}))


def test_states_in_which_it_ends_are_those_from_which_it_goes_on():
    x, lengths, w = problem([5, 5], 3, 4, (6, 3))
    cell = CellRun("ntm", "tanh", 4, w, memory=(6, 3))
    whole, _ = PredictingRun(lengths, Workspace()).recur(cell, x, lengths)
    half, rest = np.array([2, 2]), lengths - 2
    run = PredictingRun(half, Workspace())
    _, states = run.recur(cell, x[:2], half, final=True)
    rest, _ = PredictingRun(rest, Workspace()).recur(cell, x[2:], rest, states)
    np.testing.assert_allclose(rest, whole[2:], **CLOSE)


@pytest.mark.parametrize(
    "wrong",
    [(2, 3, 4, 5, 0, 1, 0, 3), (2, 3, 4, 0, 2, 1, 0, 3), (2, 3, 4, 5, 2, 1, 0, 4)],
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    small = np.zeros(4, np.float32)
    with pytest.raises(ValueError, match=r"a size of|bytes where"):
        kernels.memory(*wrong, np.array([3, 3], np.int32), *[small] * 13, *[None] * 5)


def test_a_backward_pass_without_its_gradients_is_refused():
    given = np.zeros(1, np.int32), *[np.zeros(99, np.float32)] * 14
    with pytest.raises(ValueError, match="dy needs kept, d_states"):
        kernels.memory(1, 1, 1, 2, 1, 1, 0, 1, *given, *[None] * 4)
