"""What the fit of every transformer here shares."""

import numpy as np

from skrnn._columns import as_plain
from skrnn._sequences import ragged_array
from skrnn._windows import sliding_windows

# The first is what everything else becomes; integers may be token ids and stay.
NUMBERS = [
    np.float64,
    np.float32,
    *(np.dtype(f"{kind}{size}") for kind in "iu" for size in (8, 4, 2, 1)),
]


class ArrayOutputMixin:
    """Mixin for transformers whose result is no table."""

    def set_output(self, *, transform=None):
        """Accept the call and change nothing: the result stays an array.

        ``Pipeline.set_output`` hands its call to every step and fails where a step
        can't take it. A frame has no third dimension, so there is nothing to set here.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored.

        Returns
        -------
        self : estimator
        """
        return self


def unpack(values, sequences, *, univariate):
    """Give rows the form back that the packed `sequences` had before.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        One row for each row of ``sequences.values``, whatever its features.
    sequences : Sequences
        As :func:`skrnn._validation.check_sequences` returns them, all of them.
    univariate : bool
        Whether sequences with one feature have no axis for it.

    Returns
    -------
    X : ndarray of shape (n, T, F) or (n, T), or object array of (T_i, F) or (T_i,)
        Overlapping windows are a view of `values` again.
    """
    if univariate and values.shape[1] == 1:
        values = values[:, 0]
    if sequences.form == "ragged":
        return ragged_array(np.split(values, sequences.starts[1:]))
    n_sequences, n_timesteps = len(sequences), sequences.n_timesteps
    if len(values) == n_sequences * n_timesteps:
        return values.reshape(n_sequences, n_timesteps, *values.shape[1:])
    return sliding_windows(values, n_timesteps, sequences.step)


def lacks_feature_axis(X, sequences):
    """Whether the `X` that was packed as `sequences` has steps without features."""
    if sequences.form == "ragged":
        return np.ndim(next(iter(as_plain(X)))) == 1
    return sequences.form == "columns"
