"""What a Forecaster is made of: its parameters, and its ``fit``."""

import inspect
import os
import warnings
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import MetaEstimatorMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.advice import advise, fit_context
from skrnn._estimators.checkpoints import (
    FitCheckpoint,
    fit_checkpoint,
    parameters_of,
)
from skrnn._estimators.description.network import DescribedEnsemble
from skrnn._estimators.forecasting.answers import answer_of
from skrnn._estimators.forecasting.ensemble import EnsemblePlan, is_network
from skrnn._estimators.forecasting.model import fit_model, without_last
from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.panel import in_rows
from skrnn._estimators.forecasting.planning import (
    MOST_ROWS,
    check_counts,
    check_lengths,
    check_plan,
    choose_strategy,
    default_network,
    held_out,
    lookbacks_of,
    rows_ahead,
    season_of,
)
from skrnn._estimators.forecasting.reading.columns import FeatureOptions, events_of
from skrnn._estimators.forecasting.reading.evidence import with_followed_calendar
from skrnn._estimators.forecasting.reading.following import (
    with_steps_behind,
    with_steps_between,
)
from skrnn._estimators.forecasting.reading.later import (
    ahead_of,
    read_ahead,
    read_history,
)
from skrnn._estimators.forecasting.reading.panels import read_panel, warn_of_target
from skrnn._estimators.forecasting.reading.seasons import find_seasonal_periods
from skrnn._estimators.forecasting.strategies import STRATEGIES
from skrnn._estimators.forecasting.transforms import TRANSFORMS, fit_transform
from skrnn._estimators.one_fit import unchanged_on_error
from skrnn._estimators.watching import WatchedFit, watch_fit
from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._sklearn import (
    Count,
    Counts,
    HasMethods,
    RealNotInt,
    StrictInterval,
    StrOptions,
    check_arguments,
    draw_seed,
)

# Of a season; more than any table has.
_MOST_ROWS = 2**31 - 1


