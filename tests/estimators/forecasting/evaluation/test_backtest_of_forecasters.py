"""Backtests and checks of the Forecaster itself."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit

from skrnn import LSTMRegressor
from skrnn.forecasting import Forecaster, WindowSplit, backtest, check_leakage

MONTHS = pd.date_range("2014-01-01", periods=96, freq="MS")
RNG = np.random.default_rng(0)
T = np.arange(96)
SERIES = pd.Series(50 + T + 10 * np.sin(T * np.pi / 6) + RNG.normal(size=96), MONTHS)
COVARIATES = pd.DataFrame(
    {"known": RNG.normal(size=96), "past": RNG.normal(size=96)}, MONTHS
)
NETWORK = Forecaster(
    LSTMRegressor(units=2), horizon=6, n_members=1, n_windows=64, random_state=0
)
LINEAR = Forecaster(Ridge(), horizon=6)
FORMS = {
    "a series": (None, SERIES),
    "an array": (None, SERIES.to_numpy()),
    "an index": (MONTHS, SERIES.to_numpy()),
    "covariates": (COVARIATES, SERIES),
    "two targets": (None, pd.DataFrame({"up": SERIES, "down": -SERIES})),
    "a panel": (None, pd.concat({"a": SERIES, "b": SERIES[:80], "c": SERIES[30:] * 9})),
}


@pytest.mark.parametrize("model", [NETWORK, LINEAR], ids=["network", "linear"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("refit", [True, False])
def test_every_form_is_forecast_from_every_origin(model, form, refit):
    X, y = FORMS[form]
    found = backtest(model, X, y, initial=72, step=9, refit=refit)
    assert found["step"].max() == 6
    assert found["cutoff"].nunique() == 3
    assert found["y_pred"].notna().all()
    by = "series" if form == "a panel" else None
    assert found.summary(by).notna().all(axis=None)
    if form != "an array":
        # Months have a season, which the forecaster finds.
        assert "seasonal_naive" in found


def test_a_linear_forecaster_beats_the_naive_one():
    scores = backtest(LINEAR, None, SERIES, initial=72).summary()["MASE"]
    assert scores["forecaster"] < scores["naive"] / 1.5


@pytest.mark.parametrize("model", [NETWORK, LINEAR], ids=["network", "linear"])
@pytest.mark.parametrize("refit", [True, False])
def test_no_forecast_moves_with_the_future(model, refit):
    other = SERIES.where(T < 80, -1e4)
    found = [
        backtest(model, None, y, initial=72, step=8, refit=refit).query(
            "cutoff <= @MONTHS[79]"
        )
        for y in (SERIES, other)
    ]
    names = ["y_pred", "naive", "scale"]
    assert len(found[0]) == 12
    pd.testing.assert_frame_equal(found[0][names], found[1][names])


def test_a_splitter_serves_as_it_serves_searches():
    found = backtest(LINEAR, None, SERIES, cv=TimeSeriesSplit(2, test_size=6))
    ours = backtest(LINEAR, None, SERIES, cv=WindowSplit(2, test_size=6))
    pd.testing.assert_frame_equal(found, ours)


@pytest.mark.parametrize("model", [NETWORK, LINEAR], ids=["network", "linear"])
def test_nothing_leaks(model):
    model = Forecaster(**model.get_params(deep=False) | {"past_features": ["past"]})
    split = WindowSplit(2, test_size=6)
    assert not check_leakage(model, split, COVARIATES, SERIES, random_state=0).leaks


@pytest.mark.parametrize("X", [None, SERIES.index], ids=["None", "an index"])
def test_leaks_are_looked_for_without_columns(X):
    split = TimeSeriesSplit(2, test_size=6)
    assert not check_leakage(LINEAR, split, X, SERIES, random_state=0).leaks
    shuffled = [(np.arange(20, 60), np.arange(20))]
    with pytest.raises(ValueError, match="order"):
        check_leakage(LINEAR, shuffled, X, SERIES, random_state=0)
