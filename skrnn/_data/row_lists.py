"""Lists of predictions that NumPy, and so scikit-learn, can put together."""

from skrnn._data.sequences import ragged_array


class RowList(list):
    """A list with one item a row, which NumPy reads as one object array.

    A plain list of sequences becomes a table where they happen to be equally long, and
    an error where they aren't. ``cross_val_predict`` makes arrays of the predictions
    of all folds: here an array of rows in any case.
    """

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a list can't be read as an array without copying it.")
        rows = ragged_array(self)
        return rows if dtype is None else rows.astype(dtype)
