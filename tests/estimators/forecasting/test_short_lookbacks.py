"""Series hardly longer than a window and the horizon: fewer seasons are read."""

import numpy as np
import pytest
from _forecasters import months, of_every_strategy, panel_of, quick, season
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._estimators.forecasting.planning import lookbacks_of

M, H = 12, 18


def lookback_of(n, **options):
    given = dict(horizon=H, seasonal_periods=M, n_members=3, n_windows=10)
    return quick(**given | options).fit(None, season(n, noise=0.3)).lookback_


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (200, (36, 24, 48)),
        # 77 - 48 - 18 + 1 is a season of windows.
        (77, (36, 24, 48)),
        (76, (36, 24, 36)),
        (65, (36, 24, 36)),
        (64, (24, 24, 24)),
        (53, (24, 24, 24)),
        (52, (12, 12, 12)),
        # Here a part of the first season is repeated in front.
        (20, (12, 12, 12)),
    ],
)
def test_a_season_of_windows_is_left(n, expected):
    assert lookback_of(n) == expected


def test_what_a_window_takes_besides_is_counted():
    assert lookback_of(77, gap=2) == (36, 24, 36)
    assert lookback_of(79, gap=2) == (36, 24, 48)
    assert lookback_of(78, difference=1) == (36, 24, 48)
    assert lookback_of(77, difference=1) == (36, 24, 36)
    assert lookback_of(60, strategy="recursive") == (36, 24, 48)
    assert lookback_of(97, calibration_size=20) == (36, 24, 48)
    assert lookback_of(96, calibration_size=20) == (36, 24, 36)


def test_windows_of_all_series_count():
    short = [season(40) for _ in range(6)]
    # 40 - 24 + 1 - 18 windows of two seasons are negative: none, of however many.
    model = quick(horizon=H, seasonal_periods=M).fit(None, panel_of(*short))
    assert model.lookback_ == (12,)
    some = [season(60) for _ in range(2)]
    # Each has 7 windows of three seasons; two of them have a season's.
    model = quick(horizon=H, seasonal_periods=M).fit(None, panel_of(*some))
    assert model.lookback_ == (36,)
    assert lookback_of(60)[0] == 24


def test_what_is_given_stays():
    assert lookback_of(30, lookback=36) == (36, 36, 36)
    assert lookback_of(30, lookback=(36, 24)) == (36, 24, 36)


def test_without_a_season_a_window_is_left():
    options = dict(seasonal_periods=None, horizon=6)
    assert lookback_of(38, **options) == (24, 16, 32)
    assert lookback_of(30, **options) == (24, 16, 24)
    assert lookback_of(16, **options) == (10, 10, 10)
    assert lookback_of(7, **options) == (4, 4, 4)


def test_of_several_seasons_the_longest_is_shortened():
    hours = dict(seasonal_periods=(24, 168), horizon=24)
    assert lookback_of(168 + 24 + 23, **hours) == (168,) * 3
    assert lookback_of(168 + 24 + 22, **hours) == (144,) * 3
    assert lookback_of(30, **hours) == (24,) * 3


@of_every_strategy
@pytest.mark.parametrize("n", [20, 31, 53])
def test_short_series_are_forecast(strategy, n):
    y = months(season(n, noise=0.1))
    model = quick(strategy=strategy, horizon=H, n_windows=400).fit(None, y)
    assert np.isfinite(model.forecast(2 * H)).all()
    assert np.abs(model.forecast() - season(n + H)[n:]).mean() < 1.5


@settings(max_examples=200)
@given(
    st.lists(st.integers(-30, 300), min_size=1, max_size=5),
    st.sampled_from([(), (4,), (12,), (24, 168)]),
)
def test_no_lookback_is_longer_than_it_was_or_than_it_may_be(room, periods):
    room, whole = np.array(room), np.array([10_000])
    m = periods[0] if periods else 1
    shortest = max(m, 4)
    longest = lookbacks_of("auto", periods, 3, whole)
    for found, most in zip(
        lookbacks_of("auto", periods, 3, room), longest, strict=True
    ):
        n_windows = np.maximum(room - found, 0).sum()
        assert shortest <= found <= most
        assert (most - found) % m == 0
        assert n_windows >= m or found == shortest
        # One season more would leave too few.
        assert found == most or np.maximum(room - found - m, 0).sum() < m
