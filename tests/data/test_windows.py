from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.array_utils import byte_bounds
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn._data.windows import (
    pad_rows,
    pad_sequences,
    recognise_windows,
    sliding_windows,
)
from skrnn.preprocessing import SlidingWindow, make_supervised

SERIES = np.arange(40.0).reshape(20, 2)

small = st.integers(1, 5)

# Ways to lay the same rows out in memory.
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "some columns": lambda X: np.repeat(X, 3, axis=1)[:, ::3],
    "reversed": lambda X: X[::-1].copy()[::-1],
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
}


@st.composite
def series(draw, layouts=tuple(LAYOUTS)):
    shape = draw(st.integers(1, 30)), draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?", "c8"]))
    rows = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return LAYOUTS[draw(st.sampled_from(layouts))](rows)


@st.composite
def slices(draw):
    start, step = draw(st.integers(0, 4)), draw(st.sampled_from([1, 2, 3, -1]))
    return slice(start, None, step) if step > 0 else slice(None, None, step)


indices = st.tuples(slices(), slices(), slices())
ends = st.sampled_from(["pre", "post"])


@given(series(), small, small)
def test_windows_are_those_of_the_naive_loop(rows, lookback, rate):
    n = len(rows) - (lookback - 1) * rate
    if n < 1:
        with pytest.raises(ValueError, match=f"lookback={lookback} .* n={len(rows)}"):
            sliding_windows(rows, lookback, rate)
        return
    windows = sliding_windows(rows, lookback, rate)
    naive = [[rows[i + t * rate] for t in range(lookback)] for i in range(n)]
    np.testing.assert_array_equal(windows, np.array(naive))
    assert windows.dtype == rows.dtype
    assert np.shares_memory(windows, rows)
    assert not windows.flags.writeable


def test_the_owner_of_windows_is_the_series():
    rows = np.zeros((1000, 2))
    windows = sliding_windows(rows, 100)
    assert windows.base is rows
    assert not windows.flags.owndata


@pytest.mark.parametrize("dtype", [object, "U3"])
def test_windows_of_things_that_are_no_numbers(dtype):
    rows = np.array([["a"], ["b"], ["c"]], dtype=dtype)
    assert sliding_windows(rows, 2)[:, :, 0].tolist() == [["a", "b"], ["b", "c"]]


@given(series(), small, small, indices)
def test_a_recognised_series_is_that_of_the_windows(rows, lookback, rate, parts):
    if len(rows) < (lookback - 1) * rate + 1:
        return
    windows = sliding_windows(rows, lookback, rate)[*parts]
    found = recognise_windows(windows)
    if found is None:
        return
    rows, step = found
    again = sliding_windows(rows, windows.shape[1], step)
    np.testing.assert_array_equal(again, windows)
    assert again.strides[:2] == windows.strides[:2]
    assert byte_bounds(rows) == byte_bounds(again) == byte_bounds(windows)
    assert not rows.flags.writeable


@given(series(layouts=["C", "Fortran", "some columns"]), small, small, st.data())
def test_every_range_of_overlapping_windows_is_recognised(rows, lookback, rate, data):
    n = len(rows) - (lookback - 1) * rate
    if n < 1 or lookback == 1:
        return
    first = data.draw(st.integers(0, n))
    last = data.draw(st.integers(first, n))
    found = recognise_windows(sliding_windows(rows, lookback, rate)[first:last])
    if last - first <= rate:
        assert found is None
    else:
        expected = rows[first : last + (lookback - 1) * rate]
        np.testing.assert_array_equal(found[0], expected)
        assert found[1] == rate


@given(st.tuples(small, small, small), st.permutations(range(3)), indices)
def test_steps_with_memory_of_their_own_are_no_windows(shape, axes, parts):
    X = np.zeros(shape).transpose(axes)[*parts]
    assert recognise_windows(X) is None


