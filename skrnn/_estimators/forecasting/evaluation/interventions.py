"""Change the future, and look whether anything moves that should not."""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from skrnn._data.rows.series import row_index
from skrnn._estimators.forecasting.evaluation.grid import TimeGrid
from skrnn._sklearn import safe_indexing

# A prediction that moves by less, in terms of their spread, moves by rounding.
_ROUNDING = 1e-4
# Changes of the series within a test part, of either kind: each makes features anew.
_MOST_CUTS = 8


@dataclass(frozen=True)
class Trial:
    """A pipeline and its data.

    Attributes
    ----------
    pipeline : estimator
    X, y, groups : array-like
    grid : TimeGrid
    rng : numpy.random.RandomState
    """

    pipeline: Any
    X: Any
    y: Any
    groups: Any
    grid: TimeGrid
    rng: Any

    @cached_property
    def estimators(self):
        """The pipeline and all that is in it."""
        if not hasattr(self.pipeline, "get_params"):
            return [self.pipeline]
        return [self.pipeline, *self.pipeline.get_params(deep=True).values()]

    @cached_property
    def forecasters(self):
        """What knows X ahead, and is asked for all that comes next as a whole."""
        return [each for each in self.estimators if hasattr(each, "forecast")]

    @property
    def is_forecaster(self):
        """Whether the pipeline is a forecaster, or a search over one."""
        return bool(self.forecasters)

    @property
    def past_features(self):
        """The columns that aren't known ahead."""
        named = [getattr(each, "past_features", None) for each in self.forecasters]
        return [
            n for each in named if each is not None for n in np.ravel(each).tolist()
        ]

    def options(self, rows):
        """Return `groups` of some rows as a keyword, if there are groups."""
        if self.groups is None or isinstance(self.groups, str):
            return {} if self.groups is None else {"groups": self.groups}
        return {"groups": safe_indexing(self.groups, rows)}


