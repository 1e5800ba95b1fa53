"""The training of the members of an ensemble, several at once."""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from skrnn import _engine
from skrnn._estimators.base import BaseRecurrent
from skrnn._estimators.forecasting.answers import Answer, Numbers
from skrnn._estimators.forecasting.layouts import Layout
from skrnn._estimators.forecasting.members import Direct, Member, read
from skrnn._estimators.forecasting.strategies import STRATEGIES
from skrnn._estimators.forecasting.table import SeriesTable
from skrnn._estimators.forecasting.windows import (
    MOST_OF_SPREAD,
    MOST_PASSES,
    Budget,
    Windows,
)
from skrnn._estimators.tasks import SequenceRegressorMixin


@dataclass(frozen=True)
class EnsemblePlan:
    """Which members to train, and on what.

    Attributes
    ----------
    strategy : str
        A name of `STRATEGIES`.
    horizon, gap, season : int
    lookbacks : tuple of int
        Rows of the windows of each member.
    normalize : str or None
    n_windows : int
        The budget of each model.
    seed : int
    answer : Answer
        What networks answer with.
    verbose : int
    """

    strategy: str
    horizon: int
    gap: int
    season: int
    lookbacks: tuple[int, ...]
    normalize: str | None
    n_windows: int
    seed: int
    answer: Answer
    verbose: int = 0

    @property
    def rows_needed(self) -> int:
        """Rows of a series that the longest window and its horizon take."""
        return max(self.lookbacks) + self.gap + self.horizon


@dataclass(frozen=True)
class _Task:
    """One model to train."""

    layout: Layout
    seed: int
    verbose: int


def is_network(estimator) -> bool:
    """Whether an estimator of ours can be trained on a source of windows."""
    return isinstance(estimator, BaseRecurrent) and isinstance(
        estimator, SequenceRegressorMixin
    )


@dataclass(frozen=True)
class Ensemble:
    """Trained members.

    Attributes
    ----------
    members : tuple of Member or Direct
    n_diverged : int
        Networks whose loss became infinite or NaN.
    interrupted : bool
        Whether Ctrl-C ended training; the members are those trained so far.
    """

    members: tuple[Any, ...]
    n_diverged: int = 0
    interrupted: bool = False

    @property
    def estimators(self) -> list:
        """The fitted estimators of all members."""
        parts = [getattr(member, "members", (member,)) for member in self.members]
        return [each.estimator for part in parts for each in part]


def train(estimator, table: SeriesTable, plan: EnsemblePlan) -> Ensemble:
    """Train the members of an ensemble."""
    strategy, groups = STRATEGIES[plan.strategy], []
    window = plan.season, plan.normalize
    for i, lookback in enumerate(plan.lookbacks):
        given = plan.horizon, plan.gap, window[0], lookback, window[1]
        # A member's models draw their windows and weights alike: one seed.
        verbose = plan.verbose if i == 0 else 0
        seed = (plan.seed + i) % 2**31
        groups.append([_Task(each, seed, verbose) for each in strategy.layouts(*given)])
    tasks = [task for group in groups for task in group]
    fit = _networks if is_network(estimator) else _others
    trained, outcomes = fit(estimator, table, plan, tasks)
    found = iter(trained)
    members = [tuple(next(found) for _ in group) for group in groups]
    # Ctrl-C may have come before all were there.
    members = [group for group in members if None not in group]
    return Ensemble(
        tuple(Direct(m) if len(m) > 1 else m[0] for m in members),
        sum(each.diverged for each in outcomes),
        any(each.interrupted for each in outcomes),
    )


def _networks(estimator, table, plan, tasks):
    """Train networks side by side; each computes on one core then."""
    trained: list[Any] = [None] * len(tasks)
    stop, outcomes = threading.Event(), list[Any]()
    of_steps = STRATEGIES[plan.strategy].answers_steps

    def run(i):
        if stop.is_set():
            return
        task = tasks[i]
        windows = _windows(table, task, plan, stop)
        network = clone(estimator).set_params(
            return_sequences=of_steps,
            epochs=windows.n_epochs,
            early_stopping=False,
            validation_split=None,
            warm_start=False,
            random_state=task.seed,
            verbose=task.verbose,
        )
        n_targets = table.values.shape[1] * (1 if of_steps else task.layout.horizon)
        shape = () if n_targets == 1 else (n_targets,)
        try:
            outcome = network._fit_source(windows, shape, plan.answer.loss)
        except BaseException:
            stop.set()
            raise
        if outcome.interrupted:
            stop.set()
        outcomes.append(outcome)
        reads = "steps" if of_steps else "sequences"
        trained[i] = Member(task.layout, network, reads, plan.answer)

    if len(tasks) == 1 or _engine.chosen(estimator.engine) != "cpu":
        for i in range(len(tasks)):
            run(i)
    else:
        _engine.side_by_side(run, range(len(tasks)))
    return trained, outcomes


def _windows(table, task, plan, stop):
    of_steps = STRATEGIES[plan.strategy].answers_steps
    layout = task.layout
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    most = MOST_PASSES if plan.answer.n_outputs == 1 else MOST_OF_SPREAD
    drawn = Budget(plan.n_windows, task.seed, most).draw(len(origins))
    weighs = layout.normalize is not None and bool((table.values >= 0).all())
    given = table, origins, layout, drawn, plan.answer, weighs, of_steps, stop
    return Windows(*given)


def _others(estimator, table, plan, tasks):
    return [_other(estimator, table, plan, task) for task in tasks], []


def _other(estimator, table, plan, task):
    """Fit an estimator that isn't one of our networks on windows as an array."""
    layout = task.layout
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    if len(origins) > plan.n_windows:
        rng = np.random.default_rng(task.seed)
        drawn = rng.choice(len(origins), plan.n_windows, replace=False)
        origins = origins[np.sort(drawn)]
    reads = "sequences" if get_tags(estimator).input_tags.three_d_array else "table"
    X, units = read(layout, reads, table, origins)
    values, there = layout.targets(table, origins)
    y = units.normalized(values)
    if there is not None:
        rows = there.all(axis=0)
        X, y = X[rows], y[:, rows]
    y = np.moveaxis(y, 0, 1).reshape(len(X), -1)
    fitted = _seeded(clone(estimator), task.seed)
    fitted.fit(X, y[:, 0] if y.shape[1] == 1 else y)
    return Member(layout, fitted, reads, Numbers())


def _seeded(estimator, seed):
    names = [n for n in estimator.get_params() if n.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(names, seed))
