"""Texts as sequences of token ids, and their vocabulary on its way to the network."""

import copy
import pickle
import re
import unicodedata
from operator import itemgetter

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import _safe_indexing

from skrnn import GRUClassifier, LSTMClassifier, LSTMRegressor, Seq2SeqClassifier
from skrnn._data.tokens.ids import TokenIds
from skrnn.preprocessing import SequencePadder, TextSequencer

TEXTS = [
    "The food was good, very good.",
    "the SOUP was cold",
    "good wine",
    "A cold room and a cold soup",
    "no",
]
LABELS = np.array(["yes", "no", "yes", "no", "no"])
TINY = dict(embedding_dim=3, units=3, epochs=2, random_state=0)


def lists(ids):
    return [np.asarray(each).tolist() for each in ids]


def words(sequencer, texts):
    return sequencer.inverse_transform(sequencer.transform(texts))


# What becomes an id

SAME_AS_COUNTED = {
    "defaults": {},
    "characters": dict(analyzer="char"),
    "case kept": dict(lowercase=False),
    "a pattern": dict(token_pattern=r"\S+"),
    "a tokenizer": dict(tokenizer=str.split, token_pattern=None),
    "accents": dict(strip_accents="unicode"),
    "accents, characters": dict(strip_accents="ascii", analyzer="char"),
    "accents by a callable": dict(strip_accents=str.swapcase, lowercase=False),
    "stop words": dict(stop_words="english"),
    "own stop words": dict(stop_words=["the", "was", "no"]),
    "pairs alone": dict(ngram_range=(2, 2), stop_words=["and"]),
    "three characters": dict(ngram_range=(3, 3), analyzer="char"),
    "tokens to know": dict(vocabulary=["good", "food", "beer"], min_df=5),
    "a set to know": dict(vocabulary={"good", "food", "beer"}),
    "places to know": dict(vocabulary={"good": 1, "food": 0}, max_features=1),
    "a callable": dict(analyzer=str.split),
    "rare ones left out": dict(min_df=2),
    "a share": dict(min_df=0.4),
    "frequent ones left out": dict(max_df=1),
    "the most frequent": dict(max_features=3),
    "characters, the most frequent": dict(analyzer="char", max_features=6, min_df=2),
}


@pytest.mark.parametrize("key", SAME_AS_COUNTED)
def test_the_vocabulary_is_that_of_a_count_vectorizer(key):
    params = SAME_AS_COUNTED[key]
    counter, sequencer = CountVectorizer(**params), TextSequencer(**params)
    counter.fit(TEXTS)
    expected = {word: int(i) + 2 for word, i in counter.vocabulary_.items()}
    assert sequencer.fit(TEXTS).vocabulary_ == expected
    analyze = counter.build_analyzer()
    texts = [*TEXTS, "good Cr\u00e8me"]
    for text, found in zip(texts, words(sequencer, texts), strict=True):
        known = [w if w in expected else "[UNK]" for w in analyze(text)]
        assert found == (known or ["[UNK]"])


def test_defaults_are_those_of_a_count_vectorizer():
    theirs = CountVectorizer().get_params()
    ours = TextSequencer().get_params()
    shared = ours.keys() & theirs.keys()
    assert {name: ours[name] for name in shared} == {n: theirs[n] for n in shared}
    assert ours.keys() - shared == {"maxlen", "padding", "truncating", "oov"}


def test_ids_keep_the_order_of_the_words():
    sequencer = TextSequencer().fit(TEXTS)
    assert sequencer.inverse_transform(sequencer.transform(TEXTS))[0] == (
        ["the", "food", "was", "good", "very", "good"]
    )
    ids = sequencer.transform(["good food", "food good"])
    assert lists(ids)[0] == lists(ids)[1][::-1]
    assert ids[0].dtype == np.int32
    assert list(sequencer.vocabulary_.values()) == list(range(2, 13))


def test_unknown_words_become_one_id_or_nothing():
    texts = ["good tea", "tea", "", "?"]
    one = TextSequencer().fit(TEXTS)
    good = one.vocabulary_["good"]
    assert lists(one.transform(texts)) == [[good, 1], [1], [1], [1]]
    none = TextSequencer(oov="drop").fit(TEXTS)
    assert lists(none.transform(texts)) == [[good], [1], [1], [1]]


