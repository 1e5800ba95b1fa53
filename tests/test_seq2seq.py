"""Seq2SeqRegressor and Seq2SeqClassifier: what they take, give back and refuse."""

import copy
import pickle
import re
from collections import namedtuple

import numpy as np
import pandas as pd
import pytest
import sklearn
from _instances import FAST, assert_same_network, in_new_process
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier, Seq2SeqRegressor
from skrnn._networks.cells import CELLS
from skrnn.inspection import attention_weights
from skrnn.preprocessing import SequenceWise, TextSequencer

LEARNS = dict(units=24, epochs=60, learning_rate=0.01, random_state=0)


def make_words(n=300, alphabet="abcd", longest=5):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, longest + 1, n)
    # An array of characters would lose a NUL.
    drawn = [rng.integers(len(alphabet), size=length) for length in lengths]
    return ["".join(alphabet[i] for i in each) for each in drawn]


WORDS = make_words()
BACKWARDS = [word[::-1] for word in WORDS]
SOME, SAME = WORDS[:20], BACKWARDS[:20]


@pytest.fixture(scope="module")
def reverser():
    return Seq2SeqClassifier(**LEARNS).fit(WORDS, BACKWARDS)


def make_series(n=120, n_targets=0):
    """Make 8 steps of sines of two features, and the next 3 steps."""
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 6, (n, 1)) + 0.5 * np.arange(11)
    series = np.stack([np.sin(at), np.cos(at)], axis=2)
    y = series[:, 8:]
    return series[:, :8], y[:, :, :n_targets] if n_targets else y[:, :, 0]


X, Y = make_series()


@pytest.fixture(scope="module")
def forecaster():
    return Seq2SeqRegressor(**LEARNS).fit(X, Y)


# Learning


def test_a_word_is_learnt_backwards(reverser):
    assert reverser.score(WORDS, BACKWARDS) > 0.95
    assert reverser.predict(["abcd", "dca"]) == ["dcba", "acd"]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", [None, "additive", "dot", "multihead"])
def test_every_cell_and_attention_learns(cell, attention):
    model = Seq2SeqClassifier(**LEARNS, cell=cell, attention=attention)
    model.set_params(bidirectional=True, units=32)
    assert model.fit(WORDS, BACKWARDS).score(WORDS, BACKWARDS) > 0.8


@pytest.mark.parametrize(
    "options",
    [
        dict(teacher_forcing=0.0),
        dict(teacher_forcing=0.5),
        dict(units=(16, 16), layer_norm=True, dense_units=8),
        dict(activation="elu", cell="gru"),
        dict(dropout=0.1, recurrent_dropout=0.1),
        dict(normalize_y=False, loss="huber", optimizer="rmsprop"),
    ],
    ids=str,
)
def test_steps_ahead_are_learnt(options):
    model = Seq2SeqRegressor(**LEARNS | options).fit(X[:90], Y[:90])
    assert model.score(X[90:], Y[90:]) > 0.95


@pytest.mark.parametrize("teacher_forcing", [0.0, 0.5])
def test_labels_are_learnt_from_own_outputs(teacher_forcing):
    model = Seq2SeqClassifier(**LEARNS, teacher_forcing=teacher_forcing)
    assert model.fit(WORDS, BACKWARDS).score(WORDS, BACKWARDS) > 0.8


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
    future = rng.normal(size=(300, 4))
    y = future.cumsum(axis=1)
    x = rng.normal(size=(300, 5))
    model = Seq2SeqRegressor(**LEARNS)
    train, test = slice(0, 250), slice(250, None)
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
    model = Seq2SeqClassifier(**LEARNS | dict(epochs=150)).fit(SOME, y)
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


