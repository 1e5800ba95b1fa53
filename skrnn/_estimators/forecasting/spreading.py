"""How wide quantiles must be, by what networks say of windows that they haven't seen.

Of few windows each is trained on many times, and networks are surer of them than of
what comes. So further networks are trained, each without one part of the windows, and
the quantiles of all networks are spread as those would have had to be. That is
cross-validation (Stone, 1974); compare Barber et al. (2021) for intervals.
"""

from dataclasses import replace

import numpy as np

from skrnn._estimators.forecasting.answers import Numbers
from skrnn._estimators.forecasting.ensemble import (
    Ensemble,
    EnsemblePlan,
    Fold,
    train_without,
)
from skrnn._estimators.forecasting.members import Direct
from skrnn._estimators.forecasting.table import SeriesTable
from skrnn._estimators.forecasting.windows import ENOUGH_FOR_SPREAD

N_FOLDS = 3
# What distances from the median may be multiplied by.
_FACTORS = np.geomspace(1 / 8, 8, 49)
_LEVELS = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95])
# Half of what they ask for, of its logarithm: they have learned from fewer windows than
# the members, and so are worse than these.
_SHARE = 0.5
# Steps are smoothed over: the logarithms of those that count alike.
_WIDTH = 0.35


def spread_out(
    ensemble: Ensemble, estimator, table: SeriesTable, plan: EnsemblePlan
) -> Ensemble:
    """Return an ensemble whose quantiles are as wide as on windows it hasn't seen.

    The same one where networks answer with numbers alone, or see most windows once, or
    there are too few windows to leave some out.
    """
    folds = [Fold(i, N_FOLDS) for i in range(N_FOLDS)]
    if isinstance(plan.answer, Numbers) or ensemble.interrupted:
        return ensemble
    if not _are_few(ensemble, table, folds):
        return ensemble
    members, interrupted = train_without(estimator, table, plan, folds)
    if interrupted:
        return replace(ensemble, interrupted=True)
    factors = [
        _factors(table, [each[i] for each in members], folds) ** _SHARE
        for i in range(len(members[0]))
    ]
    spread = tuple(_with_factors(each, factors) for each in ensemble.members)
    return replace(ensemble, members=spread)


def _origins(table, layout):
    return table.origins(layout.lookback, layout.gap + layout.horizon)


def _parts(member):
    return getattr(member, "members", (member,))


def _are_few(ensemble, table, folds):
    """Whether windows are trained on several times, and enough stay in each fold."""
    for member in ensemble.members:
        layout = _parts(member)[-1].layout
        origins = _origins(table, layout)
        if not len(folds) <= len(origins) < ENOUGH_FOR_SPREAD:
            return False
        left = [len(fold.split(origins, layout)[1]) for fold in folds]
        if min(left) < len(origins) / 4:
            return False
    return True


def _with_factors(member, factors):
    if isinstance(member, Direct):
        each = zip(member.members, factors, strict=True)
        return Direct(tuple(replace(part, spread=f) for part, f in each))
    return replace(member, spread=factors[0])


def _factors(table, members, folds):
    """Return the factor of each step, (H,), by the pinball loss on unseen windows."""
    losses = np.zeros((members[0].horizon, len(_FACTORS)))
    for member, fold in zip(members, folds, strict=True):
        own, _ = fold.split(_origins(table, member.layout), member.layout)
        levels = getattr(member.answer, "levels", tuple(_LEVELS))
        found = member.quantiles(table, own, levels)
        median = member.forecast(table, own)[..., None]
        truth, there = member.layout.targets(table, own)
        _, units = member.layout.windows(table, own)
        scale = units.drawn_scale[..., None]
        away, errors = (found - median) / scale, (truth[..., None] - median) / scale
        usable = np.isfinite(away).all(axis=-1) & np.isfinite(errors[..., 0])
        usable &= units.varies if there is None else units.varies & there[..., None]
        for i, factor in enumerate(_FACTORS):
            over = errors - factor * away
            loss = np.maximum(levels * over, (np.asarray(levels) - 1) * over)
            losses[:, i] += np.where(usable, loss.sum(axis=-1), 0).sum(axis=(1, 2))
    return _FACTORS[_smoothed(losses).argmin(axis=1)]


def _smoothed(losses):
    """Take the mean of the losses of neighbouring steps."""
    steps = np.log(np.arange(1, len(losses) + 1))
    weights = np.exp(-(((steps[:, None] - steps) / _WIDTH) ** 2) / 2)
    size = losses.min(axis=1, keepdims=True)
    relative = losses / np.where(size > 0, size, 1)
    return weights @ relative
