"""A callback that raises, or that fits other estimators, leaves all of them usable."""

import copy
import pickle

import numpy as np
import pytest
from keras.callbacks import LambdaCallback
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skrnn
from skrnn import (
    GRURegressor,
    LSTMClassifier,
    Seq2SeqRegressor,
    SequenceOutlierDetector,
)
from skrnn.forecasting import Forecaster
from skrnn.text import TextGenerator

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


# Name -> an estimator, and what it is fitted on first and then.
REFITS = {
    "numbers": (GRURegressor(**TINY), (X, Y), (X[:, :, :1], 1e6 * Y)),
    "labels": (LSTMClassifier(**TINY), (X, Y > 0), (X, np.arange(16) % 3)),
    "outliers": (SequenceOutlierDetector(**TINY), (X,), (1e3 * X,)),
    "texts": (TextGenerator(**TINY | {"verbose": 1}), (["abc"] * 9,), (["bcde"] * 9,)),
}


def ways_to_ask(model, path):
    """Yield an estimator as it answers now, as it is saved, pickled and copied."""
    yield model
    skrnn.save(model, path)
    yield skrnn.load(path)
    yield pickle.loads(pickle.dumps(model))
    yield copy.copy(model)


class Asks:
    """A callback of scikit-learn that calls a function after each epoch."""

    def __init__(self, do):
        self.do = do

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.do()

    def __reduce__(self):
        # In a pickle there is none.
        return (object, ())


@pytest.mark.parametrize("key", REFITS)
def test_a_fit_on_other_data_mixes_nothing_into_what_it_is_asked(key, tmp_path):
    model, first, then = REFITS[key]
    model, seen = clone(model).fit(*first), []
    ask = "perplexity" if key == "texts" else "predict"
    before = getattr(model, ask)(first[0])
    expected = getattr(clone(model).fit(*then), ask)(then[0])
    path = tmp_path / "model.skrnn"

    def look():
        for each in ways_to_ask(model, path):
            seen.append(getattr(each, ask)(first[0]))

    model.set_callbacks(Asks(look)).fit(*then)
    np.testing.assert_array_equal(seen, [before] * 4 * model.epochs)
    np.testing.assert_array_equal(getattr(model, ask)(then[0]), expected)


def test_what_is_fitted_for_the_first_time_is_no_half_fitted_one(tmp_path):
    model = GRURegressor(**TINY)
    seen = []

    def look():
        seen.extend(ways_to_ask(model, tmp_path / "model.skrnn"))

    model.set_callbacks(Asks(look)).fit(X, Y)
    assert len(seen) == 4 * TINY["epochs"]
    for each in set(seen) - {model}:
        with pytest.raises(NotFittedError):
            each.predict(X)
    assert not any(name.startswith("_callback") for name in vars(seen[1]))


def test_a_fit_on_other_data_inside_its_own():
    model = GRURegressor(**TINY)
    expected = clone(model).fit(X, Y).predict(X)
    other = X[:, :, :1], 1e6 * np.stack([Y, Y], axis=1)
    with_callback(model, Calls("on_epoch_end", lambda: model.fit(*other), n=2))
    np.testing.assert_array_equal(model.fit(X, Y).predict(X), expected)
