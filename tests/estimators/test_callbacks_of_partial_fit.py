"""scikit-learn's callbacks follow ``partial_fit``, and files don't have them."""

import numpy as np
import pytest
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn.inspection import EpochLog
from skrnn.preprocessing import SequenceWise
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4, 2))
Y = X[:, -1, 0]
LABELS = np.where(Y > 0, "up", "down")
WORDS = ["ab", "ba", "abb", "bab"] * 5
TINY = dict(units=2, random_state=0)
# What is trained a part at a time -> its arguments, and those of its first call.
PARTS = {
    "regressor": (skrnn.GRURegressor(**TINY), (X, Y), {}),
    "classifier": (
        skrnn.LSTMClassifier(**TINY), (X, LABELS), {"classes": ["down", "up"]},
    ),
    "numbers": (skrnn.Seq2SeqRegressor(**TINY), (X, X[:, :2, 0]), {}),
    "labels": (
        skrnn.Seq2SeqClassifier(**TINY), (WORDS, WORDS), {"classes": ["a", "b"]},
    ),
    "texts": (TextGenerator(**TINY), (["to be or not to be"],), {}),
}  # fmt: skip


class Told:
    """Keeps what it is told, and raises if it is asked to."""

    def __init__(self, raises=False):
        self.raises, self.events = raises, []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context):
        self.events.append(f"end {context.task_name}")
        if self.raises and context.task_name == "epoch":
            raise RuntimeError("enough")


@pytest.mark.parametrize("kind", PARTS)
def test_each_call_is_a_fit_of_one_epoch(kind):
    model, given, first = PARTS[kind]
    told = Told()
    plain = type(model)(**model.get_params(deep=False))
    model = type(model)(**model.get_params(deep=False)).set_callbacks(told)
    one = [
        "setup", "begin fit", "begin epoch", "end epoch", "end fit", "teardown",
    ]  # fmt: skip
    for n, options in enumerate((first, {}), start=1):
        plain.partial_fit(*given, **options)
        model.partial_fit(*given, **options)
        assert told.events == one * n
    for ours, theirs in zip(model._weights, plain._weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_callback_that_raises_changes_nothing():
    told = Told()
    model = skrnn.GRURegressor(**TINY).set_callbacks(told).partial_fit(X, Y)
    before = model.predict(X)
    told.raises = True
    with pytest.raises(RuntimeError, match="enough"):
        model.partial_fit(X, Y)
    assert told.events[-1] == "teardown"
    assert model.n_iter_ == 1
    np.testing.assert_array_equal(model.predict(X), before)
    told.raises = False
    assert model.partial_fit(X, Y).n_iter_ == 2


def test_logs_and_scores_of_parts():
    log, monitor = EpochLog(), ScoringMonitor(scoring="r2")
    model = skrnn.GRURegressor(**TINY).set_callbacks(log, monitor)
    for _ in range(3):
        model.partial_fit(X, Y)
    losses = log.frame()
    assert losses["epoch"].tolist() == [1, 2, 3]
    assert losses["loss"].tolist() == model.history_["loss"]
    (*_, last) = monitor.get_logs(select="all")
    assert last.data[-1]["r2"] == pytest.approx(model.score(X, Y))


def test_files_have_no_callbacks(tmp_path):
    log, path = EpochLog(), tmp_path / "model.skrnn"
    model = skrnn.GRURegressor(epochs=1, **TINY)
    # Without callbacks: the search hands on its own.
    other = skrnn.GRURegressor(epochs=1, **TINY)
    search = GridSearchCV(
        make_pipeline(SequenceWise(StandardScaler()), other), {}, cv=2
    )
    table = LogisticRegression().set_callbacks(log).fit(X[:, 0], LABELS)
    for estimator in model.set_callbacks(log), search.set_callbacks(log):
        estimator.fit(X, Y)
        skrnn.save(estimator, path)
        assert hasattr(estimator, "_skl_callbacks")
        loaded = skrnn.load(path)
        assert not hasattr(loaded, "_skl_callbacks")
        np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
        loaded.set_callbacks(log).fit(X, Y)
    skrnn.save(table, path)
    assert not hasattr(skrnn.load(path), "_skl_callbacks")
