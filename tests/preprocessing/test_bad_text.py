"""Texts, vocabularies and vectors that can't be used are refused by name."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

import skrnn._engine
from skrnn import GRUClassifier, LSTMClassifier
from skrnn.preprocessing import TextSequencer

TEXTS = ["good food", "bad food", "good wine", "no wine"]
LABELS = [1, 0, 1, 0]


def put(value, at=2):
    """Return the texts with `value` as one of them."""
    return [*TEXTS[:at], value, *TEXTS[at + 1 :]]


# Documents, at fit and at transform

NO_STRING = "but TextSequencer expects every document to be a str"
MISSING = "TextSequencer does not accept missing documents."
NO_ITERABLE = "but TextSequencer expects an iterable over documents"
BAD_TEXTS = {
    "no documents": ([], ValueError, "0 sample(s) (shape=(0,)) while a minimum of 1"),
    "an empty array": (np.array([], str), ValueError, "required by TextSequencer"),
    "an empty Series": (pd.Series([], dtype=str), ValueError, "0 sample(s)"),
    "a string": (
        "good food",
        ValueError,
        "Iterable over raw text documents expected, string object received.",
    ),
    "bytes": (b"good food", TypeError, f"X is of type bytes, {NO_ITERABLE}"),
    "None": (None, TypeError, f"X is None, {NO_ITERABLE}"),
    "a number": (3, TypeError, f"X is of type int, {NO_ITERABLE}"),
    "an array of no dimensions": (np.array("good"), TypeError, NO_ITERABLE),
    "a dict": (dict.fromkeys(TEXTS), TypeError, f"X is of type dict, {NO_ITERABLE}"),
    "a set": (set(TEXTS), TypeError, f"X is of type set, {NO_ITERABLE}"),
    "a 2-D array": (
        np.array(TEXTS).reshape(-1, 1),
        ValueError,
        "Expected 1D array, got 2D array instead (shape=(4, 1)): TextSequencer expects "
        'one document a row. Choose a column of texts, as frame["text"] does; in a '
        "Pipeline a FunctionTransformer can do it.",
    ),
    "a 3-D array": (np.array(TEXTS)[:, None, None], ValueError, "got 3D array instead"),
    "a frame": (pd.DataFrame({"text": TEXTS}), ValueError, "got 2D array instead"),
    "a sparse array": (sparse.csr_array(np.eye(4)), ValueError, "got 2D array instead"),
    "lists of words": (
        [text.split() for text in TEXTS],
        TypeError,
        NO_STRING + "; lists of words need TextSequencer(list).",
    ),
    "bytes among texts": (
        put(b"food"),
        TypeError,
        "X[2] is \"b'food'\" of type bytes, " + NO_STRING,
    ),
    "None among texts": (put(None), ValueError, f"X[2] is None: {MISSING}"),
    "NaN among texts": (put(np.nan), ValueError, f"X[2] is nan: {MISSING}"),
    "NA in a Series": (
        pd.Series(put(None), dtype="string"),
        ValueError,
        f"X[2] is <NA>: {MISSING}",
    ),
    "a missing one in a Series": (pd.Series(put(None)), ValueError, MISSING),
    "a number among texts": (
        put(7),
        TypeError,
        "X[2] is '7' of type int, " + NO_STRING,
    ),
    "a list among texts": (put(["a"]), TypeError, "X[2] is \"['a']\" of type list"),
    "numbers": (np.arange(4), TypeError, f"X[0] is '0' of type int64, {NO_STRING}"),
}


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("key", BAD_TEXTS)
def test_what_is_no_document_is_refused(key, method):
    X, error, message = BAD_TEXTS[key]
    sequencer = TextSequencer().fit(["an earlier fit"])
    before = dict(vars(sequencer))
    with pytest.raises(error, match=re.escape(message)):
        getattr(sequencer, method)(X)
    assert vars(sequencer) == before


@pytest.mark.parametrize("value", [None, np.nan, pd.NA])
def test_a_callable_is_not_asked_about_missing_documents(value):
    with pytest.raises(ValueError, match=re.escape(f"X[2] is {value!r}: {MISSING}")):
        TextSequencer(list).fit(put(value))


# Tokens, as callables return them

MIXED = "sorts the tokens, and 'a' can't be compared with it: '<' not supported between"
NONE_RETURNED = "The tokens of X[0] are None, but TextSequencer expects its analyzer or"
BAD_TOKENS = {
    "None": (list, [["a"], ["b", None]], ValueError, "X[1] has the token None: "),
    "NaN": (list, [["a", np.nan]], ValueError, "X[0] has the token nan: TextSequencer"),
    "NA alone": (list, [[pd.NA]], ValueError, "does not accept missing tokens. Leave"),
    "a list": (
        list,
        [["a"], [["b"]]],
        TypeError,
        "X[1] has the token ['b'] of type list, but TextSequencer expects tokens that "
        "can be the keys of a dict.",
    ),
    "a list in a tuple": (list, [[("a", ["b"])]], TypeError, "of type tuple, but Text"),
    "nothing returned": (lambda _: None, TEXTS, TypeError, NONE_RETURNED),
    "a number returned": (len, TEXTS, TypeError, "The tokens of X[0] are 9, but Text"),
}


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("key", BAD_TOKENS)
def test_what_is_no_token_is_refused(key, method):
    analyzer, X, error, message = BAD_TOKENS[key]
    sequencer = TextSequencer(list).fit([["a"]]).set_params(analyzer=analyzer)
    before = dict(vars(sequencer))
    with pytest.raises(error, match=re.escape(message)):
        getattr(sequencer, method)(X)
    assert vars(sequencer) == before


UNSORTED = {
    "text and numbers": ([["a"], ["b", 3]], "X[1] has the token 3 of type int, but T"),
    "why": ([["a", 3]], MIXED),
    "in tuples": (
        [[("a", 1), ("b", 1), ("b", "c")]],
        "TextSequencer sorts the tokens, but they can't be compared: '<' not supported",
    ),
    "complex": ([[1j, 2j]], "X[0] has the token 2j of type complex, but TextSequencer"),
}


@pytest.mark.parametrize("key", UNSORTED)
def test_tokens_that_have_no_order_are_refused(key):
    X, message = UNSORTED[key]
    with pytest.raises(TypeError, match=re.escape(message)):
        TextSequencer(list).fit(X)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [(None, NONE_RETURNED), ([None], "X[0] has the token None")],
)
def test_a_tokenizer_returns_tokens(tokens, message):
    sequencer = TextSequencer(tokenizer=lambda _: tokens, token_pattern=None)
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        sequencer.fit(TEXTS)


def test_tokens_of_any_one_kind_are_taken():
    for tokens in ([1, 2.5, True], [("a", 1), ("b", 0)], [b"a"], [frozenset({1})]):
        known = TextSequencer(list).fit([tokens]).vocabulary_
        assert set(known) == set(tokens)


# Vocabularies of which nothing is left

EMPTY = "empty vocabulary; TextSequencer finds no token in any document of X."
NO_PATTERN = (
    "The 'token_pattern' parameter of TextSequencer must be a regular expression where "
    "there is no tokenizer. Got "
)
PRUNED = "After pruning, no terms remain. Try a lower min_df or a higher max_df."
NOTHING_LEFT = {
    "empty documents": ({}, ["", " "], EMPTY),
    "no word of two characters": ({}, ["a", "!"], EMPTY),
    "a pattern that finds nothing": (dict(token_pattern="xyz"), TEXTS, EMPTY),
    "a callable that finds nothing": (dict(analyzer=lambda _: []), TEXTS, EMPTY),
    "all too rare": (dict(min_df=4), TEXTS, PRUNED),
    "all too rare by share": (dict(min_df=0.9), TEXTS, PRUNED),
    "all too frequent": (dict(max_df=1, token_pattern="food|wine"), TEXTS, PRUNED),
    "all too frequent by share": (dict(max_df=0.0), TEXTS, "max_df corresponds to"),
    "more at least than at most": (
        dict(min_df=3, max_df=2),
        TEXTS,
        "max_df corresponds to < documents than min_df",
    ),
    "a pattern that is none": (
        dict(token_pattern="("),
        TEXTS,
        NO_PATTERN + "'(' instead: missing ), unterminated subpattern at position 0.",
    ),
    "neither a pattern nor a tokenizer": (
        dict(token_pattern=None),
        TEXTS,
        NO_PATTERN + "None instead: ",
    ),
    "a range upside down": (
        dict(ngram_range=(2, 1)),
        TEXTS,
        "Invalid value for ngram_range=(2, 1) lower boundary larger than the upper",
    ),
    "three sizes": (
        dict(ngram_range=(1, 2, 3)),
        TEXTS,
        "The 'ngram_range' parameter of TextSequencer must be a tuple (min_n, max_n) "
        "of two ints >= 1. Got (1, 2, 3) instead.",
    ),
    "no neighbours": (
        dict(ngram_range=(0, 1)),
        TEXTS,
        "two ints >= 1. Got (0, 1) instead.",
    ),
    "a stop word that is none": (
        dict(stop_words=["the", {}]),
        TEXTS,
        "The 'stop_words' parameter of TextSequencer must hold strings. Got "
        "stop_words[1]={} instead.",
    ),
    "a token twice": (
        dict(vocabulary=["good", "good"]),
        TEXTS,
        "The 'vocabulary' parameter of TextSequencer can't be used: Duplicate term in "
        "vocabulary: 'good'. Got ['good', 'good'] instead.",
    ),
    "nothing to know": (
        dict(vocabulary=[]),
        TEXTS,
        "can't be used: empty vocabulary passed to fit. Got [] instead.",
    ),
    "a place left out": (
        dict(vocabulary={"good": 0, "food": 2}),
        TEXTS,
        "Vocabulary of size 2 doesn't contain index 1.",
    ),
    "a place twice": (
        dict(vocabulary={"good": 0, "food": 0}),
        TEXTS,
        "Vocabulary contains repeated indices.",
    ),
    "two groups": (
        dict(token_pattern="(a)(b)"),
        TEXTS,
        "More than 1 capturing group in token pattern.",
    ),
}


@pytest.mark.parametrize("key", NOTHING_LEFT)
def test_a_vocabulary_needs_a_word(key):
    params, texts, message = NOTHING_LEFT[key]
    sequencer = TextSequencer(**params)
    with pytest.raises(ValueError, match=re.escape(message)):
        sequencer.fit(texts)
    assert not hasattr(sequencer, "vocabulary_")


# Parameters

PARAMETERS = {
    "analyzer": ["words", "char_wb", None, 1],
    "strip_accents": ["latin", 1, True],
    "lowercase": ["yes", None],
    "tokenizer": ["split", 1],
    "stop_words": ["dutch", ("a",), 1],
    "token_pattern": [1, re.compile("a")],
    "ngram_range": [[1, 2], 2, None],
    "vocabulary": [1, True],
    "min_df": [0, -1, 1.5, "2", None, True],
    "max_df": [0, -0.5, 1.5, "2", None, False],
    "max_features": [0, -1, 2.5, "2", True],
    "maxlen": [0, -1, 2.5, "2", True],
    "padding": ["left", "PRE", 1, True],
    "truncating": ["left", None, 1],
    "oov": ["unk", None, "[UNK]", True],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in PARAMETERS.items() for value in values],
)
def test_a_bad_parameter_is_named(name, value):
    start = f"The '{name}' parameter of TextSequencer must be "
    sequencer = TextSequencer(**{name: value})
    for method in (sequencer.fit, sequencer.fit_transform):
        with pytest.raises(InvalidParameterError, match=start) as caught:
            method(TEXTS)
        assert f"Got {value!r} instead." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in PARAMETERS.items() for value in values],
)
def test_a_bad_parameter_is_named_when_it_is_set_after_fit(name, value):
    sequencer = TextSequencer(maxlen=2).fit(TEXTS).set_params(**{name: value})
    start = f"The '{name}' parameter of TextSequencer must be "
    with pytest.raises(InvalidParameterError, match=start):
        sequencer.transform(TEXTS)


# Ids that are to become words again

NO_IDS = "but TextSequencer expects a sequence of token ids, integers of shape"
BAD_IDS = {
    "too large": ([[2], [9]], "X[1] contains the token id 9, but TextSequencer was"),
    "negative": ([[-1]], "Token ids must not be negative: X[0] contains -1."),
    "numbers": ([[2.0]], f"X[0] has shape (1,) and dtype float64, {NO_IDS}"),
    "words": ([["good"]], f"X[0] has shape (1,) and dtype <U4, {NO_IDS}"),
    "not sequences": ([2, 3], f"X[0] has shape () and dtype int64, {NO_IDS}"),
    "too deep": ([[[2]]], f"X[0] has shape (1, 1) and dtype int64, {NO_IDS}"),
}


@pytest.mark.parametrize("key", BAD_IDS)
def test_what_is_no_id_is_no_word(key):
    X, message = BAD_IDS[key]
    with pytest.raises(ValueError, match=re.escape(message)):
        TextSequencer().fit(TEXTS).inverse_transform(X)


@pytest.mark.parametrize(
    "method", ["transform", "inverse_transform", "get_feature_names_out"]
)
def test_nothing_works_before_fit(method):
    arguments = {"transform": [TEXTS], "inverse_transform": [[[2]]]}.get(method, [])
    with pytest.raises(NotFittedError, match="This TextSequencer instance is not fit"):
        getattr(TextSequencer(padding="post"), method)(*arguments)


NO_SEQUENCES = {
    "None": (None, "X is None, but TextSequencer expects an iterable over sequences"),
    "a number": (3, "X is of type int, but TextSequencer expects an iterable over"),
    "a dict": ({2: [2]}, "X is of type dict, but TextSequencer expects an iterable"),
}


@pytest.mark.parametrize("key", NO_SEQUENCES)
def test_what_holds_no_ids_is_refused(key):
    X, message = NO_SEQUENCES[key]
    with pytest.raises(TypeError, match=message):
        TextSequencer().fit(TEXTS).inverse_transform(X)


@pytest.mark.parametrize("method", ["transform", "get_feature_names_out"])
def test_padding_needs_a_length_from_fit(method):
    sequencer = TextSequencer().fit(TEXTS).set_params(padding="post")
    arguments = [TEXTS] if method == "transform" else []
    with pytest.raises(ValueError, match="padding='post' was set after fit, which lea"):
        getattr(sequencer, method)(*arguments)


# Given vectors

MATRIX = np.ones((7, 3))
BAD_VECTORS = {
    "too few rows": (
        dict(embedding_matrix=MATRIX[:6]),
        "embedding_matrix has 6 rows, but X has 7 ids, 0 to 6; row i is the vector of",
    ),
    "too many rows for the vocabulary": (
        dict(embedding_matrix=np.ones((8, 3))),
        "embedding_matrix has 8 rows, but X has 7 ids, 0 to 6",
    ),
    "1-D": (
        dict(embedding_matrix=np.ones(7)),
        "embedding_matrix has shape (7,); expected (n_ids, embedding_dim), where row i "
        "is the vector of id i.",
    ),
    "3-D": (
        dict(embedding_matrix=np.ones((7, 3, 1))),
        "embedding_matrix has shape (7, 3, 1); expected",
    ),
    "no columns": (
        dict(embedding_matrix=np.ones((7, 0))),
        "embedding_matrix has shape (7, 0); expected",
    ),
    "no rows": (
        dict(embedding_matrix=np.ones((0, 7))),
        "embedding_matrix has shape (0, 7); expected",
    ),
    "ragged": (
        dict(embedding_matrix=[[1.0, 2.0], [1.0]]),
        "embedding_matrix has shape (2, None); expected",
    ),
    "NaN": (dict(embedding_matrix=MATRIX * np.nan), "embedding_matrix contains NaN"),
    "inf": (
        dict(embedding_matrix=MATRIX * np.inf),
        "embedding_matrix contains infinity",
    ),
    "beyond float32": (dict(embedding_matrix=MATRIX * 1e300), "contains infinity"),
    "complex": (
        dict(embedding_matrix=MATRIX + 1j),
        "embedding_matrix must hold numbers: Complex data not supported",
    ),
    "strings": (
        dict(embedding_matrix=[["a"]] * 7),
        "embedding_matrix must hold numbers: could not convert string to float: 'a'.",
    ),
    "an array of strings": (
        dict(embedding_matrix=np.full((7, 3), "a")),
        "embedding_matrix must hold numbers: could not convert string to float",
    ),
    "another length": (
        dict(embedding_matrix=MATRIX, embedding_dim=4),
        "embedding_dim=4, but the vectors of embedding_matrix have length 3; leave",
    ),
    "no known word": (
        dict(embedding_matrix={"Good": np.ones(3)}),
        "None of the 5 words of X has a vector in embedding_matrix; do they differ in",
    ),
    "an empty dict": (
        dict(embedding_matrix={}),
        "None of the 5 words of X has a vector",
    ),
    "vectors of several lengths": (
        dict(embedding_matrix={"good": np.ones(3), "bad": np.ones(2)}),
        "The vectors of embedding_matrix have the lengths [2, 3]; expected one length.",
    ),
    "a number for a vector": (
        dict(embedding_matrix={"good": 1.0, "bad": 2.0}),
        "embedding_matrix['bad'] is 2.0; expected a vector of numbers.",
    ),
    "a string for a vector": (
        dict(embedding_matrix={"good": "x"}),
        "embedding_matrix['good'] is 'x'; expected a vector of numbers.",
    ),
    "None for a vector": (
        dict(embedding_matrix={"good": None}),
        "embedding_matrix['good'] is None; expected a vector of numbers.",
    ),
    "a matrix for a vector": (
        dict(embedding_matrix={"good": np.ones((1, 2))}),
        "embedding_matrix['good'] is array([[1., 1.]]); expected a vector of numbers.",
    ),
    "ragged for a vector": (
        dict(embedding_matrix={"good": [1.0, [2.0]]}),
        "embedding_matrix['good'] is [1.0, [2.0]]; expected a vector of numbers.",
    ),
    "a vector of strings": (
        dict(embedding_matrix={"good": ["x", "y"]}),
        "embedding_matrix must hold numbers: could not convert string to float: 'x'.",
    ),
    "vectors of no length": (
        dict(embedding_matrix={"good": [], "bad": []}),
        "embedding_matrix has shape (2, 0); expected",
    ),
}
NO_MATRIX = {
    "a string": ("glove", "The 'embedding_matrix' parameter of LSTMClassifier must be"),
    "a number": (3, "an array-like, a dict or an instance of gensim.models.KeyedVect"),
    "a class": (dict, "Got <class 'dict'> instead."),
}


def unreachable(*_, **__):
    raise AssertionError


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(skrnn._engine, "train", unreachable)


@pytest.mark.parametrize("key", BAD_VECTORS)
@pytest.mark.usefixtures("untrained")
def test_bad_vectors_are_refused(key):
    params, message = BAD_VECTORS[key]
    model = make_pipeline(TextSequencer(), LSTMClassifier(units=2, **params))
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(TEXTS, LABELS)
    assert not hasattr(model[-1], "classes_")


@pytest.mark.parametrize("key", NO_MATRIX)
def test_what_is_no_matrix_is_named(key):
    value, message = NO_MATRIX[key]
    model = LSTMClassifier(embedding_matrix=value)
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        model.fit([[1, 2], [2]], [0, 1])


@pytest.mark.usefixtures("untrained")
def test_vectors_by_word_need_words():
    model = GRUClassifier(embedding_matrix={"good": np.ones(3)})
    with pytest.raises(
        ValueError, match="X doesn't tell the words of its ids: put a T"
    ):
        model.fit([[1, 2], [2]], [0, 1])


@pytest.mark.usefixtures("untrained")
def test_a_matrix_makes_integers_ids():
    model = GRUClassifier(embedding_matrix=MATRIX)
    with pytest.raises(
        ValueError,
        match="If numbers stand beside ids, categorical_f",
    ):
        model.fit([[0.5, 1.5], [2.5, 1.0]], [0, 1])


def test_texts_need_a_sequencer():
    for texts in (TEXTS, np.array(TEXTS), pd.Series(TEXTS)):
        with pytest.raises(ValueError, match="could not convert string to float"):
            LSTMClassifier(embedding_dim=2).fit(texts, LABELS)


@pytest.mark.parametrize("matrix", [MATRIX, {"good": np.ones(3)}])
@pytest.mark.usefixtures("untrained")
def test_vectors_are_for_one_id_a_step(matrix):
    model = GRUClassifier(embedding_matrix=matrix)
    with pytest.raises(
        ValueError, match="is for one token id a step, but X has 2 chan"
    ):
        model.fit(np.ones((2, 3, 2), int), [0, 1])
