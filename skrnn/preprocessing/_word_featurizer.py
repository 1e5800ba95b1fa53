"""The transformer that turns words, and what they look like, into token ids."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._data.frames.indexed_arrays import index_of
from skrnn._data.rows.series import check_order_within
from skrnn._data.sequences import ragged_array
from skrnn._data.tokens.ids import FIRST_WORD, UNKNOWN, token_ids
from skrnn._data.typing import Array, ArrayLike
from skrnn._estimators.advice import AdvisedEstimator, fit_context
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._estimators.watching import told
from skrnn._sklearn import Count
from skrnn.preprocessing._fitting import SequenceOutputMixin

# Longer runs of one kind of character are cut to this length.
_LONGEST_RUN = 4


def _shape(word):
    """Return the kinds of a word's characters: "X" capitals, "x" others, "d" digits."""
    kinds = "".join(map(_kind, word))
    return re.sub(
        rf"(.)\1{{{_LONGEST_RUN},}}", lambda run: run[1] * _LONGEST_RUN, kinds
    )


def _kind(character):
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "d" if character.isdigit() else character


# Name of a feature -> its function of a word; affixes have a length after the name.
WHOLE: dict[str, Callable] = {"word": str, "lower": str.lower, "shape": _shape}
AFFIXES = {
    "prefix": lambda word, n: word[:n].lower(),
    "suffix": lambda word, n: word[-n:].lower(),
}
_AFFIX = re.compile(rf"({'|'.join(AFFIXES)})([1-9])")
_NAMES = "'word', 'lower', 'shape', 'prefix1' to 'prefix9', 'suffix1' to 'suffix9'"


