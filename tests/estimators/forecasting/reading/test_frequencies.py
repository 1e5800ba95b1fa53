"""The step from one label to the next, of every kind of index."""

import numpy as np
import pandas as pd
import pytest

from skrnn._data.rows.labels import read_labels
from skrnn._estimators.forecasting.reading.axis import first_gap
from skrnn._estimators.forecasting.reading.frequency import find_frequency

# What pandas calls it -> how it is told.
NAMES = {
    "5s": "5s",
    "30min": "30min",
    "h": "h",
    "6h": "6h",
    "D": "D",
    "2D": "2D",
    "B": "B",
    "W": "W",
    "W-WED": "W",
    "MS": "MS",
    "ME": "ME",
    "2MS": "2MS",
    "BMS": "BMS",
    "BME": "BME",
    "QS": "QS",
    "QS-FEB": "QS",
    "QE": "QE",
    "YS": "YS",
    "YE": "YE",
}


def without_freq(index):
    return pd.DatetimeIndex(index.to_numpy(), tz="UTC").tz_convert(index.tz)


def frequency_of(index, lengths=None):
    return find_frequency(read_labels(index), np.array(lengths or [len(index)]))


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("is_given", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_dates_go_on_as_pandas_lets_them(name, is_given, zone):
    index = pd.date_range("2020-01-01", periods=40, freq=name, tz=zone)
    known = index[:30]
    if not is_given:
        known = pd.DatetimeIndex(list(known))
        assert known.freq is None
    frequency = frequency_of(known)
    assert frequency.name == NAMES[name]
    assert first_gap(frequency, read_labels(known), [30]) is None
    last = index[[29] * 10]
    assert frequency.after(last, np.arange(1, 11)).equals(index[30:])
    assert frequency.after(index[:-1]).equals(index[1:])


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (pd.RangeIndex(3, 60, 3), None),
        (pd.Index([10.0, 10.1, 10.2, 10.3, 10.4, 10.5]), None),
        (pd.period_range("2020-01", periods=20, freq="M"), "M"),
        (pd.period_range("2020-01", periods=20, freq="Q"), "Q-DEC"),
        (pd.timedelta_range("0h", periods=20, freq="15min"), "15min"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_other_labels_go_on(index, name):
    frequency = frequency_of(index[:-3])
    assert frequency.name == name
    found = frequency.after(index[[-4] * 3], np.arange(1, 4))
    if found.dtype.kind == "f":
        np.testing.assert_allclose(found, index[-3:])
    else:
        assert found.equals(index[-3:])


def test_a_day_is_a_day_where_clocks_change():
    days = pd.date_range("2024-03-29", periods=4, tz="Europe/Berlin")
    hours = pd.date_range("2024-03-30 22:00", periods=12, freq="h", tz="Europe/Berlin")
    for index in (days, hours):
        frequency = frequency_of(pd.DatetimeIndex(list(index[:3])))
        assert frequency.after(index[:-1]).equals(index[1:])


def test_times_24_hours_apart_stay_so_where_clocks_change():
    index = pd.date_range("2024-03-29 12:00", periods=5, freq="24h", tz="UTC")
    index = without_freq(index.tz_convert("Europe/Berlin"))
    frequency = frequency_of(index)
    assert frequency.kind == "clock"
    assert frequency.after(index[:-1]).equals(index[1:])


def test_a_day_of_every_month():
    index = pd.DatetimeIndex([f"2024-{month:02}-15" for month in range(1, 13)])
    frequency = frequency_of(index)
    assert frequency.after(index[-1:])[0] == pd.Timestamp("2025-01-15")


def test_two_months_are_no_number_of_days():
    # Both have 31.
    index = pd.DatetimeIndex(["2024-07-01", "2024-08-01", "2024-09-01"])
    assert frequency_of(index).name == "MS"


def test_series_may_begin_anywhere_in_the_week_or_year():
    for one, other in (("W-MON", "W-THU"), ("QS-JAN", "QS-FEB")):
        index = pd.date_range("2020-01-01", periods=9, freq=one)
        index = index.append(pd.date_range("2019-01-01", periods=5, freq=other))
        frequency = frequency_of(index, [9, 5])
        assert first_gap(frequency, read_labels(index), [9, 5]) is None


def test_the_first_gap_is_found_in_any_series():
    index = pd.date_range("2020-01-01", periods=9).append(
        pd.date_range("2020-01-01", periods=9).delete(4)
    )
    frequency = frequency_of(index, [9, 8])
    assert first_gap(frequency, read_labels(index), [9, 8]) == 13


@pytest.mark.parametrize("n", [1, 2])
def test_a_short_index_has_no_frequency_or_its_only_step(n):
    frequency = frequency_of(pd.DatetimeIndex(["2020-01-01", "2020-01-04"][:n]))
    assert (frequency is None) == (n == 1)
    assert n == 1 or frequency.name == "3D"


def test_measured_times_have_none():
    rng = np.random.default_rng(0)
    seconds = pd.to_timedelta(np.cumsum(rng.integers(1, 9999, 50)), unit="s")
    assert frequency_of(pd.Timestamp("2020-01-01") + seconds) is None
    assert frequency_of(pd.Index(np.cumsum(rng.integers(1, 9999, 50)))) is None


@pytest.mark.parametrize(
    "step",
    [
        pd.offsets.CustomBusinessDay(holidays=["2024-01-15", "2024-02-19"]),
        pd.offsets.CustomBusinessMonthEnd(holidays=["2024-01-31"]),
    ],
    ids=["days", "months"],
)
def test_days_of_work_between_holidays_go_on_without_a_warning(step):
    index = pd.date_range("2024-01-01", periods=40, freq=step)
    frequency = frequency_of(index[:30])
    assert first_gap(frequency, read_labels(index[:30]), [30]) is None
    assert frequency.after(index[:-1]).equals(index[1:])
    assert frequency.after(index[[29] * 10], np.arange(1, 11)).equals(index[30:])
    assert frequency.after(index[:0]).equals(index[:0])
