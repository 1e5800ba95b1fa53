"""Small forecasters and series that the tests of forecasting share."""

import numpy as np
import pandas as pd
import pytest

from skrnn import SequenceRegressor
from skrnn.forecasting import Forecaster

STRATEGIES = ["aligned", "multioutput", "recursive", "direct"]
of_every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def tiny(**parameters):
    """Return a network that trains in milliseconds."""
    given = dict(
        units=4,
        bidirectional=True,
        batch_size=32,
        loss="mean_absolute_error",
        learning_rate=0.01,
        normalize_y=False,
    )
    return SequenceRegressor(**given | parameters)


def quick(estimator=None, **parameters):
    """Return a Forecaster that is fitted in milliseconds."""
    given = dict(horizon=4, n_windows=128, n_members=1, random_state=0)
    estimator = tiny() if estimator is None else estimator
    return Forecaster(estimator, **given | parameters)


def season(n, period=12, *, level=10.0, noise=0.0, seed=0):
    """Return a series (n,) with a season."""
    rng = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(n) / period)
    return level + wave + noise * rng.normal(size=n)


def months(y, start="2000-01"):
    """Return a Series of months."""
    return pd.Series(y, pd.date_range(start, periods=len(y), freq="MS"))


def panel_of(*series, start="2000-01"):
    """Return one Series with a MultiIndex (series, time) of some arrays."""
    named = {chr(ord("a") + i): months(y, start) for i, y in enumerate(series)}
    return pd.concat(named, names=["series", "time"])
