"""Backtests: what a forecaster would have said at many points of the past."""

from numbers import Integral
from typing import Any

import joblib
import numpy as np
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_consistent_length

from skrnn import _engine
from skrnn._data.rows.series import row_index
from skrnn._data.typing import ArrayLike, SequenceData, Targets
from skrnn._estimators.advice import advised_function
from skrnn._estimators.forecasting.answers import Coverage
from skrnn._estimators.forecasting.evaluation.grid import read_grid, rows_of, series_of
from skrnn._estimators.forecasting.evaluation.origins import (
    origins_in_time,
    origins_of_cv,
)
from skrnn._estimators.forecasting.evaluation.runs import (
    Material,
    check_forecaster,
    forecasts_from,
)
from skrnn._estimators.forecasting.evaluation.summary import BacktestFrame
from skrnn._estimators.forecasting.evaluation.tables import Truth, tidy
from skrnn._estimators.forecasting.reading.tables import read_target
from skrnn._sklearn import Count, naming, validate_params


@advised_function
@validate_params(
    {
        "forecaster": "no_validation",
        "cv": "no_validation",
        "step": [Count(), None],
        "horizon": [Count(), None],
        "refit": ["boolean", Count()],
        "groups": ["array-like", str, None],
        "quantiles": ["array-like", None],
        "coverage": [Coverage(), None],
        "seasonal_period": [Count(), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def backtest(
    forecaster: Any,
    X: SequenceData | None,
    y: Targets,
    *,
    cv: Any = None,
    initial: Any = None,
    step: int | None = None,
    horizon: int | None = None,
    refit: bool | int = True,
    groups: ArrayLike | str | None = None,
    quantiles: ArrayLike | None = None,
    coverage: float | None = None,
    seasonal_period: int | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> BacktestFrame:
    """Forecast from many points of the past, and compare forecasts with what followed.

    At each origin a copy of the forecaster is trained on what was known then, and asked
    for the steps that follow. Nothing that is later reaches it, besides the columns of
    X, which it takes as known ahead unless it says otherwise.

    Parameters
    ----------
    forecaster : object
        A :class:`~skrnn.forecasting.Forecaster`, or anything with ``fit(X, y)`` and
        ``predict(X)``. It stays as it is.
    X : array-like of shape (n, n_features), DataFrame, index, or None
        Covariates of the rows of y, in time order within each series. A MultiIndex
        (series, time), of X or y, makes it a panel. Times are the index, or the only
        column of times of a frame.
    y : array-like of shape (n,) or (n, K)
        The series. NaN is a missing value.
    cv : splitter, iterable of (train, test), or None, default=None
        The origins and what to forecast from each: a
        :class:`~sklearn.model_selection.TimeSeriesSplit` or a
        :class:`~skrnn.forecasting.WindowSplit`, for instance. In place of `initial`,
        `step` and `horizon`.
    initial : int, time or None, default=None
        Steps in time of the first training part, or the last time in it. Text is read
        as pandas slices by it: ``"2024-06-30"`` has all hours of that day, and
        ``"2024-06"`` all days of June. None is half of the times.
    step : int or None, default=None
        Steps in time from one origin to the next. None is `horizon`.
    horizon : int or None, default=None
        Steps to forecast from each origin; every origin has them all. None is that of
        the forecaster, or 1. They come after its `gap`, if it has one.
    refit : bool or int, default=True
        True trains at every origin. False trains at the first one and hands over what
        was observed by ``update``, where the forecaster has it, at the others; series
        that begin later are left out. A number k trains at every k-th origin, and
        updates between.
    groups : array-like of shape (n,), str or None, default=None
        The series of each row, or the column of X that has it. Without times all
        series end at the same time. It is handed on to ``fit`` and ``predict``.
    quantiles : array-like of floats or None, default=None
        Quantiles to forecast by ``predict_quantiles``. None is those of the
        forecaster, if it has some.
    coverage : float or None, default=None
        Adds the intervals of ``predict_interval`` that are meant to hold this share of
        the truth. No more steps than the forecaster's horizon can have them.
    seasonal_period : int or None, default=None
        Steps of a season for the seasonal-naive forecasts and MASE. None is the
        shortest one that the forecaster has found or was told; without any there is no
        seasonal-naive forecast.
    n_jobs : int or None, default=None
        How many trainings run at once, in processes of joblib.
    verbose : int, default=0
        1 or more shows a bar with the time left on stderr.

    Returns
    -------
    forecasts : BacktestFrame
        A DataFrame of one forecast a row. Columns: ``series`` (of panels), ``target``
        (if K > 1), ``cutoff``, the time of the last row known, ``step``, from 1,
        ``time``, ``y_true``, ``y_pred``, a column such as ``q0.1`` for each quantile,
        ``lower`` and ``upper`` of the intervals and ``nominal``, their coverage, the
        forecasts ``naive`` and ``seasonal_naive`` from the same training parts, and
        ``scale``, the error that MASE divides by. Without an index, times are
        positions of rows. Its method ``summary(by=None)``, ``by="step"`` or
        ``by="series"`` has the scores of all of these.

    Raises
    ------
    ValueError
        If rows aren't in order, `cv` trains on what is later than its test part, or
        there are too few rows for one origin. Errors of the forecaster say at which
        cutoff they came.
    TypeError
        If the forecaster lacks a method.

    See Also
    --------
    WindowSplit : Splits in time, of panels too.
    check_leakage : Whether features and splits let the future in.
    sklearn.model_selection.cross_validate : Scores alone, by fold.

    Notes
    -----
    With origins that are known a score is one number for each of them, and choosing
    among models by them uses these test parts up: keep a last part that no choice saw.

    Tashman (2000), Out-of-sample tests of forecasting accuracy: an analysis and review,
    names such origins rolling, and compares refits with updates.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skrnn.forecasting import backtest
    >>> t = np.arange(60.0)
    >>> X, y = np.column_stack([t, np.sin(t)]), 2 * t + np.sin(t)
    >>> frame = backtest(Ridge(), X, y, initial=30, horizon=10)
    >>> frame[["cutoff", "step", "time"]].iloc[[0, 9, 10]].values.tolist()
    [[29, 1, 30], [29, 10, 39], [39, 1, 40]]
    >>> scores = frame.summary()
    >>> bool(scores.loc["forecaster", "MAE"] < scores.loc["naive", "MAE"] / 10)
    True
    """
    levels = _quantiles_of(forecaster, quantiles)
    check_forecaster(forecaster, levels, coverage)
    refuse_two_ways(cv, {"initial": initial, "step": step, "horizon": horizon})
    X = rows_of(X, y)
    check_consistent_length(X, y)
    truth = _truth_of(X, y, groups)
    if cv is None:
        horizon = int(horizon or _count(forecaster, "horizon", 1))
        step = None if step is None else int(step)
        gap = _count(forecaster, "gap", 0)
        origins = origins_in_time(truth.grid, initial, step, horizon, gap)
    else:
        origins = origins_of_cv(cv, X, y, series_of(X, groups), truth.grid)
    n_targets = len(truth.targets)
    material = Material(X, y, groups, truth.grid, n_targets, levels, coverage)
    stretches = _stretches(origins, refit)
    found = _run(forecaster, material, stretches, (n_jobs, verbose), truth)
    return tidy(truth, found, material, seasonal_period)


def refuse_two_ways(cv, given):
    """Refuse `cv` beside what it replaces."""
    named = [name for name, value in given.items() if value is not None]
    if cv is not None and named:
        raise ValueError(
            f"{named[0]}={given[named[0]]!r} and cv={cv!r} both say what the origins "
            f"are; expected one of them. With cv, its test parts are the horizon."
        )


def _quantiles_of(forecaster, quantiles):
    """Return the quantiles to ask for, in ascending order."""
    if quantiles is None and hasattr(forecaster, "predict_quantiles"):
        quantiles = getattr(forecaster, "quantiles", None)
    if quantiles is None:
        return ()
    levels = np.ravel(quantiles).tolist()
    valid = all(isinstance(q, float) and 0 < q < 1 for q in levels)
    if not levels or not valid or sorted(set(levels)) != levels:
        raise ValueError(
            f"quantiles={quantiles!r} is invalid; expected ascending numbers between 0 "
            "and 1."
        )
    return tuple(float(q) for q in levels)


def _count(forecaster, name, default):
    """Return a parameter of a forecaster, which may have none of that name."""
    found = getattr(forecaster, name, None)
    if isinstance(found, Integral) and not isinstance(found, bool):
        return int(found)
    return default


def _truth_of(X, y, groups):
    """Return the true values as numbers, the names of the targets, and the times."""
    # As a Forecaster reads it: masked values are missing, and not what the mask hides.
    with naming("y"):
        values, form = read_target(y)
    _check_same_rows(row_index(X), row_index(y))
    names = [] if form.is_flat else list(getattr(y, "columns", []))
    return Truth(values, names or list(range(values.shape[1])), read_grid(X, y, groups))


def _check_same_rows(of_X, of_y):
    if of_X is None or of_y is None or of_X.equals(of_y):
        return
    row = int(np.argmax([a != b for a, b in zip(of_X, of_y, strict=True)]))
    raise ValueError(
        f"The index of y isn't that of X: row {row} is {of_y[row]!r} in y and "
        f"{of_X[row]!r} in X. If their rows are the same as they stand, pass "
        "y.to_numpy()."
    )


def _stretches(origins, refit):
    """Split the origins into stretches that one training serves."""
    is_bool = isinstance(refit, bool | np.bool_)
    size = (1 if refit else len(origins)) if is_bool else int(refit)
    return [origins[i : i + size] for i in range(0, len(origins), size)]


class _OriginProgress(_engine.Progress):
    """Counts origins."""

    unit = "origin"


def _run(forecaster, material, stretches, how, truth):
    """Return the forecasts of all origins; show the progress meanwhile."""
    n_jobs, verbose = how
    total = sum(map(len, stretches))
    progress = _OriginProgress("backtest", total, verbose)
    found, wrong = [], []
    try:
        for each in _each(forecaster, material, stretches, n_jobs):
            found.append(each)
            wrong.append(np.abs(each.values - truth.values[each.origin.test]).ravel())
            progress.show(len(found), 1, {"MAE": _mean(wrong)})
    finally:
        progress.close()
    return found


def _mean(parts):
    known = [part[~np.isnan(part)] for part in parts]
    n = sum(map(len, known))
    return sum(part.sum() for part in known) / n if n else float("nan")


def _each(forecaster, material, stretches, n_jobs):
    """Yield the forecasts of all origins in their order."""
    if len(stretches) == 1 or joblib.effective_n_jobs(n_jobs) == 1:
        for stretch in stretches:
            yield from forecasts_from(forecaster, material, stretch)
        return
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    tasks = (delayed(_listed)(forecaster, material, each) for each in stretches)
    for listed in parallel(tasks):
        yield from listed


def _listed(forecaster, material, stretch):
    return list(forecasts_from(forecaster, material, stretch))
