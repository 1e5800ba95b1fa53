"""Columns of X as channels of numbers: which is what, how each is read, and scaled."""

import numpy as np
import pandas as pd

from skrnn._data.warn import warn
from skrnn._estimators.forecasting.reading.columns import RARE, Feature
from skrnn._estimators.forecasting.reading.tables import (
    kind_of,
    numbers_of,
    objects_of,
)
from skrnn._sklearn import naming

# More are names or texts rather than categories, and would widen the network.
_MOST_CATEGORIES = 50
# Unknown categories that a warning names.
_N_SHOWN = 5
# A spread below this share of the values is float64's own rounding of a constant.
_CONSTANT = 1e-12


def find_roles(table, options, taken):
    """Tell which columns are known ahead, known up to now, and static.

    Parameters
    ----------
    table : Table
    options : FeatureOptions
    taken : tuple
        Labels of columns that are no features.

    Returns
    -------
    future, past, static : tuple of lists of int
        Positions of columns.
    """
    free = [i for i, label in enumerate(table.labels) if label not in taken]
    past = _places(table, options.past_features, "past_features", taken)
    static = _places(table, options.static_features, "static_features", taken)
    if options.future_features is None:
        future = [i for i in free if i not in past and i not in static]
    else:
        future = _places(table, options.future_features, "future_features", taken)
    named = [*future, *past, *static]
    twice = [i for i in named if named.count(i) > 1]
    if twice:
        raise ValueError(
            f"Column {table.labels[twice[0]]!r} of X is named more than once in "
            "past_features, future_features and static_features; expected once."
        )
    return future, past, static


def _places(table, names, parameter, taken):
    """Return the positions of the columns that a parameter names."""
    if names is None:
        return []
    with naming(parameter):
        names = [names] if isinstance(names, str | int) else list(names)
    places = []
    for name in names:
        if name in table.labels:
            place = table.labels.index(name)
        elif isinstance(name, int | np.integer) and 0 <= name < len(table.labels):
            place = int(name)
        else:
            raise ValueError(
                f"{parameter} names {name!r}, which is no column of X; its columns are "
                f"{table.labels}."
            )
        if table.labels[place] in taken:
            raise ValueError(
                f"{parameter} names {name!r}, the column of the series or of the "
                "times; expected a feature."
            )
        places.append(place)
    return places


def learn_feature(table, place, take, seen=None, *, is_ahead=False):
    """Learn how a column becomes channels.

    All rows tell the categories; numbers get their unit from those that are seen. Rare
    events that are known ahead are flags also if they were written as 0 and 1.

    Parameters
    ----------
    table : Table
    place : int
        Position of the column.
    take : slice or ndarray of int
        Rows that become channels.
    seen : slice, ndarray of int or None
        Those to learn from; None for the same.
    is_ahead : bool, default=False
        Whether the column is known ahead.
    """
    label, column = table.labels[place], table.columns[place]
    kind = kind_of(column, label)
    if kind == "time":
        raise ValueError(
            f"Column {label!r} of X holds times; expected numbers, booleans, strings "
            "or categories. Times are the index of X, or its only column of times."
        )
    if kind == "category":
        values = objects_of(column)
        categories = _categories(values[take], label)
        counts = pd.Series(values[take if seen is None else seen]).value_counts()
        shares = tuple(
            counts.get(each, 0) / max(counts.sum(), 1) for each in categories
        )
        return Feature(label, place, kind, categories=categories, shares=shares)
    values = numbers_of(column, label)
    _check_finite(values[take], label)
    values = values[take if seen is None else seen]
    known = values[~np.isnan(values)]
    mean, spread = _mean_and_spread(known) if len(known) else (0.0, 0.0)
    if kind == "flag" or (is_ahead and mean <= RARE and _is_binary(known)):
        return Feature(label, place, "flag", mean, shares=(mean,))
    is_constant = spread <= _CONSTANT * abs(mean)
    return Feature(label, place, kind, mean, 0.0 if is_constant else 1 / spread)


def _is_binary(values):
    """Whether there are 0 and 1, both of them, and nothing else."""
    return bool((values == 1).any()) and bool(np.isin(values, (0, 1)).all())


def _mean_and_spread(values):
    # By a power of two, which rounds nothing: squares of large numbers are infinite.
    exponent = np.frexp(np.abs(values).max())[1]
    scaled = np.ldexp(values, -exponent)
    return [float(np.ldexp(found, exponent)) for found in (scaled.mean(), scaled.std())]


def _categories(values, label):
    found = pd.unique(pd.Series(values, dtype=object).dropna())
    if len(found) > _MOST_CATEGORIES:
        raise ValueError(
            f"Column {label!r} of X has {len(found)} categories; expected at most "
            f"{_MOST_CATEGORIES}, each becomes a channel. Put rare ones together, or "
            "encode them as numbers first, as scikit-learn's TargetEncoder does. Dates "
            "as text belong in the index, by pandas.to_datetime."
        )
    return tuple(sorted(found, key=lambda each: (type(each).__name__, each)))


def _check_finite(values, label):
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise ValueError(
            "Input X contains infinity or a value too large for dtype('float64'): "
            f"column {label!r} in row {row}."
        )


