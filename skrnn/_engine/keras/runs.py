"""Batches stacked into runs: arrays for one call of a compiled function.

Where a function is compiled for one shape of each array, whatever has another size in
every fit is padded to one of few sizes: the batches of a run, whose real number is an
argument, the rows of a batch, and its steps. A batch of ragged sequences has as many
steps as the longest one of the data set, or half of them, or a quarter and so on.
Elsewhere each batch is cut to its own steps where it is computed.
"""

from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from skrnn._engine.keras.sizes import sizes_of

# Bytes of a run where any number of batches will do, and where one number must: enough
# that a call doesn't count, and for that little enough not to be filled in vain.
_MOST_BYTES, _FIXED_BYTES = 2**25, 2**21
_MOST_BATCHES = 256
# As many ragged batches follow each other in the same class of lengths, about.
_RAGGED_BATCHES = 4
# Kind of number -> the type in which it is handed over.
_TYPES = {"b": bool, "i": np.int32, "u": np.int32, "f": np.float32}


class Run(NamedTuple):
    """Batches in one call.

    Attributes
    ----------
    first, n_batches : int
        Of the order that the runs are made of.
    arrays : dict of ndarray
        What `Batch` has, each with the batches along its first axis; and "steps", those
        of each batch.
    """

    first: int
    n_batches: int
    arrays: dict[str, Any]


class Runs:
    """A source whose batches are stacked, of any size or of few.

    Parameters
    ----------
    source : BatchSource
    fixed : bool
        Whether shapes must be few.
    """

    def __init__(self, source, fixed):
        self._source, self._sizes, self._fixed = source, sizes_of(source), fixed

    def cut(self, order, min_rows=1):
        """Yield the runs of batches `order`, rows of an order of the source.

        Parameters
        ----------
        order : ndarray of shape (n_batches, ...)
        min_rows : int
            The least rows of a batch where shapes are few.
        """
        own, n_rows = self._sizes.steps(order), self._sizes.rows(order)
        padded = np.broadcast_to(own.max(axis=0), own.shape)
        if self._fixed:
            padded, n_rows = (
                padded_steps(self._sizes, own),
                batch_class(max(n_rows, min_rows)),
            )
        first = 0
        for steps, group in groupby(map(tuple, padded.tolist())):
            last = first + len(list(group))
            while first < last:
                part = order[first:last], own[first:last]
                run = self._stacked(first, *part, n_rows, steps)
                yield run
                first += run.n_batches

    def _stacked(self, first, order, own, n_rows, steps):
        """Return the run that begins an order, with as many of its batches as fit."""
        batches = [self._gather(order[0], own[0], n_rows, steps)]
        n_bytes = sum(array.nbytes for array in batches[0].values())
        size = self._size(n_bytes * float(np.max(steps / own[0])), len(order))
        n = min(size, len(order))
        for i in range(1, n):
            batches.append(self._gather(order[i], own[i], n_rows, steps))
        names = dict.fromkeys(name for batch in batches for name in batch)
        arrays = {
            name: stack([batch.get(name) for batch in batches], size) for name in names
        }
        return Run(first, n, arrays)

    def _gather(self, rows, own, n_rows, steps):
        """Return the arrays of a batch, filled up to `n_rows`; if few, to `steps`."""
        n_steps: Any = steps if self._fixed else (None,) * len(steps)
        n_steps = n_steps if len(steps) > 1 else n_steps[0]
        batch = self._source.gather(rows, n_rows=n_rows, n_steps=n_steps)
        named = batch.inputs | {
            "targets": batch.targets,
            "weights": batch.weights,
            "present": batch.present,
            "steps": own,
        }
        return {name: np.asarray(array) for name, array in named.items()}

    def _size(self, n_bytes, n_batches):
        """Return the batches that a run has room for, whose first one has `n_bytes`."""
        if not self._fixed:
            return min(n_batches, max(1, int(_MOST_BYTES / n_bytes)))
        size = min(_MOST_BATCHES, max(1, int(_FIXED_BYTES / n_bytes)))
        size = size if self._sizes.are_alike else min(size, _RAGGED_BATCHES)
        return 2 ** (size.bit_length() - 1)


def stack(parts, size):
    """Put arrays into one with room for `size` of them, each at its beginning.

    None stands for one that is True everywhere.
    """
    shapes = [part.shape for part in parts if part is not None]
    kind = next(part.dtype.kind for part in parts if part is not None)
    whole = np.zeros((size, *np.max(shapes, axis=0)), _TYPES[kind])
    for i, part in enumerate(parts):
        if part is None:
            whole[i] = True
        else:
            at: Any = (i, *map(slice, part.shape))
            whole[at] = part
    return whole


def padded_steps(sizes, own):
    """Return the steps that batches with `own` steps (n, k) are padded to: (n, k)."""
    if sizes.are_alike:
        # Sequences of one length keep it: that is what most series are cut into.
        return np.broadcast_to(sizes.most, own.shape)
    most = np.array([size_class(n) for n in sizes.most])
    # The same for inputs and outputs: classes for each would be many pairs.
    halvings = np.log2(most / own).astype(int).min(axis=1, keepdims=True)
    return -(-most // 2**halvings)


def size_class(n):
    """Round up to one of the four sizes of an octave: 8, 10, 12, 14, 16, 20..."""
    step = 2 ** max(int(n).bit_length() - 3, 0)
    return -(-int(n) // step) * step


def batch_class(n):
    """Round a batch up: to a power of two, or beyond 32 to a size class."""
    return size_class(n) if n > 32 else 2 ** (int(n) - 1).bit_length()
