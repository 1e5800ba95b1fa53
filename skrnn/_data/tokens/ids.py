"""Arrays of token ids that carry their vocabulary."""

from skrnn._data.frames.indexed_arrays import IndexedArray, index_of

# The ids that aren't words of a vocabulary.
PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2

# The key in a pandas frame's `attrs` for the vocabulary of its ids.
_ATTRIBUTE = "skrnn_vocabulary"


class TokenIds(IndexedArray):
    """Token ids, padded (n, T) or ragged in an object array, with their vocabulary.

    Selections of rows, copies and pickles keep the vocabulary, so it passes through
    scikit-learn's splitters and meta-estimators. Concatenated arrays keep it if it is
    the same. Results of arithmetic are plain arrays, because other numbers mean other
    words or none.

    Attributes
    ----------
    vocabulary : dict, tuple of dict or None
        Word -> id, from 2 on without gaps; one for each of several channels. None where
        it has been lost.
    row_index : pandas.Index, "lost" or None
        Of the frame or Series whose rows they are.
    """

    vocabulary: dict | tuple[dict, ...] | None = None

    def __array_finalize__(self, source):
        super().__array_finalize__(source)
        self.vocabulary = getattr(source, "vocabulary", None)

    def _joined(self, array, parts, axis):
        array = super()._joined(array, parts, axis)
        first, *others = map(vocabulary_of, parts)
        if first is None or any(other != first for other in others):
            return array
        return token_ids(array, first, index_of(array))


class _Held:
    """A vocabulary in a frame's `attrs`: pandas' deep copies share it."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary

    def __deepcopy__(self, memo):
        return self

    def __eq__(self, other):
        if not isinstance(other, _Held):
            return NotImplemented
        known = other.vocabulary
        return self.vocabulary is known or self.vocabulary == known

    __hash__ = None  # type: ignore[assignment]


def token_ids(array, vocabulary, index=None):
    """Return `array` as ids of a `vocabulary`; its memory is shared."""
    ids = array.view(TokenIds)
    ids.vocabulary, ids.row_index = vocabulary, index
    return ids


def remember_vocabulary(frame, vocabulary):
    """Put the vocabulary of ids into a frame's `attrs`, if it has these."""
    if vocabulary is not None and hasattr(frame, "attrs"):
        frame.attrs[_ATTRIBUTE] = _Held(vocabulary)


def vocabulary_of(X):
    """Return the vocabulary of the token ids in X, or None."""
    if isinstance(X, TokenIds):
        return X.vocabulary
    held = getattr(X, "attrs", None)
    held = held.get(_ATTRIBUTE) if isinstance(held, dict) else None
    return held.vocabulary if isinstance(held, _Held) else None


def vocabulary_size(vocabulary):
    """Return the number of ids, those of padding and of unknown words included.

    For several channels it is a tuple, like their vocabulary.
    """
    if isinstance(vocabulary, tuple):
        return tuple(map(vocabulary_size, vocabulary))
    return FIRST_WORD + len(vocabulary)
