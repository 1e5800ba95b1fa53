"""Whether rows follow those of fit, as far as anything says it."""

from contextlib import nullcontext
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from _tables import LONG
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit, TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn.preprocessing import SequenceWise, SlidingWindow, make_supervised

N, CUT = 60, 40
VALUES = np.arange(float(N))

REGULAR = {
    "range": pd.RangeIndex(N),
    "range of 5": pd.RangeIndex(1000, 1000 + 5 * N, 5),
    "seconds": pd.Index(1_700_000_000 + 3600 * np.arange(N)),
    "seconds as floats": pd.Index(1.7e9 + 3600 * np.arange(N)),
    "tenths of seconds": pd.Index(1.7e9 + np.arange(N) / 10),
    "nanoseconds": pd.Index(1_700_000_000_000_000_000 + 100 * np.arange(N)),
    "uint64": pd.Index(2**63 + np.arange(N, dtype="u8")),
    "uint8": pd.Index(np.arange(N, dtype="u1")),
    "beyond int64": pd.Index([2**70 + i for i in range(N)]),
    "objects": pd.Index(list(range(N)), dtype=object),
    "nullable": pd.Index(list(range(N)), dtype="Int64"),
    "tiny": pd.Index(np.arange(N) * 1e-12),
    "negative": pd.Index(np.arange(N) - 1e6),
    "float32": pd.Index(np.arange(N, dtype="f4") / 10),
    "decimals": pd.Index([Decimal(i) / 10 for i in range(N)]),
    "years": pd.Index([f"{1900 + i}" for i in range(N)]),
    "days": pd.date_range("2024-01-01", periods=N),
    "days as strings": pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"),
    "day first": pd.date_range("2024-01-01", periods=N).strftime("%d/%m/%Y"),
    "month first": pd.date_range("2024-01-01", periods=N).strftime("%m/%d/%Y"),
    "names of months": pd.date_range("2024", periods=N, freq="MS").strftime("%b %Y"),
    "weeks": pd.Index([f"20{20 + i // 52}-W{1 + i % 52}" for i in range(10, 10 + N)]),
    "digits with a clock": pd.date_range(
        "2024-01-31 23:20", periods=N, freq="min"
    ).strftime("%Y%m%d%H%M"),
    "8 digits": pd.Index([f"{10000001 + i}" for i in range(N)]),
    "every third month": pd.period_range("2000-01", periods=3 * N, freq="M")[::3],
    "month ends": pd.DatetimeIndex(list(pd.date_range("2024", periods=N, freq="ME"))),
    "business days": pd.date_range("2024-01-01", periods=N, freq="B"),
    "quarters": pd.period_range("2000Q1", periods=N, freq="Q"),
    "durations": pd.timedelta_range("1h", periods=N, freq="6h"),
    "90 minutes": pd.date_range("2024", periods=N, freq="90min", tz="Europe/Berlin"),
}


def series(index):
    return pd.DataFrame({"v": VALUES[: len(index)]}, index=index)


APART = "Nothing is carried over to the rows of X from .* warmup='pad'"


def first_of(window, rows, *, apart):
    """Return the first window of rows that are told to be apart, or aren't."""
    with pytest.warns(UserWarning, match=APART) if apart else nullcontext():
        return window.transform(rows)[0, :, 0]


@pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR)
@pytest.mark.parametrize("start", [0, 1, CUT - 3, CUT - 1, CUT, CUT + 1, CUT + 3])
def test_only_the_next_row_follows(index, start):
    frame = series(index)
    window = SlidingWindow(3, warmup="carry").fit(frame[:CUT])
    first = first_of(window, frame[start:], apart=start > CUT)
    expected = [start - 2, start - 1, start] if start == CUT else [start] * 3
    np.testing.assert_array_equal(first, expected)


@given(
    size=st.sampled_from([0, 1, 1e3, 1.7e9, -1.7e18, 2**53]),
    step=st.sampled_from([1, 2, 3600, 10**9]),
    gap=st.integers(0, 4),
)
def test_integers_are_compared_exactly_whatever_their_size(size, step, gap):
    labels = [int(size) + step * i for i in range(N)]
    frame = series(pd.Index(labels))
    window = SlidingWindow(3, warmup="carry").fit(frame[:CUT])
    first = first_of(window, series(pd.Index([labels[CUT] + gap])), apart=gap > 0)
    expected = [CUT - 2, CUT - 1, 0] if gap == 0 else [0, 0, 0]
    np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("kind", ["range", "seconds as floats", "days", "durations"])
