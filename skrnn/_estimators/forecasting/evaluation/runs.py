"""Forecasts from one origin after the other: fit, update, predict."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skrnn._estimators.forecasting.evaluation.grid import TimeGrid
from skrnn._estimators.forecasting.evaluation.origins import Origin, last_places
from skrnn._sklearn import safe_indexing


@dataclass(frozen=True)
class Material:
    """The data of a backtest, as the user gave them.

    Attributes
    ----------
    X, y : array-like
    groups : array-like, str or None
        Handed on to the forecaster, if it isn't None.
    grid : TimeGrid
    n_targets : int
    quantiles : tuple of float
        Empty if none are asked for.
    coverage : float or None
        Of the intervals that are asked for.
    """

    X: Any
    y: Any
    groups: Any
    grid: TimeGrid
    n_targets: int
    quantiles: tuple
    coverage: float | None = None

    def rows_of_X(self, rows):
        """Return some rows of X, and `groups` of them as a keyword."""
        X = safe_indexing(self.X, rows)
        if self.groups is None or isinstance(self.groups, str):
            return X, {} if self.groups is None else {"groups": self.groups}
        return X, {"groups": safe_indexing(self.groups, rows)}

    def rows_of_both(self, rows):
        """Return some rows of X and y, and `groups` of them as a keyword."""
        X, options = self.rows_of_X(rows)
        return X, safe_indexing(self.y, rows), options


@dataclass(frozen=True)
class Forecasts:
    """What was forecast from one origin.

    Attributes
    ----------
    origin : Origin
        Without test rows of series that weren't trained on.
    values : ndarray of shape (n_test, K)
    quantiles : ndarray of shape (n_test, K, Q)
    intervals : ndarray of shape (n_test, K, 2), or (n_test, K, 0) without any
    seasons : tuple of int
        The periods that the forecaster found, or was told.
    """

    origin: Origin
    values: np.ndarray
    quantiles: np.ndarray
    intervals: np.ndarray
    seasons: tuple


def forecasts_from(forecaster, material: Material, origins: list[Origin]):
    """Fit a clone at the first origin, update it at the others; yield the forecasts.

    A forecaster without a method ``update`` stays as it was fitted. Series that begin
    after the first origin aren't known to it, and are left out.
    """
    grid, model = material.grid, clone(forecaster, safe=False)
    known = grid.counts(origins[0].train) > 0
    for before, origin in zip([None, *origins], origins, strict=False):
        with _named(grid, origin):
            if before is None:
                X, y, options = material.rows_of_both(origin.train)
                model.fit(X, y, **options)
            elif hasattr(model, "update"):
                new = _rows_since(before, origin, grid, known)
                if len(new):
                    X, y, options = material.rows_of_both(new)
                    model.update(X, y, **options)
            test = origin.test[known[grid.codes[origin.test]]]
            if len(test):
                yield _forecast(model, material, Origin(origin.train, test))


@contextmanager
def _named(grid, origin):
    """Say of an error at which origin it came."""
    try:
        yield
    except Exception as error:
        last = origin.train[np.argmax(grid.positions[origin.train])]
        error.add_note(f"backtest was at the cutoff {grid.times[last]}.")
        raise


def _rows_since(before, now, grid, known):
    """Return the rows up to the end of one origin that came after another one."""
    first, last = last_places(before.train, grid), last_places(now.train, grid)
    is_new = (grid.places > first[grid.codes]) & (grid.places <= last[grid.codes])
    return np.flatnonzero(is_new & known[grid.codes])


def _forecast(model, material, origin):
    n, k, q = len(origin.test), material.n_targets, len(material.quantiles)
    X, options = material.rows_of_X(origin.test)
    values = _checked(model.predict(X, **options), (n, k), "predict")
    quantiles = intervals = np.empty((n, k, 0))
    if q:
        found = model.predict_quantiles(X, list(material.quantiles), **options)
        quantiles = _checked(found, (n, k, q), "predict_quantiles")
    if material.coverage is not None:
        found = model.predict_interval(X, material.coverage, **options)
        intervals = _checked(found, (n, k, 2), "predict_interval")
    return Forecasts(origin, values, quantiles, intervals, _seasons(model))


def _checked(found, shape, method):
    """Return what a method gave as an array of the shape; K = 1 may be left out."""
    array = np.asarray(found, dtype=float)
    flat = (shape[0], *shape[2:]) if shape[1] == 1 else shape
    if array.shape not in (shape, flat):
        raise ValueError(
            f"{method} returned shape {array.shape} for {shape[0]} rows; expected "
            f"{flat}."
        )
    return array.reshape(shape)


def _seasons(model):
    for name in ("seasonal_periods_", "seasonal_periods"):
        found = getattr(model, name, None)
        if found is not None and not isinstance(found, str):
            return tuple(int(each) for each in np.ravel(found))
    return ()


def check_forecaster(forecaster, quantiles, coverage=None):
    """Refuse what can't be fitted and asked.

    Raises
    ------
    TypeError
        That names the method that is missing.
    """
    needed = ["fit", "predict"]
    needed += ["predict_quantiles"] * bool(quantiles)
    needed += ["predict_interval"] * (coverage is not None)
    for name in needed:
        if isinstance(forecaster, type) or not hasattr(forecaster, name):
            raise TypeError(
                f"forecaster={forecaster!r} has no method {name}; expected an instance "
                f"with {', '.join(needed)}."
            )
