"""Swapping the axes of sequences that have their features first."""

import numpy as np

from skrnn._data.finite import refuse_masked
from skrnn._data.frames.indexed_arrays import index_of, indexed
from skrnn._data.sequences import ragged_array
from skrnn._data.tokens.ids import token_ids, vocabulary_of
from skrnn._data.typing import Array, SequenceData


def from_channels_first(X: SequenceData) -> Array | list[Array]:
    """Put time before the features, the order that everything here expects.

    Parameters
    ----------
    X : array-like of shape (n, F, T), or list of array-likes of shape (F, T_i)
        Sequences with their features (channels) first.

    Returns
    -------
    X : ndarray of shape (n, T, F), or list or object array of (T_i, F) arrays
        A list for a list or a tuple. The result is a view on arrays.

    Raises
    ------
    ValueError
        If X has another number of dimensions, or its sequences differ in their
        number of features.

    See Also
    --------
    skrnn.preprocessing.SequenceWise : Transformers of tables for steps of sequences.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import from_channels_first
    >>> from_channels_first(np.zeros((10, 3, 50))).shape
    (10, 50, 3)
    >>> [x.shape for x in from_channels_first([np.zeros((3, 50)), np.zeros((3, 7))])]
    [(50, 3), (7, 3)]
    """
    if isinstance(X, list | tuple):
        return _all_time_first(X)
    refuse_masked(X, "X")
    array = np.asarray(X)
    if array.dtype == object and array.ndim == 1:
        return _like(X, ragged_array(_all_time_first(array)))
    if array.ndim != 3:
        raise ValueError(
            f"X has shape {array.shape}; expected (n_samples, n_features, n_timesteps) "
            "or a list of (n_features, n_timesteps) arrays."
        )
    return _like(X, array.transpose(0, 2, 1))


def _like(X, turned):
    """Give the result the index and the vocabulary that X carries."""
    if vocabulary_of(X) is not None:
        return token_ids(turned, vocabulary_of(X), index_of(X))
    return turned if index_of(X) is None else indexed(turned, index_of(X))


def _all_time_first(sequences):
    turned = [_time_first(i, sequence) for i, sequence in enumerate(sequences)]
    for i, sequence in enumerate(turned):
        if sequence.shape[1] != turned[0].shape[1]:
            raise ValueError(
                f"X[{i}] has {sequence.shape[1]} features, but X[0] has "
                f"{turned[0].shape[1]}; expected the same for all."
            )
    return turned


def _time_first(i, sequence):
    refuse_masked(sequence, f"X[{i}]")
    try:
        array = np.asarray(sequence)
    except ValueError as error:
        raise ValueError(f"X[{i}] is not rectangular: {error}") from error
    if array.ndim != 2:
        raise ValueError(
            f"X[{i}] has shape {array.shape}; expected (n_features, n_timesteps)."
        )
    return array.T
