"""The Forecaster as one uses it: forecasts, their rows, what comes later."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from _forecasters import (
    STRATEGIES,
    months,
    of_every_strategy,
    panel_of,
    quick,
    season,
    tiny,
)
from _tables import LONG
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequenceWise

SMALL = dict(units=4, epochs=2, random_state=0)
OTHERS = {
    "ridge": Ridge(),
    "one output": HistGradientBoostingRegressor(max_iter=5),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "sequences": make_pipeline(
        SequenceWise(StandardScaler()), skrnn.LSTMRegressor(**SMALL)
    ),
    "pair": skrnn.Seq2SeqRegressor(**SMALL),
}
ATTENTION = dict(
    d_model=8,
    n_heads=1,
    n_layers=1,
    dim_feedforward=8,
    dropout=0.0,
    learning_rate=0.01,
    warmup_steps=0,
    epochs=2,
    random_state=0,
)
OURS = {
    "lstm": skrnn.LSTMRegressor(**SMALL),
    "gru": skrnn.GRURegressor(**SMALL),
    "transformer": skrnn.TransformerRegressor(**ATTENTION),
}


def same(one, other):
    np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


# ---- what it forecasts


@of_every_strategy
@pytest.mark.parametrize("estimator", [None, Ridge()], ids=["network", "ridge"])
def test_a_clean_season_is_forecast_better_than_naively(strategy, estimator):
    if strategy == "aligned" and estimator is not None:
        pytest.skip("needs a network")
    y = season(132)
    network = tiny(units=8) if estimator is None else estimator
    forecaster = quick(network, strategy=strategy, horizon=6, n_windows=2000)
    found = forecaster.fit(None, months(y[:120])).forecast(12)
    error = np.abs(found - y[120:]).mean()
    naive = np.abs(y[119] - y[120:]).mean()
    assert error < naive / (100 if estimator is not None else 5)
    assert forecaster.seasonal_periods_ == (12,)


# Every regressor in every strategy; each of both has one target and two.
KINDS = [
    (name, strategy, n_targets)
    for i, name in enumerate(OTHERS | OURS)
    for j, strategy in enumerate(STRATEGIES)
    for n_targets in ((1, 2) if LONG else (1 + (i + j) % 2,))
]


@pytest.mark.parametrize(("name", "strategy", "n_targets"), KINDS)
def test_any_regressor_forecasts_in_every_strategy(name, strategy, n_targets):
    y = season(60, noise=0.2)[:, None] * np.arange(1, n_targets + 1)
    y = y[:, 0] if n_targets == 1 else y
    estimator = (OTHERS | OURS)[name]
    forecaster = quick(estimator, strategy=strategy, lookback=12)
    if strategy == "aligned" and name in OTHERS:
        with pytest.raises(ValueError, match="strategy='aligned' needs a recurrent"):
            forecaster.fit(None, y)
        return
    found = forecaster.fit(None, y).forecast(6)
    assert found.shape == (6, 2)[: y.ndim]
    assert (np.abs(found / np.arange(1, n_targets + 1) - 10) < 4).all(axis=None)
    assert not hasattr(estimator, "n_features_in_")
    assert all(type(e).__name__ for e in forecaster.estimators_)


@pytest.mark.parametrize("strategy", ["aligned", "recursive"])
@pytest.mark.parametrize(
    "given", [dict(quantiles=(0.1, 0.9)), dict(distribution="normal")]
)
def test_a_transformer_answers_with_quantiles(strategy, given):
    network = skrnn.TransformerRegressor(**ATTENTION)
    forecaster = quick(network, strategy=strategy, lookback=12, **given)
    found = forecaster.fit(None, season(60, noise=0.2)).forecast(
        6, quantiles=(0.1, 0.9)
    )
    assert found.shape == (6, 2)
    assert (found[0.1] < found[0.9]).all()


@pytest.mark.parametrize("n", [400, 800])
def test_what_a_rare_covariate_adds_is_learned(n):
    """A window without it has a smaller spread, and so a larger unit."""
    rng = np.random.default_rng(0)
    is_holiday = rng.random(n) < 0.05
    is_holiday[-5] = True
    y = 100 + 20 * (np.arange(n) % 7 > 4) + 60 * is_holiday + rng.normal(0, 3, n)
    X = is_holiday[:, None]
    forecaster = Forecaster(horizon=14, n_members=1, random_state=0)
    found = forecaster.fit(X[:-14], y[:-14]).predict(X[-14:])
    assert abs(found[-5] - y[-5]) < 20


def test_a_pipeline_of_ours_reads_sequences_and_others_rows():
    y, parameters = season(60, noise=0.2), {"lookback": 12, "horizon": 2}
    ours = quick(OTHERS["sequences"], **parameters).fit(None, y).estimators_[0]
    # The season's steps, or those of the window.
    assert ours[0].n_features_in_ == ours[1].n_features_in_ < 12
    rows = quick(OTHERS["pipeline"], **parameters).fit(None, y).estimators_[0]
    assert rows.n_features_in_ == 12 + 3


@pytest.mark.parametrize(
    ("horizon", "periods", "network", "ridge"),
    [
        (1, None, "multioutput", "multioutput"),
        (3, None, "multioutput", "multioutput"),
        (4, None, "aligned", "multioutput"),
        (2, 12, "aligned", "multioutput"),
        (1, 12, "multioutput", "multioutput"),
    ],
)
def test_auto_is_aligned_where_networks_run_over_the_horizon(
    horizon, periods, network, ridge
):
    for estimator, expected in [(None, network), (Ridge(), ridge)]:
        forecaster = quick(estimator, horizon=horizon, seasonal_periods=periods)
        assert forecaster.fit(None, season(60)).strategy_ == expected


def test_auto_lookbacks_are_seasons_in_turn():
    y = season(120)
    found = quick(n_members=4, seasonal_periods=12).fit(None, y)
    assert found.lookback_ == (36, 24, 48, 36)
    assert quick(seasonal_periods=(24, 12)).fit(None, y).lookback_ == (24,)
    assert quick(seasonal_periods=None).fit(None, y).lookback_ == (24,)
    assert quick(lookback=(7, 9), n_members=3).fit(None, y).lookback_ == (7, 9, 7)
    assert len(found.estimators_) == 4
    # Other estimators are fitted once.
    assert len(quick(Ridge(), n_members=4).fit(None, y).estimators_) == 1
    assert len(quick(n_members=2, strategy="direct").fit(None, y).estimators_) == 8


def test_the_forecast_is_the_median_of_the_members():
    y = season(60, noise=0.3)
    ensemble = quick(n_members=3, lookback=12).fit(None, y)
    alone = [
        quick(n_members=1, lookback=12, random_state=seed).fit(None, y).forecast(4)
        for seed in range(3)
    ]
    np.testing.assert_allclose(ensemble.forecast(4), np.median(alone, axis=0))


# ---- any number of steps


@of_every_strategy
@pytest.mark.parametrize(
    "parameters", [{}, {"difference": 1, "target_transform": "log"}]
)
def test_more_steps_are_forecast_from_forecasts(strategy, parameters):
    forecaster = quick(strategy=strategy, **parameters)
    forecaster.fit(None, season(60, noise=0.3))
    twice = forecaster.forecast(8)
    first = forecaster.forecast(4)
    same(first, twice[:4])
    same(forecaster.forecast(3), twice[:3])
    second = copy.copy(forecaster).update(None, first).forecast(4)
    np.testing.assert_allclose(second, twice[4:], rtol=1e-9)
    assert second.index.tolist() == [64, 65, 66, 67]


@of_every_strategy
def test_some_steps_are_those_of_more_with_the_calendar(strategy):
    y = months(season(60, noise=0.3))
    forecaster = quick(strategy=strategy, calendar=("month_of_year",)).fit(None, y)
    same(forecaster.forecast(2), forecaster.forecast(4)[:2])
    same(forecaster.forecast(6), forecaster.forecast(8)[:6])
    ahead = forecaster.forecast(4)
    same(forecaster.predict(ahead.index[:3]), ahead[:3])
    # Fitted values read the calendar of a whole horizon too, behind the last row.
    one = forecaster.fitted_values()
    other = copy.copy(forecaster).update(None, ahead).fitted_values()
    same(one, other[:60])


@of_every_strategy
def test_a_gap_is_left_out(strategy):
    y = months(season(60))
    forecaster = quick(strategy=strategy, gap=3, lookback=12).fit(None, y)
    found = forecaster.forecast()
    assert found.index[0] == pd.Timestamp("2005-04-01")
    assert len(found) == 4
    same(forecaster.predict(found.index), found)
    fitted = forecaster.fitted_values()
    assert fitted.isna().sum() == 12 + 3
    if strategy == "recursive":
        assert len(forecaster.forecast(10)) == 10
        return
    with pytest.raises(ValueError, match=r"5 steps .* gap=3 only horizon=4 can be"):
        forecaster.forecast(5)


# ---- rows that come later


@of_every_strategy
@pytest.mark.parametrize("is_panel", [False, True], ids=["series", "panel"])
def test_predict_is_forecast_in_the_order_of_the_rows(strategy, is_panel):
    if not is_panel:
        y = months(season(60, noise=0.3))
    else:
        y = panel_of(season(60, noise=0.3), 50 + season(50, noise=0.3, seed=1))
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=len(y))}, y.index)
    forecaster = quick(strategy=strategy).fit(X, y)
    index = quick(Ridge()).fit(None, y).forecast(6).index
    ahead = pd.DataFrame({"a": rng.normal(size=len(index))}, index)
    found = forecaster.forecast(6, ahead)
    same(forecaster.predict(ahead), found)
    if is_panel:
        mixed = ahead.iloc[rng.permutation(len(ahead))].sort_index(
            level=1, kind="stable"
        )
        same(forecaster.predict(mixed), found[mixed.index])
        some = ahead.loc[["b"]][:4]
        np.testing.assert_allclose(forecaster.predict(some), found[some.index])


@of_every_strategy
@pytest.mark.parametrize("is_panel", [False, True], ids=["series", "panel"])
def test_update_is_the_longer_series_with_the_same_weights(strategy, is_panel):
    y = months(season(60, noise=0.3))
    whole = y
    if is_panel:
        whole = panel_of(y.to_numpy(), 50 + season(60, noise=0.3, seed=1))
    y = whole.groupby(level=0).head(50) if is_panel else whole[:50]
    forecaster = quick(strategy=strategy, lookback=12).fit(None, y)
    updated = copy.copy(forecaster).update(None, whole.drop(y.index)).forecast(5)
    known = forecaster.forecast(5, history=whole)
    pd.testing.assert_series_equal(updated, known)
    # Nothing is learned, and the forecaster that was copied stays as it was.
    same(forecaster.forecast(5), forecaster.forecast(5, history=y))
    assert (updated.to_numpy() != forecaster.forecast(5).to_numpy()).all()


def test_missing_values_may_come_later_or_end():
    """Members were trained without marks of missing values, or with them."""
    whole, holes = season(60, noise=0.3), season(60, noise=0.3)
    holes[[20, 31]] = np.nan
    for strategy in STRATEGIES:
        for learned, later in [(whole, holes), (holes, whole)]:
            forecaster = quick(strategy=strategy, lookback=12).fit(None, learned)
            assert np.isfinite(forecaster.forecast(6, history=later)).all()
            forecaster.update(None, later)
            assert np.isfinite(forecaster.forecast(6)).all()
            assert np.isfinite(forecaster.fitted_values()[12:]).all()


def test_fitted_values_are_forecasts_from_the_rows_before():
    y = season(60, noise=0.3)
    y[[20, 33]] = np.nan
    for strategy in STRATEGIES:
        forecaster = quick(strategy=strategy, lookback=12).fit(None, y)
        fitted = forecaster.fitted_values()
        assert fitted.isna().tolist() == [True] * 12 + [False] * 48
        for row in (12, 21, 34, 59):
            alone = forecaster.forecast(1, history=y[:row])
            np.testing.assert_allclose(fitted[row], alone, rtol=1e-5)


# ---- short and odd series


@of_every_strategy
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_short_series_are_learned_or_refused(strategy, n):
    forecaster = quick(strategy=strategy)
    needed = 2 if strategy == "recursive" else 5
    if n < needed:
        message = f"Found {n} sample.*minimum of {needed} is required.*horizon=4"
        with pytest.raises(ValueError, match=message):
            forecaster.fit(None, season(5)[:n])
        return
    assert np.isfinite(forecaster.fit(None, season(5)[:n]).forecast(9)).all()


def test_a_short_trend_goes_on():
    # 25 values have about ten windows: 12 passes over them are two batches.
    errors = []
    for seed in range(3):
        t, rng = np.arange(31.0), np.random.default_rng(seed)
        y = 20 + t + rng.normal(0, 0.5, 31)
        model = Forecaster(horizon=6, n_members=1, random_state=0).fit(None, y[:-6])
        forecast = np.asarray(model.forecast(6))
        errors.append([np.abs(each - y[-6:]).mean() for each in (forecast, y[-7])])
    ours, naive = np.mean(errors, axis=0)
    assert ours < naive / 3


@of_every_strategy
def test_a_horizon_longer_than_the_series_is_refused(strategy):
    forecaster = quick(strategy=strategy, horizon=40, gap=2)
    if strategy == "recursive":
        assert len(forecaster.fit(None, season(30)).forecast()) == 40
        return
    with pytest.raises(ValueError, match=r"Found 30 .* 43 .* horizon=40 and gap=2"):
        forecaster.fit(None, season(30))


@of_every_strategy
def test_short_series_of_a_panel_are_forecast_too(strategy):
    y = panel_of(season(60, noise=0.3), season(1), season(2), season(3))
    found = quick(strategy=strategy).fit(None, y).forecast(5)
    assert np.isfinite(found).all()
    same(found["b"], np.full(5, season(1)[0]))


@of_every_strategy
@pytest.mark.parametrize("value", [7.0, 0.0, -1e-6, 1e9])
def test_a_constant_goes_on(strategy, value):
    forecaster = quick(strategy=strategy).fit(None, np.full(40, value))
    same(forecaster.forecast(6), np.full(6, value))
    same(forecaster.fitted_values()[-10:], np.full(10, value))


@of_every_strategy
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_of_y_don_t_matter(strategy, factor):
    y = season(60, level=0, noise=0.3)
    one, other = (
        quick(strategy=strategy).fit(None, each).forecast(6) for each in (y, factor * y)
    )
    np.testing.assert_allclose(other, factor * one, rtol=1e-3, atol=1e-4 * factor)


def test_too_many_missing_values_are_told():
    y = np.where(np.arange(60) % 2, np.nan, season(60))
    for estimator in (None, Ridge()):
        with pytest.raises(ValueError, match="no window has all of its 4 target"):
            quick(estimator, strategy="multioutput").fit(None, y)
    for strategy in ("aligned", "recursive"):
        assert np.isfinite(quick(strategy=strategy).fit(None, y).forecast(5)).all()


# ---- parameters, state


def test_parameters_of_the_default_network_can_be_set():
    forecaster = Forecaster(horizon=4, n_members=1, n_windows=64, random_state=0)
    forecaster.set_params(estimator__units=3)
    assert forecaster.get_params()["estimator__units"] == 3
    assert forecaster.estimator.bidirectional
    assert forecaster.fit(None, season(40)).estimators_[0].units == 3
    forecaster.set_params(estimator=None, estimator__units=5)
    assert forecaster.estimator.units == 5
    new = Forecaster()
    with pytest.raises(ValueError, match="Invalid parameter 'unitz'"):
        new.set_params(estimator__unitz=3)
    assert new.estimator is None


def test_fit_leaves_parameters_alone():
    network = tiny()
    forecaster = quick(network, calibration_size=10)
    before = {**forecaster.get_params()}
    forecaster.fit(None, season(40))
    assert forecaster.get_params() == before
    assert not hasattr(network, "n_iter_")
    assert clone(forecaster).get_params()["estimator__units"] == 4


def test_a_failed_refit_leaves_the_earlier_fit():
    y = season(60)
    forecaster = quick().fit(None, y)
    before, state = forecaster.forecast(5), dict(vars(forecaster))
    X = pd.DataFrame({"a": np.arange(60.0)})
    for bad in (dict(y=y[:3]), dict(y=np.append(y, np.inf)), dict(y=y, X=X[:5])):
        with pytest.raises(ValueError):  # noqa: PT011
            forecaster.fit(**{"X": None} | bad)
    broken = forecaster.set_params(estimator=Ridge(alpha=-1))
    with pytest.raises(ValueError, match="alpha"):
        broken.fit(None, y)
    state["estimator"] = broken.estimator
    assert vars(forecaster) == state
    same(forecaster.forecast(5), before)
    with pytest.raises(ValueError, match="must follow"):
        quick().fit(None, months(y)).update(None, months(y))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_pickled_forecasts_alike(strategy, tmp_path):
    y = months(season(60, noise=0.3))
    forecaster = quick(strategy=strategy, calibration_size=20, n_members=2).fit(None, y)
    joblib.dump(forecaster, tmp_path / "forecaster")
    for other in (
        pickle.loads(pickle.dumps(forecaster)),
        copy.deepcopy(forecaster),
        joblib.load(tmp_path / "forecaster"),
    ):
        same(other.forecast(6), forecaster.forecast(6))
        same(other.forecast(2, coverage=0.5), forecaster.forecast(2, coverage=0.5))
        same(other.update(None, [9.0]).forecast(3), other.forecast(3))
    with pytest.raises(NotFittedError):
        clone(forecaster).forecast()


def test_history_is_the_mean_loss_of_the_members():
    forecaster = quick(n_members=2).fit(None, season(60))
    losses = [each.history_["loss"] for each in forecaster.estimators_]
    np.testing.assert_allclose(forecaster.history_["loss"], np.mean(losses, axis=0))
    other = quick(Ridge()).fit(None, season(60))
    assert not hasattr(other, "history_")
    with pytest.raises(AttributeError, match="Ridge keeps no losses"):
        _ = other.history_


@pytest.mark.parametrize("strategy", ["aligned", "direct"])
def test_a_network_that_diverges_is_told(strategy):
    wild = tiny(learning_rate=1e30, activation="relu", optimizer="sgd")
    forecaster = quick(wild, strategy=strategy, n_members=2, n_windows=500)
    with pytest.warns(ConvergenceWarning, match="members of Forecaster stopped early"):
        forecaster.fit(None, season(60, noise=0.3))
    assert np.isfinite(forecaster.forecast(4)).all()


# Networks over the steps of the horizon, and over those before: Keras compiles each.
@pytest.mark.parametrize("strategy", STRATEGIES if LONG else STRATEGIES[:2])
def test_the_keras_engine_forecasts_alike(strategy):
    y = season(60, noise=0.3)
    y[30] = np.nan
    one, other = (
        quick(tiny(engine=engine), strategy=strategy, lookback=12, horizon=2).fit(
            None, y
        )
        for engine in ("cpu", "keras")
    )
    np.testing.assert_allclose(one.forecast(6), other.forecast(6), rtol=1e-4)
    np.testing.assert_allclose(one.history_["loss"], other.history_["loss"], rtol=1e-3)
