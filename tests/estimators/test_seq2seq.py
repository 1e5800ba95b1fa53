"""Seq2SeqRegressor and Seq2SeqClassifier: what they learn, from what, in which form."""

import pickle
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
from _instances import FAST, assert_same_network
from _seq2seq_cases import (
    BACKWARDS,
    LEARNS,
    SAME,
    SHORT,
    SOME,
    TROHS,
    WORDS,
    X,
    Y,
    make_series,
    make_words,
)
from _tables import covering
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor
from skrnn._networks.cells import CELLS, UnitwiseCell
from skrnn.preprocessing import TextSequencer


def test_a_word_is_learnt_backwards(reverser):
    assert reverser.score(WORDS, BACKWARDS) > 0.95
    assert reverser.predict(["abcd", "dca"]) == ["dcba", "acd"]


ATTENTIONS = [None, "additive", "dot", "multihead"]


@pytest.mark.parametrize(("cell", "attention"), covering(CELLS, ATTENTIONS))
def test_every_cell_and_attention_learns(cell, attention):
    model = Seq2SeqClassifier(**LEARNS, cell=cell, attention=attention)
    model.set_params(bidirectional=True, units=32)
    # Units that read no state but their own remember less of an order.
    apart = isinstance(CELLS[cell], UnitwiseCell) and attention is None
    bound = 0.6 if apart else 0.8
    assert model.fit(SHORT, TROHS).score(SHORT, TROHS) > bound


@pytest.mark.parametrize(
    "options",
    [
        dict(teacher_forcing=0.0),
        dict(teacher_forcing=0.5),
        dict(units=(16, 16), layer_norm=True, dense_units=8),
        dict(activation="elu", cell="gru"),
        dict(dropout=0.1, recurrent_dropout=0.1),
        dict(
            normalize_y=False, loss="huber", optimizer="rmsprop",
            learning_rate=0.005, epochs=60,
        ),
    ],
    ids=str,
)  # fmt: skip
def test_steps_ahead_are_learnt(options):
    model = Seq2SeqRegressor(**LEARNS | options).fit(X[:64], Y[:64])
    assert model.score(X[90:], Y[90:]) > 0.95


@pytest.mark.parametrize("teacher_forcing", [0.0, 0.5])
def test_labels_are_learnt_from_own_outputs(teacher_forcing):
    model = Seq2SeqClassifier(**LEARNS, teacher_forcing=teacher_forcing)
    assert model.fit(SHORT, TROHS).score(SHORT, TROHS) > 0.8


def test_teacher_forcing_makes_a_difference():
    models = [
        Seq2SeqRegressor(**FAST, teacher_forcing=ratio).fit(X, Y)
        for ratio in (1.0, 0.5, 0.0)
    ]
    first = [model._weights[-2] for model in models]
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first[1], first[2])


def test_what_is_known_about_the_future_is_used():
    rng = np.random.default_rng(0)
    future = rng.normal(size=(180, 4))
    y = future.cumsum(axis=1)
    x = rng.normal(size=(180, 5))
    model = Seq2SeqRegressor(**LEARNS)
    train, test = slice(0, 150), slice(150, None)
    model.fit(x[train], y[train], future=future[train])
    assert model.score(x[test], y[test], future=future[test]) > 0.95
    # A step's value isn't told by what is known about later ones.
    later = future[test].copy()
    later[:, 2:] += 1
    before, after = (model.predict(x[test], future=f) for f in (future[test], later))
    np.testing.assert_allclose(before[:, :2], after[:, :2], rtol=1e-6)
    assert np.abs(before[:, 2:] - after[:, 2:]).min() > 0


# Forms of X and y


FORMS_OF_Y = {
    "strings": (SAME, str),
    "tuple of strings": (tuple(SAME), str),
    "lists of strings": ([list(word) for word in SAME], list),
    "lists of words": ([[c * 3 for c in word] for word in SAME], list),
    "tuples": ([tuple(word) for word in SAME], tuple),
    "lists of numbers": ([[ord(c) for c in word] for word in SAME], list),
    "arrays of numbers": ([np.array([ord(c) for c in w]) for w in SAME], np.ndarray),
    "arrays of strings": ([np.array(list(word)) for word in SAME], np.ndarray),
    "booleans": ([[c == "a" for c in word] for word in SAME], list),
    "floats": ([[float(ord(c)) for c in word] for word in SAME], list),
}


