"""Pictures of forecasts: history, fan, truth and cutoff over time."""

import numpy as np
import pandas as pd
import pytest
from _stub_forecaster import StubForecaster, monthly, panel
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import dates
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skrnn.inspection import ForecastDisplay
from skrnn.inspection.forecasts._times import set_ticks

Y = monthly(name="sales")
PAST, FUTURE = Y[:48], Y[48:]
FITTED = StubForecaster().fit(None, PAST)


def legend_of(place):
    (legend,) = [place.get_legend()] if hasattr(place, "get_legend") else place.legends
    return [text.get_text() for text in legend.get_texts()]


def bounds_of(area):
    """Return the lowest and highest y of a fan over its times, and their number."""
    vertices = area.get_paths()[0].vertices
    times = np.unique(vertices[:, 0])
    at = [vertices[vertices[:, 0] == time, 1] for time in times]
    return np.array([[y.min(), y.max()] for y in at])


def as_dates(periods):
    return periods.to_timestamp().to_numpy()


def test_history_forecast_fan_truth_and_cutoff_are_drawn():
    display = ForecastDisplay.from_estimator(FITTED, FUTURE)
    (history,), (line,), (truth,) = (
        display.history_lines_,
        display.lines_,
        display.truth_lines_,
    )
    np.testing.assert_array_equal(history.get_ydata(), PAST[-36:])
    np.testing.assert_array_equal(history.get_xdata(), as_dates(PAST.index[-36:]))
    np.testing.assert_array_equal(line.get_ydata(), np.full(12, PAST.iloc[-1]))
    np.testing.assert_array_equal(line.get_xdata(), as_dates(FUTURE.index))
    np.testing.assert_array_equal(truth.get_ydata(), FUTURE)
    (cutoff,) = display.cutoff_lines_
    assert cutoff.get_xdata()[0] == as_dates(PAST.index)[-1]
    wide, narrow = map(bounds_of, display.fill_between_)
    np.testing.assert_allclose(wide, PAST.iloc[-1] + np.tile([-0.9, 0.9], (12, 1)))
    np.testing.assert_allclose(narrow, PAST.iloc[-1] + np.tile([-0.5, 0.5], (12, 1)))
    expected = ["history", "truth", "forecast", "90 %", "50 %", "cutoff"]
    assert legend_of(display.ax_) == expected
    assert display.ax_.get_ylabel() == "sales"
    assert display.figure_ is display.ax_.figure
    assert display.series_ == []


def test_wider_intervals_are_lighter_and_behind():
    display = ForecastDisplay.from_estimator(FITTED, coverage=(0.5, 0.95, 0.8))
    shades = [area.get_facecolor()[0, :3].sum() for area in display.fill_between_]
    order = [area.get_zorder() for area in display.fill_between_]
    # They are the forecast's colour, mixed with white.
    missing = 1 - np.array(to_rgb(display.lines_[0].get_color()))
    for area in display.fill_between_:
        share = (1 - area.get_facecolor()[0, :3]) / missing
        np.testing.assert_allclose(share, share[0])
    assert shades == sorted(shades, reverse=True)
    assert order == sorted(order)
    assert order[-1] < display.lines_[0].get_zorder()


@pytest.mark.parametrize("coverage", [None, (), 0.8, [0.8]])
def test_coverage_is_one_several_or_none(coverage):
    display = ForecastDisplay.from_estimator(FITTED, coverage=coverage)
    assert len(display.fill_between_) == (coverage in (0.8, [0.8]))
    assert len(display.lines_[0].get_xdata()) == 6


@pytest.mark.parametrize(("widest", "n"), [(1, 2), (0.6, 1), (0, 0)])
def test_intervals_that_a_forecaster_lacks_are_left_out_unless_asked_for(widest, n):
    forecaster = StubForecaster(widest=widest).fit(None, PAST)
    display = ForecastDisplay.from_estimator(forecaster)
    assert len(display.fill_between_) == n
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [PAST.iloc[-1]] * 6)
    if widest < 1:
        with pytest.raises(ValueError, match="coverage must be at most"):
            ForecastDisplay.from_estimator(forecaster, coverage=0.9)


@pytest.mark.parametrize(
    ("n_history", "expected"), [(5, 5), (None, 48), ("auto", 30), (100, 48)]
)
def test_the_end_of_the_history_is_drawn(n_history, expected):
    display = ForecastDisplay.from_estimator(FITTED, n_history=n_history)
    assert len(display.history_lines_[0].get_xdata()) == expected


