"""Histories, forecasts, intervals and truths in any form, as lines of single series."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from skrnn.inspection.forecasts._series_forms import Key, names_in, split, split_bounds
from skrnn.inspection.forecasts._times import following, positions

# How much of a history is drawn: as many times the forecast's steps, and at least.
HISTORY_OF_STEPS, LEAST_HISTORY = 3, 30


@dataclass(frozen=True)
class Origin:
    """A forecast that was made at one cutoff.

    Attributes
    ----------
    forecast : Series
        Over the times it is for.
    cutoff : label or None
        The last time that was known.
    bands : dict of float to DataFrame
        Coverage -> "lower" and "upper" of its times, the widest first.
    """

    forecast: pd.Series
    cutoff: Any = None
    bands: dict[float, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class DrawnSeries:
    """What is drawn of one series; `name` is None if there is only one.

    The history ends before the first forecast; the truth is what came after it.
    """

    name: str | None
    history: pd.Series | None
    truth: pd.Series | None
    origins: list[Origin]
    n_cutoffs: int = 0

    @property
    def cutoff_label(self) -> str:
        """Say what the lines at the cutoffs are, and of how many they are some."""
        n = len(self.origins)
        return "cutoff" if self.n_cutoffs <= n else f"{n} of {self.n_cutoffs} cutoffs"

    @property
    def overlaps(self) -> bool:
        """Whether a forecast goes on after the next one has begun."""
        each = [origin.forecast.index for origin in self.origins]
        return any(a[-1] >= b[0] for a, b in pairwise(each))

    def __post_init__(self) -> None:
        """Look at the index before anything is drawn."""
        _ = self.index

    @cached_property
    def index(self) -> pd.Index:
        """All times that are drawn, of one kind."""
        parts = [self.history, self.truth, *(each.forecast for each in self.origins)]
        indexes = [each.index for each in parts if each is not None and len(each)]
        kinds = {positions(each[:1]).dtype.kind == "M" for each in indexes}
        if len(kinds) > 1:
            raise ValueError(
                "history, forecast and truth must have one kind of index. Got dates "
                "and numbers."
            )
        whole = indexes[0]
        for each in indexes[1:]:
            whole = whole.append(each)
        return whole


@dataclass(frozen=True)
class Chosen:
    """Which series are drawn, and how much of them.

    Attributes
    ----------
    series : sequence of hashable or None
        Names in a panel; None for the first ones.
    max_series, max_cutoffs : int
        At most this many series, and forecasts of each, are drawn.
    n_history : int, "auto" or None
        How many of the last known values are drawn.
    """

    series: Sequence[Hashable] | None
    max_series: int
    max_cutoffs: int
    n_history: int | str | None

    def names(self, forecasts: list) -> tuple[list[Hashable] | None, int]:
        """Return the names of the series to draw (None: no panel), and how many are."""
        known = list(dict.fromkeys(n for each in forecasts for n in names_in(each)))
        if self.series is None:
            return known[: self.max_series] or None, max(len(known), 1)
        is_one = isinstance(self.series, str)
        wanted: list[Hashable] = [self.series] if is_one else list(self.series)
        for name in wanted:
            if name not in known:
                some = ", ".join(map(repr, known[:5])) or "no names: it is no panel"
                raise ValueError(
                    f"series must be of those in the forecast ({some}"
                    f"{', ...' if len(known) > 5 else ''}). Got {name!r}."
                )
        return wanted[: self.max_series], len(wanted)

    def some(self, origins: list[Origin]) -> list[Origin]:
        """Return the last forecast and every so many before it, as many as may be."""
        every = -(-len(origins) // self.max_cutoffs)
        return origins[(len(origins) - 1) % every :: every]

    def last(self, history: pd.Series, origins: list[Origin]) -> pd.Series:
        """Return the end of a history that is drawn before the first forecast."""
        if origins[0].cutoff is not None:
            history = _up_to(history, origins[0].cutoff)
        n = self.n_history
        if n == "auto":
            n_steps = max(len(each.forecast) for each in origins)
            n = max(HISTORY_OF_STEPS * n_steps, LEAST_HISTORY)
        return history if n is None else history.tail(int(n))


def _up_to(history, cutoff):
    try:
        return history[history.index <= cutoff]
    except TypeError:
        raise ValueError(
            f"history must have the index of the forecasts, whose first cutoff is "
            f"{cutoff!r}. Got {history.index[0]!r}."
        ) from None


def drawn_series(
    history: Any,
    forecasts: list,
    intervals: list,
    truth: Any,
    cutoffs: list,
    chosen: Chosen,
) -> tuple[list[DrawnSeries], int]:
    """Return the single series of what a display holds, and how many there are.

    Parameters
    ----------
    history, truth : Series, DataFrame, array-like or None
        The values before the first forecast, and those that came.
    forecasts : list of Series, DataFrame or array-like
        One for each cutoff.
    intervals : list of dict
        Coverage -> bounds, for each of them.
    cutoffs : list
        Last times that were known; None is the end of the history.
    """
    only, n_series = chosen.names(forecasts)
    before = {} if history is None else split(history, "history", None, only)
    origins: dict[Key, list[Origin]] = {}
    for forecast, bounds, cutoff in zip(forecasts, intervals, cutoffs, strict=True):
        for key, origin in _origins(forecast, bounds, cutoff, before, only):
            origins.setdefault(key, []).append(origin)
    if not origins:
        raise ValueError("forecast must have at least one value. Got none.")
    order = {name: i for i, name in enumerate(only or [None])}
    keys = sorted(origins, key=lambda key: order[key[0]])
    after = {} if truth is None else _truth(truth, origins[keys[0]], only)
    several = len({target for _, target in keys}) > 1
    drawn = []
    for key in keys[: chosen.max_series]:
        every, known = origins[key], before.get(key)
        own = chosen.some(every)
        shown = None if known is None else chosen.last(known, every)
        came = _came(after, key, every)
        drawn.append(DrawnSeries(_name(key, several), shown, came, own, len(every)))
    return drawn, n_series * len({target for _, target in keys})


def _origins(forecast, bounds, cutoff, before, only):
    """Yield the key and the origin of each single series of a forecast."""
    index = getattr(forecast, "index", None)
    if not isinstance(index, pd.Index):
        forecast = np.atleast_1d(forecast)
        known = next(iter(before.values()), None)
        index = following(None if known is None else known.index, len(forecast))
    bands = {
        coverage: split_bounds(bounds[coverage], coverage, index, only)
        for coverage in sorted(bounds, reverse=True)
    }
    for key, values in split(forecast, "forecast", index, only).items():
        if not len(values):
            continue
        last = cutoff
        if last is None and len(before.get(key, ())):
            last = before[key].index[-1]
        own = {c: found[key] for c, found in bands.items() if key in found}
        yield key, Origin(values, last, own)


def _truth(truth, origins, only):
    """Split the truth, whose rows are those of the forecast if it has no labels."""
    labelled = isinstance(truth, pd.Series | pd.DataFrame)
    index = None if labelled else origins[0].forecast.index
    return split(truth, "truth", index, only)


def _came(truth, key, origins):
    """Return the truth of the times up to the end of the forecasts, or None.

    Raises
    ------
    ValueError
        If it has none of them.
    """
    if key not in truth:
        return None
    rows, first = truth[key], origins[0]
    end = max(each.forecast.index[-1] for each in origins)
    try:
        if first.cutoff is None:
            begin, after = (
                first.forecast.index[0],
                rows.index >= first.forecast.index[0],
            )
        else:
            begin, after = first.cutoff, rows.index > first.cutoff
        came = rows[after & (rows.index <= end)]
    except TypeError:
        raise ValueError(
            "The truth must have the index of the forecast, which ends with "
            f"{end!r}. Got {rows.index[0]!r}."
        ) from None
    if not len(came):
        raise ValueError(
            f"The truth must have values from {begin} to {end}. "
            f"Got {rows.index[0]} to {rows.index[-1]}."
        )
    return came


def _name(key, several):
    """Say which series of a panel, and which of several targets, it is."""
    series, target = key
    parts = [series] if series is not None else []
    return ", ".join(map(str, [*parts, *([target] if several else [])])) or None
