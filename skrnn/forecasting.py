"""Forecasting: series with their covariates, and what comes next."""

from skrnn._estimators.forecasting.forecaster import Forecaster

__all__ = ["Forecaster"]
