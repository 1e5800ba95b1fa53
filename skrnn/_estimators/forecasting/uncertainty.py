"""What a Forecaster says of the uncertainty of its forecasts."""

from typing import Any

import numpy as np

from skrnn._data.typing import Array
from skrnn._estimators.advice import advised_arguments
from skrnn._estimators.forecasting.answers import (
    SHOWN,
    Coverage,
    Numbers,
    checked_levels,
)
from skrnn._estimators.forecasting.base import BaseForecaster
from skrnn._estimators.forecasting.panel import in_rows
from skrnn._estimators.forecasting.reading.answers import as_answer, index_ahead
from skrnn._estimators.one_fit import of_one_fit
from skrnn._sklearn import Count, check_arguments, draw_seed


class UncertainForecaster(BaseForecaster):
    """Intervals, quantiles and paths."""

    @advised_arguments
    @of_one_fit
    def predict_quantiles(
        self, X: Any, quantiles: Any = None, *, groups: Any = None
    ) -> Array:
        """Return quantiles of rows that follow the training data.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, or pandas index
            As in :meth:`predict`.
        quantiles : sequence of float or None, default=None
            Levels, increasing between 0 and 1: of those in the parameter `quantiles`,
            which are the default, or any with a `distribution`, where the default is
            0.1, 0.5 and 0.9.
        groups : array-like of shape (n,), str or None, default=None
            As in :meth:`predict`.

        Returns
        -------
        quantiles : ndarray of shape (n, Q) or (n, K, Q)
            They never cross. With a `calibration_size` those of each step are moved to
            where they would have been right on that part (Romano et al., 2019); the
            median, which is the forecast, stays. Beyond the horizon they follow the
            medians before, and are too narrow then.

        Raises
        ------
        ValueError
            If the networks weren't trained for them.
        """
        ahead = self._read_ahead(X, groups)
        if quantiles is None:
            quantiles = SHOWN if self.quantiles is None else self.quantiles
        levels = checked_levels(quantiles)
        whole = self._whole(self._panel, ahead)
        found = self._model.quantiles(self._panel, whole, levels)
        return self._answered(found, ahead)

    @advised_arguments
    @of_one_fit
    def sample_paths(
        self,
        steps: int | None = None,
        n_samples: int = 100,
        X: Any = None,
        *,
        history: Any = None,
        random_state: Any = None,
    ) -> Any:
        """Draw possible futures.

        A path is drawn step by step from the distributions of the horizon; the steps
        and the targets depend on each other as those of the training windows did (a
        Gaussian copula).
        Beyond the horizon a path goes on from what was drawn. With a `calibration_size`
        values are moved as :meth:`predict_quantiles` moves quantiles.

        Parameters
        ----------
        steps : int or None, default=None
            As in :meth:`forecast`.
        n_samples : int, default=100
            Number of paths.
        X, history : object, default=None
            As in :meth:`forecast`.
        random_state : int, RandomState instance or None, default=None
            An int draws the same paths every time.

        Returns
        -------
        paths : DataFrame
            A column for each path, with the index of :meth:`forecast`; for several
            targets columns (target, path).

        Raises
        ------
        ValueError
            Without a `distribution`.
        """
        rows = {"n_samples": [Count()], "random_state": ["random_state"]}
        given = {"n_samples": n_samples, "random_state": random_state}
        check_arguments(rows, given, "sample_paths")
        panel, ahead = self._asked(steps, X, history, "sample_paths")
        if self.distribution is None:
            raise ValueError(
                "sample_paths needs networks that answer with a distribution: fit with "
                "Forecaster(distribution='normal'), or another one."
            )
        rng = np.random.default_rng(draw_seed(random_state, 0))
        whole = self._whole(panel, ahead)
        paths = self._model.paths(panel, whole, int(n_samples), rng)
        index = index_ahead(panel, self._columns, ahead)
        found = in_rows(np.moveaxis(paths, 0, -1), ahead)
        return as_answer(found, index, self._columns, list(range(n_samples)))

    @advised_arguments
    @of_one_fit
    def predict_interval(
        self, X: Any, coverage: float = 0.9, *, groups: Any = None
    ) -> Array:
        """Return intervals that cover the truth with a given probability.

        Split conformal intervals for each step of the horizon: the errors of forecasts
        on the `calibration_size` last rows, which nothing was learned from, in units of
        each window's spread (Vovk et al., 2005; Lei et al., 2018). They cover as often
        as they say if errors to come are like those.

        Without a calibration part, networks with a `distribution`, or with the
        `quantiles` on both sides, answer with these.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, or pandas index
            As in :meth:`predict`; not more rows of a series than the horizon.
        coverage : float, default=0.9
            Between 0 and 1.
        groups : array-like of shape (n,), str or None, default=None
            As in :meth:`predict`.

        Returns
        -------
        interval : ndarray of shape (n, 2) or (n, K, 2)
            Lower and upper bound.

        Raises
        ------
        ValueError
            If there is no calibration part, or too small a one.
        """
        ahead = self._read_ahead(X, groups)
        forecasts = self._forecasts(self._panel, ahead)
        bounds = self._interval(self._panel, ahead, forecasts, coverage)
        return self._answered(bounds, ahead)

    def _interval(self, panel, ahead, forecasts, coverage):
        """Return the bounds (H, n, K, 2) of forecasts (H, n, K)."""
        check_arguments(
            {"coverage": [Coverage()]}, {"coverage": coverage}, "the interval"
        )
        model = self._model
        if model.calibration is not None:
            return model.interval(panel, ahead, forecasts, coverage)
        if isinstance(model.plan.answer, Numbers):
            raise ValueError(
                "Intervals need errors of forecasts that weren't trained on: fit with "
                "Forecaster(calibration_size=...), such as 0.2; or with quantiles or a "
                "distribution, which the networks learn."
            )
        levels = _levels(model.plan.answer, coverage)
        return model.quantiles(panel, self._whole(panel, ahead), levels)[
            : len(forecasts)
        ]


def _levels(answer, coverage):
    """Return the levels of the quantiles that bound an interval."""
    # Not 0.04999999999999999.
    outside = round((1 - coverage) / 2, 12)
    trained = getattr(answer, "levels", None)
    if trained and not np.isclose(trained, outside, rtol=0, atol=1e-9).any():
        known = [round(1 - 2 * level, 12) for level in trained if level < 0.5]
        raise ValueError(
            f"coverage={coverage} needs the quantiles {outside} and {1 - outside}, but "
            f"those that were trained are {list(trained)}; expected coverage to be one "
            f"of {known}, or other quantiles in Forecaster(quantiles=...)."
        )
    return outside, 1 - outside
