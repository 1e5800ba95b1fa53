"""Several series in one table: no window and no target crosses from one to another."""

import copy
import pickle
import warnings
from contextlib import nullcontext

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import GRURegressor
from skrnn._data.series_windows import SeriesWindows
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    make_supervised,
)

APART = "Nothing is carried over to the rows of X from"
SMALL = dict(units=3, epochs=2, early_stopping=False, random_state=0)


@st.composite
def panels(draw, most=4):
    """Draw values (n, 2) and the series of each row, in any mixture."""
    lengths = draw(st.lists(st.integers(1, 7), min_size=1, max_size=most))
    keys = draw(st.permutations(["a", "b", "c", "d"][: len(lengths)]))
    groups = draw(st.permutations(np.repeat(keys, lengths).tolist()))
    return np.arange(2.0 * len(groups)).reshape(-1, 2), np.array(groups)


def in_series(rows, groups, key):
    return rows[groups == key]


def naive_windows(rows, groups, history, lookback, rate, fill):
    """Look every step up in the rows of its series; before them is the filling."""
    seen = {key: list(past) for key, past in history.items()}
    windows = []
    for row, key in zip(rows, groups, strict=True):
        known = seen.setdefault(key, [])
        known.append(row)
        steps = [len(known) - 1 - k * rate for k in range(lookback)][::-1]
        made_up = known[0] if fill == "edge" else known[0] * 0 + fill
        windows.append([known[t] if t >= 0 else made_up for t in steps])
    return np.array(windows)


def as_frame(rows, groups, first=0):
    """Put the series and the times, which are whole numbers, into the index."""
    times = pd.Series(groups).groupby(groups).cumcount() + first
    index = pd.MultiIndex.from_arrays([groups, times], names=["series", "time"])
    return pd.DataFrame(rows, columns=["v", "w"], index=index)


@given(
    panels(),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["edge", 0, -1.5]),
    st.booleans(),
)
def test_windows_are_those_of_a_loop_over_series(panel, lookback, rate, fill, framed):
    rows, groups = panel
    window = SlidingWindow(lookback, sampling_rate=rate, fill=fill)
    X, told = (as_frame(*panel), {}) if framed else (rows, {"groups": groups})
    longest = max(np.unique(groups, return_counts=True)[1])
    if (lookback - 1) * rate >= longest:
        with pytest.raises(ValueError, match=f"lookback={lookback} .*n={longest} "):
            window.fit(X, **told)
        return
    windows = window.fit_transform(X, **told)
    assert windows.shape == (len(rows), lookback, 2)
    expected = naive_windows(rows, groups, {}, lookback, rate, fill)
    assert_array_equal(windows, expected)
    assert_array_equal(window.transform(X, **told), expected)
    assert window.tail_.keys() == set(groups)
    for key, tail in window.tail_.items():
        mine = in_series(rows, groups, key)
        n_past = (lookback - 1) * rate
        assert_array_equal(tail, mine[max(len(mine) - n_past, 0) :])


@given(
    panels(),
    panels(),
    st.integers(1, 4),
    st.integers(1, 2),
    st.sampled_from(["edge", -1.5]),
    st.booleans(),
)
def test_tails_are_carried_per_series(first, then, lookback, rate, fill, framed):
    window = SlidingWindow(lookback, sampling_rate=rate, fill=fill, warmup="carry")
    longest = max(np.unique(first[1], return_counts=True)[1])
    if (lookback - 1) * rate >= longest or (framed and len(first[0]) < 2):
        return
    (rows, groups), (later, of) = first, then
    history = {key: in_series(rows, groups, key) for key in set(groups)}
    if not framed:
        window.fit(rows, groups=groups)
        windows = window.transform(later, groups=of)
    else:
        frame = as_frame(later, of)
        ends = [len(history.get(key, ())) for key in of]
        times = frame.index.get_level_values(1) + ends
        frame.index = pd.MultiIndex.from_arrays([of, times])
        window.fit(as_frame(rows, groups))
        with warnings.catch_warnings():
            # That one label has no step.
            warnings.filterwarnings("ignore", APART)
            windows = window.transform(frame)
        # One label alone has no step, so nothing is known to follow.
        history = {key: past for key, past in history.items() if len(past) > 1}
    expected = naive_windows(later, of, history, lookback, rate, fill)
    assert_array_equal(windows, expected)