IDS = [[1 + ord(c) - ord("a") for c in word] for word in WORDS]
FORMS_OF_X = {
    "strings": (WORDS, {}),
    "lists of strings": ([list(word) for word in WORDS], {}),
    "token ids": (IDS, dict(embedding_dim=8)),
    "arrays of token ids": ([np.array(ids) for ids in IDS], dict(embedding_dim=8)),
    "padded token ids": (
        np.array([ids + [0] * (5 - len(ids)) for ids in IDS]),
        dict(embedding_dim=8),
    ),
    "ragged numbers": ([np.eye(5)[ids] for ids in IDS], {}),
    "ragged numbers and an embedding": (
        [np.eye(5)[ids] for ids in IDS],
        dict(embedding_dim=8),
    ),
    "dense numbers": (
        np.stack([np.eye(5)[ids + [0] * (5 - len(ids))] for ids in IDS]),
        {},
    ),
}


@pytest.mark.parametrize("form", FORMS_OF_X)
def test_every_form_of_input_is_learnt_from(form):
    x, options = FORMS_OF_X[form]
    model = Seq2SeqClassifier(**LEARNS | dict(units=32), **options).fit(x, BACKWARDS)
    assert model.score(x, BACKWARDS) > 0.8
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
    texts = [" ".join(word) for word in WORDS]
    sequencer = TextSequencer(tokenizer=str.split)
    model = make_pipeline(sequencer, Seq2SeqClassifier(**LEARNS)).fit(texts, BACKWARDS)
    assert model.score(texts, BACKWARDS) > 0.8
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
    words = make_words(120, ALPHABETS[key], longest=3)
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


@settings(deadline=None, max_examples=30)
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


# Lengths


def test_outputs_are_as_long_as_the_longest_of_fit():
    model = Seq2SeqClassifier(**FAST).fit(SOME, SAME)
    longest = max(map(len, SAME))
    assert model.max_length_ == longest
    assert max(map(len, model.predict(SOME))) <= longest
    # Longer inputs, longer outputs: in proportion to the longest input of fit.
    inputs = model._check_X(["a" * 2 * longest, "a"], reset=False)
    assert model._limits(inputs).tolist() == [2 * longest, longest]
    # It may be set later, and unset.
    assert model.set_params(max_length=2)._limits(inputs).tolist() == [2, 2]
    model.set_params(max_length=None)
    assert model._limits(inputs).tolist() == [2 * longest, longest]


@pytest.mark.parametrize("max_length", [1, 2, 7])
def test_no_output_is_longer_than_max_length(max_length):
    model = Seq2SeqClassifier(**FAST, max_length=max_length).fit(SOME, SAME)
    assert max(map(len, model.predict([*SOME, "abcd" * 9]))) <= max_length
    model.set_params(n_beams=3)
    assert max(map(len, model.predict([*SOME, "abcd" * 9]))) <= max_length


def test_probabilities_are_those_of_the_greedy_path(reverser):
    for word, p in zip(
        reverser.predict(WORDS), reverser.predict_proba(WORDS), strict=True
    ):
        np.testing.assert_allclose(p.sum(axis=1), 1)
        labels = [*word, None]
        best = [[*reverser.classes_, None][i] for i in p.argmax(axis=1)]
        assert best == labels[: len(p)]
    logs = reverser.predict_log_proba(WORDS[:2])
    np.testing.assert_allclose(np.exp(logs[1]), reverser.predict_proba(WORDS[:2])[1])


# Beams


@pytest.mark.parametrize("n_beams", [1, 2, 5])
def test_beams_come_with_scores(reverser, n_beams):
    model = copy.deepcopy(reverser).set_params(n_beams=n_beams)
    beams = model.predict_beams(SOME)
    assert [best[0][0] for best in beams] == model.predict(SOME)
    for each in beams:
        assert 1 <= len(each) <= n_beams
        scores = [score for _, score in each]
        assert scores == sorted(scores, reverse=True)
        assert max(scores) <= 0
        assert all(isinstance(word, str) for word, _ in each)
    alone = model.predict_beams(SOME, n_best=1)
    assert [len(each) for each in alone] == [1] * len(SOME)
    assert [each[0][0] for each in alone] == [each[0][0] for each in beams]


