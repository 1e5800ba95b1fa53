"""The frame of a backtest, and its scores beside those of the naive forecasts."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from skrnn.metrics._forecasts import percentage_errors

# Row of the summary -> column of the frame.
_MODELS = {"forecaster": "y_pred", "naive": "naive", "seasonal naive": "seasonal_naive"}
_NEEDED = ("y_true", "y_pred", "scale")
_QUANTILE = re.compile(r"q(\d.*)")


class BacktestFrame(pd.DataFrame):
    """The forecasts of a backtest, one a row: a DataFrame that has a `summary`.

    :func:`skrnn.forecasting.backtest` makes it and says what its columns are. What is
    selected of it, or put together by :func:`pandas.concat`, is one too.

    Parameters
    ----------
    data, index, columns, dtype, copy : object
        As those of :class:`pandas.DataFrame`: a frame that was kept in a file, say.

    See Also
    --------
    backtest : Makes it.

    Examples
    --------
    >>> from skrnn.forecasting import BacktestFrame
    >>> frame = BacktestFrame(
    ...     {"step": [1, 2], "y_true": [3.0, 5.0], "y_pred": [4.0, 7.0], "scale": 2.0}
    ... )
    >>> frame.summary()[["MAE", "MASE"]]
                MAE  MASE
    model
    forecaster  1.5  0.75
    """

    @property
    def _constructor(self):
        return BacktestFrame

    def quantile_columns(self) -> dict[str, float]:
        """Return the columns that are quantiles, and which quantile each is.

        Returns
        -------
        quantiles : dict of str to float
        """
        named = {
            name: _QUANTILE.fullmatch(name)
            for name in self.columns
            if isinstance(name, str)
        }
        return {name: float(found[1]) for name, found in named.items() if found}

    def summary(self, by: str | Iterable[str] | None = None) -> pd.DataFrame:
        """Return the scores of the forecaster and of the naive forecasts.

        The naive forecasts are made from the same training parts: "naive" is the same
        as the last value, "seasonal naive" the same as a season ago, if there is a
        season. A forecaster that is no better than these has learnt nothing.

        Parameters
        ----------
        by : str, list of str, or None, default=None
            Columns whose values are scored apart: "step", "series", "cutoff", "target".

        Returns
        -------
        scores : DataFrame
            A row for each of the forecasts, "forecaster" first, under each value of
            `by`. MAE, RMSE, pinball: in units of y. MASE: the error in units of the
            naive (or seasonal-naive) forecast's one on the training part of that
            origin and series; training parts where that is 0 are left out. sMAPE: from
            0 to 200 percent. pinball: the mean of the loss over the quantiles, for the
            naive ones as if their value were every quantile. coverage: the share of
            truths in the intervals, "lower" to "upper", or without these from the
            lowest to the highest quantile; nominal: the share that is promised; width:
            from end to end, in units of y. All are means over rows, so that those in
            units of y are led by the largest series.

        Raises
        ------
        ValueError
            If columns are missing, or no row has a truth.

        See Also
        --------
        skrnn.metrics.mean_absolute_scaled_error : MASE.
        skrnn.metrics.symmetric_mean_absolute_percentage_error : The percent one.

        Notes
        -----
        Rows whose `y_true` is NaN don't count. A score is NaN if a forecast is.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import Ridge
        >>> from skrnn.preprocessing import make_supervised
        >>> from skrnn.forecasting import backtest
        >>> X, y = make_supervised(np.arange(40.0) % 7, target=0)
        >>> frame = backtest(Ridge(), X, y.ravel(), initial=20, horizon=7)
        >>> frame.summary().columns.tolist()
        ['MAE', 'RMSE', 'MASE', 'sMAPE']
        >>> list(frame.summary(by="step").index.names)
        ['step', 'model']
        """
        keys = [by] if isinstance(by, str) else list(by or ())
        self._check_columns(keys)
        quantiles = self.quantile_columns()
        known = pd.DataFrame(self[self["y_true"].notna()])
        if known.empty:
            raise ValueError("y_true is NaN everywhere: there is nothing to score.")
        present = {k: name for k, name in _MODELS.items() if name in self.columns}
        scores = {
            model: _scores(known, column, keys, quantiles)
            for model, column in present.items()
        }
        return _put_together(scores, keys)

    def _check_columns(self, keys):
        missing = [name for name in (*_NEEDED, *keys) if name not in self.columns]
        if missing:
            raise ValueError(
                f"summary needs the column {missing[0]!r}, but there are only "
                f"{list(self.columns)}."
            )


def _scores(known, column, keys, quantiles):
    """Return the mean errors of one column, under each value of `keys`."""
    errors = _errors(known, column, quantiles)
    groups = [known[key].to_numpy() for key in keys] or [np.zeros(len(known), int)]
    for name, group in zip(keys, groups, strict=False):
        # Names of several levels stay what they are, one object each.
        if group.dtype == object:
            groups[keys.index(name)] = pd.Series(group, index=errors.index)
        else:
            groups[keys.index(name)] = known[name]
    grouped = errors.groupby(groups, sort=False, observed=True)
    means = grouped.mean()
    whole = grouped["MAE"].count() == grouped.size()
    means = means.where(whole, axis=0)
    means["RMSE"] = np.sqrt(means["RMSE"])
    return means


def _errors(known, column, quantiles):
    """Return the errors of one column, row by row."""
    truth = known["y_true"].to_numpy(float)
    predicted = known[column].to_numpy(float)
    scale = known["scale"].to_numpy(float)
    wrong = np.abs(truth - predicted)
    errors = {
        "MAE": wrong,
        "RMSE": wrong**2,
        "MASE": np.divide(
            wrong, scale, out=np.full_like(wrong, np.nan), where=scale > 0
        ),
        "sMAPE": percentage_errors(truth, predicted),
    }
    if quantiles:
        is_own = column == "y_pred"
        values = {
            level: known[name].to_numpy(float) if is_own else predicted
            for name, level in quantiles.items()
        }
        losses = [_pinball(truth - each, level) for level, each in values.items()]
        errors["pinball"] = np.mean(losses, axis=0)
    if column == "y_pred":
        errors |= _errors_of_intervals(known, truth, quantiles)
    return pd.DataFrame(errors, index=known.index)


def _errors_of_intervals(known, truth, quantiles):
    """Return what is said of intervals row by row; nothing where there are none."""
    if {"lower", "upper", "nominal"} <= {*known.columns}:
        names: list[Any] = ["lower", "upper", "nominal"]
        low, high, nominal = (known[name].to_numpy(float) for name in names)
    elif len(quantiles) > 1:
        names = sorted(quantiles, key=quantiles.__getitem__)
        low, high = (known[name].to_numpy(float) for name in (names[0], names[-1]))
        nominal = np.full_like(truth, quantiles[names[-1]] - quantiles[names[0]])
    else:
        return {}
    covered = ((truth >= low) & (truth <= high)).astype(float)
    return {"coverage": covered, "nominal": nominal, "width": high - low}


def _pinball(missed, level):
    return np.maximum(level * missed, (level - 1) * missed)


def _put_together(scores, keys) -> pd.DataFrame:
    """Return one table with the forecasts under each value of the keys."""
    table: Any = pd.concat(scores, names=["model"])
    if not keys:
        return table.droplevel(1)
    order = next(iter(scores.values())).index
    places = table.index.droplevel("model")
    models = {name: i for i, name in enumerate(scores)}
    rank = np.lexsort(
        (
            table.index.get_level_values("model").map(models),
            order.get_indexer(places),
        )
    )
    table = table.reorder_levels([*range(1, table.index.nlevels), 0]).iloc[rank]
    return table.rename_axis(index=[*keys, "model"])
