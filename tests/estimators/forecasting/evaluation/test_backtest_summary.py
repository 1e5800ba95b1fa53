"""Scores of a backtest, beside those of the naive forecasts."""

import numpy as np
import pandas as pd
import pytest
from _seasonal_forecaster import SeasonalForecaster
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    root_mean_squared_error,
)

from skrnn._estimators.forecasting.evaluation.baselines import Baselines
from skrnn.forecasting import backtest
from skrnn.metrics import (
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
)

RNG = np.random.default_rng(0)
T = np.arange(80.0)
Y = 30 + T + 5 * np.sin(T * np.pi / 6) + RNG.normal(size=80)
X = np.column_stack([T, np.sin(T * np.pi / 6), np.cos(T * np.pi / 6)])
MODELS = {"forecaster": "y_pred", "naive": "naive", "seasonal naive": "seasonal_naive"}


def of(**options):
    options = dict(initial=48, horizon=8, step=8, seasonal_period=12) | options
    return backtest(Ridge(), X, Y, **options)


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_those_of_the_metrics(model):
    frame = of()
    truth, predicted = frame["y_true"], frame[MODELS[model]]
    scores = frame.summary().loc[model]
    assert scores["MAE"] == pytest.approx(mean_absolute_error(truth, predicted))
    assert scores["RMSE"] == pytest.approx(root_mean_squared_error(truth, predicted))
    expected = symmetric_mean_absolute_percentage_error(truth, predicted)
    assert scores["sMAPE"] == pytest.approx(expected)
    scaled = [
        mean_absolute_scaled_error(
            part["y_true"],
            part[MODELS[model]],
            y_train=Y[: cutoff + 1],
            seasonal_period=12,
        )
        for cutoff, part in frame.groupby("cutoff")
    ]
    assert scores["MASE"] == pytest.approx(np.mean(scaled))


def test_scores_by_step_and_by_several_columns():
    frame = of()
    scores = frame.summary(by="step")
    assert scores.index.names == ["step", "model"]
    assert scores.index[:3].tolist() == [(1, model) for model in MODELS]
    third = frame[frame["step"] == 3]
    pd.testing.assert_frame_equal(scores.loc[3], third.summary())
    both = frame.summary(by=["cutoff", "step"])
    assert both.index.nlevels == 3
    assert len(both) == 3 * len(frame)


def test_without_a_season_there_is_one_naive_forecast():
    frame = of(seasonal_period=None)
    assert "seasonal_naive" not in frame
    assert frame.summary().index.tolist() == ["forecaster", "naive"]
    np.testing.assert_allclose(
        frame["scale"],
        [np.abs(np.diff(Y[: cutoff + 1])).mean() for cutoff in frame["cutoff"]],
    )


def test_quantiles_are_scored():
    frame = backtest(
        SeasonalForecaster(12), X, Y, initial=48, horizon=8, quantiles=[0.2, 0.9]
    )
    scores = frame.summary()
    truth = frame["y_true"]
    for model, names in {
        "forecaster": ["q0.2", "q0.9"], "naive": ["naive"] * 2
    }.items():  # fmt: skip
        losses = [
            mean_pinball_loss(truth, frame[name], alpha=level)
            for name, level in zip(names, (0.2, 0.9), strict=True)
        ]
        assert scores.loc[model, "pinball"] == pytest.approx(np.mean(losses))
    inside = (truth >= frame["q0.2"]) & (truth <= frame["q0.9"])
    assert scores.loc["forecaster", "coverage"] == inside.mean()
    assert scores.loc["forecaster", "nominal"] == pytest.approx(0.7)
    assert np.isnan(scores.loc["naive", "coverage"])


