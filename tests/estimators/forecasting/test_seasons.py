"""The seasonal periods that are found, and those that aren't there."""

import numpy as np
import pandas as pd
import pytest
from _tables import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from skrnn._estimators.forecasting.reading.seasons import (
    find_seasonal_periods,
    usual_periods,
)

USUAL = {
    "h": (24, 168),
    "2h": (12, 84),
    "30min": (48, 336),
    "15min": (96, 672),
    "5min": (288, 2016),
    "min": (60, 1440),
    "7min": (1440,),
    "s": (60, 3600),
    "D": (7,),
    "7D": (52,),
    "2D": (),
    "B": (5,),
    "W": (52,),
    "W-SUN": (52,),
    "MS": (12,),
    "ME": (12,),
    "2MS": (6,),
    "BME": (12,),
    "WOM-1MON": (12,),
    "QS": (4,),
    "QE-MAR": (4,),
    "BQS-OCT": (4,),
    "YS": (),
    "YE-DEC": (),
    "ms": (),
    None: None,
    2: None,
    "bh": None,
    "nonsense": None,
}


@pytest.mark.parametrize("name", USUAL)
def test_a_frequency_has_its_usual_periods(name):
    assert usual_periods(name) == USUAL[name]


@pytest.mark.parametrize("name", ["h", "2h", "D", "7D", "B", "W-SUN", "2MS", "QE-MAR"])
def test_an_offset_is_read_as_its_name_is(name):
    assert usual_periods(pd.tseries.frequencies.to_offset(name)) == USUAL[name]


@pytest.mark.parametrize("name", ["h", "D", "W-SUN", "M", "Q-DEC", "Y-DEC"])
def test_the_frequency_of_periods_is_known(name):
    frequency = pd.period_range("2020-01-01", periods=3, freq=name).freq
    assert usual_periods(frequency) is not None


# ---- series


def one(values):
    """Return a series as y and lengths."""
    values = np.asarray(values, dtype=float)
    return values.reshape(-1, 1), np.array([len(values)])


def panel(series):
    return np.concatenate(series)[:, None], np.array([len(each) for each in series])


def noise(n, seed):
    return np.random.default_rng(seed).standard_normal(n)


def autoregressive(n, seed, phi):
    return lfilter([1], [1, -phi], noise(n + 100, seed))[100:]


def pattern(period, n, seed=0):
    """Return a fixed season of three waves at random places."""
    angles = 2 * np.pi * np.arange(n) / period
    shifts = np.random.default_rng(seed).uniform(0, 2 * np.pi, 3)
    waves = [np.sin((k + 1) * angles + shifts[k]) / (k + 1) for k in range(3)]
    return np.sum(waves, axis=0)


