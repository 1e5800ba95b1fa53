"""The training of the members of an ensemble, several at once."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags

from skrnn import _engine
from skrnn._data.logs import logger
from skrnn._estimators.base import SequenceNetwork
from skrnn._estimators.forecasting.answers import Answer, Numbers
from skrnn._estimators.forecasting.layouts import Layout
from skrnn._estimators.forecasting.members import Direct, Member, read
from skrnn._estimators.forecasting.strategies import STRATEGIES
from skrnn._estimators.forecasting.table import SeriesTable
from skrnn._estimators.forecasting.windows import Budget, Windows
from skrnn._estimators.tasks import SequenceRegressorMixin
from skrnn._estimators.watching import Watch

_log = logger("forecasting")
# Windows whose targets are looked at at once.
_BLOCK = 4096


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
    events : tuple of (int, float)
        Known channels that are seldom set, such as a holiday, and what makes their
        spread 1.
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
    events: tuple[tuple[int, float], ...] = ()

    @property
    def rows_needed(self) -> int:
        """Rows of a series that the longest window and its horizon take."""
        return max(self.lookbacks) + self.gap + self.horizon

    def layouts(self, lookback: int, table: SeriesTable) -> list[Layout]:
        """Return what the models of a member read of a table."""
        given = self.horizon, self.gap, self.season, lookback, self.normalize
        made = STRATEGIES[self.strategy].layouts(*given)
        return [each.with_events(self.events, table) for each in made]


@dataclass(frozen=True)
class Fold:
    """One of `of` parts of all windows, in order of time, series after series."""

    number: int
    of: int

    def split(self, origins: np.ndarray, layout: Layout):
        """Return the origins that aren't learned from, and those that may be.

        No target of one is a target of the other.
        """
        edges = np.linspace(0, len(origins), self.of + 1).astype(int)
        own = origins[edges[self.number] : edges[self.number + 1]]
        near = (origins > own[0] - layout.horizon) & (
            origins < own[-1] + layout.horizon
        )
        return own, origins[~near]


@dataclass(frozen=True)
class _Task:
    """One model to train, on all windows but those of a fold."""

    layout: Layout
    seed: int
    name: str
    verbose: int = 0
    checkpoint_path: str | None = None
    omitted: Fold | None = None


def is_network(estimator) -> bool:
    """Whether an estimator of ours can be trained on a source of windows."""
    return isinstance(estimator, SequenceNetwork) and isinstance(
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


def train(
    estimator,
    table: SeriesTable,
    plan: EnsemblePlan,
    watch: Watch,
    checkpoints: Callable[[int], str] | None = None,
) -> Ensemble:
    """Train the members of an ensemble; `watch` is told of each.

    ``checkpoints(i)`` is the path of the checkpoint of model i.
    """
    groups = [_tasks(plan, table, i) for i in range(len(plan.lookbacks))]
    tasks = [task for group in groups for task in group]
    if checkpoints is not None:
        paths = map(checkpoints, range(len(tasks)))
        pairs = zip(tasks, paths, strict=True)
        tasks = [replace(task, checkpoint_path=path) for task, path in pairs]
    fit = _networks if is_network(estimator) else _others
    watch.subtasks(len(tasks), "member")
    _log.info(
        "Forecaster: training %d models by strategy %r, horizon %d, lookbacks %s, "
        "season %d",
        *(len(tasks), plan.strategy, plan.horizon, plan.lookbacks, plan.season),
    )
    trained, outcomes, interrupted = fit(estimator, table, plan, tasks, watch)
    found = iter(trained)
    members = [tuple(next(found) for _ in group) for group in groups]
    # Ctrl-C may have come before all were there.
    members = [group for group in members if None not in group]
    return Ensemble(
        tuple(Direct(m) if len(m) > 1 else m[0] for m in members),
        sum(each.diverged for each in outcomes),
        interrupted,
    )


def _tasks(plan, table, i):
    """Return the models of member i: one, or one for each step."""
    layouts = plan.layouts(plan.lookbacks[i], table)
    # They draw their windows and weights alike: one seed.
    name, seed = _place("member", i, len(plan.lookbacks)), (plan.seed + i) % 2**31
    verbose = plan.verbose if i == 0 else 0
    names = [name + _place("step", h, len(layouts)) for h in range(len(layouts))]
    pairs = zip(layouts, names, strict=True)
    return [_Task(layout, seed, each, verbose) for layout, each in pairs]


def _place(what, i, n):
    """Say which of `n` a model is for, behind the name of all."""
    return f", {what} {i + 1} of {n}" if n > 1 else ""


def train_without(estimator, table, plan, folds) -> tuple[list, bool]:
    """Train a network for each fold, which hasn't seen it, and layout.

    Returns
    -------
    members : list of list of Member or None
        Fold after fold, each with a member for each layout; None where Ctrl-C came.
    interrupted : bool
    """
    tasks = []
    for fold in folds:
        lookback = plan.lookbacks[fold.number % len(plan.lookbacks)]
        seed = (plan.seed + len(plan.lookbacks) + fold.number) % 2**31
        layouts = plan.layouts(lookback, table)
        name = _place("fold", fold.number, fold.of)
        tasks += [_Task(each, seed, name, omitted=fold) for each in layouts]
    trained, _, interrupted = _networks(estimator, table, plan, tasks, None)
    n = len(tasks) // len(folds)
    return [trained[at : at + n] for at in range(0, len(tasks), n)], interrupted


def _networks(estimator, table, plan, tasks, watch):
    """Train networks side by side; each computes on one core then.

    `watch` is told of each; None is nobody.
    """
    trained: list[Any] = [None] * len(tasks)
    stop, outcomes = threading.Event(), list[Any]()

    def run(i):
        if not stop.is_set():
            told = nullcontext if watch is None else partial(watch.subtask, i)
            given = estimator, table, plan, tasks[i], stop, told
            trained[i], outcome = _network(*given)
            outcomes.append(outcome)

    if len(tasks) > 1 and _engine.chosen(estimator.engine) == "cpu":
        _until_interrupted(_engine.side_by_side, run, len(tasks), stop)
    else:
        _until_interrupted(_one_by_one, run, len(tasks), stop)
    return trained, outcomes, stop.is_set()


def _one_by_one(run, items):
    for each in items:
        run(each)


def _until_interrupted(call_each, run, n, stop):
    """Call ``run(i)`` for each; Ctrl-C ends all of them soon, and nothing is raised.

    It reaches the main thread alone, wherever that is: in a training or on its way to
    one, which then isn't trained, or waiting for the others.
    """
    begun = list[threading.Event]()

    def guarded(i):
        ended = threading.Event()
        begun.append(ended)
        try:
            run(i)
        except KeyboardInterrupt:
            stop.set()
        except BaseException:
            stop.set()
            raise
        finally:
            ended.set()

    try:
        call_each(guarded, range(n))
    except KeyboardInterrupt:
        stop.set()
        for ended in begun:
            ended.wait()


def _network(estimator, table, plan, task, stop, told):
    """Train a network on batches of windows, until `stop` is set."""
    of_steps = STRATEGIES[plan.strategy].answers_steps
    windows = _windows(table, task, plan, stop)
    network = clone(estimator).set_params(
        return_sequences=of_steps,
        epochs=windows.n_epochs,
        early_stopping=False,
        validation_split=None,
        checkpoint_path=task.checkpoint_path,
        warm_start=False,
        random_state=task.seed,
        verbose=task.verbose,
    )
    n_targets = table.values.shape[1] * (1 if of_steps else task.layout.horizon)
    shape = () if n_targets == 1 else (n_targets,)
    with told(network):
        outcome = network._fit_source(windows, shape, plan.answer.loss)
    # A fitted network is the same with checkpoints and without.
    network.set_params(checkpoint_path=None)
    if outcome.interrupted:
        stop.set()
    reads = "steps" if of_steps else "sequences"
    return Member(task.layout, network, reads, plan.answer), outcome


def _windows(table, task, plan, stop):
    of_steps = STRATEGIES[plan.strategy].answers_steps
    layout = task.layout
    origins = origins_of(table, layout, of_steps)
    if task.omitted is not None:
        _, origins = task.omitted.split(origins, layout)
    # Those with a loss of their own answer with more than a number.
    of_spread = plan.answer.loss is not None
    drawn = Budget(plan.n_windows, task.seed, of_spread).draw(len(origins))
    weighs = layout.normalize is not None and bool((table.values >= 0).all())
    given = table, origins, layout, drawn, plan.answer, weighs, of_steps, stop
    return Windows(*given, name=f"Forecaster{task.name}")


def origins_of(table, layout, of_steps=False):
    """Return the rows behind windows.

    Raises
    ------
    ValueError
        If there is nothing to learn, because too many values are missing.
    """
    origins = table.origins(layout.lookback, layout.gap + layout.horizon)
    if table.observed is None:
        return origins
    enough = np.any if of_steps else np.all
    for at in range(0, len(origins), _BLOCK):
        rows = origins[at : at + _BLOCK] + layout.ahead
        if enough(table.observed[rows].all(axis=-1), axis=0).any():
            return origins
    raise ValueError(
        f"Too many values of y are missing: no window has all of its "
        f"{layout.horizon} target(s). strategy='recursive' learns from windows of one "
        "step, and 'aligned' from each value that is there."
    )


def _others(estimator, table, plan, tasks, watch):
    told = (partial(watch.subtask, i) for i in range(len(tasks)))
    given = estimator, table, plan
    found = [_other(*given, *each) for each in zip(tasks, told, strict=True)]
    return found, [], False


def _other(estimator, table, plan, task, told):
    """Fit an estimator that isn't one of our networks on windows as an array."""
    layout = task.layout
    origins = origins_of(table, layout)
    if len(origins) > plan.n_windows:
        rng = np.random.default_rng(task.seed)
        drawn = rng.choice(len(origins), plan.n_windows, replace=False)
        origins = origins[np.sort(drawn)]
    reads = "sequences" if _takes_sequences(estimator) else "table"
    X, units = read(layout, reads, table, origins)
    values, there = layout.targets(table, origins)
    y = units.asked(values)
    if there is not None:
        rows = there.all(axis=0)
        X, y = X[rows], y[:, rows]
    y = np.moveaxis(y, 0, 1).reshape(len(X), -1)
    fitted = _seeded(clone(estimator), task.seed)
    takes, is_one = get_tags(estimator).target_tags, y.shape[1] == 1
    if not is_one and not takes.multi_output:
        fitted = MultiOutputRegressor(fitted)
    with told(fitted):
        fitted.fit(X, y[:, 0] if is_one and takes.single_output else y)
    return Member(layout, fitted, reads, Numbers())


def _takes_sequences(estimator):
    """Whether an estimator takes X (n, T, F); a Pipeline says so by its first step."""
    steps = [
        s
        for _, s in getattr(estimator, "steps", ())
        if not (s is None or isinstance(s, str))
    ]
    if steps:
        return _takes_sequences(steps[0])
    return get_tags(estimator).input_tags.three_d_array


def _seeded(estimator, seed):
    names = [n for n in estimator.get_params() if n.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(names, seed))