def test_a_series_that_has_a_gap_is_padded_and_the_others_carried():
    rows, groups = np.arange(12.0).reshape(-1, 1), np.repeat(["a", "b"], 6)
    days = np.tile(pd.date_range("2024", periods=6), 2)
    frame = pd.DataFrame(rows, index=pd.MultiIndex.from_arrays([groups, days]))
    window = SlidingWindow(3, warmup="carry").fit(frame[frame[0] % 6 < 4])
    later = frame[(frame[0] % 6 == 5) | (frame[0] == 4)].iloc[::-1].sort_index(level=1)
    with pytest.warns(UserWarning, match=f"{APART} 2024-01-06.* after 2024-01-04"):
        windows = window.transform(later)
    assert_array_equal(windows[:, :, 0], [[2, 3, 4], [3, 4, 5], [11, 11, 11]])


@pytest.mark.parametrize("start", [8, 9])
def test_a_plain_index_beside_groups_counts_the_rows_of_all(start):
    # No series has a regular step in it.
    groups = np.array(list("aababbabbaab"))
    frame = pd.DataFrame({"v": np.arange(12.0)})
    window = SlidingWindow(2, warmup="carry").fit(frame[:8], groups=groups[:8])
    with pytest.warns(UserWarning, match=APART) if start == 9 else nullcontext():
        windows = window.transform(frame[start:], groups=groups[start:])
    expected = [[7, 8], [6, 9]] if start == 8 else [[9, 9], [11, 11]]
    assert_array_equal(windows[[0, 1 if start == 8 else 2], :, 0], expected)


@given(panels(), st.integers(1, 3), st.integers(0, 2), st.booleans())
def test_futures_are_those_of_a_loop_over_series(panel, horizon, gap, framed):
    rows, groups = panel
    X, told = (as_frame(*panel), {}) if framed else (rows, {"groups": groups})
    kept, futures = [], []
    for i, key in enumerate(groups):
        ahead = i + 1 + np.flatnonzero(groups[i + 1 :] == key)[gap : gap + horizon]
        if len(ahead) == horizon:
            kept.append(i)
            futures.append(rows[ahead])
    if not kept:
        with pytest.raises(ValueError, match="but the longest one in series has n="):
            make_supervised(X, horizon=horizon, gap=gap, **told)
        return
    found, y = make_supervised(X, horizon=horizon, gap=gap, target=[1, 0], **told)
    assert_array_equal(found, rows[kept])
    expected = np.array(futures)[:, :, ::-1]
    assert_array_equal(np.reshape(y, expected.shape), expected)
    if framed:
        assert found.index.equals(X.index[kept])
        assert horizon > 1 or y.index.equals(found.index)
    of_rows, _ = make_supervised(groups, horizon=horizon, gap=gap, groups=groups)
    assert_array_equal(of_rows.ravel(), groups[kept])


@pytest.mark.parametrize(
    "make",
    [list, np.array, pd.Series, pd.Index, pl.Series, lambda g: np.array(g, "O")],
)
@pytest.mark.parametrize("keys", [["a", "bcd"], [1, 2], [2.5, 1.0]])
def test_groups_may_be_anything_like_an_array(make, keys):
    rows, groups = np.arange(10.0).reshape(-1, 1), make(keys * 5)
    window = SlidingWindow(2, warmup="carry").fit(rows, groups=groups)
    windows = window.transform(rows[:1], groups=make(keys[1:]))
    assert_array_equal(windows[0, :, 0], [9, 0])
    X, _ = make_supervised(rows, groups=groups)
    assert len(X) == 8


def test_groups_may_be_tuples():
    keys = [(1, 2), (1, 3)] * 3
    X, y = make_supervised(np.arange(6), groups=keys)
    assert_array_equal(y, [2, 3, 4, 5])
    twin = pd.MultiIndex.from_tuples(keys)
    assert_array_equal(make_supervised(np.arange(6), groups=twin)[0], X)


