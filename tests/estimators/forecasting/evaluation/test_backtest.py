"""Backtests: what is trained on at each origin, the frame, and bad input."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from _seasonal_forecaster import FITS, SeasonalForecaster
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn.forecasting import Forecaster, WindowSplit, backtest

MONTHS = pd.date_range("2018-01-01", periods=60, freq="MS")
SERIES = pd.Series(np.random.default_rng(0).normal(size=60).cumsum() + 50, MONTHS)
COVARIATES = pd.DataFrame({"t": np.arange(60.0)}, MONTHS)
SPANS = {"a": slice(0, 60), "b": slice(20, 60), "ended": slice(0, 40)}
PANEL_X = pd.concat({name: COVARIATES.iloc[span] for name, span in SPANS.items()})
PANEL_Y = pd.concat(
    {name: SERIES.iloc[span] * (i + 1) for i, (name, span) in enumerate(SPANS.items())}
)


def test_a_row_is_one_forecast():
    frame = backtest(
        SeasonalForecaster(12), COVARIATES, SERIES, initial=36, horizon=6, step=3
    )
    assert frame.columns.tolist() == [
        "cutoff", "step", "time", "y_true", "y_pred", "naive", "seasonal_naive", "scale"
    ]  # fmt: skip
    assert frame["cutoff"].unique().tolist() == MONTHS[35:54:3].tolist()
    assert_array_equal(frame["step"], np.tile(np.arange(1, 7), 7))
    ahead = [c + pd.DateOffset(months=s) for c, s in frame[["cutoff", "step"]].values]
    assert frame["time"].tolist() == ahead
    assert_array_equal(frame["y_true"], SERIES[frame["time"]])
    assert_array_equal(frame["y_pred"], frame["seasonal_naive"])
    a_year_ago = [time - pd.DateOffset(months=12) for time in frame["time"]]
    assert_array_equal(frame["y_pred"], SERIES[a_year_ago])
    assert_array_equal(frame["naive"], SERIES[frame["cutoff"]])
    known = [SERIES[:cutoff].diff(12).abs().mean() for cutoff in frame["cutoff"]]
    np.testing.assert_allclose(frame["scale"], known)


@pytest.mark.parametrize(
    ("refit", "fits"), [(True, 7), (False, 1), (3, 3), (1, 7), (100, 1)]
)
def test_what_is_trained_and_what_updated(refit, fits):
    FITS.clear()
    options = dict(initial=36, horizon=6, step=3)
    found = backtest(SeasonalForecaster(5), COVARIATES, SERIES, refit=refit, **options)
    assert len(FITS) == fits
    # A season ago is the same, were the last values learnt or handed over.
    every = backtest(SeasonalForecaster(5), COVARIATES, SERIES, **options)
    pd.testing.assert_frame_equal(found, every)


def test_an_update_gets_what_came_since():
    class Telling(SeasonalForecaster):
        def update(self, X, y, *, groups=None):
            told.append((X.index[0], X.index[-1], len(y)))
            return super().update(X, y)

    told = []
    backtest(Telling(), COVARIATES, SERIES, initial=50, horizon=2, step=4, refit=False)
    assert told == [(MONTHS[50], MONTHS[53], 4), (MONTHS[54], MONTHS[57], 4)]


def test_what_has_no_update_stays_as_it_was_trained():
    model = make_pipeline(StandardScaler(), Ridge())
    found = backtest(
        model, COVARIATES, SERIES, initial=40, horizon=5, step=5, refit=False
    )
    once = model.fit(COVARIATES[:40], SERIES[:40]).predict(COVARIATES[40:])
    np.testing.assert_allclose(found["y_pred"], once)


def test_the_forecaster_given_stays_as_it_is():
    model = Ridge().fit(COVARIATES, -SERIES)
    before = copy.deepcopy(vars(model))
    backtest(model, COVARIATES, SERIES, initial=40)
    assert vars(model).keys() == before.keys()
    assert_array_equal(model.coef_, before["coef_"])


def test_workers_find_the_same():
    options = dict(initial=40, horizon=4, refit=2)
    found = [
        backtest(Ridge(), PANEL_X, PANEL_Y, n_jobs=n_jobs, **options)
        for n_jobs in (None, 2)
    ]
    pd.testing.assert_frame_equal(*found)


SPLITTERS = {
    "TimeSeriesSplit": TimeSeriesSplit(3, test_size=4),
    "a gap": TimeSeriesSplit(3, test_size=4, gap=2),
    "WindowSplit": WindowSplit(3, test_size=4, expanding=False),
    "pairs": [(np.arange(20), np.arange(20, 24)), (np.arange(30), np.arange(30, 33))],
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_splitters_say_what_the_origins_are(name):
    cv = SPLITTERS[name]
    found = backtest(Ridge(), COVARIATES, SERIES, cv=cv)
    splits = list(cv.split(COVARIATES)) if hasattr(cv, "split") else cv
    assert_array_equal(found["time"], MONTHS[np.concatenate([t for _, t in splits])])
    expected = [
        Ridge().fit(COVARIATES.iloc[a], SERIES.iloc[a]).predict(COVARIATES.iloc[b])
        for a, b in splits
    ]
    np.testing.assert_allclose(found["y_pred"], np.concatenate(expected))
    assert found["cutoff"].unique().tolist() == [MONTHS[a[-1]] for a, _ in splits]


def test_a_forecaster_with_a_gap_is_asked_behind_it():
    options = dict(initial=30, horizon=3)
    found = backtest(SeasonalForecaster(6, gap=2), COVARIATES, SERIES, **options)
    first = found.iloc[0]
    assert (first["cutoff"], first["time"]) == (MONTHS[29], MONTHS[32])
    assert_array_equal(found["y_pred"], found["seasonal_naive"])


def test_the_horizon_is_that_of_the_forecaster():
    found = backtest(SeasonalForecaster(horizon=5), COVARIATES, SERIES, initial=50)
    assert found["step"].tolist() == [1, 2, 3, 4, 5] * 2


@pytest.mark.parametrize(
    "initial", ["2021-06-15", pd.Timestamp("2021-06-01"), 42], ids=str
)
def test_initial_may_be_a_time(initial):
    found = backtest(Ridge(), COVARIATES, SERIES, initial=initial, horizon=12)
    assert found["cutoff"].iloc[0] == MONTHS[41]
    of_periods = [each.copy() for each in (COVARIATES, SERIES)]
    for each in of_periods:
        each.index = each.index.to_period()
    if not isinstance(initial, pd.Timestamp):
        found = backtest(Ridge(), *of_periods, initial=initial, horizon=12)
        assert found["time"].dtype == "period[M]"
        assert found["cutoff"].iloc[0] == pd.Period("2021-06")


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_initial_as_text_is_a_whole_day_or_month_as_in_a_slice(zone):
    hours = pd.date_range("2024-06-27", periods=200, freq="h", tz=zone)
    y = pd.Series(np.arange(200.0), hours)
    for text in ("2024-06-30", "2024-06", "2024-06-30 23:00"):
        found = backtest(Ridge(), y.to_frame("x"), y, initial=text, horizon=12)
        assert found["cutoff"].iloc[0] == y[:text].index[-1] == hours[95]
    days = y.tz_localize(None)[:60].set_axis(pd.period_range("2024-01", periods=60))
    found = backtest(Ridge(), days.to_frame("x"), days, initial="2024-01", horizon=7)
    assert found["cutoff"].iloc[0] == pd.Period("2024-01-31", "D")


# Panels


@pytest.mark.parametrize("refit", [True, False, 2])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_panel_is_cut_at_the_same_times(refit, mixed):
    X, y = PANEL_X, PANEL_Y
    if mixed:
        order = np.argsort(X.index.get_level_values(1), kind="stable")
        X, y = X.iloc[order], y.iloc[order]
    found = backtest(
        SeasonalForecaster(12), X, y, initial=36, horizon=6, step=6, refit=refit
    )
    assert found.columns[0] == "series"
    assert found["cutoff"].unique().tolist() == MONTHS[35:54:6].tolist()
    truth = [PANEL_Y[key] for key in found[["series", "time"]].itertuples(index=False)]
    assert_array_equal(found["y_true"], truth)
    assert_array_equal(found["y_pred"], found["seasonal_naive"])
    # It has four values behind the first cutoff, and none behind the others.
    assert (found["series"] == "ended").sum() == 4


def test_a_series_that_begins_late_comes_with_the_next_training():
    late = pd.concat([PANEL_X, pd.concat({"late": COVARIATES[40:]})])
    y = pd.Series(np.arange(len(late)) + 0.5, late.index)
    options = dict(initial=38, horizon=2, step=5)
    found = [
        backtest(SeasonalForecaster(), late, y, refit=refit, **options)
        for refit in (True, False, 2)
    ]
    counts = [(each["series"] == "late").sum() for each in found]
    assert counts == [8, 0, 6]


@pytest.mark.parametrize("form", ["array", "column", "polars"])
def test_groups_without_times_end_together(form):
    groups = np.repeat(["a", "b"], [12, 8])
    X = pd.DataFrame({"id": groups, "x": np.arange(20.0)}).set_index(np.arange(20))
    y = np.arange(20.0)
    options = {"groups": "id"}
    if form == "polars":
        X = pytest.importorskip("polars").from_pandas(X)
    if form == "array":
        X, options = X[["x"]].to_numpy(), {"groups": groups}
    found = backtest(SeasonalForecaster(), X, y, initial=8, horizon=2, **options)
    assert found["cutoff"].tolist() == [7, 7, 3, 3, 9, 9, 5, 5]
    assert found["time"].tolist() == [8, 9, 4, 5, 10, 11, 6, 7]
    assert found["y_pred"].tolist() == [7, 7, 15, 15, 9, 9, 17, 17]


def test_names_of_series_may_be_tuples():
    index = pd.MultiIndex.from_product([["N", "S"], [1, 2], range(6)])
    X = pd.DataFrame({"x": np.arange(24.0)}, index)
    found = backtest(Ridge(), X, X["x"], initial=4, horizon=1)
    assert found["series"].iloc[0] == ("N", 1)
    assert found.summary(by="series").index[0] == (("N", 1), "forecaster")


# Forms of X and y


@pytest.mark.parametrize("X", [None, MONTHS, pd.DataFrame(index=MONTHS)], ids=str)
def test_a_series_may_have_no_covariates(X):
    found = backtest(SeasonalForecaster(12), X, SERIES, initial=48, horizon=12)
    assert found["time"].tolist() == MONTHS[48:].tolist()
    bare = backtest(SeasonalForecaster(12), None, SERIES.to_numpy(), initial=48)
    assert bare["time"].tolist() == list(range(48, 60))


def test_several_targets():
    y = pd.DataFrame({"up": SERIES, "down": -SERIES})
    found = backtest(SeasonalForecaster(12), COVARIATES, y, initial=48, horizon=6)
    assert found["target"].tolist() == (["up"] * 6 + ["down"] * 6) * 2
    sign = np.where(found["target"] == "up", 1, -1)
    assert_array_equal(found["y_true"], sign * SERIES[found["time"]].to_numpy())
    assert_array_equal(found["y_pred"], found["seasonal_naive"])
    by_target = found.summary(by="target")["MAE"].unstack(0)
    assert_array_equal(by_target["up"], by_target["down"])


def test_quantiles_are_columns():
    options = dict(initial=48, horizon=6, quantiles=[0.1, 0.5, 0.95])
    found = backtest(SeasonalForecaster(12), COVARIATES, SERIES, **options)
    np.testing.assert_allclose(found["q0.1"], found["y_pred"] - 4)
    np.testing.assert_allclose(found["q0.95"], found["y_pred"] + 4.5)
    assert found.quantile_columns() == {"q0.1": 0.1, "q0.5": 0.5, "q0.95": 0.95}


def test_quantiles_are_those_of_the_forecaster():
    model = SeasonalForecaster(12)
    model.__class__ = type("Own", (SeasonalForecaster,), {"quantiles": (0.2, 0.8)})
    found = backtest(model, COVARIATES, SERIES, initial=48, horizon=6)
    assert [*found.quantile_columns()] == ["q0.2", "q0.8"]


# Nothing of the future


@settings(max_examples=20)
@given(st.integers(20, 50), st.integers(1, 6), st.sampled_from([True, False, 2]))
def test_the_future_moves_nothing(initial, horizon, refit):
    y = SERIES.to_numpy()
    other = np.where(np.arange(60) < initial, y, -1e6)
    found = [
        backtest(
            SeasonalForecaster(7),
            None,
            each,
            initial=initial,
            horizon=horizon,
            refit=refit,
        )
        for each in (y, other)
    ]
    names = ["y_pred", "naive", "seasonal_naive", "scale"]
    first = [each.loc[each["cutoff"] == initial - 1, names] for each in found]
    pd.testing.assert_frame_equal(*first)


# The bar


def test_a_bar_shows_how_far_it_is(capsys):
    backtest(Ridge(), COVARIATES, SERIES, initial=30, horizon=6, verbose=1)
    shown = capsys.readouterr().err
    assert "backtest [####" in shown
    assert "origin 5/5" in shown
    assert "MAE" in shown
    backtest(Ridge(), COVARIATES, SERIES, initial=30, horizon=6)
    assert not capsys.readouterr().err


# Bad input

REFUSED = {
    "cv and initial": (
        dict(cv=TimeSeriesSplit(), initial=3),
        "initial=3 and cv=TimeSeriesSplit",
    ),
    "a number of folds": (dict(cv=5), "cv=5 is invalid; expected a splitter such as"),
    "an array without axes": (dict(cv=np.array("a")), r"cv=array\('a'.* is invalid"),
    "shuffled folds": (
        dict(cv=KFold(3, shuffle=True, random_state=0)),
        "Split 0 of cv=KFold.* trains on rows that are later than row",
    ),
    "no splits": (dict(cv=[]), r"cv=\[\] gives no splits"),
    "too long a start": (dict(initial=60), "initial=60 and horizon=1 leave no origin"),
    "too long a horizon": (dict(initial=30, horizon=31), "horizon=31 leave no origin"),
    "no start": (dict(initial=0), "initial=0 leaves nothing to train on"),
    "a start of another kind": (dict(initial="soon"), "initial='soon' can't be compar"),
    "a step of 0": (dict(step=0), "'step' parameter of backtest must be"),
    "refit of 0": (dict(refit=0), "'refit' parameter of backtest must be"),
    "a quantile of 1": (dict(quantiles=[0.5, 1]), r"quantiles=\[0.5, 1\] is invalid"),
    "unsorted quantiles": (
        dict(quantiles=[0.9, 0.1]),
        "is invalid; expected ascending",
    ),
    "a text as a quantile": (dict(quantiles=["low"]), "is invalid; expected ascending"),
    "an unknown column": (dict(groups="id"), "groups='id' is no column of X"),
    "short groups": (dict(groups=["a"] * 59), r"groups has shape \(59,\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_by_name(name):
    options, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        backtest(SeasonalForecaster(), COVARIATES, SERIES, **options)


def test_what_a_mask_hides_is_missing_and_not_the_truth():
    hidden, is_masked = SERIES.to_numpy().copy(), np.arange(60) == 57
    hidden[57] = 1e6
    masked = np.ma.array(hidden, mask=is_masked)
    told = SERIES.mask(is_masked).to_numpy()
    forecaster = Forecaster(Ridge(), lookback=2, impute="last")
    found = [backtest(forecaster, None, y, initial=50) for y in (masked, told)]
    assert found[0].equals(found[1])
    assert not (found[0] == 1e6).any(axis=None)


def test_it_refuses_bad_data():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        backtest(Ridge(), COVARIATES, SERIES[:-1])
    with pytest.raises(ValueError, match="is not in time order"):
        backtest(Ridge(), COVARIATES[::-1], SERIES[::-1])
    with pytest.raises(ValueError, match=r"Found array with 0 sample.*y is empty"):
        backtest(Ridge(), COVARIATES[:0], SERIES[:0])
    with pytest.raises(ValueError, match="The index of y isn't that of X: row 0 is "):
        backtest(Ridge(), COVARIATES, SERIES.shift(1, freq="MS"))
    with pytest.raises(ValueError, match="y has dtype <U2, but Forecaster expects n"):
        backtest(Ridge(), COVARIATES, ["up"] * 60)
    with pytest.raises(ValueError, match="Complex data not supported"):
        backtest(Ridge(), None, np.ones(60) + 1j)
    with pytest.raises(ValueError, match=r"got an array of shape \(60, 1, 1\)"):
        backtest(Ridge(), COVARIATES, np.zeros((60, 1, 1)))
    with pytest.raises(TypeError, match="Sparse data was passed"):
        backtest(Ridge(), None, coo_array(np.ones((60, 2))))
    with pytest.raises(TypeError, match="X can't be read"):
        backtest(Ridge(), np.array(1.0), SERIES)
    with pytest.raises(TypeError, match="y can't be read"):
        backtest(Ridge(), None, 1.0)
    split = TimeSeriesSplit(3, test_size=40)
    with pytest.raises(ValueError, match="tests series 'b', of which it has no train"):
        backtest(Ridge(), PANEL_X, PANEL_Y, cv=split)


@pytest.mark.parametrize("wrong", [Ridge, "a forecaster", StandardScaler()], ids=str)
def test_it_takes_what_can_be_fitted_and_asked(wrong):
    with pytest.raises(TypeError, match="has no method"):
        backtest(wrong, COVARIATES, SERIES)
    with pytest.raises(TypeError, match="has no method predict_quantiles"):
        backtest(Ridge(), COVARIATES, SERIES, quantiles=[0.5])


def test_an_error_says_at_which_cutoff_it_came():
    class Tired(SeasonalForecaster):
        def fit(self, X, y, *, groups=None):
            if len(y) > 40:
                raise RuntimeError("too much")
            return super().fit(X, y)

    with pytest.raises(RuntimeError, match="too much") as caught:
        backtest(Tired(), COVARIATES, SERIES, initial=36, horizon=3)
    assert caught.value.__notes__ == ["backtest was at the cutoff 2021-06-01 00:00:00."]


def test_an_answer_of_another_shape_is_refused():
    class Short(SeasonalForecaster):
        def predict(self, X, *, groups=None):
            return super().predict(X)[:-1]

    with pytest.raises(ValueError, match=r"predict returned shape \(5,\) for 6 rows"):
        backtest(Short(), COVARIATES, SERIES, initial=36, horizon=6)


def test_the_frame_can_be_pickled():
    found = backtest(Ridge(), PANEL_X, PANEL_Y, initial=36, horizon=6)
    again = pickle.loads(pickle.dumps(found))
    assert type(again) is type(found)
    pd.testing.assert_frame_equal(again.summary(by="series"), found.summary("series"))
