"""Batches stacked into runs: arrays for one call of a compiled function.

Where each shape of an array needs its own compilation, sizes are padded to few classes:
the number of batches in a run (the real number is an argument), of rows in a batch, and
of steps. A batch of ragged sequences has as many steps as the longest sequence of the
data set, or a half, a quarter and so on. Elsewhere each batch is cut to its own steps
when it is computed.
"""

from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from skrnn._data.datasets import Dataset
from skrnn._engine.keras.sizes import sizes_of

# Bytes of a run, if its number of batches is free and if it is fixed: large enough to
# hide the cost of a call, small enough to waste little on padding.
_MOST_BYTES, _FIXED_BYTES = 2**25, 2**21
_MOST_BATCHES = 256
# About as many ragged batches in a row have the same class of lengths.
_RAGGED_BATCHES = 4
# Kind of number -> the type that is passed to the backend.
_TYPES = {"b": bool, "i": np.int32, "u": np.int32, "f": np.float32}


class Run(NamedTuple):
    """Batches in one call.

    Attributes
    ----------
    first, n_batches : int
        Of the order that the runs are made of.
    arrays : dict of ndarray
        The arrays of `Batch`, with batches along the first axis; and "steps", the
        number of steps of each batch.
    """

    first: int
    n_batches: int
    arrays: dict[str, Any]


class Runs:
    """A source whose batches are stacked, with any shapes or with few.

    Parameters
    ----------
    source : BatchSource
    fixed : bool
        Whether shapes must be few.
    """

    def __init__(self, source, fixed):
        self._source, self._sizes, self._fixed = source, sizes_of(source), fixed
        # Batch by batch a small network would wait for its batches.
        self._at_once = isinstance(source, Dataset) and source.sequences.is_uniform

    def cut(self, order, min_rows=1):
        """Yield the runs of batches `order`, rows of an order of the source.

        Parameters
        ----------
        order : ndarray of shape (n_batches, ...), or Batches
        min_rows : int
            The least rows of a batch where shapes are few.
        """
        order = np.asarray(order)
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
        """Return the first run of an order, with as many batches as fit."""
        one = self._gather(order[0], own[0], n_rows, steps)
        size = self._size(_n_bytes(one) * float(np.max(steps / own[0])), len(order))
        n = min(size, len(order))
        blocks = list(self._blocks(one, order[:n], own, n_rows, steps))
        names = dict.fromkeys(name for block in blocks for name in block)
        arrays = {
            name: stack([block.get(name) for block in blocks], size) for name in names
        }
        return Run(first, n, arrays)

    def _blocks(self, one, order, own, n_rows, steps):
        """Yield arrays of several batches, or of one, with the batches in front.

        `one` has those of the first batch.
        """
        n_whole = 0
        if self._at_once and n_rows == order.shape[1]:
            is_whole = (order >= 0).all(axis=1)
            n_whole = len(order) if is_whole.all() else int(np.argmin(is_whole))
        # Row numbers take more memory than rows of one number.
        step = max(1, _FIXED_BYTES // _n_bytes(one))
        for i in range(0, n_whole, step):
            at = slice(i, min(i + step, n_whole))
            yield _named(self._source.gather_many(order[at]), own[at])
        for i in range(n_whole, len(order)):
            arrays = self._gather(order[i], own[i], n_rows, steps) if i else one
            yield {name: array[None] for name, array in arrays.items()}

    def _gather(self, rows, own, n_rows, steps):
        """Return the arrays of a batch, padded to `n_rows`, and to `steps` if fixed."""
        n_steps: Any = steps if self._fixed else (None,) * len(steps)
        n_steps = n_steps if len(steps) > 1 else n_steps[0]
        batch = self._source.gather(rows, n_rows=n_rows, n_steps=n_steps)
        return _named(batch, own)

    def _size(self, n_bytes, n_batches):
        """Return how many batches fit into a run, if the first one has `n_bytes`."""
        if not self._fixed:
            return min(n_batches, max(1, int(_MOST_BYTES / n_bytes)))
        size = min(_MOST_BATCHES, max(1, int(_FIXED_BYTES / n_bytes)))
        size = size if self._sizes.are_alike else min(size, _RAGGED_BATCHES)
        return 2 ** (size.bit_length() - 1)


def _named(batch, own):
    """Return the arrays of a batch, or of several, by their names."""
    named = batch.inputs | {
        "targets": batch.targets,
        "weights": batch.weights,
        "present": batch.present,
        "steps": own,
    }
    return {name: np.asarray(array) for name, array in named.items()}


def _n_bytes(arrays):
    return sum(array.nbytes for array in arrays.values())


def stack(blocks, size):
    """Put arrays of batches into one with room for `size`; padding is at the ends.

    None stands for one batch, an array of True.
    """
    shapes = [block.shape[1:] for block in blocks if block is not None]
    kind = next(block.dtype.kind for block in blocks if block is not None)
    whole = np.zeros((size, *np.max(shapes, axis=0)), _TYPES[kind])
    first = 0
    for block in blocks:
        last = first + (1 if block is None else len(block))
        if block is None:
            whole[first:last] = True
        else:
            at: Any = (slice(first, last), *map(slice, block.shape[1:]))
            whole[at] = block
        first = last
    return whole


def padded_steps(sizes, own):
    """Return the steps that batches with `own` steps (n, k) are padded to: (n, k)."""
    if sizes.are_alike:
        # Sequences of one length keep it, such as the windows of a series.
        return np.broadcast_to(sizes.most, own.shape)
    most = np.array([size_class(n) for n in sizes.most])
    # One class for inputs and outputs: separate classes would make many pairs.
    halvings = np.log2(most / own).astype(int).min(axis=1, keepdims=True)
    return -(-most // 2**halvings)


def size_class(n):
    """Round up to one of the four sizes of an octave: 8, 10, 12, 14, 16, 20..."""
    step = 2 ** max(int(n).bit_length() - 3, 0)
    return -(-int(n) // step) * step


def batch_class(n):
    """Round a batch up: to a power of two, or beyond 32 to a size class."""
    return size_class(n) if n > 32 else 2 ** (int(n) - 1).bit_length()
