"""The Forecaster: a regressor over time."""

from typing import Any, Self

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skrnn._data.typing import Array
from skrnn._estimators.advice import AdvisedEstimator, advised_arguments
from skrnn._estimators.docs.listing import lists_its_names
from skrnn._estimators.forecasting.answers import checked_levels
from skrnn._estimators.forecasting.panel import in_rows
from skrnn._estimators.forecasting.planning import default_network
from skrnn._estimators.forecasting.reading.answers import (
    as_answer,
    index_ahead,
    index_of_rows,
)
from skrnn._estimators.forecasting.reading.following import (
    with_rows_behind,
)
from skrnn._estimators.forecasting.reading.later import (
    read_more,
)
from skrnn._estimators.forecasting.reading.long_frames import from_long
from skrnn._estimators.forecasting.uncertainty import UncertainForecaster
from skrnn._estimators.one_fit import of_one_fit, unchanged_on_error
from skrnn._sklearn import naming


@lists_its_names
class Forecaster(UncertainForecaster):
    """Forecasts of one or more series, with the covariates that are known.

    A regressor over time: ``fit(X, y)`` learns from rows in time order, ``predict(X)``
    forecasts the rows that follow. So ``GridSearchCV`` with ``TimeSeriesSplit``
    evaluates real forecasts over several steps.

    By default it trains three small networks. They run over the horizon and at each
    step read what is known about it: the values of past seasons at the same place, the
    calendar, covariates. Each window is normalised by its own level and spread, so one
    network works for series of any scale, and for series that leave the range of
    training. The forecast is the median of the three.

    Parameters
    ----------
    estimator : regressor, default=None
        The model that forecasts. None is a bidirectional LSTM of 64 units, trained on
        the mean absolute error. A recurrent regressor or a
        :class:`~skrnn.TransformerRegressor` is trained on batches of windows;
        `n_windows` determines how long, not its ``epochs``. Any other regressor is
        fitted on windows as rows of a table; one that takes sequences (n, T, F), such
        as a Pipeline of ours or a :class:`~skrnn.Seq2SeqRegressor`, gets sequences.
    lookback : "auto", int or tuple of int, default="auto"
        Rows of a window; a tuple has those of each member in turn. "auto" takes three,
        two and four seasons for the members in turn, or the longest season if there are
        several; 24, 16 and 32 rows without a season. For series so short that less than
        a season of windows would be left, it takes fewer seasons, down to one;
        ``lookback_`` has the result.
    horizon : int, default=1
        Number of steps to forecast at once. Steps beyond it are forecast from
        forecasts. The longest series needs at least one row more than the gap and the
        horizon. Series that are shorter than a window and the horizon are extended to
        the past by repeating their first season.
    strategy : {"auto", "aligned", "multioutput", "recursive", "direct"}, \
default="auto"
        "aligned" is one network that runs over the horizon. "multioutput" is one model
        that reads the window and predicts the whole horizon. "recursive" is a model of
        one step that reads its own forecasts. "direct" has a model for each step (Ben
        Taieb et al., 2012). "auto" is "aligned" for recurrent regressors and
        Transformers with a horizon of 4 or more, or of 2 or 3 with a season; "direct"
        for regressors that have a single output; otherwise "multioutput".
    seasonal_periods : "auto", int, tuple of int or None, default="auto"
        Rows of a season, such as 12 for months or ``(24, 168)`` for hours. "auto" finds
        them from the frequency of the index and the autocorrelation of y.
    normalize : {"window", "last", None}, default="window"
        Units of a window: "window" subtracts the mean of its last season, and divides
        by the mean distance from it; "last" subtracts its last value; None leaves
        values alone. A window whose values are all the same is forecast as that value.
    target_transform : {"log", "log1p", "sqrt"}, transformer or None, default=None
        Transformation of y before anything else. A transformer of scikit-learn gets y
        as (n, K) and needs ``inverse_transform``.
    difference : int, tuple of int or None, default=None
        Lags that y is differenced by, one after the other: 1 for a trend.
    gap : int, default=0
        Rows between the last known value and the first forecast. With a gap at most
        `horizon` steps can be forecast. Only "recursive" can do more, because it
        forecasts the gap too: from the dates of its rows, and from their covariates if
        :meth:`forecast` gets them, or else from the last known ones.
    past_features, future_features, static_features : sequence or None, default=None
        Columns of X, by name or position: those known only up to the present, those
        known ahead, and those constant for a series. None for `future_features` means
        all other columns. Strings and categories are one-hot encoded; a category that
        isn't in the training data is all zeros, with a warning.
    calendar : {"auto"}, tuple of str, None or False, default="auto"
        Features made from the dates: "auto" takes the cycles that the training data
        cover at least twice.
    impute : {"last", "mean"} or None, default=None
        How to fill missing values of X: with the last value, or the mean. None refuses
        them. Missing values of y are always allowed: they aren't targets, and as inputs
        they are replaced by an earlier value and marked.
    n_members : int, default=3
        Number of networks; the forecast is their median. Other estimators are fitted
        once.
    n_windows : int, default=100_000
        Number of windows that each member is trained on. If the data have fewer
        windows, training goes over them at most 12 times, or until 1,600 windows: a
        short series is repeated more often. With `quantiles` or a `distribution` it
        goes over them once, or until 8,000 windows, because more made intervals too
        narrow.
    quantiles : sequence of float or None, default=None
        Quantiles to forecast, increasing between 0 and 1. The networks predict all of
        them at once, and they never cross.
    distribution : {"normal", "student_t", "negative_binomial", "poisson"} or None, \
default=None
        Distribution whose parameters the networks predict at each step.
    calibration_size : int, float or None, default=None
        Number of last rows of each series, or their share, that are held out from
        training. Their errors give the widths of `predict_interval` and correct the
        quantiles.
    checkpoint_path : str, path-like or None, default=None
        File from which a ``fit`` that was killed goes on, as for
        :class:`~skrnn.LSTMRegressor`: the same ``fit`` on the same data, called again.
        Each network has a file beside it, with a number in its name. Estimators that
        are fitted on tables or whole sequences have none.
    random_state : int, RandomState instance or None, default=None
        An int gives the same forecasts every time.
    verbose : int, default=0
        1 shows the progress of the first member, and which of them it is.

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
    skrnn.forecasting.backtest : Forecasts from several points in time, and the truth.
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
    >>> y = 10 + np.sin(np.arange(600) * 2 * np.pi / 12)
    >>> forecaster = Forecaster(horizon=12, random_state=0)
    >>> forecaster.fit(None, y).forecast(3).round(1)
    600    10.0
    601    10.5
    602    10.9
    dtype: float64
    """

    @advised_arguments
    @of_one_fit
    def predict(self, X: Any, *, groups: Any = None) -> Array:
        """Forecast rows that follow the training data.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, or pandas index
            Covariates of the rows, as in ``fit``. The columns of `past_features` may
            be missing, and aren't read. With dates, the first row must be the first one
            after the gap.
        groups : array-like of shape (n,), str or None, default=None
            The series of each row, if ``fit`` was given it so.

        Returns
        -------
        y : ndarray of shape (n,) or (n, K)

        Notes
        -----
        A network that reads in both directions, or answers all steps at once, reads
        what is known of the whole horizon before its first forecast. So with columns
        that are known ahead, the forecast for an X that is shorter than the horizon
        differs slightly from that for the first rows of a longer X: missing rows are
        replaced by the last one. :meth:`forecast` reads all of X and returns the first
        steps.
        """
        ahead = self._read_ahead(X, groups)
        return self._answered(self._forecasts(self._panel, ahead), ahead)

    @advised_arguments
    @of_one_fit
    def score(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None
    ) -> float:
        """Return R2 of the forecasts of rows that follow the training data.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, or pandas index
            As in :meth:`predict`.
        y : array-like of shape (n,) or (n, K)
            The truth.
        sample_weight : array-like of shape (n,) or None, default=None
            Weight of each row.
        groups : array-like of shape (n,), str or None, default=None
            As in :meth:`predict`.

        Returns
        -------
        score : float
            1 for perfect forecasts, 0 for those that are as good as the mean of y.
        """
        forecasts = self.predict(X, groups=groups)
        with naming("y"):
            return r2_score(y, forecasts, sample_weight=sample_weight)

    @advised_arguments
    @of_one_fit
    def forecast(
        self,
        steps: int | None = None,
        X: Any = None,
        *,
        history: Any = None,
        coverage: float | None = None,
        quantiles: Any = None,
    ) -> Any:
        """Forecast the next steps, with their dates.

        Parameters
        ----------
        steps : int or None, default=None
            Steps to forecast; None is the horizon, or the rows of X.
        X : array-like of shape (n, F), frame or None, default=None
            What is known about these rows, if ``fit`` was given columns that are known
            ahead. Rows behind the last step are read as far as the horizon goes: the
            first steps are the same for any number of `steps`. With dates the rows of
            the `gap` may stand in front.
        history : array-like, Series, frame, or tuple of X and y, default=None
            Other series, to be forecast from their own past: y in a form that ``fit``
            takes, or X and y if there are covariates. None of it is learned.
        coverage : float or None, default=None
            Adds the interval that covers the truth with this probability; see
            :meth:`predict_interval`.
        quantiles : sequence of float or None, default=None
            Return these quantiles instead; see :meth:`predict_quantiles`.

        Returns
        -------
        forecast : Series or DataFrame
            Of the dates that follow, or numbers of rows; with series in a MultiIndex
            (series, time). A column for each of several targets. With `coverage` the
            columns are "forecast", "lower" and "upper"; with `quantiles` their levels.
        """
        panel, ahead = self._asked(steps, X, history, "forecast")
        index = index_ahead(panel, self._columns, ahead)
        if quantiles is not None:
            levels = checked_levels(quantiles)
            found = self._model.quantiles(panel, self._whole(panel, ahead), levels)
            return as_answer(in_rows(found, ahead), index, self._columns, levels)
        forecasts = self._forecasts(panel, ahead)
        if coverage is None:
            return as_answer(in_rows(forecasts, ahead), index, self._columns)
        bounds = self._interval(panel, ahead, forecasts, coverage)
        found = np.concatenate([forecasts[..., None], bounds], axis=-1)
        names = ["forecast", "lower", "upper"]
        return as_answer(in_rows(found, ahead), index, self._columns, names)

    @advised_arguments
    def update(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Append what was observed since; nothing is learned from it.

        Parameters
        ----------
        X : array-like of shape (n, F), frame, pandas index, or None
            Covariates of the rows of y, which follow those before.
        y : array-like of shape (n,) or (n, K)
            What came.
        groups : array-like of shape (n,), str or None, default=None
            The series of each row. New series may begin.

        Returns
        -------
        self : object
        """
        check_is_fitted(self)
        with unchanged_on_error(self):
            self._panel = read_more(X, y, groups, self._panel, self._columns)
            # Values without a transform are refused now, and not by a forecast.
            self._model.check_values(self._panel)
        return self

    @of_one_fit
    def fitted_values(self) -> Any:
        """Return what the first step of the horizon would have been, for each row.

        Returns
        -------
        fitted : Series or DataFrame
            Forecasts of the rows of ``fit`` and ``update``, each from the rows before
            it; NaN where there is no whole window. Members were trained on them. Series
            stand one after another.
        """
        check_is_fitted(self)
        behind = self._model.plan.horizon - 1
        known = with_rows_behind(self._panel, self._columns, behind)
        return self._of_rows(self._model.fitted(self._panel, known))

    def _history_frame(self) -> Any:
        """Return the series of ``fit`` and ``update`` with their labels."""
        check_is_fitted(self)
        return self._of_rows(self._panel.y)

    def _of_rows(self, values):
        index = index_of_rows(self._panel, self._columns)
        return as_answer(values, index, self._columns)

    @property
    def history_(self) -> dict[str, list[float]]:
        """The training loss of each part of the budget, a mean over the members."""
        check_is_fitted(self)
        if not all(hasattr(e, "history_") for e in self.estimators_):
            name = type(self.estimators_[0]).__name__
            raise AttributeError(
                f"Forecaster has no history_: {name} keeps no losses of its training."
            )
        histories = [e.history_["loss"] for e in self.estimators_]
        return {"loss": np.mean(histories, axis=0).tolist()}

    def set_params(self, **params: Any) -> Self:
        with unchanged_on_error(self):
            of_network = any(p.startswith("estimator__") for p in params)
            if params.get("estimator", self.estimator) is None and of_network:
                # So that a search can set what the default network is made of.
                params = {**params, "estimator": default_network()}
            return super().set_params(**params)

    set_params.__doc__ = AdvisedEstimator.set_params.__doc__

    @staticmethod
    def from_long(
        frame: Any,
        id: str = "unique_id",
        time: str = "ds",
        target: str | list[str] | None = "y",
    ) -> Any:
        """Read a table of several series below each other, a row a series and time.

        Parameters
        ----------
        frame : DataFrame
            Of pandas, polars or pyarrow.
        id : str, default="unique_id"
            The column that names the series.
        time : str, default="ds"
            The column of the times.
        target : str, list of str or None, default="y"
            The column of the values, or several. All others are covariates. None reads
            rows to forecast, of what is known ahead.

        Returns
        -------
        X, y : DataFrame, Series
            With a MultiIndex (series, time), in order, for ``fit``. With
            ``target=None`` only X, for ``forecast`` and ``predict``.
        """
        return from_long(frame, id, time, target)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = False
        # It forecasts rows that follow; a score on rows that it has seen isn't asked.
        tags.regressor_tags.poor_score = True
        return tags
