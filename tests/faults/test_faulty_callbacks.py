"""A callback that raises, or that fits other estimators, leaves all of them usable."""

import numpy as np
import pytest
from keras.callbacks import LambdaCallback
from sklearn.base import clone

from skrnn import (
    GRURegressor,
    LSTMClassifier,
    Seq2SeqRegressor,
    SequenceOutlierDetector,
)
from skrnn.forecasting import Forecaster

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 5, 2))
Y = X[:, -1, 0]
TINY = {"units": 2, "epochs": 3, "batch_size": 8, "random_state": 0}
EVENTS = ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]
EVENTS += ["on_train_batch_begin", "on_train_batch_end"]

# Name -> what has callbacks, and what it is fitted on.
FITS = {
    "numbers": (GRURegressor(**TINY), (X, Y)),
    "labels": (LSTMClassifier(**TINY), (X, Y > 0)),
    "pairs": (Seq2SeqRegressor(**TINY), (X, X[:, :2, 0])),
    "outliers": (SequenceOutlierDetector(**TINY), (X,)),
    "early stopping": (GRURegressor(**TINY, early_stopping=True), (X, Y)),
    "on keras": (GRURegressor(**TINY, engine="keras"), (X, Y)),
    "forecasts": (
        Forecaster(GRURegressor(**TINY), n_members=2, n_windows=40, random_state=0),
        (None, np.sin(np.arange(60))),
    ),
}


class Calls(LambdaCallback):
    """A callback that does something when an event comes for the n-th time."""

    def __init__(self, event, do, n=1):
        super().__init__(**{event: self.told})
        self.do, self.left = do, n

    def told(self, *_, **__):
        self.left -= 1
        if self.left == 0:
            self.do()


class OfCallback(Exception):
    """Of no class that anybody expects."""


def fail():
    raise OfCallback("on purpose")


def answer(model, given):
    if isinstance(model, Forecaster):
        return model.forecast(3).to_numpy()
    return model.predict(given[0])


def with_callback(model, callback):
    name = "estimator__callbacks" if isinstance(model, Forecaster) else "callbacks"
    return model.set_params(**{name: [callback] if callback else None})


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("key", FITS)
def test_a_callback_that_raises_leaves_the_estimator_usable(key, event):
    model, given = clone(FITS[key][0]), FITS[key][1]
    expected = answer(clone(model).fit(*given), given)
    for known in (model, clone(model).fit(*given)):
        before = dict(vars(known))
        with_callback(known, Calls(event, fail))
        with pytest.raises(OfCallback, match="on purpose"):
            known.fit(*given)
        with_callback(known, None)
        assert vars(known).keys() == before.keys()
        if len(before) > len(vars(clone(model))):
            np.testing.assert_array_equal(answer(known, given), expected)
        np.testing.assert_array_equal(answer(known.fit(*given), given), expected)


# A fit inside a fit


INNER = {
    "an equal one": lambda model: clone(model),
    "a larger one": lambda model: GRURegressor(**TINY | {"units": 5}),
    "on keras": lambda model: GRURegressor(**TINY, engine="keras"),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("inner", INNER)
def test_a_fit_inside_a_fit_changes_neither(inner, event):
    for engine in ("cpu", "keras"):
        model = GRURegressor(**TINY, engine=engine)
        expected = clone(model).fit(X, Y).predict(X)
        within = with_callback(INNER[inner](model), None)
        alone = clone(within).fit(X, Y).predict(X)
        with_callback(model, Calls(event, lambda w=within: w.fit(X, Y), n=2))
        if event in ("on_train_begin", "on_train_end"):
            model.callbacks[0].left = 1
        np.testing.assert_array_equal(model.fit(X, Y).predict(X), expected)
        np.testing.assert_array_equal(within.predict(X), alone)


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_what_is_being_fitted_can_be_used_meanwhile(engine):
    model = GRURegressor(**TINY, engine=engine).fit(X, Y)
    before, seen = model.predict(X), []
    model.set_params(epochs=4)
    callback = Calls("on_epoch_end", lambda: seen.append(model.predict(X)), n=2)
    with_callback(model, callback).fit(X, Y)
    np.testing.assert_array_equal(seen, [before])
    expected = GRURegressor(**TINY | {"epochs": 4}, engine=engine).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_a_fit_of_the_same_estimator_inside_its_own(engine):
    model = GRURegressor(**TINY, engine=engine)
    expected = clone(model).fit(X, Y).predict(X)
    # The callback counts its calls: the fit within is left alone.
    with_callback(model, Calls("on_epoch_end", lambda: model.fit(X, Y), n=2))
    np.testing.assert_array_equal(model.fit(X, Y).predict(X), expected)
    with_callback(model, None)
    np.testing.assert_array_equal(model.fit(X, Y).predict(X), expected)
