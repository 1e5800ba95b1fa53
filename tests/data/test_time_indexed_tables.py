"""A frame whose rows are moments is no table of sequences, and is told so."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from _instances import FAST, LEARNERS, target
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import GRURegressor
from skrnn.preprocessing import SlidingWindow, TextSequencer

RNG = np.random.default_rng(0)
N = 24
TABLE = RNG.normal(size=(N, 4))
Y = TABLE[:, 0]
SERIES = pd.DataFrame(TABLE, pd.date_range("2024", periods=N), columns=list("abcd"))
TIMES = {
    "dates": SERIES,
    "dates with a zone": SERIES.tz_localize("UTC"),
    "periods": SERIES.to_period("D"),
    "durations": SERIES.set_index(pd.timedelta_range("1h", periods=N)),
    "several series": pd.concat({"one": SERIES[:12], "two": SERIES[12:]}),
}
DAYS = SERIES.index
READ_AS_TIMES = {
    "datetime.date": DAYS.date,
    "Timestamps among objects": DAYS.astype(object),
    "ISO strings": DAYS.strftime("%Y-%m-%d"),
    "ISO strings with a clock": DAYS.strftime("%Y-%m-%dT%H:%M"),
    "days first": DAYS.strftime("%d.%m.%Y"),
    "quarters": pd.period_range("2020Q1", periods=N, freq="Q").astype(str),
    "categories of dates": pd.CategoricalIndex(DAYS),
    "categories of strings": pd.CategoricalIndex(DAYS.strftime("%Y-%m-%d")),
    "intervals": pd.interval_range(DAYS[0], periods=N, freq="D"),
    "arrow": pd.Index(DAYS, dtype="timestamp[ns][pyarrow]"),
    "arrow dates": pd.Index(pa.array(DAYS.date).to_pandas(), dtype="date32[pyarrow]"),
    "arrow durations": pd.Index(DAYS - DAYS[0], dtype="duration[ns][pyarrow]"),
}
TOLD = r"The rows of X have {} {}, but to .*SlidingWindow.* give X\.to_numpy"

every_learner = pytest.mark.parametrize(
    "learner", LEARNERS, ids=lambda each: type(each).__name__
)


@every_learner
def test_every_estimator_warns_once_a_fit(learner):
    model, y = clone(learner).set_params(epochs=1), target(learner, TABLE)
    for read in (model.fit, model.partial_fit):
        options = {"classes": np.unique(y)} if read == model.partial_fit else {}
        options = options if hasattr(model, "classes_") else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            read(SERIES, y, **options)
        told = [w for w in caught if "SlidingWindow" in str(w.message)]
        assert len(told) == (read == model.fit)
    # It was said in fit.
    model.predict(SERIES)
    model.score(SERIES, y)


@pytest.mark.parametrize("key", TIMES)
def test_every_index_of_times_is_told_of(key):
    with pytest.warns(UserWarning, match=TOLD.format("a", r"\w+Index")):
        GRURegressor(**FAST).fit(TIMES[key], Y)


@pytest.mark.parametrize("key", READ_AS_TIMES)
def test_every_other_index_that_is_read_as_times_is_told_of(key):
    index = pd.Index(READ_AS_TIMES[key])
    with pytest.warns(UserWarning, match=TOLD.format("an", "index of times")):
        GRURegressor(**FAST).fit(SERIES.set_index(index), Y)
    levels = pd.MultiIndex.from_arrays([["a", "b"] * 12, index])
    with pytest.warns(UserWarning, match=TOLD.format("an?", "(index|.*Index).*")):
        GRURegressor(**FAST).fit(SERIES.set_index(levels), Y)


NO_TIMES = {
    "as an array": SERIES.to_numpy(),
    "counted": SERIES.reset_index(drop=True),
    "names": SERIES.set_index(pd.Index([f"row {i}" for i in range(N)])),
    "numbers": SERIES.set_index(pd.Index(range(N, 0, -1))),
    "numbered": SERIES.set_index(pd.Index([f"{i:03}" for i in range(N)])),
    "categories": SERIES.set_index(pd.CategoricalIndex([f"row {i}" for i in range(N)])),
    "mixed": SERIES.set_index(pd.Index([*"ab", *range(N - 2)])),
    "bools": SERIES.set_index(pd.Index([True, False] * 12)),
    "without labels": SERIES.set_index(pd.Index([None] * N)),
    "named in two levels": pd.concat({"one": SERIES.reset_index(drop=True)}),
    "a list of series": [SERIES] * N,
    "a list of unequal series": [SERIES[: 2 + i % 3] for i in range(N)],
}


@pytest.mark.parametrize("key", NO_TIMES)
def test_nothing_else_is_told_of(key):
    GRURegressor(**FAST).fit(NO_TIMES[key], Y)


def test_windows_of_a_series_are_not_told_of():
    model = make_pipeline(SlidingWindow(3), GRURegressor(**FAST))
    model.fit(SERIES, Y).predict(SERIES)


def test_token_ids_of_dated_documents_are_not_told_of():
    texts = pd.Series(["a good film", "no"] * 12, index=SERIES.index)
    sequencer = TextSequencer(padding="post").set_output(transform="pandas")
    ids = sequencer.fit_transform(texts).set_index(SERIES.index)
    GRURegressor(**FAST, embedding_dim=2).fit(ids, Y)


def test_searches_warn_by_their_fits_alone():
    search = GridSearchCV(GRURegressor(**FAST), {"units": [8]}, cv=2)
    with pytest.warns(UserWarning, match=TOLD.format("a", "DatetimeIndex")):
        search.fit(SERIES, Y)
    search.predict(SERIES)
