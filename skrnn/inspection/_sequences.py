"""One sequence of many, and what its steps and features are called."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from skrnn._data.frames.columns import column_labels, is_frame
from skrnn._data.tokens.ids import FIRST_WORD, PADDING, vocabulary_of

UNKNOWN_WORD = "[UNK]"


def one_of(X: Any, number: Any) -> Any:
    """Return X with one of its sequences alone, in the form that it had.

    Raises
    ------
    TypeError, ValueError
        If there is no sequence of that number.
    """
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise TypeError(f"sequence must be an integer. Got {number!r}.")
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    if not -n <= int(number) < n:
        raise ValueError(f"sequence must be from {-n} to {n - 1}. Got {number}.")
    first = int(number) % n
    of_rows = X.iloc if hasattr(X, "iloc") else X
    return of_rows[first : first + 1]


def steps_of(X: Any) -> Any:
    """Return the steps (T, F), (T,) or symbols of the only sequence of X."""
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    if not isinstance(X, list | tuple | np.ndarray):
        X = np.asarray(X)
    steps = X[0].to_numpy() if hasattr(X[0], "to_numpy") else X[0]
    if isinstance(steps, str) or (len(steps) and isinstance(steps[0], str)):
        return list(steps)
    return np.asarray(steps)


def tokens_of(network: Any, X: Any) -> list[str] | None:
    """Return the words, characters or ids of the only sequence of X; None of numbers.

    Padding is the empty string.
    """
    steps = steps_of(X)
    if isinstance(steps, list):
        return steps
    if network._spec.embedding is None:
        return None
    vocabulary = vocabulary_of(X)
    if steps.ndim > 1:
        vocabulary = vocabulary[0] if isinstance(vocabulary, tuple) else vocabulary
        # The first channel is that of the words themselves.
        padding = ~steps.any(axis=1)
        steps = np.where(padding, PADDING, np.maximum(steps[:, 0], 1))
    words = {id_: str(word) for word, id_ in (vocabulary or {}).items()}

    def called(id_):
        if id_ == PADDING:
            return ""
        if vocabulary is None:
            return str(id_)
        return words.get(id_, UNKNOWN_WORD if id_ < FIRST_WORD else str(id_))

    return [called(int(id_)) for id_ in steps]


def real_part(tokens: list[str] | None, n: int) -> slice:
    """Return where the real steps are among n: without padding before and after."""
    if tokens is None:
        return slice(0, n)
    there = [i for i, token in enumerate(tokens) if token != ""]
    return slice(there[0], there[-1] + 1) if there else slice(0, n)


def feature_names(before: Iterable[Any], given: Any, n: int) -> list[str]:
    """Return the names of the n features of a step, made up where nothing tells them.

    Parameters
    ----------
    before : iterable of transformers
        The steps that X went through, as in a Pipeline: each names what it makes of
        the names of the one before.
    given : array-like
        X as the user gave it.
    """
    before = list(before)
    names = [str(name) for name in column_labels(given)] if is_frame(given) else None
    for step in before:
        names = _names_out(step, names)
    if not before or names is None or len(names) != n:
        return [f"x{i}" for i in range(n)]
    return names


def _names_out(step, names):
    """Return the names that a step tells, if it can go on from those before it."""
    asked: Any = getattr(step, "get_feature_names_out", None)
    for known in (names, None):
        try:
            return [str(name) for name in asked(known)]
        except (AttributeError, TypeError, ValueError):
            continue
    # It tells nothing: the names may still be those of what it makes.
    return names
