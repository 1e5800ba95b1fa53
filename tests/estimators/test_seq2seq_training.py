"""How encoders and decoders are trained: callbacks, streams of batches, weights."""

import copy
import pickle
import re

import keras
import numpy as np
import pytest
from _instances import FAST, assert_same_network
from _tables import covering
from sklearn.base import clone

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor, _engine
from skrnn._engine.keras.program_cache import ProgramCache
from skrnn.preprocessing import TextSequencer

RNG = np.random.default_rng(0)
AT = RNG.uniform(0, 6, (60, 1)) + 0.5 * np.arange(11)
X, Y = np.sin(AT[:, :8]), np.sin(AT[:, 8:])
WORDS = ["".join(RNG.choice(list("abc"), size=n)) for n in RNG.integers(1, 5, 60)]
BACKWARDS = [word[::-1] for word in WORDS]
NUMBERS, LABELS = Seq2SeqRegressor, Seq2SeqClassifier
DATA = {NUMBERS: (X, Y), LABELS: (WORDS, BACKWARDS)}
both_tasks = pytest.mark.parametrize("kind", DATA, ids=lambda kind: kind.__name__)
CLASSES = {NUMBERS: {}, LABELS: {"classes": list("abc")}}
FUTURE = np.ones((60, 3))


# Callbacks


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.events, self.logs, self.weights = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(f"batch {batch}")
        assert np.isfinite(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(f"epoch {epoch}")
        self.logs.append(logs)
        self.weights.append(self.model.get_weights())


@both_tasks
def test_callbacks_hear_of_training_and_change_nothing_by_it(kind):
    x, y = DATA[kind]
    options = FAST | dict(batch_size=20, early_stopping=True)
    recorder = Recorder()
    plain = kind(**options).fit(x, y)
    heard = kind(**options, callbacks=[recorder]).fit(x, y)
    assert_same_network(plain, heard)
    batches = [f"batch {i}" for i in range(3)]
    assert recorder.events == [*batches, "epoch 0", *batches, "epoch 1"]
    assert recorder.params["epochs"] == 2
    for name, values in heard.history_.items():
        assert [logs[name] for logs in recorder.logs] == values
    best = recorder.weights[heard.best_epoch_ - 1]
    for a, b in zip(best, heard.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    # It is let go, and can be pickled.
    assert pickle.loads(pickle.dumps(recorder)).events == recorder.events


@both_tasks
def test_a_callback_can_stop_training(kind):
    stop = keras.callbacks.LambdaCallback()
    stop.on_epoch_end = lambda epoch, logs: setattr(
        stop.model, "stop_training", epoch == 2
    )
    model = kind(**FAST | dict(epochs=9), callbacks=[stop])
    assert model.fit(*DATA[kind]).n_iter_ == 3


@both_tasks
def test_a_schedule_of_rates_takes_effect(kind):
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * 0.5**epoch)
    options = FAST | dict(shuffle=False, optimizer="sgd")
    scheduled = kind(callbacks=[schedule], **options).fit(*DATA[kind])
    by_hand = kind(warm_start=True, **options | dict(epochs=1))
    for rate in (0.1, 0.05):
        by_hand.set_params(learning_rate=rate).fit(*DATA[kind])
    assert_same_network(scheduled, by_hand)


@both_tasks
def test_a_rate_falls_on_a_plateau(kind):
    fall = keras.callbacks.ReduceLROnPlateau("loss", 1e-9, patience=1, min_delta=9)
    options = FAST | dict(epochs=4, optimizer="sgd", shuffle=False)
    losses = kind(callbacks=[fall], **options).fit(*DATA[kind]).history_["loss"]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[2], losses[3], rtol=1e-6)


