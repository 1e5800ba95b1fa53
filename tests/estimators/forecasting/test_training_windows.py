"""Which windows are trained on, how often, and with what weight."""

from dataclasses import replace

import numpy as np
import pytest
from _forecasters import STRATEGIES, quick, season, tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skrnn._estimators.forecasting.answers import Numbers
from skrnn._estimators.forecasting.layouts import Aligned, Folded
from skrnn._estimators.forecasting.panel import Panel
from skrnn._estimators.forecasting.table import series_table
from skrnn._estimators.forecasting.windows import Budget, Windows


def windows(y, *, n_windows=1000, of_steps=True, weighs=True, horizon=3, seed=0):
    """Return all windows of a series of length 6 as a source."""
    y = np.asarray(y, float).reshape(len(y), -1)
    none = np.empty((len(y), 0), np.float32)
    table = series_table(Panel(y, np.array([len(y)]), none, none), 1)
    layout = (Aligned if of_steps else Folded)(horizon, 0, 1, 6)
    origins = table.origins(6, horizon)
    drawn = Budget(n_windows, seed).draw(len(origins))
    return Windows(table, origins, layout, drawn, Numbers(), weighs, of_steps)


# ---- the budget


@given(st.integers(1, 400), st.integers(1, 3000), st.integers(0, 99))
@settings(max_examples=100)
def test_windows_are_drawn_12_times_or_until_1600(n, n_windows, seed):
    drawn = Budget(n_windows, seed).draw(n)
    assert len(drawn) == min(n_windows, max(12 * n, 1600))
    for first in range(0, len(drawn), n):
        of_pass = drawn[first : first + n]
        assert len(set(of_pass.tolist())) == len(of_pass)
    assert set(drawn.tolist()) <= set(range(n))
    np.testing.assert_array_equal(drawn, Budget(n_windows, seed).draw(n))


def test_another_seed_draws_others_in_another_order():
    one, other = (Budget(50, seed).draw(100) for seed in (0, 1))
    assert set(one) != set(other)
    # Each pass has an order of its own.
    both = Budget(20, 0).draw(10).reshape(2, 10)
    assert (both[0] != both[1]).any()


@given(st.integers(10, 80), st.integers(1, 200), st.integers(1, 64))
@settings(max_examples=60)
def test_epochs_are_equal_and_together_the_budget(n, n_windows, batch_size):
    source = windows(season(n), n_windows=n_windows)
    orders = [source.order(batch_size, None, e) for e in range(source.n_epochs)]
    assert {order.shape for order in orders} == {
        (source.n_batches(batch_size), batch_size)
    }
    epochs = [order[order >= 0] for order in orders]
    assert len({len(epoch) for epoch in epochs}) == 1
    size, total = len(epochs[0]), len(source.drawn)
    # The last one begins a little earlier, so that all are equal.
    assert 0 <= size * len(epochs) - total < size * max(1, len(epochs))
    seen = np.concatenate(epochs)
    assert set(seen.tolist()) == set(source.drawn.tolist())
    np.testing.assert_array_equal(epochs[0], source.drawn[:size])
    np.testing.assert_array_equal(epochs[-1], source.drawn[total - size :])


# ---- batches


@pytest.mark.parametrize("of_steps", [True, False])
def test_padded_batches_have_the_same_rows_and_no_weight_beyond(of_steps):
    source = windows(season(30, noise=0.3), of_steps=of_steps)
    rows = np.array([3, 0, 7, -1, -1])
    batch, padded = source.gather(rows), source.gather(rows, n_rows=8)
    axis = 1 if of_steps else 0
    for name in ("targets", "weights", "present"):
        one, other = getattr(batch, name), getattr(padded, name)
        assert (one.shape[axis], other.shape[axis]) == (3, 8)
        np.testing.assert_array_equal(one, np.take(other, range(3), axis))
        if name != "targets":
            assert not np.take(other, range(3, 8), axis).any()
    np.testing.assert_array_equal(batch.inputs["x"], padded.inputs["x"][:, :3])
    assert batch.inputs["lengths"].tolist() == [source.layout.n_steps] * 3


