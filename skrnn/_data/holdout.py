"""Which sequences to hold out for early stopping."""

import math

import numpy as np

_NONE = "set early_stopping=False and validation_split=None"


def hold_out(n_sequences, share, strata, seed):
    """Choose the sequences to train on and those to validate on.

    Parameters
    ----------
    n_sequences : int
    share : float
        Share to validate on, rounded up.
    strata : ndarray of shape (n_sequences,) or None
        Take the same share of each value at random, and never all sequences with it.
        None takes the last sequences, because rows of a series are in time order.
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
    held = np.zeros(n_sequences, dtype=bool)
    held[_spread(strata, n_validation, seed)] = True
    held &= np.isin(strata, strata[~held])
    if not held.any():
        raise ValueError(
            f"validation_split={share} of {n_sequences} sequences leaves none to "
            "validate on without taking all of a class; make it larger, or "
            f"{_NONE}."
        )
    return np.flatnonzero(~held), np.flatnonzero(held)


def _spread(strata, n_validation, seed):
    """Take evenly spaced rows of a random order that is sorted by stratum."""
    order = np.random.default_rng(seed).permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    at = np.linspace(0, len(order), n_validation, endpoint=False)
    offset = len(order) / n_validation / 2
    return order[(at + offset).astype(int)]