def test_the_score_is_the_log_probability_over_a_power_of_the_length(reverser):
    logs = reverser.predict_log_proba(SOME)
    model = copy.deepcopy(reverser).set_params(length_penalty=0.8)
    for log_p, ((_, score),) in zip(logs, model.predict_beams(SOME), strict=True):
        expected = log_p.max(axis=1).sum() / ((5 + len(log_p)) / 6) ** 0.8
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_length_penalty_makes_outputs_longer():
    rng = np.random.default_rng(0)
    y = ["ab" * n for n in rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2], size=200)]
    model = Seq2SeqClassifier(**FAST | dict(epochs=10), n_beams=4).fit(["x"] * 200, y)
    short, long = (
        len(model.set_params(length_penalty=penalty).predict(["x"])[0])
        for penalty in (0, 5)
    )
    assert short < long


# Attention


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_attention_of_steps_sums_to_one_over_real_steps(attention):
    model = Seq2SeqClassifier(**FAST, attention=attention).fit(SOME, SAME)
    weights = attention_weights(model, SOME)
    lengths = [len(p) for p in model.predict_proba(SOME)]
    assert weights.shape == (20, max(lengths), max(map(len, SOME)))
    for word, length, w in zip(SOME, lengths, weights, strict=True):
        np.testing.assert_allclose(w[:length, : len(word)].sum(axis=1), 1, rtol=1e-5)
        assert not w[length:].any()
        assert not w[:, len(word) :].any()


def test_attention_of_a_reverser_runs_backwards(reverser):
    (weights,) = attention_weights(reverser, ["abcd"])
    model = Seq2SeqRegressor(**FAST).fit(X, Y, future=Y)
    found = attention_weights(model, X[:5], future=Y[:5])
    assert found.shape == (5, 3, 8)
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-5)
    assert weights.shape == (5, 4)


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_attention_of_other_networks(attention):
    ragged = [np.ones((n, 2)) * n for n in (3, 1, 5, 2)]
    options = dict(attention=attention, units=4, epochs=1)
    weights = attention_weights(GRURegressor(**options).fit(ragged, range(4)), ragged)
    assert weights.shape == (4, 5)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert not weights[0, 3:].any()
    ids = np.array([[0, 1, 2, 0], [1, 2, 1, 1]] * 4)
    tagger = GRUClassifier(**options, embedding_dim=3, return_sequences=True)
    steps = attention_weights(tagger.fit(ids, ids), ids)
    assert steps.shape == (8, 4, 4)
    expected = np.where(ids > 0, 1, 0)
    np.testing.assert_allclose(steps.sum(axis=2), expected, atol=1e-9)
    np.testing.assert_array_equal(steps > 0, expected[:, :, None] * expected[:, None])


def test_a_network_without_attention_has_none_to_show(reverser):
    with pytest.raises(ValueError, match="This GRURegressor has no attention: fit it"):
        attention_weights(GRURegressor(epochs=1).fit(X, Y[:, 0]), X)
    with pytest.raises(TypeError, match="takes a recurrent estimator of skrnn"):
        attention_weights(StandardScaler().fit(Y), X)
    with pytest.raises(NotFittedError):
        attention_weights(Seq2SeqClassifier(), X)


def test_attention_of_what_takes_no_future(reverser):
    other = GRURegressor(units=2, epochs=1, attention="dot").fit(X, Y[:, 0])
    for model, x in ((reverser, SOME), (other, X)):
        message = f"A {type(model).__name__} takes no future: expected None. Only a Seq"
        with pytest.raises(TypeError, match=message):
            attention_weights(model, x, future=FUTURE)


def test_attention_is_that_of_the_greedy_path(reverser):
    model = copy.deepcopy(reverser).set_params(n_beams=3)
    expected = attention_weights(reverser, SOME)
    np.testing.assert_array_equal(attention_weights(model, SOME), expected)


# scikit-learn's tools