@both_tasks
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_that_a_callback_restores_are_kept(kind, bidirectional):
    stop = keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
    options = FAST | dict(epochs=60, learning_rate=0.5, callbacks=[stop])
    model = kind(**options, bidirectional=bidirectional).fit(*DATA[kind])
    assert model.n_iter_ == np.argmin(model.history_["loss"]) + 2 < 60
    for a, b in zip(stop.best_weights, model.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@both_tasks
def test_a_checkpoint_is_the_network(kind, tmp_path):
    path = tmp_path / "last.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model = kind(**FAST, normalize_y=False) if kind is NUMBERS else kind(**FAST)
    model.set_params(callbacks=[checkpoint]).fit(*DATA[kind])
    expected = model.model_.get_weights()
    model.model_.set_weights([0 * w for w in expected])
    model.model_.load_weights(path)
    for a, b in zip(model.model_.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_callback_that_fails_changes_nothing():
    def fail(epoch, logs):
        raise RuntimeError("no")

    failing = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    model = LABELS(**FAST).fit(WORDS, BACKWARDS)
    expected = model.predict(WORDS)
    with pytest.raises(RuntimeError, match="no"):
        model.set_params(callbacks=[failing]).fit(WORDS, WORDS)
    assert failing.model is None
    assert model.predict(WORDS) == expected


@both_tasks
def test_ctrl_c_keeps_the_weights_so_far(kind):
    def interrupt(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    recorder = Recorder()
    callbacks = [recorder, keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)]
    model = kind(**FAST | dict(epochs=9), callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*DATA[kind])
    assert model.n_iter_ == 2
    for a, b in zip(recorder.weights[-1], model.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("callbacks", [3, [3], [object]])
@both_tasks
def test_what_is_no_callback_is_refused(kind, callbacks):
    with pytest.raises(ValueError, match="'callbacks' parameter of Seq2Seq"):
        kind(callbacks=callbacks).fit(*DATA[kind])


# Optimizers of Keras


@pytest.mark.parametrize(
    ("name", "kind"), covering(["Adam", "SGD", "RMSprop"], [NUMBERS, LABELS])
)
def test_an_optimizer_of_keras_takes_the_same_steps(name, kind):
    named = kind(**FAST | dict(optimizer=name.lower(), learning_rate=0.01))
    given = kind(**FAST | dict(optimizer=getattr(keras.optimizers, name)(0.01)))
    for a, b in zip(
        named.fit(*DATA[kind])._weights, given.fit(*DATA[kind])._weights, strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


OPTIMIZERS = {
    "lamb": lambda: "lamb",
    "nadam": lambda: "nadam",
    "nadam of Keras": lambda: keras.optimizers.Nadam(0.02),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.02, 10, 0.9)
    ),
}


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_any_optimizer_of_keras_trains(key):
    options = FAST | dict(epochs=20, optimizer=OPTIMIZERS[key](), learning_rate=0.02)
    model = NUMBERS(**options).fit(X, Y)
    losses = model.history_["loss"]
    assert losses[-1] < losses[0] / 2
    assert_same_network(clone(model).fit(X, Y), model)


def test_an_optimizer_is_left_as_it_was_and_its_state_is_kept():
    adam = keras.optimizers.Adam(0.02)
    options = FAST | dict(optimizer=adam, shuffle=False, epochs=4)
    whole = NUMBERS(**options).fit(X, Y)
    parts = NUMBERS(**options | dict(epochs=2), warm_start=True).fit(X, Y).fit(X, Y)
    assert_same_network(whole, parts)
    assert not adam.built
    assert parts.n_iter_ == 4


def test_an_optimizer_of_keras_is_compiled_once_for_a_grid(monkeypatch):
    pool = ProgramCache(size=4)
    monkeypatch.setattr(_engine, "programs", pool)
    fits = [
        NUMBERS(
            **FAST | dict(optimizer=keras.optimizers.Nadam(rate), dropout=rate)
        ).fit(X, Y)
        for rate in (0.01, 0.1, 0.01)
    ]
    assert pool.made == 1
    # Nothing of one fit is left to the next.
    assert_same_network(fits[0], fits[2])


def test_callbacks_change_the_rate_of_an_optimizer_of_keras():
    seen = []
    note = keras.callbacks.LambdaCallback()
    note.on_epoch_end = lambda *_: seen.append(
        (
            float(note.model.optimizer.learning_rate),
            int(note.model.optimizer.iterations),
        )
    )
    still = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * (epoch < 1))
    optimizer = keras.optimizers.SGD(0.5)
    model = NUMBERS(**FAST | dict(optimizer=optimizer, epochs=3, batch_size=30))
    losses = model.set_params(callbacks=[still, note]).fit(X, Y).history_["loss"]
    assert seen == [(pytest.approx(0.1), 2), (0.0, 4), (0.0, 6)]
    assert losses[1] == pytest.approx(losses[2])


# Streams


@both_tasks
@pytest.mark.parametrize("optimizer", ["adam", "nadam"])
def test_a_stream_is_the_fit_of_its_epochs(kind, optimizer):
    x, y = DATA[kind]
    options = FAST | dict(shuffle=False, epochs=3, optimizer=optimizer)
    fitted, streamed = kind(**options).fit(x, y), kind(**options)
    for _ in range(3):
        streamed.partial_fit(x, y, **CLASSES[kind])
    assert_same_network(fitted, streamed)
    assert streamed.n_iter_ == 3
    assert list(streamed.predict(x)[0]) == list(fitted.predict(x)[0])


@both_tasks
def test_a_stream_survives_pickling_and_goes_on_after_fit(kind):
    x, y = DATA[kind]
    one = kind(**FAST).partial_fit(x[:30], y[:30], **CLASSES[kind])
    other = pickle.loads(pickle.dumps(one))
    for each in (one, other):
        each.partial_fit(x[30:], y[30:])
    assert_same_network(one, other)
    assert kind(**FAST).fit(x, y).partial_fit(x[:1], y[:1]).n_iter_ == 3


def test_a_stream_of_words_is_learnt():
    model = LABELS(units=24, learning_rate=0.02, random_state=0)
    for at in np.tile(np.arange(0, 60, 20), 40):
        model.partial_fit(
            WORDS[at : at + 20], BACKWARDS[at : at + 20], classes=list("abc")
        )
    assert model.n_iter_ == 120
    assert model.score(WORDS, BACKWARDS) > 0.8


def test_lengths_may_grow_and_labels_come_later():
    model = LABELS(**FAST).partial_fit(["ab"], ["a"], classes="cba")
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.max_length_ == 1
    model.partial_fit(["abcc"], ["cba"])
    assert model.max_length_ == 3
    assert model.set_params(max_length=2).partial_fit(["a"], ["c"]).max_length_ == 2
    # Symbols of X that weren't there at first are unknown ones.
    assert model.predict(["zab"]) == model.predict(["yab"])


def test_a_stream_may_have_a_future():
    model = NUMBERS(**FAST).partial_fit(X, Y, future=FUTURE)
    model.partial_fit(X[:9], Y[:9], future=FUTURE[:9])
    assert model.predict(X, future=FUTURE).shape == Y.shape
    with pytest.raises(ValueError, match="was fitted with future, of 1 features"):
        model.partial_fit(X, Y)


def test_arrays_of_labels_and_token_ids_stream():
    ids = TextSequencer("char").fit_transform(WORDS)
    y = np.array([[len(word), 7] for word in WORDS])
    model = LABELS(**FAST).partial_fit(ids[:30], y[:30], classes=range(8))
    predicted = model.partial_fit(ids[30:], y[30:]).predict(ids)
    assert (predicted.shape, predicted.dtype) == (y.shape, y.dtype)


NARROW_FIRST = {
    "short words": (np.array(["l", "m"]), ["l", "long", "m"]),
    "small integers": (np.array([1, 2], np.int8), [1, 2, 300]),
    "booleans": (np.array([False, True]), range(4)),
    "a dtype that is told": (np.array([1, 2], np.int8), np.array([1, 2], np.uint16)),
    "objects": (np.array(["l", "m"], object), ["l", "m", "long"]),
}


@pytest.mark.parametrize("key", NARROW_FIRST)
def test_arrays_of_labels_hold_every_class_whatever_comes_first(key):
    first, classes = NARROW_FIRST[key]
    later = np.array([*classes, classes[-1]])
    model = LABELS(**FAST | dict(learning_rate=0.1), warm_start=True)
    model.partial_fit(["a", "b"], [first, first], classes=classes)
    assert model.predict(["a"])[0].dtype == np.array(classes).dtype
    for method in (model.partial_fit, model.fit):
        for _ in range(30):
            method(["a", "b"], [later, later])
        for n_beams in (1, 2):
            (predicted,) = model.set_params(n_beams=n_beams).predict(["a"])
            assert predicted.dtype == model.classes_.dtype
            assert predicted.tolist() == later.tolist()
        model.set_params(n_beams=1)


def labels_of(n):
    return np.ones((6, n), int)


FIRST_CALLS = {
    "no classes": (
        LABELS, (WORDS, BACKWARDS), {},
        "classes must be passed on the first call to partial_fit.",
    ),
    "a class less": (
        LABELS, (WORDS, BACKWARDS), {"classes": ["a", "b"]},
        "y contains the unknown label 'c'; the classes are ['a', 'b'].",
    ),
    "other classes": (
        LABELS, (WORDS, BACKWARDS), {"classes": [1, 2]},
        "y contains the unknown label 'a'; the classes are [1, 2].",
    ),
    "empty classes": (
        LABELS, (WORDS, BACKWARDS), {"classes": []},
        "classes has shape (0,); expected (n_classes,).",
    ),
    "a table of classes": (
        LABELS, (WORDS, BACKWARDS), {"classes": np.ones((2, 2))},
        "classes has shape (2, 2); expected (n_classes,).",
    ),
    "None among classes": (
        LABELS, (WORDS, BACKWARDS), {"classes": ["a", None]},
        "classes[1] is None: every symbol must be known.",
    ),
    "NaN": (NUMBERS, (X, Y * np.nan), {}, "Input y contains NaN"),
}  # fmt: skip


@pytest.mark.parametrize("key", FIRST_CALLS)
def test_a_bad_first_call_leaves_nothing(key):
    kind, data, options, message = FIRST_CALLS[key]
    model = kind(**FAST)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=re.escape(message)):
        model.partial_fit(*data, **options)
    assert vars(model) == before