CUTS = {
    "pre": (dict(maxlen=2), ["very good", "was cold", "good wine"]),
    "post": (dict(maxlen=2, truncating="post"), ["the food", "the soup", "good wine"]),
    "not at all": (
        dict(maxlen=9),
        ["the food was good very good", "the soup was cold"],
    ),
}


@pytest.mark.parametrize("key", CUTS)
def test_long_documents_are_cut(key):
    params, expected = CUTS[key]
    found = words(TextSequencer(**params).fit(TEXTS), TEXTS)
    assert [" ".join(each) for each in found][: len(expected)] == expected


def test_what_is_cut_off_everywhere_is_not_in_the_vocabulary():
    sequencer = TextSequencer(maxlen=1).fit(TEXTS)
    assert set(sequencer.vocabulary_) == {"good", "cold", "wine", "soup", "no"}
    ids = np.concatenate(sequencer.transform(TEXTS))
    assert set(ids.tolist()) == set(sequencer.vocabulary_.values())
    assert lists(sequencer.transform(["food"])) == [[1]]


def test_dropping_comes_before_cutting():
    sequencer = TextSequencer(maxlen=2, truncating="post", oov="drop").fit(TEXTS)
    (found,) = words(sequencer, ["xx yy the zz food was"])
    assert found == ["the", "food"]


@given(
    texts=st.lists(st.text("abcde", max_size=9), min_size=1, max_size=6),
    oov=st.sampled_from(["drop", "unknown"]),
    truncating=st.sampled_from(["pre", "post"]),
    padding=st.sampled_from([None, "pre", "post"]),
    maxlen=st.none() | st.integers(1, 5),
    min_df=st.integers(1, 3),
    max_features=st.none() | st.integers(1, 4),
)
@example(
    # Unknown ones among the last two of each.
    texts=["xabcbd", "abyxcz", "dzabc"],
    oov="drop",
    truncating="pre",
    padding=None,
    maxlen=2,
    min_df=2,
    max_features=None,
)
def test_fit_transform_is_fit_and_transform(texts, **params):
    sequencer = TextSequencer(list, **params)
    try:
        found = sequencer.fit_transform(texts)
    except ValueError as error:
        # No token, or none that is frequent enough.
        assert re.search("empty vocabulary|terms remain|min_df", str(error))  # noqa: PT017
        return
    other = clone(sequencer).fit(texts)
    assert other.vocabulary_ == sequencer.vocabulary_
    for ids in (other.transform(texts), sequencer.transform(texts)):
        assert lists(ids) == lists(found)
    # Each id of the vocabulary is somewhere in it.
    seen = {id_ for ids in lists(found) for id_ in ids}
    assert seen - {0, 1} == set(sequencer.vocabulary_.values())


PADDED = {
    "post": [[3, 2, 0], [4, 0, 0], [2, 2, 3]],
    "pre": [[0, 3, 2], [0, 0, 4], [2, 2, 3]],
}


@pytest.mark.parametrize("padding", PADDED)
def test_padding_makes_one_array(padding):
    sequencer = TextSequencer("char", padding=padding)
    ids = sequencer.fit_transform(["ba", "c", "aab"])
    assert (ids.shape, ids.dtype, sequencer.maxlen_) == ((3, 3), np.int32, 3)
    assert ids.tolist() == PADDED[padding]
    # Whatever comes later has the same width.
    assert sequencer.transform(["abcabc"]).tolist() == [[2, 3, 4]]
    assert sequencer.set_params(truncating="post").transform(["caaaaa"])[0, 0] == 4
    assert sequencer.inverse_transform(ids) == [["b", "a"], ["c"], ["a", "a", "b"]]


def test_padded_to_what_is_left_after_dropping():
    sequencer = TextSequencer("char", padding="post", oov="drop", min_df=2)
    assert sequencer.fit_transform(["abcde", "ab"]).tolist() == [[2, 3], [2, 3]]


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "array of objects": lambda texts: np.array(texts, dtype=object),
    "Series": pd.Series,
    "Series of objects": lambda texts: pd.Series(texts, dtype=object),
    "Index": pd.Index,
    "generator": iter,
}


