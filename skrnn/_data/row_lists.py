"""Lists of predictions that NumPy, and so scikit-learn, can put together."""

from skrnn._data.sequences import ragged_array


class RowList(list):
    """A list with one item a row, which NumPy reads as one object array.

    ``cross_val_predict`` makes one array of the predictions of all folds. NumPy turns a
    plain list into a table if its sequences happen to be equally long, and raises an
    error otherwise. This list always becomes an array with one object a row.
    """

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a list can't be read as an array without copying it.")
        rows = ragged_array(self)
        return rows if dtype is None else rows.astype(dtype)
