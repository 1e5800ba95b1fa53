"""What leaks is found, and what doesn't leak isn't."""

import numpy as np
import pandas as pd
import pytest
from _seasonal_forecaster import SeasonalForecaster
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skrnn import GRURegressor, SlidingWindow, make_supervised
from skrnn.forecasting import WindowSplit, check_leakage
from skrnn.preprocessing import SequenceWise

N = 160
RNG = np.random.default_rng(0)
SERIES = pd.Series(
    RNG.normal(size=N).cumsum(), pd.date_range("2024", periods=N), name="sales"
)
X, Y = make_supervised(SERIES, horizon=5)
PURGED = WindowSplit(3, purge=4)


def flat(windows):
    return np.asarray(windows).reshape(len(windows), -1)


def centred(values):
    table = pd.DataFrame(np.asarray(values))
    return table.rolling(5, center=True, min_periods=1).mean().to_numpy()


def standardised(values):
    return (values - np.mean(values, axis=0)) / np.std(values, axis=0)


WINDOWS = make_pipeline(
    SlidingWindow(8, warmup="carry"), FunctionTransformer(flat), Ridge()
)
SHUFFLED = KFold(3, shuffle=True, random_state=0)
WITH_MEAN = pd.DataFrame(
    {"sales": SERIES, "mean": centred(SERIES)[:, 0], "day": SERIES.index.day_of_week}
)
NEXT = make_supervised(SERIES)
TO_FRAMES = MinMaxScaler().set_output(transform="pandas")
FROZEN = FrozenEstimator(StandardScaler().fit(X))
# A window that was cut before: (n, T, F).
CUT = np.lib.stride_tricks.sliding_window_view(SERIES.to_numpy(), 8)[:-1, :, None]

WITH_HOLES = SERIES.mask(np.isin(np.arange(N), [30, 70, 131]))
PANEL = pd.concat({"a": SERIES, "b": SERIES[20:140] * 3})


def lags(y):
    return pd.concat({"before": y.shift(1), "earlier": y.shift(3)}, axis=1)


def one_step(X):
    """Return features, and the value that follows each row."""
    table = X.to_frame("sales") if isinstance(X, pd.Series) else X
    following = SERIES.shift(-1)[table.index]
    return table[:-1], following[:-1]


def of_each(panel, make):
    """Make features of each series of a panel."""
    made = {key: make(each.droplevel(0)) for key, each in panel.groupby(level=0)}
    return tuple(pd.concat({k: m[i] for k, m in made.items()}) for i in (0, 1))


