"""Which sequences to hold out for early stopping."""

import math

import numpy as np

from skrnn._data.batches import row_blocks, row_type

_NONE = "set early_stopping=False and validation_split=None"


def hold_out(n_sequences, share, strata, seed):
    """Choose the sequences to train on and those to validate on.

    Parameters
    ----------
    n_sequences : int
    share : float
        Share to validate on, rounded up.
    strata : ndarray of shape (n_sequences,) or None
        Take the same share of each value at random, but never all sequences that have
        it. Integers are class numbers, from 0. None takes the last sequences, because
        rows of a series are in time order.
    seed : int

    Returns
    -------
    training, validation : ndarray or slice
        Row numbers, ascending; slices where the last sequences are held out.

    Raises
    ------
    ValueError
        If nothing is left to train on or to validate on.
    """
    n_validation = math.ceil(n_sequences * share)
    if n_validation >= n_sequences:
        raise ValueError(
            f"validation_split={share} leaves none of {n_sequences} sequences to train "
            f"on; make it smaller, or {_NONE}."
        )
    if strata is None:
        n_training = n_sequences - n_validation
        return slice(n_training), slice(n_training, n_sequences)
    if strata.dtype.kind not in "iu":
        strata = np.unique(strata, return_inverse=True)[1]
    held = _spread(strata, n_validation, seed)
    _give_back(held, strata)
    if not held.any():
        raise ValueError(
            f"validation_split={share} of {n_sequences} sequences leaves none to "
            "validate on without taking all of a class; make it larger, or "
            f"{_NONE}."
        )
    return _numbers_of(held, False), _numbers_of(held, True)


# All below is done in blocks: ten million windows leave no room for an array of eight
# bytes for each.


def _counts(strata, held=None):
    """Return how many rows each stratum has; with a mask, how many that are held."""
    counts = np.zeros(int(strata.max()) + 1, np.intp)
    for rows in row_blocks(len(strata)):
        own = strata[rows] if held is None else strata[rows][held[rows]]
        counts += np.bincount(own, minlength=len(counts))
    return counts


def _spread(strata, n_validation, seed):
    """Take evenly spaced rows of a random order that is sorted by stratum.

    Returns
    -------
    held : ndarray of bool of shape (n,)
    """
    n, counts = len(strata), _counts(strata)
    offset = n / n_validation / 2
    at = np.linspace(0, n, n_validation, endpoint=False)
    at += offset
    is_taken = np.zeros(n, bool)
    is_taken[at.astype(row_type(n))] = True
    held = np.zeros(n, bool)
    order: np.ndarray = np.arange(n, dtype=row_type(n))
    np.random.default_rng(seed).shuffle(order)
    # Where the next row of each stratum stands among the sorted ones.
    places = np.cumsum(counts) - counts
    for rows in row_blocks(n):
        own = strata[order[rows]]
        by_stratum = np.argsort(own, kind="stable")
        own, here = own[by_stratum], np.bincount(own, minlength=len(counts))
        firsts = np.cumsum(here) - here
        sorted_at = (places - firsts)[own] + np.arange(len(own))
        held[order[rows][by_stratum[is_taken[sorted_at]]]] = True
        places += here
    return held


def _give_back(held, strata):
    """Hold out nothing of a stratum that is held as a whole."""
    n_held = _counts(strata, held)
    is_whole = (n_held == _counts(strata)) & (n_held > 0)
    for rows in row_blocks(len(held)) if is_whole.any() else ():
        held[rows] &= ~is_whole[strata[rows]]


def _numbers_of(held, value):
    """Return the numbers of the rows where `held` is `value`."""
    n = len(held)
    n_held = np.count_nonzero(held)
    n_wanted = n_held if value else n - n_held
    numbers: np.ndarray = np.empty(n_wanted, row_type(n))
    first = 0
    for rows in row_blocks(n):
        own = np.flatnonzero(held[rows] == value)
        numbers[first : first + len(own)] = own + rows.start
        first += len(own)
    return numbers
