"""Arrays of sequences that carry the index of the frame or Series they came from."""

from copy import copy
from functools import partial
from typing import Any

import numpy as np

# Stands for an index that got lost: the rows had one, but it isn't known any more.
LOST = "lost"


class KnowsRows:
    """Base of arrays that may carry the index of a frame's rows."""

    row_index: Any = None


class IndexedArray(KnowsRows, np.ndarray):
    """Sequences, an array (n, ...) or a ragged one of objects, and the index of rows.

    Selections of rows, copies, pickles and elementwise results, such as
    ``np.log1p(X)``, keep the index. After any other operation it isn't known which
    rows are left: then it is `LOST`. None means that the rows never had an index.

    Attributes
    ----------
    row_index : pandas.Index, "lost" or None
    """

    def __array_finalize__(self, source):
        known = getattr(source, "row_index", None) is not None
        self.row_index = LOST if known else None

    def __array_wrap__(self, array, context=None, return_scalar=False):
        if return_scalar:
            return array[()]
        if self.row_index is None:
            return np.asarray(array)
        index = self._joint_index(context, np.shape(array))
        return indexed(np.asarray(array), index)

    def _joint_index(self, context, shape):
        """Return the index of a ufunc's result."""
        if context is None or context[0].signature or shape != self.shape:
            # A reduction or the like: not elementwise.
            return LOST
        known = [i for i in map(index_of, context[1]) if i is not None]
        same = all(map(partial(_are_same, self.row_index), known))
        return self.row_index if same else LOST

    def __array_function__(self, function, types, args, kwargs):
        made = super().__array_function__(function, types, args, kwargs)
        if type(made) is not np.ndarray or not made.ndim:
            return made
        if function is not np.concatenate:
            is_lost = self.row_index is not None and len(made) == len(self)
            return indexed(made, LOST) if is_lost else made
        axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
        return self._joined(made, args[0], axis)

    def _joined(self, array, parts, axis):
        """Give a concatenated array the index of its parts if they are side by side."""
        indices = [index_of(part) for part in parts]
        known = [index for index in indices if index is not None]
        if not known:
            return array
        same = axis == 1 and all(map(partial(_are_same, known[0]), known))
        return indexed(array, known[0] if same else LOST)

    def __getitem__(self, key):
        found = super().__getitem__(key)
        if isinstance(found, IndexedArray) and self.row_index is not None:
            found.row_index = self._index_of(key, found)
        return found

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        # A shuffle assigns rows one by one, in a view of its own.
        array: Any = None if np.isscalar(value) else self
        while isinstance(array, IndexedArray) and array.row_index is not None:
            array.row_index = LOST
            array = array.base

    def _index_of(self, key, found):
        """Return the index of the rows that `key` has found."""
        rows, *others = (key or (...,)) if isinstance(key, tuple) else (key,)
        if rows is Ellipsis and len(others) < self.ndim:
            rows = slice(None)
        if isinstance(self.row_index, str) or not all(map(_keeps_rows, others)):
            return LOST
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.ndim != 1 or rows.dtype.kind not in "biu":
                return LOST
        index = self.row_index[rows]
        return index if found.ndim and len(index) == len(found) else LOST

    def copy(self, order="C"):
        """Copy the array; the index of its rows is the same."""
        return self._with_index(super().copy(order))

    def __copy__(self):
        return self._with_index(super().__copy__())

    def __deepcopy__(self, memo):
        return self._with_index(super().__deepcopy__(memo))

    def astype(self, *args, **kwargs):
        """Convert the values; the index of the rows is the same."""
        return self._with_index(super().astype(*args, **kwargs))

    def sort(self, *args, **kwargs):
        """Sort in place; the index of the rows is lost."""
        super().sort(*args, **kwargs)
        self.row_index = None if self.row_index is None else LOST

    def _with_index(self, array):
        if isinstance(array, IndexedArray):
            array.row_index = self.row_index
        return array

    def __reduce__(self):
        made = super().__reduce__()
        assert not isinstance(made, str)
        return *made[:2], (made[2], vars(self))

    def __setstate__(self, state):
        state, attributes = state
        vars(self).update(attributes)
        super().__setstate__(state)


def _are_same(index, other):
    if isinstance(index, str) or isinstance(other, str):
        return False
    return index is other or index.equals(other)


def _keeps_rows(key):
    """Whether the key, behind its first axis, leaves the rows where they are."""
    return isinstance(key, slice | int | np.integer) or key is Ellipsis


def indexed(array, index):
    """Return `array` as one that knows the index of its rows; its memory is shared.

    Windows of several series stay what they are: as an array they may be far larger.
    """
    if not isinstance(array, np.ndarray):
        array = copy(array)
    elif not isinstance(array, IndexedArray):
        array = array.view(IndexedArray)
    array.row_index = index
    return array


def index_of(X):
    """Return the index of the rows of X, LOST, or None if they never had one.

    Raises nothing: `known_index` does.
    """
    if isinstance(X, KnowsRows):
        return X.row_index
    return X.index if hasattr(X, "iloc") else None


def known_index(estimator, X):
    """Return the index of the rows of X, or None if they never had one.

    Raises
    ------
    ValueError
        If they had one and it is lost.
    """
    index = index_of(X)
    if isinstance(index, str):
        raise ValueError(
            f"{type(estimator).__name__} was asked for pandas output, but a step "
            "before it has computed other rows from those of the frame, or put them "
            "together anew, so their index is lost, and numbers from 0 on would join "
            "them to other rows. Let that step be SequenceWise or a selection of rows, "
            'or ask for arrays, set_output(transform="default").'
        )
    return index


def is_pandas_wanted(estimator):
    """Whether `estimator` was asked for frames of pandas, itself or globally."""
    # Deferred: the engine imports this module for windows, and loads no scikit-learn.
    from skrnn._sklearn import get_output_config  # noqa: PLC0415

    return get_output_config("transform", estimator)["dense"] == "pandas"


def with_index_of(X, table, estimator):
    """Return an estimator's table for X: as a frame if X carries an index.

    scikit-learn itself finds the index of frames and Series, and names the columns.

    Parameters
    ----------
    X : array-like or list
    table : ndarray of shape (n, n_columns)
    estimator : estimator
        Its `set_output` decides whether a frame is made.
    """
    if not isinstance(X, KnowsRows) or not is_pandas_wanted(estimator):
        return table
    index = known_index(estimator, X)
    if index is None:
        return table
    # Deferred: only who uses pandas has loaded it.
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(table, index=index)