LATER_CALLS = {
    "an unknown label": (
        LABELS, (WORDS[:2], ["ab", "az"]), {},
        "y contains the unknown label 'z'; the classes are ['a', 'b', 'c'].",
    ),
    "other classes": (
        LABELS, (WORDS, BACKWARDS), {"classes": ["a", "b"]},
        "`classes=['a', 'b']` is not the same as on last call to partial_fit, was: ",
    ),
    "another form": (
        LABELS, (WORDS, [list(word) for word in WORDS]), {},
        "was fitted on y as strings; now it is sequences.",
    ),
    "another horizon": (
        NUMBERS, (X, Y[:, :2]), {},
        "y has shape (60, 2), but Seq2SeqRegressor was fitted with ('n', 3).",
    ),
    "a future": (
        NUMBERS, (X, Y), {"future": FUTURE},
        "was fitted without future, but here it is given",
    ),
    "other features": (
        NUMBERS, (np.ones((60, 4, 3)), Y), {},
        "X has 3 features, but Seq2SeqRegressor is expecting 1 features as input.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
@pytest.mark.parametrize("key", LATER_CALLS)
def test_a_bad_later_call_changes_nothing(key, method):
    kind, data, options, message = LATER_CALLS[key]
    if method == "fit" and "classes" in options:
        return
    model = kind(**FAST).partial_fit(*DATA[kind], **CLASSES[kind])
    model.set_params(warm_start=True)
    before, expected = dict(vars(model)), model.predict(DATA[kind][0])
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(model, method)(*data, **options)
    assert vars(model) == before
    np.testing.assert_array_equal(model.predict(DATA[kind][0]), expected)
    assert model.partial_fit(*DATA[kind]).n_iter_ == 2


def test_a_table_of_labels_keeps_its_width():
    model = LABELS(**FAST).partial_fit(X[:6], labels_of(2), classes=[0, 1])
    with pytest.raises(ValueError, match="y has 3 labels a sequence, but Seq2Seq"):
        model.partial_fit(X[:6], labels_of(3))
    with pytest.raises(ValueError, match="cannot go on training: units, "):
        copy.copy(model).set_params(units=3).partial_fit(X[:6], labels_of(2))


# Weights of classes


def counts(words):
    text = "".join(words)
    return {label: text.count(label) for label in sorted(set(text))}


def test_weights_of_classes_multiply_those_of_steps():
    # Beside the weights of sequences, each of which has one label here.
    words = ["aa", "bb", "ab", "ba"] * 9
    y = np.array([0, 1, 1, 1] * 9)
    by_class = LABELS(**FAST, class_weight={0: 3}).fit(words, y)
    by_sequence = LABELS(**FAST).fit(words, y, sample_weight=np.where(y == 0, 3, 1))
    np.testing.assert_allclose(
        by_class.history_["loss"], by_sequence.history_["loss"], rtol=1e-5
    )
    balanced = LABELS(**FAST, class_weight="balanced").fit(words, y)
    np.testing.assert_allclose(
        balanced.history_["loss"], by_class.history_["loss"], rtol=1e-5
    )


def test_the_end_of_a_sequence_weighs_1():
    model = LABELS(**FAST, class_weight="balanced").fit(WORDS, BACKWARDS)
    found = counts(BACKWARDS)
    total = sum(found.values())
    by_hand = {label: total / (len(found) * n) for label, n in found.items()}
    assert_same_network(
        clone(model).set_params(class_weight=by_hand).fit(WORDS, BACKWARDS), model
    )
    # As in the loss of the first batch before any step: the mean over labels and ends.
    weights = [
        weight
        for word in BACKWARDS
        for weight in (*(by_hand[label] for label in word), 1.0)
    ]
    sequences = model._check_X(WORDS, reset=False)
    pairs = model._dataset(sequences, BACKWARDS, None, True, True)
    # Proportions alone count: together they are of mean 1.
    found = pairs.step_weights * (weights[0] / pairs.step_weights[0])
    np.testing.assert_allclose(found, weights, rtol=1e-6)
    of_steps = np.repeat(pairs.weights, pairs.outputs.lengths) * pairs.step_weights
    assert of_steps.mean() == pytest.approx(1)


def test_sequences_of_weight_zero_are_not_counted():
    weights = np.where(np.arange(60) < 30, 2.0, 0.0)
    options = FAST | dict(class_weight="balanced")
    whole = LABELS(**options)
    whole.fit(WORDS, BACKWARDS, sample_weight=weights)
    found = counts(BACKWARDS[:30])
    total = sum(found.values())
    by_hand = {label: total / (len(found) * n) for label, n in found.items()}
    other = LABELS(**options | dict(class_weight=by_hand))
    assert_same_network(other.fit(WORDS, BACKWARDS, sample_weight=weights), whole)


def test_weights_of_classes_move_probabilities():
    y = ["a" if i % 2 else "b" for i in range(60)]
    found = [
        LABELS(**FAST | dict(epochs=20), class_weight=weight)
        .fit(["x"] * 60, y).predict_proba(["x"])[0][0, 0]
        for weight in ({"b": 9}, None, {"a": 9})
    ]  # fmt: skip
    assert found[0] < 0.3 < found[1] < 0.7 < found[2]


BAD_WEIGHTS = {
    "a class too many": ({"z": 1}, "has the key 'z', which is none of the classes ["),
    "below 0": ({"a": -1}, "class_weight['a'] must be a finite number of at least 0."),
    "text": ({"a": "x"}, "class_weight['a'] must be a finite number of at least 0."),
    "a list": ([1, 2], "The 'class_weight' parameter of Seq2SeqClassifier must be"),
    "another word": ("balance", "The 'class_weight' parameter of Seq2SeqClassifier"),
}


@pytest.mark.parametrize("key", BAD_WEIGHTS)
def test_bad_weights_of_classes_are_refused(key):
    weight, message = BAD_WEIGHTS[key]
    model = LABELS(**FAST, class_weight=weight)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(WORDS, BACKWARDS)
    assert vars(model) == before


def test_no_weight_at_all_is_refused():
    y = np.arange(60) % 2
    with pytest.raises(ValueError, match="sample_weight times class_weight is 0 for"):
        LABELS(**FAST, class_weight={0: 0, 1: 0}).fit(WORDS, y)


def test_weights_are_those_of_the_end_too_where_labels_weigh_nothing():
    model = LABELS(**FAST, class_weight=dict.fromkeys("abc", 0))
    assert np.isfinite(model.fit(WORDS, BACKWARDS).history_["loss"]).all()


def test_training_begins_at_the_frequencies_of_the_labels():
    rng = np.random.default_rng(0)
    X = ["ab", "ba", "aab", "bb"] * 10
    y = ["".join(rng.choice(list("pqr"), p=[0.7, 0.2, 0.1], size=4)) for _ in X]
    weights = np.where(np.arange(40) % 3, 1.0, 3.0)
    model = Seq2SeqClassifier(
        units=4, epochs=1, optimizer="sgd", learning_rate=1e-9, random_state=0,
        early_stopping=False, class_weight={"p": 0.5, "q": 1.0, "r": 2.0},
    ).fit(X, y, sample_weight=weights)  # fmt: skip
    factors = {"p": 0.5, "q": 1.0, "r": 2.0, "end": 1.0}
    counts = dict.fromkeys(factors, 0.0)
    for weight, word in zip(weights, y, strict=True):
        for label in [*word, "end"]:
            counts[label] += weight * factors[label]
    frequencies = np.array(list(counts.values())) / sum(counts.values())
    # A hundredth is shared by all labels.
    expected = np.log(0.99 * frequencies + 0.01 / 4)
    np.testing.assert_allclose(model._weights[-1], expected, rtol=1e-4)
    # Those that a later fit goes on from stay as they are.
    model.set_params(warm_start=True).fit(X, y[::-1])
    np.testing.assert_allclose(model._weights[-1], expected, rtol=1e-4)
