"""The transformer from texts to sequences of token ids."""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._data.frames.as_arrays import frame_as_array
from skrnn._data.frames.columns import as_plain, is_frame
from skrnn._data.frames.indexed_arrays import index_of
from skrnn._data.sequences import ragged_array
from skrnn._data.tokens.ids import (
    FIRST_WORD,
    PADDING,
    UNKNOWN,
    token_ids,
    vocabulary_size,
)
from skrnn._data.typing import Array, ArrayLike, SequenceData
from skrnn._data.windows import pad_sequences
from skrnn._estimators.advice import fit_context
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._estimators.watching import told
from skrnn._sklearn import Count, HasMethods, RealNotInt, StrictInterval, StrOptions
from skrnn.preprocessing._counting import (
    analyzer_of,
    count_tokens,
    ids_of,
    tokens_to_know,
    warn_of_unused,
)
from skrnn.preprocessing._documents import (
    check_documents,
    check_tokens,
    read_ids,
    refuse_no_iterable,
)
from skrnn.preprocessing._fitting import SequenceOutputMixin
from skrnn.preprocessing._saved_state import SavedStateMixin

# The word for an unknown token in `inverse_transform`.
UNKNOWN_WORD = "[UNK]"
# Parameters of CountVectorizer: how texts are cut, and which tokens are kept.
_WORDS = ("tokenizer", "stop_words", "token_pattern", "ngram_range")
_CUTTING = ("strip_accents", "lowercase", *_WORDS)
_LIMITS = ("min_df", "max_df", "max_features")


