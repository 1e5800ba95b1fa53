"""Checks of documents and token ids, for the transformers of texts."""

from collections.abc import Iterable, Mapping, Set

import numpy as np

from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._data.frames.numbers import as_integers

_OTHER_TYPES = "other types need a callable analyzer"


def check_documents(estimator, X, *, strings):
    """Return documents as a list.

    Parameters
    ----------
    estimator : estimator
        Named in errors.
    X : iterable
    strings : bool
        Whether each document must be a string.

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words if it has some; they name the position of the document.
    """
    name = type(estimator).__name__
    _refuse_no_documents(name, X)
    documents = list(as_plain(X))
    if not documents:
        raise ValueError(
            "Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is "
            f"required by {name}."
        )
    for i, document in enumerate(documents):
        if isinstance(document, str):
            continue
        if _is_missing(document):
            raise ValueError(
                f"X[{i}] is {document!r}: {name} does not accept missing documents. "
                'Leave them out, or put "" in their place.'
            )
        if strings:
            is_list = isinstance(document, list | tuple)
            how = f"lists of words need {name}(list)" if is_list else _OTHER_TYPES
            raise TypeError(
                f"X[{i}] is {str(document)[:40]!r} of type {type(document).__name__}, "
                f"but {name} expects every document to be a str; {how}."
            )
    return documents


def _refuse_no_documents(name, X):
    if isinstance(X, str):
        raise ValueError(
            "Iterable over raw text documents expected, string object received."
        )
    n_dimensions = 2 if is_frame(X) else getattr(X, "ndim", 1)
    if n_dimensions > 1:
        raise ValueError(
            f"Expected 1D array, got {n_dimensions}D array instead "
            f"(shape={tuple(X.shape)}): {name} expects one document a row. Choose a "
            'column of texts, as frame["text"] does; in a Pipeline a '
            "FunctionTransformer can do it."
        )
    expected = "documents: a list, a one-dimensional array or a Series"
    refuse_no_iterable(name, X, expected)


def refuse_no_iterable(name, X, expected):
    """Refuse anything that isn't an ordered iterable."""
    ordered = isinstance(X, Iterable) and not isinstance(X, bytes | Mapping | Set)
    if not ordered or getattr(X, "ndim", 1) == 0:
        raise TypeError(
            f"X is {'None' if X is None else f'of type {type(X).__name__}'}, but "
            f"{name} expects an iterable over {expected}."
        )


def _is_missing(document):
    # pandas' NA raises in a comparison, and pandas may not be loaded.
    if document is None or type(document).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(document, float) and document != document


def check_tokens(name, i, tokens):
    """Return the tokens of document `i` as a list.

    Raises
    ------
    TypeError, ValueError
        If the document has no tokens, or one that can't be in a vocabulary.
    """
    if not isinstance(tokens, Iterable):
        raise TypeError(
            f"The tokens of X[{i}] are {tokens!r:.60}, but {name} expects its analyzer "
            "or tokenizer to return a list of tokens."
        )
    tokens = list(tokens)
    if set(map(type, tokens)) <= {str}:
        return tokens
    for token in tokens:
        if not _is_hashable(token):
            raise TypeError(
                f"X[{i}] has the token {token!r:.60} of type {type(token).__name__}, "
                f"but {name} expects tokens that can be the keys of a dict."
            )
    for token in set(tokens):
        if _is_missing(token):
            raise ValueError(
                f"X[{i}] has the token {token!r}: {name} does not accept missing "
                "tokens. Leave them out."
            )
    return tokens


def _is_hashable(token):
    # isinstance(..., Hashable) is true for a tuple that holds a list, too.
    try:
        hash(token)
    except TypeError:
        return False
    return True


def mixed_tokens(name, documents, error):
    """Return a clearer error for the one that sorting mixed tokens raises."""
    every = ((i, token) for i, tokens in enumerate(documents) for token in tokens)
    (_, first), *others = every
    for i, token in others:
        if not _is_comparable(first, token):
            return TypeError(
                f"X[{i}] has the token {token!r:.60} of type {type(token).__name__}, "
                f"but {name} sorts the tokens, and {first!r:.60} can't be compared "
                f"with it: {error}."
            )
    return TypeError(f"{name} sorts the tokens, but they can't be compared: {error}.")


def _is_comparable(one, other):
    try:
        one < other  # noqa: B015
    except TypeError:
        return False
    return True


def read_ids(i, ids, n_ids, name):
    """Return sequence `i` of token ids, which must be below `n_ids`, as an array."""
    array = as_integers(np.asarray(as_plain(ids)))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"X[{i}] has shape {array.shape} and dtype {array.dtype}, but {name} "
            "expects a sequence of token ids, integers of shape (n_timesteps,)."
        )
    if array.size and array.min() < 0:
        raise ValueError(
            f"Token ids must not be negative: X[{i}] contains {array.min()}."
        )
    if array.size and array.max() >= n_ids:
        raise ValueError(
            f"X[{i}] contains the token id {array.max()}, but {name} was fitted with "
            f"ids below {n_ids}."
        )
    return array.astype(np.intp)
