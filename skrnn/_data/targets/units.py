"""Targets that are numbers, in units of their own spread, and back.

Nothing here makes an array as large as y unless one is asked for: ten million windows
have no memory to spare beside their series.
"""

import numpy as np

from skrnn._data.batches import row_blocks
from skrnn._data.finite import assert_all_finite

_LARGEST = {np.dtype(kind): np.finfo(kind).max for kind in "efdg"}


class ScaledTargets:
    """Targets that are turned into units of their spread when they are read.

    NumPy reads it as an array; an index or `take` makes one of the rows asked for.

    Parameters
    ----------
    y : ndarray of shape (n, K)
        As it was given: it isn't copied.
    offset, scale : ndarray of shape (K,)
        What is subtracted, and then the divisor; 0 divides by 1.

    Attributes
    ----------
    dtype : dtype
        That of the rows that are read, float32.

    Raises
    ------
    ValueError
        If float32 can't hold a target.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.targets.units import ScaledTargets
    >>> targets = ScaledTargets(np.array([[1.0], [5.0]]), np.array([3]), np.array([2]))
    >>> targets[1]
    array([1.], dtype=float32)
    >>> np.asarray(targets).ravel()
    array([-1.,  1.], dtype=float32)
    """

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, y, offset, scale):
        self._y, self._offset = y, offset
        self._scale = np.where(scale > 0, scale, 1.0)
        self.shape = y.shape
        # Without normalize_y, or far from the y of an earlier fit.
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in row_blocks(*y.shape):
                assert_all_finite(self[rows], input_name="y")

    def __len__(self):
        return len(self._y)

    def __getitem__(self, rows):
        return self._scaled(self._y[rows])

    def take(self, rows, axis=0):
        """Return the targets at `rows`, of any shape (...): (..., K)."""
        return self._scaled(self._y.take(rows, axis=axis))

    def _scaled(self, y):
        centred = y.astype(np.float64, copy=False) - self._offset
        return (centred / self._scale).astype(np.float32)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("Scaled targets can't be an array uncopied.")
        found = np.empty(self.shape, dtype or np.float32)
        for rows in row_blocks(*self._y.shape):
            found[rows] = self[rows]
        return found


def float_dtype(y):
    """Return the dtype in which predictions of y are returned."""
    return np.float32 if y.dtype == np.float32 else np.float64


def learn_scale(y, weights, normalize):
    """Return an offset and a scale for each column of y; a constant has scale 0.

    Parameters
    ----------
    y : ndarray of shape (n, K)
        Finite numbers.
    weights : ndarray of shape (n,)
        Non-negative; rows of weight 0 aren't looked at.
    normalize : bool
        Without, the offset is 0 and the scale 1.
    """
    n_targets = y.shape[1]
    if not normalize:
        return np.zeros(n_targets), np.ones(n_targets)
    low, high = _ends(y, weights)
    # Sums of very large numbers would be infinite; a power of two rounds nothing.
    _, exponent = np.frexp(np.maximum(np.abs(low), np.abs(high)))
    mean = _mean(lambda block: np.ldexp(block, -exponent), y, weights)
    mean = np.ldexp(mean, exponent)
    # The mean of a constant is off by rounding, and would give it a spread.
    offset = np.where(low == high, low, mean)
    return offset, _spread(y, offset, weights)


def refuse_far_apart(y, offset):
    """Refuse numbers (n, K) whose distances from `offset` are infinite."""
    _largest_distance(y, offset, np.broadcast_to(1.0, len(y)))


def scale_of_varying(scale, y, offset, weights):
    """Set the scale of targets that were constant until this batch."""
    if (scale != 0).all():
        return scale
    return np.where(scale == 0, _spread(y, offset, weights), scale)


def in_units_of_y(outputs, scale, offset):
    """Return outputs (n, K), turned into units of y in place.

    What floats can't hold becomes the largest number.
    """
    with np.errstate(over="ignore"):
        outputs *= scale
        outputs += offset
    # `numpy.clip` takes longer than a small network for one sequence.
    limit = _LARGEST[outputs.dtype]
    np.minimum(outputs, limit, out=outputs)
    return np.maximum(outputs, -limit, out=outputs)


def _counted(y, weights):
    """Yield blocks of y in float64 with their weights, but for weights of 0."""
    for rows in row_blocks(*y.shape):
        block, there = y[rows].astype(np.float64, copy=False), weights[rows] > 0
        if there.all():
            yield block, weights[rows]
        elif there.any():
            yield block[there], weights[rows][there]


def _ends(y, weights):
    """Return the lowest and the highest number of each column."""
    found = [(b.min(axis=0), b.max(axis=0)) for b, _ in _counted(y, weights)]
    low, high = zip(*found, strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


def _mean(function, y, weights):
    """Return the weighted mean of `function` of each column."""
    found = [
        ((function(block) * own[:, None]).sum(axis=0), own.sum())
        for block, own in _counted(y, weights)
    ]
    sums, totals = zip(*found, strict=True)
    return np.sum(sums, axis=0) / np.sum(totals)


def _largest_distance(y, offset, weights):
    """Return the largest distance from `offset` in each column, or refuse it."""
    low, high = _ends(y, weights)
    with np.errstate(over="ignore"):
        largest = np.maximum(np.abs(low - offset), np.abs(high - offset))
    if not np.isfinite(largest).all():
        raise ValueError(
            f"y has values from {low.min():.3g} to {high.max():.3g}, whose "
            "differences are infinite in float64; divide y by a large number."
        )
    return largest


def _spread(y, offset, weights):
    """Return the weighted root mean square of each column, whatever its magnitude."""
    largest = _largest_distance(y, offset, weights)
    # Squares of very large or small numbers would leave float64's range.
    unit = np.where(largest > 0, largest, 1.0)
    return unit * np.sqrt(_mean(lambda b: ((b - offset) / unit) ** 2, y, weights))
