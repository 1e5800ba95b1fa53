"""Windows of series as a source of batches: made as they are trained on.

Nothing is computed beforehand: all windows of 5,000 series of 200 points would be
hundreds of megabytes.
"""

import threading
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skrnn._data.datasets import Batch
from skrnn._estimators.forecasting.answers import Answer
from skrnn._estimators.forecasting.layouts import Layout
from skrnn._estimators.forecasting.table import SeriesTable

# Epochs of a budget of windows: as many entries has the history.
N_EPOCHS = 10
# Times that training goes over all windows, at most. But few windows are repeated until
# they are so many, 25 batches. Without them a network stayed near its start and missed
# short trends; with twice as many its forecasts of the airline's passengers got worse.
MOST_PASSES, LEAST_WINDOWS = 12, 1600
# Quantiles and distributions: one pass, or so many windows in this many passes. More
# make a network sure of what it has seen before, and its intervals far too narrow.
ENOUGH_FOR_SPREAD, PASSES_FOR_SPREAD = 8_000, 24
# Windows that the mean weight is taken over.
_N_WEIGHED = 4096
# Windows that callbacks of scikit-learn are told of.
_N_EXAMPLES = 1024
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-3, 10.0


@dataclass(frozen=True)
class Budget:
    """How many windows are trained on, and which.

    Attributes
    ----------
    n_windows : int
        At most so many, each as often as it is drawn.
    seed : int
        Of the order in which they are drawn.
    of_spread : bool
        Whether quantiles or a distribution are learned.
    """

    n_windows: int
    seed: int
    of_spread: bool = False

    def total(self, n: int) -> int:
        """Return how many windows to draw of `n`."""
        most = max(MOST_PASSES * n, LEAST_WINDOWS)
        if self.of_spread:
            most = max(n, min(ENOUGH_FOR_SPREAD, PASSES_FOR_SPREAD * n))
        return min(self.n_windows, most)

    def draw(self, n: int) -> np.ndarray:
        """Return numbers of windows, from 0 to n: pass after pass, without repeats."""
        rng = np.random.default_rng(self.seed)
        total = self.total(n)
        if total <= n:
            return rng.choice(n, total, replace=False)
        passes = -(-total // n)
        return np.concatenate([rng.permutation(n) for _ in range(passes)])[:total]


@dataclass(frozen=True)
class Windows:
    """Windows of series, with what is read of them and what is to be answered.

    Attributes
    ----------
    table : SeriesTable
    origins : ndarray of int of shape (n_windows,)
        The row behind each window.
    layout : Layout
    drawn : ndarray of int
        Numbers of windows, in the order of training.
    answer : Answer
        What is to be answered.
    weighs : bool
        Whether windows of a large spread weigh more.
    of_steps : bool
        Whether each step of the sequence has its own target.
    stop : threading.Event or None
        Ends training at the next batch, as Ctrl-C does, if it is set.
    name : str
        Of the training, in its line of progress and in logs.
    """

    table: SeriesTable
    origins: np.ndarray
    layout: Layout
    drawn: np.ndarray
    answer: Answer
    weighs: bool
    of_steps: bool
    stop: threading.Event | None = None
    name: str = "Forecaster"

    @property
    def n_features(self) -> int:
        """Channels of a step."""
        return self.layout.inputs(self.table, self.origins[:1])[0].shape[-1]

    @property
    def steps_of_each(self) -> int:
        """Steps of every sequence."""
        return self.layout.n_steps

    def __len__(self) -> int:
        return len(self.drawn)

    # All sequences have as many steps.
    is_uniform = True

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each window's sequence."""
        return np.broadcast_to(self.layout.n_steps, len(self.origins))

    @property
    def n_epochs(self) -> int:
        """The number of equal parts that the windows are trained on in."""
        return max(1, min(N_EPOCHS, len(self.drawn) // 2))

    def n_batches(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self._epoch(0)) // batch_size)

    @property
    def identity(self) -> tuple:
        """What tells this training from others."""
        data = self.table, self.origins, self.layout, self.drawn
        return *data, self.answer.loss, self.weighs, self.of_steps

    def _epoch(self, epoch):
        size = -(-len(self.drawn) // self.n_epochs)
        # All epochs are of one size: the last one begins a little earlier.
        first = min(epoch * size, len(self.drawn) - size)
        return self.drawn[first : first + size]

    def order(
        self, batch_size: int, rng: np.random.Generator | None, epoch: int
    ) -> np.ndarray:
        """Return the windows of an epoch, in the order in which they were drawn."""
        drawn = self._epoch(epoch)
        order = np.full((self.n_batches(batch_size), batch_size), -1, np.int64)
        order.flat[: len(drawn)] = drawn
        return order

    def evaluation_order(self) -> np.ndarray:
        """Return the batches to validate on: nothing of these is held out."""
        return self.order(256, None, 0)

    def gather(self, rows, *, n_rows=None, n_steps=None) -> Batch:
        """Make the channels and the targets of the windows `rows`, -1 for none."""
        if self.stop is not None and self.stop.is_set():
            raise KeyboardInterrupt
        rows = rows[rows >= 0]
        n_there, n = len(rows), n_rows or len(rows)
        rows = np.append(rows, np.repeat(rows[:1], n - n_there))
        is_row = np.arange(n) < n_there
        origins = self.origins[rows]
        x, units = self.layout.inputs(self.table, origins)
        values, there = self.layout.targets(self.table, origins)
        targets = self.answer.targets(values, units)
        weights = self._weights(units) * is_row
        lengths = np.full(len(rows), len(x))
        if self.of_steps:
            weights = np.broadcast_to(weights, targets.shape[:2])
            present = np.broadcast_to(is_row, weights.shape)
            weights = weights if there is None else weights * there
        else:
            targets = folded_targets(targets, values.shape[-1])
            weights = weights if there is None else weights * there.all(axis=0)
            present = is_row
        inputs = {"x": x, "lengths": lengths}
        return Batch(
            inputs,
            targets.astype(np.float32),
            np.ascontiguousarray(weights, np.float32),
            present,
        )

    def examples(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return some of the windows as X and y of the network, for whoever scores it.

        There is no y where the network answers with more than a number.
        """
        origins = self.origins[np.unique(self.drawn[:_N_EXAMPLES])]
        x, units = self.layout.inputs(self.table, origins)
        values, there = self.layout.targets(self.table, origins)
        X, y = np.moveaxis(x, 1, 0), np.moveaxis(units.normalized(values), 0, 1)
        if there is not None:
            X, y = X[there.all(axis=0)], y[there.all(axis=0)]
        y = y if self.of_steps else y.reshape(len(y), -1)
        is_scored = self.answer.loss is None and len(X)
        y = y[..., 0] if y.shape[-1] == 1 else y
        return np.ascontiguousarray(X), y if is_scored else None

    def _weights(self, units):
        if not self.weighs:
            return np.ones(len(units.level))
        return _of_spread(units) / self._mean_weight

    @cached_property
    def _mean_weight(self):
        origins = self.origins[self.drawn[:_N_WEIGHED]]
        return _of_spread(self.layout.windows(self.table, origins)[1]).mean()


def folded_targets(targets, n_targets):
    """Return targets (H, B, K * columns) as (B, columns * H * K), column after column.

    That is the order in which heads take them, with K targets at each of H steps.
    """
    n_steps, n, width = targets.shape
    columns = targets.reshape(n_steps, n, width // n_targets, n_targets)
    return columns.transpose(1, 2, 0, 3).reshape(n, -1)


def _of_spread(units):
    """Return weights (B,): a relative error counts alike whatever the spread is."""
    spread = np.clip(units.spread.mean(axis=-1), _LEAST_WEIGHT, _MOST_WEIGHT)
    return np.sqrt(spread)
