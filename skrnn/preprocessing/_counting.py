"""Analyzers and vocabularies of scikit-learn's CountVectorizer, for token sequences."""

import re
from collections.abc import Mapping

from sklearn.feature_extraction.text import CountVectorizer

from skrnn._data.tokens.ids import FIRST_WORD, UNKNOWN
from skrnn._data.warn import warn
from skrnn._sklearn import Count
from skrnn.preprocessing._documents import mixed_tokens

# Parameters that a callable analyzer leaves unused -> their defaults.
_OF_TEXTS = {"strip_accents": None, "stop_words": None, "ngram_range": (1, 1)}


def analyzer_of(name, analyzer, ngram_range=(1, 1), **params):
    """Return the function that cuts a document into tokens.

    Parameters
    ----------
    name : str
        Named in errors.
    analyzer : {"word", "char"} or callable
    ngram_range : tuple of int
    **params
        CountVectorizer's parameters of the same names: how texts are cut.

    Raises
    ------
    ValueError
        If the pattern is no regular expression, the range isn't one, or a stop word
        is no string.
    """
    _refuse_no_range(name, ngram_range)
    _refuse_no_words(name, params["stop_words"])
    if callable(analyzer):
        return analyzer
    try:
        analyze = CountVectorizer(analyzer=analyzer, **params).build_analyzer()
    except (re.error, TypeError, ValueError) as error:
        raise ValueError(
            f"The 'token_pattern' parameter of {name} must be a regular expression "
            f"where there is no tokenizer. Got {params['token_pattern']!r} instead: "
            f"{error}."
        ) from error
    if tuple(ngram_range) == (1, 1):
        return analyze
    between = " " if analyzer == "word" else ""
    return lambda document: _in_order(analyze(document), ngram_range, between)


def _refuse_no_range(name, ngram_range):
    sizes = tuple(ngram_range)
    if len(sizes) != 2 or not all(map(Count().is_satisfied_by, sizes)):
        raise ValueError(
            f"The 'ngram_range' parameter of {name} must be a tuple (min_n, max_n) of "
            f"two ints >= 1. Got {ngram_range!r} instead."
        )
    if sizes[0] > sizes[1]:
        raise ValueError(
            f"Invalid value for ngram_range={ngram_range!r} lower boundary larger than "
            "the upper boundary."
        )


def _refuse_no_words(name, stop_words):
    for i, word in enumerate(stop_words if isinstance(stop_words, list) else ()):
        if not isinstance(word, str):
            raise ValueError(
                f"The 'stop_words' parameter of {name} must hold strings. Got "
                f"stop_words[{i}]={word!r:.60} instead."
            )


def _in_order(tokens, sizes, between):
    """Return the n-grams of some tokens in the order in which these end.

    CountVectorizer, which only counts, has all of one length before the next length.
    """
    shortest, longest = sizes
    return [
        between.join(tokens[end - n : end])
        for end in range(1, len(tokens) + 1)
        for n in range(shortest, min(longest, end) + 1)
    ]


def warn_of_unused(name, analyzer, **params):
    """Warn of parameters that this analyzer doesn't use, as CountVectorizer does."""
    unused = {"word": (), "char": ("stop_words",)}
    found = _OF_TEXTS if callable(analyzer) else unused[analyzer]
    for parameter in found:
        if params[parameter] != _OF_TEXTS[parameter]:
            warn(
                f"The parameter '{parameter}' of {name} will not be used since "
                f"analyzer={analyzer!r}."
            )


def tokens_to_know(name, vocabulary, *, lowercase):
    """Return a given vocabulary as a dict of tokens and places from 0 on.

    Parameters
    ----------
    name : str
        Named in errors.
    vocabulary : mapping or iterable
        A mapping has places, or ids from 2 on.
    lowercase : bool
        Whether texts are in lower case: a warning then of tokens that aren't.

    Raises
    ------
    ValueError, TypeError
        If tokens or places repeat, places are left out, or there are none.
    """
    if isinstance(vocabulary, Mapping):
        vocabulary = _from_zero(vocabulary)
    counter = CountVectorizer(
        analyzer=_as_it_is, vocabulary=vocabulary, lowercase=lowercase
    )
    try:
        return counter.fit([[]]).vocabulary_
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"The 'vocabulary' parameter of {name} can't be used: {error}. Got "
            f"{vocabulary!r:.60} instead."
        ) from error


def _from_zero(vocabulary):
    ids = vocabulary.values()
    counts = all(isinstance(i, int) for i in ids)
    if vocabulary and counts and min(ids) == FIRST_WORD:
        return {token: i - FIRST_WORD for token, i in vocabulary.items()}
    return vocabulary


def ids_of(documents, vocabulary, *, drop):
    """Yield the list of ids of each document, which is never empty.

    Tokens that aren't in the vocabulary are the id 1, or are left out with `drop`.
    """
    find = vocabulary.get if drop else _WithUnknown(vocabulary).__getitem__
    for tokens in documents:
        # `get` returned None for an unknown token; no id is 0.
        yield list(filter(None, map(find, tokens))) or [UNKNOWN]


class _WithUnknown(dict):
    """A vocabulary that has an id for every token."""

    def __missing__(self, token):
        return UNKNOWN


def count_tokens(name, documents, **limits):
    """Return the tokens that are kept, and their positions in sorted order.

    Parameters
    ----------
    name : str
        Named in errors.
    documents : list of lists of tokens
    **limits
        ``min_df``, ``max_df`` and ``max_features`` of CountVectorizer.

    Raises
    ------
    ValueError, TypeError
        If there are no tokens, if none is kept, or if they can't be sorted.
    """
    if not any(documents):
        raise ValueError(
            f"empty vocabulary; {name} finds no token in any document of X."
        )
    try:
        return CountVectorizer(analyzer=_as_it_is, **limits).fit(documents).vocabulary_
    except TypeError as error:
        raise mixed_tokens(name, documents, error) from error


def _as_it_is(document):
    return document
