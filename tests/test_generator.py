"""The text generator: what it learns, what it writes, and what it refuses."""

import io
import math
import pickle
import re
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from _instances import OF_TEXT, in_new_process
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils import estimator_checks

from skrnn._engine.training.progress import TextProgress
from skrnn._estimators.language.sampling import Draft, Hand, Sampler
from skrnn._estimators.language.vocabulary import ANALYZERS, Vocabulary
from skrnn.metrics import get_scorer
from skrnn.text import TextGenerator

TEXT = "the cat sat on the mat and the rat sat on the hat. " * 6
NAMES = ["anna", "hannah", "otto", "bob", "eve", "ada"] * 4
TINY = OF_TEXT[0].get_params()


@pytest.fixture(scope="module")
def writer():
    return TextGenerator(**TINY).fit(TEXT)


@pytest.fixture(scope="module")
def namer():
    return TextGenerator(**TINY | dict(epochs=80)).fit(NAMES)


# Learning


def test_it_learns(writer, namer):
    assert writer.perplexity(TEXT) < 1.6
    assert writer.generate("the ", 47, temperature=0).count("sat on the") >= 1
    drawn = namer.generate(n_samples=20, random_state=0)
    # They end by themselves, and most are names.
    assert max(map(len, drawn)) < 12
    assert sum(name in NAMES for name in drawn) > 10


