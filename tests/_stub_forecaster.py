"""What displays need of a forecaster, with series to draw."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skrnn.inspection.forecasts._times import following


def monthly(n=60, start="2020-01", scale=1.0, name=None):
    values = scale * (2 + np.sin(np.arange(n) * np.pi / 6) + np.arange(n) / n)
    return pd.Series(values, pd.period_range(start, periods=n, freq="M"), name=name)


def panel(n_series=3, n=48):
    parts = {f"s{i}": monthly(n, scale=10.0**i) for i in range(n_series)}
    return pd.concat(parts, names=["series", "time"])


class StubForecaster(BaseEstimator):
    """Repeats the last value; its intervals are as wide as the coverage says."""

    def __init__(self, horizon=6, widest=1.0):
        self.horizon = horizon
        self.widest = widest

    def fit(self, X, y):
        self.y_ = y
        return self

    def forecast(self, steps=None, X=None, *, history=None, coverage=None):
        y = self.y_ if history is None else history
        if (coverage or 0) > self.widest:
            raise ValueError(f"coverage must be at most {self.widest}")
        steps = steps or (self.horizon if X is None else len(X))
        if y.index.nlevels == 1:
            return _forecast(y, steps, coverage)
        parts = y.groupby(level=0, sort=False)
        return pd.concat(
            {k: _forecast(rows.droplevel(0), steps, coverage) for k, rows in parts}
        )

    def _history_frame(self):
        return self.y_


def _forecast(y, steps, coverage):
    index = following(y.index, steps)
    names = y.columns if y.ndim == 2 else [0]
    last = pd.DataFrame(np.tile(y.iloc[-1], (steps, 1)), index, names)
    if coverage is None:
        return last if y.ndim == 2 else last[0]
    bounds = {"forecast": last, "lower": last - coverage, "upper": last + coverage}
    if y.ndim == 2:
        return pd.concat(bounds, axis=1).swaplevel(axis=1)
    return pd.DataFrame({name: each[0] for name, each in bounds.items()})
