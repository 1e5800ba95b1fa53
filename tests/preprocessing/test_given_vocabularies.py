"""N-grams in their order, and vocabularies that are given."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from skrnn import GRUClassifier, load, save
from skrnn.preprocessing import TextSequencer

TEXTS = ["the food was good", "no good wine", "the wine was cold"]


def tokens(sequencer, text):
    return sequencer.inverse_transform(sequencer.transform([text]))[0]


@given(
    text=st.text("ab \u00e9\n", max_size=12),
    analyzer=st.sampled_from(["word", "char"]),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)).map(sorted).map(tuple),
)
def test_n_grams_are_those_that_are_counted(text, analyzer, sizes):
    params = dict(analyzer=analyzer, ngram_range=sizes, token_pattern=r"\S")
    expected = CountVectorizer(**params).build_analyzer()(text)
    if expected:
        sequencer = TextSequencer(**params).fit([text])
        assert Counter(tokens(sequencer, text)) == Counter(expected)


def test_n_grams_stand_where_they_end():
    sequencer = TextSequencer(ngram_range=(1, 3)).fit(TEXTS)
    assert tokens(sequencer, "the food was") == (
        ["the", "food", "the food", "was", "food was", "the food was"]
    )
    # What follows changes nothing of what came before.
    longer = tokens(sequencer, "the food was good")
    assert longer[:6] == tokens(sequencer, "the food was")


def test_a_given_vocabulary_keeps_its_order_whatever_the_texts_have():
    sequencer = TextSequencer(vocabulary=["wine", "beer", "good"]).fit(["nothing"])
    assert sequencer.vocabulary_ == {"wine": 2, "beer": 3, "good": 4}
    assert sequencer.transform(["good wine, good water"])[0].tolist() == [4, 2, 4, 1]


def test_places_of_a_count_vectorizer_and_own_ids_are_the_same():
    counter, own = CountVectorizer().fit(TEXTS), TextSequencer().fit(TEXTS)
    for known in (counter.vocabulary_, own.vocabulary_):
        other = TextSequencer(vocabulary=known).fit(["something else"])
        assert other.vocabulary_ == own.vocabulary_
        assert all(type(id_) is int for id_ in other.vocabulary_.values())


def test_capitals_to_know_are_never_found_and_that_is_said():
    with pytest.warns(UserWarning, match="Upper case characters found in vocabulary"):
        TextSequencer(vocabulary=["Wine"]).fit(TEXTS)
    TextSequencer(str.split, vocabulary=["Wine"]).fit(TEXTS)


UNUSED = {
    "strip_accents": ("unicode", list),
    "stop_words": (["the"], "char"),
    "ngram_range": ((1, 2), list),
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_parameter_that_is_not_used_is_named(name):
    value, analyzer = UNUSED[name]
    sequencer = TextSequencer(analyzer, **{name: value})
    with pytest.warns(UserWarning, match=f"The parameter '{name}' of TextSequencer"):
        found = sequencer.fit(TEXTS).vocabulary_
    assert found == TextSequencer(analyzer).fit(TEXTS).vocabulary_


def test_a_failed_vocabulary_leaves_the_earlier_fit():
    sequencer = TextSequencer(vocabulary=["wine"]).fit(TEXTS)
    with pytest.raises(ValueError, match="Duplicate term"):
        sequencer.set_params(vocabulary=["a", "a"]).fit(TEXTS)
    assert sequencer.vocabulary_ == {"wine": 2}


def test_a_pipeline_with_them_clones_and_is_a_file(tmp_path):
    first = TextSequencer(
        ngram_range=(1, 2), stop_words=["the"], vocabulary=("good", "was good")
    )
    model = make_pipeline(first, GRUClassifier(embedding_dim=2, units=2, epochs=1))
    model = clone(model.set_params(gruclassifier__random_state=0)).fit(TEXTS, [0, 1, 0])
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again[0].get_params() == model[0].get_params()
    found = again.predict_proba(TEXTS)
    np.testing.assert_array_equal(found, model.predict_proba(TEXTS))