@pytest.mark.parametrize(
    "X",
    [
        np.broadcast_to(1.0, (4, 3, 2)),
        np.broadcast_to(np.ones((4, 1, 2)), (4, 3, 2)),
        np.broadcast_to(np.ones((4, 3, 1)), (4, 3, 2)),
        np.empty((0, 3, 2)),
        np.empty((4, 0, 2)),
        np.empty((4, 3, 0)),
        sliding_windows(np.ones((9, 2)), 3)[::-1],
        sliding_windows(np.ones((9, 2)), 3)[:, ::-1],
        sliding_windows(np.ones((9, 2)), 3)[:, :, ::-1],
    ],
)
def test_odd_strides_are_no_windows(X):
    assert recognise_windows(X) is None


def test_windows_of_numpy_are_recognised():
    rows = np.arange(20.0).reshape(10, 2)
    view = np.lib.stride_tricks.sliding_window_view(rows, 4, axis=0)
    found, step = recognise_windows(view.swapaxes(1, 2))
    np.testing.assert_array_equal(found, rows)
    assert np.shares_memory(found, rows)
    assert step == 1


@given(series(), st.integers(0, 5), st.sampled_from(["edge", 1, 0.0]))
def test_pad_rows(rows, n_rows, fill):
    padded = pad_rows(rows, n_rows, fill)
    front = [rows[0] if fill == "edge" else np.full(rows.shape[1], fill)] * n_rows
    np.testing.assert_array_equal(padded, np.array([*front, *rows]))
    assert padded.dtype == rows.dtype
    assert padded.flags.c_contiguous
    assert not np.shares_memory(padded, rows)


def _padded_step_by_step(sequence, maxlen, padding, truncating, value):
    steps = list(sequence)
    while len(steps) > maxlen:
        steps.pop(0 if truncating == "pre" else -1)
    while len(steps) < maxlen:
        steps.insert(0 if padding == "pre" else len(steps), value)
    return steps


@given(
    st.lists(st.lists(st.integers(-9, 9), max_size=6), min_size=1, max_size=5),
    st.tuples(small, ends, ends),
)
def test_pad_sequences_is_the_naive_loop(lists, options):
    arrays = [np.array(steps, dtype=int) for steps in lists]
    expected = [_padded_step_by_step(steps, *options, 7) for steps in lists]
    np.testing.assert_array_equal(pad_sequences(arrays, *options, 7), expected)
    with_features = [np.c_[steps, steps] for steps in arrays]
    dense = pad_sequences(with_features, *options, 7)
    np.testing.assert_array_equal(dense, np.stack([expected, expected], axis=-1))


@given(
    st.tuples(small, small, small),
    st.tuples(small, ends, ends),
)
def test_an_array_is_padded_as_the_list_of_its_rows(shape, options):
    X = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    dense = pad_sequences(X, *options, -1)
    np.testing.assert_array_equal(dense, pad_sequences(list(X), *options, -1))
    assert dense.dtype == X.dtype
    assert np.shares_memory(dense, X) == (options[0] <= X.shape[1])


# The transformer


def naive_windows(history, rows, lookback, rate, fill):
    """Look every step up by its number; before `history` is the filling."""
    known = np.concatenate([history, rows])

    def step(t):
        first = rows[0] if len(history) == 0 else known[0]
        return known[t] if t >= 0 else (first if fill == "edge" else first * 0 + fill)

    ends = range(len(history), len(known))
    return np.array(
        [[step(end - k * rate) for k in range(lookback)][::-1] for end in ends]
    )