# Frequency -> rows and periods.
SEASONS = {
    "MS": (120, (12,)),
    "QS": (64, (4,)),
    "D": (200, (7,)),
    "B": (200, (5,)),
    "W": (780, (52,)),
    "h": (24 * 60, (24,)),
    "30min": (48 * 50, (48,)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("frequency", SEASONS)
def test_a_season_is_found_with_its_frequency_and_without(frequency, seed):
    n, periods = SEASONS[frequency]
    y = one(4 * pattern(periods[0], n, seed) + np.cumsum(0.3 * noise(n, seed)))
    assert find_seasonal_periods(*y, frequency) == periods
    assert find_seasonal_periods(*y) == periods


def growing(n, seed):
    """Return monthly values whose season grows with their level."""
    level = np.exp(0.01 * np.arange(n) + np.cumsum(0.02 * noise(n, seed)))
    return level * (1 + 0.2 * np.sin(2 * np.pi * np.arange(n) / 12))


@pytest.mark.parametrize("frequency", ["MS", None])
def test_a_season_that_grows_is_found(frequency):
    assert find_seasonal_periods(*one(growing(144, 0)), frequency) == (12,)


def days_and_weeks(n, seed):
    week = np.resize(np.repeat([1.0, 1.1, 0.9, 1.2, 1.3, -2.0, -2.5], 24), n)
    return pattern(24, n, seed) + week + autoregressive(n, seed, 0.8) / 2


@pytest.mark.parametrize("frequency", ["h", None])
def test_weeks_are_found_beside_days(frequency):
    y = one(days_and_weeks(24 * 70, 0))
    assert find_seasonal_periods(*y, frequency) == (24, 168)


@pytest.mark.parametrize("frequency", ["h", None])
def test_days_alone_are_no_weeks(frequency):
    n = 24 * 70
    y = one(2 * pattern(24, n) + autoregressive(n, 0, 0.8))
    assert find_seasonal_periods(*y, frequency) == (24,)


NONE = {
    "random walk": lambda n, seed: np.cumsum(noise(n, seed)),
    "with drift": lambda n, seed: np.cumsum(noise(n, seed) + 0.5),
    "autoregressive": lambda n, seed: autoregressive(n, seed, 0.9),
    "white noise": noise,
    "a walk of slopes": lambda n, seed: np.cumsum(np.cumsum(noise(n, seed))),
    "prices": lambda n, seed: np.cumsum(
        noise(n, seed) * np.exp(np.cumsum(0.1 * noise(n, seed + 500)))
    ),
}


# Two frequencies for each kind of series, and two kinds or more for each frequency.
FREQUENCIES = ["h", "MS", "QS", "D", None]
NO_SEASONS = [
    (kind, FREQUENCIES[j % 5])
    for i, kind in enumerate(NONE)
    for j in range(i, i + (5 if LONG else 2))
]


@pytest.mark.parametrize(("kind", "frequency"), NO_SEASONS)
def test_without_a_season_none_is_found(kind, frequency):
    found = [
        find_seasonal_periods(*one(NONE[kind](300, seed)), frequency)
        for seed in range(100)
    ]
    assert sum(periods != () for periods in found) <= 5


@pytest.mark.parametrize("frequency", ["MS", None])
@pytest.mark.parametrize(
    "values",
    [
        np.arange(100.0),
        0.1 * np.arange(100),
        np.ones(100),
        np.full(100, np.nan),
        np.r_[np.full(99, np.nan), 1],
        np.arange(100.0) ** 2,
        np.exp(0.1 * np.arange(100)),
    ],
    ids=["line", "line that rounds", "constant", "NaN", "one", "parabola", "growth"],
)
def test_a_smooth_series_has_no_season(values, frequency):
    assert find_seasonal_periods(*one(values), frequency) == ()


@pytest.mark.parametrize("frequency", ["MS", None])
def test_gaps_and_outliers_do_not_hide_a_season(frequency):
    y = 2 * pattern(12, 240) + noise(240, 0)
    y[np.random.default_rng(0).choice(240, 24, replace=False)] = np.nan
    y[100:106] = np.nan
    y[[30, 70, 150]] = 1000, -1000, 500
    assert find_seasonal_periods(*one(y), frequency) == (12,)


@pytest.mark.parametrize("size", [1e-200, 1e-6, 1e6, 1e150])
def test_the_unit_of_a_series_does_not_matter(size):
    y = size * (2 * pattern(12, 120) + noise(120, 0))
    assert find_seasonal_periods(*one(y), "MS") == (12,)
    assert find_seasonal_periods(*one(y)) == (12,)


def test_a_high_level_does_not_hide_a_season():
    y = 1e9 + pattern(12, 120) + 0.3 * noise(120, 0)
    assert find_seasonal_periods(*one(y), "MS") == (12,)


# ---- few rows


def test_a_frequency_is_trusted_from_two_periods_to_four():
    y = np.cumsum(noise(47, 1))
    assert find_seasonal_periods(*one(y[:23]), "MS") == ()
    assert find_seasonal_periods(*one(y[:24]), "MS") == (12,)
    assert find_seasonal_periods(*one(y), "MS") == (12,)
    assert find_seasonal_periods(*one(np.cumsum(noise(48, 1))), "MS") == ()
    assert find_seasonal_periods(*one(y)) == ()


def test_the_longer_period_is_not_trusted():
    n = 400
    assert find_seasonal_periods(*one(2 * pattern(24, n) + noise(n, 0)), "h") == (24,)


# ---- panels and several targets


def test_a_part_of_a_panel_is_enough():
    series = [
        np.cumsum(noise(80 + i, i)) + 5 * (i % 4 == 0) * pattern(12, 80 + i, i)
        for i in range(60)
    ]
    assert find_seasonal_periods(*panel(series), "MS") == (12,)
    assert find_seasonal_periods(*panel(series)) == (12,)


@pytest.mark.parametrize("frequency", ["MS", "h", None])
@pytest.mark.parametrize("kind", ["random walk", "autoregressive", "white noise"])
def test_a_panel_without_a_season_has_none(kind, frequency):
    y = panel([NONE[kind](100 + i, i) for i in range(300)])
    assert find_seasonal_periods(*y, frequency) == ()


def test_a_few_series_need_half_of_them():
    plain = [np.cumsum(noise(120, i)) for i in range(4)]
    seasonal = [each + 3 * pattern(12, 120) for each in plain]
    assert find_seasonal_periods(*panel(seasonal[:1] + plain[1:]), "MS") == ()
    assert find_seasonal_periods(*panel(seasonal[:2] + plain[2:]), "MS") == (12,)


def test_targets_count_as_series():
    plain = np.cumsum(noise(480, 0).reshape(120, 4), axis=0)
    season = 3 * pattern(12, 120)[:, None]
    lengths = np.array([120])
    assert find_seasonal_periods(plain, lengths, "MS") == ()
    assert find_seasonal_periods(plain + season, lengths, "MS") == (12,)
    assert find_seasonal_periods(plain + season, lengths) == (12,)


def test_constant_and_short_series_have_no_vote():
    seasonal = [3 * pattern(12, 100) + noise(100, i) for i in range(2)]
    others = [np.zeros(100), np.full(100, np.nan), noise(20, 0), noise(1, 0)]
    assert find_seasonal_periods(*panel(others + seasonal), "MS") == (12,)
    assert find_seasonal_periods(*panel(others + seasonal)) == (12,)


# ---- other candidates


def test_candidates_take_the_place_of_the_frequency_s():
    n = 700
    y = one(2 * pattern(7, n) + 6 * np.sin(2 * np.pi * np.arange(n) / 30) + noise(n, 0))
    assert find_seasonal_periods(*y, "D", candidates=[30, 9, 7]) == (7, 30)
    assert find_seasonal_periods(*y, "D", candidates=[1]) == ()
    assert find_seasonal_periods(*y, "D", candidates=()) == ()


@pytest.mark.parametrize("frequency", ["h", "QS", None])
@given(data=st.data())
@settings(max_examples=30)
def test_any_shape_has_an_answer(frequency, data):
    lengths = data.draw(st.lists(st.integers(1, 90), min_size=1, max_size=25))
    n_targets = data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    y = rng.standard_normal((sum(lengths), n_targets)).round(
        data.draw(st.integers(0, 9))
    )
    y[rng.random(y.shape) < data.draw(st.sampled_from([0, 0.3, 0.99]))] = np.nan
    before = y.copy()
    periods = find_seasonal_periods(y, np.array(lengths), frequency)
    assert list(periods) == sorted(set(periods))
    assert all(type(period) is int and 2 <= period <= 45 for period in periods)
    assert periods == find_seasonal_periods(y, np.array(lengths), frequency)
    np.testing.assert_array_equal(y, before)


# ---- known series


def test_known_series_of_statsmodels():
    datasets = pytest.importorskip("statsmodels.datasets")
    weeks = datasets.co2.load_pandas().data["co2"]
    assert find_seasonal_periods(*one(weeks), "W-SAT") == (52,)
    assert find_seasonal_periods(*one(weeks)) == (52,)
    months = datasets.elnino.load_pandas().data.iloc[:, 1:].to_numpy().ravel()
    assert find_seasonal_periods(*one(months), "MS") == (12,)
    assert find_seasonal_periods(*one(months)) == (12,)
    years = datasets.sunspots.load_pandas().data["SUNACTIVITY"]
    assert find_seasonal_periods(*one(years), "YS") == ()
    quarters = datasets.macrodata.load_pandas().data[["realgdp", "infl", "unemp"]]
    assert find_seasonal_periods(quarters, np.array([len(quarters)]), "QS") == ()