@pytest.mark.parametrize("key", CONTAINERS)
def test_documents_come_in_any_container(key):
    expected = TextSequencer().fit_transform(TEXTS)
    found = TextSequencer().fit_transform(CONTAINERS[key](TEXTS))
    assert lists(found) == lists(expected)
    assert found.vocabulary == expected.vocabulary


def test_documents_may_be_anything_for_a_callable():
    sequencer = TextSequencer(list)
    ids = sequencer.fit_transform(
        [["New York", "is"], ("big",), np.array(["is", "is"])]
    )
    assert lists(ids) == [[2, 4], [3], [4, 4]]
    events = TextSequencer(list).fit([[7, 5], [5]])
    assert events.vocabulary_ == {5: 2, 7: 3}
    assert events.inverse_transform([[3, 1, 2]]) == [[7, "[UNK]", 5]]
    assert TextSequencer(list).fit([b"ab"]).vocabulary_ == {97: 2, 98: 3}


# Unicode

SCRIPTS = {
    "combining marks": "cafe\u0301 n\u0303andu\u0301",
    "composed": "café ñandú",
    "emoji": "👍🏽 👩‍👩‍👧 🇫🇷 ☃️",
    "right to left": "שלום עולם مرحبا بالعالم",
    "vowel signs": "नमस्ते दुनिया",
    "no spaces": "你好世界",
    "Turkish": "İstanbul \u0131l\u0131k",
    "German": "Straße GROẞ",
    "NUL": "a\x00b \x00",
    "a lone surrogate": "a\udc80 b",
    "an embedded direction": "abc \u202eabc\u202c",
    "beyond the first plane": "\U0001d4b3 𐍈",
}


@pytest.mark.parametrize("key", SCRIPTS)
@pytest.mark.parametrize("padding", [None, "pre", "post"])
def test_every_script_survives_a_round_trip(key, padding):
    text = SCRIPTS[key]
    whole = TextSequencer(token_pattern=r"\S+", lowercase=False, padding=padding)
    assert words(whole.fit([text]), [text]) == [text.split()]
    characters = TextSequencer("char", lowercase=False, padding=padding).fit([text])
    assert "".join(words(characters, [text])[0]) == text
    assert len(characters.transform([text])[0]) == len(text)
    again = pickle.loads(pickle.dumps(characters))
    assert "".join(words(again, [text])[0]) == text


@given(st.lists(st.text(st.characters(codec=None), max_size=20), min_size=1))
def test_any_characters_survive_a_round_trip(texts):
    if not any(texts):
        return
    sequencer = TextSequencer(list).fit(texts)
    found = words(sequencer, texts)
    assert ["".join(each) for each in found] == [text or "[UNK]" for text in texts]


def test_what_lowercase_does_is_python_s():
    assert TextSequencer("char").fit(["İ"]).vocabulary_.keys() == set("İ".lower())
    assert unicodedata.name(max(TextSequencer("char").fit(["ẞ"]).vocabulary_))


def test_a_long_document_is_one_sequence():
    text = "word " * 200_000 + "end"
    (ids,) = TextSequencer().fit_transform([text])
    assert ids.shape == (200_001,)
    assert ids[-1] == 2


# The vocabulary goes along

WAYS = {
    "a slice": lambda X: X[1:],
    "rows": lambda X: X[[3, 0]],
    "a mask": lambda X: X[np.arange(len(X)) > 2],
    "a copy": lambda X: X.copy(),
    "copy.deepcopy": copy.deepcopy,
    "a pickle": lambda X: pickle.loads(pickle.dumps(X)),
    "scikit-learn's indexing": lambda X: _safe_indexing(X, np.array([1, 2])),
    "scikit-learn's indexing by lists": lambda X: _safe_indexing(X, [1, 2]),
    "a split": lambda X: train_test_split(X, random_state=0)[1],
}