@pytest.mark.parametrize("hole", [CUT - 1, CUT - 2, CUT - 4])
def test_a_hole_before_the_end_is_no_step(kind, hole):
    frame = series(REGULAR[kind])
    window = SlidingWindow(3, warmup="carry").fit(frame[:CUT].drop(frame.index[hole]))
    for start in (CUT, CUT + 1):
        follows = start == (CUT - 1 if hole == CUT - 1 else CUT)
        first = first_of(window, frame[start:], apart=not follows)
        assert (first[0] != first[1]) == follows


@pytest.mark.parametrize("kind", ["days", "days as strings", "month first"])
def test_three_labels_with_holes_are_no_step(kind):
    frame = series(REGULAR[kind])
    window = SlidingWindow(3, warmup="carry").fit(frame.iloc[[*range(30), 32, 35]])
    for start in (36, 38):
        first = first_of(window, frame[start:], apart=start != 36)
        expected = [32, 35, 36] if start == 36 else [start] * 3
        np.testing.assert_array_equal(first, expected)


def test_business_days_with_holidays_are_known():
    index = pd.DatetimeIndex(list(REGULAR["business days"].delete([6, 20, 33])))
    for cut in range(20, len(index)):
        window = SlidingWindow(2, warmup="carry").fit(series(index)[:cut])
        first = first_of(window, series(index)[cut:], apart=cut == 31)[0]
        # The 31st comes behind a holiday.
        assert first == (cut if cut == 31 else cut - 1)


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y 12:00"])
def test_dates_are_read_in_the_way_of_fit(form):
    frame = series(pd.date_range("2024-01-01", periods=N).strftime(form))
    # The first days behind the 12th and behind a month are told apart in another way.
    cuts = range(5, N) if LONG else (5, 6, 11, 12, 13, 14, 30, 31, 32, 33, 45, N - 1)
    for cut in cuts:
        window = SlidingWindow(3, warmup="carry").fit(frame[:cut])
        for row in {*range(0, N, 3 if LONG else 6), cut}:
            first = first_of(window, frame.iloc[[row]], apart=row > cut)
            expected = [cut - 2, cut - 1, cut] if row == cut else [row] * 3
            np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d/%m/%Y"])
def test_dates_that_may_be_two_follow_if_both_do(form):
    frame = series(pd.date_range("2024", periods=N, freq="MS").strftime(form))
    for cut in (5, 12, 30):
        window = SlidingWindow(2, warmup="carry").fit(frame[:cut])
        for row in range(N) if LONG else {*range(0, N, 5), cut - 1, cut, cut + 1}:
            follows = row == cut and cut % 12
            apart = row >= cut and not follows
            first = first_of(window, frame.iloc[[row]], apart=apart)
            assert first[0] == (cut - 1 if follows else row)


def test_nothing_follows_the_last_time_of_pandas():
    frame = series(pd.date_range("2262-04-01", periods=11).as_unit("ns"))
    window = SlidingWindow(2, warmup="carry").fit(frame)
    assert window.transform(frame)[0, 0, 0] == 0


@pytest.mark.parametrize("jitter", [1e-4, 1e-3])
def test_measured_times_are_never_quite_regular(jitter):
    seconds = 1.7e9 + np.arange(N) + np.random.default_rng(0).uniform(0, jitter, N)
    for index in (pd.Index(seconds), pd.to_datetime(seconds, unit="s")):
        window = SlidingWindow(2, warmup="carry").fit(series(index)[:CUT])
        assert window.transform(series(index)[CUT:])[0, 0, 0] == CUT - 1
        gone = first_of(window, series(index)[CUT + 1 :], apart=True)
        assert gone[0] == CUT + 1


@pytest.mark.parametrize(
    ("end", "start"),
    [
        (REGULAR["days"], REGULAR["range"]),
        (REGULAR["days"], REGULAR["durations"]),
        (REGULAR["days"], REGULAR["90 minutes"]),
        (REGULAR["days"], REGULAR["quarters"]),
        (REGULAR["quarters"], REGULAR["days"]),
        (REGULAR["range"], pd.Index([f"no {i:02}" for i in range(N)])),
        (pd.Index([0.0, 1.0, 2.0, np.inf]), pd.Index([np.inf])),
        (pd.RangeIndex(1), pd.RangeIndex(1, N)),
    ],
)
def test_what_can_not_be_compared_does_not_follow(end, start):
    window = SlidingWindow(1, warmup="carry").fit(series(end[:CUT]))
    later = series(start[-N + CUT :]) + 7
    first = first_of(window.set_params(lookback=3), later, apart=end[-1] != start[-1])
    np.testing.assert_array_equal(first, [7, 7, 7])


# A pipeline that hides the index

