"""Ids and numbers together: which columns of X are ids, and how they are checked."""

from dataclasses import replace

import numpy as np

from skrnn._data.sequences import Sequences, pack_dense, strip_padding

# From here on float32, which holds ids beside numbers, skips integers.
_MOST = 2**24


def columns_of_ids(name, given, n_columns, names) -> tuple[int, ...]:
    """Return which columns of X hold ids, in their order.

    Parameters
    ----------
    name : str
        The estimator that reads them, for the errors.
    given : slice or array-like of int, bool or str
        The parameter `categorical_features`.
    n_columns : int
    names : array of str or None
        Of the columns, where X has some.

    Raises
    ------
    ValueError
        If they aren't columns of X, or there are none.
    """
    if isinstance(given, slice):
        found = range(n_columns)[given]
    else:
        try:
            found = _listed(name, np.asarray(given), n_columns, names)
        except ValueError as error:
            if "categorical_features" in str(error):
                raise
            # NumPy refuses lists of several lengths.
            raise ValueError(_error(name, given, f"is no list: {error}")) from error
    if not len(found):
        raise ValueError(_error(name, given, "names no column; None reads numbers"))
    return tuple(sorted(set(map(int, found))))


def _error(name, given, why):
    return f"categorical_features={given!r:.80} of {name} {why}."


def _listed(name, given, n_columns, names):
    listed = given.tolist()
    if given.ndim != 1 or given.dtype.kind not in "biuUO":
        why = "must be a slice, or a list of ints, bools or names of columns"
        raise ValueError(_error(name, listed, why))
    if given.dtype.kind == "b":
        if len(given) != n_columns:
            why = f"must have one bool for each of the {n_columns} columns of X"
            raise ValueError(_error(name, listed, why))
        return np.flatnonzero(given)
    if given.dtype.kind in "UO":
        return [_place(name, each, names) for each in listed]
    for each in listed:
        if not 0 <= each < n_columns:
            why = f"must lie in [0, {n_columns - 1}], the columns of X"
            raise ValueError(_error(name, listed, why))
    return listed


def _place(name, column, names):
    known = [] if names is None else list(names)
    if not isinstance(column, str) or column not in known:
        has = f"which has {known!r:.200}" if known else "which has no names of columns"
        raise ValueError(
            f"categorical_features of {name} has {column!r:.60}, which is no column of "
            f"X, {has}."
        )
    return known.index(column)


def as_steps_of_table(sequences: Sequences, columns) -> Sequences:
    """Read a table (n, C) whose `columns` are the ids of the steps of each row.

    Its other columns are numbers of the row, which stand at each of its steps beside
    the id: (n, T, 1 + K). Zeros before and after the ids are padding.
    """
    table = np.asarray(sequences.values).reshape(len(sequences), -1)
    ids, numbers = table[:, list(columns)], np.delete(table, list(columns), axis=1)
    beside = np.broadcast_to(
        numbers[:, None], (len(ids), ids.shape[1], numbers.shape[1])
    )
    steps = np.concatenate([ids[..., None], beside], axis=2)
    packed = pack_dense(steps, "columns")
    real = strip_padding(replace(packed, values=ids.reshape(-1)))
    return replace(real, values=packed.values)


def check_categories(name, sequences: Sequences, columns, sizes=None):
    """Refuse channels of ids that hold anything else.

    Parameters
    ----------
    name : str
        The estimator that reads them, for the errors.
    sequences : Sequences
        Of numbers, some of whose channels are ids.
    columns : iterable of int
    sizes : tuple of int or None
        Ids at or above that of their channel are an error.

    Raises
    ------
    ValueError
        If they are no whole numbers, negative, or too large.
    """
    for place, column in enumerate(columns):
        ids = sequences.values[:, column]
        least, most = ids.min(), ids.max()
        broken = np.flatnonzero(ids != np.floor(ids))
        if len(broken):
            why = f"{ids[broken[0]]}, but ids are whole numbers"
        elif least < 0:
            why = f"{least:.0f}, but ids must not be negative"
        elif most >= _MOST:
            why = f"{most:.0f}, but ids beside numbers must be below 2**24"
        elif sizes is not None and most >= sizes[place]:
            why = f"{most:.0f}, but {name} was fitted with ids below {sizes[place]}"
        else:
            continue
        raise ValueError(
            f"X holds {why}: categorical_features says that channel {column} of each "
            "step is an id."
        )


def ids_alone(sequences: Sequences, columns) -> Sequences:
    """Return the channels of ids, as token ids that know no words."""
    ids = sequences.values[:, list(columns)].astype(np.int32)
    ids = ids[:, 0] if ids.shape[1] == 1 else ids
    return replace(sequences, values=ids, vocabulary=None)
