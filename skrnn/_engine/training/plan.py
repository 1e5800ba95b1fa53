"""The settings of a training, and its results."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainPlan:
    """How to train: everything that isn't the network or the data.

    Attributes
    ----------
    loss : callable, keras.losses.Loss or None
        A user-defined loss; None for the loss of the network's head.
    optimizer : str or keras.optimizers.Optimizer
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        Learning rates of the steps; None for `learning_rate` throughout. A named
        schedule falls over `planned_epochs` epochs; this training begins with
        `first_epoch` of them.
    warmup_steps : int
        Steps over which rates grow linearly to these; at most a tenth of all planned
        ones.
    scale, offset : list of float or None
        ``outputs * scale + offset`` are in the user's units; callbacks see those.
    """

    loss: Any
    optimizer: Any
    learning_rate: float
    clipnorm: float | None
    epochs: int
    batch_size: int
    shuffle: bool
    early_stopping: bool
    patience: int
    callbacks: tuple
    verbose: int
    seed: int
    name: str = "estimator"
    global_clipnorm: float | None = None
    schedule: Any = None
    first_epoch: int = 0
    planned_epochs: int = 1
    warmup_steps: int = 0
    scale: list | None = None
    offset: list | None = None


@dataclass(frozen=True)
class Trained:
    """The results of a training.

    Attributes
    ----------
    weights : list of ndarray
        Weights of the best epoch with early stopping, or if training was cut off; of
        the last epoch otherwise.
    optimizer_state : list of ndarray
        Moments and counters, from which training can go on.
    history : dict of lists
        One entry for each finished epoch.
    best_epoch : int
        Counted from 1.
    interrupted : bool
        Whether Ctrl-C ended training.
    diverged : bool
        Whether a loss or gradient that isn't finite ended training.
    """

    weights: list
    optimizer_state: list
    history: dict
    best_epoch: int
    interrupted: bool = False
    diverged: bool = False

    def history_after(self, before, n_before) -> dict:
        """Append this history to that of `n_before` epochs.

        Where an epoch lacks a kind of loss, NaN takes its place.
        """
        n_epochs, nothing = len(self.history["loss"]), [math.nan]
        names = [*before, *(name for name in self.history if name not in before)]
        return {
            name: before.get(name, nothing * n_before)
            + self.history.get(name, nothing * n_epochs)
            for name in names
        }