def test_missing_values():
    y = Y.copy()
    y[[20, 47, 50, 60]] = np.nan
    frame = backtest(Zeros(), X, y, initial=48, horizon=12, seasonal_period=12)
    # The last value that isn't missing, and that of the season before.
    assert (frame["naive"][:12] == Y[46]).all()
    expected = np.concatenate([Y[36:47], Y[35:36]])
    assert (frame["seasonal_naive"][:12] == expected).all()
    scores = frame.summary()
    assert scores.notna().all(axis=None)
    known = frame[frame["y_true"].notna()]
    assert len(known) == len(frame) - 2
    assert scores.loc["forecaster", "MAE"] == pytest.approx(known["y_true"].mean())


class Zeros:
    """Forecasts nothing."""

    def fit(self, X, y):
        """Learn nothing."""

    def predict(self, X):
        return np.zeros(len(X))


def test_a_score_is_missing_if_a_forecast_is():
    class Partly(Zeros):
        def predict(self, X):
            return np.where(np.arange(len(X)) == 2, np.nan, 1.0)

    scores = backtest(Partly(), X, Y, initial=48, horizon=8).summary(by="step")
    missing = scores["MAE"].unstack()["forecaster"].isna()
    assert missing[missing].index.tolist() == [3]


def test_a_constant_training_part_has_no_scale():
    panel = pd.concat({"flat": pd.Series(np.ones(40)), "real": pd.Series(Y[:40])})
    frame = backtest(Zeros(), None, panel, initial=30, horizon=5)
    by_series = frame.summary(by="series")["MASE"]
    assert np.isnan(by_series["flat", "forecaster"])
    whole = frame.summary()["MASE"]
    assert whole["forecaster"] == by_series["real", "forecaster"]


def test_small_series_keep_their_scale_beside_large_ones():
    panel = pd.concat({"large": pd.Series(Y * 1e12), "small": pd.Series(Y * 1e-9)})
    frame = backtest(Zeros(), None, panel, initial=40, horizon=5)
    scale = frame.groupby("series")["scale"].first()
    assert scale["small"] * 1e21 == pytest.approx(scale["large"], rel=1e-12)


@settings(max_examples=40)
@given(
    arrays(float, 24, elements=st.sampled_from([np.nan, 1.0, 2.0, 5.0])),
    st.integers(1, 6),
    st.integers(0, 10),
    st.integers(1, 10),
)
def test_baselines_are_what_a_loop_finds(values, season, start, length):
    """Compare the running sums with the words of the documentation."""
    series = np.concatenate([np.full(5, 9.0), values])
    baselines = Baselines(series[:, None], np.array([5, 24]))
    starts, ends = np.array([5 + start]), np.array([5 + start + length])
    part = series[starts[0] : ends[0]]
    changes = [abs(b - a) for a, b in zip(part, part[season:], strict=False)]
    known = [each for each in changes if not np.isnan(each)]
    expected = np.mean(known) if known else np.nan
    np.testing.assert_allclose(baselines.scale(starts, ends, season)[0, 0], expected)
    last = next((each for each in part[::-1] if not np.isnan(each)), np.nan)
    np.testing.assert_equal(baselines.naive(starts, ends)[0, 0], last)
    row = ends + 2
    found = baselines.seasonal(row, starts, ends, season)[0, 0]
    same = ends[0] - season + 2 % season
    if same < starts[0]:
        np.testing.assert_equal(found, last)
    elif not np.isnan(series[same]):
        assert found == series[same]


def test_the_frame_stays_one_that_has_a_summary():
    frame = of()
    kept = [frame[frame["step"] < 4], frame.iloc[:3], frame.copy(), frame.head()]
    kept += [pd.concat([frame, frame], ignore_index=True), frame.assign(z=1)]
    assert {type(each) for each in kept} == {type(frame)}
    pd.testing.assert_frame_equal(kept[-2].summary(), frame.summary())
    with pytest.raises(ValueError, match="summary needs the column 'y_true', but"):
        frame[["y_pred", "step"]].summary()
    with pytest.raises(ValueError, match="summary needs the column 'series', but"):
        frame.summary(by="series")
    with pytest.raises(ValueError, match="y_true is NaN everywhere"):
        frame.assign(y_true=np.nan).summary()
