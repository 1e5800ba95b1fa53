"""What a Forecaster's "auto" means: network, strategy, season, lookbacks."""

import numpy as np

from skrnn._estimators.forecasting.ensemble import is_network
from skrnn._estimators.recurrent import SequenceRegressor

# Seasons of the window of each member, in turn.
_SEASONS = (3, 2, 4)
# Rows of the windows where there is no season.
_WITHOUT_SEASON = (12, 8, 16)
# From this horizon on a network runs over it, season or not.
_LONG = 4


def default_network():
    """Return the network that forecasts if none is given."""
    return SequenceRegressor(
        cell="lstm",
        units=64,
        bidirectional=True,
        batch_size=64,
        loss="mean_absolute_error",
        learning_rate=5e-3,
        learning_rate_schedule="cosine",
        normalize_y=False,
    )


def choose_strategy(strategy, estimator, horizon, periods) -> str:
    """Return the name of the strategy."""
    if strategy != "auto":
        return strategy
    runs = horizon >= _LONG or (horizon > 1 and bool(periods))
    return "aligned" if runs and is_network(estimator) else "multioutput"


def lookbacks_of(lookback, periods, n_members) -> tuple[int, ...]:
    """Return the rows of the windows of each member."""
    if lookback != "auto":
        given = np.atleast_1d(lookback).tolist()
    elif len(periods) > 1:
        given = [periods[-1]]
    elif periods:
        given = [n * periods[0] for n in _SEASONS]
    else:
        given = list(_WITHOUT_SEASON)
    return tuple(given[i % len(given)] for i in range(n_members))


def season_of(periods, lookbacks) -> int:
    """Return the season to align windows with: 1 if the windows are shorter."""
    season = periods[0] if periods else 1
    return season if season <= min(lookbacks) else 1
