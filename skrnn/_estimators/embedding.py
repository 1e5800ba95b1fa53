"""How X is read: both ways, by attention, and ids by an embedding table."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skrnn._data.finite import check_array
from skrnn._data.sequences import Sequences
from skrnn._data.tokens.categories import columns_of_ids
from skrnn._data.tokens.ids import vocabulary_size
from skrnn._estimators.names import Names
from skrnn._networks.attention import FREE_ATTENTIONS
from skrnn._sklearn import Count, Vectors


@dataclass(frozen=True)
class Embedding:
    """The size of the embedding table, and the rows that the user gave.

    Attributes
    ----------
    vocabulary_size, dim : int, tuple of int or None
        Rows and columns; a tuple has those of each channel of token ids. None where no
        tokens are read.
    ids : ndarray of shape (n_given,) or None
        Rows that `vectors` are for; None where nothing is given.
    vectors : ndarray of shape (n_given, dim) or None
    """

    vocabulary_size: int | tuple[int, ...] | None = None
    dim: int | tuple[int, ...] | None = None
    ids: np.ndarray | None = None
    vectors: np.ndarray | None = None

    def fill(self, weights, _training):
        """Put the given vectors into the first of a network's weights, a random table.

        Ids without a given vector keep a random one of the same variance (Kim, 2014).
        """
        if self.ids is None or self.vectors is None:
            return weights
        table, *others = weights
        filled = table * np.float32((self.vectors.std() or 1.0) / table.std())
        filled[self.ids] = self.vectors
        return [filled, *others]


@dataclass(kw_only=True, eq=False, repr=False)
class LooksUpTokens:
    """The parameter of networks that read numbers, or token ids."""

    embedding_dim: int | tuple[int, ...] | None = None

    _reading_constraints: ClassVar[dict[str, list]] = {"embedding_dim": [Count(), None]}


@dataclass(kw_only=True, eq=False, repr=False)
class ReadsWholeSequences(LooksUpTokens):
    """The parameters of networks that may look at all steps before they answer."""

    bidirectional: bool = False
    attention: str | None = None

    _reading_constraints: ClassVar[dict[str, list]] = {
        **LooksUpTokens._reading_constraints,
        "bidirectional": ["boolean"],
        "attention": [Names("attention", set(FREE_ATTENTIONS)), None],
    }


@dataclass(kw_only=True, eq=False, repr=False)
class TakesVectors:
    """The parameters of networks that take vectors of token ids.

    Clones share the vectors: they are only read, and may take gigabytes.
    """

    embedding_matrix: Any = None
    embedding_trainable: bool = True

    _vector_constraints: ClassVar[dict[str, list]] = {
        "embedding_matrix": [Vectors(), None],
        "embedding_trainable": ["boolean"],
    }

    def __sklearn_clone__(self):
        without = copy(self)
        without.embedding_matrix = None
        cloned = super(TakesVectors, without).__sklearn_clone__()  # type: ignore[misc]
        cloned.embedding_matrix = self.embedding_matrix
        return cloned


def reads_tokens(estimator) -> bool:
    """Whether an estimator reads X as token ids."""
    dim, matrix = estimator.embedding_dim, estimator.embedding_matrix
    return dim is not None or matrix is not None


def id_columns(estimator, n_columns) -> tuple[int, ...]:
    """Return which columns of X are ids beside numbers, by `categorical_features`.

    Raises
    ------
    ValueError
        If they aren't columns of X, or nothing tells the length of their vectors.
    """
    given, name = estimator.categorical_features, type(estimator).__name__
    if not reads_tokens(estimator):
        raise ValueError(
            f"categorical_features={given!r:.80} of {name} needs an embedding_dim, the "
            "length of the vectors of ids; or an embedding_matrix."
        )
    names = getattr(estimator, "feature_names_in_", None)
    return columns_of_ids(name, given, n_columns, names)


def read_embedding(estimator, sequences: Sequences, trained=None) -> Embedding:
    """Decide the size of the embedding table for `sequences`, and read given vectors.

    Parameters
    ----------
    estimator : estimator
        Its ``embedding_dim`` and ``embedding_matrix`` are read.
    sequences : Sequences
        If they have a vocabulary, it makes the size, and vectors by word need it.
    trained : NetworkSpec or None
        Spec of the network whose training goes on: no vectors are read again for it.

    Raises
    ------
    ValueError
        If an ``embedding_matrix`` doesn't suit the ids or ``embedding_dim``, or that
        doesn't suit the number of channels.
    """
    matrix = estimator.embedding_matrix
    if not reads_tokens(estimator):
        return Embedding()
    dim = _dim(sequences, estimator.embedding_dim)
    if trained is not None:
        return Embedding(trained.vocabulary_size, dim or trained.embedding_dim)
    if matrix is None:
        return Embedding(_size(sequences), dim)
    if sequences.values.ndim > 1:
        raise ValueError(
            "embedding_matrix is for one token id a step, but X has "
            f"{sequences.n_features} channels."
        )
    name = type(estimator).__name__
    read = _vectors_of_words if is_by_word(matrix) else _rows_of_ids
    found = read(name, matrix, sequences)
    if dim not in (None, found.dim):
        raise ValueError(
            f"embedding_dim={dim}, but the vectors of embedding_matrix have length "
            f"{found.dim}; leave embedding_dim out."
        )
    return found


def is_by_word(vectors) -> bool:
    """Whether `vectors` are looked up by word: a mapping, or gensim's KeyedVectors."""
    return isinstance(vectors, Mapping) or hasattr(vectors, "key_to_index")


