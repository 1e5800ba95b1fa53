"""The transformer that turns rows of a series into windows."""

import warnings
from numbers import Integral, Real
from typing import Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrnn._data.frames.as_arrays import read_table
from skrnn._data.rows.history import History
from skrnn._data.rows.series import read_rows, refuse_list_of_series, refuse_sequences
from skrnn._data.series_windows import SeriesWindows
from skrnn._data.tokens.ids import vocabulary_of
from skrnn._data.typing import (
    Array,
    ArrayLike,
    SequenceData,
    Targets,
)
from skrnn._data.windows import pad_rows, pad_series, sliding_windows
from skrnn._estimators.advice import fit_context
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._estimators.watching import told
from skrnn._sklearn import (
    StrictInterval,
    StrOptions,
    check_feature_names_in,
)
from skrnn.preprocessing._fitting import SequenceOutputMixin
from skrnn.preprocessing._saved_state import SavedStateMixin

_KEEP_INDEX = (
    "Give SlidingWindow frames. A scaler before it returns arrays: put it behind, as "
    'SequenceWise(StandardScaler()), or call its set_output(transform="pandas").'
)


class SlidingWindow(
    SequenceOutputMixin,
    TransformerMixin,
    SavedStateMixin,
    auto_wrap_output_keys=None,
):
    """Turn every row of a series into the window that ends at that row.

    Row t becomes the rows ``t - (lookback - 1) * sampling_rate, ...,
    t - sampling_rate, t``. The number of rows never changes, so this is a step for
    scikit-learn's own ``Pipeline`` and everything that is built on it;
    :func:`make_supervised` gives the rows to fit such a pipeline on.

    The result is a read-only view on one padded copy of the series. It costs no more
    memory than the series itself, whatever `lookback` is.

    Rows of several series, which a MultiIndex (series, time) or `groups` tells apart,
    may be one series after the other or mixed. No window reaches into another series,
    and each is padded, or carried on from its own end.

    Parameters
    ----------
    lookback : int, default=30
        Steps of a window, its last row included. `fit` needs at least one series of
        one full window.
    sampling_rate : int, default=1
        Rows between two consecutive steps of a window.
    warmup : {"pad", "carry"}, default="pad"
        Where the rows come from that the first windows lack. "pad" makes them up as
        `fill` says. "carry" takes the last rows that `fit` saw of the series, in
        `transform` only: right if what is transformed follows the training data, as
        the test folds of :class:`~sklearn.model_selection.TimeSeriesSplit` do, and
        wrong for anything else, the training data themselves among it
        (``fit_transform`` pads). Where both X are pandas frames, rows are carried only
        if the index of the second really continues that of the first. A warning says
        where that of later rows doesn't. Arrays are taken to continue, with a warning
        if `fit` knew an index.
    fill : "edge" or float, default="edge"
        What is made up: the first row again and again, or one number.

    Attributes
    ----------
    tail_ : ndarray of shape ((lookback - 1) * sampling_rate, `n_features_in_`), or dict
        The last rows that ``fit`` saw. Of several series it is a dict of such arrays by
        their names, shorter for a series that is.
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
    An index of numbers continues if the next value is one step after the last one: the
    median step of the last 32 rows, exactly for whole numbers and to a hundredth of it
    for others. An index of times does if the next one is what its frequency says (its
    own, or else the one that pandas infers for most of the last 32 rows, so month
    starts and business days are known), or, without any, is one median step on.
    Strings that are dates or whole numbers count as these; `transform` reads dates as
    `fit` did. Where the day and the month can't be told apart, rows follow only if
    they do whichever is which.

    An index of times or numbers that isn't in ascending order, or has a label twice,
    is an error, within each series: rows are read in the order in which they stand.
    Drop it, ``X.reset_index(drop=True)``, where that is the order of time.

    With ``sklearn.set_config(enable_metadata_routing=True)`` a pipeline hands `groups`
    on, after ``set_fit_request(groups=True)`` and
    ``set_transform_request(groups=True)``.

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

    Two series, whose rows are mixed:

    >>> rows = np.array([[1.0], [2.0], [70.0], [3.0], [80.0]])
    >>> window = SlidingWindow(lookback=2, warmup="carry")
    >>> window.fit_transform(rows, groups=["a", "a", "b", "a", "b"])[:, :, 0]
    array([[ 1.,  1.],
           [ 1.,  2.],
           [70., 70.],
           [ 2.,  3.],
           [70., 80.]])
    >>> window.transform([[90.0], [4.0]], groups=["b", "a"])[:, :, 0]
    array([[80., 90.],
           [ 3.,  4.]])
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

    def __init__(
        self,
        lookback: int = 30,
        *,
        sampling_rate: int = 1,
        warmup: str = "pad",
        fill: str | float = "edge",
    ) -> None:
        self.lookback = lookback
        self.sampling_rate = sampling_rate
        self.warmup = warmup
        self.fill = fill

    @fit_context(prefer_skip_nested_validation=True)
    @told
    def fit(
        self,
        X: SequenceData,
        y: Targets | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Check the series and keep its last rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order. NaN and inf are refused.
        y : array-like of n rows or None, default=None
            Only its index is read, and only if X has none, for example because a scaler
            has turned a frame into an array.
        groups : array-like of shape (n,) or None, default=None
            The series that each row belongs to. By default it is read from a MultiIndex
            of X. A Series must have the index of X.

        Returns
        -------
        self : SlidingWindow

        Raises
        ------
        ValueError
            If no series is as long as one window, or the index isn't in order, within
            each series, or has a label twice.
        """
        self._learn(X, y, groups)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    @told
    def fit_transform(
        self,
        X: SequenceData,
        y: Targets | None = None,
        *,
        groups: ArrayLike | None = None,
    ) -> Array:
        """Fit, and return the windows of X; the first ones are padded, never carried.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order. NaN and inf are refused.
        y : array-like of n rows or None, default=None
            As in `fit`.
        groups : array-like of shape (n,) or None, default=None
            As in `fit`.

        Returns
        -------
        windows : ndarray of shape (n, lookback, n_features)
            As `transform` returns them.
        """
        series, rows = self._learn(X, y, groups)
        return self._with_index(self._windows(series, rows, {}), X)

    @of_one_fit
    def transform(self, X: SequenceData, *, groups: ArrayLike | None = None) -> Array:
        """Return for every row the window that ends there.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Rows in time order, one or more. NaN and inf are refused.
        groups : array-like of shape (n,) or None, default=None
            As in `fit`; needed if `fit` had it.

        Returns
        -------
        windows : ndarray of shape (n, lookback, n_features)
            Read-only view. float32 stays, everything else is float64. For several
            series it is an array-like that gathers windows when they are read:
            ``numpy.asarray`` and every selection return arrays.

        Raises
        ------
        ValueError
            If the index isn't in order, within each series, or has a label twice, or
            if `fit` had several series and nothing says which ones X has.

        Warns
        -----
        UserWarning
            For ``warmup="carry"``, if the rows are later than those of `fit` and
            aren't known to follow, if `fit` left them out between its own, or if only
            `fit` knew an index.
        """
        check_is_fitted(self)
        series = self._read(X, reset=False)
        known = self._history.forms
        rows = read_rows(X, len(series), groups=groups, known=known)
        if self._history.is_panel and rows.keys is None:
            raise ValueError(
                "SlidingWindow was fitted on several series, but nothing says which "
                "ones the rows of X belong to: pass groups, or a frame with such a "
                f"MultiIndex as fit had. {_KEEP_INDEX}"
            )
        windows = self._windows(series, rows, self._past(rows))
        return self._with_index(windows, X)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the features of a step, which are those of the series.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None takes `feature_names_in_`, or makes some up.

        Returns
        -------
        names : ndarray of str objects of shape (`n_features_in_`,)
        """
        check_is_fitted(self)
        return check_feature_names_in(self, input_features)

    def _learn(self, X, y, groups):
        with unchanged_on_error(self):
            series = self._read(X, reset=True)
            rows = read_rows(X, len(series), groups=groups, y=y)
            self._check_one_window_fits(int(rows.lengths.max()))
            # Copies: views would keep all of the training series in memory.
            tails = [
                _last(series[places], self._n_past).copy()
                for places in rows.by_series()
            ]
            keys = rows.keys
            self.tail_ = (
                tails[0] if keys is None else dict(zip(keys, tails, strict=True))
            )
            self._history = History.of(rows, keep_labels=self.warmup == "carry")
        return series, rows

    def _read(self, X, *, reset):
        if vocabulary_of(X) is not None:
            raise ValueError(
                "X holds token ids of a vocabulary, whose size and order mean nothing, "
                "but SlidingWindow makes windows of the rows of a series of numbers."
            )
        refuse_list_of_series(X, "X")
        refuse_sequences(X, "X")
        return read_table(self, X, reset=reset, dtype=[np.float64, np.float32])

    @property
    def _n_past(self):
        return (int(self.lookback) - 1) * int(self.sampling_rate)

    def _check_one_window_fits(self, n):
        if self._n_past < n:
            return
        rate = f" with sampling_rate={self.sampling_rate}"
        raise ValueError(
            f"lookback={self.lookback}{rate if self.sampling_rate > 1 else ''} needs "
            f"at least {self._n_past + 1} rows but the series has n={n} samples."
        )

    def _past(self, rows):
        """Return the remembered rows to put before each series that continues."""
        if self.warmup == "pad" or not self._n_past:
            return {}
        history = self._history
        if rows.labels is None and history.ends is not None:
            warnings.warn(
                "In fit X had an index, but here it has none, so SlidingWindow can't "
                "check that its rows follow those of fit. warmup='carry' assumes that "
                f"they do. {_KEEP_INDEX}",
                stacklevel=3,
            )
        continued = history.continued(rows)
        tails = self.tail_ if history.is_panel else {None: self.tail_}
        _warn_of_rows_apart(history, rows, continued)
        return {key: self._filled(tails[key]) for key in continued & tails.keys()}

    def _filled(self, tail):
        # There may be fewer: the series was short, or a parameter was set after fit.
        tail = _last(tail, self._n_past)
        return pad_rows(tail, self._n_past - len(tail), self.fill)

    def _windows(self, series, rows, past):
        shape = int(self.lookback), int(self.sampling_rate)
        if rows.keys is None or len(rows.keys) == 1:
            fill = next(iter(past.values()), self.fill)
            return sliding_windows(pad_rows(series, self._n_past, fill), *shape)
        order, places = rows.places()
        table = pad_series(series[order], rows.lengths, self._n_past, self.fill)
        starts = places + self._n_past * rows.codes
        firsts = self._n_past * np.arange(len(rows.keys))
        firsts += np.cumsum(rows.lengths) - rows.lengths
        for key, first in zip(rows.keys, firsts, strict=True):
            if key in past:
                table[first : first + self._n_past] = past[key]
        return SeriesWindows(table, starts, *shape)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _warn_of_rows_apart(history, rows, continued):
    """Warn that X is padded although its rows may have been meant to follow."""
    skipped = history.first_skipped(rows)
    if skipped is not None:
        warnings.warn(
            "X holds rows that fit left out between its own or before them, the "
            f"first of them {skipped}, as shuffled folds and those of KFold do. "
            "Nothing is carried over to them, and their windows are padded; for "
            "warmup='carry' use TimeSeriesSplit.",
            stacklevel=4,
        )
    unjoined = history.first_unjoined(rows, continued)
    if unjoined is not None:
        first, last = unjoined
        warnings.warn(
            f"Nothing is carried over to the rows of X from {first} on: by its index "
            f"that isn't known to be the next step after {last}, the last row that fit "
            "saw. Their first windows are padded; warmup='pad' does so without a "
            "warning.",
            stacklevel=4,
        )


def _last(rows, n_rows):
    return rows[max(len(rows) - n_rows, 0) :]
