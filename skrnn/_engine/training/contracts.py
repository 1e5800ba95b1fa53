"""What the training loop, the programs of both engines and the data owe each other."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np

from skrnn._data.datasets import Batch


class BatchSource(Protocol):
    """What is trained on, as batches: `skrnn._data.datasets`, `_data.token_stream`.

    A source decides which batches an epoch has and in which order, and computes
    whatever must be computed for one of them; nobody else looks into it. Both engines
    take the same arrays of NumPy from `gather`. A batch is described by one row of an
    order: the loop counts and slices these rows, a program hands them to `gather`.
    """

    def __len__(self) -> int:
        """Return the number of sequences, or of pieces of a stream."""

    def n_batches(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""

    def order(
        self, batch_size: int, rng: np.random.Generator | None, epoch: int
    ) -> np.ndarray:
        """Return the batches of an epoch.

        Parameters
        ----------
        batch_size : int
        rng : numpy.random.Generator or None
            What is drawn at random is drawn from it; None keeps the order of the data.
        epoch : int
            Its number in this fit, from 0.

        Returns
        -------
        order : ndarray of int of shape (n_batches, ...)
            One row a batch: numbers of rows, -1 for none, or whatever else the source
            knows a batch by.
        """

    def evaluation_order(self) -> np.ndarray:
        """Return the batches to validate on, which have everything once."""

    def gather(
        self, rows: np.ndarray, *, n_rows: int | None = None, n_steps: Any = None
    ) -> Batch:
        """Put together the batch that one row of an order describes.

        Parameters
        ----------
        rows : ndarray
        n_rows : int or None
            Fill the batch up to so many sequences: the added ones have weight 0 and
            aren't present. Batches of one shape can be stacked.
        n_steps : int or None
            Fill it up to so many steps; a pair of them where inputs and outputs have
            steps of their own.
        """


class RowSource(BatchSource, Protocol):
    """A source whose sequences can be told apart, so that some may be held out."""

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each sequence."""

    def take(self, rows: np.ndarray | slice) -> Self:
        """Return the sequences at `rows`, without copying what they hold."""


class Optimizer(Protocol):
    """What the loop knows of an optimizer."""

    learning_rate: Any


class Program(Protocol):
    """The training of one network on one engine; it serves one fit at a time.

    It holds the weights and the state of the optimizer. What varies from fit to fit is
    an argument, so that what was compiled once serves the next fit.

    Attributes
    ----------
    optimizer : object with ``learning_rate``
        Read before each step, so that callbacks may change it.
    """

    optimizer: Optimizer

    def load(self, dataset: BatchSource) -> Any:
        """Return a source as `train` and `evaluate` take it: on a device, say."""

    def reset(
        self,
        weights: list,
        optimizer_state: list | None = None,
        learning_rate: float | None = None,
    ) -> None:
        """Start from `weights` and, if given, an optimizer's state and a rate."""

    def train(
        self, data: Any, order: np.ndarray, step_inputs: Mapping[str, Any]
    ) -> tuple[Any, Any, Any]:
        """Take one step for each batch.

        Parameters
        ----------
        data : object
            What `load` returned.
        order : ndarray of shape (n_batches, ...)
            Rows of an order of the source.
        step_inputs : mapping
            What varies from step to step and from fit to fit: "seed"; "step", the
            number of the first step in this fit; "rates", one for each step, or None
            for that of the optimizer; "clipnorm" and "global_clipnorm", infinite for
            none; and every share that dropout layers drop, by its name.

        Returns
        -------
        total, count : number
            The sum of the weighted losses, and the number of losses.
        finite : bool
            Whether all was. From the first step on where it wasn't nothing is changed
            any more.

        Raises
        ------
        MemoryError
            If there is none left. The loop lets it pass.
        """

    def evaluate(self, data: Any, order: np.ndarray) -> tuple[Any, Any]:
        """Return the sum of the weighted losses of batches, and their number."""

    def get_weights(self) -> list:
        """Return copies of the weights as they are, in the order of the table."""

    def set_weights(self, weights: list) -> None:
        """Set the weights, and nothing else."""

    def is_finite(self) -> bool:
        """Return whether all weights are finite."""

    def final_weights(self) -> list:
        """Return the weights to keep: averages, if the optimizer takes such."""

    def get_optimizer_state(self) -> list:
        """Return copies of moments and counters, to go on from."""

    def keras_optimizer(self, make: Callable[[str, float], Any]) -> Any:
        """Return what callbacks see as the model's optimizer, with its steps so far.

        ``make(name of a class of Keras, rate)`` makes one where there is none.
        """
