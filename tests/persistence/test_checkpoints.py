"""Checkpoints of a `fit`: what training goes on from, and what it refuses."""

import io
import os
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from _instances import assert_same_network
from safetensors.numpy import save
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

import skrnn
from skrnn._engine.training import checkpoints
from skrnn._engine.training.progress import Progress
from skrnn._persistence import container
from skrnn._persistence.checkpoint_file import read_tree, write_tree
from skrnn._persistence.container import UnreadableError
from skrnn.forecasting import Forecaster
from skrnn.text import TextGenerator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 5, 2))
Y = X[:, -1, 0]
SERIES = np.sin(np.arange(60) / 2) + RNG.normal(size=60) / 9
TEXT = "the cat sat on the mat. " * 12


class Killed(BaseException):
    """Ends a process as a signal would: nothing tidies up after it."""


@contextmanager
def killed_after(n):
    """Kill the fit of the body after so many states were written."""
    n_written = 0
    offer = checkpoints.Keeper.offer

    def offered(self, make):
        nonlocal n_written
        self._next = 0
        offer(self, make)
        n_written += 1
        if n_written == n:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints.Keeper, "offer", offered)
        with pytest.raises(Killed):
            yield


@contextmanager
def no_training():
    """Refuse to train in the body."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skrnn._engine.training.loop.Loop.run", None)
        yield


def regressor(cls=skrnn.GRURegressor, **params):
    given = dict(units=3, epochs=6, batch_size=8, random_state=0) | params
    return cls(**given)


def own_loss(y, predicted):
    return keras.ops.mean(keras.ops.abs(y - predicted), axis=-1)


class Counting(keras.callbacks.Callback):
    """A callback of a user's, with a memory of its own."""

    def __init__(self):
        super().__init__()
        self.losses, self.last = [], {"weights": None}

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs["loss"])
        self.last["weights"] = self.model.get_weights()
        # It makes a difference to what is learnt.
        self.model.set_weights(
            [w * 0.99 ** len(self.losses) for w in self.last["weights"]]
        )


class Telling(Counting):
    """The same with an attribute that only it knows how to save."""

    def __init__(self):
        super().__init__()
        self.secret = object()

    def state_dict(self):
        return {"losses": list(self.losses)}

    def load_state_dict(self, state):
        self.losses = list(state["losses"])


def keras_callbacks():
    return [
        keras.callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.5),
    ]


FITS = {
    "plain": lambda: regressor(),
    "early stopping": lambda: regressor(early_stopping=True, patience=2, epochs=12),
    "not shuffled": lambda: regressor(shuffle=False, dropout=0.3),
    "schedule": lambda: regressor(learning_rate_schedule="exponential", clipnorm=None),
    "callbacks": lambda: regressor(callbacks=keras_callbacks()),
    "own callback": lambda: regressor(callbacks=[Counting()]),
    "callback that tells": lambda: regressor(callbacks=[Telling()]),
    "own optimizer": lambda: regressor(
        optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.05, 4, 0.9),
            momentum=0.9,
            use_ema=True,
        ),
    ),
    "own loss": lambda: regressor(loss=own_loss),
    # What TensorFlow compiles in little time.
    "the engine of Keras": lambda: regressor(
        skrnn.LSTMRegressor, engine="keras", dropout=0.2, callbacks=keras_callbacks()
    ),
}


