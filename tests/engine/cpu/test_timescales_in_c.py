"""Layers on slower timescales: the kernels' chains are the cell that holds n states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu import autodiff
from skrnn._engine.cpu.kernels import layer
from skrnn._engine.cpu.ops import ops
from skrnn._engine.cpu.reference import recur_by_formula
from skrnn._engine.cpu.run import CpuRun
from skrnn._networks.cells import CELLS, CellRun, cell_of
from skrnn._networks.layers import Lookup

CLOSE = dict(rtol=1e-4, atol=1e-5)
N_FEATURES, UNITS = 3, 5


def run(way, cell, timescale, lengths, seed, *, ids, masked, resets, activation="tanh"):
    """Return the outputs, the last states, and all gradients."""
    rng, tape, n = np.random.default_rng(seed), [], len(lengths)

    def node(*shape):
        value = rng.normal(scale=0.5, size=shape).astype(np.float32)
        return autodiff.Node(value, tape)

    lengths = np.array(sorted(lengths, reverse=True))
    dilated = cell_of(cell, timescale)
    weights = {row.name: node(*row.shape) for row in CELLS[cell].weights(3, UNITS)}
    states = tuple(node(n, *shape) for shape in dilated.state_shapes(UNITS))
    where = lengths[0], n
    x, sources = node(*where, N_FEATURES), [*weights.values(), *states]
    if ids:
        x = Lookup(node(4, N_FEATURES), rng.integers(4, size=where).astype(np.int32))
    sources.append(x.table if ids else x)
    made = CpuRun(lengths, layer.Workspace())
    mask = (rng.random((n, UNITS)) < 0.6) * np.float32(2) if masked else None
    made._recurrent_mask = lambda *_: mask
    reset_mask = rng.random(where) < 0.2 if resets else None
    cell_run = CellRun(cell, activation, UNITS, weights, timescale=timescale)
    given = cell_run, x, lengths, states, reset_mask
    outputs, final = way(made, given, mask)
    real = (np.arange(lengths[0])[:, None] < lengths)[..., None]
    total = 0
    for each, seen in ((outputs, real), *((state, 1) for state in final)):
        weighted = each * (rng.normal(size=each.shape).astype(np.float32) * seen)
        for _ in weighted.shape:
            weighted = ops.sum(weighted, axis=0)
        total = total + weighted
    autodiff.differentiate(total, np.float32(1))
    gradients = [source.gradient for source in sources]
    return [outputs.value * real, *(f.value for f in final), *gradients]


def by_chains(made, given, _mask):
    return made.recur(*given, final=True)


def by_formula(made, given, mask):
    return recur_by_formula(made, *given, mask=mask)


def assert_same(*args, **options):
    found, expected = (run(way, *args, **options) for way in (by_chains, by_formula))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@settings(max_examples=60)
@given(
    cell=st.sampled_from(layer.KERNEL_CELLS),
    timescale=st.integers(2, 6),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    ids=st.booleans(),
    masked=st.booleans(),
    resets=st.booleans(),
    activation=st.sampled_from(["tanh", "softplus"]),
    seed=st.integers(0, 99),
)
def test_chains_are_the_formula(cell, timescale, lengths, seed, **options):
    """Those of sequences that are shorter than a timescale too."""
    assert_same(cell, timescale, lengths, seed, **options)


@pytest.mark.parametrize("cell", layer.KERNEL_CELLS)
def test_chains_are_the_formula_with_all_at_once(cell):
    options = dict(ids=True, masked=True, resets=True)
    assert_same(cell, 3, [11, 8, 4, 2, 1], 0, **options)


@pytest.mark.parametrize("cell", CELLS)
def test_every_chain_is_a_sequence_of_its_own(cell):
    """Each third step read by itself: nothing passes between the chains."""
    rng = np.random.default_rng(0)
    rows = CELLS[cell].weights(N_FEATURES, UNITS)
    weights = {row.name: rng.normal(size=row.shape).astype("f4") for row in rows}
    x = rng.normal(size=(11, 2, N_FEATURES)).astype("f4")

    def outputs(x, timescale):
        lengths = np.full(2, len(x))
        cell_run = CellRun(cell, "tanh", UNITS, weights, timescale=timescale)
        return CpuRun(lengths, layer.Workspace()).recur(cell_run, x, lengths)[0]

    whole = outputs(x, 3).copy()
    for first in range(3):
        np.testing.assert_allclose(
            whole[first::3], outputs(x[first::3].copy(), 1), **CLOSE
        )
