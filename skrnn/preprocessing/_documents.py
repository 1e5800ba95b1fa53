"""What documents and token ids may be where texts become ids and ids texts."""

from collections.abc import Iterable, Mapping, Set

import numpy as np


def check_documents(estimator, X, *, strings):
    """Return documents as a list.

    Parameters
    ----------
    estimator : estimator
        Who reads them, for the errors.
    X : iterable
    strings : bool
        Whether each of them must be a string.

    Raises
    ------
    ValueError, TypeError
        In scikit-learn's words where it has them; a document is named by its place.
    """
    name = type(estimator).__name__
    _refuse_no_documents(name, X)
    documents = list(X)
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
            raise TypeError(
                f"X[{i}] is {str(document)[:40]!r} of type {type(document).__name__}, "
                f"but {name} expects every document to be a str; other types need a "
                "callable analyzer."
            )
    return documents


def _refuse_no_documents(name, X):
    if isinstance(X, str):
        raise ValueError(
            "Iterable over raw text documents expected, string object received."
        )
    n_dimensions = getattr(X, "ndim", 1)
    if n_dimensions > 1:
        raise ValueError(
            f"Expected 1D array, got {n_dimensions}D array instead "
            f"(shape={tuple(X.shape)}): {name} expects one document a row. Choose a "
            "column of texts, with a ColumnTransformer say."
        )
    ordered = isinstance(X, Iterable) and not isinstance(X, bytes | Mapping | Set)
    if not ordered or n_dimensions == 0:
        raise TypeError(
            f"X is {'None' if X is None else f'of type {type(X).__name__}'}, but "
            f"{name} expects an iterable over documents: a list, a one-dimensional "
            "array or a Series."
        )


def _is_missing(document):
    # pandas' NA has no truth value, and pandas need not be there.
    if document is None or type(document).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(document, float) and document != document


def read_ids(i, ids, n_ids, name):
    """Return sequence `i` of token ids, which must be below `n_ids`, as an array."""
    array = np.asarray(ids)
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
