"""Quantiles are as wide as networks needed on windows that they hadn't seen."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from _forecasters import STRATEGIES, quick, season
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import skrnn._estimators.forecasting.spreading as spreading
from skrnn._estimators.forecasting.ensemble import Fold
from skrnn._estimators.forecasting.layouts import Folded
from skrnn._estimators.forecasting.panel import Panel
from skrnn._estimators.forecasting.table import series_table

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


@given(
    st.integers(3, 60), st.integers(1, 9), st.integers(0, 3), st.sampled_from([2, 3])
)
def test_no_target_of_a_fold_is_learned_from(n, horizon, gap, n_folds):
    layout = Folded(horizon, gap, 1, 4)
    origins = np.arange(10, 10 + n)
    seen = []
    for i in range(n_folds):
        own, others = Fold(i, n_folds).split(origins, layout)
        targets = {int(row) for o in own for row in o + layout.ahead[:, 0]}
        learned = {int(row) for o in others for row in o + layout.ahead[:, 0]}
        assert not targets & learned
        # Nothing is left out that needn't be.
        assert len(own) + len(others) >= n - 2 * (horizon - 1)
        seen += own.tolist()
    assert seen == origins.tolist()


@dataclass
class Sure:
    """A member that forecasts 0, of noise; it takes it for `share` as wide as it is."""

    layout: Any
    share: np.ndarray
    answer: Any = None

    horizon = property(lambda self: self.layout.horizon)

    def forecast(self, table, origins):
        return np.zeros((self.horizon, len(origins), 1))

    def quantiles(self, table, origins, levels):
        widths = self.share[:, None, None, None] * norm.ppf(levels)
        return np.broadcast_to(widths, (self.horizon, len(origins), 1, len(levels)))


def test_factors_undo_what_networks_are_too_sure_of():
    y = np.random.default_rng(0).normal(size=(2000, 1))
    nothing = np.empty((2000, 0), np.float32)
    table = series_table(Panel(y, np.array([2000]), nothing, nothing), 1)
    layout, folds = Folded(5, 0, 1, 4), [Fold(i, 3) for i in range(3)]
    for share in (0.4, 1.0, 2.5):
        members = [Sure(layout, np.full(5, share))] * 3
        found = spreading._factors(table, members, folds)
        np.testing.assert_allclose(found * share, 1, atol=0.12)
    # What isn't there counts for nothing.
    table = table.marked(True)
    table.values[::3], table.observed[::3] = 1e6, False
    found = spreading._factors(table, [Sure(layout, np.full(5, 0.4))] * 3, folds)
    assert (found < 4).all()


def walk(n=140):
    return 100 + np.random.default_rng(1).normal(size=n).cumsum()


def spread_of(forecaster):
    members = forecaster._model.ensemble.members
    parts = [part for each in members for part in getattr(each, "members", (each,))]
    return [part.spread for part in parts]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_has_a_factor_for_each_step(strategy):
    given = dict(quantiles=LEVELS, strategy=strategy, lookback=8, n_members=2)
    forecaster = quick(**given).fit(None, walk())
    per_part = {"recursive": 1, "direct": 1}.get(strategy, 4)
    n_parts = 2 * (4 if strategy == "direct" else 1)
    found = spread_of(forecaster)
    assert [each.shape for each in found] == [(per_part,)] * n_parts
    again = spread_of(quick(**given).fit(None, walk()))
    np.testing.assert_array_equal(found, again)


def test_quantiles_keep_their_median_and_are_spread_in_proportion():
    forecaster = quick(quantiles=LEVELS).fit(None, walk())
    spread = forecaster.forecast(4, quantiles=LEVELS).to_numpy()
    factors = np.array([1.0, 2.0, 0.5, 4.0])
    model = forecaster._model
    (member,) = model.ensemble.members
    plain, wide = (replace(member, spread=each) for each in (None, factors))
    found = []
    for each in (plain, wide):
        ensemble = replace(model.ensemble, members=(each,))
        forecaster._model = replace(model, ensemble=ensemble)
        found.append(forecaster.forecast(4, quantiles=LEVELS).to_numpy())
    middle = found[0][:, 2:3]
    np.testing.assert_allclose(
        found[1], middle + factors[:, None] * (found[0] - middle)
    )
    np.testing.assert_array_equal(spread[:, 2], middle[:, 0])


def test_paths_are_as_wide_as_quantiles():
    forecaster = quick(distribution="normal", lookback=8).fit(None, walk())
    model = forecaster._model
    members = tuple(replace(m, spread=np.full(4, 3.0)) for m in model.ensemble.members)
    ensemble = replace(model.ensemble, members=members)
    forecaster._model = replace(model, ensemble=ensemble)
    paths = forecaster.sample_paths(4, 4000, random_state=0)
    quantiles = forecaster.forecast(4, quantiles=(0.1, 0.9)).to_numpy()
    found = paths.quantile([0.1, 0.9], axis=1).to_numpy().T
    width = np.diff(quantiles, axis=1)
    assert (np.abs(found - quantiles) < 0.1 * width).all()


@pytest.mark.parametrize(
    "parameters", [{}, {"quantiles": LEVELS, "horizon": 60, "lookback": 8}]
)
def test_numbers_alone_and_series_too_short_have_none(parameters):
    forecaster = quick(**parameters).fit(None, walk())
    assert spread_of(forecaster) == [None]


def test_many_windows_need_none(monkeypatch):
    monkeypatch.setattr(spreading, "ENOUGH_FOR_SPREAD", 50)
    assert spread_of(quick(quantiles=LEVELS).fit(None, walk())) == [None]


def test_ctrl_c_while_they_are_trained_keeps_the_members(monkeypatch):
    def interrupted(estimator, table, plan, folds):
        return [[None]] * len(folds), True

    monkeypatch.setattr(spreading, "train_without", interrupted)
    forecaster = quick(quantiles=LEVELS)
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(None, season(80, noise=0.1))
    assert spread_of(forecaster) == [None]
    assert np.isfinite(forecaster.forecast(4)).all()