def test_future_is_routed_by_pipelines_and_searches():
    rng = np.random.default_rng(0)
    future = rng.normal(size=(60, 3, 1))
    with sklearn.config_context(enable_metadata_routing=True):
        model = Seq2SeqRegressor(**FAST)
        model.set_fit_request(future=True).set_predict_request(future=True)
        model.set_score_request(future=True)
        pipeline = make_pipeline(SequenceWise(StandardScaler()), model)
        pipeline.fit(X[:60], Y[:60], future=future)
        predicted = pipeline.predict(X[:60], future=future)
        assert predicted.shape == (60, 3)
        grid = {"seq2seqregressor__units": [2, 3]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
        search.fit(X[:60], Y[:60], future=future)
        best = search.best_estimator_
        assert best.predict(X[:60], future=future).shape == (60, 3)
        assert np.isfinite(search.score(X[:60], Y[:60], future=future))


def test_future_reaches_a_pipeline_without_routing():
    pipeline = make_pipeline(SequenceWise(StandardScaler()), Seq2SeqRegressor(**FAST))
    pipeline.fit(X, Y, seq2seqregressor__future=Y)
    assert pipeline.predict(X, future=Y).shape == Y.shape


def test_searches_and_splitters_take_lists_of_strings():
    model = Seq2SeqClassifier(**FAST | dict(epochs=1))
    for y in (SAME, [list(word) for word in SAME]):
        assert cross_val_score(model, SOME, y, cv=KFold(2)).shape == (2,)
    search = GridSearchCV(model, {"cell": list(CELLS)}, cv=KFold(2)).fit(SOME, SAME)
    assert all(isinstance(word, str) for word in search.predict(SOME))


# Scores and weights


def test_scores(forecaster, reverser):
    predicted = forecaster.predict(X)
    expected = r2_score(Y.ravel(), predicted.ravel())
    assert forecaster.score(X, Y) == pytest.approx(expected)
    weights = np.arange(120) % 3
    expected = r2_score(
        Y.ravel(), predicted.ravel(), sample_weight=np.repeat(weights, 3)
    )
    assert forecaster.score(X, Y, sample_weight=weights) == pytest.approx(expected)
    truth = [*BACKWARDS[:8], "zz", "zz"]
    assert reverser.score(WORDS[:10], truth) <= 0.8
    assert reverser.score(WORDS[:10], truth, [1] * 8 + [0] * 2) > 0.8


OTHER_LABELS = {
    "numbers for strings": (SAME, [[1, 2]] * 20, "y holds 1, but Seq2SeqClassifier wa"),
    "strings for numbers": ([[1, 2], [3]] * 10, SAME, "as 1: expected numbers"),
    "strings for a table": (np.eye(20, dtype=int), [["a"]] * 20, "expected numbers"),
    "an array of numbers": ([list(word) for word in SAME], np.eye(20), "y holds 1.0,"),
}


@pytest.mark.parametrize("key", OTHER_LABELS)
def test_labels_of_another_type_are_not_scored(key):
    y, other, message = OTHER_LABELS[key]
    model = Seq2SeqClassifier(**FAST, warm_start=True).fit(SOME, y)
    for method in (model.score, model.fit):
        with pytest.raises(TypeError, match=re.escape(message)):
            method(SOME, other)
    # Those of the right type that fit never saw are wrong, and no error.
    unseen = [["~" if isinstance(y[0][0], str) else 77]] * 20
    assert model.score(SOME, unseen) == 0


@pytest.mark.parametrize("task", ["numbers", "labels"])
def test_a_weight_of_zero_leaves_a_sequence_out(task):
    model, x, y = {
        "numbers": (Seq2SeqRegressor(**FAST), X, Y),
        "labels": (Seq2SeqClassifier(**FAST), SOME * 3, SAME * 3),
    }[task]
    n = len(y)
    weights = np.where(np.arange(n) < n // 2, 2.0, 0.0)
    weighted = clone(model).fit(x, y, sample_weight=weights)
    if task == "numbers":
        alone = clone(model).fit(x[: n // 2], y[: n // 2])
        assert_same_network(weighted, alone)
    else:
        assert weighted.history_["loss"][0] > 0


# State


def test_fits_are_repeatable_and_survive_pickling(reverser):
    again = clone(reverser).fit(WORDS, BACKWARDS)
    assert_same_network(again, reverser)
    loaded = pickle.loads(pickle.dumps(reverser))
    assert loaded.predict(SOME) == reverser.predict(SOME)
    assert loaded._spec == reverser._spec
    assert loaded.set_params(n_beams=3).predict(SOME)


def test_early_stopping_keeps_the_best_epoch():
    options = dict(early_stopping=True, patience=2, epochs=50)
    for model, x, y in (
        (Seq2SeqClassifier(**FAST | options), WORDS, BACKWARDS),
        (Seq2SeqRegressor(**FAST | options), X, Y),
    ):
        losses = model.fit(x, y).history_["val_loss"]
        assert model.best_epoch_ == np.argmin(losses) + 1
        assert model.n_iter_ == len(losses)


def test_warm_start_goes_on(reverser):
    model = Seq2SeqClassifier(**FAST, warm_start=True).fit(WORDS, BACKWARDS)
    first = model.history_["loss"][0]
    model.fit(SOME, SAME)
    assert (model.n_iter_, len(model.history_["loss"])) == (4, 4)
    assert model.history_["loss"][2] < first
    with pytest.raises(ValueError, match="y contains the unknown label 'z'"):
        model.fit(["ab", "ba"], ["z", "a"])
    with pytest.raises(ValueError, match="cannot go on training: units, "):
        model.set_params(units=3).fit(SOME, SAME)
    numbers = Seq2SeqRegressor(**FAST, warm_start=True).fit(X, Y)
    assert numbers.fit(X, Y + 1).n_iter_ == 4
    with pytest.raises(ValueError, match=re.escape("was fitted with ('n', 3)")):
        numbers.fit(X, Y[:, :2])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_is_told():
    model = Seq2SeqRegressor(**FAST | dict(learning_rate=1e38, epochs=9, clipnorm=None))
    with pytest.warns(ConvergenceWarning, match="Training of Seq2SeqRegressor stopped"):
        model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


def test_no_backend_is_loaded():
    in_new_process("""
import sys
from skrnn import Seq2SeqClassifier
words = ["ab", "ba", "abb", "bab"] * 10
model = Seq2SeqClassifier(units=4, epochs=2, n_beams=2).fit(words, words)
model.predict(words)
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "jax", "torch"}, loaded
""")


# Bad input: key -> estimator, arguments of fit, error, what it says.
LABELS, NUMBERS = Seq2SeqClassifier, Seq2SeqRegressor
NAN = X.copy()
NAN[3, 2, 1] = np.nan
BAD_FITS = {
    "n_beams 0": (LABELS(n_beams=0), SOME, SAME, ValueError, "'n_beams' parameter"),
    "n_beams float": (
        LABELS(n_beams=1.5), SOME, SAME, ValueError, "'n_beams' parameter",
    ),
    "max_length 0": (
        LABELS(max_length=0), SOME, SAME, ValueError, "'max_length' parameter",
    ),
    "length_penalty below 0": (
        LABELS(length_penalty=-1), SOME, SAME, ValueError, "'length_penalty' parameter",
    ),
    "teacher_forcing 1.5": (
        NUMBERS(teacher_forcing=1.5), X, Y, ValueError, "'teacher_forcing' parameter",
    ),
    "teacher_forcing -0.1": (
        LABELS(teacher_forcing=-0.1), SOME, SAME, ValueError,
        "'teacher_forcing' parameter",
    ),
    "teacher_forcing True": (
        LABELS(teacher_forcing=True), SOME, SAME, ValueError,
        "'teacher_forcing' parameter",
    ),
    "attention": (
        LABELS(attention="soft"), SOME, SAME, ValueError, "'attention' parameter",
    ),
    "optimizer": (
        LABELS(optimizer="lambda"), SOME, SAME, ValueError, "'optimizer' parameter",
    ),
    "cell": (LABELS(cell="mgu"), SOME, SAME, ValueError, "'cell' parameter"),
    "loss": (
        LABELS(loss="mean_squared_error"), SOME, SAME, ValueError, "'loss' parameter",
    ),
    "an empty output": (
        LABELS(), SOME[:2], ["ab", ""], ValueError, "y[1] is empty; every sequence",
    ),
    "an empty list": (
        LABELS(), SOME[:2], [["a"], []], ValueError, "y[1] is empty; every sequence",
    ),
    "an empty input": (
        LABELS(), ["ab", ""], SAME[:2], ValueError, "X[1] is empty; every sequence",
    ),
    "no columns": (
        LABELS(), SOME[:2], np.empty((2, 0)), ValueError, "its sequences are empty",
    ),
    "strings and lists": (
        LABELS(), SOME[:2], ["ab", ["a"]], TypeError,
        "y[1] is of type list; expected a string: all",
    ),
    "inputs of strings and lists": (
        LABELS(), [["a"], "ab"], SAME[:2], TypeError,
        "X[0] is of type list; expected a string: all",
    ),
    "strings and numbers": (
        LABELS(), SOME[:2], [["a"], [1]], TypeError,
        "y must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "numbers before strings": (
        LABELS(), [[1, "a"]] * 4, SAME[:4], TypeError,
        "X must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "arrays of numbers before strings": (
        LABELS(), [np.array([1, "a"], object)] * 4, SAME[:4], TypeError,
        "X must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "tuples as tokens": (
        LABELS(), [[("a", "N"), ("b", "V")]] * 4, SAME[:4], TypeError,
        "X[0][0] is of type tuple; expected a string or a number.",
    ),
    "strings beside numbers": (
        LABELS(), SOME[:2], [["a", 2], ["a"]], TypeError, "strings or numbers",
    ),
    "None among strings": (
        LABELS(), SOME[:2], ["ab", None], TypeError, "y[1] is None; expected a string",
    ),
    "None among lists": (
        LABELS(), SOME[:2], [["a"], None], TypeError, "y[1] is None; expected a seq",
    ),
    "None in a list": (
        LABELS(), SOME[:2], [["a"], ["a", None]], ValueError, "y[1][1] is None: every",
    ),
    "None among labels": (
        LABELS(), X[:2], [None, 1], ValueError, "y[0] is None: every",
    ),
    "None among inputs": (
        LABELS(), ["ab", None], SAME[:2], TypeError, "X[1] is None; expected a string",
    ),
    "bytes": (
        LABELS(), SOME[:2], [b"ab", b"a"], TypeError, "y[0] is of type bytes",
    ),
    "bytes in lists": (
        LABELS(), SOME[:2], [[b"a"], [b"b"]], TypeError, "y[0][0] is of type bytes",
    ),
    "bytes as input": (
        LABELS(), [b"ab", b"a"], SAME[:2], TypeError, "X[0] is of type bytes",
    ),
    "NaN among labels": (
        LABELS(), SOME[:2], [[1.0], [2.0, np.nan]], ValueError, "y[1][1] is nan: every",
    ),
    "NaN in a table": (
        LABELS(), X[:2], np.array([[1.0, 2], [1, np.nan]]), ValueError,
        "y[1][1] is nan: every",
    ),
    "infinity among labels": (
        LABELS(), SOME[:2], [[1.0], [np.inf]], ValueError, "y[1][0] is infinity",
    ),
    "nested lists": (
        LABELS(), SOME[:2], [[["a"]], [["b"]]], TypeError, "y[0][0] is of type list",
    ),
    "values that are no labels": (
        LABELS(), X[:9], Y[:9], ValueError, "Unknown label type: continuous",
    ),
    "3-D labels": (
        LABELS(), X[:2], np.zeros((2, 2, 2), int), ValueError,
        "y has shape (2, 2, 2); expected a list of strings",
    ),
    "one string": (LABELS(), SOME, "abc", ValueError, "y has shape ()"),
    "no y": (LABELS(), SOME, None, ValueError, "requires y to be passed"),
    "fewer outputs": (
        LABELS(), SOME, SAME[:-1], ValueError, "inconsistent numbers of samples: [20, ",
    ),
    "fewer rows": (
        NUMBERS(), X, Y[:-1], ValueError, "inconsistent numbers of samples: [120, 119]",
    ),
    "one sequence": (
        LABELS(), SOME[:1], SAME[:1], ValueError, "Found 1 sequence(s) while a minimum",
    ),
    "NaN in X": (NUMBERS(), NAN, Y, ValueError, "Input X contains NaN"),
    "NaN in y": (NUMBERS(), X, NAN[:, :, 1], ValueError, "Input y contains NaN"),
    "NaN in 3-D y": (NUMBERS(), X, NAN, ValueError, "Input y contains NaN"),
    "text as numbers": (
        NUMBERS(), X[:2], np.array([["a", "b"]] * 2), ValueError,
        "could not convert string to float",
    ),
    "ragged numbers": (
        NUMBERS(), X[:2], [[1, 2], [1]], ValueError, "y holds sequences of different",
    ),
    "4-D y": (NUMBERS(), X, np.ones((120, 1, 1, 1)), ValueError, "expects (n, H), "),
    "no outputs": (LABELS(), SOME[:2], [], ValueError, "numbers of samples: [2, 0]"),
    "an array of no outputs": (
        LABELS(), SOME[:2], np.array([]), ValueError, "numbers of samples: [2, 0]",
    ),
    "an array of bytes": (
        LABELS(), np.array([b"ab", b"c"]), SAME[:2], TypeError, "X[0] is of type bytes",
    ),
    "None first": (
        LABELS(), [[None, "a"], ["b"]], SAME[:2], ValueError, "X[0][0] is None: every",
    ),
    "an empty horizon": (NUMBERS(), X, Y[:, :0], ValueError, "y has shape (120, 0)"),
}  # fmt: skip


@pytest.mark.parametrize("key", BAD_FITS)
def test_bad_input_is_refused_and_changes_nothing(key):
    model, x, y, error, message = BAD_FITS[key]
    model = clone(model)
    with pytest.raises(error, match=re.escape(message)):
        model.fit(x, y)
    assert not [name for name in vars(model) if name.endswith("_")]
    good = (X[:9], Y[:9]) if isinstance(model, NUMBERS) else (SOME, SAME)
    fitted = type(model)(**FAST).fit(*good)
    expected = list(fitted.predict(good[0]))
    before = dict(vars(fitted))
    params = {name: before[name] for name in model.get_params()}
    with pytest.raises(error, match=re.escape(message)):
        fitted.set_params(**model.get_params()).fit(x, y)
    fitted.set_params(**params)
    assert vars(fitted) == before
    np.testing.assert_array_equal(fitted.predict(good[0]), expected)


FUTURE = np.ones((120, 3, 2))
NAN_FUTURE = FUTURE.copy()
NAN_FUTURE[1, 1, 1] = np.nan
BAD_FUTURES = {
    "horizon": (FUTURE[:, :2], "future has shape (120, 2, 2), but X has 120 sequences"),
    "rows": (FUTURE[1:], "future has shape (119, 3, 2), but X has 120 sequences"),
    "dimensions": (FUTURE[:, 0, 0], "future has shape (120,), but X has 120"),
    "no features": (FUTURE[:, :, :0], "future has shape (120, 3, 0)"),
    "NaN": (NAN_FUTURE, "Input future contains NaN"),
    "text": (np.full((120, 3), "a"), "could not convert string to float: future"),
    "ragged": ([[1, 2], [3]] * 60, "future holds sequences of different lengths"),
    "too large": (
        FUTURE * 1e300,
        "Input future contains infinity or a value too large",
    ),
}


@pytest.mark.parametrize("key", BAD_FUTURES)
def test_a_bad_future_is_refused(key):
    future, message = BAD_FUTURES[key]
    with pytest.raises(ValueError, match=re.escape(message)):
        NUMBERS(**FAST).fit(X, Y, future=future)
    model = NUMBERS(**FAST).fit(X, Y, future=FUTURE)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict(X, future=future)


def test_a_future_is_given_always_or_never(forecaster):
    model = NUMBERS(**FAST).fit(X, Y, future=FUTURE)
    with pytest.raises(ValueError, match="fitted with future, of 2 features; pass"):
        model.predict(X)
    with pytest.raises(ValueError, match="fitted without future, but here it is given"):
        forecaster.predict(X, future=FUTURE)
    with pytest.raises(ValueError, match="future has 1 features, but Seq2SeqRegressor"):
        model.predict(X, future=FUTURE[:, :, :1])
    with pytest.raises(ValueError, match="future has shape"):
        model.predict(X[:5], future=FUTURE)


BAD_PREDICTIONS = {
    "numbers for strings": (X, TypeError, "X holds numbers, but Seq2SeqClassifier was"),
    "an empty string": (["ab", ""], ValueError, "X[1] is empty"),
    "None": (["ab", None], TypeError, "X[1] is None"),
    "None alone": ([None], TypeError, "X[0] is None; expected a string or a sequence"),
    "an array of None": (np.array([None]), TypeError, "X[0] is None; expected a str"),
    "None in a list alone": ([["a"], [None]], ValueError, "X[1][0] is None: every sym"),
    "lists of None": ([[None, None]], ValueError, "X[0][0] is None: every symbol"),
    "nothing": ([], ValueError, "Found array with 0 sample(s) while a minimum of 1"),
    "one string": ("abc", TypeError, "X is of type str; expected a list of strings"),
    "no X": (None, TypeError, "X is None; expected a list of strings"),
    "a set": ({"ab"}, TypeError, "X is of type set; expected a list of strings"),
    "a generator": (iter(["ab"]), TypeError, "expected a list of strings"),
}


@pytest.mark.parametrize("key", BAD_PREDICTIONS)
def test_bad_input_at_predict(key, reverser):
    x, error, message = BAD_PREDICTIONS[key]
    for method in ("predict", "predict_proba", "predict_beams"):
        with pytest.raises(error, match=re.escape(message)):
            getattr(reverser, method)(x)


def test_strings_for_numbers_at_predict(forecaster):
    with pytest.raises(TypeError, match="X holds strings, but Seq2SeqRegressor was"):
        forecaster.predict(SOME)
    with pytest.raises(ValueError, match="X has 3 features, but Seq2SeqRegressor"):
        forecaster.predict(np.ones((2, 8, 3)))
    with pytest.raises(NotFittedError):
        Seq2SeqRegressor().predict(X)
    with pytest.raises(NotFittedError):
        Seq2SeqClassifier().predict(SOME)


@pytest.mark.parametrize("n_best", [0, 3, -1, 1.5, True, "1"])
def test_n_best_is_from_1_to_n_beams(n_best, reverser):
    model = copy.deepcopy(reverser).set_params(n_beams=2)
    with pytest.raises(ValueError, match="n_best must be an int from 1 to n_beams=2"):
        model.predict_beams(SOME, n_best=n_best)


def test_no_weight_at_all_is_refused():
    with pytest.raises(ValueError, match="Sample weights must contain"):
        LABELS(**FAST).fit(SOME, SAME, sample_weight=np.zeros(20))


@pytest.mark.parametrize("name", ["n_beams", "length_penalty", "max_length"])
def test_parameters_of_decoding_may_be_set_after_fit(reverser, name):
    model = copy.deepcopy(reverser).set_params(**{name: 2})
    assert model.predict(SOME)
    for value in (-1, np.nan, "3"):
        model.set_params(**{name: value})
        for method in ("predict", "predict_proba", "predict_beams"):
            with pytest.raises(ValueError, match=f"'{name}' parameter of Seq2SeqCla"):
                getattr(model, method)(SOME)