@pytest.mark.parametrize("padding", [None, "post"])
@pytest.mark.parametrize("key", WAYS)
def test_selections_keep_the_vocabulary(key, padding):
    sequencer = TextSequencer(padding=padding)
    X = sequencer.fit_transform(TEXTS)
    assert X.vocabulary is sequencer.vocabulary_
    some = WAYS[key](X)
    assert isinstance(some, TokenIds)
    assert some.vocabulary == sequencer.vocabulary_
    model = LSTMClassifier(**TINY).fit(some, np.arange(len(some)) % 2)
    assert len(model._weights[0]) == len(sequencer.vocabulary_) + 2


def test_what_is_computed_from_ids_is_plain():
    X = TextSequencer(padding="post").fit_transform(TEXTS)
    for computed in (X + 1, X == 2, X.sum(axis=0), np.tile(X, 2) * 1, X.max()):
        assert not isinstance(computed, TokenIds)
    assert np.concatenate([X, X]).vocabulary == X.vocabulary


@pytest.mark.parametrize("padding", [None, "post"])
def test_every_id_of_the_vocabulary_may_come_in_predict(padding):
    X = TextSequencer(padding=padding).fit_transform(TEXTS)
    # The largest ids are in rows that are not fitted on.
    rows = [i for i, ids in enumerate(X) if max(ids) < 12]
    assert 2 <= len(rows) < len(X)
    model = LSTMClassifier(**TINY).fit(X[rows], np.arange(len(rows)) % 2)
    assert model.predict(X).shape == (len(X),)


def test_ids_beyond_the_vocabulary_are_refused_and_unknown_words_are_not():
    model = make_pipeline(TextSequencer(), LSTMClassifier(**TINY)).fit(TEXTS, LABELS)
    assert set(model.predict(["tea for two", ""])) <= {"yes", "no"}
    with pytest.raises(ValueError, match="token id 13, but LSTMClassifier was fitted"):
        model[-1].predict([[13]])


def test_ids_are_not_read_as_numbers():
    for padding in (None, "post"):
        ids = TextSequencer(padding=padding).fit_transform(TEXTS)
        with pytest.raises(
            ValueError, match="set embedding_dim, or give an embedding_"
        ):
            LSTMClassifier(units=2).fit(ids, LABELS)


OTHERS = {
    "another word": (
        [text.replace("wine", "tea") for text in TEXTS],
        "the id 9 stands for 'tea', but {} was fitted with 'the'",
    ),
    "one word more": (
        [*TEXTS, "zoo"],
        "the id 13 stands for 'zoo', but {} was fitted with no word",
    ),
    "one word less": (
        [text.replace("wine", "was") for text in TEXTS],
        "the id 12 stands for no word, but {} was fitted with 'wine'",
    ),
}


@pytest.mark.parametrize("padding", [None, "post"])
@pytest.mark.parametrize("key", OTHERS)
@pytest.mark.parametrize("network", [LSTMClassifier, Seq2SeqClassifier])
def test_ids_of_other_words_are_refused(network, key, padding):
    texts, difference = OTHERS[key]
    y = LABELS if network is LSTMClassifier else TEXTS
    first, other = (TextSequencer(padding=padding).fit(t) for t in (TEXTS, texts))
    ids = other.transform(TEXTS)
    model = network(**TINY, warm_start=True).fit(first.transform(TEXTS), y)
    weights = [weight.copy() for weight in model._weights]
    message = "of another vocabulary than the X of fit: " + difference.format(
        network.__name__
    )
    for method in (model.predict, lambda X: model.fit(X, y)):
        with pytest.raises(ValueError, match=re.escape(message)):
            method(ids)
    for before, after in zip(weights, model._weights, strict=True):
        np.testing.assert_array_equal(before, after)
    # Who takes the words off is trusted, up to the size of the table.
    plain = np.array([np.asarray(each) for each in ids] + [None], object)[:-1]
    plain = plain if padding is None else np.asarray(ids)
    if key != "one word more":
        assert len(model.predict(plain)) == len(TEXTS)
    assert len(network(**TINY).fit(plain, y).predict(ids)) == len(TEXTS)


