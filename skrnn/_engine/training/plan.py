"""What training is told, and what it leaves behind."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TrainPlan:
    """How to train: everything that isn't the network or the data.

    Attributes
    ----------
    loss : callable, keras.losses.Loss or None
        One of the user's own; None for that of the network's head.
    optimizer : str or keras.optimizers.Optimizer
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        What the rates of the steps are, if not all `learning_rate`. One by name falls
        over `planned_epochs` epochs, of which this training begins with `first_epoch`.
    scale, offset : list of float or None
        Outputs times the one and plus the other are in the user's units, which is what
        callbacks see.
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
    scale: list | None = None
    offset: list | None = None


@dataclass(frozen=True)
class Trained:
    """What training leaves behind.

    Attributes
    ----------
    weights : list of ndarray
        Of the best epoch with early stopping, or where something else ended training
        before its time; of the last one otherwise.
    optimizer_state : list of ndarray
        Moments and counters, to go on from.
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
        """Put this history behind that of `n_before` epochs.

        An epoch without some kind of loss gets NaN for it.
        """
        n_epochs, nothing = len(self.history["loss"]), [math.nan]
        names = [*before, *(name for name in self.history if name not in before)]
        return {
            name: before.get(name, nothing * n_before)
            + self.history.get(name, nothing * n_epochs)
            for name in names
        }
