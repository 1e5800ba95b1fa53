"""What a Forecaster's "auto" means: network, strategy, season, lookbacks."""

import numpy as np
from sklearn.utils import get_tags

from skrnn._estimators.forecasting.answers import Drawn, Numbers, Quantiles
from skrnn._estimators.forecasting.ensemble import is_network
from skrnn._estimators.recurrent import SequenceRegressor

# Seasons of the window of each member, in turn.
_SEASONS = (3, 2, 4)
# Rows of the windows where there is no season.
_WITHOUT_SEASON = (24, 16, 32)
# Rows of a window that isn't shortened for a short series.
_LEAST_ROWS = 4
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
    if is_network(estimator):
        runs = horizon >= _LONG or (horizon > 1 and bool(periods))
        return "aligned" if runs else "multioutput"
    has_several = horizon > 1 and not get_tags(estimator).target_tags.multi_output
    return "direct" if has_several else "multioutput"


def lookbacks_of(lookback, periods, n_members, room) -> tuple[int, ...]:
    """Return the rows of the windows of each member.

    Parameters
    ----------
    lookback : "auto", int or sequence of int
    periods : tuple of int
    n_members : int
    room : ndarray of int of shape (n_series,)
        The longest window of each series that has its horizon behind it, and 1.
    """
    if lookback != "auto":
        given = np.atleast_1d(lookback).tolist()
    else:
        if len(periods) > 1:
            wanted = [periods[-1]]
        elif periods:
            wanted = [n * periods[0] for n in _SEASONS]
        else:
            wanted = list(_WITHOUT_SEASON)
        given = [_that_fits(n, periods[0] if periods else 1, room) for n in wanted]
    return tuple(given[i % len(given)] for i in range(n_members))


# More than any series has; a sum of two is still an integer of NumPy.
MOST_ROWS = 2**62


def _that_fits(lookback, season, room):
    """Shorten a lookback by seasons until a season of windows is there to learn from.

    A window of one season, or of a few rows, stays in any case.
    """
    least = max(season, _LEAST_ROWS)
    while lookback - season >= least and _n_windows(lookback, room) < season:
        lookback -= season
    return lookback


def _n_windows(lookback, room):
    return int(np.maximum(room - min(lookback, MOST_ROWS), 0).sum())


def rows_ahead(strategy, horizon, gap) -> int:
    """Return the rows behind a window that a model learns from."""
    # One step alone is learned by "recursive".
    return 1 if strategy == "recursive" else min(gap + horizon, MOST_ROWS)


def season_of(periods, lookbacks) -> int:
    """Return the season to align windows with: 1 if the windows are shorter."""
    season = periods[0] if periods else 1
    return season if season <= min(lookbacks) else 1


def check_plan(plan, estimator, difference):
    """Refuse what doesn't go together.

    Raises
    ------
    ValueError
        That names the parameters.
    """
    name = f"{type(estimator).__name__}()"
    if plan.strategy == "aligned" and not is_network(estimator):
        raise ValueError(
            f"strategy='aligned' needs a recurrent regressor or a Transformer of "
            f"skrnn, which answer at every step; got estimator={name}. Take "
            "'multioutput', 'direct' or 'recursive'."
        )
    kind = get_tags(estimator).estimator_type
    if kind not in (None, "regressor"):
        raise ValueError(f"estimator={name} is a {kind}; expected a regressor.")
    if hasattr(estimator, "forecast"):
        raise ValueError(
            f"estimator={name} is a forecaster itself; expected a regressor that reads "
            "windows."
        )
    # Some regressors, such as StackingRegressor, have it after fit alone.
    if kind is None and not hasattr(estimator, "predict"):
        raise ValueError(f"estimator={name} has no predict; expected a regressor.")
    if difference is not None and plan.gap and plan.strategy != "recursive":
        raise ValueError(
            f"difference={difference!r} needs the steps of the gap, and "
            f"gap={plan.gap}; take strategy='recursive', or no difference."
        )
    _check_answer(plan, name if not is_network(estimator) else None, difference)


def _check_answer(plan, other, difference):
    """Refuse quantiles and distributions where networks can't answer with them."""
    answer = plan.answer
    if isinstance(answer, Numbers):
        return
    asked = "quantiles" if isinstance(answer, Quantiles) else "distribution"
    if other is not None:
        raise ValueError(
            f"{asked} needs a recurrent regressor or a Transformer of skrnn, whose "
            f"head is made for it; got estimator={other}. calibration_size gives "
            "intervals for any regressor."
        )
    if difference is not None:
        raise ValueError(
            f"{asked} can't be undifferenced, and difference={difference!r}; take no "
            "difference: windows are normalised by their level already."
        )
    if isinstance(answer, Drawn) and plan.strategy == "direct":
        raise ValueError(
            "distribution needs one network for the whole horizon, or one of one step; "
            "got strategy='direct'. Take 'aligned', 'multioutput' or 'recursive'."
        )


def check_counts(answer, target_transform, y):
    """Refuse targets that aren't counts where a distribution of counts is asked for.

    Raises
    ------
    ValueError
        That names the parameter, or the value.
    """
    if not isinstance(answer, Drawn) or not answer.counts:
        return
    name = answer.name
    if target_transform is not None:
        raise ValueError(
            f"distribution={name!r} is of counts, which target_transform="
            f"{target_transform!r} would change; expected None."
        )
    y = y[np.isfinite(y)]
    wrong = y[(y < 0) | (y != np.floor(y))]
    if len(wrong):
        raise ValueError(
            f"distribution={name!r} is of counts, 0, 1, 2 and so on, but y has "
            f"{wrong[0]:.6g}; take 'normal' or 'student_t'."
        )


def check_lengths(panel, plan, n_lost):
    """Refuse series of which none has a row to forecast from, and a horizon behind it.

    Raises
    ------
    ValueError
        That tells how many rows are needed.
    """
    ahead = rows_ahead(plan.strategy, plan.horizon, plan.gap)
    longest = int(panel.lengths.max())
    if longest < n_lost + ahead + 1:
        where = "y" if len(panel.lengths) == 1 else "the longest series"
        more = f" and gap={plan.gap}" if plan.gap and ahead > 1 else ""
        more += f" and {n_lost} rows lost to differences" if n_lost else ""
        raise ValueError(
            f"Found {longest} sample(s) in {where} while a minimum of "
            f"{n_lost + ahead + 1} is required by Forecaster with "
            f"horizon={plan.horizon}{more}: one to forecast from, and {n_lost + ahead} "
            "after it."
        )


def held_out(size, lengths, called, needed, n_lost) -> int:
    """Return how many last rows of each series nothing is learned from.

    Parameters
    ----------
    size : int, float or None
    lengths : ndarray of int
        Rows of each series.
    called : callable
        From the place of a series to its name in errors.
    needed : int
        Rows of the horizon and the gap.
    n_lost : int
        First rows of each series that are lost to differences.

    Raises
    ------
    ValueError
        If the horizon doesn't fit into them, or nothing is left to learn from.
    """
    if size is None:
        return 0
    i = int(lengths.argmin())
    shortest = int(lengths[i])
    n_rows = int(np.ceil(size * shortest)) if isinstance(size, float) else int(size)
    if n_rows < needed:
        raise ValueError(
            f"calibration_size={size} holds {n_rows} rows out; expected at least "
            f"{needed}, the horizon and the gap."
        )
    if shortest - n_rows - n_lost < needed + 1:
        raise ValueError(
            f"calibration_size={size} holds out {n_rows} of the {shortest} rows of "
            f"{called(i)}; too few are left to learn from."
        )
    return n_rows