def test_windows_weigh_as_the_root_of_their_relative_spread():
    y = np.concatenate([100 + season(40, noise=0.3), 10 + 5 * season(40, noise=0.5)])
    source = windows(y)
    n = len(source.origins)
    weights = source.gather(np.arange(n)).weights[0]
    expected = []
    for o in source.origins:
        window = y[o - 6 : o]
        level = window[-1:].mean()
        relative = np.abs(window - level).mean() / abs(level)
        expected.append(np.clip(relative, 1e-3, 10) ** 0.5)
    ratio = weights / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    drawn = source.drawn
    np.testing.assert_allclose(weights[drawn].mean(), 1, rtol=1e-5)
    assert (windows(y, weighs=False).gather(np.arange(n)).weights == 1).all()


@pytest.mark.parametrize(
    ("y", "parameters", "weighs"),
    [
        (10 + season(40), {}, True),
        (season(40, level=0), {}, False),
        (10 + season(40), {"normalize": None}, False),
        (10 + season(40), {"difference": 1}, False),
    ],
    ids=["positive", "signed", "as it is", "differences"],
)
def test_series_below_0_and_in_their_own_units_are_weighted_equally(
    monkeypatch, y, parameters, weighs
):
    seen = []
    gather = Windows.gather

    def spy(self, rows, **given):
        batch = gather(self, rows, **given)
        seen.append(batch.weights[batch.present])
        return batch

    monkeypatch.setattr(Windows, "gather", spy)
    quick(lookback=6, **parameters).fit(None, y)
    assert (np.ptp(np.concatenate(seen)) > 0) == weighs


@pytest.mark.parametrize("of_steps", [True, False])
def test_missing_targets_have_no_weight(of_steps):
    y = season(30, noise=0.3)
    y[[12, 20]] = np.nan
    source = windows(y, of_steps=of_steps, weighs=False)
    batch = source.gather(np.arange(len(source.origins)))
    rows = source.origins + np.arange(3)[:, None]
    there = ~np.isnan(y[rows])
    expected = there if of_steps else there.all(axis=0)
    np.testing.assert_array_equal(batch.weights, expected)
    for numbers in (batch.targets, batch.inputs["x"]):
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_is_learned_from_what_stands_for_missing_targets(monkeypatch, strategy):
    """Another value in its place, and the weights are the same, bit for bit."""
    y = season(40, noise=0.3)
    y[[38, 39]] = np.nan
    forecasters = []
    for value in (0.0, 1e6):
        targets = Aligned.targets

        def changed(self, table, origins, value=value, targets=targets):
            values = np.where(table.observed, table.values, value)
            return targets(self, replace(table, values=values), origins)

        for layout in (Aligned, Folded):
            monkeypatch.setattr(layout, "targets", changed)
        forecasters.append(quick(strategy=strategy, lookback=6).fit(None, y))
        monkeypatch.undo()
    one, other = (f.estimators_[0]._weights for f in forecasters)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


# ---- a fast path has a reference


@pytest.mark.parametrize("of_steps", [True, False])
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("is_missing", [False, True], ids=["whole", "missing"])
def test_training_on_the_source_is_training_on_arrays(of_steps, n_targets, is_missing):
    """One pass over the windows, in the order in which they are drawn."""
    y = season(40, noise=0.3)[:, None] * np.arange(1, n_targets + 1)
    if is_missing:
        y[[11, 25]] = np.nan
    source = windows(y, of_steps=of_steps)
    drawn = np.random.default_rng(0).permutation(len(source.origins))
    if not of_steps:
        # Those without a weight aren't in a batch of arrays at all.
        drawn = drawn[source.gather(drawn).weights > 0]
    source = replace(source, drawn=drawn)
    batch = source.gather(drawn)
    X, Y, weights = np.moveaxis(batch.inputs["x"], 1, 0), batch.targets, batch.weights
    if of_steps:
        Y, weights = np.moveaxis(Y, 1, 0), np.moveaxis(weights, 1, 0)
        Y = Y if n_targets > 1 else Y[..., 0]

    class OneEpoch(Windows):
        """With weights whose mean is 1, as those of arrays are made."""

        n_epochs = 1

        def gather(self, rows, **given):
            found = super().gather(rows, **given)
            return replace(found, weights=found.weights / weights.mean())

    network = tiny(epochs=1, batch_size=8, random_state=3, return_sequences=of_steps)
    fast = clone(network)
    shape = (n_targets,) if of_steps else (3, n_targets)
    fast._fit_source(
        OneEpoch(**vars(replace(source))), shape if n_targets > 1 else shape[:-1]
    )
    plain = clone(network).set_params(shuffle=False, early_stopping=False)
    plain.fit(X, Y, sample_weight=weights)
    for one, other in zip(fast._weights, plain._weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
