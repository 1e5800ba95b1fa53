"""Channels of windows against the definition, number by number, in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._estimators.forecasting.layouts import Aligned, Folded
from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.panel import Panel
from skrnn._estimators.forecasting.table import series_table

FAST = settings(max_examples=60)


def values_before(table, o, n):
    return [table.values[o - n + i] for i in range(n)]


def units(window, season, normalize, k):
    """Return the level and the scale of target `k` of a window."""
    w = [float(row[k]) for row in window]
    if normalize is None:
        return 0.0, 1.0
    level = w[-1] if normalize == "last" else sum(w[-season:]) / season
    scale = sum(abs(v - level) for v in w) / len(w)
    return level, scale if scale > 1e-9 * (1 + abs(level)) else 1.0


def of_window(window, season, normalize, k):
    """Return level, scale and z of target `k`, and its end, its mean end and spread."""
    level, scale = units(window, season, normalize, k)
    w = [float(row[k]) for row in window]
    z = [(v - level) / scale for v in w]
    mean = sum(w) / len(w)
    std = math.sqrt(sum((v - mean) ** 2 for v in w) / len(w))
    relative = std / max(sum(map(abs, w)) / len(w), 1e-9)
    spread = math.log(max(relative, 1e-4)) / 2
    last = z[-3:]
    return level, scale, z, [z[-1], sum(last) / len(last), spread]


def aligned(table, o, layout):
    """Return the channels (H, C) of the window before row `o`."""
    length, m, g = layout.lookback, layout.season, layout.gap
    horizon, n_targets = layout.horizon, table.values.shape[1]
    window, rows = values_before(table, o, length), []
    n_lags = length // m
    found = [of_window(window, m, layout.normalize, k) for k in range(n_targets)]
    for h in range(1, horizon + 1):
        c = math.ceil((g + h) / m)
        row = []
        lags = [length - 1 + (g + h) - m * (c + j) for j in range(n_lags)]
        for lag in lags:
            row += [found[k][2][lag] for k in range(n_targets)]
        row.append(h / horizon)
        for part in range(3):
            row += [found[k][3][part] for k in range(n_targets)]
        before = length - 1 - horizon + h
        row += [found[k][2][before] if before >= 0 else 0.0 for k in range(n_targets)]
        if table.observed is not None:
            for lag in lags:
                row += [float(not v) for v in table.observed[o - length + lag]]
        row += list(table.known[o + g + h - 1])
        if table.past.shape[1]:
            row += list(table.past[o - 1])
            for lag in lags if m == 1 else lags[:1]:
                row += list(table.past[o - length + lag])
        rows.append(row)
    return np.array(rows), found


def folded(table, o, layout):
    """Return the channels (T, C) of the window before row `o`."""
    length, m = layout.lookback, layout.season
    steps, n_targets = (m if m > 1 else length), table.values.shape[1]
    window, rows = values_before(table, o, length), []
    n_folds = length // steps
    found = [of_window(window, m, layout.normalize, k) for k in range(n_targets)]
    for t in range(steps):
        row, at = [], [length - steps * (fold + 1) + t for fold in range(n_folds)]
        for place in at:
            row += [found[k][2][place] for k in range(n_targets)]
        for part in range(3):
            row += [found[k][3][part] for k in range(n_targets)]
        if table.observed is not None:
            for place in at:
                row += [float(not v) for v in table.observed[o - length + place]]
        for place in at:
            row += list(table.past[o - length + place])
        for h in range(layout.horizon):
            row += list(table.known[o + layout.gap + h])
        rows.append(row)
    return np.array(rows), found


@st.composite
def cases(draw):
    """Draw a table, a layout's parameters and some windows."""
    season = draw(st.integers(1, 5))
    lookback = season * draw(st.integers(1, 3)) + draw(st.integers(0, season - 1))
    horizon, gap = draw(st.integers(1, 7)), draw(st.integers(0, 3))
    n = lookback + gap + horizon + 6
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n_targets = draw(st.integers(1, 2))
    y = rng.normal(3, 2, (2 * n, n_targets))
    if draw(st.booleans()):
        y[rng.random(y.shape) < 0.2] = np.nan
        y[[0, n]] = 1.0
    if draw(st.booleans()):
        # A series of one value alone.
        y[:n] = np.where(np.isnan(y[:n]), np.nan, 5.0)
        y[0] = 5.0
    n_known, n_past = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    known = rng.normal(size=(2 * n, n_known)).astype(np.float32)
    past = rng.normal(size=(2 * n, n_past)).astype(np.float32)
    panel = Panel(y, np.array([n, n]), known, past)
    parameters = horizon, gap, season, lookback, draw(st.sampled_from([*NORMALIZERS]))
    return series_table(panel, season), parameters


@FAST
@given(cases())
@pytest.mark.parametrize(
    ("layout", "reference"), [(Aligned, aligned), (Folded, folded)]
)
def test_channels_are_those_of_the_definition(layout, reference, case):
    table, parameters = case
    layout = layout(*parameters)
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    assert len(origins) == 2 * 7
    x, found = layout.inputs(table, origins)
    assert x.dtype == np.float32
    assert x.shape[:2] == (layout.n_steps, len(origins))
    values, there = layout.targets(table, origins)
    targets = found.normalized(values)
    for i, o in enumerate(origins):
        expected, of_targets = reference(table, o, layout)
        np.testing.assert_allclose(x[:, i], expected, rtol=1e-5, atol=1e-5)
        for h in range(layout.horizon):
            row = o + layout.gap + h
            for k, (level, scale, *_) in enumerate(of_targets):
                z = (table.values[row, k] - level) / scale
                np.testing.assert_allclose(targets[h, i, k], z, rtol=1e-9, atol=1e-9)
            if there is not None:
                assert there[h, i] == table.observed[row].all()
    np.testing.assert_allclose(
        found.level + found.scale * targets,
        table.values[origins + layout.ahead],
        rtol=1e-9,
        atol=1e-9,
    )