@given(
    n=st.integers(1, 25),
    lookback=st.integers(1, 6),
    rate=st.integers(1, 4),
    fill=st.sampled_from(["edge", 0, -1.5]),
    dtype=st.sampled_from(["f4", "f8", "i4", "?"]),
    cut=st.integers(0, 24),
)
def test_every_row_becomes_the_window_that_ends_there(
    n, lookback, rate, fill, dtype, cut
):
    X = np.random.default_rng(0).normal(size=(n, 2)).round(1).astype(dtype)
    window = SlidingWindow(lookback, sampling_rate=rate, fill=fill)
    if (lookback - 1) * rate + 1 > n:
        with pytest.raises(ValueError, match=f"lookback={lookback} .*n={n}"):
            window.fit(X)
        return
    windows = window.fit_transform(X)
    assert windows.dtype == (dtype if dtype in ("f4", "f8") else "f8")
    X = X.astype(windows.dtype)
    np.testing.assert_array_equal(
        windows, naive_windows(X[:0], X, lookback, rate, fill)
    )
    rows = X[min(cut, n - 1) :]
    np.testing.assert_array_equal(
        window.transform(rows), naive_windows(X[:0], rows, lookback, rate, fill)
    )
    carried = window.set_params(warmup="carry").transform(rows)
    np.testing.assert_array_equal(carried, naive_windows(X, rows, lookback, rate, fill))


def test_the_result_owns_no_memory_and_its_base_is_one_padded_series():
    series = np.zeros((10_000, 3), dtype=np.float32)
    for windows in (
        SlidingWindow(168).fit_transform(series),
        SlidingWindow(168, warmup="carry").fit(series).transform(series),
    ):
        assert windows.nbytes == 168 * series.nbytes
        assert not windows.flags.owndata
        assert windows.base.shape == (10_167, 3)
        assert windows.base.flags.owndata
        assert not np.shares_memory(windows, series)


APART = "Nothing is carried over to the rows of X from"
INDEXES = {
    "range": pd.RangeIndex(5, 45, 2),
    "floats": pd.Index(np.arange(20) / 10),
    "month starts": pd.date_range("2023-01", periods=20, freq="MS"),
    "month ends": pd.date_range("2023-01", periods=20, freq="ME"),
    "business days": pd.date_range("2024-01-01", periods=20, freq="B"),
    "weeks": pd.date_range("2024-01-01", periods=20, freq="W"),
    "hours": pd.date_range("2024-03-30", periods=20, freq="h", tz="Europe/Berlin"),
    "quarters": pd.period_range("2020Q1", periods=20, freq="Q"),
    "durations": pd.timedelta_range("0h", periods=20, freq="6h"),
}


@pytest.mark.parametrize("keep_freq", [True, False])
@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_forward_folds_carry_their_true_past(index, keep_freq):
    if not keep_freq and getattr(index, "freq", None) is not None:
        index = type(index)(list(index))
    frame = pd.DataFrame(SERIES, columns=["a", "b"], index=index)
    window = SlidingWindow(3, sampling_rate=2, warmup="carry")
    truth = window.fit_transform(frame)
    # Two rows leave a gap between the last row of a fold and the next.
    for gap in (0, 2):
        for train, test in TimeSeriesSplit(2, gap=gap).split(frame):
            window.fit(frame.iloc[train])
            told = pytest.warns(UserWarning, match=APART) if gap else nullcontext()
            with told:
                windows = window.transform(frame.iloc[test])
            padded = clone(window).set_params(warmup="pad").fit(frame)
            expected = padded.transform(frame.iloc[test]) if gap else truth[test]
            np.testing.assert_array_equal(windows, expected)
    assert window.feature_names_in_.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("end", "start"),
    [
        # A weekend is missing in days, and is none in business days.
        (pd.date_range("2024-01-01", "2024-01-19"), "2024-01-22"),
        (pd.date_range("2024-01-01", "2024-01-18", freq="B"), "2024-01-20"),
        (pd.date_range("2024-01-31", periods=9, freq="ME"), "2024-10-30"),
        (pd.date_range("2024-01-01", periods=9, tz="UTC"), "2024-01-10"),
        (pd.Index(list("abcdef")), "g"),
        (pd.RangeIndex(10), 11),
        (pd.RangeIndex(10), 0),
    ],
)
def test_an_index_that_does_not_continue_is_padded(end, start):
    if isinstance(end, pd.DatetimeIndex):
        start = pd.Timestamp(start)
    window = SlidingWindow(3, warmup="carry")
    window.fit(pd.DataFrame({"a": range(len(end))}, index=end, dtype=float))
    later = pd.DataFrame({"a": [7.0]}, index=pd.Index([start]))
    # A training row again is no later one.
    with pytest.warns(UserWarning, match=APART) if start else nullcontext():
        windows = window.transform(later)
    np.testing.assert_array_equal(windows.ravel(), [7, 7, 7])


