"""Convolutions in C compute what their twins in NumPy do, on any processor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._engine.cpu.kernels import _kernels, reference_convolution
from skrnn._engine.cpu.kernels.convolution import convolve_rule, rectify_rule
from skrnn._engine.cpu.kernels.layer import Workspace

CLOSE = dict(rtol=2e-4, atol=2e-5)
MODULES = _kernels, reference_convolution
SETS = ["plain", "avx2", "avx512"]


@pytest.fixture(params=SETS)
def instructions(request):
    before = _kernels.instructions()
    try:
        _kernels.use(request.param)
    except ValueError:
        pytest.skip("this processor lacks them")
    yield request.param
    _kernels.use(before)


def draw(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def of_both(kernel, *arguments, outputs):
    """Return what both kernels put in arrays that hold something before."""
    found = []
    for module in MODULES:
        made = [np.full(shape, 7, np.float32) for shape in outputs]
        getattr(module, kernel)(*arguments, *made)
        found.append(made)
    return list(zip(*found, strict=True))


sizes = st.tuples(
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 9),
    st.integers(1, 60),
    st.integers(1, 5),
)


@settings(max_examples=30)
@given(sizes=sizes, data=st.data())
def test_convolutions_are_those_of_their_twin(sizes, data):
    steps, n, width, size, filters, dilation = sizes
    reach = (size - 1) * dilation
    before = data.draw(st.integers(0, reach))
    lengths = data.draw(st.lists(st.integers(0, steps), min_size=n, max_size=n))
    rng, lengths = np.random.default_rng(0), np.array(lengths, np.int32)
    x, kernel = draw(rng, steps, n, width), draw(rng, size, width, filters)
    bias, g = draw(rng, filters), draw(rng, steps, n, filters)
    known = *sizes, before, lengths
    first = data.draw(st.integers(0, n))
    last = data.draw(st.integers(first, n))
    for own in (bias, None):
        given_ = *known, first, last, x, kernel, own
        for pair in of_both("convolve", *given_, outputs=[g.shape]):
            np.testing.assert_allclose(*pair, **CLOSE)
    first = data.draw(st.integers(0, filters))
    last = data.draw(st.integers(first, filters))
    shapes = [kernel.shape, bias.shape]
    for pair in of_both("convolve_back", *known, first, last, x, g, outputs=shapes):
        np.testing.assert_allclose(*pair, **CLOSE)


@settings(max_examples=30)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 40)),
    pool=st.integers(1, 12),
    is_padded=st.booleans(),
    data=st.data(),
)
def test_what_is_rectified_is_that_of_the_twin(shape, pool, is_padded, data):
    rng, (steps, n, width) = np.random.default_rng(data.draw(st.integers(0, 99))), shape
    real = rng.random((steps, n)) < 0.7 if is_padded else None
    n_real = steps * n if real is None else int(real.sum())
    first = data.draw(st.integers(0, width))
    last = data.draw(st.integers(first, width))
    x, (mean, factor, beta) = draw(rng, *shape), draw(rng, 3, width)
    inverse, g = draw(rng, width) ** 2, draw(rng, -(-steps // pool), n, width)
    given_ = *shape, first, last, real, n_real, x
    for pair in of_both("statistics", *given_, outputs=[width, width]):
        np.testing.assert_allclose(*pair, **CLOSE)
    given_ = *shape, pool, first, last, real, x, mean, factor, beta
    for pair in of_both("rectify", *given_, outputs=[g.shape]):
        np.testing.assert_allclose(*pair, **CLOSE)
    shapes = [x.shape, width, width]
    given_ = *given_, inverse, n_real, g
    for pair in of_both("rectify_back", *given_, outputs=shapes):
        np.testing.assert_allclose(*pair, **CLOSE)


def test_every_set_of_instructions_computes_the_same(instructions):
    rng, space = np.random.default_rng(0), Workspace()
    x, kernel, bias = draw(rng, 300, 3, 5), draw(rng, 8, 5, 50), draw(rng, 50)
    lengths, found = np.array([300, 171, 2]), []
    options = {"lengths": lengths, "dilation": 1, "causal": False, "space": space}
    y, pulls = convolve_rule(x, kernel, bias, **options)
    real = np.arange(300)[:, None] < lengths
    known = {"real": real, "epsilon": 1e-3, "pool": 3, "space": space}
    z, pull = rectify_rule(y, bias**2, bias, found=found, **known)
    own = y[real].astype(float)
    np.testing.assert_allclose(found, [own.mean(axis=0), own.var(axis=0)], rtol=1e-4)
    g = rng.normal(size=z.shape)
    d_y = pull(g)[0]
    parts = [each(d_y) for each in pulls]
    # The transposed of a linear function has the same product.
    linear = np.sum(d_y * (y - bias) * real[..., None])
    np.testing.assert_allclose(np.sum(parts[0] * x), linear, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(np.sum(parts[1] * kernel), linear, rtol=1e-3, atol=1e-2)
    # A sum of normalised numbers doesn't change with the bias.
    np.testing.assert_allclose(parts[2], 0, atol=1e-2)


def test_many_sequences_are_divided_among_threads_with_equal_numbers(monkeypatch):
    rng = np.random.default_rng(0)
    x, kernel, bias = draw(rng, 90, 40, 16), draw(rng, 8, 16, 64), draw(rng, 64)
    lengths, results = np.full(40, 90), []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        space, found = Workspace(), []
        options = {"lengths": lengths, "dilation": 1, "causal": True, "space": space}
        y, pulls = convolve_rule(x, kernel, bias, **options)
        known = {"real": None, "epsilon": 1e-3, "pool": 2, "space": space}
        z, pull = rectify_rule(y, bias, bias, found=found, **known)
        d_y, *rest = pull(np.ones_like(z))
        parts = [each(d_y) for each in pulls]
        results.append([z.copy(), *found, *rest, *(part.copy() for part in parts)])
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)
