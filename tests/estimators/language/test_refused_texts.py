"""Texts, arguments and parameters that a generator refuses."""

import math
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from _instances import OF_TEXT
from _texts import NAMES, TEXT, TINY
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn.text import TextGenerator

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


@pytest.mark.parametrize("prompt", [None, b"the", 3, {"the"}, {"the": 1}], ids=str)
def test_a_prompt_is_a_str(prompt, writer):
    with pytest.raises(TypeError, match="prompt must be a str"):
        writer.generate(prompt)
    with pytest.raises(TypeError, match="prompt must be a str"):
        writer.stream(prompt)


BAD_PROMPTS = {
    "none": ([], ValueError, "Found no prompt; a minimum of 1 is required."),
    "bytes": (
        ["the", b"a"],
        TypeError,
        r"prompt\[1\] must be a str. Got b'a', .*decode",
    ),
    "a missing one": (pd.Series(["a", None]), TypeError, r"prompt\[1\] must be a str"),
    "two axes": (np.array([["the"]]), ValueError, r"prompt must be .* pass one column"),
    "lists": ([["the"]], TypeError, r"prompt\[0\] must be a str. Got \['the'\]"),
    "unknown": (["the", "Q", "Z"], ValueError, "prompt has characters .*: 'Q', 'Z'"),
}


@pytest.mark.parametrize("key", BAD_PROMPTS)
def test_bad_prompts_are_named(key, writer):
    prompts, error, message = BAD_PROMPTS[key]
    with pytest.raises(error, match=message):
        writer.generate(prompts)


def test_a_stream_is_of_one_prompt(writer):
    with pytest.raises(TypeError, match=r"prompt must be a str. Got \['the'\]"):
        writer.stream(["the"])


BAD_PARAMETERS = {
    "analyzer": "char_wb",
    "max_features": 0,
    "min_count": 0,
    "handle_unknown": "ignore",
    "lookback": 0,
    "cell": "transformer",
    "embedding_dim": None,
    "tie_weights": "yes",
    "optimizer": "lbfgs",
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
