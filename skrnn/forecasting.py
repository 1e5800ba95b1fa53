"""Forecasting: series of numbers, what comes next in them, and how well it is known."""

from skrnn._estimators.forecasting.evaluation.backtest import backtest
from skrnn._estimators.forecasting.evaluation.leakage import check_leakage
from skrnn._estimators.forecasting.evaluation.splits import WindowSplit
from skrnn._estimators.forecasting.evaluation.summary import BacktestFrame
from skrnn._estimators.forecasting.forecaster import Forecaster

__all__ = ["BacktestFrame", "Forecaster", "WindowSplit", "backtest", "check_leakage"]
