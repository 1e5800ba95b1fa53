"""Words at the seams of texts: with or without the space before them they are known."""

import re

import numpy as np
import pytest
from _instances import OF_TEXT
from hypothesis import given
from hypothesis import strategies as st

from skrnn._estimators.language.sampling import Hand
from skrnn._estimators.language.vocabulary import Vocabulary, words
from skrnn.text import TextGenerator

TINY = OF_TEXT[0].get_params() | dict(analyzer="word", epochs=100)
# What comes after a word depends on the word alone.
TEXT = "I love pizza. I love pasta (with cheese)\nWe love pizza. "


@pytest.fixture(scope="module")
def lover():
    return TextGenerator(**TINY).fit("I love pizza")


@pytest.fixture(scope="module")
def eater():
    return TextGenerator(**TINY).fit([TEXT] * 3)


PROMPTS = {
    "at the beginning": ("love", "love pizza"),
    "as it was learnt": (" love", " love pizza"),
    "after another": ("I love", "I love pizza"),
    "the first one with a space": (" I", " I love"),
    "a space at the end": ("I love ", "I love pizza"),
    "the first one and a space": ("I ", "I love"),
    "two spaces at the end": ("I love  ", "I love  pizza"),
    "two spaces between": ("I  love", "I  love pizza"),
    "spaces before": ("   love ", "   love pizza"),
}


@pytest.mark.parametrize("key", PROMPTS)
@pytest.mark.parametrize("handle_unknown", ["error", "map"])
def test_a_known_word_is_read_as_such(key, handle_unknown, lover):
    prompt, expected = PROMPTS[key]
    model = lover.set_params(handle_unknown=handle_unknown)
    assert model.generate(prompt, 1, temperature=0) == expected
    assert (
        prompt
        + "".join(
            token
            for token, _ in zip(model.stream(prompt, temperature=0), "1", strict=False)
        )
        == expected
    )
    both = model.generate(prompt, 1, temperature=0, n_samples=2)
    assert both == [expected] * 2


def test_only_a_space_begins_with_any_word(lover):
    drawn = {lover.generate(" ", 1, random_state=i) for i in range(20)}
    assert drawn <= {" love", " pizza"}


SEAMS = {
    "a line break": ("We love pasta (with cheese)\nlove", " love"),
    "a line break before a spaced one": ("I love pizza.\n love", " love"),
    "a bracket": ("I love pasta (love", " love"),
    "a bracketed word without": ("love with", "with"),
    "a full stop and no space": ("I love pizza.love", " love"),
    "a word that begins a line, within one": ("love We", "We"),
}


@pytest.mark.parametrize("key", SEAMS)
def test_any_character_may_stand_before_a_word(key, eater):
    prompt, known = SEAMS[key]
    ids = eater._vocabulary.encode(prompt)
    assert 1 not in ids
    assert eater.tokens_[ids[-1]] == known
    for text in eater.generate(prompt, 3, n_samples=20, temperature=9.0):
        assert text.startswith(prompt)
        assert not text[len(prompt) :][:1].isalpha()


def test_a_text_reads_right_whatever_is_drawn(eater):
    # Very hot: any token comes after any other.
    texts = eater.generate(
        "I love", 200, n_samples=10, temperature=50.0, random_state=0, stop_at_end=False
    )
    known = {*eater.tokens_}
    for text in texts:
        for token in words(text):
            assert {token, token.strip(" ")} & known
    streamed = eater.stream("I love", temperature=50.0, random_state=0)
    assert all(
        isinstance(token, str) for token, _ in zip(streamed, texts, strict=False)
    )


def test_two_words_have_a_space_between():
    vocabulary = Vocabulary("word", ("I", " love", ",", "'", "2"))
    hand = Hand(vocabulary, "me")
    assert "".join(hand.write(id_) for id_ in [2, 3, 2, 4, 2, 6, 5, 2]) == (
        " I love I,I 2'I"
    )
    characters = Hand(Vocabulary("char", ("a", "b")), "a")
    assert "".join(characters.write(id_) for id_ in [2, 3]) == "ab"
    # A letter with its mark ends a word too.
    assert Hand(vocabulary, "e\u0301").write(2) == " I"


@given(st.lists(st.integers(2, 9), max_size=8), st.sampled_from(["", "a", "a ", "."]))
def test_no_token_is_swallowed_by_another(ids, prompt):
    tokens = ("a", " a", "b", " b", " ", ".", "\n", "'")
    hand = Hand(Vocabulary("word", tokens), prompt)
    text = prompt + "".join(map(hand.write, ids))
    n_words = sum(tokens[i - 2].strip() in ("a", "b") for i in ids)
    found = re.findall("[ab]+", text)
    assert len(found) == n_words + prompt.startswith("a")
    assert {*found} <= {"a", "b"}


@pytest.mark.parametrize("space", [" ", "  "])
def test_what_follows_a_space_begins_with_it(space, lover):
    p = lover.predict_proba(["I love", f"I love{space}", " ", "I"])
    begins = np.array([token.startswith(" ") for token in lover.tokens_])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (p[1][~begins] == 0).all()
    np.testing.assert_allclose(p[1][begins], p[0][begins] / p[0][begins].sum())
    assert (p[2][~begins] == 0).all()
    assert (p[3] > 0).all()


def test_characters_know_no_other_form():
    params = OF_TEXT[0].get_params() | dict(epochs=30)
    model = TextGenerator(**params).fit("ab abb " * 20)
    p = model.predict_proba(["ab", "ab "])
    assert (p > 0).all()
    assert len(model.generate("ab ", 5, random_state=0)) == 8
    with pytest.raises(ValueError, match=r"characters that are not .*: 'c'"):
        model.generate(" c")


# Likelihoods and training


def test_a_known_word_helps_to_predict_the_next(lover):
    # The first word is as unlikely, but what it says of the second counts.
    known, unknown = (lover.score(f"{word} pizza") for word in ("love", "pasta"))
    assert known > unknown + 1
    vocabulary = lover._vocabulary
    assert vocabulary.encode("love").tolist() == vocabulary.encode(" love").tolist()
    # As what comes next it is another token than with its space.
    assert vocabulary.expect("love").tolist() == [1]


@pytest.mark.parametrize("handle_unknown", ["error", "map"])
def test_training_goes_on_with_words_at_other_places(handle_unknown):
    params = TINY | dict(handle_unknown=handle_unknown)
    model = TextGenerator(**params).fit(["I love pizza"] * 4)
    for _ in range(5):
        model.partial_fit(["love pizza"])
    # It hasn't learnt to begin with a space.
    drawn = model.generate(n_samples=20, random_state=0)
    assert not [text for text in drawn if text.startswith(" ")]


def test_words_too_rare_at_the_beginning_are_still_read():
    texts = ["Cats sleep", "my Cats sleep", "see Cats sleep", "my dogs run"] * 3
    model = TextGenerator(**TINY | dict(min_count=4)).fit(texts)
    assert "Cats" not in model.tokens_
    assert model.generate("Cats", 1, temperature=0) == "Cats sleep"


def test_what_is_in_no_form_known_is_unknown(lover):
    model = lover.set_params(handle_unknown="error")
    message = "prompt has words that are not in the vocabulary: ' pasta'. Set"
    with pytest.raises(ValueError, match=message):
        model.generate("I love pasta")
    with pytest.raises(ValueError, match=r"vocabulary: ' ', '!'"):
        model.generate("I love pizza !")
    with pytest.raises(ValueError, match=r"vocabulary: '\\n'"):
        model.generate("I love\n")
