"""Labels as the numbers of their classes.

All is done in blocks: NumPy's functions make arrays of eight bytes for each label, and
ten million windows have no memory to spare beside their series.
"""

import numpy as np

from skrnn._data.batches import row_blocks
from skrnn._sklearn import naming

# With more different labels than this, blocks save nothing.
_MOST_LABELS = 2**15


class Codes:
    """Numbers of classes in the smallest type; rows that are read get another type.

    NumPy reads it as an array; an index or `take` makes one of the rows asked for.

    Parameters
    ----------
    numbers : ndarray of int of shape (n, 1)
    dtype : dtype
        That of the rows that are read.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.targets.codes import Codes
    >>> codes = Codes(np.array([[1], [0]], np.int8), np.float32)
    >>> codes[:1]
    array([[1.]], dtype=float32)
    """

    ndim = 2

    def __init__(self, numbers, dtype):
        self.numbers, self.dtype, self.shape = numbers, np.dtype(dtype), numbers.shape

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, rows):
        return self.numbers[rows].astype(self.dtype)

    def take(self, rows, axis=0):
        """Return the numbers at `rows`, of any shape (...): (..., 1)."""
        return self.numbers.take(rows, axis=axis).astype(self.dtype)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("Codes of another type can't be an array uncopied.")
        return self.numbers.astype(dtype or self.dtype)


def different(y):
    """Return the different labels of y (n,), sorted, as ``numpy.unique`` does."""
    found = np.unique(y[:0])
    for rows in row_blocks(len(y)):
        own = np.unique(y[rows])
        if not np.array_equal(own, found):
            found = np.unique(np.concatenate([found, own])) if rows.start else own
        if len(found) > _MOST_LABELS:
            return np.unique(y)
    return found


def few_like(y):
    """Return a short array that scikit-learn judges as it judges y (n,).

    It has the same labels, each more than once: scikit-learn warns if most labels of y
    are different.
    """
    if y.ndim == 2 and y.shape[1] == 1 and isinstance(y, np.ndarray):
        return few_like(y[:, 0])[:, None]
    is_known = y.ndim == 1 and y.dtype.kind in "biufUO" and len(y) > 0
    if not is_known or (y.dtype == object and not isinstance(y[0], str)):
        return y
    labels = different(y)
    return np.concatenate([labels, labels]) if 2 * len(labels) < len(y) else y


def encode(y, classes):
    """Return the numbers of labels y (n,) in `classes`, which are sorted.

    Returns
    -------
    numbers : ndarray of shape (n,)
        Of the smallest integers that can count the classes.

    Raises
    ------
    ValueError
        If a label is none of them.
    """
    last = len(classes) - 1
    numbers = np.empty(len(y), np.min_scalar_type(-1 - last))
    for rows in row_blocks(len(y)):
        own = y[rows]
        with naming("y"):
            found = np.minimum(np.searchsorted(classes, own), last)
        if not np.array_equal(classes[found], own):
            _refuse_unknown(y, classes)
            # Labels of another kind, which NumPy makes alike before it compares.
            return np.searchsorted(classes, y).astype(numbers.dtype)
        numbers[rows] = found
    return numbers


def _refuse_unknown(y, classes):
    unknown = np.setdiff1d(y, classes)
    if len(unknown):
        raise ValueError(
            f"y contains the unknown label {unknown.tolist()[0]!r}; the classes "
            f"are {classes.tolist()}."
        )
