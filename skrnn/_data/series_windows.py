"""Windows of several series, gathered where they are read."""

import numpy as np

from skrnn._data.batches import row_type
from skrnn._data.frames.indexed_arrays import KnowsRows, indexed
from skrnn._data.windows import sliding_windows


class SeriesWindows(KnowsRows, np.lib.mixins.NDArrayOperatorsMixin):
    """Windows of several series in one table, gathered only where they are read.

    Strides can describe the windows of one series, but not the jump from the end of one
    series to the start of the next. Code that reads this object as an array, or selects
    from it, gets an array; it has the methods of arrays. The estimators read `table`
    instead.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
        The rows of all series.
    starts : ndarray of shape (n_windows,)
        The row of `table` that each window starts at.
    lookback : int
        Steps of a window.
    step : int
        Rows between two consecutive steps of a window.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn._data.series_windows import SeriesWindows
    >>> windows = SeriesWindows(np.arange(6.0).reshape(-1, 1), np.array([0, 3]), 2, 1)
    >>> windows.shape
    (2, 2, 1)
    >>> windows[:, :, 0]
    array([[0., 1.],
           [3., 4.]])
    """

    ndim = 3

    def __init__(self, table, starts, lookback, step):
        self.table, self.step = table, step
        self.starts = starts.astype(row_type(len(table)), copy=False)
        self.shape = (len(starts), lookback, table.shape[1])

    @property
    def dtype(self):
        """Type of the rows."""
        return self.table.dtype

    @property
    def size(self):
        """Number of values of all windows."""
        return int(np.prod(self.shape))

    @property
    def nbytes(self):
        """Bytes that it holds: far fewer than all windows together would."""
        return self.table.nbytes + self.starts.nbytes

    def __len__(self):
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key):
        rows, *others = (key or (...,)) if isinstance(key, tuple) else (key,)
        if rows is None or rows is Ellipsis or np.ndim(rows) > 1:
            return np.asanyarray(self)[key]
        starts = self.starts[rows]
        if starts.ndim == 0:
            return self._gathered(starts[None])[0][tuple(others)]
        found = self._gathered(starts)
        if self.row_index is not None:
            found = indexed(found, self.row_index[rows])
        return found[:, *others] if others else found

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("Windows of several series can't be an array uncopied.")
        found = self._gathered(self.starts).astype(dtype or self.dtype, copy=False)
        return found if self.row_index is None else indexed(found, self.row_index)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        arrays = [np.asanyarray(x) if x is not None else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **options)

    def __getattr__(self, name):
        # Only the public names of arrays are there.
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"SeriesWindows has no attribute {name!r}")
        return getattr(np.asanyarray(self), name)

    def __repr__(self):
        return f"SeriesWindows of shape {self.shape}, dtype {self.dtype}"

    def _gathered(self, starts):
        # A view of all windows, those across series included: no table of positions.
        return sliding_windows(self.table, self.shape[1], self.step)[starts]