def test_a_hole_long_ago_does_not_stop_the_carrying():
    days = pd.date_range("2024-01-01", periods=60).delete([3, 50])
    frame = pd.DataFrame({"a": np.arange(58.0)}, index=days)
    window = SlidingWindow(3, warmup="carry").fit(frame.iloc[:57])
    windows = window.transform(frame.iloc[57:])
    np.testing.assert_array_equal(windows.ravel(), [55, 56, 57])


def test_arrays_continue_whatever_fit_saw():
    frame = pd.DataFrame(SERIES[:10], index=pd.date_range("2024", periods=10))
    window = SlidingWindow(2, warmup="carry")
    for first, then in [
        (SERIES[:10], SERIES[10:]),
        (SERIES[:10], pd.DataFrame(SERIES[10:])),
    ]:
        windows = window.fit(first).transform(then)
        np.testing.assert_array_equal(windows[0], SERIES[9:11])
    with pytest.warns(UserWarning, match="In fit X had an index, but here it has none"):
        windows = window.fit(frame).transform(SERIES[10:])
    np.testing.assert_array_equal(windows[0], SERIES[9:11])


def test_a_longer_lookback_after_fit_is_padded_and_carried():
    window = SlidingWindow(2, warmup="carry").fit(np.array([[1.0], [2.0]]))
    windows = window.set_params(lookback=4).transform(np.array([[3.0]]))
    np.testing.assert_array_equal(windows.ravel(), [2, 2, 2, 3])


def test_windows_in_a_grid_search_over_folds():
    X, y = make_supervised(np.sin(np.arange(60.0)), horizon=2)
    flat = FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))
    pipeline = make_pipeline(
        StandardScaler(), SlidingWindow(warmup="carry"), flat, LinearRegression()
    )
    grid = {"slidingwindow__lookback": [1, 2, 3]}
    search = GridSearchCV(pipeline, grid, cv=TimeSeriesSplit(3), error_score="raise")
    search.fit(X, y)
    # A sine is a linear function of its last two values, and of no single one.
    assert search.cv_results_["mean_test_score"][0] < 0.5
    assert search.best_score_ > 0.99


@given(
    n=st.integers(2, 20),
    n_columns=st.integers(1, 3),
    horizon=st.integers(1, 4),
    gap=st.integers(0, 3),
    as_frame=st.booleans(),
    data=st.data(),
)
def test_futures_are_those_of_the_naive_loop(
    n, n_columns, horizon, gap, as_frame, data
):
    series = np.arange(n * n_columns).reshape(n, n_columns)
    some = st.lists(st.integers(0, n_columns - 1), min_size=1, unique=True)
    target = data.draw(st.none() | some)
    if horizon + gap >= n:
        with pytest.raises(
            ValueError, match=f"horizon={horizon} and gap={gap} .*n={n}"
        ):
            make_supervised(series, horizon=horizon, gap=gap)
        return
    given_series = pd.DataFrame(series).add_prefix("c") if as_frame else series
    X, y = make_supervised(given_series, horizon=horizon, gap=gap, target=target)
    columns = range(n_columns) if target is None else target
    naive = [
        [[series[t + gap + 1 + h, k] for k in columns] for h in range(horizon)]
        for t in range(n - gap - horizon)
    ]
    shape = [n - gap - horizon, *(s for s in (horizon, len(columns)) if s > 1)]
    np.testing.assert_array_equal(y, np.reshape(naive, shape))
    np.testing.assert_array_equal(X, series[: len(naive)])
