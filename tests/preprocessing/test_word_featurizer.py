"""Words and their parts as channels of token ids."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import GRUClassifier, Seq2SeqClassifier
from skrnn._data.sequences import ragged_array
from skrnn._data.tokens.ids import TokenIds
from skrnn.preprocessing import WordFeaturizer

SENTENCES = [["She", "walked", "home"], ["He", "talked"], ["She", "talked"]]

# Feature -> its values of these words.
WORDS = ["McAdam-42", "I", "12:30", "aaaaaaa", "ÉTÉ", "l'été", "中文"]
VALUES = {
    "word": WORDS,
    "lower": ["mcadam-42", "i", "12:30", "aaaaaaa", "été", "l'été", "中文"],
    "prefix1": ["m", "i", "1", "a", "é", "l", "中"],
    "prefix3": ["mca", "i", "12:", "aaa", "été", "l'é", "中文"],
    "suffix2": ["42", "i", "30", "aa", "té", "té", "中文"],
    "suffix9": ["mcadam-42", "i", "12:30", "aaaaaaa", "été", "l'été", "中文"],
    "shape": ["XxXxxx-dd", "X", "dd:dd", "xxxx", "XXX", "x'xxx", "xx"],
}


@pytest.mark.parametrize("feature", VALUES)
def test_values_of_features(feature):
    featurizer = WordFeaturizer((feature,), min_df=1).fit([WORDS])
    (known,) = featurizer.vocabularies_
    assert list(known) == sorted(set(VALUES[feature]))
    assert list(known.values()) == list(range(2, 2 + len(known)))
    expected = [[known[value]] for value in VALUES[feature]]
    np.testing.assert_array_equal(featurizer.transform([WORDS])[0], expected)


def test_what_is_rare_is_unknown():
    sentences = [["a", "a", "b"], ["b", "c"], ["c"]]
    for min_df, known in {1: "abc", 2: "bc", 3: ""}.items():
        featurizer = WordFeaturizer(("word",), min_df=min_df).fit(sentences)
        assert "".join(featurizer.vocabularies_[0]) == known
    assert featurizer.transform([["a", "z"]])[0].tolist() == [[1], [1]]


def test_defaults():
    featurizer = WordFeaturizer().fit(SENTENCES)
    assert featurizer.transform(SENTENCES)[0].shape == (3, 4)
    assert [list(known) for known in featurizer.vocabularies_] == [
        ["she", "talked"],
        ["ed", "he"],
        ["ked", "she"],
        ["Xxx", "xxxx"],
    ]


FORMS = {
    "tuples": lambda X: tuple(map(tuple, X)),
    "arrays": lambda X: [np.array(words) for words in X],
    "object array": lambda X: ragged_array([np.array(words) for words in X]),
    "series": lambda X: pd.Series(X),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_sentences_is_read(form):
    expected = WordFeaturizer().fit_transform(SENTENCES)
    found = WordFeaturizer().fit_transform(FORMS[form](SENTENCES))
    assert found.dtype == object
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.int32


def test_sentences_of_one_length_stay_a_list_of_sequences():
    found = WordFeaturizer().fit_transform([["a", "b"], ["c", "d"]])
    assert found.shape == (2,)
    assert found[0].shape == (2, 4)


def test_entries_of_tuples():
    tagged = [[("Ann", "NNP"), ("sat", "VBD")], [("Bob", "NNP")]]
    featurizer = WordFeaturizer(("lower", 1), min_df=1).fit(tagged)
    assert featurizer.vocabularies_[1] == {"NNP": 2, "VBD": 3}
    assert featurizer.transform([[("Tim", "NNP")]])[0].tolist() == [[1, 2]]
    as_arrays = featurizer.transform([np.array(tagged[0])])[0]
    np.testing.assert_array_equal(as_arrays, featurizer.transform(tagged)[0])


# All but surrogates, as `st.text()` has them; to list those takes 200 MB.
CHARACTERS = st.characters(exclude_categories=["Cs"])
ANY_WORDS = st.lists(st.text(CHARACTERS, max_size=6), min_size=1, max_size=5)


@given(st.lists(ANY_WORDS, min_size=1))
def test_any_text(sentences):
    featurizer = WordFeaturizer(tuple(VALUES)).fit(sentences)
    for sentence, ids in zip(sentences, featurizer.transform(sentences), strict=True):
        assert ids.shape == (len(sentence), len(VALUES))
        for column, known in zip(ids.T, featurizer.vocabularies_, strict=True):
            assert column.min() >= 1
            assert column.max() <= len(known) + 1


def test_pickles_and_clones():
    fitted = WordFeaturizer(("lower", "shape")).fit(SENTENCES)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.vocabularies_ == fitted.vocabularies_
    assert not hasattr(clone(fitted), "vocabularies_")
    with pytest.raises(NotFittedError):
        clone(fitted).transform(SENTENCES)


def test_estimators_take_what_it_returns():
    X = WordFeaturizer().fit_transform(SENTENCES * 8)
    y = ragged_array([ids[:, 1] % 2 for ids in X])
    model = GRUClassifier(
        embedding_dim=(4, 2, 2, 2), return_sequences=True, epochs=2, random_state=0
    )
    assert model.fit(X, y).predict(X)[0].shape == (3,)


# The vocabularies go along

TINY = dict(units=3, epochs=1, random_state=0, return_sequences=True)
TAGS = ragged_array([np.array([len(w) % 2 for w in words]) for words in SENTENCES])


@pytest.mark.parametrize("features", [("lower",), ("lower", "shape")])
def test_ids_know_their_vocabularies(features):
    featurizer = WordFeaturizer(features, min_df=1).fit(SENTENCES)
    X = featurizer.transform(SENTENCES)
    assert isinstance(X, TokenIds)
    known = X[1:].vocabulary
    assert (list(known) if len(features) > 1 else [known]) == featurizer.vocabularies_
    # The tables have rows for what isn't in these sentences.
    model = GRUClassifier(embedding_dim=2, **TINY).fit(X[:2], TAGS[:2])
    sizes = [len(words) + 2 for words in featurizer.vocabularies_]
    assert np.atleast_1d(model._spec.vocabulary_size).tolist() == sizes
    assert len(model.predict(X)) == len(X)


@pytest.mark.parametrize("features", [("lower",), ("lower", "shape")])
def test_ids_are_not_read_as_numbers(features):
    X = WordFeaturizer(features).fit_transform(SENTENCES)
    with pytest.raises(ValueError, match="set embedding_dim, or give an embedding_"):
        GRUClassifier(**TINY).fit(X, TAGS)


@pytest.mark.parametrize("features", [("lower",), ("shape", "lower")])
def test_ids_of_other_words_are_refused(features):
    others = [["She", "walked", "hill"], ["He", "talked"], ["She", "talked"]]
    options = dict(embedding_dim=2, warm_start=True, **TINY)
    first, other = (
        WordFeaturizer(features, min_df=1).fit(X) for X in (SENTENCES, others)
    )
    model = GRUClassifier(**options).fit(first.transform(SENTENCES), TAGS)
    ids = other.transform(SENTENCES)
    message = "the id 3 stands for 'hill', but GRUClassifier was fitted with 'home'"
    for method in (model.predict, lambda X: model.fit(X, TAGS)):
        with pytest.raises(ValueError, match=message):
            method(ids)
    again = WordFeaturizer(features, min_df=1).fit_transform(SENTENCES)
    assert model.fit(again, TAGS).n_iter_ == 2
    fewer = WordFeaturizer(("word",) * 3).fit_transform(SENTENCES)
    with pytest.raises(ValueError, match="X has 3 features, but GRUClassifier is"):
        model.predict(fewer)


def test_an_encoder_reads_one_channel():
    X = WordFeaturizer(("lower",)).fit_transform(SENTENCES)
    options = dict(units=2, epochs=1, random_state=0)
    model = Seq2SeqClassifier(**options).fit(X, ["a", "b", "ab"])
    assert model._spec.vocabulary_size == 4
    with pytest.raises(ValueError, match="one token id a step, but X has 4 channels"):
        model.fit(WordFeaturizer().fit_transform(SENTENCES), ["a", "b", "ab"])


def test_the_fitted_features_stay():
    featurizer = WordFeaturizer(min_df=1).fit(SENTENCES)
    before = featurizer.transform(SENTENCES)
    featurizer.set_params(features=("lower",))
    for one, other in zip(before, featurizer.transform(SENTENCES), strict=True):
        np.testing.assert_array_equal(one, other)


BAD = {
    "one text": ("She walked", TypeError, "expects X to be a list of sequences of wor"),
    "None": (None, TypeError, "a list of sequences of words. Got None."),
    "a generator": ((w for w in SENTENCES), TypeError, "a list of sequences of words."),
    "nothing": ([], ValueError, "Found array with 0 sample(s) while a minimum of 1"),
    "texts": (
        ["She walked"],
        TypeError,
        "X[0] is 'She walked', but WordFeaturizer expects a sequence of words; cut "
        "text into words first.",
    ),
    "an empty sentence": (
        [["a"], []],
        ValueError,
        "X[1] has no words; every sequence needs at least one.",
    ),
    "a number": (
        [["a", 3]],
        TypeError,
        "X[0] holds 3, but WordFeaturizer expects every token to be a str, a word",
    ),
    "NaN": ([["a"], [float("nan")]], TypeError, "X[1] holds nan, but WordFeaturizer"),
    "None among words": (
        [["a", None]],
        TypeError,
        "X[0] holds None, but WordFeaturize",
    ),
    "numbers": (
        np.ones((2, 3)),
        TypeError,
        "X[0] holds np.float64(1.0), but WordFeatu",
    ),
    "an empty tuple": ([[()]], TypeError, "X[0] holds (), but WordFeaturizer expects"),
    "numbers in tuples": ([[("a", 1)]], TypeError, "X[0] holds ('a', 1), but WordFeat"),
}


@pytest.mark.parametrize("key", BAD)
def test_bad_sentences(key):
    X, error, message = BAD[key]
    with pytest.raises(error) as caught:
        WordFeaturizer().fit(X)
    assert message in str(caught.value)
    fitted = WordFeaturizer().fit(SENTENCES)
    if key != "a generator":
        with pytest.raises(error) as caught:
            fitted.transform(X)
        assert message in str(caught.value)
    with pytest.raises(error):
        fitted.fit(X)
    assert fitted.transform(SENTENCES)[0].shape == (3, 4)


def test_tokens_with_too_few_entries():
    with pytest.raises(TypeError, match=r"X\[0\] holds 'a', but .* a tuple of at"):
        WordFeaturizer(("lower", 1)).fit([["a"]])


@pytest.mark.parametrize(
    "feature",
    ["sufix3", "suffix", "suffix0", "suffix10", "upper", 0, -1, 1.0, True, None],
)
def test_unknown_features(feature):
    with pytest.raises(ValueError, match="features must be among") as caught:
        WordFeaturizer(("lower", feature)).fit(SENTENCES)
    assert f"Got {feature!r}." in str(caught.value)


@pytest.mark.parametrize(
    "params",
    [{"features": "lower"}, {"features": None}, {"min_df": 0}, {"min_df": 0.5}],
)
def test_parameters_of_the_wrong_kind(params):
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        WordFeaturizer(**params).fit(SENTENCES)


def test_no_features():
    with pytest.raises(ValueError, match="features must name at least one"):
        WordFeaturizer(()).fit(SENTENCES)
