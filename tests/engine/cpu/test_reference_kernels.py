"""The kernels in C compute what their reference in NumPy does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skrnn._engine.cpu.kernels import _kernels, reference_kernels

CLOSE = dict(rtol=1e-4, atol=1e-5)


# Plain twins of the kernels


counts = st.lists(st.integers(0, 4), min_size=1, max_size=5)


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
        for module, c in zip((_kernels, reference_kernels), made, strict=True):
            module.project(steps, 4, active, a, k, right, transposed, n, bias, c)
        np.testing.assert_allclose(*made, **CLOSE)
        rows = [draw(4, n) for _ in range(2)]
        for module, c in zip((_kernels, reference_kernels), rows, strict=True):
            module.narrow(4, k, a[:4], b, n, bias if transposed else None, c)
        np.testing.assert_allclose(*rows, **CLOSE)
    if not active[0]:
        return
    right, other, mask = draw(steps * 4, n), draw(steps * 4, 3), draw(4, 3)
    both = []
    for module in (_kernels, reference_kernels):
        made = [np.zeros(shape, np.float32) for shape in (n + 2, (k, n + 2))]
        made.append(np.zeros((3, n + 2), np.float32))
        products = made[0], a, k, made[1], other, 3, mask, made[2]
        module.outer(steps, 4, active, right, n, 0, n, 1, n + 2, *products)
        both.append(np.concatenate([each.ravel() for each in made]))
    np.testing.assert_allclose(*both, **CLOSE)


@given(sizes=st.tuples(*[st.integers(0, 20)] * 4), seed=st.integers(0, 99))
def test_products_of_stacks_are_those_of_their_twin(sizes, seed):
    (stack, m, k, n), rng = sizes, np.random.default_rng(seed)
    a, b = (rng.normal(size=(stack, x, k)).astype("f4") for x in (m, n))
    made = [np.full((stack, m, n), 7, np.float32) for _ in range(2)]
    for module, c in zip((_kernels, reference_kernels), made, strict=True):
        module.stacked(stack, m, k, a, b, n, c)
    np.testing.assert_allclose(*made, **CLOSE)


@given(rows=st.integers(1, 40), n=st.integers(1, 40), seed=st.integers(0, 99))
def test_crossentropy_is_that_of_its_twin(rows, n, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=rng.choice([1, 30]), size=(rows, n)).astype(np.float32)
    targets, found = rng.integers(-1, n, size=rows).astype(np.int32), []
    first, last = sorted(rng.integers(0, rows + 1, size=2))
    for module in (_kernels, reference_kernels):
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
    for module in (_kernels, reference_kernels):
        w, g, m, v = (row.copy() for row in start)
        table = np.zeros((2, 2), np.float32)
        assert module.clip(g, ends, 0.5)
        module.adam(w, g, m, v, 0.1, 0.9, 0.999, 1e-7)
        module.scatter(ids, rows, 3, 2, 0, 2, table)
        assert not module.clip(np.full(8, np.nan, np.float32), ends, 0.5)
        found.append(np.concatenate([w, g, m, v, table.ravel()]))
    np.testing.assert_allclose(*found, **CLOSE)