def _size(sequences):
    if sequences.vocabulary is not None:
        return vocabulary_size(sequences.vocabulary)
    if sequences.values.ndim > 1:
        return tuple(int(id_) + 1 for id_ in sequences.values.max(axis=0))
    return int(sequences.values.max()) + 1


def _dim(sequences, embedding_dim):
    """Return one length of vectors, or that of each of several channels."""
    if embedding_dim is None:
        return None
    n_channels = sequences.n_features
    given = isinstance(embedding_dim, tuple | list)
    dims = tuple(embedding_dim) if given else (embedding_dim,) * n_channels
    if len(dims) != n_channels:
        raise ValueError(
            f"embedding_dim={embedding_dim!r} is for {len(dims)} channels of token ids "
            f"a step, but X has {n_channels}."
        )
    return tuple(map(int, dims)) if sequences.values.ndim > 1 else int(dims[0])


def _rows_of_ids(name, matrix, sequences):
    matrix = _as_vectors(name, matrix)
    n_rows, needed = len(matrix), _size(sequences)
    exact = sequences.vocabulary is not None
    if n_rows < needed or (exact and n_rows > needed):
        raise ValueError(
            f"embedding_matrix has {n_rows} rows, but X has {needed} ids, 0 to "
            f"{needed - 1}; row i is the vector of id i."
        )
    return Embedding(n_rows, matrix.shape[1], np.arange(n_rows), matrix)


def _vectors_of_words(name, vectors, sequences):
    if sequences.vocabulary is None:
        raise ValueError(
            "embedding_matrix holds vectors by word, but X doesn't tell the words of "
            "its ids: put a TextSequencer right before, in a Pipeline, with nothing "
            "that makes a frame or another array of its ids, as pandas output or a "
            "ColumnTransformer does; or give an array with a row for each id."
        )
    known = [(word, i) for word, i in sequences.vocabulary.items() if word in vectors]
    if not known:
        raise ValueError(
            f"None of the {len(sequences.vocabulary)} words of X has a vector in "
            "embedding_matrix; do they differ in case?"
        )
    found = [_vector(word, vectors[word]) for word, _ in known]
    lengths = sorted({len(vector) for vector in found})
    if len(lengths) > 1:
        raise ValueError(
            f"The vectors of embedding_matrix have the lengths {lengths}; expected one "
            "length."
        )
    rows = _as_vectors(name, found)
    ids = np.array([i for _, i in known])
    return Embedding(_size(sequences), rows.shape[1], ids, rows)


def _vector(word, vector):
    if len(_shape(vector)) != 1:
        raise ValueError(
            f"embedding_matrix[{word!r:.40}] is {vector!r:.60}; expected a vector of "
            "numbers."
        )
    return vector


def _shape(array):
    try:
        return np.shape(array)
    except ValueError:
        # NumPy refuses rows of different lengths.
        return len(array), None


def _as_vectors(name, vectors):
    shape = _shape(vectors)
    if len(shape) != 2 or not all(shape):
        raise ValueError(
            f"embedding_matrix has shape {shape}; expected (n_ids, embedding_dim), "
            "where row i is the vector of id i."
        )
    options: Any = dict(input_name="embedding_matrix", estimator=name)
    try:
        # A float64 beyond float32's range becomes inf, which it reports.
        return check_array(vectors, dtype=np.float32, **options)
    except (TypeError, ValueError) as error:
        if "embedding_matrix" in str(error):
            raise
        reason = str(error).partition("\n")[0]
        raise ValueError(f"embedding_matrix must hold numbers: {reason}.") from error
