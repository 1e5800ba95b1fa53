"""Forecasts from many origins as one tidy frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skrnn._estimators.forecasting.evaluation.baselines import Baselines
from skrnn._estimators.forecasting.evaluation.grid import TimeGrid
from skrnn._estimators.forecasting.evaluation.runs import Forecasts, Material
from skrnn._estimators.forecasting.evaluation.summary import BacktestFrame


@dataclass(frozen=True)
class Truth:
    """What was observed.

    Attributes
    ----------
    values : ndarray of shape (n_rows, K)
    targets : list
        The names of the K columns.
    grid : TimeGrid
    """

    values: np.ndarray
    targets: list
    grid: TimeGrid


def tidy(
    truth: Truth, found: list[Forecasts], material: Material, season: int | None
) -> BacktestFrame:
    """Put the forecasts of all origins into one frame.

    Parameters
    ----------
    truth : Truth
    found : list of Forecasts
    material : Material
        With the quantiles and the coverage that were asked for.
    season : int or None
        None is the shortest season that each forecaster says it has.
    """
    order = truth.grid.in_time_order()
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    baselines = Baselines(truth.values[order], truth.grid.lengths)
    seasons = [season or _shortest(each.seasons) for each in found]
    blocks = [
        _block(truth, each, material, (baselines, ranks, period))
        for each, period in zip(found, seasons, strict=True)
    ]
    columns: dict[str, Any] = {
        name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]
    }
    return _framed(truth, columns, has_season=max(seasons) > 1)


def _shortest(seasons):
    return min((each for each in seasons if each > 1), default=1)


def _block(truth, found, material, made):
    """Return the columns of one origin; rows stand for their times and series."""
    grid, k = truth.grid, len(truth.targets)
    # Series after series, target after target, in time order.
    test = np.repeat(found.origin.test, k)
    target = np.tile(np.arange(k), len(found.origin.test))
    order = np.lexsort((grid.places[test], target, grid.codes[test]))
    at = order // k, order % k
    rows = found.origin.test[at[0]]
    firsts = np.full(grid.n_series, len(grid.places))
    np.minimum.at(firsts, grid.codes[rows], grid.places[rows])
    block = {
        "row": rows,
        "target": at[1],
        "cut": _cutoffs(grid, found.origin)[grid.codes[rows]],
        "step": grid.places[rows] - firsts[grid.codes[rows]] + 1,
        "y_true": truth.values[rows, at[1]],
        "y_pred": found.values[at],
    }
    for i, level in enumerate(material.quantiles):
        block[f"q{level:g}"] = found.quantiles[(*at, i)]
    if material.coverage is not None:
        block["lower"], block["upper"] = found.intervals[at].T
        block["nominal"] = np.full(len(rows), material.coverage)
    own = _naive(grid, found.origin, *made)
    return block | {name: values[at] for name, values in own.items()}


def _naive(grid, origin, baselines, ranks, season):
    """Return the naive forecasts of an origin, and the scale of its training parts."""
    starts = np.full(grid.n_series, len(ranks))
    ends = np.zeros(grid.n_series, int)
    np.minimum.at(starts, grid.codes[origin.train], ranks[origin.train])
    np.maximum.at(ends, grid.codes[origin.train], ranks[origin.train] + 1)
    codes = grid.codes[origin.test]
    starts, ends = starts[codes], ends[codes]
    rows = ranks[origin.test]
    return {
        "naive": baselines.naive(starts, ends),
        "seasonal_naive": baselines.seasonal(rows, starts, ends, season),
        "scale": baselines.scale(starts, ends, season),
    }


def _cutoffs(grid, origin):
    """Return for each series a row at the cutoff: the same time for all, if it is."""
    train, test = origin.train, origin.test
    last = train[np.argmax(grid.positions[train])]
    shared = grid.by_label and grid.positions[last] < grid.positions[test].min()
    if shared:
        return np.full(grid.n_series, last)
    lasts = np.zeros(grid.n_series, int)
    by_place = train[np.argsort(grid.places[train], kind="stable")]
    # Of several rows of a series the last one stays.
    lasts[grid.codes[by_place]] = by_place
    return lasts


def _framed(truth, columns, *, has_season):
    """Make the frame: names in place of positions, and no column that says nothing."""
    grid = truth.grid
    rows, cuts = columns.pop("row"), columns.pop("cut")
    target = columns.pop("target")
    columns.pop("seasonal_naive" if not has_season else None, None)
    told: dict[str, Any] = {}
    if grid.keys is not None:
        # A name may be a tuple, which makes no array of one dimension by itself.
        keys = pd.Index(grid.keys, tupleize_cols=False)
        told["series"] = keys.take(grid.codes[rows])
    if len(truth.targets) > 1:
        told["target"] = pd.Index(truth.targets, tupleize_cols=False).take(target)
    told["cutoff"] = grid.times.take(cuts)
    told["step"] = columns.pop("step")
    told["time"] = grid.times.take(rows)
    return BacktestFrame(told | columns)