@FAST
@given(cases())
def test_a_table_has_each_number_of_the_folded_window_once(case):
    table, parameters = case
    layout = Folded(*parameters)
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    X, _ = layout.flat(table, origins)
    k, steps = table.values.shape[1], layout.n_steps
    folds, horizon = layout.lookback // steps, layout.horizon
    marks, of_past = k * (table.observed is not None), table.past.shape[1]
    # Columns of the steps' channels: their first one, and whether all steps have them.
    ends = np.cumsum([folds * k, 3 * k, folds * marks, folds * of_past])
    for i, o in enumerate(origins):
        expected, _ = folded(table, o, layout)
        z, end, seen, past, known = np.split(expected, ends, axis=1)
        once = [z.ravel(), end[0], seen.ravel(), past.ravel(), known[0]]
        assert known.shape[1] == horizon * table.known.shape[1]
        np.testing.assert_allclose(X[i], np.concatenate(once), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [Aligned, Folded])
def test_events_are_read_in_units_of_the_window_as_well(kind):
    """What they add to y is then the same multiple of them in every window."""
    rng = np.random.default_rng(0)
    y = 50 + rng.normal(size=(80, 2)) * np.repeat([[1.0, 4.0], [3.0, 2.0]], 40, axis=0)
    known = rng.normal(size=(80, 3)).astype(np.float32)
    panel = Panel(y, np.array([80]), known, np.empty((80, 0), np.float32))
    table, plain = series_table(panel, 4), kind(3, 1, 4, 8)
    layout = plain.with_events(((0, 2.0), (2, 3.0)), table)
    origins = table.origins(8, 4)
    x, units = layout.inputs(table, origins)
    before, _ = plain.inputs(table, origins)
    np.testing.assert_array_equal(x[..., : before.shape[-1]], before)
    rows = (known[..., [0, 2]] * [2, 3])[origins + layout.ahead][..., None]
    windows, _ = layout.windows(table, origins)
    size = np.abs(windows).mean(axis=0) / units.scale
    size /= np.median(size)
    assert 1 / 8 < size.min() < 0.6
    assert 1.6 < size.max() < 8
    expected = (rows * size[:, None]).reshape(3, len(origins), 4)
    if kind is Folded:
        expected = np.tile(np.concatenate(list(expected), axis=-1), (4, 1, 1))
    np.testing.assert_allclose(x[..., before.shape[-1] :], expected, rtol=1e-5)


def test_nothing_is_added_without_events_or_units():
    y, known = np.arange(40.0)[:, None], np.ones((40, 1), np.float32)
    panel = Panel(y, np.array([40]), known, np.empty((40, 0), np.float32))
    table = series_table(panel, 4)
    for layout in (Aligned(3, 0, 4, 8), Aligned(3, 0, 4, 60)):
        assert layout.with_events((), table) == layout
    for layout in (Aligned(3, 0, 4, 8, None), Aligned(3, 0, 4, 60)):
        assert layout.with_events(((0, 2.0),), table) == layout


@given(st.floats(1e-3, 1e6), st.floats(-1e5, 1e5), st.sampled_from(["window", "last"]))
@settings(max_examples=30)
def test_z_has_no_unit(factor, level, normalize):
    """A window in other units has the same z: networks see its shape alone."""
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(12, 3, 1))
    windows[:, 1] = 2.0
    one = NORMALIZERS[normalize](windows, 4)
    other = NORMALIZERS[normalize](level + factor * windows, 4)
    np.testing.assert_allclose(
        one.normalized(windows),
        other.normalized(level + factor * windows),
        atol=1e-12 * abs(level) / factor + 1e-9,
    )
    # Nothing is added to a window of one value.
    assert one.varies.ravel().tolist() == [True, False, True]
    assert other.restored(np.ones((1, 3, 1)))[0, 1, 0] == level + factor * 2.0


def test_missing_values_are_filled_from_before():
    """Of the season before, or else the last one: nothing that comes later is read."""
    y = np.array([1.0, 2, 3, np.nan, np.nan, 6, np.nan, np.nan, 9, 10])
    y = np.append(y, [7.0, np.nan, np.nan])[:, None]
    none = np.empty((13, 0), np.float32)
    panel = Panel(y, np.array([10, 3]), none, none)
    table = series_table(panel, 3)
    filled = [1, 2, 3, 1, 2, 6, 1, 2, 9, 10, 7, 7, 7]
    np.testing.assert_array_equal(table.values[:, 0], filled)
    np.testing.assert_array_equal(table.observed, ~np.isnan(y))
    np.testing.assert_array_equal(series_table(panel, 1).values[3:5, 0], [3, 3])


def test_the_first_season_stands_in_front_of_short_series():
    y = np.array([1.0, 2, 3, 4, 5, 8, 9])[:, None]
    none = np.empty((7, 0), np.float32)
    table = series_table(Panel(y, np.array([5, 2]), none, none), 3).lengthened(9, 3)
    assert table.lengths.tolist() == [9, 9]
    np.testing.assert_array_equal(table.values[:9, 0], [3, 1, 2, 3, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(table.values[9:, 0], [9, 8, 9, 8, 9, 8, 9, 8, 9])