def test_steps_come_from_the_truth_the_covariates_or_the_forecaster():
    def length(*given, **options):
        display = ForecastDisplay.from_estimator(FITTED, *given, **options)
        return len(display.lines_[0].get_xdata())

    assert length(FUTURE[:5]) == 5
    assert length(FUTURE[:5], steps=7) == 7
    assert length(FUTURE[:5], X=np.zeros((9, 1))) == 9
    assert length() == 6


def test_a_history_of_a_new_series_is_drawn_in_place_of_the_known_one():
    new = monthly(20, "2025-01")
    display = ForecastDisplay.from_estimator(FITTED, history=new)
    np.testing.assert_array_equal(display.history_lines_[0].get_ydata(), new)
    assert display.lines_[0].get_xdata()[0] == np.datetime64("2026-09-01")


def test_a_truth_without_labels_has_those_of_the_forecast():
    display = ForecastDisplay.from_estimator(FITTED, FUTURE.to_numpy())
    np.testing.assert_array_equal(
        display.truth_lines_[0].get_xdata(), as_dates(FUTURE.index)
    )


def test_truth_outside_of_the_forecast_is_not_drawn():
    display = ForecastDisplay.from_estimator(FITTED, Y, steps=6)
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), FUTURE[:6])


def test_a_gap_is_left_between_history_and_forecast():
    forecast, truth = FUTURE[3:] + 1, FUTURE
    display = ForecastDisplay(forecast, history=PAST, truth=truth).plot()
    assert display.lines_[0].get_xdata()[0] == np.datetime64("2024-04-01")
    assert len(display.truth_lines_[0].get_xdata()) == 12
    assert display.cutoff_lines_[0].get_xdata()[0] == np.datetime64("2023-12-01")


def test_one_step_can_be_seen():
    display = ForecastDisplay.from_estimator(FITTED, FUTURE[:1])
    assert display.lines_[0].get_marker() == "o"
    wide, narrow = (area.get_segments()[0][:, 1] for area in display.fill_between_)
    np.testing.assert_allclose(wide, PAST.iloc[-1] + np.array([-0.9, 0.9]))
    np.testing.assert_allclose(narrow, PAST.iloc[-1] + np.array([-0.5, 0.5]))
    display.figure_.draw_without_rendering()


# Time

KINDS = {
    "periods": PAST.index,
    "quarters": pd.period_range("2000Q1", periods=48, freq="Q"),
    "month ends": pd.date_range("2020-01-31", periods=48, freq="ME"),
    "business days": pd.bdate_range("2024-01-01", periods=48),
    "half hours": pd.date_range("2024-03-30 12:00", periods=48, freq="30min"),
    "a zone": pd.date_range("2024-03-30", periods=48, freq="h", tz="Europe/Berlin"),
    "rows": pd.RangeIndex(48),
    "every second": pd.Index(range(100, 196, 2)),
}


@pytest.mark.parametrize("index", KINDS.values(), ids=KINDS)
def test_every_index_has_its_axis(index):
    forecaster = StubForecaster().fit(None, pd.Series(PAST.to_numpy(), index))
    display = ForecastDisplay.from_estimator(forecaster)
    axis = display.ax_.xaxis
    display.figure_.draw_without_rendering()
    texts = [text.get_text() for text in axis.get_ticklabels()]
    assert any(texts)
    is_time = not isinstance(index[0], int | np.integer)
    assert isinstance(axis.get_major_formatter(), dates.ConciseDateFormatter) == is_time
    assert display.ax_.get_xlabel() == ("" if is_time else "Row")
    ahead = display.lines_[0].get_xdata()
    assert (ahead > display.history_lines_[0].get_xdata()[-1]).all()


def test_ticks_are_those_of_the_zone():
    index = pd.date_range("2024-06-01", periods=96, freq="h", tz="Asia/Tokyo")
    display = ForecastDisplay(pd.Series(range(96), index, dtype=float)).plot()
    # What is drawn is UTC: nine hours before.
    assert display.lines_[0].get_xdata()[0] == np.datetime64("2024-05-31T15")
    ticks = dates.num2date(display.ax_.get_xticks())
    assert {tick.astimezone(index.tz).hour for tick in ticks} == {0}


