"""What a callback asks of the wrapper that is being fitted is wholly of this fit."""

import copy
import pickle

import keras
import numpy as np
import pytest
from _scikeras_cases import X, Y, classifier, dense, regressor
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skrnn
from skrnn.scikeras import KerasClassifier

FLAT = X[:, :, 0]
TWO = np.where(np.arange(48) % 2, "u", "v")
THREE = np.array(["a", "b", "c"])[np.arange(48) % 3]


class Asks(keras.callbacks.Callback):
    """Call a function after each epoch; in a copy or a pickle there is none."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def on_epoch_end(self, epoch, logs=None):
        self.do()

    def __deepcopy__(self, memo):
        return keras.callbacks.Callback()

    def __reduce__(self):
        return keras.callbacks.Callback, ()


def labels(meta):
    end = keras.layers.Dense(meta["n_classes_"], "softmax")
    return keras.Sequential([keras.Input(meta["X_shape_"][1:]), end])


def of_labels():
    loss = "sparse_categorical_crossentropy"
    return KerasClassifier(labels, loss=loss, epochs=2, verbose=0, random_state=0)


# Name -> a wrapper, its function, and what it is fitted on first and then.
REFITS = {
    "numbers": (lambda: regressor(model=dense, epochs=2), dense),
    "labels": (of_labels, labels),
    "on keras": (lambda: regressor(model=dense, epochs=2, run_eagerly=True), dense),
}


def data_of(name):
    if name == "labels":
        return (FLAT, TWO), (FLAT[:, :3], THREE)
    return (FLAT, Y), (FLAT[:, :3], 1e3 * Y)


def ways_to_ask(model, build, path):
    """Yield a wrapper as it is now, saved, pickled and copied."""
    yield model
    # A file has no callbacks of one's own.
    without = copy.copy(model).set_params(callbacks=None)
    skrnn.save(without, path, trusted=[build])
    yield skrnn.load(path, trusted=[build])
    yield pickle.loads(pickle.dumps(model))
    yield copy.copy(model)
    yield copy.deepcopy(model)


@pytest.mark.parametrize("name", REFITS)
def test_what_is_asked_amid_a_refit_is_of_the_new_network(name, tmp_path):
    make, build = REFITS[name]
    first, then = data_of(name)
    # What is there after one epoch, and after two.
    after = [make().set_params(epochs=n).fit(*then) for n in (1, 2)]
    model, seen = make().fit(*first), []

    def look():
        expected = after[len(seen)].predict(then[0])
        seen.append(len(model.history_.get("loss", [])))
        for each in ways_to_ask(model, build, tmp_path / "model.skrnn"):
            assert isinstance(each.model_, keras.Sequential)
            np.testing.assert_array_equal(each.predict(then[0]), expected)
            assert each.history_ == model.history_
            assert each.n_features_in_ == 3
            assert not {"_lengths", "engine_"} & vars(each).keys()
        assert set(clone(model).get_params()) == set(model.get_params())

    model.set_params(callbacks=[Asks(look)]).fit(*then)
    # As in Keras, the history gets an epoch after the callbacks of the user.
    assert seen == [0, 1]
    assert model.history_ == after[1].history_


def test_training_that_goes_on_shows_all_epochs_so_far():
    model, seen = regressor(metrics=["mae"]).fit(X, Y), []
    model.set_params(callbacks=[Asks(lambda: seen.append(dict(model.history_)))])
    first = dict(model.history_)
    model.initialize(X, Y)
    model.fit(X, Y, epochs=2)
    model.partial_fit(X, Y)
    assert list(first) == ["loss", "mean_absolute_error"]
    assert [len(each.get("loss", [])) for each in seen] == [0, 1, 2]
    assert list(seen[1]) == list(first)
    assert seen[2]["loss"] == model.history_["loss"][:2]


@pytest.mark.parametrize("name", REFITS)
def test_a_fit_on_other_data_inside_its_own(name):
    make, _ = REFITS[name]
    first, then = data_of(name)
    alone, model = make().fit(*then), make()
    inner = [lambda: model.fit(*first), lambda: model.predict(FLAT)]
    model.set_params(callbacks=[Asks(lambda: inner and inner.pop(0)())])
    model.fit(*then)
    np.testing.assert_array_equal(model.predict(then[0]), alone.predict(then[0]))
    assert model.history_ == alone.history_
    assert model.n_features_in_ == 3


def test_a_parameter_that_a_callback_sets_stays():
    model = regressor()
    change = {"fit__shuffle": False, "epochs": 3}
    model.set_params(callbacks=[Asks(lambda: model.set_params(**change))])
    model.fit(X, Y)
    assert model.get_params()["fit__shuffle"] is False
    assert model.epochs == 3


def test_the_function_that_builds_sees_nothing_of_the_fit_before():
    seen, asked = [], []

    def build(meta):
        seen.append(set(meta))
        if len(seen) > 1:
            with pytest.raises(NotFittedError):
                model.predict(X)
            asked.append(True)
        return dense(meta)

    model = regressor(model=build)
    model.fit(FLAT, Y).fit(FLAT, Y)
    assert seen[0] == seen[1]
    assert asked


def test_a_refit_pads_as_a_first_fit_does():
    """The network of before had longer sequences."""
    y = np.arange(12.0)
    long = [X[i, : 3 + i % 3] for i in range(12)]
    short = [X[i, : 1 + i % 3] for i in range(12)]

    def build(meta):
        layers = [keras.layers.Masking(-9.0), keras.layers.SimpleRNN(1)]
        return keras.Sequential([keras.Input(meta["X_shape_"][1:]), *layers])

    model = regressor(model=build).fit(long, y).fit(short, y)
    assert model.X_shape_ == (12, 3, 2)


def test_a_first_fit_can_be_asked_and_a_failed_one_leaves_nothing():
    model, seen = classifier(), []
    labels_of_rows = np.where(Y > 0, "up", "down")

    def fail():
        seen.append(model.predict(X[:2]).tolist())
        raise RuntimeError("on purpose")

    before = set(vars(model))
    model.set_params(callbacks=[Asks(fail)])
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit(X, labels_of_rows)
    assert set(seen[0]) <= {"up", "down"}
    assert set(vars(model)) == before
