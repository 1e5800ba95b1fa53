"""Forecasting: series with their covariates, the networks that continue them."""
