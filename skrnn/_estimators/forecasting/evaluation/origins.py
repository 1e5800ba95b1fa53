"""The origins of a backtest: what is known at each, and what is asked for."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from skrnn._estimators.forecasting.evaluation.grid import TimeGrid


@dataclass(frozen=True)
class Origin:
    """One training part and the rows to forecast from its end.

    Attributes
    ----------
    train : ndarray of int
        Rows, in ascending order.
    test : ndarray of int
        Rows, in ascending order.
    """

    train: np.ndarray
    test: np.ndarray


def origins_of_cv(cv, X, y, groups, grid: TimeGrid) -> list[Origin]:
    """Return the splits of a splitter or an iterable, all of them forward in time.

    Raises
    ------
    ValueError
        If a training part isn't before its test part, in each series.
    """
    # A string has a method `split`, too.
    is_none = isinstance(cv, Integral | str | bytes | type)
    if is_none or not (hasattr(cv, "split") or _is_iterable(cv)):
        raise ValueError(
            f"cv={cv!r} is invalid; expected a splitter such as TimeSeriesSplit() or "
            "WindowSplit(), or an iterable of (train, test)."
        )
    if hasattr(cv, "split"):
        given = (X, y) if groups is None else (X, y, groups)
        cv_splits = cv.split(*given)
    else:
        cv_splits = cv
    origins = [_origin(split, i, grid, cv) for i, split in enumerate(cv_splits)]
    if not origins:
        raise ValueError(f"cv={cv!r} gives no splits; expected one or more.")
    for i, origin in enumerate(origins):
        _check_forward(origin, grid, f"Split {i} of cv={cv!r}")
    return origins


def _is_iterable(value):
    # An array without axes has the method, but no items.
    try:
        iter(value)
    except TypeError:
        return False
    return True


def _origin(split, i, grid, cv):
    """Return a pair of (train, test) that selects rows."""
    try:
        train, test = split
        rows = np.arange(len(grid.positions))
        return Origin(rows[train], rows[test])
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"Split {i} of cv={cv!r:.80} is {split!r:.80}; expected (train, test), "
            f"each with indices of the {len(grid.positions)} rows: {error}"
        ) from error


def _check_forward(origin, grid, name):
    train, test = origin.train, origin.test
    if not len(train) or not len(test):
        raise ValueError(f"{name} has {len(train)} training and {len(test)} test rows.")
    untrained = np.flatnonzero((grid.counts(train) == 0) & (grid.counts(test) > 0))
    if len(untrained):
        assert grid.keys is not None
        raise ValueError(
            f"{name} tests series {grid.keys[untrained[0]]!r}, of which it has no "
            "training rows. Of several series take WindowSplit, which cuts them in "
            "time."
        )
    lasts = last_places(train, grid)
    too_early = grid.places[test] <= lasts[grid.codes[test]]
    if too_early.any():
        row = int(test[np.argmax(too_early)])
        raise ValueError(
            f"{name} trains on rows that are later than row {row}, which it tests; "
            "expected splits in time, as those of TimeSeriesSplit and WindowSplit."
        )


def last_places(rows, grid: TimeGrid) -> np.ndarray:
    """Return for each series the place of its last one of some rows, -1 for none."""
    lasts = np.full(grid.n_series, -1)
    np.maximum.at(lasts, grid.codes[rows], grid.places[rows])
    return lasts


def origins_in_time(grid: TimeGrid, initial, step, horizon, gap) -> list[Origin]:
    """Return an origin after `initial` times and then every `step` times.

    Parameters
    ----------
    grid : TimeGrid
    initial : int, time or None
        Times of the first training part, or the last one of them. None is half.
    step : int or None
        None is `horizon`.
    horizon : int
        Times to forecast from each origin.
    gap : int
        Times between an origin and the first forecast.

    Raises
    ------
    ValueError
        If there is no room for one origin.
    """
    first = _n_initial(grid, initial)
    ends = range(first, grid.n_times - gap - horizon + 1, step or horizon)
    origins = []
    for end in ends:
        train = grid.positions < end
        test = (grid.positions >= end + gap) & (grid.positions < end + gap + horizon)
        test &= (grid.counts(train) > 0)[grid.codes]
        if test.any():
            origins.append(Origin(np.flatnonzero(train), np.flatnonzero(test)))
    if not origins:
        after = f" after a gap of {gap}" if gap else ""
        raise ValueError(
            f"initial={initial!r} and horizon={horizon}{after} leave no origin: that "
            f"takes {first} + {gap + horizon} steps in time, but there are "
            f"{grid.n_times}."
        )
    return origins


def _n_initial(grid, initial):
    if initial is None:
        return max(grid.n_times // 2, 1)
    if isinstance(initial, Integral) and not isinstance(initial, bool):
        n = int(initial)
    elif grid.steps is None:
        raise ValueError(
            f"initial={initial!r} is a time, but the rows have no index of times; "
            "expected a number of rows."
        )
    else:
        n = _n_up_to(grid.steps, initial)
    if n < 1:
        raise ValueError(
            f"initial={initial!r} leaves nothing to train on; expected 1 or more steps "
            "in time."
        )
    return n


def _n_up_to(steps, time):
    try:
        if isinstance(time, str) and isinstance(
            steps, pd.DatetimeIndex | pd.PeriodIndex
        ):
            # As a slice of pandas: a day or a month is meant as a whole.
            return int(steps.slice_indexer(end=time).stop)
        if np.ndim(time) or hasattr(time, "tocsr"):
            raise TypeError("it is no single time")
        return int((steps <= time).sum())
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"initial={time!r} can't be compared with the times of the rows, such as "
            f"{steps[0]!r}; expected one like them, or a number of rows."
        ) from error
