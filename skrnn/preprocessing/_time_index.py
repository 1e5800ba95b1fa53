"""What the index of a frame says about the order and the succession of its rows."""

import numpy as np

_TEMPORAL = {"datetime64", "timedelta64", "period"}
_NUMERIC = {"integer", "floating"}

# Enough to tell business days from days, and not so many that an old hole matters.
_N_LABELS = 32


def row_index(X):
    """Return the pandas index of X; None for anything that has none."""
    return X.index if hasattr(X, "iloc") else None


def last_labels(index):
    """Return a copy of the end of an index, enough to tell what comes next."""
    return None if index is None else index[-_N_LABELS:].copy(deep=True)


def check_time_order(index):
    """Refuse a temporal index whose times don't increase from row to row.

    Parameters
    ----------
    index : pandas.Index or None

    Raises
    ------
    ValueError
        If the index holds times and is unsorted or has one of them twice.
    """
    if index is None or index.inferred_type not in _TEMPORAL:
        return
    kind = type(index).__name__
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise ValueError(f"The {kind} of X has {twice} more than once; expected once.")
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"The {kind} of X is not in time order, and a window is made of the rows "
            "before it; sort X (and y) first."
        )


def continues(end, index):
    """Whether `index` starts one step after `end`.

    Parameters
    ----------
    end : pandas.Index
        The last labels of what came before.
    index : pandas.Index

    Returns
    -------
    continues : bool
        Always False for labels that are neither times nor numbers.
    """
    kinds = {end.inferred_type, index.inferred_type}
    if len(end) < 2 or not (kinds <= _NUMERIC or kinds <= _TEMPORAL):
        return False
    if kinds <= _NUMERIC:
        return bool(np.isclose(index[0], end[-1] + (end[-1] - end[-2])))
    return bool(index[0] == end[-1] + _step(end))


def _step(times):
    """Return the distance of the next time from the last, as a calendar knows it."""
    if times.freq is not None:
        return times.freq
    # From the longest stretch before the end without a hole: three labels alone
    # can't tell business days from days.
    for n_labels in range(len(times), 2, -1):
        frequency = type(times)(times[-n_labels:], freq="infer").freq
        if frequency is not None:
            return frequency
    return times[-1] - times[-2]