DAYS = REGULAR["days"]
X, Y = make_supervised(series(DAYS))
HIDDEN = "In fit X had an index, but here it has none.*SequenceWise"


def flat():
    return FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))


def scaler_first():
    window = SlidingWindow(3, warmup="carry")
    return make_pipeline(StandardScaler(), window, flat(), Ridge())


def window_first():
    window = SlidingWindow(3, warmup="carry")
    return make_pipeline(window, SequenceWise(StandardScaler()), flat(), Ridge())


def scaler_of_frames():
    model = scaler_first()
    model[0].set_output(transform="pandas")
    return model


def test_a_scaler_that_hides_the_index_is_told_of():
    model = scaler_first().fit(X[:CUT], Y[:CUT])
    for rows in (X[CUT:], X[CUT + 3 :], X[:CUT]):
        with pytest.warns(UserWarning, match=HIDDEN):
            model.predict(rows)


@pytest.mark.parametrize("order", [slice(None, None, -1), [1, 0, *range(2, CUT)]])
def test_y_tells_of_the_order_that_a_scaler_hides(order):
    rows, y = X[:CUT].iloc[order], Y[:CUT].iloc[order]
    for model in (scaler_first(), window_first(), scaler_of_frames()):
        with pytest.raises(ValueError, match=r"DatetimeIndex of [Xy] is not in time"):
            model.fit(rows, y)
    with pytest.raises(ValueError, match="DatetimeIndex of y is not in time order"):
        scaler_first().fit(rows.to_numpy(), y.to_frame())


@pytest.mark.parametrize("make", [window_first, scaler_of_frames])
def test_pipelines_that_keep_the_index_join_only_what_follows(make):
    model = make().fit(X[:CUT], Y[:CUT])
    windows = model[:-1].transform
    whole = windows(X)
    np.testing.assert_allclose(windows(X[CUT:]), whole[CUT:])
    for start in (0, 5, CUT - 3, CUT + 3):
        with pytest.warns(UserWarning, match=APART) if start > CUT else nullcontext():
            alone = windows(X[start:])
        np.testing.assert_allclose(alone[2:], whole[start + 2 :])
        assert len(set(alone[0])) == 1


def test_arrays_alone_are_taken_to_follow():
    model = scaler_first().fit(X[:CUT].to_numpy(), Y[:CUT].to_numpy())
    windows = model[:-2].transform(X[CUT:].to_numpy())
    steps = np.diff(windows[:, :, 0])
    np.testing.assert_allclose(steps, np.full((len(X) - CUT, 2), steps[-1, 0]))


# Folds

SKIPPED = "rows that fit left out between its own or before them.*TimeSeriesSplit"


def folds(cv, index=DAYS):
    rows, y = make_supervised(series(index))
    return cross_validate(
        window_first(), rows, y, cv=cv, return_train_score=True, error_score="raise"
    )


@pytest.mark.parametrize("kind", ["days", "range", "seconds", "business days"])
@pytest.mark.parametrize("cv", [KFold(3, shuffle=True, random_state=0), KFold(3)])
def test_folds_that_do_not_run_forward_warn(cv, kind):
    with pytest.warns(UserWarning, match=SKIPPED):
        folds(cv, REGULAR[kind])


@pytest.mark.parametrize("holes", [[], [3, 4, 20, 41]])
def test_forward_folds_do_not_warn(holes):
    folds(TimeSeriesSplit(3), DAYS.delete(holes))


def test_folds_behind_a_gap_are_told_of():
    with pytest.warns(UserWarning, match=APART):
        folds(TimeSeriesSplit(3, gap=2))


@pytest.mark.parametrize("seen", ["a", "d"])
def test_names_that_fit_did_not_see_are_told_of(seen):
    frame = series(pd.Index(list("abc")))
    window = SlidingWindow(2, warmup="carry").fit(frame)
    later = series(pd.Index([seen, "e"]))
    assert first_of(window, later, apart=seen == "d").tolist() == [0, 0]


def test_windows_without_a_past_are_never_apart():
    window = SlidingWindow(1, warmup="carry").fit(series(DAYS)[:CUT])
    assert window.transform(series(DAYS)[CUT + 3 :]).shape == (N - CUT - 3, 1, 1)


def test_shuffled_rows_are_refused():
    with pytest.raises(ValueError, match="is not in time order"):
        folds(ShuffleSplit(2, random_state=0))


def test_padding_does_not_warn_of_folds():
    window = SlidingWindow(3).fit(series(DAYS)[10:])
    windows = window.transform(series(DAYS)[:10])
    np.testing.assert_array_equal(windows[0, :, 0], [0, 0, 0])
