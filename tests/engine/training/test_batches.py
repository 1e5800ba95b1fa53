"""Which sequences share a batch: every row once, and little padding."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn import GRUClassifier, GRURegressor, LSTMRegressor
from skrnn._data import batches
from skrnn._data.batches import cut, padded_share, shuffled_batches
from skrnn._engine import choice


def rng(seed=0):
    return np.random.default_rng(seed)


def share(lengths, batches):
    """Return the steps of batches, padding included, for each real one."""
    real = [lengths[rows[rows >= 0]] for rows in batches]
    return sum(len(each) * each.max() for each in real) / lengths.sum()


def test_rows_are_cut_and_the_last_batch_filled_up():
    batches = cut(np.arange(10), 4)
    assert batches.shape == (3, 4)
    np.testing.assert_array_equal(batches.ravel(), [*range(10), -1, -1])
    assert cut(np.arange(3), 32).shape == (1, 3)


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 100),
)
def test_batches_have_every_row_once(lengths, batch_size, seed):
    batches = shuffled_batches(np.array(lengths), batch_size, rng(seed))
    rows = batches[batches >= 0]
    np.testing.assert_array_equal(np.sort(rows), np.arange(len(lengths)))
    # What is missing is missing at the end of one batch.
    full = (batches >= 0).all(axis=1)
    assert (~full).sum() <= 1
    assert (np.diff((batches >= 0).astype(int), axis=1) <= 0).all()


N = 20_000
SKEWED = {
    "log-normal": np.clip(rng().lognormal(4, 1, N), 1, 2000).astype(int),
    "short to long": rng().integers(1, 300, N),
    "a few long ones": np.where(rng().random(N) < 0.02, 1000, 20),
    "two lengths": np.where(np.arange(N) % 2, 3, 90),
}


@pytest.mark.parametrize("kind", SKEWED)
@pytest.mark.parametrize("batch_size", [8, 32, 128])
def test_padding_costs_at_most_a_quarter(kind, batch_size):
    lengths = SKEWED[kind]
    drawn = cut(rng().permutation(len(lengths)), batch_size)
    batches = shuffled_batches(lengths, batch_size, rng())
    assert share(lengths, drawn) > 1.5
    assert share(lengths, batches) < 1.3


def test_where_little_is_padded_chance_alone_decides():
    lengths = rng().integers(95, 100, 300)
    rows = np.arange(300)
    rng(1).shuffle(rows)
    np.testing.assert_array_equal(shuffled_batches(lengths, 32, rng(1)), cut(rows, 32))
    assert padded_share(lengths[rows], 32) < batches._MOST_PADDED


def test_equally_long_ones_cost_no_memory():
    lengths = np.broadcast_to(np.intp(5), 100)
    assert shuffled_batches(lengths, 32, rng()).shape == (4, 32)


def test_the_order_is_that_of_the_seed_and_another_in_each_epoch():
    lengths, one = SKEWED["log-normal"], rng(3)
    first, second = (shuffled_batches(lengths, 32, one) for _ in range(2))
    np.testing.assert_array_equal(first, shuffled_batches(lengths, 32, rng(3)))

    def partners(batches):
        return {(min(pair), max(pair)) for rows in batches for pair in pairwise(rows)}

    assert len(partners(first) & partners(second)) < len(partners(first)) / 20
    # Batches of long sequences don't come all at the end.
    longest = np.argsort([lengths[rows[rows >= 0]].max() for rows in first])[-20:]
    assert longest.min() < len(first) / 4
    assert longest.max() > len(first) / 2


RAGGED = [rng(i).normal(size=(n, 2)) for i, n in enumerate([2, 40, 3, 30] * 12)]
SUMS = np.array([x[-1].sum() for x in RAGGED])


def test_kernels_and_compiled_training_see_the_same_batches(monkeypatch):
    params = dict(units=4, epochs=3, batch_size=8, random_state=0)
    by_kernels = LSTMRegressor(**params).fit(RAGGED, SUMS)
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    compiled = LSTMRegressor(**params).fit(RAGGED, SUMS)
    for one, other in zip(by_kernels._weights, compiled._weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_without_shuffling_the_order_of_the_rows_stays(monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr("skrnn._data.datasets.shuffled_batches", refuse)
    GRURegressor(units=2, epochs=1, shuffle=False).fit(RAGGED, SUMS)
    with pytest.raises(AssertionError):
        GRURegressor(units=2, epochs=1).fit(RAGGED, SUMS)


def test_long_and_short_sequences_are_learnt_alike():
    # The label is told by the first step, and has nothing to do with the length.
    X = [x.copy() for x in RAGGED * 4]
    y = rng().integers(0, 2, len(X))
    for x, label in zip(X, y, strict=True):
        x[:] = 2 * label - 1
    model = GRUClassifier(units=8, epochs=15, learning_rate=0.02, random_state=0)
    assert model.fit(X, y).score(X, y) == 1
