"""The kernel of a Transformer's block computes what its formula says."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu.autodiff import Node, differentiate
from skrnn._engine.cpu.kernels import threads
from skrnn._engine.cpu.kernels.layer import KERNEL_ACTIVATIONS, Workspace
from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.run import CpuRun, DropoutMasks, PredictingRun
from skrnn._engine.cpu.tracing import TracingRun
from skrnn._networks.layers.self_attention import TransformerBlock, transform

CLOSE = {"rtol": 2e-3, "atol": 2e-3}
# More steps and queries than are computed at a time; heads that fill no vector.
LONG = dict(n_steps=101, n=2, n_heads=2, half=9, hidden=5)


class Formula(TracingRun):
    """Training by the formula in double precision, with the masks of dropout."""

    masks = None

    def dropout(self, x, rate):
        return x if self.masks is None else x * self.masks.mask(x.shape, rate)


class Problem:
    """A block with weights, sequences, and the gradient of what it puts out."""

    def __init__(self, block, n_steps, n, seed=0, *, ragged=True):
        rng = np.random.default_rng(seed)
        self.block = block
        self.w = {
            row.name: rng.normal(scale=0.4, size=row.shape).astype(np.float32)
            for row in block.weights(block.units)[0]
        }
        lengths = np.full(n, n_steps)
        if ragged:
            lengths[1:] = np.sort(rng.integers(1, n_steps + 1, n - 1))[::-1]
        self.lengths = lengths
        self.x, self.g = rng.normal(size=(2, n_steps, n, block.units)).astype("f")
        self.real = (np.arange(n_steps)[:, None] < lengths)[..., None]
        self.g *= self.real

    def masks(self):
        rate = self.block.dropout
        return DropoutMasks({"seed": 3, "dropout": rate}, 0) if rate else None

    def differentiated(self, make, dtype):
        """Return outputs at real steps, and the gradients of x and of the weights."""
        tape = []
        w = {name: Node(each.astype(dtype), tape) for name, each in self.w.items()}
        x = Node(self.x.astype(dtype), tape)
        out, _ = make(tape).fused(transform, self.block, w, x, self.lengths)
        differentiate(out, self.g.astype(dtype))
        gradients = [node.gradient for node in w.values()]
        return [out.value * self.real, x.gradient * self.real, *gradients]

    def by_kernel(self):
        def make(_tape):
            return CpuRun(self.lengths, Workspace(), self.masks())

        return self.differentiated(make, np.float32)

    def by_formula(self):
        def make(tape):
            run = Formula(tape)
            run.masks = self.masks()
            return run

        return self.differentiated(make, np.float64)

    def predicted(self):
        run = PredictingRun(self.lengths, Workspace())
        return run.fused(transform, self.block, self.w, self.x, self.lengths)[0]


def make_block(n_heads, half, hidden, **kind):
    return TransformerBlock("block", n_heads * half * 2, n_heads, hidden, **kind)


def check(problem):
    pairs = zip(problem.by_kernel(), problem.by_formula(), strict=True)
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected, **CLOSE)


@given(
    n_steps=st.integers(1, 20),
    n=st.integers(1, 3),
    n_heads=st.integers(1, 3),
    half=st.integers(1, 10),
    hidden=st.integers(1, 40),
    activation=st.sampled_from(KERNEL_ACTIVATIONS),
    causal=st.booleans(),
    rotary=st.booleans(),
    dropout=st.sampled_from([0.0, 0.3]),
    ragged=st.booleans(),
)
@example(**LONG, activation="tanh", causal=True, rotary=True, dropout=0.0, ragged=True)
@example(**LONG, activation="elu", causal=False, rotary=False, dropout=0, ragged=False)
@settings(max_examples=40)
def test_values_and_gradients_are_those_of_the_formula(
    n_steps, n, n_heads, half, hidden, ragged, **kind
):
    block = make_block(n_heads, half, hidden, **kind)
    check(Problem(block, n_steps, n, ragged=ragged))


@pytest.mark.parametrize("instructions", ["plain", "avx2", "avx512"])
def test_every_set_of_instructions_computes_the_same(instructions):
    before = kernels.instructions()
    try:
        kernels.use(instructions)
    except ValueError:
        pytest.skip(f"this processor lacks {instructions}")
    try:
        check(Problem(make_block(2, 3, 7, activation="silu", causal=True), 40, 3))
    finally:
        kernels.use(before)


def test_heads_wider_than_a_panel_may_be_causal():
    check(Problem(make_block(1, 26, 3, activation="linear", causal=True), 70, 1))


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_prediction_is_what_training_computes_and_has_zeros_in_the_padding(activation):
    problem = Problem(make_block(2, 2, 5, activation=activation), 9, 4)
    found = problem.predicted()
    np.testing.assert_array_equal(found * problem.real, problem.by_kernel()[0])
    assert not (found * ~problem.real).any()


def test_padding_and_other_sequences_change_nothing():
    problem = Problem(make_block(2, 2, 5, rotary=True), 9, 4)
    expected = problem.by_kernel()
    problem.x = np.where(problem.real, problem.x, np.float32(1e30))
    for found, before in zip(problem.by_kernel(), expected, strict=True):
        np.testing.assert_array_equal(found, before)
    alone = Problem(problem.block, 9, 1)
    alone.w, alone.x = problem.w, problem.x[:, :1]
    np.testing.assert_array_equal(alone.predicted(), expected[0][:, :1])


def test_the_number_of_threads_changes_nothing(monkeypatch):
    problem = Problem(make_block(2, 4, 9), 12, 20)
    expected = problem.by_kernel()
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "n_threads", lambda: 3)
    for found, before in zip(problem.by_kernel(), expected, strict=True):
        np.testing.assert_array_equal(found, before)


def test_what_is_no_number_reaches_the_gradients():
    problem = Problem(make_block(2, 2, 5, activation="tanh"), 6, 2)
    problem.x[2, 0, 1] = np.nan
    found = problem.by_kernel()
    assert np.isnan(found[0][:, 0]).all()
    # But for the last bias, whose gradient is the sum of what is given.
    assert all(np.isnan(each).any() for each in found[:-1])
    assert np.isfinite(found[0][:, 1]).all()


def test_large_scores_overflow_nothing():
    problem = Problem(make_block(1, 2, 3, activation="tanh"), 7, 2)
    for name in ("query", "key"):
        problem.w[f"block/{name}/kernel"] *= 1e4
    assert all(np.isfinite(each).all() for each in problem.by_kernel())


ARGUMENTS = {
    "another length": {"lengths": [4, 9]},
    "a negative length": {"lengths": [4, -1]},
    "too few numbers": {"x": np.zeros((4, 2, 3), np.float32)},
    "heads that divide nothing": {"n_heads": 3},
    "too many sequences": {"last": 3},
    "no such activation": {"activation": 9},
    "little room": {"kept": np.zeros(5, np.float32)},
    "no room": {"g": np.zeros((4, 2, 4), np.float32)},
}


@pytest.mark.parametrize("changed", ARGUMENTS.values(), ids=ARGUMENTS)
def test_arguments_that_fit_nothing_are_refused(changed):
    given = dict(n_heads=2, activation=2, last=2, lengths=[4, 4], kept=None, g=None)
    given |= {"x": np.zeros((4, 2, 4), np.float32)} | changed
    square, wide, row = (np.zeros(shape, np.float32) for shape in ((4, 4), (4, 12), 4))
    matrices = wide, np.zeros(12, np.float32), square, row, square, row, square, row
    with pytest.raises(ValueError, match=r"size|length|heads|bytes|needs"):
        kernels.transformer(
            4, 2, given["n_heads"], 4, 4, given["activation"], 0, 0, given["last"],
            1e-3, np.array(given["lengths"], np.int32), given["x"], square, *matrices,
            None, None, None, np.zeros((4, 2, 4), np.float32), given["kept"],
            given["g"], None, None, None,
        )  # fmt: skip