@pytest.mark.parametrize("small", [False, True])
def test_every_span_of_time_has_a_few_ticks(small):
    index = pd.date_range("2022-07-01", periods=2, freq="D")
    _, ax = plt.subplots()
    for hours in np.geomspace(1, 24 * 366 * 40, 150):
        ax.set_xlim(index[0], index[0] + pd.Timedelta(hours=hours))
        set_ticks(ax, index, small=small)
        # Matplotlib warns if it has no interval that fits.
        assert 1 <= len(ax.get_xticks()) <= (6 if small else 9), hours


def test_dates_of_python_are_dates():
    index = [stamp.date() for stamp in pd.date_range("2024-01-01", periods=4)]
    display = ForecastDisplay(pd.Series(range(4), index)).plot()
    assert display.lines_[0].get_xdata()[0] == np.datetime64("2024-01-01")


def test_rows_in_disorder_are_drawn_in_order():
    display = ForecastDisplay(FUTURE[::-1], history=PAST.sample(frac=1)).plot()
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), FUTURE)
    np.testing.assert_array_equal(display.history_lines_[0].get_ydata(), PAST[-36:])


# Panels

PANEL = panel(11, 48)
KNOWN, CAME = (
    getattr(PANEL.groupby(level=0, group_keys=False), part)(n)
    for part, n in (("head", 36), ("tail", 12))
)
OF_PANEL = StubForecaster().fit(None, KNOWN)


def test_a_panel_is_small_multiples():
    display = ForecastDisplay.from_estimator(OF_PANEL, CAME)
    assert display.axes_.shape == (9,)
    assert display.series_ == [f"s{i}" for i in range(9)]
    assert [ax.get_title(loc="left") for ax in display.axes_] == display.series_
    for i, line in enumerate(display.truth_lines_):
        np.testing.assert_array_equal(line.get_ydata(), CAME[f"s{i}"])
        assert line.axes is display.axes_[i]
    assert len(display.fill_between_) == 18
    texts = [text.get_text() for text in display.axes_[-1].texts]
    assert texts == ["9 of 11 series"]
    assert legend_of(display.figure_)[:3] == ["history", "truth", "forecast"]
    # The times stand below the lowest row only.
    display.figure_.draw_without_rendering()
    below = [ax.xaxis.get_tick_params()["labelbottom"] for ax in display.axes_]
    assert below == [False] * 6 + [True] * 3


@pytest.mark.parametrize("given", [["s10", "s2"], "s2"])
def test_series_are_chosen_by_name(given):
    display = ForecastDisplay.from_estimator(OF_PANEL, series=given)
    assert display.series_ == ([given] if isinstance(given, str) else given)
    assert not display.axes_[-1].texts
    last = KNOWN[display.series_[0]].iloc[-1]
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [last] * 6)


def test_a_panel_divides_the_axes_of_the_user():
    figure, axes = plt.subplots(1, 2)
    display = ForecastDisplay.from_estimator(OF_PANEL, ax=axes[0], max_series=4)
    assert display.figure_ is figure
    assert len(figure.axes) == 6
    right = axes[1].get_position().x0
    assert all(ax.get_position().x1 < right for ax in display.axes_)
    assert not figure.legends
    _, given = plt.subplots(2, 2)
    display = ForecastDisplay.from_estimator(OF_PANEL, ax=given, max_series=4)
    assert list(display.axes_) == list(given.ravel())


def test_series_of_other_lengths_and_without_truth_stand_beside_one_another():
    y = pd.concat({"long": monthly(40), "short": monthly(3, "2024-01")})
    truth = pd.concat({"short": monthly(12, "2024-04")})
    display = ForecastDisplay.from_estimator(StubForecaster().fit(None, y), truth)
    drawn = [len(line.get_xdata()) for line in display.history_lines_]
    assert drawn == [36, 3]
    assert [line.axes for line in display.truth_lines_] == [display.axes_[1]]


def test_several_targets_stand_beside_one_another():
    y = pd.DataFrame({"north": PAST, "south": 10 * PAST})
    truth = pd.DataFrame({"north": FUTURE, "south": 10 * FUTURE})
    display = ForecastDisplay.from_estimator(StubForecaster().fit(None, y), truth)
    assert display.series_ == ["north", "south"]
    np.testing.assert_array_equal(display.truth_lines_[1].get_ydata(), 10 * FUTURE)
    last = 10 * PAST.iloc[-1]
    np.testing.assert_allclose(
        bounds_of(display.fill_between_[2])[0], [last - 0.9, last + 0.9]
    )


