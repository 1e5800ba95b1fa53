"""Scores of forecasts: scaled and percentage errors, and scores of quantiles."""

import numpy as np
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.utils.validation import check_consistent_length

from skrnn._data.finite import check_array
from skrnn._data.typing import Array, ArrayLike, Targets, Weights
from skrnn._sklearn import Count, StrOptions, naming, validate_params

_MULTIOUTPUT = [StrOptions({"raw_values", "uniform_average"}), "array-like"]
# What scikit-learn's percentage error divides by in place of zero.
_LEAST = float(np.finfo(np.float64).eps)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "y_train": ["array-like"],
        "seasonal_period": [Count()],
        "sample_weight": ["array-like", None],
        "multioutput": _MULTIOUTPUT,
    },
    prefer_skip_nested_validation=True,
)
def mean_absolute_scaled_error(
    y_true: Targets,
    y_pred: Targets,
    *,
    y_train: Targets,
    seasonal_period: int = 1,
    sample_weight: Weights | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Array:
    """Return the mean absolute error in units of the naive forecast's error.

    The naive forecast is "same as the last value", or "same as a season ago". Its error
    is measured one step ahead on the training series. A score below 1 is better than
    that, whatever the scale of the series.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        True values.
    y_pred : array-like of the shape of `y_true`
        Forecasts.
    y_train : array-like of shape (n_train,), (n_train, 1) or (n_train, K)
        The series in time order up to the forecasts. A single column is used for all
        outputs, such as the steps of a horizon. Missing values are ignored.
    seasonal_period : int, default=1
        Steps of a season. 1 compares with the last value.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (K,), \
default="uniform_average"
        How the outputs are put together, as in
        :func:`~sklearn.metrics.mean_absolute_error`.

    Returns
    -------
    score : float or ndarray of shape (K,)
        From 0, the best. If `y_train` is constant, or repeats its season exactly, the
        naive error is 0. A wrong forecast then has an arbitrarily high score, as in
        :func:`~sklearn.metrics.mean_absolute_percentage_error`, and a right one has 0.

    Raises
    ------
    ValueError
        If shapes differ, or `y_train` has no two values one season apart.

    See Also
    --------
    symmetric_mean_absolute_percentage_error : In percent of the values instead.

    Notes
    -----
    For `scoring`, ``sklearn.metrics.make_scorer(mean_absolute_scaled_error,
    greater_is_better=False, y_train=y_train)`` uses the same `y_train` for all folds.
    :func:`skrnn.forecasting.backtest` uses that of each fold.

    Hyndman & Koehler (2006), Another look at measures of forecast accuracy.

    Examples
    --------
    >>> from skrnn.metrics import mean_absolute_scaled_error
    >>> y_train = [3.0, -0.5, 2.0, 7.0, 2.0]
    >>> mean_absolute_scaled_error([4.0, 6.0], [3.0, 8.0], y_train=y_train)
    0.375
    """
    truth, predicted = _read_pair(y_true, y_pred)
    scale = _naive_errors(y_train, seasonal_period, truth.shape[1])
    scale = np.maximum(scale, _LEAST)
    how = _weighting(sample_weight, multioutput, truth.shape[1])
    return mean_absolute_error(truth / scale, predicted / scale, **how)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "sample_weight": ["array-like", None],
        "multioutput": _MULTIOUTPUT,
    },
    prefer_skip_nested_validation=True,
)
def symmetric_mean_absolute_percentage_error(
    y_true: Targets,
    y_pred: Targets,
    *,
    sample_weight: Weights | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Array:
    """Return the mean absolute error in percent of the mean of truth and forecast.

    It is the mean of ``200 * |y_true - y_pred| / (|y_true| + |y_pred|)``, as in the M4
    competition.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        True values.
    y_pred : array-like of the shape of `y_true`
        Forecasts.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (K,), \
default="uniform_average"
        How the outputs are put together, as in
        :func:`~sklearn.metrics.mean_absolute_error`.

    Returns
    -------
    score : float or ndarray of shape (K,)
        From 0, the best, to 200 percent. If truth and forecast are both 0, the error is
        0. If only one of them is 0, the error is 200, however small the other.

    Raises
    ------
    ValueError
        If the shapes differ.

    See Also
    --------
    mean_absolute_scaled_error : For series that come near 0, or change their sign.
    get_scorer : "neg_symmetric_mean_absolute_percentage_error" for `scoring`.

    Notes
    -----
    scikit-learn's :func:`~sklearn.metrics.mean_absolute_percentage_error` is a share,
    not percent.

    Makridakis (1993), Accuracy measures: theoretical and practical concerns.

    Examples
    --------
    >>> from skrnn.metrics import symmetric_mean_absolute_percentage_error
    >>> symmetric_mean_absolute_percentage_error([100.0, 0.0], [300.0, 0.0])
    50.0
    """
    truth, predicted = _read_pair(y_true, y_pred)
    errors = percentage_errors(truth, predicted)
    how = _weighting(sample_weight, multioutput, truth.shape[1])
    return mean_absolute_error(errors, np.zeros_like(errors), **how)


@validate_params(
    {
        "y_true": ["array-like"],
        "y_pred": ["array-like"],
        "quantiles": ["array-like"],
        "sample_weight": ["array-like", None],
        "multioutput": _MULTIOUTPUT,
    },
    prefer_skip_nested_validation=True,
)
def continuous_ranked_probability_score(
    y_true: Targets,
    y_pred: Targets,
    *,
    quantiles: ArrayLike,
    sample_weight: Weights | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Array:
    """Return the continuous ranked probability score (CRPS) of quantile forecasts.

    The CRPS of a distribution is twice the integral of the pinball loss over all
    quantiles. Here it is twice the mean over the quantiles that were forecast, which
    approximates it if they are evenly spread: 0.05, 0.15, ..., 0.95 for instance.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, K)
        True values.
    y_pred : array-like of shape (n, Q) or (n, K, Q)
        Forecasts of Q quantiles, as ``predict_quantiles`` returns them.
    quantiles : array-like of shape (Q,)
        Which quantiles they are, between 0 and 1.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (K,), \
default="uniform_average"
        How the outputs are put together, as in
        :func:`~sklearn.metrics.mean_pinball_loss`.

    Returns
    -------
    score : float or ndarray of shape (K,)
        From 0, the best, in units of y. If all quantiles are forecast as the same
        value, the score is the mean absolute error of that value, provided that the
        quantiles are symmetric about 0.5.

    Raises
    ------
    ValueError
        If shapes differ, or a quantile isn't between 0 and 1.

    See Also
    --------
    sklearn.metrics.mean_pinball_loss : Of one quantile.

    Notes
    -----
    Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and
    estimation.

    Examples
    --------
    >>> from skrnn.metrics import continuous_ranked_probability_score
    >>> y_pred = [[1.0, 2.0, 3.0], [3.0, 5.0, 7.0]]
    >>> score = continuous_ranked_probability_score(
    ...     [2.0, 4.0], y_pred, quantiles=[0.1, 0.5, 0.9]
    ... )
    >>> round(score, 4)
    0.3667
    """
    levels = _numbers("quantiles", quantiles)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(
            f"quantiles={quantiles!r} is invalid; expected numbers between 0 and 1."
        )
    truth = _columns("y_true", y_true)
    predicted = _numbers("y_pred", y_pred, allow_nd=True)
    is_flat = predicted.ndim == 2 and truth.shape[1] == 1
    shape = truth.shape[:1] if is_flat else truth.shape
    expected = (*shape, len(levels))
    if predicted.shape != expected:
        raise ValueError(
            f"y_pred has shape {predicted.shape}; expected {expected}, the shape of "
            f"y_true and a column for each of the {len(levels)} quantiles."
        )
    predicted = predicted.reshape(*truth.shape, len(levels))
    how = _weighting(sample_weight, multioutput, truth.shape[1])
    losses = [
        mean_pinball_loss(truth, predicted[..., i], alpha=level, **how)
        for i, level in enumerate(levels)
    ]
    score = 2 * np.mean(losses, axis=0)
    return score if np.ndim(score) else float(score)


def percentage_errors(truth: Array, predicted: Array) -> Array:
    """Return each error in percent of the mean of truth and forecast, from 0 to 200."""
    # Halves, so that the sum of two huge numbers is still a number.
    size = np.abs(truth) / 2 + np.abs(predicted) / 2
    errors = np.abs(truth / 2 - predicted / 2)
    return 200 * np.divide(errors, size, out=np.zeros_like(errors), where=size != 0)


def _read_pair(y_true, y_pred):
    """Return the true values and the forecasts as arrays (n, K)."""
    truth, predicted = _columns("y_true", y_true), _columns("y_pred", y_pred)
    check_consistent_length(truth, predicted)
    if truth.shape != predicted.shape:
        raise ValueError(
            "y_true and y_pred have different number of output "
            f"({truth.shape[1]}!={predicted.shape[1]})"
        )
    return truth, predicted


def _weighting(sample_weight, multioutput, n_columns):
    """Return both as scikit-learn takes them, once they are numbers."""
    if sample_weight is not None:
        sample_weight = _numbers("sample_weight", sample_weight)
        # Only proportions count, and sums of very large numbers would be infinite.
        _, exponent = np.frexp(np.abs(sample_weight).max(initial=0))
        sample_weight = np.ldexp(sample_weight, -exponent)
    if not isinstance(multioutput, str):
        given = multioutput
        multioutput = _numbers("multioutput", given)
        if n_columns == 1 or multioutput.shape != (n_columns,) or not multioutput.sum():
            raise ValueError(
                f"multioutput={given!r:.60} is invalid for {n_columns} columns; "
                "expected 'raw_values', 'uniform_average' or, of several columns, a "
                "weight for each, not all of them 0. Custom weights are useful only in "
                "multi-output cases."
            )
    return {"sample_weight": sample_weight, "multioutput": multioutput}


def _numbers(name, y, **options):
    options |= {"ensure_2d": False, "dtype": float, "input_name": name}
    with naming(name):
        return check_array(y, **options)


def _columns(name, y, *, allow_nan=False):
    finite = "allow-nan" if allow_nan else True
    array = _numbers(name, y, ensure_all_finite=finite)
    return array[:, None] if array.ndim == 1 else array


def _naive_errors(y_train, seasonal_period, n_outputs):
    """Return the error of the naive forecast on each column of the training series."""
    series = _columns("y_train", y_train, allow_nan=True)
    # NumPy's unsigned types have no negative numbers.
    seasonal_period = int(seasonal_period)
    if series.shape[1] not in (1, n_outputs):
        raise ValueError(
            f"y_train has {series.shape[1]} columns, but y_true has {n_outputs}; "
            "expected as many, or one for all of them."
        )
    changes = np.abs(series[seasonal_period:] - series[:-seasonal_period])
    known = ~np.isnan(changes)
    if not known.any(axis=0).all():
        raise ValueError(
            f"y_train has n={len(series)} values, no two of them "
            f"seasonal_period={seasonal_period} steps apart; expected at least "
            f"{seasonal_period + 1}."
        )
    return np.sum(changes, axis=0, where=known) / known.sum(axis=0)
