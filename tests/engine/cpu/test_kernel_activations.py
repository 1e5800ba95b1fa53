"""Each activation in C is its formula: values, slopes, and what isn't a number."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_initial_states import UNITS, Case, by_kernels
from test_kernels import instructions  # noqa: F401

from skrnn._engine.cpu.kernels import _kernels, layer
from skrnn._engine.cpu.reference import ReferenceRun, ops
from skrnn._networks.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS
from skrnn._networks.cells import CELLS

F = np.float32
every_activation = pytest.mark.parametrize("activation", layer.KERNEL_ACTIVATIONS)
every_cell = pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
GRID = np.concatenate(
    [
        np.linspace(-100, 100, 20_001),
        np.linspace(-2, 2, 4001),
        *np.geomspace([-1e-30, 1e-30], [-1, 1], 300).T,
    ]
).astype(F)
# Errors, relative and absolute: tanh and sigmoid are approximations for the gates, and
# near zero the formula of elu has errors of its own, those of double precision.
BOUNDS = {
    "tanh": (4e-7, 0),
    "sigmoid": (4e-7, 2e-7),
    "relu": (0, 0),
    "linear": (0, 0),
    "elu": (2e-7, 2e-16),
    "selu": (3e-7, 2e-16),
    "softplus": (3e-7, 3e-38),
    "softsign": (2e-7, 0),
    "silu": (4e-7, 1e-35),
}


def value(activation, x):
    """Return the formula of `x` in double precision."""
    return ACTIVATIONS[activation](ops, x.astype(np.float64))


def run_layer(activation, x, slopes=False):
    """Return the activation of each x: the state of a unit without anything else."""
    n, place = len(x), layer.KERNEL_ACTIVATIONS.index(activation)
    z, h = np.zeros((1, n, 1), F), np.zeros((2, n, 1), F)
    z[0, :, 0] = x
    size = 0, place, 1, n, 1, 0, n, np.array([n], np.int32)
    arrays = z, h, None, None, np.zeros((1, 1), F), *[None] * 6
    _kernels.layer(*size, *arrays, None, None, None)
    if slopes:
        backward = np.ones((1, n, 1), F), np.zeros((n, 1), F), None
        _kernels.layer(*size, *arrays, *backward)
        return z[0, :, 0]
    return h[1, :, 0]


def test_every_activation_of_a_layer_is_there():
    assert set(layer.KERNEL_ACTIVATIONS) == set(HIDDEN_ACTIVATIONS)


@every_activation
def test_values_are_those_of_the_formula(activation, instructions):  # noqa: F811
    expected, (relative, absolute) = value(activation, GRID), BOUNDS[activation]
    found = run_layer(activation, GRID)
    np.testing.assert_allclose(found, expected, rtol=relative, atol=absolute)


@every_activation
def test_slopes_are_differences_of_the_formula(activation, instructions):  # noqa: F811
    # At 0 some have a kink.
    x = GRID[abs(GRID) > 1e-4]
    step = 1e-5 * np.ones_like(x, dtype=np.float64)
    up, down = (value(activation, x.astype(np.float64) + s) for s in (step, -step))
    found = run_layer(activation, x, slopes=True)
    np.testing.assert_allclose(found, (up - down) / (2 * step), rtol=1e-6, atol=1e-6)


@every_activation
def test_what_is_no_number_stays_none(activation, instructions):  # noqa: F811
    # A NaN may have any last bits.
    bits = np.array([0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFC00003, 0x7FFFFFFF])
    nan = bits.astype(np.uint32).view(F)
    assert np.isnan(run_layer(activation, nan)).all()
    slopes = run_layer(activation, nan, slopes=True)
    assert np.isnan(slopes).all() or activation in ("relu", "linear")


@every_activation
def test_the_largest_numbers_are_no_surprise(activation, instructions):  # noqa: F811
    large = np.array([3e38, -3e38, 1e30, -1e30, 0.0, -0.0, 89.0, -89.0, -1e-45], F)
    found = run_layer(activation, large)
    np.testing.assert_allclose(found, value(activation, large), rtol=1e-6, atol=1e-36)
    assert np.isfinite(run_layer(activation, large, slopes=True)).all()
    # What the formula tends to, or no number where it is infinity over infinity.
    found = run_layer(activation, np.array([np.inf, -np.inf], F))
    with np.errstate(over="ignore"):
        limit = value(activation, np.array([1e300, -1e300])).astype(F)
    assert (np.isnan(found) | (found == limit)).all()


# Layers


@every_cell
@every_activation
def test_gradients_of_a_layer_are_differences_of_the_formula(cell, activation):
    case = Case(cell, masked=False, activation=activation)
    outputs, *rest = case.run(by_kernels)
    n_states = CELLS[cell].n_states
    final, gradients = rest[:n_states], rest[n_states:]
    rng = np.random.default_rng(2)
    # In the order of the gradients.
    sources = [case.x, *case.states, *case.weights.values()]
    toward = [rng.normal(size=each.shape) for each in sources]

    def loss(step):
        moved = [
            each.astype(np.float64) + step * d
            for each, d in zip(sources, toward, strict=True)
        ]
        x, states, values = moved[0], moved[1 : 1 + n_states], moved[1 + n_states :]
        weights = dict(zip(case.weights, values, strict=True))
        found, last = ReferenceRun().recur(*case.given(x, states, weights), final=True)
        pairs = [(found, case.d_outputs), *zip(last, case.d_final, strict=True)]
        return sum((a * b).sum() for a, b in pairs), found, last

    _, expected, last = loss(0)
    np.testing.assert_allclose(outputs, expected * case.real, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(final, last, rtol=1e-4, atol=1e-5)
    slope = (loss(1e-6)[0] - loss(-1e-6)[0]) / 2e-6
    found = sum((g * d).sum() for g, d in zip(gradients, toward, strict=True))
    size = sum(abs(g * d).sum() for g, d in zip(gradients, toward, strict=True))
    np.testing.assert_allclose(found, slope, rtol=0, atol=2e-6 * size)


class Run:
    """A ragged run of a layer whose sequences can be divided among calls."""

    def __init__(self, cell, activation, seed=0):
        rng, columns = np.random.default_rng(seed), CELLS[cell].n_gates * UNITS
        steps, n = 5, 9
        active = np.array([9, 9, 6, 4, 1], np.int32)

        def draw(*shape):
            return rng.normal(scale=0.7, size=shape).astype(F)

        self.places = [
            layer.KERNEL_CELLS.index(cell),
            layer.KERNEL_ACTIVATIONS.index(activation),
        ]
        self.size, self.active = (steps, n, UNITS), active
        self.z, self.h = draw(steps, n, columns), np.zeros((steps + 1, n, UNITS), F)
        self.c, self.extra = np.zeros_like(self.h), np.zeros((steps, n, UNITS), F)
        self.fixed = draw(UNITS, columns), None, abs(draw(n, UNITS)), None, None
        self.fresh = rng.random((steps, n)) < 0.2
        self.y, self.dy = np.zeros((steps, n, UNITS), F), draw(steps, n, UNITS)
        self.dh, self.dc = draw(n, UNITS), draw(n, UNITS)

    def call(self, backward, parts):
        arrays = self.z, self.h, self.c, self.extra, *self.fixed, self.fresh, self.y
        gradients = (self.dy, self.dh, self.dc) if backward else [None] * 3
        for first, last in pairwise(parts):
            where = *self.places, *self.size, first, last, self.active
            _kernels.layer(*where, *arrays, *gradients)

    def written(self):
        return self.z, self.h, self.c, self.extra, self.y, self.dh, self.dc


@every_cell
@every_activation
def test_parts_of_the_sequences_give_the_same_bits(cell, activation, instructions):  # noqa: F811
    """However many threads there are: each takes a part."""
    runs = [Run(cell, activation) for _ in range(3)]
    for run, parts in zip(runs, ([0, 9], [0, 4, 9], [0, 1, 3, 8, 9]), strict=True):
        run.call(False, parts)
        run.call(True, parts)
    for run in runs[1:]:
        for one, other in zip(runs[0].written(), run.written(), strict=True):
            np.testing.assert_array_equal(one, other)


@every_cell
@every_activation
@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf, 3e38])
def test_a_sequence_that_is_no_number_spoils_no_other(cell, activation, spoilt):
    good, bad = Run(cell, activation), Run(cell, activation)
    bad.z[1, 2] = spoilt
    bad.dh[2] = spoilt
    for run in (good, bad):
        run.call(False, [0, 9])
        run.call(True, [0, 9])
    others = np.arange(9) != 2
    for one, other in zip(good.written(), bad.written(), strict=True):
        axis = one.ndim - 2
        np.testing.assert_array_equal(
            one.compress(others, axis), other.compress(others, axis)
        )
    if np.isnan(spoilt):
        # Until a fresh start.
        assert np.isnan(bad.y[1, 2]).all()


@settings(max_examples=40)
@given(
    x=st.lists(st.floats(width=32), min_size=1, max_size=40),
    activation=st.sampled_from(layer.KERNEL_ACTIVATIONS),
)
def test_an_element_does_not_depend_on_those_beside_it(x, activation):
    x = np.array(x, F)
    alone = [run_layer(activation, x[i : i + 1])[0] for i in range(len(x))]
    np.testing.assert_array_equal(run_layer(activation, x), alone)
