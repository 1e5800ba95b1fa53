"""Splits in time: each training part lies before its test part, and clear of it."""

from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from skrnn._data.typing import Array, ArrayLike, SequenceData, Targets
from skrnn._estimators.forecasting.evaluation.grid import read_grid
from skrnn._sklearn import Count, StrOptions, check_arguments


class WindowSplit(BaseCrossValidator):
    """Splits of windows and series in time, with rows left out where they overlap.

    Each test part follows its training part, and the last one ends with the data. The
    rows whose targets reach into the test part are left out of the training part
    (`purge`): ``y[t]`` of :func:`~skrnn.make_supervised` holds values up to
    ``gap + horizon`` rows later, and without a purge the last training rows are
    trained on values that the test part asks for.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits.
    test_size : int or None, default=None
        Steps in time of each test part. None is ``n // (n_splits + 1)``.
    step : int or None, default=None
        Steps in time from one test part to the next one. None is `test_size`, so that
        they don't overlap.
    purge : int, default=0
        Rows left out between the training and the test part. Rows of
        :func:`~skrnn.make_supervised` need ``gap + horizon - 1``; a
        :class:`~skrnn.forecasting.Forecaster` needs none, but takes `purge` for its
        own `gap`.
    embargo : int, default=0
        With ``two_sided=True``: rows left out after the test part besides those of
        `purge`. Windows need their lookback, or they look into the test part.
    two_sided : bool, default=False
        Whether rows after the test part are trained on as well. It gives more data,
        and scores that no forecast made at that time could have had.
    expanding : bool, default=True
        Whether training parts grow. Otherwise all have the size of the first one, or
        `max_train_size`.
    max_train_size : int or None, default=None
        Most steps in time of a training part before its test part; the latest ones
        stay.
    align : {"auto", "time", "end"}, default="auto"
        How several series are cut. "time" cuts all at the same labels, so that nothing
        is known of any series that is later. "end" counts the steps from each series'
        own end. "auto" is "time" where an index tells the times.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : For one series, with `gap` in place of
        `purge`.
    skrnn.forecasting.check_leakage : Whether splits and pipeline let the future in.

    Notes
    -----
    Times are the index of X or y, or the only column of times of a frame. The series of
    a panel come from the MultiIndex (series, time) of X or y, or from `groups`, which
    searches and ``cross_validate`` hand on: as their argument `groups` or, with
    metadata routing, in `params` without any request. A series that a split has no
    training rows of isn't tested there. Where series have times missing, rows are
    purged by whichever of rows and times leaves more out.

    Lopez de Prado (2018), Advances in Financial Machine Learning, chapter 7, has purge
    and embargo.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import make_supervised
    >>> from skrnn.forecasting import WindowSplit
    >>> X, y = make_supervised(np.arange(14.0), horizon=3)
    >>> for train, test in WindowSplit(n_splits=2, test_size=3, purge=2).split(X, y):
    ...     print(train, test)
    [0 1 2] [5 6 7]
    [0 1 2 3 4 5] [ 8  9 10]
    """

    # scikit-learn's name: `split` gets groups, if there are some, without a request.
    __metadata_request__split = {"groups": True}

    _parameter_constraints = {
        "n_splits": [Count()],
        "test_size": [Count(), None],
        "step": [Count(), None],
        "purge": [Count(0)],
        "embargo": [Count(0)],
        "two_sided": ["boolean"],
        "expanding": ["boolean"],
        "max_train_size": [Count(), None],
        "align": [StrOptions({"auto", "time", "end"})],
    }

    def __init__(
        self,
        n_splits: int = 5,
        *,
        test_size: int | None = None,
        step: int | None = None,
        purge: int = 0,
        embargo: int = 0,
        two_sided: bool = False,
        expanding: bool = True,
        max_train_size: int | None = None,
        align: str = "auto",
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.step = step
        self.purge = purge
        self.embargo = embargo
        self.two_sided = two_sided
        self.expanding = expanding
        self.max_train_size = max_train_size
        self.align = align

    def get_n_splits(
        self,
        X: SequenceData | None = None,
        y: Targets | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : object, default=None
            Ignored.
        y : object, default=None
            Ignored.
        groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def split(
        self,
        X: SequenceData,
        y: Targets | None = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[Array, Array]]:
        """Yield the rows of each training part and of its test part.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Rows in time order, within each series.
        y : array-like of n rows or None, default=None
            Its index tells times and series where X has none.
        groups : array-like of shape (n,) or None, default=None
            The series of each row, where no MultiIndex tells it.

        Yields
        ------
        train : ndarray of int
            Rows to train on, in ascending order.
        test : ndarray of int
            Rows to test on.

        Raises
        ------
        ValueError
            If there are too few rows, a parameter isn't valid, or rows aren't in order.
        """
        given = {name: getattr(self, name) for name in self._parameter_constraints}
        check_arguments(self._parameter_constraints, given, type(self).__name__)
        grid = read_grid(X, y, groups, align=self.align)
        n_splits = int(self.n_splits)
        size = int(self.test_size or 0) or max(grid.n_times // (n_splits + 1), 1)
        first = grid.n_times - size - (n_splits - 1) * int(self.step or size)
        self._check_length(grid, size, first)
        for i in range(n_splits):
            start = first + i * int(self.step or size)
            yield self._rows(grid, (start, start + size), first - int(self.purge))

    def _rows(self, grid, part, first_size):
        """Return the rows to train and test on if `part` of the grid is tested."""
        train = self._is_before(grid, part[0], first_size)
        if self.two_sided:
            train |= self._is_after(grid, part[1])
        test = (grid.positions >= part[0]) & (grid.positions < part[1])
        test &= (grid.counts(train) > 0)[grid.codes]
        if not test.any():
            raise ValueError(
                f"{self} leaves no rows to train on before steps {part[0]} to "
                f"{part[1] - 1} of {grid.n_times}, or none to test: expected a series "
                "that has both."
            )
        return np.flatnonzero(train), np.flatnonzero(test)

    def _is_before(self, grid, start, first_size):
        is_earlier = grid.positions < start
        # The rows of a series may lie further apart than the grid's times.
        ends = grid.counts(is_earlier)
        goes_on = ends < grid.lengths
        kept = np.where(goes_on, ends - int(self.purge), ends)[grid.codes]
        train = is_earlier & (grid.positions < start - int(self.purge))
        train &= grid.places < kept
        most = int(self.max_train_size or 0) or (None if self.expanding else first_size)
        if most is not None:
            train &= grid.positions >= start - int(self.purge) - most
        return train

    def _is_after(self, grid, end):
        left_out = int(self.purge) + int(self.embargo)
        firsts = grid.counts(grid.positions < end)[grid.codes]
        later = grid.positions >= end + left_out
        return later & (grid.places >= firsts + left_out)

    def _check_length(self, grid, size, first):
        if first - int(self.purge) >= 1:
            return
        apart = "" if self.step is None else f", step={self.step}"
        raise ValueError(
            f"n_splits={self.n_splits}, test_size={size}{apart} and purge={self.purge} "
            f"need at least {grid.n_times + 1 - first + self.purge} steps in time, but "
            f"X has n={grid.n_times}."
        )