@dataclass(eq=False, repr=False)
class BaseForecaster(MetaEstimatorMixin, WatchedFit, RegressorMixin, DescribedEnsemble):
    """The parameters of a Forecaster, and its ``fit``."""

    estimator: Any = None
    _: KW_ONLY
    lookback: Any = "auto"
    horizon: int = 1
    strategy: str = "auto"
    seasonal_periods: Any = "auto"
    normalize: str | None = "window"
    target_transform: Any = None
    difference: Any = None
    gap: int = 0
    past_features: Any = None
    future_features: Any = None
    static_features: Any = None
    calendar: Any = "auto"
    impute: str | None = None
    n_members: int = 3
    n_windows: int = 100_000
    quantiles: Any = None
    distribution: str | None = None
    calibration_size: Any = None
    checkpoint_path: Any = None
    random_state: Any = None
    verbose: int = 0

    _parameter_constraints = {
        "estimator": [HasMethods("fit"), None],
        "lookback": [StrOptions({"auto"}), Count(), Counts()],
        "horizon": [Count()],
        "strategy": [StrOptions({"auto", *STRATEGIES})],
        "seasonal_periods": [StrOptions({"auto"}), Count(2), Counts(2), None],
        "normalize": [StrOptions({n for n in NORMALIZERS if n}), None],
        "target_transform": [
            StrOptions(set(TRANSFORMS)),
            HasMethods(["fit", "transform", "inverse_transform"]),
            None,
        ],
        "difference": [Count(), Counts(), None],
        "gap": [Count(0)],
        "past_features": ["array-like", None],
        "future_features": ["array-like", None],
        "static_features": ["array-like", None],
        "calendar": [StrOptions({"auto"}), "array-like", "boolean", None],
        "impute": [StrOptions({"last", "mean"}), None],
        "n_members": [Count()],
        "n_windows": [Count()],
        "quantiles": ["array-like", None],
        "distribution": [StrOptions(set(DISTRIBUTIONS)), None],
        "calibration_size": [
            StrictInterval(RealNotInt, 0, 1, closed="neither"),
            Count(),
            None,
        ],
        "checkpoint_path": [str, os.PathLike, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # The estimator's own parameters are to be checked too.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Learn from the rows of one or more series.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, pandas index, or None
            Covariates of the rows of y, in time order. A frame or array without columns
            has none; its index, or an index alone, tells the dates, and so does the
            index of y if X is None.
        y : array-like of shape (n,) or (n, K)
            Values of the series; NaN where one is missing. K of them are forecast
            together.
        groups : array-like of shape (n,), str or None, default=None
            The series that each row is of, or the column of X that tells it. A
            MultiIndex (series, time) tells it too.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            For input that can't be used; an earlier fit then stays as it was.

        Warns
        -----
        UserWarning
            If a column of X that is known ahead equals y, or a MultiIndex looks like
            (year, month), which would be a series for each year.
        """
        watch = watch_fit(self, X, y, None, in_order=False)
        with unchanged_on_error(self):
            panel, columns = read_panel(X, y, groups, self._feature_options())
            warn_of_target(panel, columns)
            answer = answer_of(self.quantiles, self.distribution)
            check_counts(answer, self.target_transform, panel.y)
            n_held_out = self._n_held_out(panel.lengths, panel.called)
            panel, columns, periods = self._seasons(panel, columns, n_held_out)
            training = without_last(panel, n_held_out)
            network = self.estimator
            network = default_network() if network is None else network
            own = self._checkpoint(network, training)
            transform = fit_transform(self.target_transform, self._lags, training.y)
            rows = training.lengths - min(transform.n_lost, MOST_ROWS)
            plan = self._plan(periods, network, answer, rows, own, columns)
            check_lengths(training, plan, transform.n_lost)
            model = self._fit_model(network, training, plan, transform, watch, own)
            model = model.calibrated(panel, n_held_out)
            self._keep(panel, columns, model)
            watch.end()
        return self._report(model)

    def _feature_options(self):
        return FeatureOptions(
            past_features=self.past_features,
            future_features=self.future_features,
            static_features=self.static_features,
            calendar=self.calendar,
            impute=self.impute,
            gap=int(self.gap),
            held_out=self._n_held_out,
        )

    @property
    def _lags(self):
        """The lags of differences, none or several."""
        return () if self.difference is None else tuple(np.atleast_1d(self.difference))

    def _n_held_out(self, lengths, called):
        """Return how many last rows of each series nothing is learned from."""
        needed, n_lost = int(self.gap) + int(self.horizon), int(np.sum(self._lags))
        return held_out(self.calibration_size, lengths, called, needed, n_lost)

    def _seasons(self, panel, columns, n_held_out):
        """Find the seasons of y, and leave out the calendar that it doesn't follow."""
        training = without_last(panel, n_held_out)
        periods = self._periods(training, columns)
        if isinstance(self.calendar, str) and self.calendar == "auto":
            given = panel, columns, periods, training
            panel, columns = with_followed_calendar(*given)
        return panel, columns, periods

    def _checkpoint(self, network, panel) -> FitCheckpoint | None:
        """Return the checkpoint of a fit; None if none is asked for, or can be.

        The members have files of their own: this one tells whose they are.
        """
        if is_network(network) and network.checkpoint_path is not None:
            raise ValueError(
                f"checkpoint_path={network.checkpoint_path!r} of the estimator would "
                "be one file for all members of Forecaster; give it to Forecaster: "
                "Forecaster(checkpoint_path=...)."
            )
        if self.checkpoint_path is None or not is_network(network):
            return None
        known = parameters_of(self)
        return fit_checkpoint(self.checkpoint_path, self, known, panel)

    def _fit_model(self, network, panel, plan, transform, watch, checkpoint):
        """Train the members, those of an interrupted fit from their last epochs on."""
        given = network, panel, plan, transform, watch
        if checkpoint is None:
            return fit_model(*given)
        checkpoint.write(plan.seed, None, False)
        model = fit_model(*given, checkpoint.of_member)
        if not model.ensemble.interrupted:
            checkpoint.write(plan.seed, None, True)
        return model

    def _plan(self, periods, network, answer, rows, checkpoint, columns):
        """Decide what is trained, and on what; series have `rows` to learn from."""
        strategy = choose_strategy(self.strategy, network, int(self.horizon), periods)
        n_members = int(self.n_members) if is_network(network) else 1
        room = rows - rows_ahead(strategy, int(self.horizon), int(self.gap)) + 1
        lookbacks = lookbacks_of(self.lookback, periods, n_members, room)
        seed = None if checkpoint is None else checkpoint.seed
        plan = EnsemblePlan(
            strategy=strategy,
            horizon=int(self.horizon),
            gap=int(self.gap),
            season=season_of(periods, lookbacks),
            lookbacks=lookbacks,
            normalize=self.normalize,
            n_windows=int(self.n_windows),
            seed=draw_seed(self.random_state, 0) if seed is None else seed,
            answer=answer,
            verbose=int(self.verbose),
            events=events_of(columns.future),
        )
        check_plan(plan, network, self.difference)
        self.seasonal_periods_ = periods
        return plan

    def _periods(self, panel, columns):
        if self.seasonal_periods is None:
            return ()
        if isinstance(self.seasonal_periods, str):
            frequency = columns.frequency and columns.frequency.name
            return find_seasonal_periods(panel.y, panel.lengths, frequency)
        given = sorted({*np.atleast_1d(self.seasonal_periods).tolist()})
        if given[-1] > _MOST_ROWS:
            raise ValueError(
                f"seasonal_periods must be numbers of rows, at most {_MOST_ROWS}; got "
                f"{given[-1]}."
            )
        return tuple(given)

    def _keep(self, panel, columns, model):
        """Set the fitted attributes."""
        self._panel, self._columns, self._model = panel, columns, model
        self.estimators_ = model.ensemble.estimators
        self.lookback_, self.strategy_ = model.plan.lookbacks, model.plan.strategy
        self.n_features_in_ = columns.n_columns
        if columns.names is not None:
            self.feature_names_in_ = np.asarray(columns.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _facts(self):
        return {
            "strategy": self.strategy_,
            "horizon": self._model.plan.horizon,
            "lookback": self.lookback_,
            "seasonal periods": self.seasonal_periods_,
        }

    def _inputs(self):
        return self._columns.in_words()

    def _report(self, model):
        """Return self; warn if training diverged, raise if it was interrupted."""
        n_diverged = model.ensemble.n_diverged
        if n_diverged:
            warnings.warn(
                f"Training of {n_diverged} of {len(self.estimators_)} members of "
                "Forecaster stopped early: the loss is not finite. Their last finite "
                "weights are kept. Try a lower learning_rate of the estimator.",
                ConvergenceWarning,
                stacklevel=4,
            )
        if model.ensemble.interrupted:
            raise KeyboardInterrupt
        return self

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_model")

    def _asked(self, steps, X, history, method):
        """Return the panel to go on from, and what is known of the steps asked for."""
        check_is_fitted(self)
        check_arguments({"steps": [Count(), None]}, {"steps": steps}, method)
        panel = self._panel
        if history is not None:
            panel = read_history(history, self._columns, self._panel)
            self._model.check_values(panel)
        if steps is None and X is not None:
            ahead = read_ahead(X, None, panel, self._columns, with_gap=True)
        else:
            ahead = ahead_of(int(steps or self.horizon), panel, self._columns, X)
        self._model.check_steps(int(ahead.lengths.max()))
        return panel, ahead

    def _read_ahead(self, X, groups):
        check_is_fitted(self)
        ahead = read_ahead(X, groups, self._panel, self._columns)
        self._model.check_steps(int(ahead.lengths.max()))
        return ahead

    def _whole(self, panel, ahead):
        """Return what is known of whole horizons, which forecasts are made of."""
        horizon = self._model.plan.horizon
        n_steps = -(-int(ahead.lengths.max()) // horizon) * horizon
        known = ahead if ahead.whole is None else ahead.whole.first(n_steps)
        known = with_steps_between(known, panel, self._columns)
        return with_steps_behind(known, panel, self._columns, n_steps)

    def _forecasts(self, panel, ahead):
        """Return forecasts (H, n, K) of the steps asked for."""
        found = self._model.forecast(panel, self._whole(panel, ahead))
        return found[: int(ahead.lengths.max())]

    def _answered(self, forecasts, ahead):
        """Return forecasts (H, n, ...) in the order of the rows asked for."""
        rows = in_rows(forecasts, ahead)[ahead.order]
        return rows[:, 0] if self._columns.target.is_flat else rows


# Errors about arguments of the dataclass' __init__ name the public class.
advise(BaseForecaster, inspect.signature(BaseForecaster.__init__), by_name=False)
