"""Chains of labels: every way to compute them agrees with all sequences counted out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import reference
from skrnn._engine.cpu.kernels import crf, reference_chain
from skrnn._engine.cpu.kernels.matmul import ARE_COMPILED, kernels
from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._networks.crf import EXCLUDED, Chain, losses, marginals

CLOSE = dict(rtol=1e-9, atol=1e-9)
KERNELS = {"numpy": reference_chain} | ({"c": kernels} if ARE_COMPILED else {})
sizes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))


@pytest.fixture(params=KERNELS)
def _kernels(request, monkeypatch):
    monkeypatch.setattr(crf, "kernels", KERNELS[request.param])


def drawn(n_steps=4, n=3, k=3, seed=0, scale=1.0, unknown=0.3):
    """Draw emissions, labels, lengths, a chain and weights; some labels are unknown."""
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(n_steps, n, k))
    chain = Chain(*(scale * rng.normal(size=shape) for shape in ((k, k), k, k)))
    lengths = -np.sort(-rng.integers(1, n_steps + 1, size=n))
    lengths[0] = n_steps
    labels = rng.integers(0, k, size=(n_steps, n))
    labels[rng.uniform(size=labels.shape) < unknown] = -1
    return x, labels, lengths, chain, rng.uniform(0.5, 2, size=n)


def counted_out(x, chain, b, length):
    """Return all sequences of labels of sequence b, and their scores."""
    paths = list(itertools.product(range(x.shape[-1]), repeat=int(length)))
    scores = [
        chain.start[path[0]]
        + sum(x[t, b, label] for t, label in enumerate(path))
        + sum(chain.transitions[pair] for pair in itertools.pairwise(path))
        + chain.end[path[-1]]
        for path in paths
    ]
    return np.array(paths), np.array(scores)


def allowed(labels, k):
    return (labels[..., None] < 0) | (labels[..., None] == np.arange(k))


@pytest.mark.usefixtures("_kernels")
@pytest.mark.parametrize("scale", [1, 300])
def test_all_sequences_counted_out(scale):
    x, labels, lengths, chain, weights = drawn(scale=scale)
    found, _, _ = crf.likelihood(x, labels, lengths, chain, weights)
    shares = crf.marginals(x, lengths, chain)
    best = crf.best_paths(x, lengths, chain)
    for b, length in enumerate(lengths):
        paths, scores = counted_out(x, chain, b, length)
        own = labels[:length, b]
        fits = ((own < 0) | (paths == own)).all(axis=1)
        total = np.logaddexp.reduce(scores)
        expected = weights[b] * (total - np.logaddexp.reduce(scores[fits]))
        np.testing.assert_allclose(found[b], expected, **CLOSE)
        of_labels = np.exp(scores - total) @ (
            paths[:, :, None] == np.arange(3)
        ).transpose(1, 0, 2)
        np.testing.assert_allclose(shares[:length, b], of_labels, **CLOSE)
        assert (shares[length:, b] == 0).all()
        np.testing.assert_array_equal(best[:length, b], paths[scores.argmax()])


@settings(max_examples=25)
@given(sizes, st.integers(0, 99), st.sampled_from([0.1, 1.0, 200.0]))
def test_kernels_formula_and_textbook_agree_at_all_shapes(sizes, seed, scale):
    x, labels, lengths, chain, weights = drawn(*sizes, seed, scale)
    ways = []
    with pytest.MonkeyPatch.context() as patch:
        for module in KERNELS.values():
            patch.setattr(crf, "kernels", module)
            sums, dx, parts = crf.likelihood(x, labels, lengths, chain, weights)
            paths = crf.best_paths(x, lengths, chain)
            ways.append([sums, dx, *parts, crf.marginals(x, lengths, chain), paths])
    for found, expected in zip(*ways[:1] * 2 if len(ways) == 1 else ways, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    sums, *_, shares, paths = ways[-1]
    run, may_be = ReferenceRun(), allowed(labels, x.shape[-1])
    by_formula = weights * losses(run, chain, x, may_be, lengths)
    np.testing.assert_allclose(sums, by_formula, rtol=1e-8, atol=1e-8)
    probabilities = marginals(run, chain, x, lengths)
    of_book = {name: getattr(chain, name) for name in ("transitions", "start", "end")}
    for b, length in enumerate(lengths):
        own = x[:length, b]
        for each in (
            probabilities[:length, b],
            reference.crf_marginals(own, **of_book),
        ):
            np.testing.assert_allclose(shares[:length, b], each, rtol=1e-8, atol=1e-8)
        best = reference.crf_best_labels(own, **of_book)
        np.testing.assert_array_equal(paths[:length, b], best)
        if (labels[:length, b] >= 0).all():
            found = -reference.crf_log_likelihood(own, labels[:length, b], **of_book)
            np.testing.assert_allclose(sums[b], weights[b] * found, **CLOSE)


@pytest.mark.usefixtures("_kernels")
def test_gradients_are_those_of_finite_differences():
    x, labels, lengths, chain, weights = drawn(seed=3)
    arrays = x, chain.transitions, chain.start, chain.end

    def loss(x, *scores):
        return crf.likelihood(x, labels, lengths, Chain(*scores), weights)[0].sum()

    _, dx, of_chain = crf.likelihood(x, labels, lengths, chain, weights)
    for place, (array, gradient) in enumerate(
        zip(arrays, (dx, *of_chain), strict=True)
    ):
        for at in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[at] = 1e-5
            above, below = (
                loss(*arrays[:place], array + sign * step, *arrays[place + 1 :])
                for sign in (1, -1)
            )
            np.testing.assert_allclose(gradient[at], (above - below) / 2e-5, atol=1e-7)


@pytest.mark.usefixtures("_kernels")
@pytest.mark.parametrize("scale", [1, 1e9])
def test_what_is_excluded_has_no_share_and_no_gradient(scale):
    x, labels, lengths, chain, weights = drawn(n_steps=6, k=4, unknown=1)
    x = scale * x
    chain.transitions[0, 1] = chain.start[2] = chain.end[3] = EXCLUDED
    _, _, (pairs, _, _) = crf.likelihood(x, labels, lengths, chain, weights)
    assert pairs[0, 1] == 0
    shares, best = crf.marginals(x, lengths, chain), crf.best_paths(x, lengths, chain)
    assert (shares[0, :, 2] == 0).all()
    assert (shares[lengths - 1, np.arange(3), 3] == 0).all()
    assert not ((best[:-1] == 0) & (best[1:] == 1)).any()
    by_formula = marginals(ReferenceRun(), chain, x, lengths)
    real = np.arange(len(x))[:, None] < lengths
    np.testing.assert_allclose(by_formula[real], shares[real], atol=1e-6)


@pytest.mark.usefixtures("_kernels")
def test_sequences_do_not_depend_on_those_beside_them():
    x, labels, lengths, chain, weights = drawn(n=40, n_steps=5)
    together = crf.likelihood(x, labels, lengths, chain, weights)
    for b in (0, 17, 39):
        row = slice(b, b + 1)
        given_ = x[:, row], labels[:, row], lengths[row], chain, weights[row]
        found = crf.likelihood(*given_)
        np.testing.assert_allclose(found[0], together[0][row], rtol=1e-13)
        np.testing.assert_allclose(found[1], together[1][:, row], atol=1e-13)


@pytest.mark.skipif(not ARE_COMPILED, reason="threads divide the kernels in C")
def test_results_are_the_same_for_any_number_of_threads(monkeypatch):
    x, labels, lengths, chain, weights = drawn(n=64, n_steps=9, k=12)
    found = []
    for parts in (1, 3):

        def divide(run, n, work, parts=parts):
            for at in reversed(range(parts)):
                run(at * n // parts, (at + 1) * n // parts)

        monkeypatch.setattr(crf, "divide", divide)
        sums, dx, of_chain = crf.likelihood(x, labels, lengths, chain, weights)
        found.append([sums, dx, *of_chain, crf.best_paths(x, lengths, chain)])
    for one, three in zip(*found, strict=True):
        np.testing.assert_array_equal(one, three)


@pytest.mark.skipif(not ARE_COMPILED, reason="it is the kernels in C that check")
@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        ("labels", 9, IndexError),
        ("lengths", 0, ValueError),
        ("lengths", 99, ValueError),
    ],
)
def test_the_kernel_refuses_what_would_read_beyond_its_arrays(place, value, error):
    x, labels, lengths, chain, weights = drawn()
    {"labels": labels, "lengths": lengths}[place][...] = value
    with pytest.raises(error):
        crf._sum_of_paths(x, labels.astype(np.int32), lengths, chain, weights)
