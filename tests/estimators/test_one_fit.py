"""While one thread fits, the answers of others are those of the fit before."""

import copy
import pickle
import threading

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn._estimators.one_fit import FITTING, of_one_moment
from skrnn.forecasting import Forecaster
from skrnn.preprocessing import SequenceWise, SlidingWindow, TextSequencer
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3, 2))
SERIES = np.sin(np.arange(60.0))
TEXTS = ["the cat sat.", "a cat ate."] * 3
TINY = {"units": 2, "epochs": 1, "random_state": 0, "engine": "cpu"}
NETWORK = skrnn.RNNRegressor(**TINY)
# Name -> an estimator, what it is fitted on first and then, and what asks it.
CASES = {
    "regressor": (
        skrnn.GRURegressor(**TINY),
        (X, X[:, -1, 0]),
        (X[:, :, :1], 1e6 * X[:, -1]),
        lambda model: (
            model.predict(X),
            model.transform(X),
            model.stream().update(X[0, 0]),
        ),
    ),
    "classifier": (
        skrnn.GRUClassifier(**TINY),
        (X, X[:, -1, 0] > 0),
        (X[:, :, :1], np.arange(12) % 3),
        lambda model: (model.predict(X), model.predict_proba(X)),
    ),
    "seq2seq": (
        skrnn.Seq2SeqRegressor(**TINY),
        (X, X[:, :, 0]),
        (X, X[:, :2]),
        lambda model: (model.predict(X), model.score(X, X[:, :, 0])),
    ),
    "labels": (
        skrnn.Seq2SeqClassifier(**TINY),
        (X, ["ab", "b", "ba"] * 4),
        (X[:, :, 0], np.ones((12, 2), int)),
        lambda model: (model.predict(X), model.predict_beams(X)),
    ),
    "outliers": (
        skrnn.SequenceOutlierDetector(**TINY),
        (X,),
        (1e3 * X[:, :, :1],),
        lambda model: (model.predict(X), model.decision_function(X)),
    ),
    "texts": (
        TextGenerator(**TINY, lookback=5, embedding_dim=2),
        (TEXTS,),
        (["xyz xyz"] * 4,),
        lambda model: (
            model.generate("the", 5, random_state=0),
            model.perplexity(TEXTS),
        ),
    ),
    "forecasts": (
        Forecaster(NETWORK, n_members=1, lookback=4, random_state=0),
        (None, SERIES),
        (None, np.stack([SERIES, 1e5 * SERIES], axis=1)),
        lambda model: list(map(np.asarray, (model.forecast(2), model.fitted_values()))),
    ),
    "steps": (
        SequenceWise(StandardScaler()),
        (X,),
        (1e3 * X[:, :, :1],),
        lambda model: (model.transform(X), model.inverse_transform(X)),
    ),
    "windows": (
        SlidingWindow(lookback=3),
        (SERIES[:, None],),
        (np.stack([SERIES] * 2, axis=1),),
        lambda model: model.transform(SERIES[:9, None]),
    ),
    "words": (
        TextSequencer(),
        (TEXTS,),
        (["xyz xyz"] * 4,),
        lambda model: list(model.transform(TEXTS)),
    ),
}


class Stopped:
    """Stop a fit in another thread amid its changes, with all that was fitted gone."""

    def __init__(self, model, given, monkeypatch):
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: model.fit(*given))

        def set_and_wait(it, name, value):
            object.__setattr__(it, name, value)
            here = threading.current_thread() is self.thread and FITTING in vars(it)
            if here and it is model and not self.reached.is_set():
                whole = dict(vars(it))
                for each in whole.keys() - it.get_params(deep=False).keys():
                    if each != FITTING:
                        del vars(it)[each]
                self.reached.set()
                self.go_on.wait(60)
                vars(it).update(whole)

        monkeypatch.setattr(type(model), "__setattr__", set_and_wait, raising=False)

    def __enter__(self):
        self.thread.start()
        assert self.reached.wait(60)

    def __exit__(self, *_):
        self.go_on.set()
        self.thread.join()


@pytest.mark.parametrize("case", CASES)
def test_amid_a_fit_answers_are_those_of_the_one_before(case, monkeypatch):
    model, first, then, ask = CASES[case]
    model = copy.deepcopy(model).fit(*first)
    expected = ask(model)
    with Stopped(model, then, monkeypatch):
        np.testing.assert_equal(ask(model), expected)
        for copied in (copy.copy(model), pickle.loads(pickle.dumps(model))):
            np.testing.assert_equal(ask(copied), expected)
            assert FITTING not in vars(copied)
    monkeypatch.undo()
    alone = copy.deepcopy(CASES[case][0]).fit(*then)
    assert vars(model).keys() == vars(alone).keys()


def test_amid_a_first_fit_others_are_told_that_nothing_is_fitted(monkeypatch):
    model, first, _, ask = CASES["regressor"]
    model = copy.deepcopy(model)
    with Stopped(model, first, monkeypatch), pytest.raises(NotFittedError):
        ask(model)
    monkeypatch.undo()
    ask(model)


def test_the_thread_that_fits_sees_what_it_has_learnt():
    model = skrnn.GRURegressor(**TINY).fit(X, X[:, -1, 0])
    moment = of_one_moment(model)
    assert vars(moment).keys() - vars(model).keys() == {"_settled"}
    assert of_one_moment(moment) is moment
    assert "_settled" not in moment.__getstate__()