class WordFeaturizer(
    SequenceOutputMixin,
    TransformerMixin,
    AdvisedEstimator,
    auto_wrap_output_keys=None,
):
    """Turn words into token ids of several channels: the word and what it looks like.

    A word that isn't in the training data still has a beginning, an ending and capitals
    that are, and these say much about its tag. Each feature becomes a channel of token
    ids with a vocabulary of its own, and an estimator with ``embedding_dim`` learns
    vectors for each channel.

    Parameters
    ----------
    features : tuple of str or int, default=("lower", "suffix2", "suffix3", "shape")
        What of each word becomes a channel: "word" as it stands; "lower", in lower
        case; "prefix1" to "prefix9" and "suffix1" to "suffix9", its first or last
        characters in lower case; "shape", with "X" for capitals, "x" for other letters,
        "d" for digits, other characters as they are, and runs cut to 4. An integer i
        from 1 on is entry i of tokens that are tuples with the word first: a part of
        speech from elsewhere, for instance.
    min_df : int, default=2
        Values of a feature that occur in fewer sequences of `fit` get the id 1, like
        unknown values later. With 1 the vector of unknown values is never trained.

    Attributes
    ----------
    vocabularies_ : list of dict
        For each feature its values and their ids, which are 2, 3, ... in sorted order.

    See Also
    --------
    SequencePadder : Bring sequences to one length.

    Notes
    -----
    The features are among those that taggers have long been given by hand (Ratnaparkhi,
    1996, A maximum entropy model for part-of-speech tagging); here each has trained
    vectors, concatenated as in Collobert et al. (2011), Natural language processing
    (almost) from scratch.

    Examples
    --------
    >>> from skrnn.preprocessing import WordFeaturizer
    >>> sentences = [["She", "walked", "home"], ["He", "talked"], ["She", "talked"]]
    >>> featurizer = WordFeaturizer(("lower", "suffix2", "shape")).fit(sentences)
    >>> featurizer.vocabularies_[1]
    {'ed': 2, 'he': 3}
    >>> featurizer.transform([["She", "jumped"]])[0]
    array([[2, 3, 2],
           [1, 2, 3]], dtype=int32)
    """

    _parameter_constraints = {"features": [tuple, list], "min_df": [Count()]}

    def __init__(
        self,
        features: Sequence[str | int] = ("lower", "suffix2", "suffix3", "shape"),
        *,
        min_df: int = 2,
    ) -> None:
        self.features = features
        self.min_df = min_df

    @fit_context(prefer_skip_nested_validation=True)
    @told
    def fit(self, X: Iterable[Any], y: Any = None) -> Self:
        """Learn the values of each feature.

        Parameters
        ----------
        X : list or array of sequences
            Sequences of words (str), or of tuples of str with the word first.
        y : None
            Ignored.

        Returns
        -------
        self : WordFeaturizer

        Raises
        ------
        ValueError, TypeError
            If a feature is unknown, a sequence is empty or a token is no word.
        """
        with unchanged_on_error(self):
            readers = _readers(self.features)
            sequences = _read(X, max(_columns(self.features), default=0))
            counts: list[Counter] = [Counter() for _ in readers]
            for tokens in map(set, sequences):
                for count, reader in zip(counts, readers, strict=True):
                    count.update({reader(token) for token in tokens})
            self.vocabularies_ = [_vocabulary(count, self.min_df) for count in counts]
            # The features of the vocabularies, even if the parameter is set later.
            self._features = tuple(self.features)
        return self

    @of_one_fit
    def transform(self, X: Iterable[Any]) -> Array:
        """Return the token ids of sequences of words.

        Parameters
        ----------
        X : list or array of sequences
            Sequences of words (str), or of tuples of str with the word first.

        Returns
        -------
        ids : ndarray of shape (n,) of ndarrays of shape (n_words, n_features)
            Integers from 1, which is what is unknown; ragged like X. The array knows
            the vocabulary of each channel, and so does any selection of its rows, as
            :class:`TextSequencer`'s do.
        """
        check_is_fitted(self)
        sequences = _read(X, max(_columns(self._features), default=0))
        table = list(zip(_readers(self._features), self.vocabularies_, strict=True))
        ids = {
            token: [known.get(reader(token), UNKNOWN) for reader, known in table]
            for token in set().union(*sequences)
        }
        arrays = [
            np.array([ids[token] for token in tokens], np.int32) for tokens in sequences
        ]
        several = len(self.vocabularies_) > 1
        known = tuple(self.vocabularies_) if several else self.vocabularies_[0]
        return token_ids(ragged_array(arrays), known, index_of(X))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the channels of a step.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: whatever the column of words is called.

        Returns
        -------
        names : ndarray of str objects of shape (n_features,)
            The features; "entry1" for the integer 1, and so on.
        """
        check_is_fitted(self)
        names = [f if isinstance(f, str) else f"entry{f}" for f in self._features]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _readers(features):
    """Return a function of a token for each feature, in order."""
    if not features:
        raise ValueError(
            f"features must name at least one of {_NAMES}, or an entry of tokens "
            f"that are tuples. Got {features!r}."
        )
    return [_reader(feature) for feature in features]


def _columns(features):
    return [feature for feature in features if not isinstance(feature, str)]


def _reader(feature):
    """Return the function from a token, a tuple, to the value of a feature."""
    if isinstance(feature, int) and not isinstance(feature, bool) and feature > 0:
        return lambda token: token[feature]
    if isinstance(feature, str) and feature in WHOLE:
        return lambda token: WHOLE[feature](token[0])
    affix = _AFFIX.fullmatch(feature) if isinstance(feature, str) else None
    if affix is None:
        raise ValueError(
            f"features must be among {_NAMES}, or integers from 1 for the other "
            f"entries of tokens that are tuples. Got {feature!r}."
        )
    part, n = AFFIXES[affix[1]], int(affix[2])
    return lambda token: part(token[0], n)


def _vocabulary(count, min_df):
    known = sorted(value for value, n in count.items() if n >= min_df)
    return {value: i for i, value in enumerate(known, start=FIRST_WORD)}


def _read(X, last_entry):
    """Return sequences of tokens, which are tuples of text with the word first."""
    if isinstance(X, str) or not hasattr(X, "__len__"):
        raise TypeError(
            "WordFeaturizer expects X to be a list of sequences of words. "
            f"Got {X!r:.60}."
        )
    if is_frame(X):
        raise ValueError(
            f"X is a frame of shape {X.shape}, but WordFeaturizer expects one sequence "
            "of words a row. Choose a column of sequences; cut text into words first."
        )
    if not len(X):
        raise ValueError(
            "Found array with 0 sample(s) while a minimum of 1 is required by "
            "WordFeaturizer."
        )
    check_order_within(X, "X")
    return [
        _read_sequence(i, tokens, last_entry) for i, tokens in enumerate(as_plain(X))
    ]


def _read_sequence(i, tokens, last_entry):
    tokens = as_plain(tokens)
    if isinstance(tokens, str) or not hasattr(tokens, "__len__"):
        raise TypeError(
            f"X[{i}] is {tokens!r:.60}, but WordFeaturizer expects a sequence of "
            "words; cut text into words first."
        )
    if not len(tokens):
        raise ValueError(f"X[{i}] has no words; every sequence needs at least one.")
    read = [(token,) if isinstance(token, str) else token for token in tokens]
    for token, entries in zip(tokens, read, strict=True):
        if not _is_text(entries) or len(entries) <= last_entry:
            expected = (
                f"a tuple of at least {last_entry + 1}" if last_entry else "a str"
            )
            raise TypeError(
                f"X[{i}] holds {token!r:.60}, but WordFeaturizer expects every token "
                f"to be {expected}, a word first."
            )
    return [tuple(entries) for entries in read]


def _is_text(entries):
    if not isinstance(entries, tuple | list | np.ndarray) or not len(entries):
        return False
    return all(isinstance(entry, str) for entry in entries)