@pytest.mark.parametrize("key", FITS)
def test_a_fit_goes_on_to_the_same_end(key, tmp_path):
    path = tmp_path / "fit.checkpoint"
    whole = FITS[key]().fit(X, Y)
    begun = FITS[key]().set_params(checkpoint_path=path)
    with killed_after(2):
        begun.fit(X, Y)
    assert len(read_tree(path)["state"]["history"]["loss"]) == 2
    # Another object, as in another process.
    found = FITS[key]().set_params(checkpoint_path=path).fit(X, Y)
    assert_same_network(found, whole)
    assert found.history_ == whole.history_
    assert (found.n_iter_, found.best_epoch_) == (whole.n_iter_, whole.best_epoch_)
    for one, other in zip(found._optimizer_state, whole._optimizer_state, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_has_ended_is_there_at_once(tmp_path):
    path = tmp_path / "fit.checkpoint"
    first = regressor(checkpoint_path=path, random_state=None).fit(X, Y)
    with no_training():
        again = regressor(checkpoint_path=path, random_state=None).fit(X, Y)
    assert_same_network(again, first)
    # Another fit takes its place.
    other = regressor(checkpoint_path=path, units=4).fit(X, Y)
    assert_same_network(other, regressor(units=4).fit(X, Y))
    assert read_tree(path)["parameters"]["units"] == "4"


def test_progress_tells_what_is_left(tmp_path, capsys):
    path = tmp_path / "fit.checkpoint"
    interrupted(path, verbose=2)
    assert "epoch 1/6" in capsys.readouterr().err
    for expected in ("epoch 2/6", "trained before"):
        regressor(checkpoint_path=path, verbose=2).fit(X, Y)
        shown = capsys.readouterr().err
        assert expected in shown
        assert "epoch 1/6" not in shown


def test_the_time_is_that_of_the_epochs_left(monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    stream = io.StringIO()
    progress = Progress("it", 100, 2, stream)
    progress.skip(90)
    now = 5.0
    progress.show(91, 1, {})
    assert "0:05 of 0:50" in stream.getvalue()


def test_a_training_that_diverged_stays_as_it_is(tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = regressor(
        checkpoint_path=path, learning_rate=1e38, optimizer="sgd", clipnorm=None
    )
    found = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="the loss is not finite"):
            found.append(clone(model).fit(X, Y))
    assert_same_network(*found)


def interrupted(path, **params):
    with killed_after(1):
        regressor(checkpoint_path=path, **params).fit(X, Y)


def test_another_fit_is_refused(tmp_path):
    path = tmp_path / "fit.checkpoint"
    interrupted(path)
    before = path.read_bytes()
    refused = [
        (regressor(units=5), X, Y, "units was 3 and is 5"),
        (regressor(random_state=1), X, Y, "random_state was 0 and is 1"),
        (regressor(epochs=7, dropout=0.1), X, Y, "dropout was 0.0 and is 0.1"),
        (regressor(), X, Y + 1, "the data were others"),
        (regressor(), X[:-1], Y[:-1], "the data were others"),
        (skrnn.LSTMRegressor(), X, Y, "it was of GRURegressor"),
    ]
    for model, x, y, message in refused:
        model.set_params(checkpoint_path=path)
        with pytest.raises(ValueError, match=message) as caught:
            model.fit(x, y)
        assert "Remove the file" in str(caught.value)
        assert not hasattr(model, "history_")
    with pytest.raises(ValueError, match="the data were others"):
        regressor(checkpoint_path=path).fit(X, Y, X_val=X, y_val=Y)
    assert path.read_bytes() == before
    # What makes no difference may change.
    regressor(checkpoint_path=os.fspath(path), verbose=0).fit(X, Y)


def spoilt(tree, *keys, value):
    """Return a tree with another value somewhere."""
    if not keys:
        return value(tree) if callable(value) else value
    first, *rest = keys
    changed = tree.copy()
    changed[first] = spoilt(tree[first], *rest, value=value)
    return changed


SPOILT = {
    "weights of another shape": (("state", "weights", 0), lambda w: w[:, :-1]),
    "weights of another type": (("state", "weights", 0), lambda w: w.astype("f8")),
    "too few weights": (("state", "weights"), lambda w: w[:-1]),
    "NaN": (("state", "weights", 1), lambda w: w * np.nan),
    "best weights": (("state", "best_weights", 1), lambda w: w.T[:1]),
    "optimizer": (("state", "optimizer_state", 2), lambda w: w[:1]),
    "fewer arrays": (("state", "optimizer_state"), lambda w: w[:-1]),
    "no arrays": (("state", "weights"), "none"),
    "history": (("state", "history"), {"loss": ["a"]}),
    "no epochs": (("state", "history"), {"loss": []}),
    "steps": (("state", "step"), -1),
    "generator": (("state", "generator"), {"bit_generator": "MT19937"}),
    "seed": (("seed",), 1.5),
    "no state": (("state",), []),
    "facts": (("parameters",), None),
}


@pytest.mark.parametrize("key", SPOILT)
def test_a_file_of_others_is_checked(key, tmp_path):
    path = tmp_path / "fit.checkpoint"
    interrupted(path)
    keys, value = SPOILT[key]
    # The digest is right: somebody else made it.
    write_tree(path, spoilt(read_tree(path), *keys, value=value))
    with pytest.raises(ValueError, match="checkpoint") as caught:
        regressor(checkpoint_path=path).fit(X, Y)
    assert "Remove the file" in str(caught.value)


def test_other_files_are_refused_and_stay(tmp_path):
    path = tmp_path / "fit.checkpoint"
    interrupted(path)
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-5] ^= 1
    contents = [b"", b"abc", whole[:-7], whole[:40], bytes(changed), b"\xff" * 64]
    # A header of many gigabytes, and JSON deeper than can be read.
    contents += [b"\xff" * 7 + b"\x00" + whole[8:], b"[" * 100_000]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no checkpoint that training can go on"):
            regressor(checkpoint_path=path).fit(X, Y)
        assert path.read_bytes() == content


def test_deep_trees_are_refused(tmp_path):
    path = tmp_path / "deep"
    text = b"[" * 100_000 + b"]" * 100_000
    arrays = {container.JSON: np.frombuffer(text, np.uint8)}
    digest = np.frombuffer(container._digest(arrays), np.uint8)
    path.write_bytes(save(arrays | {container.DIGEST: digest}))
    with pytest.raises(UnreadableError, match="recursion"):
        read_tree(path)


def test_what_may_be_in_a_tree(tmp_path):
    path = tmp_path / "tree"
    tree = {
        "a": [1, 2.5, None, True, "x", 2**100, float("inf")],
        "b": ({"c": np.arange(3, dtype=np.int16)}, np.float32(0.1), np.zeros((0, 2))),
        "empty": [{}, [], ()],
    }
    write_tree(path, tree)
    found = read_tree(path)
    np.testing.assert_equal(found, tree)
    assert found["b"][0]["c"].dtype == np.int16
    assert type(found["b"][1]) is np.float32
    assert type(found["empty"][2]) is tuple
    with pytest.raises(TypeError, match="can't hold"):
        write_tree(path, {"a": object()})
    np.testing.assert_equal(read_tree(path), tree)


def test_paths_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="isn't there"):
        regressor(checkpoint_path=tmp_path / "no" / "fit").fit(X, Y)
    with pytest.raises(ValueError, match="checkpoint_path"):
        regressor(checkpoint_path=3).fit(X, Y)


