"""Where a generated text ends: a str never does, a text of a list may."""

import io
import pickle
from itertools import islice

import numpy as np
import pytest
from _instances import OF_TEXT
from sklearn.base import clone

from skrnn._estimators.language.reading import stream_of
from skrnn.text import TextGenerator

SENTENCE = "Hello, world! This is a simple example of text generation using RNNs."
TEXT = "the cat sat on the mat and the rat sat on the hat. " * 6
NAMES = ["anna", "hannah", "otto", "bob", "eve", "ada"] * 4
TINY = OF_TEXT[0].get_params() | dict(epochs=60)


@pytest.fixture(scope="module")
def sentence():
    return TextGenerator(**TINY | dict(epochs=150)).fit(SENTENCE)


@pytest.fixture(scope="module")
def namer():
    return TextGenerator(**TINY).fit(NAMES)


# A str is a stream


def test_one_sentence_is_gone_on_with_by_default():
    model = TextGenerator(random_state=0).fit(SENTENCE)
    for seed in range(3):
        assert len(model.generate(max_new_tokens=400, random_state=seed)) == 400
    assert model.generate(temperature=0).startswith(SENTENCE[:20])


def test_a_little_training_on_a_long_text_ends_nothing():
    text = "".join(np.random.default_rng(0).choice([*"abcdefgh "], 4_000))
    model = TextGenerator(units=32, epochs=2, random_state=0).fit(text)
    texts = model.generate(max_new_tokens=500, n_samples=8, random_state=0)
    assert [len(text) for text in texts] == [500] * 8


