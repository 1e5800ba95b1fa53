"""Whether what comes after a cutoff reaches what is trained on or predicted from."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from skrnn._data.typing import ArrayLike, RandomState, SequenceData, Targets
from skrnn._data.warn import warn
from skrnn._estimators.forecasting.evaluation.columns import (
    of_later_values,
    scaled_over_all,
)
from skrnn._estimators.forecasting.evaluation.findings import (
    Leak,
    LeakageReport,
    first_of_each,
    notes_on,
)
from skrnn._estimators.forecasting.evaluation.grid import (
    read_grid,
    rows_of,
    series_of,
)
from skrnn._estimators.forecasting.evaluation.interventions import (
    Trial,
    made_of,
    moved_features,
    moved_predictions,
    place_made,
    quiet,
)
from skrnn._estimators.forecasting.evaluation.overlaps import (
    Reach,
    overlap_of,
    reach_of,
    window_of,
)
from skrnn._sklearn import Count, HasMethods, StrOptions, validate_params


@validate_params(
    {
        "pipeline": [HasMethods(["fit"])],
        "cv": "no_validation",
        "X": "no_validation",
        "groups": ["array-like", str, None],
        "horizon": [Count(0), None],
        "on_leak": [StrOptions({"raise", "warn", "ignore"})],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def check_leakage(
    pipeline: Any,
    cv: Any,
    X: SequenceData | Callable[[Any], Any] | None,
    y: Targets,
    *,
    groups: ArrayLike | str | None = None,
    horizon: int | None = None,
    on_leak: str = "raise",
    random_state: RandomState = None,
) -> LeakageReport:
    """Find out whether the future reaches what is trained on or predicted from.

    The check intervenes: it trains on each training part, changes what comes later,
    and looks whether anything moves that shouldn't. It also compares the rows of each
    split, whose targets and windows reach into others.

    Parameters
    ----------
    pipeline : estimator
        What would be evaluated: a :class:`~sklearn.pipeline.Pipeline`, with a
        :class:`~skrnn.SlidingWindow` or without, or a
        :class:`~skrnn.forecasting.Forecaster`. It stays as it is.
    cv : splitter or iterable of (train, test)
        How it would be evaluated.
    X : array-like of n rows, index, None, or callable
        The features; None or an index for a Forecaster that needs none. Or the
        function that makes them of the series: ``X(y)`` returns X, or a pair
        ``(X, y)`` as :func:`~skrnn.make_supervised` does. Only then can it be proved
        that what was made before the split doesn't look ahead: all features are made
        once more of a series that is another one after the cutoff.
    y : array-like of n rows
        The targets; the series itself if X is a function.
    groups : array-like of shape (n,), str or None, default=None
        The series of each row, as ``fit`` takes them.
    horizon : int or None, default=None
        Rows that the targets reach ahead, a gap included: ``y[t]`` isn't known before
        row ``t + horizon``. 0 is for targets of the same row, beside lags for
        instance. None finds it out, by names of columns such as ``"sales(t+3)"``, or
        by values of X that come back in y; the targets of a Forecaster are those of
        their rows.
    on_leak : {"raise", "warn", "ignore"}, default="raise"
        What to do if there is a leak.
    random_state : int, RandomState instance or None, default=None
        Draws the changes, and the seeds of estimators that have none.

    Returns
    -------
    report : LeakageReport
        ``report.leaks`` is what was found, ``report.notes`` what can't be seen;
        ``print(report)`` shows both.

    Raises
    ------
    ValueError
        If there is a leak and `on_leak` is "raise", with the report as its message.

    Warns
    -----
    UserWarning
        The same, if `on_leak` is "warn".

    See Also
    --------
    WindowSplit : Splits with a purge and an embargo.
    backtest : Forecasts from many origins.

    Notes
    -----
    What is found:

    - "targets": training rows whose targets aren't known yet at the first test row. A
      purge of ``horizon - 1`` rows helps. "order": training rows within or after the
      test part, of :class:`~sklearn.model_selection.KFold` say.
    - "predictions": steps of the pipeline that look ahead, or learn in ``transform``.
      Rows of X behind some test row are replaced, and its prediction must stay. Of a
      Forecaster, which knows its columns ahead, these are the `past_features`.
    - "features": the same for a function X. The series is changed behind the first
      test row and behind others, of missing values first. Rows that the function drops
      are found by their labels; without an index, it may drop them at the end only. Of
      a Forecaster all features of the test part must be known at its start.
    - "columns": of an array X, columns whose mean and variance, or smallest and
      largest value, are exactly 0 and 1 over all rows: a scaler saw the test part. And
      columns that are a sum of later values of y, such as a centred rolling mean of up
      to 25 rows.
    - "frozen": a :class:`~sklearn.frozen.FrozenEstimator` that was fitted on more rows
      than the training part has.

    What can't be seen: anything else that was done to an array X before, choices made
    by a person or a search that saw the test part, and what is published later than
    its date says. A scaler that comes first in the pipeline is fitted on each training
    part alone, and is no leak.

    Every split costs one fit and a few predictions. Kaufman et al. (2012), Leakage in
    data mining: formulation, detection, and avoidance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from skrnn.preprocessing import make_supervised
    >>> from skrnn.forecasting import WindowSplit, check_leakage
    >>> series = np.random.default_rng(0).normal(size=80)
    >>> X, y = make_supervised(series, horizon=5)
    >>> cv = TimeSeriesSplit(n_splits=3)
    >>> report = check_leakage(Ridge(), cv, X, y, on_leak="ignore")
    >>> report.leaks[0].kind
    'targets'
    >>> cv = WindowSplit(n_splits=3, purge=4)
    >>> check_leakage(Ridge(), cv, X, y).leaks
    ()
    """
    rng = check_random_state(random_state)
    make = X if callable(X) else None
    series, has_targets = y, False
    if make is not None:
        with quiet():
            X, y, has_targets = made_of(make, series)
    X = rows_of(X, y)
    check_consistent_length(X, y)
    grid = read_grid(X, y, groups)
    trial = Trial(pipeline, X, y, groups, grid, rng)
    splits = _splits(cv, trial)
    at_rows = place_made(X, series, grid).values if has_targets else None
    reach = _reach(trial, horizon, at_rows)
    found = [
        *_in_columns(trial, reach, splits, made=make is not None),
        *_in_steps(trial, splits),
        *_in_splits(trial, reach, splits),
        *_in_features(trial, (make, series), splits),
        *_in_predictions(trial, splits),
    ]
    is_two_sided = getattr(cv, "two_sided", False)
    if is_two_sided:
        # It is meant, and noted.
        found = [leak for leak in found if leak.kind != "order"]
    unseen = make is None and _numbers(X) is not None
    ahead = None if trial.is_forecaster else reach.last
    notes = notes_on(unseen=unseen, ahead=ahead, two_sided=is_two_sided)
    report = LeakageReport(first_of_each(found), notes, len(splits))
    return _told(report, on_leak)


def _told(report, on_leak):
    """Return a report; raise or warn if there are leaks, as `on_leak` says."""
    if report.leaks and on_leak == "raise":
        raise ValueError(str(report))
    if report.leaks and on_leak == "warn":
        warn(str(report))
    return report


def _reach(trial, horizon, series):
    """Return how far targets lie ahead, by the series that X was made of, if any."""
    if trial.is_forecaster and horizon is None:
        # Its targets are the values of their own rows.
        return Reach(0, 0)
    if series is not None:
        # Lags among the features lie further back than the row itself.
        found = reach_of(series, trial.y, trial.grid, horizon)
        if found.last:
            return found
    return reach_of(_numbers(trial.X), trial.y, trial.grid, horizon)


def _splits(cv, trial):
    rows = np.arange(len(trial.grid.positions))
    if hasattr(cv, "split") and not isinstance(cv, str | bytes):
        groups = series_of(trial.X, trial.groups)
        options = () if groups is None else (groups,)
        found = list(cv.split(trial.X, trial.y, *options))
    else:
        found = cv
    try:
        splits = [(rows[train], rows[test]) for train, test in found]
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"cv={cv!r} is invalid; expected a splitter such as WindowSplit(), or an "
            f"iterable of (train, test). {error}"
        ) from error
    if not splits:
        raise ValueError(f"cv={cv!r} gives no splits; expected one or more.")
    return splits


def _numbers(X):
    """Return X as a table of numbers, of windows the last steps, or None."""
    try:
        table = np.asarray(X, dtype=float)
    except (TypeError, ValueError):
        return None
    table = table[:, -1] if table.ndim == 3 else table
    return table if table.ndim == 2 and table.shape[1] else None


def _in_splits(trial, reach: Reach, splits):
    """Find training rows that overlap with the test part."""
    span = window_of(trial.estimators, trial.X)
    for i, (train, test) in enumerate(splits):
        found = overlap_of(train, test, trial.grid, reach, span)
        if found.n_targets:
            yield Leak(
                "targets",
                i,
                f"training rows have targets up to {reach.last} rows ahead, which "
                "aren't known at the first test row; leave out the last "
                f"{reach.last - 1} rows before it: WindowSplit(purge={reach.last - 1})",
            )
        if found.n_windows:
            least = max(span + 1, 0)
            yield Leak(
                "targets",
                i,
                "training rows within the test part, or just after it, share values "
                "with it in their targets or windows; split in time, or leave out "
                f"{max(reach.last - 1, 0) + least} rows after it: WindowSplit("
                f"two_sided=True, purge={max(reach.last - 1, 0)}, embargo={least})",
            )
        if found.n_later:
            yield Leak(
                "order",
                i,
                "training rows are later than test rows; split in time, by "
                "TimeSeriesSplit or WindowSplit",
            )


def _in_columns(trial, reach: Reach, splits, *, made):
    """Find columns of X that tell how they were made."""
    X, y = _numbers(trial.X), _numbers_of_target(trial.y)
    if X is None or made or np.ndim(trial.X) == 3:
        return
    names = getattr(trial.X, "columns", None)
    told = [
        f"column {i if names is None else repr(names[i])}" for i in range(X.shape[1])
    ]
    for i in scaled_over_all(X, splits[0][0]):
        yield Leak(
            "columns",
            None,
            f"{told[i]} is scaled over all rows, exactly: a scaler was fitted before "
            "the split; make it a step of the pipeline",
        )
    if y is None:
        return
    first = max(reach.first, 1)
    if trial.is_forecaster:
        steps = max(np.bincount(trial.grid.codes[test]).max() for _, test in splits)
        first = int(steps)
    skipped = _past_positions(trial, names)
    for i in of_later_values(X, y, trial.grid, first, skipped):
        yield Leak(
            "columns",
            None,
            f"{told[i]} is a sum of values of y that aren't known at its row, as a "
            "centred mean is; make it of earlier values alone",
        )


def _numbers_of_target(y):
    try:
        targets = np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        return None
    return targets.reshape(len(targets), -1)[:, 0]


def _past_positions(trial, names):
    """Return the positions of a forecaster's columns that are known up to now only."""
    past = trial.past_features
    return past if names is None else [i for i, n in enumerate(names) if n in past]


def _in_steps(trial, splits):
    """Find steps that were fitted before."""
    n_train = min(len(train) for train, _ in splits)
    for each in trial.estimators:
        if isinstance(each, FrozenEstimator):
            seen = getattr(each.estimator, "n_samples_seen_", 0)
            if np.max(seen) > n_train:
                yield Leak(
                    "frozen",
                    None,
                    f"{each} saw {np.max(seen)} rows, but the first training part has "
                    f"only {n_train}; fit it in the pipeline",
                )


def _in_features(trial, made, splits):
    """Make the features once more of series that are other ones after each cutoff."""
    make, series = made
    if make is None:
        return
    for i, (train, test) in enumerate(splits):
        with quiet():
            split = train, test, trial.is_forecaster
            messages = moved_features(make, series, trial.grid, split, trial.rng)
        yield from (Leak("features", i, message) for message in messages)


def _in_predictions(trial, splits):
    for i, (train, test) in enumerate(splits):
        message = moved_predictions(trial, train, test)
        if message is not None:
            yield Leak("predictions", i, message)