def test_groups_of_a_frame_have_its_index():
    frame = TABLE.assign(g=list("ababab")).set_axis(range(6, 12))
    assert make_supervised(frame[["v"]], groups=frame["g"])[1].tolist() == [2, 3, 4, 5]
    for groups in (frame["g"][::-1], frame["g"].reset_index(drop=True)):
        with pytest.raises(ValueError, match=r"isn't that of series: row 0 is .* 6 in"):
            make_supervised(frame[["v"]], groups=groups)
        with pytest.raises(ValueError, match="isn't that of X: row 0 is"):
            SlidingWindow(2).fit(frame[["v"]], groups=groups)
        make_supervised(frame[["v"]], groups=groups.to_numpy())
        make_supervised(frame[["v"]].to_numpy(), groups=groups)


TIMES = pd.date_range("2024", periods=3)
TABLE = pd.DataFrame({"v": np.arange(6.0)})


def indexed(*levels, **options):
    return TABLE.set_axis(pd.MultiIndex.from_product(levels, **options))


REFUSED = {
    "too few": (TABLE, [1, 2], r"groups has shape \(2,\), but X has 6 rows"),
    "a name": (TABLE, "g", r"Got 'g'; if that is a column, pass (X|series)\['g'\]"),
    "a column": (TABLE, np.ones((6, 1)), r"groups has shape \(6, 1\)"),
    "missing": (TABLE, [1, 1, None, 2, 2, 2], "groups has None in row 2"),
    "NaN": (TABLE, [1, 1, np.nan, 2, 2, 2], "groups has nan in row 2"),
    "times first": (
        indexed(TIMES, ["a", "b"]),
        None,
        r"has times in level 0.*expected \(series, time\)",
    ),
    "descending": (
        indexed(["a", "b"], TIMES[::-1], names=["s", "day"]),
        None,
        "level 'day' of the MultiIndex of .* is not in time order in series 'a': row 1",
    ),
    "twice": (
        indexed(["a", "b"], TIMES[[0, 1, 1]]),
        None,
        "has 2024-01-02 00:00:00 more than once in series 'a'",
    ),
    "a dates' index": (
        TABLE.set_axis(TIMES.append(TIMES[::-1])),
        list("aaabbb"),
        "DatetimeIndex of .* is not in time order in series 'b': row 4",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("tool", [make_supervised, SlidingWindow(2).fit])
def test_what_is_no_panel_is_refused(tool, case):
    table, groups, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        tool(table, groups=groups)


LISTS = {
    "arrays": [np.ones((3, 2)), np.ones((5, 2))],
    "lists": [[1.0, 2.0, 3.0], [4.0, 5.0]],
    "frames": [TABLE, TABLE],
    "Series": [TABLE["v"], TABLE["v"][:3]],
}


@pytest.mark.parametrize("case", LISTS)
@pytest.mark.parametrize("tool", [make_supervised, SlidingWindow(2).fit])
def test_a_list_of_series_is_told_how_to_become_a_table(tool, case):
    with pytest.raises(
        ValueError, match=r"is a list of 2 series, of .*groups="
    ) as told:
        tool(LISTS[case])
    assert "pandas.concat(dict(enumerate(" in str(told.value)


CELLS = {
    "a Series of polars": pl.Series([[1.0, 2.0], [3.0, 4.0]]),
    "an array of pyarrow": pa.array([[1.0, 2.0], [3.0]]),
    "a Series of arrays": pd.Series([np.ones(3), np.ones(3)]),
    "a Series of lists": pd.Series([[1.0, 2.0], [4.0, 5.0, 6.0]]),
    "an array of arrays": np.array([np.ones(3), np.ones(2)], dtype=object),
    "an array of frames": np.fromiter([TABLE, TABLE], dtype=object),
}


@pytest.mark.parametrize("case", CELLS)
@pytest.mark.parametrize("tool", [make_supervised, SlidingWindow(2).fit])
def test_a_series_is_no_cell(tool, case):
    with pytest.raises(ValueError, match=r"is a list of 2 series, of .*groups="):
        tool(CELLS[case])


@pytest.mark.parametrize("tool", [make_supervised, SlidingWindow(2).fit])
def test_a_dict_is_told_how_to_become_a_table(tool):
    series = {"a": TABLE, "b": TABLE}
    with pytest.raises(ValueError, match=r"is a dict; expected .*pandas\.concat\("):
        tool(series)
    assert len(make_supervised(pd.concat(series))[1]) == 10


def test_the_advice_for_a_panel_keeps_its_series():
    panel = pd.concat({"a": TABLE[::-1], "b": TABLE[::-1]})
    twice = panel.set_axis(panel.index.set_codes(panel.index.codes[1] // 2, level=1))
    for frame in (panel, twice):
        with pytest.raises(ValueError, match=r"groups, such as series\.index\.dropl"):
            make_supervised(frame)
    groups = panel.index.droplevel(-1)
    _, y = make_supervised(panel.reset_index(drop=True), groups=groups)
    assert y.tolist() == [4, 3, 2, 1, 0] * 2


def test_the_advice_for_lists_is_right():
    series = LISTS["Series"]
    _, y = make_supervised(pd.concat(dict(enumerate(series))))
    assert y.tolist() == [1, 2, 3, 4, 5, 1, 2]
    groups = np.repeat(range(2), [len(x) for x in series])
    _, y = make_supervised(np.concatenate(series), groups=groups)
    assert y.tolist() == [1, 2, 3, 4, 5, 1, 2]
    frame = TABLE.set_axis(list("aaabbb"))
    assert_array_equal(make_supervised(frame, groups=frame.index)[1], [1, 2, 4, 5])


def test_what_fit_knew_of_series_transform_must_know():
    rows, groups = np.arange(8.0).reshape(-1, 1), np.repeat([0, 1], 4)
    for warmup in ("pad", "carry"):
        window = SlidingWindow(2, warmup=warmup).fit(rows, groups=groups)
        with pytest.raises(ValueError, match=r"fitted on several series.*pass groups"):
            window.transform(rows)
        # Series without names carry nothing over to those that have some.
        window.fit(rows)
        windows = window.transform(rows, groups=groups)
        assert_array_equal(windows[[0, 4], 0, 0], rows[[0, 4], 0])


# The windows themselves


def windows_of_panel(lookback=3):
    rng = np.random.default_rng(0)
    rows, groups = rng.normal(size=(30, 2)), rng.integers(3, size=30)
    return SlidingWindow(lookback).fit_transform(rows, groups=groups)


def test_windows_of_several_series_are_gathered_only_where_they_are_read():
    rows = np.zeros((10_000, 3), dtype=np.float32)
    windows = SlidingWindow(168).fit_transform(rows, groups=np.arange(10_000) // 1_000)
    assert windows.table.nbytes < 1.2 * rows.nbytes
    assert windows.nbytes <= windows.table.nbytes + 8 * len(rows)
    assert np.asarray(windows).nbytes == 168 * rows.nbytes
    scaled = SequenceWise(StandardScaler()).fit_transform(windows)
    assert isinstance(scaled, SeriesWindows)
    assert scaled.table.shape == (10_000 + 10 * 167, 3)


def test_windows_of_one_named_series_are_a_view():
    rows = np.arange(6.0).reshape(-1, 1)
    windows = SlidingWindow(3).fit_transform(rows, groups=["a"] * 6)
    assert np.shares_memory(windows[0, 1:], windows[1, :-1])


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(2, 9, 3),
        [3, 1, 1],
        np.arange(30) % 2 == 0,
        (slice(None), slice(None), 0),
        ([3, 1], 1),
        (4, 2, 1),
        (..., 0),
        None,
        (np.array([2, 0]), ...),
    ],
)
def test_selections_are_those_of_the_array(key):
    windows = windows_of_panel()
    assert_array_equal(windows[key], np.asarray(windows)[key])


def test_windows_behave_as_the_array():
    windows = windows_of_panel()
    array = np.asarray(windows)
    assert (windows.ndim, windows.dtype, windows.size) == (3, array.dtype, array.size)
    assert_array_equal(windows.reshape(30, -1), array.reshape(30, -1))
    assert_array_equal(2 * windows - 1, 2 * array - 1)
    assert_array_equal(np.array(list(windows)), array)
    assert_array_equal(windows.mean(axis=0), array.mean(axis=0))
    assert np.asarray(windows, dtype="f4").dtype == "f4"
    assert not hasattr(windows, "iloc")
    for same in (pickle.loads(pickle.dumps(windows)), copy.deepcopy(windows)):
        assert_array_equal(same, array)
    with pytest.raises(ValueError, match="uncopied"):
        np.array(windows, copy=False)


def test_transformers_and_networks_read_them_as_the_array():
    windows = windows_of_panel()
    array, y = np.asarray(windows), np.arange(30.0)
    assert_array_equal(SequencePadder(2).fit_transform(windows), array[:, 1:])
    scaler = SequenceWise(StandardScaler()).fit(windows)
    assert_allclose(scaler.transform(windows), scaler.transform(array))
    again = scaler.inverse_transform(scaler.transform(windows))
    assert_allclose(again, array, atol=1e-12)
    # Every row of the padded series counts once.
    assert_allclose(scaler.transformer_.mean_, windows.table.mean(axis=0))
    model = GRURegressor(**SMALL).fit(windows, y)
    twin = GRURegressor(**SMALL).fit(array, y)
    assert_array_equal(model.predict(windows), twin.predict(array))
    assert_array_equal(model.predict(windows[4:7]), twin.predict(array[4:7]))


# In pipelines


def panel():
    times = pd.date_range("2024", periods=30)
    index = pd.MultiIndex.from_product([times, ["a", "b", "c"]], names=["day", "shop"])
    values = np.sin(np.arange(90) / 7) + np.tile([0.0, 5.0, -5.0], 30)
    frame = pd.DataFrame({"v": values}, index=index)
    return make_supervised(frame.swaplevel())


def test_folds_over_the_time_of_a_panel_carry_every_series():
    X, y = panel()
    flat = FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))
    window = SlidingWindow(4, warmup="carry")
    model = make_pipeline(window, SequenceWise(StandardScaler()), flat, Ridge(0.01))
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(3), error_score="raise")
    assert scores.min() > 0.99
    truth = window.fit_transform(X)
    for train, test in TimeSeriesSplit(3).split(X):
        window.fit(X.iloc[train])
        assert_array_equal(window.transform(X.iloc[test]), truth[test])