WAYS = {
    "fit": lambda: TextGenerator(**TINY).fit(SENTENCE),
    "partial_fit": lambda: TextGenerator(**TINY).partial_fit(SENTENCE),
    "warm start": lambda: (
        TextGenerator(**TINY | dict(warm_start=True, epochs=1))
        .fit(SENTENCE)
        .fit(SENTENCE[:30])
    ),
    "np.str_": lambda: TextGenerator(**TINY).fit(np.str_(SENTENCE)),
    "words": lambda: TextGenerator(**TINY | dict(analyzer="word")).fit(SENTENCE),
    "early stopping": lambda: TextGenerator(
        **TINY | dict(early_stopping=True, validation_split=0.2)
    ).fit(SENTENCE),
    "pickled": lambda: pickle.loads(
        pickle.dumps(TextGenerator(**TINY | dict(epochs=1)).fit(SENTENCE))
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_str_has_no_end(way):
    model = WAYS[way]()
    # At a high temperature any token comes that may.
    options = dict(temperature=50.0, random_state=0)
    for stop_at_end in (True, False):
        more = options | dict(stop_at_end=stop_at_end)
        assert len([*islice(model.stream("Hello", **more), 300)]) == 300
    both = model.generate("", 300, n_samples=2, **options)
    assert min(map(len, both)) >= 300


@pytest.mark.parametrize("text", ["a", "ab", "aaaa", SENTENCE])
def test_any_text_fits_by_default(text):
    model = TextGenerator(units=8, epochs=2, random_state=0).fit(text)
    assert len(model.generate(max_new_tokens=20, random_state=0)) == 20
    assert TextGenerator(units=8, epochs=2, random_state=0).fit([text]).n_iter_ == 2


def test_progress_shows_text_without_an_end(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    TextGenerator(**TINY | dict(epochs=1, verbose=2)).fit("abcd" * 5)
    assert max(map(len, shown.getvalue().splitlines())) == 200


# Documents


def test_documents_end_unless_that_is_not_wanted(namer):
    options = dict(max_new_tokens=60, n_samples=20, random_state=0)
    ended = namer.generate(**options)
    assert ended == namer.generate(stop_at_end=True, **options)
    assert max(map(len, ended)) < 20
    going_on = namer.generate(stop_at_end=False, **options)
    assert [len(text) for text in going_on] == [60] * 20
    first = "".join(islice(namer.stream(random_state=3, stop_at_end=False), 60))
    assert first == namer.generate("", 60, random_state=3, stop_at_end=False)
    # A stop ends it all the same.
    stopped = namer.generate(stop="a", stop_at_end=False, **options)
    assert max(map(len, stopped)) < 60
    assert not any("a" in text for text in stopped)


def test_a_list_of_one_text_is_a_document():
    model = TextGenerator(**TINY | dict(epochs=200)).fit([SENTENCE])
    assert model.generate(temperature=0, max_new_tokens=400) == SENTENCE


def test_ends_are_known_once_they_are_learnt(namer):
    stream_first = TextGenerator(**TINY | dict(epochs=1)).fit("".join(NAMES))
    hot = dict(temperature=50.0, max_new_tokens=400, random_state=0)
    assert len(stream_first.generate(**hot)) == 400
    assert len(stream_first.partial_fit(NAMES).generate(**hot)) < 400
    documents_first = pickle.loads(pickle.dumps(namer)).partial_fit("anna")
    assert len(documents_first.generate(**hot)) < 400
    # A new fit begins anew.
    assert len(documents_first.fit("".join(NAMES)).generate(**hot)) == 400


def test_a_failed_fit_leaves_the_choice_as_it_was(namer):
    model = pickle.loads(pickle.dumps(namer))
    with pytest.raises(ValueError, match="texts are empty"):
        model.fit("")
    assert len(model.generate(random_state=0)) < 20


# Likelihoods


def likelihood(model, text, end):
    """Add up what `predict_proba` says of each token and, if wanted, of the end."""
    at = {token: i for i, token in enumerate(model.tokens_)}
    columns = [at[c] for c in text] + [0] * end
    p = model.predict_proba([text[:i] for i in range(len(columns))])
    return np.log(p[np.arange(len(columns)), columns]).mean()


def test_an_end_counts_where_there_is_one(sentence, namer):
    for model, text in ((sentence, SENTENCE[:12]), (namer, "hannah")):
        # A str has none, whatever the model has learnt.
        expected = likelihood(model, text, end=False)
        assert model.score(text) == pytest.approx(expected, rel=1e-5)
        ends = model is namer
        expected = likelihood(model, text, end=ends)
        assert model.score([text]) == pytest.approx(expected, rel=1e-5)
        assert model.perplexity([text]) == np.exp(-model.score([text]))


def test_without_a_token_there_is_no_score(sentence, namer):
    for model, texts in ((sentence, ""), (sentence, ["", ""]), (namer, "")):
        for score in (model.score, model.perplexity):
            with pytest.raises(ValueError, match="there is no token to predict"):
                score(texts)
    assert namer.score([""]) == pytest.approx(np.log(namer.predict_proba("")[0, 0]))


def test_the_loss_is_that_of_the_score():
    for texts in (TEXT, NAMES):
        model = TextGenerator(**TINY | dict(epochs=2, learning_rate=1e-12)).fit(texts)
        # Lanes begin in the middle of a text: about the same.
        assert model.history_["loss"][-1] == pytest.approx(
            -model.score(texts), rel=0.01
        )


def test_a_stream_has_no_target_that_is_an_end():
    ids = np.array([5, 6, 7], np.int32)
    inputs, targets = stream_of([ids], [ids])
    assert inputs.tolist() == [0, 5, 6]
    assert targets.tolist() == [5, 6, 7]
    inputs, targets = stream_of([ids, ids[:1]], [np.append(ids, 0), [5, 0]])
    assert inputs.tolist() == [0, 5, 6, 7, 0, 5]
    assert targets.tolist() == [5, 6, 7, 0, 5, 0]


@pytest.mark.parametrize("value", ["auto", None, 2])
@pytest.mark.parametrize("method", ["generate", "stream"])
def test_the_choice_is_yes_or_no(method, value, namer):
    message = f"The 'stop_at_end' parameter of TextGenerator.{method} must be"
    with pytest.raises(ValueError, match=message):
        getattr(namer, method)(stop_at_end=value)


@pytest.mark.parametrize("held", ["abc abc", ["abc abc"], ["abc abc", "abc abca"]])
@pytest.mark.parametrize("texts", ["abc " * 30, ["abc " * 30], ["abc abc", "bca"] * 8])
def test_the_validation_loss_is_that_of_the_score(texts, held):
    # One sequence holds all of it: more begin anew inside of a text.
    model = TextGenerator(**TINY | dict(epochs=3, early_stopping=False, lookback=64))
    model.fit(texts, X_val=held)
    assert model.history_["val_loss"][-1] == pytest.approx(-model.score(held), rel=1e-5)


def test_searches_score_documents():
    from sklearn.model_selection import cross_val_score

    model = clone(OF_TEXT[0]).set_params(epochs=1)
    scores = cross_val_score(model, NAMES, cv=2)
    halves = NAMES[:12], NAMES[12:]
    expected = clone(model).fit(halves[1]).score(halves[0])
    assert scores[0] == expected