@pytest.mark.parametrize("network", [LSTMClassifier, Seq2SeqClassifier])
def test_a_pipeline_goes_on_with_the_same_words_alone(network):
    y = LABELS if network is LSTMClassifier else TEXTS
    model = make_pipeline(TextSequencer(), network(**TINY, warm_start=True))
    model.fit(TEXTS, y).fit(TEXTS[::-1], y[::-1])
    assert model[-1].n_iter_ == 2 * TINY["epochs"]
    assert len(pickle.loads(pickle.dumps(model)).predict(TEXTS)) == len(TEXTS)
    with pytest.raises(ValueError, match="or other words fit anew, with warm_start="):
        model.fit([text + " zoo" for text in TEXTS], y)
    model.set_params(**{f"{network.__name__.lower()}__warm_start": False})
    assert len(model.fit([text + " zoo" for text in TEXTS], y).predict(TEXTS)) == 5


def test_a_pickle_holds_the_words_once():
    texts = [f"{word}{i}" for i in range(20) for word in ("apple", "pear", "plum")]
    model = make_pipeline(TextSequencer(), LSTMClassifier(**TINY))
    model.fit(texts, np.arange(len(texts)) % 2)
    assert pickle.dumps(model).count(b"apple7") == 1
    assert pickle.loads(pickle.dumps(model))[-1]._words == model[0].vocabulary_


def test_other_transformers_take_ids():
    X = TextSequencer().fit_transform(TEXTS)
    padded = SequencePadder().fit_transform(X)
    assert padded.vocabulary == X.vocabulary
    assert padded.shape == (5, 6)
    model = LSTMClassifier(**TINY).fit(padded, LABELS)
    np.testing.assert_allclose(
        model.predict_proba(padded),
        LSTMClassifier(**TINY).fit(X, LABELS).predict_proba(X),
    )


# In pipelines

MANY = [f"{text} {extra}" for text in TEXTS for extra in ("", "so", "really so", "zz")]
MANY_LABELS = np.repeat(LABELS, 4)


def pipeline(**params):
    classifier = LSTMClassifier(**TINY | params)
    steps = [("textsequencer", TextSequencer()), ("lstmclassifier", classifier)]
    return Pipeline(steps)


def test_a_grid_over_the_texts_and_the_network():
    grid = {
        "textsequencer__max_features": [3, None],
        "lstmclassifier__units": [2, 3],
        "lstmclassifier__bidirectional": [False, True],
    }
    weights = {"class_weight": "balanced"}
    search = GridSearchCV(pipeline(**weights), grid, cv=2, error_score="raise")
    search.fit(MANY, MANY_LABELS)
    assert len(search.cv_results_["params"]) == 8
    assert set(search.predict(["anything", "good"])) <= {"yes", "no"}
    assert search.classes_.tolist() == ["no", "yes"]
    assert search.predict_proba(MANY).shape == (20, 2)


def test_workers_find_what_one_process_finds():
    grid = {"textsequencer__max_features": [3, None]}
    scores = [
        GridSearchCV(pipeline(), grid, cv=2, n_jobs=n, scoring="neg_log_loss")
        .fit(MANY, MANY_LABELS)
        .cv_results_["mean_test_score"]
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


def test_ids_go_through_splitters_and_meta_estimators():
    X = TextSequencer().fit_transform(MANY)
    model = LSTMClassifier(**TINY)
    # A fold that lacks the largest ids meets them in the other one.
    assert cross_val_score(model, X, MANY_LABELS, error_score="raise").shape == (5,)
    assert cross_val_predict(model, X, MANY_LABELS).shape == (20,)
    calibrated = CalibratedClassifierCV(model, cv=2).fit(X, MANY_LABELS)
    assert calibrated.predict(X).shape == (20,)


def test_a_pipeline_is_a_pickle_and_clones():
    model = pipeline().fit(MANY, MANY_LABELS)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(MANY), model.predict_proba(MANY))
    fresh = clone(model).fit(MANY, MANY_LABELS)
    np.testing.assert_array_equal(fresh.predict_proba(MANY), model.predict_proba(MANY))


