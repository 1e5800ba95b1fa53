"""Which rows are in a batch together, and in what order.

An order of batches is an array (n_batches, batch_size) of row numbers, -1 where the
last batch has no more rows; of int32 if that can count the rows. The order of many rows
is `Batches`, whose slices are such arrays.
"""

import numpy as np

# Rows that are looked at together where all at once would take too much memory.
_BLOCK = 2**16
# How many steps, padding included, a batch may have for each real one.
_MOST_PADDED = 1.25


def row_type(n) -> type:
    """Return the type of the numbers of `n` rows: half the memory where they fit."""
    return np.int32 if n <= np.iinfo(np.int32).max else np.int64


def row_blocks(n, width=1):
    """Cut `n` rows of `width` numbers into slices of bounded size."""
    size = max(1, _BLOCK // width)
    for first in range(0, n, size):
        yield slice(first, min(first + size, n))


def sum_of_blocks(function, n, first=0):
    """Add up ``function(rows)``, the sums of blocks of `n` rows.

    If each sum is that of one column, the total is rounded as NumPy's sum of all rows.
    """
    if n <= _BLOCK:
        return function(slice(first, first + n))
    # Where NumPy cuts an array to add up the sums of its halves.
    half = n // 2 - n // 2 % 8
    last = sum_of_blocks(function, n - half, first + half)
    return sum_of_blocks(function, half, first) + last


class PackedRows:
    """The numbers of `n` rows in three bytes each.

    Ten million numbers of four bytes are as large as a float32 series of as many rows.

    Parameters
    ----------
    n : int
        At most 2**24.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.batches import PackedRows
    >>> rows = PackedRows(5)
    >>> rows.shuffle(np.random.default_rng(0))
    >>> rows.read(1, 4)
    array([4, 3, 0], dtype=int32)
    """

    most = 2**24

    def __init__(self, n):
        self._bytes = np.empty((n, 3), np.uint8)
        for rows in row_blocks(n):
            numbers = np.arange(rows.start, rows.stop, dtype="<i4")
            self._bytes[rows] = numbers.view(np.uint8).reshape(-1, 4)[:, :3]

    def read(self, first, last):
        """Return the numbers that stand from `first` to `last`, as int32."""
        packed = self._bytes[first:last]
        numbers = np.zeros((len(packed), 4), np.uint8)
        numbers[:, :3] = packed
        return numbers.view("<i4").ravel().astype(np.int32, copy=False)

    def shuffle(self, rng):
        """Shuffle them as `rng` shuffles an array of them."""
        # NumPy draws the same numbers, whatever it shuffles.
        rng.shuffle(self._bytes.view("V3").ravel())


class Batches:
    """Batches whose row numbers are read where they are needed.

    A slice of it, or one batch, is an array.

    Parameters
    ----------
    n : int
        How many rows there are.
    batch_size : int
    read : callable
        ``read(first, last)`` returns the numbers of the rows from `first` to `last`, in
        the order of the batches.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.batches import Batches
    >>> batches = Batches(5, 2, np.arange)
    >>> batches[1:]
    array([[ 2,  3],
           [ 4, -1]], dtype=int32)
    >>> len(batches)
    3
    """

    def __init__(self, n, batch_size, read):
        self._n, self._read = n, read
        self.shape = -(-n // batch_size), batch_size

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, at):
        if not isinstance(at, slice):
            number = range(len(self))[at]
            return self[number : number + 1][0]
        first, last, _ = at.indices(len(self))
        size = self.shape[1]
        batches = np.full((max(last - first, 0), size), -1, row_type(self._n))
        own = self._read(first * size, min(last * size, self._n))
        batches.reshape(-1)[: len(own)] = own
        return batches

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)


def batches_in_order(n, batch_size):
    """Cut `n` rows into batches as they come."""
    if n > _BLOCK:
        return Batches(n, batch_size, np.arange)
    return _numbered(n, batch_size)


def _numbered(n, batch_size):
    """Return the batches of `n` rows in order as an array, which may be changed."""
    batch_size = min(batch_size, n)
    n_batches = -(-n // batch_size)
    rows = np.arange(n_batches * batch_size, dtype=row_type(n_batches * batch_size))
    rows[n:] = -1
    return rows.reshape(n_batches, batch_size)


def shuffled_batches(lengths, batch_size, rng):
    """Cut the rows of an epoch into batches in random order, each row once.

    If sequences of different lengths would be mostly padding, random pools of a few
    batches each are sorted by length and cut, and the batches are shuffled again. Pools
    are as small as the limit of padding allows, to keep batches random.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
    batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    batches : ndarray or Batches of shape (n_batches, batch_size)
        Row numbers; -1 fills up the last batch that was cut.
    """
    n = len(lengths)
    # Lengths without a stride are one number.
    is_uniform = lengths.strides == (0,)
    if is_uniform and _BLOCK < n <= PackedRows.most:
        packed = PackedRows(n)
        packed.shuffle(rng)
        return Batches(n, min(batch_size, n), packed.read)
    batches = _numbered(n, batch_size)
    rows = batches.reshape(-1)[:n]
    # In its place: there may be no room for a second array of them.
    rng.shuffle(rows)
    if is_uniform:
        return batches
    n_batches, pool = len(batches), 1
    while pool < n_batches and padded_share(lengths[rows], batch_size) > _MOST_PADDED:
        pool = min(2 * pool, n_batches)
        number = np.arange(len(rows)) // (pool * batch_size)
        rows[:] = rows[np.lexsort((lengths[rows], number))]
    return batches if pool == 1 else rng.permutation(batches)


def batches_by_length(lengths, batch_size):
    """Cut rows into batches by length: rows are padded only to similar lengths."""
    if lengths.strides == (0,):
        return batches_in_order(len(lengths), batch_size)
    return cut(np.argsort(lengths, kind="stable"), batch_size)


def padded_share(lengths, batch_size):
    """Return the steps, padding included, of consecutive batches for each real one."""
    firsts = np.arange(0, len(lengths), batch_size)
    sizes = np.diff(firsts, append=len(lengths))
    return (np.maximum.reduceat(lengths, firsts) * sizes).sum() / lengths.sum()


def cut(rows, batch_size):
    """Cut rows into (n_batches, batch_size), filled up with -1."""
    batches = _numbered(len(rows), batch_size)
    batches.reshape(-1)[: len(rows)] = rows
    return batches