def test_training_goes_on_if_a_checkpoint_cannot_be_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skrnn._estimators.checkpoints.write_tree", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        model = regressor(checkpoint_path=tmp_path / "fit").fit(X, Y)
    assert_same_network(model, regressor().fit(X, Y))


def test_callbacks_that_cannot_go_on_are_refused(tmp_path):
    class Secretive(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.writer = object()

    model = regressor(checkpoint_path=tmp_path / "fit", callbacks=[Secretive()])
    with pytest.raises(ValueError, match=r"Secretive .* 'writer'.*state_dict"):
        model.fit(X, Y)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(ValueError, match=r"BackupAndRestore.*use one of the two"):
        model.set_params(callbacks=[backup]).fit(X, Y)
    assert not (tmp_path / "fit").exists()


def test_each_fit_of_a_search_has_a_file_in_a_folder(tmp_path):
    search = GridSearchCV(
        regressor(checkpoint_path=tmp_path, epochs=2), {"units": [2, 3]}, cv=2
    )
    search.fit(X, Y)
    files = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    # Two times two, and the best one on all data.
    assert len(files) == 5
    assert all(file.name.startswith("GRURegressor-") for file in files)
    with no_training():
        again = clone(search).fit(X, Y)
    np.testing.assert_array_equal(
        again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == files


def test_training_that_goes_on_is_another_fit(tmp_path):
    path = tmp_path / "fit.checkpoint"
    model = regressor(checkpoint_path=path, warm_start=True).fit(X, Y)
    model.fit(X, Y)
    expected = regressor(warm_start=True).fit(X, Y).fit(X, Y)
    assert_same_network(model, expected)
    before = path.read_bytes()
    model.partial_fit(X, Y)
    assert path.read_bytes() == before


def test_text_generators_go_on(tmp_path):
    params = dict(units=4, embedding_dim=3, lookback=8, epochs=4, random_state=0)
    path = tmp_path / "text.checkpoint"
    with killed_after(2):
        TextGenerator(checkpoint_path=path, **params).fit(TEXT)
    with pytest.raises(ValueError, match="the data were others"):
        TextGenerator(checkpoint_path=path, **params).fit(TEXT.replace("cat", "cow"))
    found = TextGenerator(checkpoint_path=path, **params).fit(TEXT)
    assert_same_network(found, TextGenerator(**params).fit(TEXT))


def forecaster(**params):
    network = regressor(random_state=None, engine=params.pop("engine", "auto"))
    given = dict(horizon=2, lookback=4, n_members=2, n_windows=200, random_state=0)
    return Forecaster(network, seasonal_periods=None, **given | params)


def test_forecasters_go_on(tmp_path):
    path = tmp_path / "series.checkpoint"
    with killed_after(3):
        forecaster(checkpoint_path=path).fit(None, SERIES)
    with pytest.raises(ValueError, match="the data were others"):
        forecaster(checkpoint_path=path).fit(None, SERIES + 1)
    with pytest.raises(ValueError, match="horizon was 2 and is 3"):
        forecaster(checkpoint_path=path, horizon=3).fit(None, SERIES)
    found = forecaster(checkpoint_path=path).fit(None, SERIES)
    whole = forecaster().fit(None, SERIES)
    for one, other in zip(found.estimators_, whole.estimators_, strict=True):
        assert_same_network(one, other)
        assert one.get_params()["checkpoint_path"] is None
    names = ["series-0.checkpoint", "series-1.checkpoint", "series.checkpoint"]
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    # What has ended makes room for any other.
    forecaster(checkpoint_path=path, horizon=3).fit(None, SERIES)


def test_forecasters_of_other_kinds(tmp_path):
    own = regressor(checkpoint_path=tmp_path / "own")
    with pytest.raises(ValueError, match="give it to Forecaster"):
        Forecaster(own, lookback=4).fit(None, SERIES)
    Forecaster(Ridge(), lookback=4, checkpoint_path=tmp_path / "it").fit(None, SERIES)
    assert not list(tmp_path.iterdir())
