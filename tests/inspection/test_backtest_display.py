"""Pictures of backtests: the truth and the forecasts of each cutoff."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _stub_forecaster import monthly
from matplotlib import pyplot as plt

from skrnn.inspection import ForecastDisplay
from skrnn.inspection.forecasts._backtest_frame import quantile_pairs

Y = monthly(60, name="sales")


def backtested(places, horizon=6, y=Y, **names):
    """Make the frame of a backtest whose forecasts are one too high."""
    rows = [
        dict(
            names, cutoff=y.index[place - 1], step=step, time=y.index[place + step - 1],
            y_true=y.iloc[place + step - 1], y_pred=y.iloc[place + step - 1] + 1,
        )
        for place in places
        for step in range(1, horizon + 1)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    for level in (0.1, 0.5, 0.9):
        frame[f"q{level}"] = frame["y_pred"] + level - 0.5
    return frame


FRAME = backtested([36, 42, 48, 54])


def lines(display):
    return [line.get_ydata() for line in display.lines_]


def test_truth_forecasts_cutoffs_and_bands_are_drawn():
    display = ForecastDisplay.from_backtest(FRAME)
    np.testing.assert_array_equal(lines(display), Y[36:].to_numpy().reshape(4, 6) + 1)
    (truth,) = display.truth_lines_
    np.testing.assert_array_equal(truth.get_ydata(), Y[36:])
    expected = Y.index[[35, 41, 47, 53]].to_timestamp()
    drawn = [line.get_xdata()[0] for line in display.cutoff_lines_]
    np.testing.assert_array_equal(drawn, expected.to_numpy())
    heights = [np.ptp(area.get_paths()[0].vertices[[1, -2], 1]) for area in
               display.fill_between_]  # fmt: skip
    np.testing.assert_allclose(heights, [0.8] * 4)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["truth", "forecast", "80 %", "cutoff"]
    assert not display.history_lines_


def test_the_history_ends_at_the_first_cutoff():
    display = ForecastDisplay.from_backtest(FRAME, history=Y)
    (history,) = display.history_lines_
    np.testing.assert_array_equal(history.get_ydata(), Y[6:36])
    assert display.ax_.get_ylabel() == "sales"
    display = ForecastDisplay.from_backtest(FRAME, history=Y, n_history=None)
    np.testing.assert_array_equal(display.history_lines_[0].get_ydata(), Y[:36])


def test_forecasts_that_overlap_are_told_apart():
    display = ForecastDisplay.from_backtest(backtested([36, 39, 42, 45]))
    colors = [line.get_color() for line in display.lines_]
    assert len(set(colors)) == 2
    assert all(a != b for a, b in pairwise(colors))
    display = ForecastDisplay.from_backtest(FRAME)
    assert len({line.get_color() for line in display.lines_}) == 1


@pytest.mark.parametrize(
    ("max_cutoffs", "places"),
    [(1, [54]), (2, [41, 54]), (4, [33, 40, 47, 54]), (10, range(30, 55, 3))],
)
def test_of_many_cutoffs_some_are_drawn_evenly(max_cutoffs, places):
    frame = backtested(range(30, 55))
    display = ForecastDisplay.from_backtest(frame, max_cutoffs=max_cutoffs)
    first = [line.get_ydata()[0] for line in display.lines_]
    np.testing.assert_array_equal(first, Y.iloc[list(places)] + 1)
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), Y[30:])
    (_, *texts) = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[-1] == f"{len(places)} of 25 cutoffs"


def test_no_line_crosses_times_without_a_forecast():
    display = ForecastDisplay.from_backtest(backtested([24, 36, 42]))
    drawn = display.truth_lines_[0].get_ydata()
    assert np.isnan(drawn[6])
    np.testing.assert_array_equal(drawn[:6], Y[24:30])
    np.testing.assert_array_equal(drawn[7:], Y[36:48])


def test_weekends_are_no_gaps():
    y = pd.Series(np.arange(60.0), pd.bdate_range("2024-01-01", periods=60))
    display = ForecastDisplay.from_backtest(backtested([30, 36, 42], y=y))
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), y[30:48])


def test_a_horizon_of_one_step_is_one_line_of_truth():
    display = ForecastDisplay.from_backtest(backtested(range(50, 56), horizon=1))
    np.testing.assert_array_equal(display.truth_lines_[0].get_ydata(), Y[50:56])
    assert all(line.get_marker() == "o" for line in display.lines_)


def test_a_panel_is_small_multiples():
    parts = {name: Y * 10**i for i, name in enumerate("abc")}
    frame = pd.concat(backtested([36, 42], y=y, series=k) for k, y in parts.items())
    history = pd.concat(parts)
    display = ForecastDisplay.from_backtest(frame, history=history)
    assert display.series_ == ["a", "b", "c"]
    assert len(display.lines_) == 6
    np.testing.assert_array_equal(lines(display)[2], Y[36:42] * 10 + 1)
    assert [len(line.get_xdata()) for line in display.history_lines_] == [30] * 3
    display = ForecastDisplay.from_backtest(frame, series=["c"])
    assert display.series_ == ["c"]
    np.testing.assert_array_equal(lines(display)[0], Y[36:42] * 100 + 1)
    display = ForecastDisplay.from_backtest(frame, max_series=2)
    assert display.axes_[-1].texts[0].get_text() == "2 of 3 series"


def test_series_of_a_panel_have_cutoffs_of_their_own():
    frame = pd.concat(
        [backtested([36, 42], series="a"), backtested([20, 26, 32], series="b")]
    )
    display = ForecastDisplay.from_backtest(frame)
    drawn = dict(zip(display.series_, display.axes_, strict=True))
    n_lines = {
        name: sum(line.axes is ax for line in display.lines_)
        for name, ax in drawn.items()
    }
    assert n_lines == {"a": 2, "b": 3}


def test_several_targets_stand_beside_one_another():
    frame = pd.concat(
        backtested([36, 42], y=y, target=name)
        for name, y in {"north": Y, "south": Y * 10}.items()
    )
    display = ForecastDisplay.from_backtest(frame)
    assert display.series_ == ["north", "south"]
    np.testing.assert_array_equal(lines(display)[2], Y[36:42] * 10 + 1)
    np.testing.assert_array_equal(display.truth_lines_[1].get_ydata(), Y[36:48] * 10)
    assert len(display.fill_between_) == 4


def test_rows_may_come_in_any_order():
    shuffled = FRAME.sample(frac=1, random_state=0)
    display = ForecastDisplay.from_backtest(shuffled)
    np.testing.assert_array_equal(
        lines(display), lines(ForecastDisplay.from_backtest(FRAME))
    )


def test_rows_without_an_index_are_counted():
    y = Y.reset_index(drop=True)
    display = ForecastDisplay.from_backtest(backtested([36, 42], y=y), history=y)
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), range(36, 42))
    assert display.ax_.get_xlabel() == "Row"


def test_a_frame_of_polars_is_read():
    dated = FRAME.assign(
        cutoff=FRAME["cutoff"].dt.to_timestamp(), time=FRAME["time"].dt.to_timestamp()
    )
    display = ForecastDisplay.from_backtest(pl.from_pandas(dated))
    np.testing.assert_array_equal(
        lines(display), lines(ForecastDisplay.from_backtest(FRAME))
    )


def test_quantiles_that_belong_together_are_intervals():
    columns = ["y_pred", "q0.025", "q0.1", "q0.5", "q0.9", "q0.975", "q0.99", "query"]
    expected = {0.95: ("q0.025", "q0.975"), 0.8: ("q0.1", "q0.9")}
    assert quantile_pairs(columns) == expected


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (3, TypeError, "frame must be what backtest returns. Got int."),
        (FRAME.drop(columns=["step", "y_true"]), ValueError, "It lacks step, y_true."),
        (FRAME[:0], ValueError, "frame must have rows. Got none."),
    ],
)
def test_what_is_no_backtest_is_refused(frame, error, message):
    with pytest.raises(error, match=message):
        ForecastDisplay.from_backtest(frame)


def test_a_history_of_other_labels_is_refused():
    with pytest.raises(ValueError, match="history must have the index of the foreca"):
        ForecastDisplay.from_backtest(FRAME, history=Y.to_numpy())
    with pytest.raises(ValueError, match="'max_cutoffs' parameter of ForecastDispl"):
        ForecastDisplay.from_backtest(FRAME, max_cutoffs=0)
    assert not plt.get_fignums()
