"""Tables of cases: all of them where there is time, else rows that have every value."""

import os
from itertools import product
from math import prod

# ``make test LONG=1``, ``make faults LONG=1``: more rounds, and every row.
LONG = bool(os.environ.get("LONG"))


def covering(first, *others):
    """Return rows with each value of the first column once, and all rows of the others.

    The product of all columns, if LONG is set. A cell that is added is then one more
    network to train, not one for each row of the other columns.
    """
    first, others = list(first), [list(column) for column in others]
    if LONG:
        return list(product(first, *others))
    assert len(first) >= prod(map(len, others)), "a value would be left out"
    rows = list(product(*others))
    return [(value, *rows[i % len(rows)]) for i, value in enumerate(first)]
