"""Which token ids are valid, and the errors of those that aren't."""

from dataclasses import replace

import numpy as np

from skrnn._data.sequences import Sequences, strip_padding


def read_tokens(name, sequences: Sequences, vocabulary_size=None) -> Sequences:
    """Return packed integers as token ids, int32 and without padding.

    Parameters
    ----------
    name : str
        The estimator that reads them, for the errors.
    sequences : Sequences
        Values of shape (n_rows,), or (n_rows, n_channels) for several ids a step.
    vocabulary_size : int, tuple of int or None
        Ids at or above it, or at or above that of their channel, are an error.

    Raises
    ------
    ValueError
        If they are no integers, negative, or too large.
    """
    values = sequences.values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind not in "iu":
        raise ValueError(
            f"With embedding_dim set, {name} expects X to hold token ids: integers of "
            "shape (n_samples, n_timesteps) or (n_samples, n_timesteps, n_channels), "
            f"or a list of integer sequences. Got {sequences.n_features} feature(s) of "
            f"dtype {values.dtype}. If numbers stand beside ids, categorical_features "
            "says which are ids."
        )
    if values.min() < 0:
        raise ValueError(f"Token ids must not be negative: X contains {values.min()}.")
    if vocabulary_size is not None:
        _refuse_unknown(name, values, vocabulary_size)
    if values.max() >= np.iinfo(np.int32).max:
        raise ValueError(
            f"Token ids must be below 2**31 - 1: X contains {values.max()}."
        )
    return strip_padding(replace(sequences, values=values.astype(np.int32)))


def _refuse_unknown(name, values, vocabulary_size):
    sizes = (
        vocabulary_size if isinstance(vocabulary_size, tuple) else (vocabulary_size,)
    )
    largest = np.atleast_1d(values.max(axis=0))
    # Another number of channels is refused where the number of features is checked.
    for channel, (id_, size) in enumerate(zip(largest, sizes, strict=False)):
        if id_ >= size and len(largest) == len(sizes):
            where = f" in channel {channel}" if len(sizes) > 1 else ""
            raise ValueError(
                f"X contains the token id {id_}{where}, but {name} was fitted with ids "
                f"below {size}."
            )


def check_words(estimator, vocabulary, *, reset):
    """Keep the words of ids, or refuse ids that stand for others than in ``fit``.

    Parameters
    ----------
    estimator : estimator
        Named in errors; it keeps the vocabulary of ``fit``.
    vocabulary : dict, tuple of dict or None
        Word -> id. Nothing is compared with None.
    reset : bool
        Whether these are the ids of ``fit``.

    Raises
    ------
    ValueError
        If they differ.
    """
    if reset:
        # Not a copy: in a pickle of a Pipeline the transformer shares it.
        estimator._words = vocabulary
        return
    name, known = type(estimator).__name__, getattr(estimator, "_words", None)
    if known is None or vocabulary is None:
        return
    before, now = _by_channel(known), _by_channel(vocabulary)
    if len(before) != len(now):
        # Refused where the number of features is checked.
        return
    for old, new in zip(before, now, strict=True):
        if old != new:
            id_ = min(id_ for _, id_ in old.items() ^ new.items())
            raise ValueError(
                "X holds token ids of another vocabulary than the X of fit: the id "
                f"{id_} stands for {_word(new, id_)}, but {name} was fitted with "
                f"{_word(old, id_)}. Take the transformer that made the X of fit, as "
                "it was then; for other words fit anew, with warm_start=False."
            )


def _by_channel(vocabulary):
    return vocabulary if isinstance(vocabulary, tuple) else (vocabulary,)


def _word(vocabulary, id_):
    words = (f"{word!r:.40}" for word, known in vocabulary.items() if known == id_)
    return next(words, "no word")
