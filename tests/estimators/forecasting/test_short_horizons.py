"""Fewer steps than the horizon: what a network that reads ahead is told of the rest."""

import numpy as np
import pandas as pd
import pytest
from _forecasters import months, of_every_strategy, quick, season, tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._estimators.forecasting.panel import Ahead

N, H = 72, 8
RNG = np.random.default_rng(0)
Y = season(N, noise=0.3)
X = pd.DataFrame({"price": RNG.normal(size=N + 24)}, index=range(N + 24))
# Strategies and networks whose answer at a step reads nothing of later ones.
CAUSAL = {
    "direct": quick(strategy="direct", horizon=H),
    "recursive": quick(strategy="recursive", horizon=H),
    "one direction": quick(tiny(bidirectional=False), horizon=H),
}
READS_AHEAD = {
    "both directions": quick(horizon=H),
    "multioutput": quick(strategy="multioutput", horizon=H),
}


def fitted(forecaster, later=X):
    return forecaster.fit(later[:N], Y)


@pytest.mark.parametrize("name", CAUSAL)
def test_the_first_rows_are_forecast_as_they_are_beside_later_ones(name):
    model = fitted(CAUSAL[name])
    whole = model.predict(X[N : N + H])
    for n in range(1, H):
        np.testing.assert_array_equal(model.predict(X[N : N + n]), whole[:n])


@pytest.mark.parametrize("name", READS_AHEAD)
def test_the_last_row_stands_for_those_that_nobody_gave(name):
    model = fitted(READS_AHEAD[name])
    # It does read them: other later rows, other first forecasts.
    whole = model.predict(X[N : N + H])
    assert (model.predict(X[N : N + 5]) != whole[:5]).all()
    stands = X[N : N + H].copy()
    stands.iloc[5:] = X["price"].iloc[N + 4]
    np.testing.assert_array_equal(
        model.predict(X[N : N + 5]), model.predict(stands)[:5]
    )


@pytest.mark.parametrize("name", READS_AHEAD)
@pytest.mark.parametrize("is_dated", [False, True], ids=["plain", "dated"])
def test_forecast_reads_all_of_x(name, is_dated):
    later, y = X, pd.Series(Y)
    if is_dated:
        later, y = X.set_index(months(np.zeros(len(X))).index), months(Y)
    model = READS_AHEAD[name].fit(later[:N], y)
    # Two horizons, the second one half, are computed of what is given for them.
    for given_rows, steps in [(H, 5), (20, 5), (20, H), (20, 12), (16, 12), (20, 20)]:
        rows = later[N : N + given_rows]
        found, whole = model.forecast(steps, rows), model.forecast(None, rows)
        np.testing.assert_array_equal(found, whole[:steps])
        assert found.index.equals(whole.index[:steps])
    np.testing.assert_array_equal(
        model.forecast(5, later[N : N + H]), model.predict(later[N : N + H])[:5]
    )


def test_so_do_quantiles_intervals_and_paths():
    rows, options = X[N : N + H], dict(horizon=H, lookback=12)
    model = fitted(quick(**options, quantiles=(0.1, 0.5, 0.9), calibration_size=24))
    for asked in (dict(quantiles=(0.1, 0.9)), dict(coverage=0.5)):
        found = model.forecast(3, rows, **asked)
        pd.testing.assert_frame_equal(found, model.forecast(H, rows, **asked)[:3])
    model = fitted(quick(**options, distribution="normal"))
    paths = [model.sample_paths(n, 6, rows, random_state=0) for n in (3, H)]
    pd.testing.assert_frame_equal(paths[0], paths[1][:3])


def test_each_series_of_a_panel_reads_its_own_rows():
    index = pd.MultiIndex.from_product([["a", "b"], months(np.zeros(N + 24)).index])
    later = pd.DataFrame({"price": RNG.normal(size=len(index))}, index)
    known = later.groupby(level=0).head(N)
    y = pd.Series(np.concatenate([season(N), 9 * season(N)]), known.index)
    model = quick(horizon=H).fit(known, y)
    ahead = later.groupby(level=0).tail(24)
    # Of b fewer rows are known, and they come first.
    rows = pd.concat([ahead.loc[["b"]][:6], ahead.loc[["a"]]])
    found = model.forecast(5, rows)
    for name, n in [("a", 24), ("b", 6)]:
        one = model.predict(ahead.loc[[name]][:n])[:5]
        np.testing.assert_allclose(found[name], one, rtol=1e-6)


@of_every_strategy
def test_without_covariates_the_first_steps_are_always_the_same(strategy):
    for y in (Y, months(Y)):
        model = quick(strategy=strategy, horizon=H).fit(None, y)
        whole = model.forecast(H)
        for n in (1, 5):
            np.testing.assert_array_equal(model.forecast(n), whole[:n])


@settings(max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 9))
def test_the_first_steps_of_each_series(lengths, n):
    lengths = np.array(lengths)
    known = np.arange(lengths.sum(), dtype=np.float32)[:, None]
    order = np.arange(len(known))
    ahead = Ahead(np.arange(len(lengths)), lengths, known, order)
    first = ahead.first(n)
    assert first.lengths.tolist() == np.minimum(lengths, n).tolist()
    for i, start in enumerate(ahead.starts):
        own = first.known[first.starts[i] :][: first.lengths[i], 0]
        assert own.tolist() == [start + j for j in range(min(lengths[i], n))]
