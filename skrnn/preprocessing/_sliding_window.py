"""The transformer that turns rows of a series into windows."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._constraints import StrictInterval, StrOptions, fit_context
from skrnn._state import unchanged_on_error
from skrnn._validation import read_table
from skrnn._windows import pad_rows, sliding_windows
from skrnn.preprocessing._fitting import (
    ArrayOutputMixin,
)
from skrnn.preprocessing._time_index import (
    check_time_order,
    continues,
    last_labels,
    row_index,
)


class SlidingWindow(  # type: ignore[call-arg]
    ArrayOutputMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Turn every row of a series into the window that ends at that row.

    Row t becomes the rows ``t - (lookback - 1) * sampling_rate, ...,
    t - sampling_rate, t``. The number of rows never changes, so this is a step for
    scikit-learn's own ``Pipeline`` and everything that is built on it;
    :func:`make_supervised` gives the rows to fit such a pipeline on.

    The result is a read-only view on one padded copy of the series. It costs no more
    memory than the series itself, whatever `lookback` is.

    Parameters
    ----------
    lookback : int, default=30
        Steps of a window, its last row included.
    sampling_rate : int, default=1
        Rows between two consecutive steps of a window.
    warmup : {"pad", "carry"}, default="pad"
        Where the rows come from that the first windows lack. "pad" makes them up as
        `fill` says. "carry" takes the last rows that `fit` saw, in `transform` only:
        right if what is transformed follows the training data, as the test folds of
        :class:`~sklearn.model_selection.TimeSeriesSplit` do, and wrong for anything
        else, the training data themselves among it (``fit_transform`` pads). Where
        both X are pandas frames, rows are carried only if the index of the second
        really continues that of the first; arrays are taken to continue.
    fill : "edge" or float, default="edge"
        What is made up: the first row again and again, or one number.

    Attributes
    ----------
    tail_ : ndarray of shape ((lookback - 1) * sampling_rate, `n_features_in_`)
        The last rows that ``fit`` saw.
    n_features_in_ : int
        Number of columns of the series.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they all are strings.

    See Also
    --------
    make_supervised : Rows and their futures, to fit a pipeline on.
    SequenceWise : Any scikit-learn transformer on the windows.

    Notes
    -----
    An index of numbers continues if the next value is the last one plus the last
    difference. An index of times does if the next one is what its frequency says (its
    own, or else the one that pandas infers from the last 32 rows, so month starts and
    business days are known), or, without any, is as far as the two times before.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SlidingWindow
    >>> window = SlidingWindow(lookback=3, warmup="carry")
    >>> window.fit_transform(np.array([[1.0], [2.0], [3.0], [4.0]]))[:, :, 0]
    array([[1., 1., 1.],
           [1., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> window.transform(np.array([[5.0]]))[:, :, 0]
    array([[3., 4., 5.]])
    """

    _parameter_constraints = {
        "lookback": [StrictInterval(Integral, 1, None, closed="left")],
        "sampling_rate": [StrictInterval(Integral, 1, None, closed="left")],
        "warmup": [StrOptions({"pad", "carry"})],
        "fill": [
            StrOptions({"edge"}),
            StrictInterval(Real, None, None, closed="neither"),
        ],
    }

    def __init__(self, lookback=30, *, sampling_rate=1, warmup="pad", fill="edge"):
        self.lookback = lookback
        self.sampling_rate = sampling_rate
        self.warmup = warmup
        self.fill = fill

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the series and keep its last rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order. NaN and inf are refused.
        y : None
            Ignored.

        Returns
        -------
        self : SlidingWindow

        Raises
        ------
        ValueError
            If X is shorter than one window, or has an index of times that is
            unsorted or has duplicates.
        """
        self._learn(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit, and return the windows of X; what they lack is padded, never carried.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order. NaN and inf are refused.
        y : None
            Ignored.

        Returns
        -------
        windows : ndarray of shape (n, lookback, n_features)
            Read-only view. float32 stays, everything else is float64.
        """
        return self._windows(self._learn(X), self.fill)

    def transform(self, X):
        """Return for every row the window that ends there.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order, one or more. NaN and inf are refused.

        Returns
        -------
        windows : ndarray of shape (n, lookback, n_features)
            Read-only view. float32 stays, everything else is float64.
        """
        check_is_fitted(self)
        check_time_order(row_index(X))
        series = self._read(X, reset=False)
        return self._windows(series, self._past() if self._follows(X) else self.fill)

    def _learn(self, X):
        with unchanged_on_error(self):
            series = self._read(X, reset=True)
            self._check_one_window_fits(len(series))
            index = row_index(X)
            check_time_order(index)
            # Copies: views would keep the whole training series alive.
            self.tail_ = _last(series, self._n_past).copy()
            self._last_labels = last_labels(index)
        return series

    def _read(self, X, *, reset):
        return read_table(self, X, reset=reset, dtype=[np.float64, np.float32])

    @property
    def _n_past(self):
        return (self.lookback - 1) * self.sampling_rate

    def _check_one_window_fits(self, n):
        if self._n_past < n:
            return
        rate = f" with sampling_rate={self.sampling_rate}"
        raise ValueError(
            f"lookback={self.lookback}{rate if self.sampling_rate > 1 else ''} needs "
            f"at least {self._n_past + 1} rows but the series has n={n} samples."
        )

    def _follows(self, X):
        """Whether the rows that fit saw last belong before those of X."""
        index = row_index(X)
        if self.warmup == "pad" or index is None or self._last_labels is None:
            return self.warmup == "carry"
        return continues(self._last_labels, index)

    def _past(self):
        # Shorter than wanted only if a parameter was set to more after fit.
        tail = _last(self.tail_, self._n_past)
        return pad_rows(tail, self._n_past - len(tail), self.fill)

    def _windows(self, series, fill):
        padded = pad_rows(series, self._n_past, fill)
        return sliding_windows(padded, self.lookback, self.sampling_rate)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _last(rows, n_rows):
    return rows[max(len(rows) - n_rows, 0) :]
