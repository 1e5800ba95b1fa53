"""Reading texts and prompts: which are valid, and the errors for others."""

from collections.abc import Mapping, Set

import numpy as np

from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._estimators.language.vocabulary import END

_SHOWN = 10


def has_ends(texts):
    """Whether texts are documents, which end: a single str is a stream."""
    return not isinstance(texts, str)


def check_texts(texts, name="texts"):
    """Return texts as a list of str: one str is one text.

    Parameters
    ----------
    texts : object
    name : str
        Of the argument, for the errors.

    Raises
    ------
    TypeError
        If any of them isn't a str.
    ValueError
        If there is none.
    """
    if isinstance(texts, str):
        return [texts]
    if is_frame(texts) or getattr(texts, "ndim", 1) != 1:
        raise ValueError(
            f"{name} must be a str or a one-dimensional collection of them. Got "
            f"{_kind(texts)} of shape {getattr(texts, 'shape', None)}; pass one column."
        )
    # The order of a set differs from process to process.
    unordered = isinstance(texts, bytes | bytearray | Mapping | Set)
    if unordered or not hasattr(texts, "__iter__"):
        raise TypeError(f"{name} must be a str or a list of str. Got {_kind(texts)}.")
    found = list(as_plain(texts))
    for i, text in enumerate(found):
        check_text(text, f"{name}[{i}]")
    if not found:
        raise ValueError(f"Found no {name}; a minimum of 1 is required.")
    return found


def check_text(text, what):
    """Refuse what isn't a str."""
    if not isinstance(text, str):
        hint = "; decode it first" if isinstance(text, bytes | bytearray) else ""
        raise TypeError(f"{what} must be a str. Got {text!r:.60}, {_kind(text)}{hint}.")


def refuse_unknown(vocabulary, texts, what):
    """Refuse tokens that aren't in the vocabulary, and list them."""
    unknown = vocabulary.unknown(texts)
    if unknown:
        listed = ", ".join(map(repr, unknown[:_SHOWN]))
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        raise ValueError(
            f"{what} has {vocabulary.unit}s that are not in the vocabulary: {listed}"
            f'{more}. Set handle_unknown="map" to read them as an unknown '
            f'{vocabulary.unit}, or "grow" to learn them in partial_fit.'
        )


def as_stops(stop):
    """Return stop strings as a tuple."""
    stops = () if stop is None else (stop,) if isinstance(stop, str) else tuple(stop)
    for each in stops:
        check_text(each, "Every stop")
        if not each:
            raise ValueError("stop has an empty str, before which every text ends.")
    return stops


def stream_of(documents, targets):
    """Concatenate documents to a stream; each begins with the end marker.

    Parameters
    ----------
    documents, targets : list of ndarray of int32
        Ids of each document, and the ids to predict from its beginning on: as many, or
        one more if its end is among them.

    Returns
    -------
    inputs, targets : ndarray of int32 of shape (n,)
        The stream, and what follows each of its tokens.

    Raises
    ------
    ValueError
        If there are no tokens.
    """
    if not sum(map(len, documents)):
        raise ValueError("texts are empty: there is nothing to learn from.")
    marker = np.array([END], np.int32)
    pairs = zip(documents, targets, strict=True)
    inputs = [np.append(marker, ids)[: len(after)] for ids, after in pairs]
    return np.concatenate(inputs), np.concatenate(targets)


def _kind(value):
    return f"an object of type {type(value).__name__}"
