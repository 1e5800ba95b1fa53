"""Forecasts held against what came: backtests, splits, a check for leakage."""