@pytest.mark.parametrize("form", FORMS_OF_Y)
def test_sequences_come_back_as_they_went_in(form):
    y, element = FORMS_OF_Y[form]
    options = dict(units=16, epochs=60, learning_rate=0.05, batch_size=32)
    model = Seq2SeqClassifier(**LEARNS | options).fit(SOME, y)
    predicted = model.predict(SOME)
    assert isinstance(predicted, list)
    assert {type(each) for each in predicted} == {element}
    kind = type(next(iter(y[0])))
    assert {type(label) for each in predicted for label in each} == {kind}
    same = [list(a) == list(b) for a, b in zip(predicted, y, strict=True)]
    assert np.mean(same) == pytest.approx(model.score(SOME, y))
    assert np.mean(same) > 0.8
    assert model.classes_.tolist() == sorted({label for each in y for label in each})


def test_sequences_of_a_subclass_come_back_as_what_they_are_made_of():
    named, array = namedtuple("Pair", "one other"), TextSequencer(list)
    options = FAST | dict(epochs=30, learning_rate=0.1)
    for y, element in (
        ([named("a", "b")] * 4, tuple),
        (list(array.fit_transform([["a", "b"]] * 4)), np.ndarray),
    ):
        predicted = Seq2SeqClassifier(**options).fit(SOME[:4], y).predict(SOME[:4])
        assert {type(each) for each in predicted} == {element}
        assert list(predicted[0]) == list(y[0])


def test_arrays_of_sequences_come_back_as_arrays():
    model = Seq2SeqClassifier(**FAST)
    for y in (pd.Series(SAME), np.array(SAME), np.array(SAME, object)):
        predicted = model.fit(pd.Series(SOME), y).predict(pd.Series(SOME))
        assert (predicted.dtype, predicted.shape) == (object, (20,))
        assert all(isinstance(word, str) for word in predicted)
    y = np.empty(20, object)
    y[:] = [list(word) for word in SAME]
    assert model.fit(SOME, y).predict(SOME).dtype == object