def encode(features, table, take, channels, *, impute):
    """Turn columns into channels; what is missing stays NaN.

    Parameters
    ----------
    features : tuple of Feature
    table : Table
        Columns are found by their labels.
    take : slice or ndarray of int
        Rows to take, in this order.
    channels : ndarray of float32 of shape (n_taken, n_channels)
        Where they go.
    impute : str or None
        None refuses what is missing.

    Warns
    -----
    UserWarning
        Of categories that weren't in training. They are 0 in all channels, as with
        ``OneHotEncoder(handle_unknown="warn")`` of scikit-learn.
    """
    first, unknown = 0, {}
    for feature in features:
        last = first + feature.n_channels
        column = table.column(feature.label)
        channels[:, first:last] = _encoded(feature, column, take)
        if feature.kind == "category":
            unknown[feature.label] = _unknown(feature, column, take)
        if impute is None and np.isnan(channels[:, first:last].sum()):
            _refuse_missing(feature, channels[:, first], take)
        first = last
    _warn_of({label: found for label, found in unknown.items() if found})


def _unknown(feature, column, take):
    """Return the categories of a column that weren't in training."""
    values = pd.unique(pd.Series(objects_of(column)[take], dtype=object).dropna())
    known = pd.Index(feature.categories, dtype=object)
    return values[known.get_indexer(values) < 0].tolist()


def _warn_of(unknown):
    """Warn once, of all columns {label: unknown categories}."""
    if not unknown:
        return
    shown = []
    for label, found in unknown.items():
        more = f" and {len(found) - _N_SHOWN} more" if len(found) > _N_SHOWN else ""
        names = ", ".join(map(repr, found[:_N_SHOWN]))
        shown.append(f"[{names}]{more} in column {label!r}")
    warn(
        f"Found unknown categories {'; '.join(shown)} of X, which weren't in fit. "
        "These unknown categories will be encoded as all zeros: forecasts don't know "
        "what they mean. Fit with rows that have them, or put rare ones together."
    )


def _encoded(feature, column, take):
    if feature.kind == "category":
        values = pd.Series(objects_of(column)[take], dtype=object)
        _check_categories(feature, column, values)
        codes = pd.Index(feature.categories, dtype=object).get_indexer(values)
        channels = np.zeros((len(values), len(feature.categories)), dtype=np.float32)
        known = np.flatnonzero(codes >= 0)
        channels[known, codes[known]] = 1
        channels[values.isna().to_numpy()] = np.nan
        return channels
    values = numbers_of(column, feature.label)[take]
    _check_finite(values, feature.label)
    if feature.kind == "flag":
        return values[:, None]
    return ((values - feature.mean) * feature.factor)[:, None]


def _check_categories(feature, column, values):
    """Refuse numbers where ``fit`` had categories: all of them would be unknown."""
    kind = kind_of(column, feature.label)
    if kind != "category" and not values.isna().all():
        raise ValueError(
            f"Column {feature.label!r} of X holds {kind}s, but held categories in fit; "
            "expected the same."
        )


def _refuse_missing(feature, channel, take):
    row = int(np.argmax(np.isnan(channel)))
    row = row if isinstance(take, slice) else int(take[row])
    raise ValueError(
        "Input X contains NaN.\nForecaster does not accept missing values in X without "
        f"impute, of which column {feature.label!r} has one in row {row}: fill them, "
        'leave the rows out, or set impute="last" or impute="mean".'
    )


def fill(channels, starts, defaults, *, impute, before=None):
    """Fill what is missing, in place.

    Parameters
    ----------
    channels : ndarray of float32 of shape (n_rows, n_channels)
        Series after series, in time order.
    starts : ndarray of int
        The first row of each series.
    defaults : ndarray of float32 of shape (n_channels,)
        For ``impute="mean"``, and where there is no last value.
    impute : {None, "last", "mean"}
    before : ndarray of shape (n_series, n_channels), default=None
        The rows before the first ones; NaN for series that have none.
    """
    if impute is None:
        return
    for j, default in enumerate(defaults):
        channel = channels[:, j]
        missing = np.isnan(channel)
        if not missing.any():
            continue
        if impute == "last":
            if before is not None:
                at_start = starts[missing[starts]]
                channel[at_start] = before[missing[starts], j]
            _carry(channel, missing, starts)
        channel[np.isnan(channel)] = default


def _carry(channel, missing, starts):
    """Carry the last value on, within each series."""
    last = np.where(missing, 0, np.arange(len(channel)))
    # What is missing at a start is not looked for before it.
    last[starts] = starts
    channel[:] = channel[np.maximum.accumulate(last)]


def check_static(features, table, kept, called):
    """Refuse static features that change within a series.

    Parameters
    ----------
    features : tuple of Feature
    table : Table
    kept : Kept
    called : callable
        From the position of a series to its name in errors.
    """
    for feature in features:
        values = _comparable(feature, table.column(feature.label))[kept.take]
        first = np.repeat(values[kept.starts], kept.lengths)
        changed = (values != first) & ~np.isnan(values) & ~np.isnan(first)
        if changed.any():
            refuse_changed(feature, int(np.argmax(changed)), kept.starts, called)


def _comparable(feature, column):
    """Return a column as numbers, equal where the values are."""
    if feature.kind != "category":
        return numbers_of(column, feature.label)
    codes, _ = pd.factorize(pd.Series(objects_of(column), dtype=object))
    return np.where(codes < 0, np.nan, codes)


def refuse_changed(feature, row, starts, called):
    """Raise the error of a static feature that changes."""
    i = int(np.searchsorted(starts, row, side="right")) - 1
    raise ValueError(
        f"Column {feature.label!r} of X is one of static_features, but changes within "
        f"{called(i)}; expected one value for each series."
    )
