"""Tokens of texts, and those that aren't known."""

import math
import pickle

import pytest
from _texts import TEXT, TINY
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from skrnn._estimators.language.vocabulary import ANALYZERS, Vocabulary
from skrnn.text import TextGenerator

UNICODE = {
    "combining marks": "e\u0301le\u0300ve nai\u0308ve ",
    "devanagari": "हिन्दी में लिखा हुआ ",
    "emoji": "\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd ",
    "right to left": "שלום עולם, مرحبا بالعالم ",
    "other planes": "\U0001d518\U0001d52b\U00020000 \U0010fffd ",
    "white space": "a\r\n\tb\u2028c\u00a0d\x00 ",
}


@pytest.mark.parametrize("analyzer", ANALYZERS)
@pytest.mark.parametrize("text", UNICODE.values(), ids=UNICODE)
def test_any_text_comes_back_as_it_went_in(text, analyzer):
    params = dict(analyzer=analyzer, lookback=4, epochs=60)
    model = TextGenerator(**TINY | params).fit([text] * 4)
    assert model.generate(temperature=0, max_new_tokens=100) == text
    assert model.generate(text, 1).startswith(text)


# All characters but surrogates, as `st.text()` has them; to list those takes 200 MB.
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_tokens_put_together_are_the_text(text):
    for analyze, _ in ANALYZERS.values():
        assert "".join(analyze(text)) == text


def test_words_keep_their_marks_and_apostrophes():
    analyze, _ = ANALYZERS["word"]
    assert analyze("I don't  know") == ["I", " don't", " ", " know"]
    assert analyze("हिन्दी में") == ["हिन्दी", " में"]
    assert analyze("nai\u0308ve?!") == ["nai\u0308ve", "?", "!"]


def test_the_vocabulary_is_the_most_frequent_tokens():
    texts = ["bbb aa c", "cc d"]
    assert Vocabulary.of(texts, "char", None, 1).tokens == (" ", "b", "c", "a", "d")
    assert Vocabulary.of(texts, "char", 2, 1).tokens == (" ", "b")
    assert Vocabulary.of(texts, "char", None, 3).tokens == (" ", "b", "c")
    known = TextGenerator(**TINY | dict(epochs=1, max_features=3)).fit(TEXT)
    assert known.tokens_.tolist() == ["<end>", "<unknown>", " ", "t", "a"]


def test_unknown_tokens_are_an_error_or_mapped(writer):
    with pytest.raises(
        ValueError, match=r"prompt has characters .*: '!', 'ж', '€'. Set"
    ):
        writer.generate("the ж€!€")
    many = "".join(map(chr, range(0x430, 0x430 + 15)))
    with pytest.raises(ValueError, match="'й' and 5 more"):
        writer.predict_proba([many])
    with pytest.raises(ValueError, match=r"texts has characters .*: 'ж'"):
        pickle.loads(pickle.dumps(writer)).partial_fit(["the ж"])
    mapped = pickle.loads(pickle.dumps(writer)).set_params(handle_unknown="map")
    assert mapped.generate("the ж", 5, random_state=0).startswith("the ж")
    assert writer.score("the ж") == mapped.score("the ж") < writer.score("the ")
    assert writer.perplexity("the ж") == math.exp(-mapped.score("the ж"))
    with pytest.raises(NotFittedError):
        TextGenerator().score("the ж")
    words = TextGenerator(**TINY | dict(analyzer="word", min_count=7, epochs=2))
    with pytest.raises(ValueError, match=r"words that are not .*: ' cat'"):
        words.fit(TEXT).generate("the cat")


def test_the_unknown_token_is_never_written():
    model = TextGenerator(**TINY | dict(max_features=1, epochs=20)).fit(TEXT)
    # It is by far the likeliest.
    assert model.predict_proba("the")[0, 1] > 0.5 if "t" in model.tokens_ else True
    drawn = model.set_params(handle_unknown="map").generate("the", 100, random_state=0)
    assert set(drawn[3:]) <= {" "}
