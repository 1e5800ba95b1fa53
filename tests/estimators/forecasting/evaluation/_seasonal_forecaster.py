"""A forecaster in a few lines, with the methods that backtests ask for."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

FITS = []


class SeasonalForecaster(RegressorMixin, BaseEstimator):
    """Says the values of a season ago. It tells what it was given in `log_`."""

    def __init__(self, season=1, horizon=1, gap=0, past_features=None, looks=False):
        self.season = season
        self.horizon = horizon
        self.gap = gap
        self.past_features = past_features
        # Whether it adds X's columns to the forecast, past-only ones too.
        self.looks = looks

    def fit(self, X, y, *, groups=None):
        self.seasonal_periods_ = (self.season,) if self.season > 1 else ()
        self.history_ = {}
        self.log_ = [("fit", len(y))]
        FITS.append(len(y))
        return self._append(y, self._keys(X, y, groups))

    def update(self, X, y, *, groups=None):
        self.log_.append(("update", len(y)))
        return self._append(y, self._keys(X, y, groups))

    def predict(self, X, *, groups=None):
        keys = self._keys(X, X, groups)
        answers = np.empty((len(keys), self.n_targets_))
        for key in dict.fromkeys(keys):
            rows = np.flatnonzero([each == key for each in keys])
            past = self.history_[key]
            ahead = (np.arange(len(rows)) + self.gap) % self.season
            answers[rows] = past[len(past) - self.season + ahead]
        if self.looks:
            answers += np.asarray(X).sum(axis=1, keepdims=True)
        return answers[:, 0] if self.is_flat_ else answers

    def predict_quantiles(self, X, quantiles=None, *, groups=None):
        values = self.predict(X, groups=groups)
        return np.stack([values + 10 * (q - 0.5) for q in quantiles], axis=-1)

    def forecast(self, steps=None, X=None):
        raise NotImplementedError

    def _append(self, y, keys):
        values = np.asarray(y, float)
        self.is_flat_ = values.ndim == 1
        values = values.reshape(len(values), -1)
        self.n_targets_ = values.shape[1]
        for key in dict.fromkeys(keys):
            rows = np.flatnonzero([each == key for each in keys])
            before = self.history_.get(key, values[:0])
            self.history_[key] = np.vstack([before, values[rows]])
        return self

    @staticmethod
    def _keys(X, y, groups):
        if isinstance(groups, str):
            return list(X[groups])
        if groups is not None:
            return list(groups)
        for each in (X, y):
            if isinstance(getattr(each, "index", None), pd.MultiIndex):
                return list(each.index.get_level_values(0))
        return [None] * len(y)
