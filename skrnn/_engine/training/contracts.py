"""The protocols between the training loop, the programs of both engines and data."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

import numpy as np

from skrnn._data.batches import Batches
from skrnn._data.datasets import Batch


class BatchSource(Protocol):
    """Training data in batches: `skrnn._data.datasets`, `_data.token_stream`.

    A source decides which batches an epoch has and in which order, and computes the
    arrays of a batch; only the source knows how. Both engines take the same arrays of
    NumPy from `gather`. One row of an order describes a batch: the loop counts and
    slices these rows, a program hands them to `gather`.
    """

    def __len__(self) -> int:
        """Return the number of sequences, or of pieces of a stream."""

    def n_batches(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""

    def order(
        self, batch_size: int, rng: np.random.Generator | None, epoch: int
    ) -> np.ndarray | Batches:
        """Return the batches of an epoch.

        Parameters
        ----------
        batch_size : int
        rng : numpy.random.Generator or None
            All random draws come from it; None keeps the order of the data.
        epoch : int
            Its number in this fit, from 0.

        Returns
        -------
        order : ndarray of int of shape (n_batches, ...), or Batches
            One row a batch: numbers of rows, -1 for none, or another description that
            the source understands. The loop slices it into arrays.
        """

    def evaluation_order(self) -> np.ndarray | Batches:
        """Return the batches to validate on; each sequence is in one of them."""

    def gather(
        self, rows: np.ndarray, *, n_rows: int | None = None, n_steps: Any = None
    ) -> Batch:
        """Return the batch that one row of an order describes.

        Parameters
        ----------
        rows : ndarray
        n_rows : int or None
            Pad the batch to this many sequences: the added ones have weight 0 and are
            marked as absent. Batches of one shape can be stacked.
        n_steps : int or None
            Pad it to this many steps; a pair of numbers if inputs and outputs have
            their own steps.
        """


class RowSource(BatchSource, Protocol):
    """A source from which sequences can be taken, to hold some of them out."""

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each sequence."""

    def take(self, rows: np.ndarray | slice) -> Self:
        """Return the sequences at `rows`, without copying what they hold."""


class Watcher(Protocol):
    """An observer of the epochs of a training, which may end it.

    ``so_far()`` returns `Trained`: the results if training had ended at that moment,
    with the weights of then.
    """

    def begin(self, so_far: Callable[[], Any], /) -> None:
        """Hear that an epoch begins."""

    def end(self, so_far: Callable[[], Any], /) -> bool:
        """Hear that it has ended; return whether training is to end with it."""
        ...


class Optimizer(Protocol):
    """What the loop knows of an optimizer."""

    learning_rate: Any


class Program(Protocol):
    """The training of one network on one engine; it serves one fit at a time.

    It holds the weights and the state of the optimizer. Whatever varies from fit to fit
    is an argument, so that the next fit can use the same compiled functions.

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
            Values that vary from step to step or from fit to fit: "seed"; "step", the
            number of the first step in this fit; "rates", one for each step, or None
            for the optimizer's rate; "clipnorm" and "global_clipnorm", infinite for
            none; and the share of each dropout layer, by its name.

        Returns
        -------
        total, count : number
            The sum of the weighted losses, and the number of losses.
        finite : bool
            Whether all losses and gradients were finite. The first step where they
            weren't, and all after it, leave the weights as they are.

        Raises
        ------
        MemoryError
            If memory runs out. The loop doesn't catch it.
        """

    def evaluate(self, data: Any, order: np.ndarray | Batches) -> tuple[Any, Any]:
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
        """Return copies of moments and counters, from which training can go on."""

    def keras_optimizer(self, make: Callable[[str, float], Any]) -> Any:
        """Return what callbacks see as the model's optimizer, with its steps so far.

        ``make(name of a class of Keras, rate)`` makes one where there is none.
        """