def test_several_targets_of_a_panel_have_both_names():
    y = pd.DataFrame({"a": KNOWN, "b": KNOWN})
    made = ForecastDisplay(y.groupby(level=0).tail(3))
    display = made.plot(series=["s1", "s0"])
    assert display.series_ == ["s1, a", "s1, b", "s0, a", "s0, b"]


# Without a forecaster


@settings(max_examples=25)
@given(
    n=st.integers(1, 40),
    steps=st.integers(1, 30),
    n_bands=st.integers(0, 3),
    n_targets=st.integers(1, 3),
)
def test_arrays_of_any_shape_are_drawn(n, steps, n_bands, n_targets):
    shape = (steps,) if n_targets == 1 else (steps, n_targets)
    forecast = np.zeros(shape)
    bands = np.stack([forecast - 1, forecast + 1], axis=-1)
    display = ForecastDisplay(
        forecast,
        history=np.ones((n, *shape[1:])),
        intervals={0.9 / (i + 1): bands for i in range(n_bands)},
        truth=forecast + 0.5,
    ).plot(n_history=None)
    assert len(display.axes_) == n_targets
    for line in display.lines_:
        np.testing.assert_array_equal(line.get_xdata(), np.arange(n, n + steps))
    assert len(display.fill_between_) == n_bands * n_targets
    assert display.history_lines_[0].get_xdata()[-1] == n - 1
    plt.close(display.figure_)


def test_a_list_of_numbers_is_one_forecast():
    display = ForecastDisplay([1, 2, 3]).plot()
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [1, 2, 3])
    assert not display.cutoff_lines_
    assert not display.history_lines_


def test_forecasts_of_several_cutoffs_are_drawn():
    parts, cutoffs = [FUTURE[:3] + 1, FUTURE[3:6] + 1], [PAST.index[-1], "2024-03"]
    bands = [{0.8: np.c_[each - 1, each + 1]} for each in parts]
    display = ForecastDisplay(
        parts, history=PAST, truth=FUTURE, intervals=bands, cutoffs=cutoffs
    ).plot()
    assert [line.get_ydata()[0] for line in display.lines_] == [
        FUTURE.iloc[0] + 1,
        FUTURE.iloc[3] + 1,
    ]
    assert len({line.get_color() for line in display.lines_}) == 1
    drawn = [line.get_xdata()[0] for line in display.cutoff_lines_]
    assert drawn == [np.datetime64("2023-12-01"), np.datetime64("2024-03-01")]
    assert legend_of(display.ax_).count("forecast") == 1


def test_styles_of_the_user_replace_ours():
    looks = dict(
        line_kw={"c": "red"},
        history_kw={"lw": 4},
        truth_kw={"marker": "x"},
        fill_between_kw={"fc": "green", "alpha": 0.2},
    )
    display = ForecastDisplay.from_estimator(FITTED, FUTURE, **looks)
    assert display.lines_[0].get_color() == "red"
    assert display.history_lines_[0].get_linewidth() == 4
    assert display.truth_lines_[0].get_marker() == "x"
    assert display.fill_between_[0].get_alpha() == 0.2


@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize("name", ["color", "facecolor", "fc"])
def test_intervals_take_a_color_by_any_name(steps, name):
    looks = dict(fill_between_kw={name: "#ff0000"}, steps=steps)
    display = ForecastDisplay.from_estimator(FITTED, **looks)
    for area in display.fill_between_:
        colors = area.get_facecolor() if steps > 1 else area.get_color()
        np.testing.assert_array_equal(colors[0], [1, 0, 0, 1])


def test_the_legend_is_above_what_is_drawn():
    display = ForecastDisplay.from_estimator(FITTED, FUTURE)
    highest = max(
        *(line.get_ydata().max() for line in display.lines_),
        *(bounds_of(area).max() for area in display.fill_between_),
    )
    low, high = display.ax_.get_ylim()
    assert (high - highest) / (high - low) > 0.1


@pytest.mark.parametrize("method", ["from_estimator", "from_backtest"])
def test_without_matplotlib_the_error_says_what_to_install(method, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf"ForecastDisplay.{method} needs matplotl"):
        getattr(ForecastDisplay, method)(None)


# Bad input

