"""What was learned of the columns in ``fit``: frozen, and enough to read later rows."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from skrnn._estimators.forecasting.reading.calendar import calendar_names
from skrnn._estimators.forecasting.reading.frequency import Frequency

# In how much of the training an event is set at most: what most windows have is part of
# their spread. Numbers but 0 and 1 are no events: they made hourly forecasts by weather
# worse.
RARE = 0.2


@dataclass(frozen=True)
class FeatureOptions:
    """What the user said of the columns of X, in the words of the Forecaster.

    Attributes
    ----------
    past_features, future_features, static_features : sequence or None
        Names of columns, or positions. None for `future_features` means all that the
        other two don't name.
    calendar : "auto", None, False or tuple of str
    impute : {None, "last", "mean"}
    gap : int
        Rows between the last one of training and the first one to forecast.
    held_out : callable or None
        From the lengths of the series, and what they are called, to how many last rows
        of each nothing is learned from.
    """

    past_features: Any = None
    future_features: Any = None
    static_features: Any = None
    calendar: Any = "auto"
    impute: str | None = None
    gap: int = 0
    held_out: Callable[[np.ndarray, Callable], int] | None = None


@dataclass(frozen=True)
class Feature:
    """A column of X, and how it becomes channels of numbers.

    Attributes
    ----------
    label : hashable
        Its name, or its position in an array.
    place : int
        Its position in the X of ``fit``.
    kind : {"number", "flag", "category"}
    mean : float
        Of a number or a flag, in training.
    factor : float
        A number becomes ``(number - mean) * factor``. 0 for a constant one.
    categories : tuple
        Each has a channel. An unknown one is 0 in all of them.
    shares : tuple of float
        Of a flag or of each category: in how much of the training it was so.
    """

    label: Any
    place: int
    kind: str
    mean: float = 0.0
    factor: float = 1.0
    categories: tuple = ()
    shares: tuple[float, ...] = ()

    @property
    def n_channels(self) -> int:
        """How many channels the column becomes."""
        return len(self.categories) if self.kind == "category" else 1

    @property
    def channel_names(self) -> tuple:
        """What the channels are called."""
        if self.kind == "category":
            return tuple(f"{self.label}={each}" for each in self.categories)
        return (str(self.label),)

    def in_words(self) -> str:
        """Return the name of the column, and how many channels it becomes if many."""
        if self.kind == "category":
            return f"{self.label} ({self.n_channels} categories)"
        return str(self.label)

    @property
    def default(self) -> float:
        """What stands in the channels for a missing value with ``impute="mean"``."""
        return self.mean if self.kind == "flag" else 0.0


@dataclass(frozen=True)
class TargetForm:
    """What y looked like, for answers that look the same.

    Attributes
    ----------
    n_targets : int
    is_flat : bool
        Whether y had one dimension.
    names : tuple or None
        Of the columns, or of the Series.
    container : {"pandas", "polars", "numpy"}
    """

    n_targets: int
    is_flat: bool
    names: tuple | None
    container: str


@dataclass(frozen=True)
class Columns:
    """What was learned in ``fit`` of X, y and their rows.

    Attributes
    ----------
    names : tuple or None
        Of all columns of X, as scikit-learn's ``feature_names_in_``. None for arrays.
    n_columns : int
    future, past, static : tuple of Feature
        In the order of their channels. ``Panel.known`` has those of `future`, then the
        calendar, then `static`.
    calendar : tuple of (str, int)
        The cycles that become channels, and the number of their harmonics.
    frequency : Frequency or None
        How labels go on. None for rows without an index.
    target : TargetForm
    index_names : tuple
        Of the levels of the index that forecasts get.
    time_column, group_column : hashable or None
        Columns of X that are no features.
    is_panel : bool
        Whether the series have names.
    forms : tuple of str
        How strings that are dates were read.
    gap : int
    impute : {None, "last", "mean"}
    """

    names: tuple | None
    n_columns: int
    future: tuple[Feature, ...]
    past: tuple[Feature, ...]
    static: tuple[Feature, ...]
    calendar: tuple
    frequency: Frequency | None
    target: TargetForm
    index_names: tuple
    time_column: Any = None
    group_column: Any = None
    is_panel: bool = False
    forms: tuple = ()
    gap: int = 0
    impute: str | None = None

    @property
    def is_labelled(self) -> bool:
        """Whether rows have labels that go on."""
        return self.frequency is not None

    @property
    def known_names(self) -> tuple:
        """What the channels that are known ahead are called."""
        named = calendar_names(self.calendar)
        return (*_names_of(self.future), *named, *_names_of(self.static))

    @property
    def past_names(self) -> tuple:
        """What the channels that are known only up to the present are called."""
        return _names_of(self.past)

    @property
    def n_static(self) -> int:
        """How many of the known channels, the last ones, are static features."""
        return n_channels(self.static)

    def in_words(self) -> dict[str, str]:
        """Return the names of what is read beside the series, by when it is known."""
        read = {
            "Known ahead": [each.in_words() for each in self.future],
            "Calendar": [name for name, _ in self.calendar],
            "Known up to the present": [each.in_words() for each in self.past],
            "Static": [each.in_words() for each in self.static],
        }
        return {known: ", ".join(names) for known, names in read.items() if names}

    def defaults(self, features) -> np.ndarray:
        """Return what stands for missing values in the channels of some features."""
        values = [[each.default] * each.n_channels for each in features]
        return np.array([one for many in values for one in many], dtype=np.float32)


def _names_of(features):
    return tuple(name for each in features for name in each.channel_names)


def n_channels(features) -> int:
    """Return how many channels some features become."""
    return sum(each.n_channels for each in features)


def events_of(features) -> tuple[tuple[int, float], ...]:
    """Return the places of channels that are seldom set: flags and categories.

    Most windows have none of them, and so their spread doesn't tell of what they add.
    Beside each place stands what brings the channel to a spread of 1.
    """
    shares = [share for each in features for share in _shares_of(each)]
    return tuple(
        (place, 1 / sqrt(share * (1 - share)))
        for place, share in enumerate(shares)
        if 0 < share <= RARE
    )


def _shares_of(feature):
    return feature.shares or (1.0,) * feature.n_channels
