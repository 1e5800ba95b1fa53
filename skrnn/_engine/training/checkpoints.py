"""When the state of a training is kept, its contents, and how to go on from it.

The caller of a training decides where the states go: `Checkpoint.write`. Nothing here
knows about files.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from skrnn._data.warn import warn
from skrnn._engine.training.plan import Trained

# Seconds between two states that are kept, at least.
SECONDS_BETWEEN = 1.0
# Keeping them takes no more than this share of the time.
_MOST_OF_THE_TIME = 0.05


@dataclass(frozen=True)
class TrainingState:
    """All that a training needs to go on after an epoch, or the results of a whole one.

    Shuffling depends on the state of one generator, and dropout on the seed and the
    number of the step, so that the same numbers are drawn as without a break.

    Attributes
    ----------
    weights : list of ndarray
        Current weights; if training has ended, those that it kept.
    optimizer_state : list of ndarray
    history : dict of lists
        One entry for each finished epoch.
    learning_rate : float or None
        Of the next step.
    step : int
        Steps so far.
    generator : dict or None
        State of the generator of shuffling.
    best_weights : list of ndarray or None
    best_loss : float
    best_epoch : int
    callbacks : tuple of dict
        Attributes of each callback.
    ended, diverged : bool
    """

    weights: list
    optimizer_state: list
    history: dict
    learning_rate: float | None = None
    step: int = 0
    generator: dict | None = None
    best_weights: list | None = None
    best_loss: float = math.inf
    best_epoch: int = 0
    callbacks: tuple = ()
    ended: bool = False
    diverged: bool = False

    def trained(self) -> Trained:
        """Return the results of a training that has ended."""
        return Trained(
            weights=self.weights,
            optimizer_state=self.optimizer_state,
            history=self.history,
            best_epoch=self.best_epoch,
            diverged=self.diverged,
        )


@dataclass(frozen=True)
class Checkpoint:
    """Where training goes on from, and where its states go.

    Attributes
    ----------
    found : TrainingState or None
        Of an earlier try; None to begin anew.
    write : callable
        ``write(state)`` keeps a `TrainingState`.
    """

    found: TrainingState | None
    write: Callable[[TrainingState], Any] = field(repr=False)


class Keeper:
    """Decides after which epochs a state is kept.

    Attributes
    ----------
    found : TrainingState or None
        What training goes on from.
    start : list of ndarray
        The first weights of all.
    """

    def __init__(self, checkpoint: Checkpoint, start: list):
        self.found, self.start = checkpoint.found, start
        self._write = checkpoint.write
        self._next = time.monotonic() + SECONDS_BETWEEN

    def offer(self, make: Callable[[], TrainingState]) -> None:
        """Keep the state that `make` returns, if it is time to."""
        begun = time.monotonic()
        if begun < self._next:
            return
        self._keep(make())
        took = time.monotonic() - begun
        self._next = begun + max(SECONDS_BETWEEN, took / _MOST_OF_THE_TIME)

    def end(self, trained: Trained) -> None:
        """Keep the results of a training that came to its end."""
        state = TrainingState(
            trained.weights,
            trained.optimizer_state,
            trained.history,
            best_epoch=trained.best_epoch,
            ended=True,
            diverged=trained.diverged,
        )
        self._keep(state)

    def _keep(self, state):
        try:
            self._write(state)
        except OSError as error:
            # Hours of training shouldn't be lost because a copy fails.
            warn(f"The checkpoint couldn't be written: {error}. Training goes on.")


def take_up(program, found: TrainingState, rate: float | None) -> None:
    """Put weights and optimizer into a state that was found.

    `rate` is the learning rate to begin with; None where the optimizer has its own.

    Raises
    ------
    ValueError
        If it is the state of another optimizer.
    """
    expected = _shapes(program.get_optimizer_state())
    if _shapes(found.optimizer_state) != expected:
        raise ValueError(
            "The checkpoint doesn't hold the state of this optimizer: expected arrays "
            f"{expected}, got {_shapes(found.optimizer_state)}. Remove the file."
        )
    given = found.weights, found.optimizer_state
    program.reset(*given, None if rate is None else found.learning_rate)


def _shapes(arrays):
    return [(array.dtype.name, array.shape) for array in arrays]


def state_of(loop) -> TrainingState:
    """Return the state of a `Loop` after an epoch."""
    program, best = loop.program, loop.best
    return TrainingState(
        weights=program.get_weights(),
        optimizer_state=program.get_optimizer_state(),
        history={name: list(losses) for name, losses in loop.history.items()},
        learning_rate=float(program.optimizer.learning_rate),
        step=loop.step,
        generator=None if loop.rng is None else loop.rng.bit_generator.state,
        best_weights=best.weights,
        best_loss=float(best.loss),
        best_epoch=best.epoch,
        callbacks=loop.callbacks.state(),
    )


def go_on(loop, found: TrainingState) -> int:
    """Let a `Loop`, whose program was taken up, go on; return the epoch to begin with.

    Callbacks already know that training begins, and may have changed what they
    shouldn't.
    """
    program, rate = loop.program, found.learning_rate
    program.set_weights(found.weights)
    if rate is not None and float(program.optimizer.learning_rate) != rate:
        program.optimizer.learning_rate = rate
    loop.callbacks.set_state(found.callbacks)
    loop.history = {name: list(losses) for name, losses in found.history.items()}
    loop.step = found.step
    if loop.rng is not None:
        loop.rng.bit_generator.state = found.generator
    if loop.schedule is not None:
        loop.schedule.go_on(rate)
    best = loop.best
    best.loss, best.epoch = found.best_loss, found.best_epoch
    best.weights = found.best_weights
    n_epochs = len(found.history["loss"])
    loop.progress.skip(n_epochs)
    return n_epochs
