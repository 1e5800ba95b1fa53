"""Which sequences are trained on together, and in what order."""

import numpy as np

# How many steps, padding included, a batch may have for each real one.
_MOST_PADDED = 1.25


def shuffled_batches(lengths, batch_size, rng):
    """Cut the rows of an epoch into batches in random order, each row once.

    Where sequences of different lengths would be mostly padding, pools of a few batches
    each, drawn at random, are sorted by length before they are cut, and the batches
    shuffled again: the smallest pools that will do, so that chance decides as much as
    it can about who meets whom.

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
    rows = np.arange(len(lengths))
    rng.shuffle(rows)
    n_batches, pool = -(-len(rows) // batch_size), 1
    # Lengths without a stride are one number.
    if lengths.strides == (0,):
        return cut(rows, batch_size)
    while pool < n_batches and padded_share(lengths[rows], batch_size) > _MOST_PADDED:
        pool = min(2 * pool, n_batches)
        number = np.arange(len(rows)) // (pool * batch_size)
        rows = rows[np.lexsort((lengths[rows], number))]
    batches = cut(rows, batch_size)
    return batches if pool == 1 else rng.permutation(batches)


def padded_share(lengths, batch_size):
    """Return the steps, padding included, of consecutive batches for each real one."""
    firsts = np.arange(0, len(lengths), batch_size)
    sizes = np.diff(firsts, append=len(lengths))
    return (np.maximum.reduceat(lengths, firsts) * sizes).sum() / lengths.sum()


def cut(rows, batch_size):
    """Cut rows into (n_batches, batch_size), filled up with -1."""
    batch_size = min(batch_size, len(rows))
    n_batches = -(-len(rows) // batch_size)
    filled = np.full(n_batches * batch_size, -1)
    filled[: len(rows)] = rows
    return filled.reshape(n_batches, batch_size)