@pytest.mark.parametrize(
    "params",
    [
        dict(cell="gru"),
        dict(cell="rnn", units=(8, 8)),
        dict(units=(12, 12), layer_norm=True),
        dict(embedding_dim=16, tie_weights=True),
        dict(dropout=0.1, recurrent_dropout=0.1),
        dict(optimizer="rmsprop", learning_rate=0.005),
        dict(activation="softsign", clipnorm=None),
        dict(analyzer="word"),
        dict(shuffle=False),
    ],
    ids=str,
)
def test_every_parameter_trains(params):
    model = TextGenerator(**TINY | dict(epochs=15) | params).fit(TEXT)
    losses = model.history_["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert len(losses) == model.n_iter_ == model.best_epoch_ == 15
    text = model.generate("the", 40, random_state=0)
    assert text.startswith("the")
    assert math.isfinite(model.score(TEXT))


def test_training_stops_early_on_the_end_of_the_text():
    params = TINY | dict(early_stopping=True, patience=2, epochs=200)
    model = TextGenerator(**params).fit(TEXT + "zebra " * 8)
    assert model.n_iter_ == model.best_epoch_ + 2 < 200
    assert len(model.history_["val_loss"]) == model.n_iter_
    # By itself only from a certain length on.
    few = TextGenerator(**TINY | dict(early_stopping="auto", epochs=1)).fit(TEXT)
    assert "val_loss" not in few.history_


def test_documents_do_not_depend_on_those_before_them(namer):
    alone = [namer.score([name]) * (len(name) + 1) for name in NAMES]
    together = namer.score(NAMES) * sum(len(name) + 1 for name in NAMES)
    np.testing.assert_allclose(sum(alone), together, rtol=1e-6)


def test_one_string_is_one_document(writer):
    assert writer.score(TEXT) == writer.score([TEXT])
    assert writer.perplexity(TEXT) == pytest.approx(math.exp(-writer.score(TEXT)))


def test_partial_fit_goes_on_with_other_texts(writer):
    model = pickle.loads(pickle.dumps(writer))
    other = "on the hat and on the mat. " * 10
    before = model.score(other)
    for _ in range(5):
        model.partial_fit(other)
    assert model.score(other) > before
    assert model.n_iter_ == writer.n_iter_ + 5
    # A text may be shorter than lookback, also the first one.
    assert model.partial_fit("cat").n_iter_ == writer.n_iter_ + 6
    assert TextGenerator(**TINY).partial_fit("cat").generate("c", 3)


def test_warm_start_goes_on_with_the_vocabulary():
    model = TextGenerator(**TINY | dict(warm_start=True, epochs=3)).fit(TEXT)
    tokens = model.tokens_
    model.fit(TEXT[: len(TEXT) // 2])
    assert model.n_iter_ == 6
    assert model.tokens_ is tokens
    for change in (dict(units=8), dict(analyzer="word")):
        name = next(iter(change))
        # Characters of other texts, or words of these, aren't in the vocabulary.
        for text in (TEXT, "Other words?"):
            with pytest.raises(ValueError, match=f"cannot go on training: {name}"):
                clone(model).fit(TEXT).set_params(**change).fit(text)


# Tokens


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
    model = TextGenerator(**TINY | params).fit([text] * 12)
    assert model.generate(temperature=0, max_new_tokens=100) == text
    assert model.generate(text, 1).startswith(text)


@given(st.text())
@settings(deadline=None)
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


# Probabilities


def test_probabilities_are_those_that_score_adds_up(writer):
    text = "the cat"
    at = {token: i for i, token in enumerate(writer.tokens_)}
    p = writer.predict_proba([text[:i] for i in range(len(text))])
    assert p.shape == (len(text), len(writer.tokens_))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    columns = [at[c] for c in text]
    logs = np.log(p[np.arange(len(columns)), columns])
    assert writer.score(text) == pytest.approx(logs.mean(), rel=1e-5)


def test_an_impossible_text_has_no_finite_perplexity(writer):
    odd = pickle.loads(pickle.dumps(writer))
    odd._weights[-1] = odd._weights[-1].copy()
    odd._weights[-1][3] = -1e30
    assert odd.perplexity("the cat") == math.inf


# Generation


def test_the_same_seed_writes_the_same_text(writer):
    options = dict(max_new_tokens=60, temperature=1.3)
    one = writer.generate("the ", random_state=3, **options)
    assert one == writer.generate("the ", random_state=3, **options)
    assert one != writer.generate("the ", random_state=4, **options)
    again = TextGenerator(**TINY).fit(TEXT)
    assert one == again.generate("the ", random_state=3, **options)
    state = np.random.RandomState(3)
    first = writer.generate("the ", random_state=state, **options)
    assert first != writer.generate("the ", random_state=state, **options)


def test_no_temperature_is_greedy(writer):
    text = "the "
    for _ in range(12):
        p = writer.predict_proba(text)[0]
        p[1] = 0
        text += writer.tokens_[p.argmax()]
    greedy = writer.generate("the ", 12, temperature=0)
    assert greedy == text
    assert greedy == writer.generate("the ", 12, top_k=1, random_state=5)
    assert greedy == writer.generate("the ", 12, top_p=1e-9, random_state=5)
    assert greedy == writer.generate("the ", 12, temperature=1e-300, random_state=5)


def test_streamed_is_generated(writer):
    options = dict(temperature=0.9, top_k=5, top_p=0.95, random_state=1)
    streamed = islice(writer.stream("the ", **options), 50)
    assert "the " + "".join(streamed) == writer.generate("the ", 50, **options)


def test_a_stream_ends_with_the_text(namer):
    names = ["".join(namer.stream(random_state=i)) for i in range(10)]
    assert names == [namer.generate(random_state=i) for i in range(10)]


def test_arguments_of_stream_are_checked_at_once(writer):
    with pytest.raises(ValueError, match="'temperature' parameter"):
        writer.stream("the", temperature=-1)
    with pytest.raises(ValueError, match="not in the vocabulary"):
        writer.stream("ж")


def test_samples_are_a_list_of_different_texts(writer):
    many = writer.generate("the ", 30, n_samples=8, random_state=0)
    assert len(many) == 8
    assert len(set(many)) > 4
    assert {text[:4] for text in many} == {"the "}
    assert max(map(len, many)) == 34
    assert isinstance(writer.generate("the ", 3, n_samples=1), str)


@pytest.mark.parametrize("stop", [".", ["zzz", "."], ("on the ", ".")], ids=str)
def test_a_text_ends_before_a_stop(writer, stop):
    stops = [stop] if isinstance(stop, str) else stop
    whole = writer.generate("the ", 200, random_state=0)[4:]
    ends = [whole.find(each) for each in stops if each in whole]
    found = writer.generate("the ", 200, random_state=0, stop=stop)
    assert found == "the " + whole[: min(ends)]
    # What stands in the prompt doesn't count.
    assert writer.generate("hat. t", 3, stop=stop).startswith("hat. t")


def test_a_stop_may_begin_in_the_middle_of_a_token():
    hand = Hand(Vocabulary("char", ("a", " ab", " cd", "never")))
    draft = Draft(hand, ("b c",))
    for id_ in (2, 3, 4, 5):
        draft.add(id_)
    assert draft.is_over
    assert draft.text() == "a a"


def frequencies(sampler, outputs, n=20_000):
    drawn = sampler.draw(np.tile(outputs, (n, 1)), np.random.default_rng(0))
    return np.bincount(drawn, minlength=len(outputs)) / n


OUTPUTS = np.log([0.1, 1e-9, 0.4, 0.3, 0.2])
EXPECTED = {
    "as they are": ({}, [0.1, 0, 0.4, 0.3, 0.2]),
    "cold": (dict(temperature=0.5), np.array([1, 0, 16, 9, 4]) / 30),
    "hot": (dict(temperature=1e9), [0.25, 0, 0.25, 0.25, 0.25]),
    "top 2": (dict(top_k=2), [0, 0, 4 / 7, 3 / 7, 0]),
    "top 9": (dict(top_k=9), [0.1, 0, 0.4, 0.3, 0.2]),
    "most of it": (dict(top_p=0.65), [0, 0, 4 / 7, 3 / 7, 0]),
    "a bit more": (dict(top_p=0.75), [0, 0, 4 / 9, 3 / 9, 2 / 9]),
    "all of it": (dict(top_p=1), [0.1, 0, 0.4, 0.3, 0.2]),
    "of the top": (dict(top_k=2, top_p=0.5), [0, 0, 1, 0, 0]),
}


@pytest.mark.parametrize("key", EXPECTED)
def test_draws_are_as_frequent_as_they_should_be(key):
    options, expected = EXPECTED[key]
    found = frequencies(Sampler(**options), OUTPUTS)
    np.testing.assert_allclose(found, expected, atol=0.015)
    assert (found[np.array(expected) == 0] == 0).all()


def test_progress_shows_bits_and_a_sample():
    shown = io.StringIO()
    progress = TextProgress("TextGenerator", 2, 2, "character", lambda: "abc", shown)
    progress.show(1, 0.5, {"loss": math.log(2)})
    progress.show(1, 1, {"loss": math.log(2), "val_loss": 2 * math.log(2)})
    assert "bits a character 1  validation 2" in shown.getvalue()
    assert shown.getvalue().endswith("abc\n\n")


def test_verbose_fits_show_samples(capsys):
    TextGenerator(**TINY | dict(epochs=2, verbose=2)).fit(TEXT)
    assert capsys.readouterr().err.count("bits a character") == 2
    TextGenerator(**TINY | dict(epochs=2, verbose=1, analyzer="word")).fit(TEXT)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("bits a word" in line for line in lines)


# Bad input


BAD_TEXTS = {
    "nothing": ([], ValueError, "Found no texts"),
    "an empty str": ("", ValueError, "texts are empty"),
    "empty strs": (["", ""], ValueError, "texts are empty"),
    "bytes": (b"the cat", TypeError, "list of str. Got an object of type bytes"),
    "bytes among them": (["a", b"b"], TypeError, r"texts\[1\] must be .* decode it"),
    "None": (None, TypeError, "Got an object of type NoneType"),
    "None among them": (["a", None], TypeError, r"texts\[1\] must be a str. Got None"),
    "NaN among them": (pd.Series(["a", np.nan]), TypeError, r"texts\[1\] .* Got nan"),
    "a number": (3, TypeError, "Got an object of type int"),
    "numbers": (np.arange(9), TypeError, r"texts\[0\] must be a str"),
    "a frame": (pd.DataFrame({"a": ["b"]}), ValueError, "pass one column"),
    "two axes": (np.array([["a"]]), ValueError, r"of shape \(1, 1\)"),
    "a dict": ({"a": "b"}, TypeError, "Got an object of type dict"),
    "a set": (set(NAMES), TypeError, "list of str. Got an object of type set"),
    "a frozen set": (frozenset(NAMES), TypeError, "an object of type frozenset"),
    "tokens": ([["the", "cat"]], TypeError, r"Got \['the', 'cat'\]"),
}


@pytest.mark.parametrize("key", BAD_TEXTS)
def test_bad_texts_are_refused_and_change_nothing(key, writer):
    texts, error, message = BAD_TEXTS[key]
    model = pickle.loads(pickle.dumps(writer))
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(texts)
    assert vars(model) == before
    new = TextGenerator(**TINY)
    with pytest.raises(error, match=message):
        new.fit(texts)
    with pytest.raises(NotFittedError):
        new.generate()
    if error is TypeError:
        for method in (model.partial_fit, model.score, model.predict_proba):
            with pytest.raises(error, match=message):
                method(texts)
        assert vars(model) == before


BAD_ARGUMENTS = {
    "temperature": [-1, -1e-9, math.inf, math.nan, "hot", None, True],
    "top_k": [0, -1, 1.5, "all", True],
    "top_p": [0, -0.1, 1.1, math.nan, "all"],
    "max_new_tokens": [0, -5, 2.5, None],
    "n_samples": [0, -1, 1.5, None],
    "stop": [3, b"."],
    "random_state": ["seed", 1.5],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(k, v) for k, row in BAD_ARGUMENTS.items() for v in row],
    ids=str,
)
def test_bad_arguments_are_named(name, value, writer):
    message = f"The '{name}' parameter of TextGenerator.generate must be"
    with pytest.raises(ValueError, match=message):
        writer.generate("the", **{name: value})


@pytest.mark.parametrize("stop", ["", ["a", ""]], ids=str)
def test_an_empty_stop_is_refused(stop, writer):
    with pytest.raises(ValueError, match="stop has an empty str"):
        writer.generate("the", stop=stop)


def test_a_stop_that_is_no_str_is_refused(writer):
    with pytest.raises(TypeError, match=r"Every stop must be a str\. Got 3"):
        writer.generate("the", stop=[3])


@pytest.mark.parametrize("prompt", [None, b"the", 3, ["the"]], ids=str)
def test_a_prompt_is_a_str(prompt, writer):
    with pytest.raises(TypeError, match="prompt must be a str"):
        writer.generate(prompt)


BAD_PARAMETERS = {
    "analyzer": "char_wb",
    "max_features": 0,
    "min_count": 0,
    "handle_unknown": "ignore",
    "lookback": 0,
    "cell": "transformer",
    "embedding_dim": None,
    "tie_weights": "yes",
    "optimizer": "lion",
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_bad_parameters_are_named(name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of TextGenerator"):
        TextGenerator(**TINY | {name: BAD_PARAMETERS[name]}).fit(TEXT)


EMPTY = {
    "char": "min_count=999 leaves no character of texts in the vocabulary: the most "
    "frequent one, ' ', occurs 78 times.",
    "word": "min_count=999 leaves no word of texts in the vocabulary: the most "
    "frequent one, ' the', occurs 23 times.",
}


@pytest.mark.parametrize("analyzer", EMPTY)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_vocabulary_needs_a_token(analyzer, method):
    params = dict(min_count=999, analyzer=analyzer)
    fitted, new = clone(OF_TEXT[0]).fit(TEXT), clone(OF_TEXT[0]).set_params(**params)
    before = dict(vars(fitted.set_params(**params)))
    with pytest.raises(ValueError, match=re.escape(EMPTY[analyzer])):
        fitted.fit(TEXT)
    assert vars(fitted) == before
    with pytest.raises(ValueError, match=re.escape(EMPTY[analyzer])):
        getattr(new, method)(TEXT)
    assert not hasattr(new, "tokens_")


def test_other_bad_choices():
    with pytest.raises(ValueError, match="embedding_dim=8 and units=16"):
        TextGenerator(**TINY | dict(tie_weights=True)).fit(TEXT)
    all_held = dict(validation_split=0.999, early_stopping=True)
    with pytest.raises(ValueError, match=r"validation_split=0.999 leaves none of 12"):
        TextGenerator(**TINY | all_held).fit(TEXT[:12])


def test_an_empty_prompt_begins_a_text(namer):
    starts = {text[:1] for text in namer.generate("", n_samples=50, random_state=0)}
    assert starts <= set("ahobe") | {""}


def test_a_loss_that_is_not_finite_ends_training():
    params = TINY | dict(learning_rate=1e38, clipnorm=None, optimizer="sgd")
    with pytest.warns(ConvergenceWarning, match="Try a lower learning_rate"):
        model = TextGenerator(**params).fit(TEXT)
    assert math.isfinite(model.score(TEXT))


def test_ctrl_c_keeps_what_was_learnt(monkeypatch):
    from skrnn._engine.cpu.language import LanguageProgram

    train, calls = LanguageProgram.train, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return train(self, *args)

    monkeypatch.setattr(LanguageProgram, "train", interrupted)
    model = TextGenerator(**TINY)
    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXT)
    assert model.generate("the", 3, random_state=0).startswith("the")


# scikit-learn


CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_checks_that_need_no_data(check):
    getattr(estimator_checks, check)("TextGenerator", clone(OF_TEXT[0]))


def test_fit_changes_no_parameter_and_names_what_it_learns():
    model = clone(OF_TEXT[0])
    params, before = model.get_params(), set(vars(model))
    new = set(vars(model.fit(TEXT))) - before
    assert all(name.startswith("_") or name.endswith("_") for name in new)
    assert model.get_params() == params


def test_tags_ask_for_strings():
    tags = TextGenerator().__sklearn_tags__().input_tags
    assert tags.string
    assert not tags.two_d_array


def test_a_search_finds_the_best_by_its_own_score():
    texts = np.array([TEXT[i : i + 51] for i in range(0, len(TEXT), 51)])
    model = TextGenerator(**TINY | dict(handle_unknown="map"))
    search = GridSearchCV(model, {"units": [1, 16]}, cv=KFold(2)).fit(texts)
    assert search.best_params_ == {"units": 16}
    assert search.best_score_ == max(search.cv_results_["mean_test_score"]) < 0
    assert search.best_estimator_.generate("the", 2, temperature=0).startswith("the")
    assert search.score(texts) == search.best_estimator_.score(texts)


def test_folds_need_not_share_all_tokens():
    texts = np.array(["abab ", "baba ", "acac ", "caca ", "adad ", "dada "] * 4)
    model = TextGenerator(**TINY | dict(epochs=1))
    for scoring in (None, get_scorer("neg_perplexity")):
        options = dict(scoring=scoring, cv=[(range(4), range(24))], error_score="raise")
        search = GridSearchCV(model, {"units": [2, 3]}, **options).fit(texts)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all()
        assert (scores < 0).all()


def test_workers_get_the_same(writer):
    scores = [
        cross_val_score(TextGenerator(**TINY), NAMES, cv=KFold(2), n_jobs=n)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


def test_a_pickle_writes_on(writer):
    again = pickle.loads(pickle.dumps(writer))
    assert again.generate("the", random_state=0) == writer.generate(
        "the", random_state=0
    )
    assert again.score(TEXT) == writer.score(TEXT)
    assert again.partial_fit(TEXT).n_iter_ == writer.n_iter_ + 1


def test_containers_make_no_difference(namer):
    expected = namer.score(NAMES)
    for container in (tuple, np.array, pd.Series, iter):
        assert namer.score(container(NAMES)) == expected
    strings = pd.Series(NAMES, dtype="string")
    assert namer.score(strings) == expected


def test_no_backend_is_loaded():
    loaded = in_new_process("""
import sys
from skrnn.text import TextGenerator
model = TextGenerator(units=4, epochs=1, random_state=0).fit("the cat sat " * 9)
model.generate("the")
print(*sys.modules)
""")
    assert not {"keras", "tensorflow", "jax", "torch"} & set(loaded.split())


def test_it_works_without_the_kernels():
    code = """
import sys, warnings
warnings.filterwarnings("ignore", "skrnn was installed without its kernels")
if "without" in sys.argv:
    sys.modules["skrnn._engine.cpu.kernels._kernels"] = None
from skrnn._engine import _products
from skrnn.text import TextGenerator
assert _products.ARE_COMPILED == ("without" not in sys.argv)
model = TextGenerator(units=(5, 5), epochs=3, lookback=8, random_state=0)
model.fit("the cat sat " * 9)
print(model.score("the cat"))
"""
    one, other = (float(in_new_process(code, way)) for way in ("with", "without"))
    assert one == pytest.approx(other, rel=1e-3)
