"""Rows out of order: how they are found, and what their errors say."""

import numpy as np

# How to sort an index. {name} is what has it, {all} are the arrays with these rows.
_SORT = {
    "times": "",
    "numbers": (
        "Or, if the rows are in time order as they stand, drop it: "
        "{name}.reset_index(drop=True)."
    ),
}
_SEVERAL = (
    "If {name} holds several series, give it a MultiIndex (series, time), or pass "
    "groups; if it is one in time order, {name}.reset_index(drop=True)."
)
_NO_SERIES = "A row is a step in time here."
# Resetting the index of a panel would make one series of it.
_OF_PANEL = (
    "If the rows are in time order as they stand, pass {name}.reset_index(drop=True) "
    "and the series of each row as groups, such as {name}.index.droplevel(-1)."
)


def is_in_order(rows):
    """Whether the labels increase, within each series, and none is missing."""
    return not rows.labels.index.hasnans and _first_disorder(rows) is None


def check_order(rows, name, *, sequence=False):
    """Refuse rows whose labels don't increase, within each series.

    Parameters
    ----------
    rows : Rows
        As :func:`skrnn._data.rows.series.read_rows` makes them, with labels.
    name : str
        What the user calls the object that has these rows.
    sequence : bool, default=False
        Whether the user gave these rows as one sequence.

    Raises
    ------
    ValueError
        That names the index, the row and what to do.
    """
    labels = rows.labels
    if labels.kind == "names":
        _check_names(rows, name)
        return
    if labels.index.hasnans:
        row = int(np.argmax(labels.index.isna()))
        raise ValueError(
            f"The {labels.what} of {name} has {labels.given[row]} in row {row}; "
            f"expected {labels.kind} in ascending order."
        )
    in_order = labels.index.is_monotonic_increasing and labels.index.is_unique
    if in_order and rows.keys is None:
        return
    found = _first_disorder(rows)
    if found is not None:
        raise ValueError(_disorder(rows, *found, name=name, sequence=sequence))


def _first_disorder(rows):
    """Return a row that isn't later than the one before it, and this one."""
    values = rows.labels.values()
    order, _ = rows.places()
    after, before = order[1:], order[:-1]
    wrong = (values[after] <= values[before]).astype(bool)
    if rows.codes is not None:
        wrong &= rows.codes[after] == rows.codes[before]
    if not wrong.any():
        return None
    first = int(np.argmax(wrong))
    return int(after[first]), int(before[first])


def _disorder(rows, row, before, *, name, sequence):
    """Say which row is out of order, and what to do."""
    labels, index = rows.labels, rows.labels.given
    of_series, mine = "", index
    if rows.keys is not None:
        of_series = f" in series {rows.keys[rows.codes[row]]!r}"
        mine = index[rows.codes == rows.codes[row]]
    if not mine.is_unique:
        twice = mine[mine.duplicated()][0]
        several = _OF_PANEL if of_series else _SEVERAL
        several = _NO_SERIES if sequence else several
        return (
            f"The {labels.what} of {name} has {twice} more than once{of_series}; "
            f"expected once. {several.format(name=name)}"
        )
    order = "time" if labels.kind == "times" else "ascending"
    together = "X and y" if name in ("X", "y") else name
    advice = _OF_PANEL if of_series and not sequence else _SORT[labels.kind]
    return (
        f"The {labels.what} of {name} is not in {order} order{of_series}: row {row}, "
        f"{index[row]}, comes after {index[before]}, and a row is read as later than "
        f"those before it. Sort {together} by it first. {advice.format(name=name)}"
    ).rstrip()


def _check_names(rows, name):
    """Refuse repeated names: a name of several rows probably means a series."""
    index = rows.labels.index
    if rows.keys is None and not index.is_unique:
        twice = index[index.duplicated()][0]
        raise ValueError(
            f"The {rows.labels.what} of {name} has {twice} more than once; expected "
            f"once. {_SEVERAL.format(name=name)}"
        )
