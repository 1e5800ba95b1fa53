"""The Forecaster: a regressor over time."""

import warnings
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import MetaEstimatorMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skrnn._data.typing import Array
from skrnn._estimators.advice import AdvisedEstimator, advised_arguments, fit_context
from skrnn._estimators.forecasting.ensemble import EnsemblePlan
from skrnn._estimators.forecasting.model import Model, fit_model, without_last
from skrnn._estimators.forecasting.normalizers import NORMALIZERS
from skrnn._estimators.forecasting.planning import (
    choose_strategy,
    default_network,
    lookbacks_of,
    season_of,
)
from skrnn._estimators.forecasting.reading.columns import FeatureOptions
from skrnn._estimators.forecasting.reading.panels import read_panel
from skrnn._estimators.forecasting.reading.seasons import find_seasonal_periods
from skrnn._estimators.forecasting.strategies import STRATEGIES
from skrnn._estimators.forecasting.transforms import TRANSFORMS, fit_transform
from skrnn._sklearn import (
    Count,
    Counts,
    HasMethods,
    Share,
    StrOptions,
    check_arguments,
    draw_seed,
    unchanged_on_error,
)


@dataclass(eq=False, repr=False)
class Forecaster(MetaEstimatorMixin, RegressorMixin, AdvisedEstimator):
    """Forecasts of one or more series, with the covariates that are known.

    A regressor over time: ``fit(X, y)`` learns from rows in time order, ``predict(X)``
    forecasts the rows that follow. So ``GridSearchCV`` with ``TimeSeriesSplit``
    evaluates true forecasts of several steps.

    By default it trains three small networks that run over the horizon, and at each
    step read what is known about it: the last values of the same season, its place,
    the calendar, covariates. Every window is normalised by its own level and spread, so
    that one network serves series of any scale, and series that leave the range of
    training. The forecast is the median of the three.

    Parameters
    ----------
    estimator : regressor, default=None
        What forecasts. None is a bidirectional LSTM of 64 units, trained on the mean
        absolute error. One of the recurrent regressors is trained on batches of
        windows: `n_windows` decides how long, not its ``epochs``. Any other regressor
        is fitted on windows as rows of a table; one that takes sequences (n, T, F),
        such as a Pipeline of ours, gets sequences.
    lookback : "auto", int or tuple of int, default="auto"
        Rows of a window; a tuple has those of each member in turn. "auto" takes three,
        two and four seasons for the members in turn, or the longest season if there are
        several.
    horizon : int, default=1
        Steps that are forecast at once. More steps are forecast from forecasts.
    strategy : {"auto", "aligned", "multioutput", "recursive", "direct"}, \
            default="auto"
        "aligned" is one network that runs over the horizon; "multioutput" one model
        that reads the window and answers the whole horizon; "recursive" one model of
        one step, which reads its own forecasts as further values; "direct" a model for
        each step (Ben Taieb et al., 2012). "auto" is "aligned" for recurrent regressors
        with a horizon of 4 or more, or of 2 or 3 with a season; otherwise
        "multioutput".
    seasonal_periods : "auto", int, tuple of int or None, default="auto"
        Rows of a season, such as 12 for months or ``(24, 168)`` for hours. "auto" finds
        them from the frequency of the index and the autocorrelation of y.
    normalize : {"window", "last", None}, default="window"
        Units of a window: "window" subtracts the mean of its last season, and divides
        by the mean distance from it; "last" subtracts its last value; None leaves
        values alone.
    target_transform : {"log", "log1p", "sqrt"}, transformer or None, default=None
        What becomes of y before anything else. A transformer of scikit-learn gets y as
        (n, K) and needs ``inverse_transform``.
    difference : int, tuple of int or None, default=None
        Lags that y is differenced by, one after the other: 1 for a trend.
    gap : int, default=0
        Rows between the last known value and the first forecast.
    past_features, future_features, static_features : sequence or None, default=None
        Columns of X, by name or position: those known only up to the present, those
        known ahead, and those constant for a series. None for `future_features` means
        all the others.
    calendar : {"auto"}, tuple of str, None or False, default="auto"
        What is read off the dates: "auto" takes the cycles that training covers twice.
    impute : {"last", "mean"} or None, default=None
        What stands for missing values of X: the last one, or the mean. None refuses
        them. Values missing in y need nothing: they aren't learned, and where they are
        read an earlier one stands for them, with a mark.
    n_members : int, default=3
        Networks whose median is the forecast. Other estimators are fitted once.
    n_windows : int, default=100_000
        Windows that each member is trained on. With fewer windows in the data training
        goes over them 12 times at most.
    quantiles : sequence of float or None, default=None
        Quantiles to forecast, increasing between 0 and 1: the networks answer all of
        them at once, and they never cross.
    distribution : {"normal", "student_t", "negative_binomial", "poisson"} or None, \
            default=None
        Distribution of the values at each step that the networks answer with.
    calibration_size : int, float or None, default=None
        Last rows of each series that nothing is learned from, or their share. The
        errors there make `predict_interval`.
    random_state : int, RandomState instance or None, default=None
        An int gives the same forecasts every time.
    verbose : int, default=0
        1 shows the progress of the first member.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    seasonal_periods_ : tuple of int
    lookback_ : tuple of int
        Rows of the window of each member.
    strategy_ : str
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, if X has names.

    See Also
    --------
    skrnn.forecasting.backtest : Forecasts from several points in time, beside what came.
    skrnn.preprocessing.make_supervised : Windows and targets as arrays.

    References
    ----------
    Smyl, S. (2020). A hybrid method of exponential smoothing and recurrent neural
    networks for time series forecasting. International Journal of Forecasting 36.

    Salinas, D., et al. (2020). DeepAR: Probabilistic forecasting with autoregressive
    recurrent networks. International Journal of Forecasting 36.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.forecasting import Forecaster
    >>> y = 10 + np.sin(np.arange(120) * 2 * np.pi / 12)
    >>> forecaster = Forecaster(horizon=12, n_windows=2000, random_state=0)
    >>> forecaster.fit(None, y).forecast(3).round(1)
    120    10.0
    121    10.5
    122    10.9
    dtype: float64
    """

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
    random_state: Any = None
    verbose: int = 0