STRINGS = pd.Series([1.0, 2.0], ["a", "b"])
BAD = [
    (lambda: ForecastDisplay.from_estimator(Ridge().fit([[1]], [1])), TypeError,
     "Expected a Forecaster. Got Ridge."),
    (lambda: ForecastDisplay.from_estimator(StubForecaster()), NotFittedError,
     "This StubForecaster instance is not fitted yet"),
    (lambda: ForecastDisplay.from_estimator(FITTED, coverage=90), ValueError,
     "coverage must be numbers between 0 and 1, as 0.9. Got 90."),
    (lambda: ForecastDisplay.from_estimator(FITTED, coverage=(0.5, "a")), ValueError,
     "Got 'a'."),
    (lambda: ForecastDisplay.from_estimator(FITTED, PAST, steps=6), ValueError,
     "The truth must have values from 2023-12 to 2024-06. Got 2020-01 to 2023-12."),
    (lambda: ForecastDisplay.from_estimator(FITTED, FUTURE.reset_index(drop=True)),
     ValueError, "The truth must have the index of the forecast"),
    (lambda: ForecastDisplay.from_estimator(FITTED, FUTURE[:5].to_numpy(), steps=6),
     ValueError, "truth must have 6 rows. Got 5."),
    (lambda: ForecastDisplay.from_estimator(FITTED, max_series=0), ValueError,
     "The 'max_series' parameter of ForecastDisplay.plot must be an int"),
    (lambda: ForecastDisplay.from_estimator(FITTED, n_history="all"), ValueError,
     "The 'n_history' parameter of ForecastDisplay.plot must be"),
    (lambda: ForecastDisplay.from_estimator(FITTED, series=["s1"]), ValueError,
     "it is no panel"),
    (lambda: ForecastDisplay.from_estimator(OF_PANEL, series=["x"]), ValueError,
     "series must be of those in the forecast ('s0', 's1', 's2', 's3', 's4', ...). "
     "Got 'x'."),
    (lambda: ForecastDisplay.from_estimator(FITTED, ax=3), TypeError,
     "ax must be Axes of matplotlib or None. Got int."),
    (lambda: ForecastDisplay(STRINGS).plot(), TypeError,
     "The index must be dates, periods or numbers. Got "),
    (lambda: ForecastDisplay("abc").plot(), TypeError, "forecast must be a Series"),
    (lambda: ForecastDisplay(np.zeros((2, 2, 2))).plot(), TypeError,
     "Got ndarray of shape (2, 2, 2)."),
    (lambda: ForecastDisplay([]).plot(), ValueError,
     "forecast must have at least one value. Got none."),
    (lambda: ForecastDisplay([1.0], history=pd.Series([1.0], FUTURE.index[:1]),
                             truth=np.ones(2)).plot(), ValueError,
     "truth must have 1 rows. Got 2."),
    (lambda: ForecastDisplay(FUTURE, history=np.ones(3)).plot(), ValueError,
     "history, forecast and truth must have one kind of index. Got dates and numbers."),
    (lambda: ForecastDisplay([1.0], history=pd.Series(
        [1.0, 2, 3], pd.to_datetime(["2020-01-01", "2020-01-05", "2020-01-07"])
     )).plot(), ValueError, "forecast needs an index of its own"),
    (lambda: ForecastDisplay(FUTURE, intervals=[0.9]).plot(), TypeError,
     "intervals must be a dict from coverages to bounds"),
    (lambda: ForecastDisplay(FUTURE, intervals={90: FUTURE}).plot(), ValueError,
     "coverage must be numbers between 0 and 1, as 0.9. Got 90."),
    (lambda: ForecastDisplay(FUTURE, intervals={0.9: np.ones((3, 2))}).plot(),
     ValueError, "intervals[0.9] must have shape (12, 2). Got (3, 2)."),
    (lambda: ForecastDisplay(FUTURE, intervals={0.9: pd.DataFrame({"a": [1]})}).plot(),
     ValueError, "intervals[0.9] must have columns 'lower' and 'upper'. Got ['a']."),
    (lambda: ForecastDisplay([FUTURE, FUTURE], cutoffs=[1]).plot(), ValueError,
     "cutoffs must be a list with one for each of 2 forecasts."),
    (lambda: ForecastDisplay([FUTURE, FUTURE], intervals={0.9: FUTURE}).plot(),
     ValueError, "intervals must be a list with one for each of 2 forecasts."),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(make, error, message):
    with pytest.raises(error) as found:
        make()
    assert message in str(found.value)
    assert not plt.get_fignums()


def test_the_best_forecaster_of_a_search_is_drawn():
    search = GridSearchCV(FITTED, {})
    search.best_estimator_ = search.cv_results_ = FITTED
    display = ForecastDisplay.from_estimator(search)
    assert len(display.lines_) == 1
