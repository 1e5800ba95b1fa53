"""Common parts of the transformers: number types, forms, and `set_output`."""

from collections.abc import Callable
from typing import Self

import numpy as np

from skrnn._data.frames.columns import as_plain
from skrnn._data.frames.indexed_arrays import (
    index_of,
    indexed,
    is_pandas_wanted,
    known_index,
)
from skrnn._data.sequences import Multiples, ragged_array
from skrnn._data.series_windows import SeriesWindows
from skrnn._data.tokens.ids import (
    TokenIds,
    remember_vocabulary,
    token_ids,
    vocabulary_of,
)
from skrnn._data.typing import Array
from skrnn._data.windows import sliding_windows
from skrnn._estimators.watching import WatchedFit
from skrnn._sklearn import get_container_adapter, refuse_no_output, set_output_config

# Other types become the first one. Integers stay: they may be token ids.
NUMBERS = [
    np.float64,
    np.float32,
    *(np.dtype(f"{kind}{size}") for kind in "iu" for size in (8, 4, 2, 1)),
]


class SequenceOutputMixin(WatchedFit):
    """Mixin for transformers whose result is a table for some X only."""

    # Inherited from scikit-learn, which has no types.
    fit_transform: Callable[..., Array]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns where its result is a table (n, n_columns).

        A frame has no place for sequences of several features or of several lengths:
        they stay arrays. So do token ids with "polars", whose frames couldn't know the
        words that they stand for. With "pandas" such an array knows the index of its
        rows, and a recurrent estimator after it uses that for its own frame.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            None leaves it as it is.

        Returns
        -------
        self : estimator
        """
        refuse_no_output(transform)
        # scikit-learn's own would wrap every result, and fails with three dimensions.
        if transform is not None:
            set_output_config(self, transform)
        return self

    def _as_output(self, result, X, columns):
        """Return a table in the container that was asked for, with the index of X.

        Parameters
        ----------
        result : ndarray
            Of as many rows as X.
        X : array-like or list
            What `transform` was given.
        columns : callable
            Returns the names of the columns of a table.
        """
        adapter = get_container_adapter("transform", self)
        vocabulary = vocabulary_of(result)
        knows_words = vocabulary is None or is_pandas_wanted(self)
        if adapter is None or result.ndim != 2 or not knows_words:
            return self._with_index(result, X)
        made = adapter.create_container(np.asarray(result), X, columns=columns)
        if is_pandas_wanted(self):
            index = known_index(self, X)
            if index is not None:
                made.index = index
            remember_vocabulary(made, vocabulary)
        return made

    def _with_index(self, result, X):
        """Give an array the index of its rows, if frames are asked for."""
        index = index_of(X)
        if isinstance(result, TokenIds):
            return token_ids(result, result.vocabulary, index)
        is_needed = index is not None and is_pandas_wanted(self)
        return indexed(result, index) if is_needed else result


def unpack(values, sequences, *, univariate):
    """Return rows in the form that the packed `sequences` had before.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        One row for each row of ``sequences.values``, with any number of features.
    sequences : Sequences
        As :func:`skrnn._data.validation.check_sequences` returns them, all of them.
    univariate : bool
        Whether sequences with one feature get no axis for it.

    Returns
    -------
    X : ndarray of shape (n, T, F) or (n, T), or object array of (T_i, F) or (T_i,)
        Overlapping windows are a view of `values` again, those of several series
        a :class:`skrnn._data.series_windows.SeriesWindows`.
    """
    if univariate and values.shape[1] == 1:
        values = values[:, 0]
    if sequences.form == "ragged":
        return ragged_array(np.split(values, sequences.starts[1:]))
    n_sequences, n_timesteps = len(sequences), sequences.n_timesteps
    if not isinstance(sequences.starts, Multiples):
        return SeriesWindows(values, sequences.starts, n_timesteps, sequences.step)
    if len(values) == n_sequences * n_timesteps:
        return values.reshape(n_sequences, n_timesteps, *values.shape[1:])
    return sliding_windows(values, n_timesteps, sequences.step)


def lacks_feature_axis(X, sequences):
    """Whether the X of `sequences` has no axis for the features."""
    if sequences.form == "ragged":
        return np.ndim(next(iter(as_plain(X)))) == 1
    return sequences.form == "columns"


def names_of_steps(fitted, names):
    """Return the names if they are those of the features of a step, else None.

    A column of sequences of different lengths has a name, but not of a feature.
    """
    is_column = fitted._form == "ragged" and np.size(names) != fitted.n_features_in_
    return None if is_column else names
