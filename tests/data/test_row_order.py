"""What an index says about the order of rows, of every kind and for every tool."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import GRURegressor, Seq2SeqClassifier, Seq2SeqRegressor
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    WordFeaturizer,
    make_supervised,
)

N = 12
DAYS = pd.date_range("2024-01-28", periods=N)
SMALL = dict(units=2, epochs=1, early_stopping=False, random_state=0)


# Kind -> labels in ascending order.
IN_ORDER = {
    "dates": DAYS,
    "dates with a zone": DAYS.tz_localize("Europe/Berlin"),
    "seconds": DAYS.as_unit("s"),
    "durations": pd.timedelta_range("1h", periods=N, freq="6h"),
    "periods": pd.period_range("2024Q1", periods=N, freq="Q"),
    "intervals": pd.interval_range(DAYS[0], periods=N),
    "categories": pd.CategoricalIndex(DAYS),
    "days of Python": pd.Index(DAYS.date, dtype=object),
    "times of Python": pd.Index(DAYS.to_pydatetime(), dtype=object),
    "arrow": pd.Index(DAYS, dtype="timestamp[ns][pyarrow]"),
    "range": pd.RangeIndex(N),
    "integers": pd.Index(1_700_000_000 + 3600 * np.arange(N)),
    "nanoseconds": pd.Index(1_700_000_000_000_000_000 + np.arange(N)),
    "uint64": pd.Index(2**63 + np.arange(N, dtype="u8")),
    "beyond int64": pd.Index([2**70 + i for i in range(N)]),
    "objects": pd.Index(list(range(N)), dtype=object),
    "nullable": pd.Index(list(range(N)), dtype="Int64"),
    "floats": pd.Index(1.7e9 + np.arange(N) / 10),
    "float32": pd.Index(np.arange(N, dtype="f4") / 10),
    "decimals": pd.Index([Decimal(i) / 10 for i in range(N)]),
    "ISO strings": pd.Index(DAYS.strftime("%Y-%m-%d")),
    "strings with a clock": pd.Index(DAYS.strftime("%Y-%m-%d 12:00")),
    "slashes": pd.Index(DAYS.strftime("%Y/%m/%d")),
    "day first": pd.Index(DAYS.strftime("%d.%m.%Y")),
    "month first": pd.Index(DAYS.strftime("%m/%d/%Y")),
    "month first, half a day": pd.Index(DAYS.strftime("%m/%d/%Y %I:%M %p")),
    "names of months": pd.Index(DAYS.strftime("%d %b %Y")),
    "months alone": pd.Index(
        pd.date_range("2024", periods=N, freq="MS").strftime("%B %Y")
    ),
    "weeks": pd.Index([f"2024-W{9 + i:02}" for i in range(N)]),
    "digits": pd.Index(DAYS.strftime("%Y%m%d")),
    "digits with a clock": pd.Index(DAYS.strftime("%Y%m%d%H%M%S")),
    "quarters as strings": pd.Index([f"{2020 + i // 4}Q{i % 4 + 1}" for i in range(N)]),
    "numbers as strings": pd.Index([str(8 + i) for i in range(N)]),
    "8 digits": pd.Index([str(10000095 + i) for i in range(N)]),
    "one level": pd.MultiIndex.from_arrays([DAYS]),
}
WITH_HOLES = {
    "dates with holes": DAYS.delete([2, 7]),
    "integers after dropna": pd.RangeIndex(N).delete([0, 5, 6]),
}
# Names, which carry no order.
NAMES = {
    "letters": pd.Index(list("lkjihgfedcba")),
    "strings of times of day": pd.Index([f"{23 - i}:00:00" for i in range(N)]),
    "versions": pd.Index([f"1.{i}.3" for i in range(N)][::-1]),
    "times of day": pd.Index([datetime.time(i) for i in range(N)][::-1]),
    "lines": pd.Index([f"b\n{N - i:02}" for i in range(N)]),
    "mixed": pd.Index(["a", 1, *range(2, N)], dtype=object),
}
ORDERS = {
    "descending": lambda index: index[::-1],
    "shuffled": lambda index: index[np.random.default_rng(0).permutation(len(index))],
    "one twice": lambda index: index[[0, 1, 1, *range(3, len(index))]],
    "two ranges": lambda index: index[[*range(6), *range(6)]],
}
# Those that are wrong for a sequence; a name that is there twice says nothing then.
MESSAGE = "not in (time|ascending) order|more than once"


def windows_of(frame):
    return SlidingWindow(2).fit(frame)


def windows_later(frame):
    return SlidingWindow(2).fit(frame.reset_index(drop=True)).transform(frame)


def windows_behind_a_scaler(frame):
    flat = FunctionTransformer(lambda windows: windows.reshape(len(windows), -1))
    model = make_pipeline(StandardScaler(), SlidingWindow(2), flat, Ridge())
    return model.fit(frame, frame["a"])


def listed(fit):
    def of_a_list(frame):
        return fit([frame_with(None, 4), frame_with(None, 3), frame])

    return of_a_list


def fit_network(X):
    return GRURegressor(**SMALL).fit(X, [1.0, 2.0, 3.0])


def fit_every_step(X):
    y = [x["a"] for x in X]
    X = [x.to_numpy() for x in X]
    return GRURegressor(return_sequences=True, **SMALL).fit(X, y)


def fit_with_future(X):
    frame = X[-1]
    future = [frame, frame.reset_index(drop=True), frame.reset_index(drop=True)]
    y = np.arange(3 * len(frame), dtype=float).reshape(3, -1)
    sequences = np.ones((3, 4, 1))
    return Seq2SeqRegressor(**SMALL).fit(sequences, y, future=future)


def fit_words(X):
    words = [["a", "b"], ["a", "b"], X[-1]["a"].astype(str)]
    return WordFeaturizer(min_df=1).fit(words)


def fit_symbols(X):
    words = [["a", "b"], ["a", "b"], X[-1]["a"].astype(str)]
    return Seq2SeqClassifier(**SMALL).fit(words, ["a", "b", "c"])


OF_ROWS = {
    "make_supervised": make_supervised,
    "SlidingWindow": windows_of,
    "SlidingWindow.transform": windows_later,
    "a pipeline with a scaler": windows_behind_a_scaler,
}
OF_SEQUENCES = {
    "SequenceWise": listed(SequenceWise(StandardScaler()).fit),
    "equally long": lambda frame: SequencePadder().fit([frame, frame]),
    "SequencePadder": listed(SequencePadder().fit),
    "a network": listed(fit_network),
    "y": listed(fit_every_step),
    "future": listed(fit_with_future),
    "words": listed(fit_words),
    "symbols": listed(fit_symbols),
}
TOOLS = OF_ROWS | OF_SEQUENCES


def frame_with(index, n=None):
    values = np.sin(np.arange(float(len(index) if n is None else n)))
    return pd.DataFrame({"a": values}, index=index)


@pytest.mark.parametrize("tool", OF_ROWS)
@pytest.mark.parametrize("kind", IN_ORDER | WITH_HOLES)
def test_rows_in_order_are_read(kind, tool):
    OF_ROWS[tool](frame_with((IN_ORDER | WITH_HOLES)[kind]))


@pytest.mark.parametrize("tool", OF_SEQUENCES)
@pytest.mark.parametrize("kind", ["dates", "range", "ISO strings"])
def test_sequences_in_order_are_read(kind, tool):
    OF_SEQUENCES[tool](frame_with(IN_ORDER[kind]))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", IN_ORDER)
@pytest.mark.parametrize("tool", ["make_supervised", "SlidingWindow"])
def test_rows_out_of_order_are_refused(tool, kind, order):
    with pytest.raises(ValueError, match=MESSAGE):
        TOOLS[tool](frame_with(ORDERS[order](IN_ORDER[kind])))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["dates", "periods", "range", "floats", "ISO strings"])
@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_refuses_them_by_name(tool, kind, order):
    names = {"make_supervised": "series", "a pipeline with a scaler": "y"}
    names |= dict.fromkeys(OF_SEQUENCES, r"X\[2\]")
    names |= {"equally long": r"X\[0\]", "y": r"y\[2\]", "future": r"future\[0\]"}
    message = rf"Index of {names.get(tool, 'X')} .*({MESSAGE})"
    with pytest.raises(ValueError, match=message.replace("Index of", "Index.* of")):
        TOOLS[tool](frame_with(ORDERS[order](IN_ORDER[kind])))


@pytest.mark.parametrize("tool", OF_SEQUENCES)
def test_codes_of_digits_are_names_in_a_list(tool):
    OF_SEQUENCES[tool](frame_with([str(9000 - i) for i in range(N)]))


@pytest.mark.parametrize("tool", ["make_supervised", "SlidingWindow"])
def test_each_series_of_a_panel_is_in_order_or_not(tool):
    days = ["01/10/2024", "02/05/2024", "03/12/2024"]
    index = pd.MultiIndex.from_product([["a", "b"], days])
    OF_ROWS[tool](frame_with(index))
    with pytest.raises(ValueError, match="not in time order in series"):
        OF_ROWS[tool](frame_with(index[[0, 1, 2, 4, 3, 5]]))


@pytest.mark.parametrize("tool", OF_ROWS)
@pytest.mark.parametrize("kind", NAMES)
def test_names_have_no_order(kind, tool):
    OF_ROWS[tool](frame_with(NAMES[kind]))


@pytest.mark.parametrize("labels", [list("aabbccddeeff"), ["x"] * N, [7] * N])
@pytest.mark.parametrize("tool", OF_ROWS)
def test_one_label_for_several_rows_may_be_several_series(tool, labels):
    with pytest.raises(ValueError, match=r"more than once.*MultiIndex.*groups"):
        OF_ROWS[tool](frame_with(labels))


@pytest.mark.parametrize("label", ["store 3", 7, DAYS[0]])
def test_one_label_throughout_is_the_name_of_a_sequence_in_a_list(label):
    OF_SEQUENCES["SequenceWise"](frame_with([label] * N))
    tuples = [(label, i) for i in range(N)]
    OF_SEQUENCES["SequenceWise"](frame_with(pd.MultiIndex.from_tuples(tuples)))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            DAYS[[0, 1, 3, 2]],
            "row 3, 2024-01-30 00:00:00, comes after 2024-01-31.*by it first.$",
        ),
        (pd.Index([0, 1, 3, 2]), r"row 3, 2, comes after 3.*reset_index\(drop=True\)"),
        (pd.Index(["31.01.2024", "30.01.2024"]), "row 1, 30.01.2024, comes after 31.0"),
        (
            DAYS[[0, 1, 1]],
            r"has 2024-01-29 00:00:00 more than once; expected once.*MultiIndex.*groups"
            r"; if it is one in time order, X.reset_index\(drop=True\)\.$",
        ),
        (DAYS[:2].append(pd.DatetimeIndex([None])), "has NaT in row 2; expected times"),
        (pd.Index([0, np.nan, 1]), "has nan in row 1; expected numbers"),
    ],
)
def test_the_first_row_out_of_order_is_named(index, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindow(2).fit(frame_with(index))


def test_rows_that_are_in_order_as_they_stand_lose_their_index():
    frame = pd.DataFrame({"a": [3.0, 1.0, 2.0], "day": DAYS[[2, 0, 1]]})
    by_day = frame.sort_values("day")[["a"]]
    with pytest.raises(ValueError, match=r"reset_index\(drop=True\)"):
        make_supervised(by_day)
    X, y = make_supervised(by_day.reset_index(drop=True))
    assert X["a"].tolist() == [1.0, 2.0]
    assert y.tolist() == [2.0, 3.0]


def test_a_refused_fit_keeps_the_earlier_one():
    window = SlidingWindow(2).fit(np.ones((3, 1)))
    before = dict(vars(window))
    with pytest.raises(ValueError, match="not in time order"):
        window.fit(frame_with(DAYS[::-1]))
    assert all(value is before[name] for name, value in vars(window).items())
