"""Batches stacked into runs: arrays for one call of a compiled function.

Where a function is compiled for one shape of each array, whatever has another size in
every fit is padded to one of few sizes: the batches of a run, whose real number is an
argument, the rows of a batch, and its steps. A batch of ragged sequences has as many
steps as the longest one of the data set, or half of them, or a quarter and so on.
Elsewhere the batches of a run are padded to the longest of them alone, and each is cut
to its own longest sequence where it is computed.
"""

from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

# Bytes of a run where any number of batches will do, and where one number must: enough
# that a call doesn't count, and for that little enough not to be filled in vain.
_MOST_BYTES, _FIXED_BYTES = 2**25, 2**20
_MOST_BATCHES = 256
# As many ragged batches follow each other in the same class of lengths, about.
_RAGGED_BATCHES = 4
# Kind of number -> the type in which it is handed over.
_TYPES = {"b": bool, "i": np.int32, "u": np.int32, "f": np.float32}
# Where nothing is trained, a batch has at least this many rows.
MIN_BATCH = 64


class Run(NamedTuple):
    """Batches in one call.

    Attributes
    ----------
    first, n_batches : int
        Of the order that the runs are made of.
    arrays : dict of ndarray
        Each with the batches along its first axis; ``"steps"`` are those of each.
    """

    first: int
    n_batches: int
    arrays: dict[str, Any]


def runs(source, order, fixed, *, step_inputs=None, rates=None, min_rows=1):
    """Yield the runs of batches `order`, (n_batches, B) row numbers, -1 for none.

    Parameters
    ----------
    source : see `skrnn._engine.keras.sources`
    order : ndarray of shape (n_batches, B)
    fixed : bool
        Whether a run's shapes must be of few.
    step_inputs : dict or None
        None where nothing is trained.
    rates : ndarray of shape (n_batches,) or None
    min_rows : int
        The least rows of a batch where shapes are `fixed`.
    """
    if fixed and source.has_rows:
        n_rows = batch_class(max(order.shape[1], min_rows))
        order = np.pad(
            order, [(0, 0), (0, n_rows - order.shape[1])], constant_values=-1
        )
    own = source.steps(order)
    padded = padded_steps(source, own) if fixed else np.broadcast_to(own.max(0), own.shape)
    first = 0
    for steps, group in groupby(map(tuple, padded.tolist())):
        last = first + len(list(group))
        while first < last:
            run = _run(source, order, own, first, last, steps, fixed, step_inputs)
            if rates is not None:
                given = np.zeros(len(run.arrays["steps"]), np.float32)
                given[: run.n_batches] = rates[first : first + run.n_batches]
                run.arrays["rates"] = given
            yield run
            first += run.n_batches


def _run(source, order, own, first, last, steps, fixed, step_inputs):
    """Return the run that begins with batch `first` and ends before `last`."""

    def batch(i):
        chance = step_inputs and (int(step_inputs["seed"]), int(step_inputs["step"]) + i)
        return source.batch(order[i], steps, chance)

    one = batch(first)
    size = _size(source, sum(array.nbytes for array in one.values()), fixed)
    n = min(size, last - first)
    size = size if fixed else n
    arrays = {
        name: np.empty((size, *array.shape), _TYPES[array.dtype.kind])
        for name, array in one.items()
    }
    arrays["steps"] = np.empty((size, own.shape[1]), np.int32)
    for i in range(n):
        one = batch(first + i) if i else one
        one["steps"] = own[first + i]
        for name, array in one.items():
            arrays[name][i] = array
    return Run(first, n, arrays)


def _size(source, n_bytes, fixed):
    """Return the batches of a run, whose first one has `n_bytes`."""
    if not fixed:
        return max(1, _MOST_BYTES // n_bytes)
    size = min(_MOST_BATCHES, max(1, _FIXED_BYTES // n_bytes))
    size = size if source.is_uniform else min(size, _RAGGED_BATCHES)
    return 2 ** (size.bit_length() - 1)


def padded_steps(source, own):
    """Return the steps that batches with `own` steps (n, k) are padded to: (n, k)."""
    most = np.array(source.most_steps)
    if not source.is_uniform:
        most = np.array([size_class(n) for n in most])
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
