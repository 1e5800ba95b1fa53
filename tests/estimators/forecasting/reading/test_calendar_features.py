"""Calendar features: which are chosen, and that they go on into the future."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn._estimators.forecasting.reading.calendar import CYCLES, calendar_channels
from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.later import ahead_of, read_ahead
from skrnn._estimators.forecasting.reading.panels import read_panel


def read(index, calendar="auto"):
    y = pd.Series(np.arange(float(len(index))), index=index)
    return read_panel(None, y, None, FeatureOptions(calendar=calendar))


def chosen(*args):
    return [name for name, _ in read(*args)[1].calendar]


@pytest.mark.parametrize(
    ("freq", "n", "names"),
    [
        ("min", 100, []),
        ("min", 130, ["minute_of_hour"]),
        ("h", 47, []),
        ("h", 48, ["time_of_day"]),
        ("30min", 14 * 48, ["time_of_day", "day_of_week", "weekend"]),
        ("D", 13, []),
        ("D", 20, ["day_of_week", "weekend"]),
        ("D", 100, ["day_of_week", "weekend", "day_of_month"]),
        ("D", 800, ["day_of_week", "weekend", "day_of_month", "day_of_year"]),
        ("B", 40, ["day_of_week"]),
        ("W", 120, ["day_of_month", "day_of_year"]),
        ("MS", 23, []),
        ("MS", 25, ["month_of_year"]),
        ("QS", 12, ["month_of_year"]),
        ("YS", 30, []),
    ],
)
def test_cycles_that_training_covers_twice_are_chosen(freq, n, names):
    index = pd.date_range("2020-01-01", periods=n, freq=freq)
    assert chosen(index) == names


def test_periods_have_the_calendar_of_their_beginnings():
    index = pd.date_range("2020-01-01", periods=36, freq="MS")
    of_times, columns = read(index)
    of_periods, same = read(index.to_period("M"))
    assert columns.calendar == same.calendar
    assert_array_equal(of_times.known, of_periods.known)


def test_numbers_have_none():
    assert chosen(pd.RangeIndex(500)) == []
    assert chosen(pd.timedelta_range("0h", periods=500, freq="h")) == []


@pytest.mark.parametrize("calendar", [None, False, ()])
def test_none_on_request(calendar):
    assert chosen(pd.date_range("2020-01-01", periods=500), calendar) == []


def test_names_are_taken_whatever_training_covers():
    index = pd.date_range("2020-01-01", periods=5)
    assert chosen(index, ("day_of_year", "weekend")) == ["day_of_year", "weekend"]


def test_quarters_have_as_many_channels_as_can_be_told_apart():
    _, columns = read(pd.date_range("2020-01-01", periods=12, freq="QS"))
    assert columns.known_names == ("month_of_year sin1", "month_of_year cos1")


@pytest.mark.parametrize("name", CYCLES)
def test_channels_are_of_unit_size_and_repeat(name):
    cycle = CYCLES[name]
    index = pd.date_range("2021-01-01", periods=3000, freq="423min")
    channels = calendar_channels([(name, cycle.harmonics)], index)
    assert channels.dtype == np.float32
    assert channels.shape == (3000, max(1, 2 * cycle.harmonics))
    assert np.abs(channels).max() <= 1
    if cycle.harmonics:
        assert_allclose((channels[:, :2] ** 2).sum(axis=1), 1, rtol=1e-5)
        assert np.abs(channels[:, :2].mean(axis=0)).max() < 0.2
    else:
        assert set(np.unique(channels)) == {0, 1}


def test_days_of_the_week_are_all_different():
    days = pd.date_range("2024-01-01", periods=14)
    channels = calendar_channels([("day_of_week", 2)], days)
    assert_array_equal(channels[:7], channels[7:])
    assert len(np.unique(channels, axis=0)) == 7


def test_hours_are_those_of_the_clock_on_the_wall():
    berlin = pd.date_range("2024-06-01", periods=72, freq="h", tz="Europe/Berlin")
    assert_array_equal(read(berlin)[0].known, read(berlin.tz_localize(None))[0].known)


def test_the_calendar_goes_on_into_the_future():
    index = pd.date_range("2020-01-01", periods=900)
    whole, _ = read(index)
    panel, columns = read(index[:800])
    assert_array_equal(ahead_of(100, panel, columns).known, whole.known[800:])
    later = read_ahead(index[800:], None, panel, columns)
    assert_array_equal(later.known, whole.known[800:])


def test_each_series_of_a_panel_has_its_own_dates():
    one = pd.date_range("2020-01-01", periods=30)
    index = pd.MultiIndex.from_tuples(
        [("a", day) for day in one] + [("b", day) for day in one[3:20]]
    )
    panel, columns = read(index)
    ahead = ahead_of(2, panel, columns)
    expected = calendar_channels(columns.calendar, one[20:22])
    assert_array_equal(ahead.known[2:], expected)
