"""Analyzers and vocabularies of scikit-learn's CountVectorizer, for token sequences."""

import re

from sklearn.feature_extraction.text import CountVectorizer

from skrnn.preprocessing._documents import mixed_tokens


def analyzer_of(name, analyzer, **params):
    """Return the function that cuts a document into tokens.

    Parameters
    ----------
    name : str
        Named in errors.
    analyzer : {"word", "char"} or callable
    **params
        ``lowercase``, ``tokenizer`` and ``token_pattern`` of CountVectorizer.

    Raises
    ------
    ValueError
        If the pattern is no regular expression.
    """
    if callable(analyzer):
        return analyzer
    try:
        return CountVectorizer(analyzer=analyzer, **params).build_analyzer()
    except (re.error, TypeError, ValueError) as error:
        raise ValueError(
            f"The 'token_pattern' parameter of {name} must be a regular expression "
            f"where there is no tokenizer. Got {params['token_pattern']!r} instead: "
            f"{error}."
        ) from error


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
