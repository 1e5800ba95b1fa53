"""What wrappers answer while another thread trains them is wholly of one fit."""

import copy
import pickle
import threading

import keras
import numpy as np
from _scikeras_cases import LABELS, WEIGHTS, X, Y, classifier, network, regressor
from sklearn.base import clone

import skrnn
from skrnn.scikeras._turns import Turns


class Stop(keras.callbacks.Callback):
    """Stop training between two batches until it may go on."""

    def __init__(self):
        super().__init__()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_train_batch_end(self, batch, logs=None):
        self.reached.set()
        self.go_on.wait(30)

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return keras.callbacks.Callback, ()


class Asked(threading.Thread):
    """Ask in a thread; `found` is what it said."""

    def __init__(self, ask):
        super().__init__()
        self.ask, self.found = ask, None
        self.start()

    def run(self):
        self.found = self.ask()


def amid(train, stop):
    """Start training, and return its thread once it stands between two batches."""
    thread = Asked(train)
    assert stop.reached.wait(30)
    return thread


def test_answers_during_a_fit_are_those_of_the_fit_before():
    model, stop = classifier(batch_size=24).fit(X, LABELS), Stop()
    ask = {
        "predict": lambda it: it.predict(X),
        "score": lambda it: it.score(X, LABELS),
        "predict_proba": lambda it: it.predict_proba(X),
    }
    before = {name: each(model) for name, each in ask.items()}
    model.set_params(callbacks=[stop])
    thread = amid(lambda: model.fit(X[:, :, :1], WEIGHTS > 1), stop)
    during = {name: each(model) for name, each in ask.items()}
    copies = copy.copy(model), pickle.loads(pickle.dumps(model))
    stop.go_on.set()
    thread.join()
    for name, expected in before.items():
        np.testing.assert_array_equal(during[name], expected)
    for each in copies:
        np.testing.assert_array_equal(each.predict(X), before["predict"])
    assert model.n_features_in_ == 1


class Halt(keras.callbacks.Callback):
    """The same as a class, which a file may name."""

    reached, go_on = threading.Event(), threading.Event()

    def on_train_batch_end(self, batch, logs=None):
        self.reached.set()
        self.go_on.wait(30)


def test_a_file_written_during_a_fit_is_of_the_fit_before(tmp_path):
    Halt.go_on.set()
    model = classifier(batch_size=24, callbacks=Halt).fit(X, LABELS)
    before, given = model.predict_proba(X), {"trusted": [network, Halt]}
    Halt.go_on.clear()
    Halt.reached.clear()
    thread = amid(lambda: model.fit(X[:, :, :1], WEIGHTS > 1), Halt)
    skrnn.save(model, tmp_path / "model.skrnn", **given)
    Halt.go_on.set()
    thread.join()
    found = skrnn.load(tmp_path / "model.skrnn", **given)
    np.testing.assert_array_equal(found.predict_proba(X), before)
    assert found.classes_.tolist() == ["down", "up"]


def test_answers_wait_for_training_that_goes_on():
    model, stop = regressor(batch_size=24).fit(X, Y), Stop()
    expected = clone(model).fit(X, Y).partial_fit(X, 9 * Y).predict(X)
    model.set_params(callbacks=[stop])
    stop.go_on.set()
    model.fit(X, Y)
    stop.reached.clear()
    stop.go_on.clear()
    thread = amid(lambda: model.partial_fit(X, 9 * Y), stop)
    asked = Asked(lambda: model.predict(X))
    asked.join(0.3)
    assert asked.is_alive()
    stop.go_on.set()
    thread.join()
    asked.join()
    np.testing.assert_array_equal(asked.found, expected)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_a_callback_may_ask_what_is_trained():
    found = []

    class Asks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            found.append(len(self.model.predict(X, verbose=0)))

    model = regressor(warm_start=True).fit(X, Y)
    model.set_params(callbacks=[Asks()], warm_start=False).fit(X, Y)
    model.partial_fit(X, Y)
    assert found == [48, 48]


def test_who_changes_goes_first_and_alone():
    turns, said = Turns(), []
    with turns.reading(), turns.reading():
        changer = threading.Thread(target=lambda: change(turns, said))
        changer.start()
        while not turns._waiting:
            pass
        reader = threading.Thread(target=lambda: read(turns, said))
        reader.start()
        reader.join(0.1)
        assert reader.is_alive()
        assert said == []
    changer.join(30)
    reader.join(30)
    assert said == ["changed", "read"]
    with turns.changing(), turns.changing(), turns.reading():
        pass


def change(turns, said):
    with turns.changing():
        said.append("changed")


def read(turns, said):
    with turns.reading():
        said.append("read")


def test_many_threads_go_from_reading_to_changing():
    turns, all_read, said = Turns(), threading.Barrier(8), []

    def work():
        with turns.reading():
            all_read.wait(30)
            with turns.changing():
                said.append("in")
                said.append("out")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    # One after the other.
    assert said == ["in", "out"] * 8
    assert not turns._readers
    assert not turns._waiting


def test_callbacks_of_several_predictions_may_train():
    all_read = threading.Barrier(4)

    class Trains(keras.callbacks.Callback):
        def on_predict_begin(self, logs=None):
            all_read.wait(60)
            wrapper.partial_fit(X, Y)

        def __deepcopy__(self, memo):
            return self

    wrapper = regressor().fit(X, Y)
    wrapper._predict_callbacks = [Trains()]
    threads = [
        threading.Thread(target=lambda: wrapper.predict(X), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    # One epoch of ``fit``, and one for each prediction.
    assert len(wrapper.history_["loss"]) == 1 + 4