class TextSequencer(
    SequenceOutputMixin,
    TransformerMixin,
    SavedStateMixin,
    auto_wrap_output_keys=None,
):
    r"""Turn texts into sequences of token ids for an estimator with an embedding.

    A text is cut into words or characters like in scikit-learn's ``CountVectorizer``,
    and the vocabulary is chosen by its parameters. But the tokens keep their order, and
    each becomes an id. 0 is padding, 1 is any token that isn't in the vocabulary, and
    the tokens of the vocabulary have the ids from 2 on, in sorted order.

    The result carries its vocabulary. A recurrent estimator with `embedding_dim` or
    `embedding_matrix` reads the size and the words from it, whichever rows it gets.

    Parameters
    ----------
    analyzer : {"word", "char"} or callable, default="word"
        What a token is. "char" first makes one space of two or more white spaces and
        changes to lower case, as CountVectorizer does. A callable gets a document of
        any type and returns its tokens: ``list`` keeps every character of a string, and
        takes documents that are lists of tokens already.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Whether accents are taken off a text first: "ascii" keeps only ASCII characters,
        "unicode" works for any script, and a callable gets a text and returns one.
        Ignored if `analyzer` is callable.
    lowercase : bool, default=True
        Whether to change texts to lower case first. Ignored if `analyzer` is callable.
    tokenizer : callable or None, default=None
        Cuts a text into words instead of `token_pattern`, with ``analyzer="word"``.
    stop_words : "english", list of str or None, default=None
        Words that are left out, with ``analyzer="word"``. "english" is scikit-learn's
        list. It contains "not", and networks make use of such words: better keep them.
    token_pattern : str or None, default=r"(?u)\b\w\w+\b"
        Regular expression of a word, with ``analyzer="word"``. The default, which is
        CountVectorizer's, leaves out punctuation and words of one character, and cuts
        words at combining marks: ``r"\S+"`` keeps whatever stands between spaces.
    ngram_range : tuple of int (min_n, max_n), default=(1, 1)
        The smallest and the largest number of neighbours that become a token; words are
        joined by a space. An n-gram is placed where its last word is, shorter ones
        first: "a b c" has with (1, 2) the tokens "a", "b", "a b", "c", "b c". Not for a
        callable `analyzer`.
    min_df, max_df : int or float in [0, 1], default=1 and 1.0
        Tokens in fewer or in more documents are not in the vocabulary: an int counts
        documents, a float is a share of them.
    max_features : int or None, default=None
        Keep only this many of the most frequent tokens.
    vocabulary : mapping, iterable of tokens or None, default=None
        A given vocabulary; the three parameters before are then ignored. Tokens keep
        their order, and those of a set are sorted. A mapping holds positions from 0 on,
        like ``vocabulary_`` of a CountVectorizer, or ids from 2 on, like that of a
        TextSequencer.
    maxlen : int or None, default=None
        Longer documents are cut to this number of tokens. With None they aren't cut;
        with `padding` they are cut to the length of the longest document in `fit`.
    padding : {"pre", "post"} or None, default=None
        On which side short sequences are filled with zeros, to form one array. None
        leaves each at its own length; the recurrent estimators need no padding.
    truncating : {"pre", "post"}, default="pre"
        Where a long document is cut: "pre" drops its first tokens.
    oov : {"unknown", "drop"}, default="unknown"
        What to do with tokens that aren't in the vocabulary: "unknown" gives them the
        id 1, "drop" leaves them out.

    Attributes
    ----------
    vocabulary_ : dict
        Token -> id, from 2 on. Each of these ids is somewhere in the result for the
        documents of `fit`, unless a `vocabulary` was given.
    maxlen_ : int or None
        The number of tokens that documents are cut to.

    See Also
    --------
    SequencePadder : Bring sequences of numbers to one length.

    Notes
    -----
    `fit` first cuts documents to `maxlen` and then counts tokens, because a token that
    was cut off can't be learnt. `transform` with ``oov="drop"`` first leaves out
    unknown tokens and then cuts.

    With the default ``min_df=1`` no token of the training texts is unknown, so the
    vector of id 1 isn't trained: an unknown token then adds small random numbers. With
    ``min_df=2`` or more, rare tokens train that vector.

    A document without any known token becomes a single 1, because a sequence needs at
    least one step.

    Examples
    --------
    >>> from skrnn.preprocessing import TextSequencer
    >>> texts = ["good food", "good service, good wine", "no wine"]
    >>> sequencer = TextSequencer().fit(texts)
    >>> sequencer.vocabulary_
    {'food': 2, 'good': 3, 'no': 4, 'service': 5, 'wine': 6}
    >>> [ids.tolist() for ids in sequencer.transform(["good wine", "good beer"])]
    [[3, 6], [3, 1]]
    >>> TextSequencer(padding="post", maxlen=3).fit_transform(texts).tolist()
    [[3, 2, 0], [5, 3, 6], [4, 6, 0]]
    """

    _parameter_constraints = {
        "analyzer": [StrOptions({"word", "char"}), callable],
        "strip_accents": [StrOptions({"ascii", "unicode"}), callable, None],
        "lowercase": ["boolean"],
        "tokenizer": [callable, None],
        "stop_words": [StrOptions({"english"}), list, None],
        "token_pattern": [str, None],
        "ngram_range": [tuple],
        "min_df": [StrictInterval(RealNotInt, 0, 1, closed="both"), Count()],
        "max_df": [StrictInterval(RealNotInt, 0, 1, closed="both"), Count()],
        "max_features": [Count(), None],
        "vocabulary": [Mapping, HasMethods("__iter__"), None],
        "maxlen": [Count(), None],
        "padding": [StrOptions({"pre", "post"}), None],
        "truncating": [StrOptions({"pre", "post"})],
        "oov": [StrOptions({"unknown", "drop"})],
    }

    def __init__(
        self,
        analyzer: str | Callable[[Any], Iterable[Any]] = "word",
        *,
        strip_accents: str | Callable[[str], str] | None = None,
        lowercase: bool = True,
        tokenizer: Callable[[str], Iterable[str]] | None = None,
        stop_words: str | list[str] | None = None,
        token_pattern: str | None = r"(?u)\b\w\w+\b",
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: Mapping[Any, int] | Iterable[Any] | None = None,
        maxlen: int | None = None,
        padding: str | None = None,
        truncating: str = "pre",
        oov: str = "unknown",
    ) -> None:
        self.analyzer = analyzer
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.maxlen = maxlen
        self.padding = padding
        self.truncating = truncating
        self.oov = oov

    def fit(self, X: Iterable[Any], y: Any = None) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        X : iterable of str
            Documents: a list, a one-dimensional array, a Series. With a callable
            `analyzer`, of whatever it takes.
        y : None
            Ignored.

        Returns
        -------
        self : TextSequencer

        Raises
        ------
        ValueError, TypeError
            If X holds no documents, something else than documents, or no token that
            `min_df` and `max_df` leave; an earlier fit then stays as it was.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None) -> Array:
        """Learn the vocabulary and return the documents as ids, analyzing them once.

        Parameters
        ----------
        X : iterable of str
            Documents, as for `fit`.
        y : None
            Ignored.

        Returns
        -------
        ids : ndarray of shape (n,) or (n, `maxlen_`)
            As `transform` returns them.
        """
        return self._encode(self._learn(X), X)

    @of_one_fit
    def transform(self, X: Iterable[Any]) -> Array:
        """Return the documents as sequences of token ids.

        Parameters
        ----------
        X : iterable of str
            Documents, as for `fit`.

        Returns
        -------
        ids : ndarray of shape (n,) or (n, `maxlen_`)
            An object array of one array of ids for each document, or with `padding` an
            array of integers, or a frame if `set_output` asks for one of pandas. The
            array's attribute `vocabulary` is `vocabulary_`, and so is that of any
            selection of its rows; frames know it too.

        Raises
        ------
        ValueError, TypeError
            If X holds no documents or something else than documents, or if a parameter
            was set to what it can't be.
        """
        check_is_fitted(self)
        # Parameters may be set after fit.
        self._validate_params()
        return self._encode(self._analyze(X), X)

    @of_one_fit
    def inverse_transform(self, X: SequenceData) -> list[list[str]]:
        """Return the tokens of sequences of ids.

        Parameters
        ----------
        X : array-like of shape (n, T), or list of array-likes of shape (T_i,)
            Token ids; zeros are left out.

        Returns
        -------
        tokens : list of lists
            Those of each sequence; "[UNK]" stands for the id 1.

        Raises
        ------
        ValueError, TypeError
            For what is no id of `vocabulary_`, or no sequence of them.
        """
        check_is_fitted(self)
        size, name = vocabulary_size(self.vocabulary_), type(self).__name__
        words = dict.fromkeys((PADDING, UNKNOWN), UNKNOWN_WORD)
        words |= {id_: word for word, id_ in self.vocabulary_.items()}
        rows = frame_as_array(self, X) if is_frame(X) else as_plain(X)
        refuse_no_iterable(name, rows, "sequences of token ids")
        sequences = [read_ids(i, ids, size, name) for i, ids in enumerate(rows)]
        return [
            [words[id_] for id_ in ids[ids != PADDING].tolist()] for ids in sequences
        ]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored: whatever the column of texts is called.

        Returns
        -------
        names : ndarray of str objects of shape (`maxlen_`,) or (1,)
            With `padding` "token0" for the first column, and so on; without, "tokens"
            alone.
        """
        check_is_fitted(self)
        if self.padding is None:
            return np.array(["tokens"], dtype=object)
        return np.array([f"token{i}" for i in range(self._width())], dtype=object)

    @fit_context(prefer_skip_nested_validation=True)
    @told
    def _learn(self, X):
        """Set the fitted attributes; return the tokens of the documents."""
        params = {key: getattr(self, key) for key in _CUTTING}
        warn_of_unused(type(self).__name__, self.analyzer, **params)
        with unchanged_on_error(self):
            documents = list(self._analyze(X))
            cut = [self._cut(tokens, self.maxlen) for tokens in documents]
            known = self._known(cut)
            by_column = sorted(known.items(), key=itemgetter(1))
            self.vocabulary_ = {word: FIRST_WORD + int(i) for word, i in by_column}
            self.maxlen_ = None if self.maxlen is None else int(self.maxlen)
            if self.padding is not None and self.maxlen is None:
                self.maxlen_ = max(map(len, self._ids(documents)))
        return documents

    def _known(self, documents):
        """Return the tokens to know, and their places in the vocabulary."""
        name = type(self).__name__
        if self.vocabulary is None:
            limits = {key: getattr(self, key) for key in _LIMITS}
            return count_tokens(name, documents, **limits)
        lowercase = self.lowercase and not callable(self.analyzer)
        return tokens_to_know(name, self.vocabulary, lowercase=lowercase)

    def _analyze(self, X):
        """Yield the list of tokens of each document."""
        documents = check_documents(self, X, strings=not callable(self.analyzer))
        name = type(self).__name__
        params = {key: getattr(self, key) for key in _CUTTING}
        analyze = analyzer_of(name, self.analyzer, **params)
        return (check_tokens(name, i, analyze(d)) for i, d in enumerate(documents))

    def _cut(self, tokens, maxlen):
        if maxlen is None or len(tokens) <= maxlen:
            return tokens
        return tokens[-int(maxlen) :] if self.truncating == "pre" else tokens[:maxlen]

    def _encode(self, documents, X):
        """Return the documents of X, whole lists of tokens, as ids."""
        sequences = [
            np.array(self._cut(ids, self.maxlen_), np.int32)
            for ids in self._ids(documents)
        ]
        if self.padding is None:
            return token_ids(ragged_array(sequences), self.vocabulary_, index_of(X))
        padded = pad_sequences(sequences, self._width(), self.padding, self.truncating)
        ids = token_ids(padded, self.vocabulary_)
        return self._as_output(ids, X, self.get_feature_names_out)

    def _width(self):
        """Return the length of every padded sequence."""
        if self.maxlen_ is None:
            raise ValueError(
                f"padding={self.padding!r} was set after fit, which learnt no length "
                "to fill sequences to: fit again."
            )
        return self.maxlen_

    def _ids(self, documents):
        """Yield the list of ids of each document, which is never empty."""
        return ids_of(documents, self.vocabulary_, drop=self.oov == "drop")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