def test_y_tells_of_the_series_that_a_scaler_hides():
    X, y = panel()
    model = make_pipeline(StandardScaler(), SlidingWindow(2), GRURegressor(**SMALL))
    with pytest.raises(ValueError, match=r"fitted on several series.*set_output"):
        model.fit(X, y).predict(X)
    windows = model[:-1].fit_transform(X, y)
    assert_array_equal(windows[:3, 0], windows[:3, 1])


def test_groups_are_routed_through_a_pipeline():
    X, y = panel()
    groups = X.index.get_level_values("shop").to_numpy()
    X, y = X.to_numpy(), y.to_numpy()
    window = SlidingWindow(4, warmup="carry")
    with sklearn.config_context(enable_metadata_routing=True):
        window.set_fit_request(groups=True).set_transform_request(groups=True)
        model = make_pipeline(StandardScaler(), window, GRURegressor(**SMALL))
        model.fit(X[:60], y[:60], groups=groups[:60])
        predicted = model.predict(X[60:], groups=groups[60:])
        scores = cross_val_score(
            model, X, y, cv=TimeSeriesSplit(2), params={"groups": groups}
        )
    assert np.isfinite(scores).all()
    scaled = StandardScaler().fit(X[:60]).transform(X)
    truth = SlidingWindow(4).fit_transform(scaled, groups=groups)
    assert_allclose(model[-1].predict(truth[60:]), predicted)


def test_windows_of_several_series_keep_the_index_of_their_rows():
    index = pd.MultiIndex.from_product([["b", "a"], pd.RangeIndex(5)])
    frame = pd.DataFrame({"v": np.arange(10.0)}, index=index)
    model = make_pipeline(SlidingWindow(2), GRURegressor(units=3, epochs=1))
    model.fit(frame, np.arange(10.0)).set_output(transform="pandas")
    states = model[-1].transform(model[0].transform(frame))
    pd.testing.assert_index_equal(states.index, index)
    some = model[-1].transform(model[0].transform(frame)[[7, 1]])
    pd.testing.assert_index_equal(some.index, index[[7, 1]])
    np.testing.assert_allclose(some, states.iloc[[7, 1]], rtol=1e-6)