@pytest.mark.parametrize(
    "labels",
    [np.array(["a", "b"]), np.array(["a", "b"], object), [3, 7], [False, True]],
)
def test_labels_in_an_array_keep_its_shape_and_dtype(labels):
    rng = np.random.default_rng(0)
    y = np.asarray(labels)[rng.integers(0, 2, (40, 3))]
    x = rng.normal(size=(40, 5, 2))
    model = Seq2SeqClassifier(**FAST)
    for labels in (y, y[:, :1], y[:, 0]):
        model.fit(x, labels)
        predicted = model.predict(x)
        assert (predicted.shape, predicted.dtype) == (labels.shape, labels.dtype)
        steps = model.predict_proba(x)
        steps = steps if labels.ndim == 2 else [steps]
        assert [step.shape for step in steps] == [(40, 2)] * (labels.size // 40)
        for step in steps:
            np.testing.assert_allclose(step.sum(axis=1), 1)
        best = model.classes_[np.stack([step.argmax(axis=1) for step in steps], axis=1)]
        np.testing.assert_array_equal(best.reshape(labels.shape), predicted)
        assert model.set_params(n_beams=2).predict(x).shape == labels.shape
        model.set_params(n_beams=1)


IDS = [[1 + ord(c) - ord("a") for c in word] for word in SHORT]
FORMS_OF_X = {
    "strings": (SHORT, {}),
    "lists of strings": ([list(word) for word in SHORT], {}),
    "token ids": (IDS, dict(embedding_dim=8)),
    "arrays of token ids": ([np.array(ids) for ids in IDS], dict(embedding_dim=8)),
    "padded token ids": (
        np.array([ids + [0] * (3 - len(ids)) for ids in IDS]),
        dict(embedding_dim=8),
    ),
    "ragged numbers": ([np.eye(5)[ids] for ids in IDS], {}),
    "ragged numbers and an embedding": (
        [np.eye(5)[ids] for ids in IDS],
        dict(embedding_dim=8),
    ),
    "dense numbers": (
        np.stack([np.eye(5)[ids + [0] * (3 - len(ids))] for ids in IDS]),
        {},
    ),
}


# Form -> one that is the same network, bit by bit: it need not learn for itself.
# `reverser` has learnt from strings.
TWINS = {
    "lists of strings": "strings",
    "arrays of token ids": "token ids",
    "padded token ids": "token ids",
}


@pytest.mark.parametrize("form", TWINS)
def test_forms_that_say_the_same_are_one_network(form):
    models = []
    for name in (form, TWINS[form]):
        x, options = FORMS_OF_X[name]
        models.append(Seq2SeqClassifier(**FAST, **options).fit(x, TROHS))
    assert_same_network(*models)
    assert models[1]._spec.vocabulary_size is not None


@pytest.mark.parametrize("form", sorted({*FORMS_OF_X} - {*TWINS, "strings"}))
def test_every_form_of_input_is_learnt_from(form):
    x, options = FORMS_OF_X[form]
    model = Seq2SeqClassifier(**LEARNS | dict(units=32), **options).fit(x, TROHS)
    assert model.score(x, TROHS) > 0.8
    reads_tokens = model._spec.vocabulary_size is not None
    assert reads_tokens == ("numbers" not in form)


def test_frames_of_a_group_each_are_sequences():
    frame = pd.DataFrame({"group": [1, 1, 1, 2, 2, 3], "a": range(6), "b": 0.5})
    frame["c"] = list("xyxzyz")
    groups = [group for _, group in frame.groupby("group")]
    numbers = [group[["a", "b"]] for group in groups]
    columns, symbols = ([group[name] for group in groups] for name in "ac")
    arrays = [np.asarray(each) for each in numbers]
    lists = [each.tolist() for each in symbols]
    y = np.zeros((3, 2))
    for x, plain in [(numbers, arrays), (columns, [a[:, 0] for a in arrays])]:
        one, other = (Seq2SeqRegressor(**FAST).fit(each, y) for each in (x, plain))
        assert_same_network(one, other)
    one = Seq2SeqClassifier(**FAST).fit(symbols, symbols)
    assert_same_network(one, Seq2SeqClassifier(**FAST).fit(lists, lists))
    assert one.predict(symbols) == one.predict(lists)
    ranges = Seq2SeqClassifier(**FAST).fit(SOME[:2], [range(2), range(3)])
    assert ranges.classes_.tolist() == [0, 1, 2]


def test_a_table_of_symbols_is_read_as_strings_whatever_holds_it():
    table = np.array([["ab", "c"], ["d", "ab"]])
    one = Seq2SeqClassifier(**FAST).fit(table, ["ab", "c"])
    for x in (table.astype(object), pd.DataFrame(table), table.tolist()):
        assert_same_network(one, Seq2SeqClassifier(**FAST).fit(x, ["ab", "c"]))
        assert one.predict(x) == one.predict(table)


def test_strings_and_lists_of_their_characters_are_the_same():
    lists = [list(word) for word in SOME]
    one = Seq2SeqClassifier(**FAST).fit(SOME, SAME)
    other = Seq2SeqClassifier(**FAST).fit(lists, [list(word) for word in SAME])
    assert_same_network(one, other)
    assert one.predict(lists) == ["".join(each) for each in other.predict(SOME)]


def test_an_unknown_character_is_read_as_unknown(reverser):
    unknown = reverser.predict(["abx", "aby"])
    assert unknown[0] == unknown[1]


def test_the_ids_of_a_text_sequencer_are_tokens():
    texts = [" ".join(word) for word in SHORT]
    sequencer = TextSequencer(tokenizer=str.split)
    model = make_pipeline(sequencer, Seq2SeqClassifier(**LEARNS)).fit(texts, TROHS)
    assert model.score(texts, TROHS) > 0.8
    assert model[-1]._spec.vocabulary_size == 2 + len("abcd")
    assert isinstance(model.predict(["a b zz"])[0], str)


def test_strings_in_an_array_are_labels_beside_numbers():
    y = np.array(["up", "down"])[np.arange(40) % 2]
    model = Seq2SeqClassifier(**FAST).fit(np.ones((40, 3)), y)
    assert model.classes_.tolist() == ["down", "up"]
    assert model.fit(np.ones((40, 3)), y.tolist()).classes_.tolist() == list("dnopuw")


def test_a_score_reads_strings_as_fit_did():
    x = np.random.default_rng(0).normal(size=(40, 3))
    y = np.where(x[:, 2] > 0, "up", "down")
    model = Seq2SeqClassifier(**LEARNS).fit(x, y)
    assert model.score(x, y.tolist()) == model.score(x, y) > 0.8
    model.fit(x, y.tolist())
    assert model.predict(x)[0] in ("up", "down")
    assert model.score(x, y.tolist()) == model.score(x, y) > 0.8


@pytest.mark.parametrize("n_targets", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_numbers_keep_their_shape_and_precision(n_targets, dtype):
    x, y = make_series(n_targets=n_targets)
    y = (100 * y).astype(dtype)
    predicted = Seq2SeqRegressor(**FAST).fit(x, y).predict(x[:7])
    assert predicted.shape == (7, *y.shape[1:])
    assert predicted.dtype == (np.float32 if dtype == np.float32 else np.float64)


def test_one_step_is_a_column_or_none():
    model = Seq2SeqRegressor(**FAST)
    column = model.fit(X, Y[:, :1]).predict(X)
    flat = model.fit(X, Y[:, 0]).predict(X)
    np.testing.assert_array_equal(column[:, 0], flat)


def test_the_unit_of_y_makes_no_difference(forecaster):
    other = clone(forecaster).fit(X, 1e6 * Y + 1e9)
    np.testing.assert_allclose(
        (other.predict(X) - 1e9) / 1e6, forecaster.predict(X), atol=1e-3
    )


def test_a_constant_is_predicted_exactly():
    model = Seq2SeqRegressor(**FAST).fit(X, np.full((120, 2), 0.1))
    np.testing.assert_array_equal(model.predict(X), np.full((120, 2), 0.1))
    # Once it varies, so does what is predicted.
    later = model.set_params(warm_start=True).fit(X, 0.1 + Y[:, :2])
    assert np.ptp(later.predict(X)) > 0


ALPHABETS = {
    "combining marks": "e\u0301a\u0308n\u0303",
    "emoji": "\U0001f600\U0001f468\u200d\U0001f469\U0001f1e6",
    "right to left": "\u05d0\u05d1\u0627\u0628\u200f",
    "NUL and space": "a\x00 \n",
    "outside the BMP": "\U0001d11e\U00010330",
}


@pytest.mark.parametrize("key", ALPHABETS)
def test_unicode_survives(key):
    words = make_words(60, ALPHABETS[key], longest=2)
    model = Seq2SeqClassifier(**LEARNS).fit(words, words)
    assert model.score(words, words) > 0.8
    predicted = pickle.loads(pickle.dumps(model)).predict(words)
    same = [a == b for a, b in zip(predicted, words, strict=True)]
    assert np.mean(same) == model.score(words, words)
    assert set("".join(predicted)) <= set("".join(words))


text = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("e\u0301\u200d\x00"),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30)
@given(pairs=st.lists(st.tuples(text, text), min_size=2, max_size=6))
def test_any_text_is_read_and_written(pairs):
    x, y = map(list, zip(*pairs, strict=True))
    model = Seq2SeqClassifier(units=2, epochs=1, random_state=0).fit(x, y)
    assert model.classes_.tolist() == sorted(set("".join(y)))
    for word, limit in zip(
        model.predict(x), model._limits(model._check_X(x, reset=False)), strict=True
    ):
        assert len(word) <= limit
        assert set(word) <= set("".join(y))
    # What it is told to write, it writes as it was.
    codes = [[model.classes_.tolist().index(c) for c in word] for word in y]
    assert model._restored([np.array(each) for each in codes]) == y
