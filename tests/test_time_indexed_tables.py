"""A frame whose rows are moments is no table of sequences, and is told so."""

import warnings

import numpy as np
import pandas as pd
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
TOLD = r"The rows of X have a .*Index, but to .*SlidingWindow.* give X\.to_numpy"

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
    with pytest.warns(UserWarning, match=TOLD):
        GRURegressor(**FAST).fit(TIMES[key], Y)


NO_TIMES = {
    "as an array": SERIES.to_numpy(),
    "counted": SERIES.reset_index(drop=True),
    "names": SERIES.set_index(pd.Index([f"row {i}" for i in range(N)])),
    "numbers": SERIES.set_index(pd.Index(range(N, 0, -1))),
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
    with pytest.warns(UserWarning, match=TOLD):
        search.fit(SERIES, Y)
    search.predict(SERIES)
