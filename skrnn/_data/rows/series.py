"""The only place that decides about rows: their order, their series, what is next.

All code that reads rows as steps in time calls this module: a frame's index may say
that the rows run backwards, that some are missing, or that they are several series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._data.rows.labels import RowLabels, read_labels
from skrnn._data.rows.order import check_order, is_in_order
from skrnn._sklearn import naming


@dataclass(frozen=True)
class Rows:
    """What is known of rows that are steps in time.

    Attributes
    ----------
    n_rows : int
    labels : RowLabels or None
        None for rows without an index.
    keys : list of hashable, or None
        The names of the series, in the order of their first rows. None for one series
        without a name.
    codes : ndarray of shape (n_rows,) or None
        For each row the position of its series in `keys`.
    are_counted : bool
        Whether the labels count the rows of all series together, as the index of a
        table does if `groups` names the series.
    """

    n_rows: int
    labels: RowLabels | None = None
    keys: list | None = None
    codes: np.ndarray | None = None
    are_counted: bool = False

    @cached_property
    def _order(self):
        assert self.codes is not None
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def lengths(self):
        """Number of rows of each series."""
        if self.keys is None or self.codes is None:
            return np.array([self.n_rows])
        return np.bincount(self.codes, minlength=len(self.keys))

    def by_series(self):
        """Return the positions of the rows of each series, as lists or slices."""
        if self.keys is None:
            return [slice(None)]
        return np.split(self._order, np.cumsum(self.lengths)[:-1])

    def places(self):
        """Return the rows sorted by series, and the position of each row in that order.

        Returns
        -------
        order : ndarray of shape (n_rows,)
            Rows, series after series.
        places : ndarray of shape (n_rows,)
            ``order[places]`` is 0, 1, 2, ...
        """
        if self.keys is None:
            return np.arange(self.n_rows), np.arange(self.n_rows)
        places = np.empty(self.n_rows, dtype=np.intp)
        places[self._order] = np.arange(self.n_rows)
        return self._order, places


def read_rows(X, n_rows, *, groups=None, y=None, known=(), name="X"):
    """Read the order and the series of the rows of X; refuse rows out of order.

    Parameters
    ----------
    X : array-like
        Rows in time order. Only what is pandas' has an index.
    n_rows : int
        Number of rows of X.
    groups : array-like of shape (n_rows,) or None, default=None
        The series that each row belongs to. Without it a MultiIndex tells the series;
        its last level is the time.
    y : array-like or None, default=None
        Has the same rows as X. Its index is read if X has none, for example if a scaler
        has turned a frame into an array.
    known : tuple of str
        How ``fit`` read strings that are dates: the `forms` of its History.
    name : str, default="X"
        What the user calls X.

    Returns
    -------
    rows : Rows

    Raises
    ------
    ValueError
        If an index isn't in ascending order, within each series, or holds a label
        twice, or if `groups` doesn't fit X.
    """
    index, of_y = row_index(X), row_index(y)
    if index is None and of_y is not None and len(of_y) == n_rows:
        index, name = of_y, "y"
    keys, codes = _read_groups(groups, n_rows, index, name)
    if index is None:
        return Rows(n_rows, None, keys, codes)
    labels, found = _split_levels(index, name, groups is not None, known)
    if groups is None:
        rows = Rows(n_rows, labels, *found)
    else:
        rows = Rows(n_rows, labels, keys, codes, _counts_rows(index, labels))
        if _name_series(rows):
            return Rows(n_rows, None, keys, codes)
    rows = _settled(rows)
    check_order(rows, name)
    return rows


def _settled(rows):
    """Return the reading of the labels in which the rows are in order, if one is."""
    readings = rows.labels.readings
    if len(readings) > 1:
        ordered = [r for r in readings if is_in_order(replace(rows, labels=r))]
        first, *others = ordered or readings
        rows = replace(rows, labels=replace(first, others=tuple(others)))
    return rows


def _counts_rows(index, labels):
    in_order = index.is_monotonic_increasing and index.is_unique
    return labels.kind == "numbers" and not hasattr(index, "levels") and in_order


def check_row_order(x, name):
    """Refuse a frame of one sequence whose index isn't in order.

    Parameters
    ----------
    x : object
        Anything without an index is accepted.
    name : str
        What the user calls it, such as ``"X[3]"``.

    Raises
    ------
    ValueError
        If the index holds times or numbers that don't increase. One label throughout
        is the name of the sequence.
    """
    index = row_index(x)
    if index is None or not len(index):
        return
    labels, (keys, codes) = _split_levels(index, name, True)
    rows = _settled(Rows(len(index), labels, keys, codes))
    # Strings of digits are codes here more often than times.
    are_names = labels.kind == "names" or labels.form == "integers"
    if not are_names and not _name_series(rows):
        check_order(rows, name, sequence=True)


def check_order_within(sequences, name):
    """Refuse a list of frames if the index of one isn't in order.

    Parameters
    ----------
    sequences : object
        Anything that is neither a list nor an object array is accepted.
    name : str
        What the user calls the list.
    """
    is_array = getattr(getattr(sequences, "dtype", None), "kind", "") == "O"
    if isinstance(sequences, list | tuple) or (is_array and sequences.ndim == 1):
        for i, x in enumerate(sequences):
            check_row_order(x, f"{name}[{i}]")


def refuse_sequences(X, name):
    """Refuse sequences where the rows are expected that they are made of."""
    if getattr(X, "ndim", 0) == 3:
        raise ValueError(
            f"{name} has shape {X.shape}: it holds sequences (n, T, F) already, which "
            f"networks read as they are; expected the rows of a series (n, F)."
        )


def refuse_list_of_series(X, name):
    """Refuse a list of series where rows of one table are expected.

    Parameters
    ----------
    X : object
        A list, a tuple, a dict, or an array or a Series of objects.
    name : str
        What the user calls it.

    Raises
    ------
    TypeError
        If it is an iterator.
    ValueError
        That says how to give several series.
    """
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is an iterator, which can be read only once; expected a table, "
            f"such as list({name})."
        )
    # Some sparse arrays are dicts too.
    if isinstance(X, dict) and not hasattr(X, "shape"):
        raise ValueError(
            f"{name} is a dict; expected one table. pandas.DataFrame({name}) makes one "
            f"of columns; pandas.concat({name}) one of several series, with a "
            "MultiIndex (series, time)."
        )
    is_listed = isinstance(X, list | tuple)
    if not is_listed and not _has_cells(X):
        return
    lengths = [len(x) if _is_series(x) else 0 for x in X]
    # A list may hold the rows of a table; cells of a Series or an array are no rows.
    are_frames = any(row_index(x) is not None for x in X) or not is_listed
    if len(set(lengths)) > 1 or are_frames:
        shown = ", ".join(map(str, lengths[:3])) + ", ..." * (len(lengths) > 3)
        raise ValueError(
            f"{name} is a list of {len(X)} series, of {shown} rows; expected one "
            "table. Put them end to end and say which rows belong together: "
            f"pandas.concat(dict(enumerate({name}))) has a MultiIndex (series, time); "
            f"or give numpy.concatenate({name}) and groups=numpy.repeat(range("
            f"{len(X)}), [len(x) for x in {name}])."
        )


def _has_cells(X):
    """Whether X is a Series, or a one-dimensional array, whose cells are series."""
    if isinstance(X, type):
        return False
    has_rows = hasattr(X, "__iter__") and len(getattr(X, "shape", [0])) == 1
    return has_rows and _is_series(next(iter(X), None))


def _is_series(x):
    # numpy.ndim fails for lists of different lengths.
    is_sized = hasattr(x, "__len__") and getattr(x, "shape", None) != ()
    return is_sized and not isinstance(x, str | bytes)


def row_index(X):
    """Return the pandas index of X; None for anything that has none."""
    return X.index if hasattr(X, "iloc") else None


def _read_groups(groups, n_rows, index, name):
    """Return the names of the series, and for each row the position of its name."""
    if groups is None:
        return None, None
    import pandas as pd  # noqa: PLC0415

    if isinstance(groups, str):
        raise ValueError(
            "groups must be an array-like of shape (n_rows,), the series of each row. "
            f"Got {groups!r}; if that is a column, pass {name}[{groups!r}]."
        )
    if isinstance(groups, list) and all(isinstance(each, tuple) for each in groups):
        groups = pd.Index(groups, tupleize_cols=False)
    elif not isinstance(groups, np.ndarray | pd.Index | pd.Series):
        # As objects: NumPy would make strings of numbers among strings.
        groups = np.asarray(groups, dtype=object)
    if groups.ndim != 1 or len(groups) != n_rows:
        raise ValueError(
            f"groups has shape {groups.shape}, but X has {n_rows} rows; expected "
            f"({n_rows},), the series of each row."
        )
    _check_same_rows(row_index(groups), index, name)
    with naming("groups"):
        return _factorized(pd.Index(groups, tupleize_cols=False), "groups")


def _check_same_rows(of_groups, index, name):
    if index is not None and of_groups is not None and not of_groups.equals(index):
        row = int(np.argmax([a != b for a, b in zip(of_groups, index, strict=True)]))
        raise ValueError(
            f"The index of groups isn't that of {name}: row {row} is "
            f"{of_groups[row]!r} in groups and {index[row]!r} in {name}. If their rows "
            "are the same as they stand, pass groups.to_numpy()."
        )


def _factorized(index, name):
    codes, keys = index.factorize()
    if len(codes) and codes.min() < 0:
        row = int(np.argmin(codes))
        raise ValueError(f"{name} has {index[row]!r} in row {row}; expected a series.")
    return keys.to_list(), codes


def _split_levels(index, name, is_named, known=()):
    """Split a MultiIndex into the labels in time, its last level, and the series."""
    if not hasattr(index, "levels"):
        return read_labels(index, None, known), (None, None)
    if index.nlevels == 1:
        return read_labels(index.get_level_values(0), None, known), (None, None)
    time = index.nlevels - 1
    kinds = [read_labels(level).kind for level in index.levels]
    if kinds[time] != "times" and "times" in kinds:
        found = kinds.index("times")
        if not is_named:
            raise ValueError(
                f"The MultiIndex of {name} has times in level {found}, and none in the "
                f"last one, {time}; expected (series, time). Put the level of the "
                "times last, or pass groups."
            )
        time = found
    series = index.droplevel(time)
    of_time = index.get_level_values(time)
    level = index.names[time] or time
    labels = read_labels(of_time, f"level {level!r} of the MultiIndex", known)
    return labels, _factorized(series, f"The MultiIndex of {name}")


def _name_series(rows):
    """Whether each series has one label throughout, so that labels name series."""
    for places in rows.by_series():
        index = rows.labels.index[places]
        if index[0] != index[-1] or index.nunique(dropna=False) > 1:
            return False
    return rows.n_rows > len(rows.lengths)