@contextmanager
def quiet():
    """Ignore warnings: what they would say is in the report, or meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def moved_predictions(trial: Trial, train, test) -> str | None:
    """Train, change rows of X that come later, and tell which predictions move.

    Returns
    -------
    what : str or None
        What moved; None if nothing did.
    """
    with quiet():
        X, y = safe_indexing(trial.X, train), safe_indexing(trial.y, train)
        model = _seeded(trial.pipeline, trial.rng)
        model.fit(X, y, **trial.options(train))
        if trial.is_forecaster:
            return _moved_by_past_features(trial, model, test)
        return _moved_by_later_rows(trial, model, test)


def _seeded(pipeline, rng):
    """Return a clone whose fit is always the same."""
    model = clone(pipeline)
    params = model.get_params() if hasattr(model, "get_params") else {}
    loose = [
        name
        for name, value in params.items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    seeds = {name: int(rng.randint(2**31 - 1)) for name in loose}
    return model.set_params(**seeds) if seeds else model


def _moved_by_later_rows(trial, model, test):
    """Change the rows behind some row of the test part, and predict it once more."""
    options = trial.options(test)
    expected = _predicted(model, safe_indexing(trial.X, test), options)
    positions = trial.grid.positions[test]
    times = np.unique(positions)[:-1]
    if not len(times):
        return None
    cuts = {times[0], times[len(times) // 2], times[-1]}
    for cut in sorted(cuts):
        is_later = positions > cut
        changed = _with_other_rows(trial, test, is_later)
        found = _predicted(model, changed, options)
        moved = _differ(found[~is_later], expected[~is_later])
        if moved.any():
            row = test[~is_later][np.argmax(moved)]
            return (
                f"the prediction for row {row} moves when later rows of X change: a "
                "step of the pipeline looks ahead, such as a centred mean, or learns "
                "from all rows that it transforms"
            )
    return None


def _moved_by_past_features(trial, model, test):
    """Change the columns that are known only up to the present."""
    names = trial.past_features
    if not names:
        return None
    X, options = safe_indexing(trial.X, test), trial.options(test)
    changed = _with_other_columns(trial, test, names)
    if changed is None:
        return None
    expected, found = (_predicted(model, each, options) for each in (X, changed))
    if not _differ(found, expected).any():
        return None
    return f"forecasts move when the past-only columns {names} change"


def _with_other_rows(trial, test, is_changed):
    """Return the test rows, some of them with the values of other rows of X."""
    rows = test.copy()
    n = len(trial.grid.positions)
    rows[is_changed] = trial.rng.randint(n, size=int(is_changed.sum()))
    changed = safe_indexing(trial.X, rows)
    if hasattr(changed, "iloc"):
        changed = changed.set_axis(safe_indexing(trial.X, test).index, axis=0)
    return changed


def _with_other_columns(trial, test, names):
    everywhere = np.full(len(test), True)
    other = _with_other_rows(trial, test, everywhere)
    X = safe_indexing(trial.X, test)
    if hasattr(X, "iloc"):
        return X.assign(**{name: other[name] for name in names})
    if isinstance(X, np.ndarray):
        X = X.copy()
        X[:, names] = other[:, names]
        return X
    return None


def _predicted(model, X, options):
    found = np.asarray(model.predict(X, **options))
    return found.reshape(len(found), -1)


def _differ(found, expected):
    """Return the rows whose predictions differ by more than rounding."""
    if found.dtype.kind not in "fiu":
        return (found != expected).any(axis=1)
    size = np.nanmax(np.abs(expected), initial=0)
    same = np.isclose(
        found, expected, rtol=0, atol=_ROUNDING * size + 1e-12, equal_nan=True
    )
    return ~same.all(axis=1)


# Features that a function makes of the series


def made_of(make, series):
    """Return the X and the y that a function makes of a series."""
    found = make(series)
    if isinstance(found, tuple) and len(found) == 2:
        return found[0], found[1], True
    return found, series, False


@dataclass(frozen=True)
class Made:
    """Where the rows that a function made stand in the series they were made of.

    Attributes
    ----------
    positions : ndarray of int of shape (n_rows,)
        Of the rows that were made, in time.
    of_series : ndarray of int of shape (n,)
        Of the values of the series, in the same time.
    values : ndarray of float of shape (n_rows, K)
        The series at the rows that were made.
    """

    positions: np.ndarray
    of_series: np.ndarray
    values: np.ndarray

    def of_missing(self) -> np.ndarray:
        """Return the positions of missing values."""
        return self.positions[np.isnan(self.values).any(axis=1)]


def place_made(X, series, grid: TimeGrid) -> Made:
    """Find the rows of X in the series, by their labels where both have some.

    Without labels they are the first rows of the series: what a function drops at the
    start can't be seen.
    """
    values = np.asarray(series, dtype=float).reshape(len(series), -1)
    if len(series) == len(grid.positions):
        return Made(grid.positions, grid.positions, values)
    rows, times = _rows_by_label(X, series), np.arange(len(series))
    if rows is None:
        first = np.minimum(np.arange(len(grid.positions)), len(series) - 1)
        return Made(grid.positions, times, values[first])
    if series.index.nlevels > 1:
        # Of a panel, cut at the same time in all series.
        times = np.unique(series.index.get_level_values(-1), return_inverse=True)[1]
    return Made(times[rows], times, values[rows])


def _rows_by_label(X, series):
    """Return the row of the series that each row of X has the label of, or None."""
    of_rows, of_series = row_index(X), row_index(series)
    if of_rows is None or of_series is None or not of_series.is_unique:
        return None
    rows = of_series.get_indexer(of_rows)
    return None if (rows < 0).any() else rows


def moved_features(make, series, grid: TimeGrid, split, rng) -> list[str]:
    """Change a series from rows of the test part on, and tell which features move.

    Parameters
    ----------
    make : callable
    series : array-like of shape (n,) or (n, K)
    grid : TimeGrid
        Of the rows that `make` returns.
    split : tuple of (train, test, known_ahead)
        Rows, and whether the features of all test rows must be known at the first one.
    rng : numpy.random.RandomState

    Returns
    -------
    what : list of str
    """
    train, test, known_ahead = split
    X, y, has_targets = made_of(make, series)
    made = place_made(X, series, grid)
    first = made.positions[test].min()

    def remade(cut):
        is_later = made.of_series >= cut + has_targets
        other_X, other_y, _ = made_of(make, _changed(series, is_later, rng))
        return other_X, other_y

    other_X, other_y = remade(first)
    before = test if known_ahead else test[made.positions[test] == first]
    told = "the test rows" if known_ahead else "the first test row"
    # Those behind the test part, if there are any, may move.
    earlier = train[made.positions[train] < first]
    found = [
        _as_message(columns, name)
        for rows, name in ((earlier, "training rows"), (before, told))
        if (columns := _moved_columns(X, other_X, rows))
    ]
    if has_targets and _moved_columns(y, other_y, earlier):
        found.append(
            "targets of training rows move when the series changes behind the first "
            "test row: they reach into the test part, which takes a purge, or are "
            "scaled by it"
        )
    if found or known_ahead:
        return found
    for cut in _cuts(made, test, has_targets):
        columns = _moved_columns(X, remade(cut)[0], test[made.positions[test] <= cut])
        if columns:
            return [_as_message(columns, "test rows", "a later test row")]
    return []


def _as_message(columns, rows, since="the test part"):
    return (
        f"{', '.join(columns)} of {rows} move{'s' * (len(columns) == 1)} when the "
        f"series changes from {since} on: what makes these features looks ahead, or "
        "learns from all rows"
    )


def _cuts(made, test, has_targets):
    """Choose times within the test part, first those behind missing values.

    What fills these may look ahead at their rows alone.
    """
    times = np.unique(made.positions[test])[1:]
    missing = made.of_missing() + 1 - has_targets
    behind = np.intersect1d(times, missing)
    return [*_spread(behind), *_spread(np.setdiff1d(times, behind))]


def _spread(times):
    """Take some of the times, evenly."""
    n = min(_MOST_CUTS, len(times))
    return times[np.linspace(0, len(times) - 1, n).astype(int)] if n else times


def _changed(series, is_changed, rng):
    """Return the series with other values where it may change."""
    values = np.array(series, dtype=float)
    size = np.nanstd(values, axis=0) + np.nanmean(np.abs(values), axis=0) + 1e-6
    shape = values[is_changed].shape
    values[is_changed] += size * (3 + 3 * rng.uniform(size=shape))
    if isinstance(series, pd.Series):
        return pd.Series(values, index=series.index, name=series.name)
    if isinstance(series, pd.DataFrame):
        return pd.DataFrame(values, index=series.index, columns=series.columns)
    return values


def _moved_columns(X, other, rows):
    """Return the names, or the positions, of the columns that differ at some rows."""
    names = getattr(X, "columns", None)
    if not len(rows):
        return []
    one, two = (np.asarray(safe_indexing(each, rows)) for each in (X, other))
    one, two = (each.reshape(len(rows), -1) for each in (one, two))
    if one.shape != two.shape:
        return ["the number of columns"]
    if one.dtype.kind in "fiub":
        same = np.isclose(one, two, rtol=1e-9, atol=1e-12, equal_nan=True)
    else:
        same = (one == two) | (pd.isna(one) & pd.isna(two))
    moved = np.flatnonzero(~same.all(axis=0))
    if names is None or len(names) != one.shape[1]:
        names = range(one.shape[1])
    return [f"column {names[i]!r}" for i in moved[:5]]