def test_training_goes_on_with_the_vocabulary_it_began_with():
    sequencer = TextSequencer().fit(MANY)
    X = sequencer.transform(MANY)
    model = GRUClassifier(**TINY)
    classes = np.unique(LABELS)
    model.partial_fit(X[:4], MANY_LABELS[:4], classes=classes)
    model.partial_fit(X[4:], MANY_LABELS[4:])
    assert len(model._weights[0]) == len(sequencer.vocabulary_) + 2


def test_tags_of_words():
    sequencer = TextSequencer(str.split)
    X = sequencer.fit_transform(TEXTS)
    tags = [
        np.array(["in" if w.istitle() else "out" for w in t.split()]) for t in TEXTS
    ]
    tagger = LSTMClassifier(**TINY, return_sequences=True).fit(X, tags)
    assert [len(each) for each in tagger.predict(X)] == [len(each) for each in X]


# Output as tables


def test_padded_ids_can_be_a_frame():
    sequencer = TextSequencer(padding="post", maxlen=3)
    frame = sequencer.set_output(transform="pandas").fit_transform(TEXTS)
    assert list(frame.columns) == ["token0", "token1", "token2"]
    assert frame.shape == (5, 3)
    model = LSTMClassifier(**TINY).fit(frame, LABELS)
    # Each id of the vocabulary is in the frame: its size is known without it.
    assert len(model._weights[0]) == len(sequencer.vocabulary_) + 2
    assert sequencer.inverse_transform(frame) == words(
        TextSequencer(maxlen=3).fit(TEXTS), TEXTS
    )


def test_ragged_ids_stay_an_array():
    model = pipeline().set_output(transform="pandas").fit(MANY, MANY_LABELS)
    assert isinstance(model[0].transform(MANY), TokenIds)
    assert model[0].get_feature_names_out().tolist() == ["tokens"]


@pytest.mark.parametrize("asked", ["pandas", "default", None])
def test_output_may_be_asked_for_before_padding(asked):
    sequencer = TextSequencer().set_output(transform=asked)
    assert isinstance(sequencer.fit_transform(TEXTS), TokenIds)
    padded = clone(sequencer).set_params(padding="post")
    direct = TextSequencer(padding="post").set_output(transform=asked)
    found, expected = (each.fit_transform(TEXTS) for each in (padded, direct))
    assert type(found) is type(expected)
    again = padded.set_output(transform="default").fit_transform(TEXTS)
    assert isinstance(again, TokenIds)
    assert isinstance(padded.set_params(padding=None).fit_transform(TEXTS), TokenIds)


def test_texts_are_taken_out_of_a_frame():
    frame = pd.DataFrame({"text": MANY, "n": range(20)})
    column = FunctionTransformer(itemgetter("text"))
    model = make_pipeline(column, pipeline()).fit(frame, MANY_LABELS)
    expected = pipeline().fit(MANY, MANY_LABELS).predict_proba(MANY)
    np.testing.assert_array_equal(model.predict_proba(frame), expected)


def test_characters_are_those_of_a_count_vectorizer():
    text = "A  b\n\nC d"
    assert words(TextSequencer("char").fit([text]), [text]) == [list("a b c d")]
    assert words(TextSequencer(list).fit([text]), [text]) == [list(text)]


def test_a_column_of_texts_among_others():
    frame = pd.DataFrame({"text": TEXTS, "n": range(5)})
    sequencer = TextSequencer(padding="post", maxlen=2)
    columns = make_column_transformer((sequencer, "text"), ("passthrough", ["n"]))
    assert columns.fit_transform(frame).shape == (5, 3)
    names = ["textsequencer__token0", "textsequencer__token1", "remainder__n"]
    assert columns.get_feature_names_out().tolist()[:2] == names[:2]


def test_regression_on_texts():
    model = make_pipeline(TextSequencer("char"), LSTMRegressor(**TINY))
    model.fit(TEXTS, [len(text) for text in TEXTS])
    assert model.predict(TEXTS).shape == (5,)


def test_tags_tell_that_texts_are_wanted():
    tags = TextSequencer().__sklearn_tags__()
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.requires_fit
