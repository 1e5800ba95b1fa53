"""Frames, Series and arrays of the libraries that users have them from."""

import pandas as pd
import polars as pl
import pyarrow as pa


def _arrow(array, names):
    columns = [pa.array(array[:, i].tolist()) for i in range(len(names))]
    return pa.table(columns, names=list(names))


# Library -> what makes a frame of an array (n, n_columns) and names of columns.
FRAMES = {
    "pandas": lambda array, names: pd.DataFrame(array, columns=list(names)),
    "polars": lambda array, names: pl.DataFrame(array, schema=list(names)),
    "pyarrow": _arrow,
    "record batch": lambda array, names: _arrow(array, names).to_batches()[0],
}
# Kind -> what makes a column of a list.
SERIES = {
    "pandas": pd.Series,
    "polars": pl.Series,
    "pyarrow": pa.array,
    "chunks of pyarrow": lambda values: pa.chunked_array([values]),
}


def select(frame, names):
    """Return columns of any frame by name, in another order."""
    return frame[names] if isinstance(frame, pd.DataFrame) else frame.select(names)
