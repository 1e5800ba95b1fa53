"""Arrays of token ids that know the words which their ids stand for."""

from typing import Any

import numpy as np

# The ids that stand for no word of a vocabulary.
PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2


class TokenIds(np.ndarray):
    """Token ids, padded (n, T) or ragged in an object array, with their vocabulary.

    Selections of rows, copies and pickles keep the vocabulary, so it passes through
    scikit-learn's splitters and meta-estimators. What is computed from the ids is a
    plain array, because other numbers stand for other words or for none.

    Attributes
    ----------
    vocabulary : dict, tuple of dict or None
        Word -> id, from 2 on without gaps; one for each of several channels. None where
        it has been lost.
    """

    vocabulary: dict | tuple[dict, ...] | None = None

    def __array_finalize__(self, source):
        self.vocabulary = getattr(source, "vocabulary", None)

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return array[()] if return_scalar else np.asarray(array)

    def __reduce__(self):
        made: Any = super().__reduce__()
        return *made[:2], (made[2], self.vocabulary)

    def __setstate__(self, state):
        state, self.vocabulary = state
        super().__setstate__(state)


def token_ids(array, vocabulary):
    """Return `array` as ids of a `vocabulary`; its memory is shared."""
    ids = array.view(TokenIds)
    ids.vocabulary = vocabulary
    return ids


def vocabulary_size(vocabulary):
    """Return the number of ids, those of padding and of unknown words included.

    Of several channels it is a tuple, as their vocabulary is.
    """
    if isinstance(vocabulary, tuple):
        return tuple(map(vocabulary_size, vocabulary))
    return FIRST_WORD + len(vocabulary)
