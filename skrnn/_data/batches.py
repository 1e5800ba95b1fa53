"""Which rows stand in a batch together, and in what order.

An order of batches is an array (n_batches, batch_size) of row numbers, -1 where the
last batch has no more; of int32 where that can count the rows.
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

    Where each is the sum of one column, it is rounded as NumPy's sum of them all.
    """
    if n <= _BLOCK:
        return function(slice(first, first + n))
    # Where NumPy cuts an array to add up the sums of its halves.
    half = n // 2 - n // 2 % 8
    last = sum_of_blocks(function, n - half, first + half)
    return sum_of_blocks(function, half, first) + last


def batches_in_order(n, batch_size):
    """Cut `n` rows into batches as they come."""
    batch_size = min(batch_size, n)
    n_batches = -(-n // batch_size)
    rows = np.arange(n_batches * batch_size, dtype=row_type(n_batches * batch_size))
    rows[n:] = -1
    return rows.reshape(n_batches, batch_size)


def shuffled_batches(lengths, batch_size, rng):
    """Cut the rows of an epoch into batches in random order, each row once.

    Where sequences of different lengths would be mostly padding, pools of a few batches
    each, drawn at random, are sorted by length before they are cut, and the batches
    shuffled again: the smallest pools that will do, to keep batches as random as the
    limit of padding allows.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
    batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    batches : ndarray of shape (n_batches, batch_size)
        Row numbers; -1 fills up the last batch that was cut.
    """
    batches = batches_in_order(len(lengths), batch_size)
    rows = batches.reshape(-1)[: len(lengths)]
    # In its place: ten million rows leave no room for a second array of them.
    rng.shuffle(rows)
    # Lengths without a stride are one number.
    if lengths.strides == (0,):
        return batches
    n_batches, pool = len(batches), 1
    while pool < n_batches and padded_share(lengths[rows], batch_size) > _MOST_PADDED:
        pool = min(2 * pool, n_batches)
        number = np.arange(len(rows)) // (pool * batch_size)
        rows[:] = rows[np.lexsort((lengths[rows], number))]
    return batches if pool == 1 else rng.permutation(batches)


def batches_by_length(lengths, batch_size):
    """Cut rows into batches by length: nothing is padded further than to its like."""
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
    batches = batches_in_order(len(rows), batch_size)
    batches.reshape(-1)[: len(rows)] = rows
    return batches