# What is checked -> kinds of leaks, and words of the first one.
LEAKS = {
    "no gap before five steps": (
        (WINDOWS, TimeSeriesSplit(3), X, Y),
        {"targets"},
        r"WindowSplit\(purge=4\)",
    ),
    "no gap, arrays": (
        (Ridge(), TimeSeriesSplit(3), X.to_numpy(), Y.to_numpy()),
        {"targets"},
        "targets up to 5 rows ahead",
    ),
    "too small a gap": (
        (Ridge(), TimeSeriesSplit(3, gap=3), X, Y),
        {"targets"},
        "leave out the last 4 rows",
    ),
    "a gap of make_supervised": (
        (Ridge(), WindowSplit(3, purge=4), *make_supervised(SERIES, horizon=5, gap=2)),
        {"targets"},
        "targets up to 7 rows ahead",
    ),
    "shuffled folds of windows": (
        (WINDOWS, SHUFFLED, *NEXT),
        {"targets", "order"},
        "within the test part",
    ),
    "folds of windows": (
        (WINDOWS, KFold(3), *NEXT),
        {"targets", "order"},
        "embargo=8",
    ),
    "shuffled folds of windows cut before": (
        (GRURegressor(units=2, epochs=1, random_state=0), SHUFFLED, CUT, SERIES[8:]),
        {"targets", "order"},
        "within the test part",
    ),
    "too small an embargo": (
        (WINDOWS, WindowSplit(3, purge=4, embargo=7, two_sided=True), X, Y),
        {"targets"},
        r"leave out 12 rows after it",
    ),
    "a scaler fitted before": (
        (WINDOWS, PURGED, StandardScaler().fit_transform(X), Y),
        {"columns"},
        "column 0 is scaled over all rows",
    ),
    "a scaler to 0 and 1 fitted before": (
        (WINDOWS, PURGED, TO_FRAMES.fit_transform(X), Y),
        {"columns"},
        "column 'sales' is scaled over all rows",
    ),
    "a frozen scaler": (
        (make_pipeline(FROZEN, Ridge()), PURGED, X, Y),
        {"frozen"},
        "saw 155",
    ),
    "a centred mean before": (
        (WINDOWS, PURGED, *make_supervised(WITH_MEAN, horizon=5, target="sales")),
        {"columns"},
        "column 'mean' is a sum of values of y that aren't known",
    ),
    "the target as a feature": (
        (Ridge(), TimeSeriesSplit(3), SERIES.to_frame(), SERIES),
        {"columns"},
        "column 'sales'",
    ),
    "a lag shorter than a forecaster's horizon": (
        (SeasonalForecaster(), WindowSplit(3, test_size=4),
         SERIES.shift(2).bfill().to_frame("lag"), SERIES),
        {"columns"},
        "column 'lag'",
    ),
    "a centred mean in the pipeline": (
        (make_pipeline(FunctionTransformer(centred), Ridge()), PURGED, X, Y),
        {"predictions"},
        "looks ahead, such as a centred mean",
    ),
    "scaling over the rows to predict": (
        (make_pipeline(FunctionTransformer(standardised), Ridge()), PURGED, X, Y),
        {"predictions"},
        "learns from all rows",
    ),
    "a forecaster that looks at past-only columns": (
        (SeasonalForecaster(past_features=["lag"], looks=True), WindowSplit(3),
         SERIES.shift(1).bfill().to_frame("lag"), SERIES),
        {"predictions"},
        r"forecasts move when the past-only columns \['lag'\] change",
    ),
    "a function that scales": (
        (Ridge(), PURGED, lambda y: (make_supervised(standardised(y), horizon=5)[0], Y),
         SERIES),
        {"features"},
        "column 'sales' of training rows moves",
    ),
    "a function with a centred mean": (
        (Ridge(), TimeSeriesSplit(3), lambda y: centred(y), SERIES),
        {"features"},
        "of training rows moves",
    ),
    "a function without a purge": (
        (Ridge(), WindowSplit(3, purge=3), lambda y: make_supervised(y, horizon=5),
         SERIES),
        {"targets", "features"},
        None,
    ),
    "a function with a short lag for a forecaster": (
        (SeasonalForecaster(), WindowSplit(3, test_size=4),
         lambda y: y.shift(2).bfill().to_frame("lag"), SERIES),
        {"features"},
        "column 'lag' of the test rows moves",
    ),
    "a function that fills holes from behind": (
        (Ridge(), TimeSeriesSplit(3), lambda y: one_step(y.bfill()), WITH_HOLES),
        {"features"},
        "column 'sales' of test rows moves when the series changes from a later",
    ),
    "a function that looks ahead on Mondays": (
        (Ridge(), TimeSeriesSplit(3), lambda y: one_step(
            y.where(y.index.day_of_week > 0, y.shift(-1).fillna(0))), SERIES),
        {"features"},
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_leaks_are_found(name):
    given, kinds, message = LEAKS[name]
    report = check_leakage(*given, on_leak="ignore", random_state=0)
    assert {leak.kind for leak in report.leaks} == kinds
    # The same is said once, not for every split.
    assert len({(leak.kind, leak.message) for leak in report.leaks}) <= 3
    if message is not None:
        with pytest.raises(ValueError, match=message):
            check_leakage(*given, random_state=0)


SOUND = {
    "five steps and a purge": (WINDOWS, PURGED, X, Y),
    "five steps and a gap": (WINDOWS, TimeSeriesSplit(3, gap=4), X, Y),
    "one step": (WINDOWS, TimeSeriesSplit(3), *NEXT),
    "both sides": (WINDOWS, WindowSplit(3, purge=4, embargo=8, two_sided=True), X, Y),
    "a scaler in the pipeline": (
        make_pipeline(StandardScaler().set_output(transform="pandas"), WINDOWS),
        PURGED, X, Y,
    ),
    "a network": (
        make_pipeline(
            SlidingWindow(4, warmup="carry"),
            SequenceWise(StandardScaler()),
            GRURegressor(units=2, epochs=2),
        ),
        PURGED, X, Y,
    ),
    "a forest without a seed": (RandomForestRegressor(4), PURGED, X, Y),
    "a search": (GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=2), PURGED, X, Y),
    "a mean of the past": (
        Ridge(), PURGED,
        *make_supervised(
            pd.DataFrame({"sales": SERIES, "mean": SERIES.rolling(5).mean().bfill()}),
            horizon=5, target="sales",
        ),
    ),
    "a function": (Ridge(), PURGED, lambda y: make_supervised(y, horizon=5), SERIES),
    "a function that drops rows": (
        Ridge(), TimeSeriesSplit(3), lambda y: one_step(lags(y).dropna()), SERIES
    ),
    "a function that drops rows of a panel": (
        Ridge(), WindowSplit(3), lambda y: of_each(
            y, lambda each: one_step(lags(each).dropna())), PANEL,
    ),
    "a function that fills holes from before": (
        Ridge(), TimeSeriesSplit(3), lambda y: one_step(y.ffill()), WITH_HOLES
    ),
    "a function of both sides": (
        Ridge(), WindowSplit(3, purge=4, embargo=8, two_sided=True),
        lambda y: make_supervised(y, horizon=5), SERIES,
    ),
    "a function of the value before": (
        Ridge(), TimeSeriesSplit(3), lambda y: y.shift(1).bfill().to_frame(), SERIES
    ),
    "a forecaster": (
        SeasonalForecaster(7), WindowSplit(3, test_size=7), WITH_MEAN[["day"]], SERIES
    ),
    "a search over a forecaster that knows X ahead": (
        GridSearchCV(
            SeasonalForecaster(7, looks=True), {"season": [7]}, cv=TimeSeriesSplit(2)
        ),
        WindowSplit(3, test_size=7), WITH_MEAN[["day"]], SERIES,
    ),
    "a lag as long as the horizon": (
        SeasonalForecaster(), WindowSplit(3, test_size=4),
        SERIES.shift(4).bfill().to_frame("lag"), SERIES,
    ),
    "a lag that is past-only": (
        SeasonalForecaster(past_features=["lag"]), WindowSplit(3, test_size=4),
        SERIES.shift(2).bfill().to_frame("lag"), SERIES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_passes(name):
    report = check_leakage(*SOUND[name], random_state=0)
    assert report.leaks == ()
    assert report.n_splits == 3


def test_panels():
    panel = pd.concat({"a": SERIES, "b": SERIES[:100] * 3})
    X, y = make_supervised(panel, horizon=3)
    assert not check_leakage(WINDOWS, WindowSplit(2, purge=2), X, y).leaks
    report = check_leakage(WINDOWS, WindowSplit(2, purge=1), X, y, on_leak="ignore")
    assert {leak.kind for leak in report.leaks} == {"targets"}


def test_a_horizon_that_is_told():
    numbers = RNG.normal(size=(N, 2))
    given = Ridge(), WindowSplit(3, purge=2), numbers, RNG.normal(size=N)
    report = check_leakage(*given)
    assert any("say how far by `horizon`" in note for note in report.notes)
    assert not check_leakage(*given, horizon=3).leaks
    with pytest.raises(ValueError, match=r"WindowSplit\(purge=3\)"):
        check_leakage(*given, horizon=4)


def test_the_report_can_be_read():
    given = Ridge(), TimeSeriesSplit(3), X, Y
    with pytest.warns(
        UserWarning, match=r"1 leak in 3 splits\.\n- \[targets\] split 0"
    ):
        report = check_leakage(*given, on_leak="warn")
    assert "Note: The columns of X were made before this check" in str(report)
    sound = check_leakage(
        Ridge(), PURGED, lambda y: make_supervised(y, horizon=5), SERIES
    )
    assert str(sound).startswith(
        "No leak in 3 splits.\n  Note: The targets lie up to 5"
    )


def test_nothing_that_is_given_changes():
    pipeline = make_pipeline(StandardScaler(), Ridge())
    before = X.copy(), Y.copy()
    check_leakage(pipeline, PURGED, X, Y)
    pd.testing.assert_frame_equal(X, before[0])
    pd.testing.assert_frame_equal(Y, before[1])
    assert not hasattr(pipeline[0], "mean_")


def test_it_refuses_by_name():
    with pytest.raises(ValueError, match=r"cv=\[\] gives no splits"):
        check_leakage(Ridge(), [], X, Y)
    with pytest.raises(
        ValueError, match="cv=5 is invalid; expected a splitter such as"
    ):
        check_leakage(Ridge(), 5, X, Y)
    with pytest.raises(
        ValueError, match="'on_leak' parameter of check_leakage must be"
    ):
        check_leakage(Ridge(), PURGED, X, Y, on_leak="stop")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_leakage(Ridge(), PURGED, X, Y[:-1])
