"""Sequences with what is to be learnt from them."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from skrnn._data.sequences import Multiples, Sequences


def first_targets(sequences, of_steps):
    """Return the row of the targets where each sequence's first one stands.

    Parameters
    ----------
    sequences : Sequences
    of_steps : bool
        Whether there is a target for each real step, not for each sequence.
    """
    n = len(sequences)
    if not of_steps:
        return Multiples(1, n)
    if sequences.is_uniform:
        return Multiples(int(sequences.lengths[0]), n)
    return np.cumsum(sequences.lengths) - sequences.lengths


@dataclass(frozen=True)
class Dataset:
    """Sequences with their encoded targets and weights.

    Attributes
    ----------
    sequences : Sequences
    targets : ndarray of shape (n, K) or (n_real_steps, K)
        float32 values, or int32 class indices of shape (., 1) for a softmax head.
    weights : ndarray of shape (n,) or (n_real_steps,)
        Non-negative, of mean 1.
    target_starts : ndarray of shape (n,)
        Row of `targets` where each sequence's first one stands.
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def lengths(self) -> np.ndarray:
        """The numbers of steps: batches are made of sequences about as long."""
        return self.sequences.lengths

    def take(self, rows) -> "Dataset":
        """Return the sequences at `rows` with their targets; nothing is copied."""
        return dataclasses.replace(
            self,
            sequences=self.sequences.take(rows),
            target_starts=self.target_starts[rows],
        )


@dataclass(frozen=True)
class Pairs:
    """Sequences, and the sequences that answer them.

    Attributes
    ----------
    inputs : Sequences
    outputs : Sequences
        Label numbers (n_rows,), the end marker included, or numbers (n_rows, K).
    weights : ndarray of shape (n,)
        Non-negative, of mean 1 over all output steps.
    future : ndarray of shape (n, H, F) or None
        What is known at every output step, if all outputs have H of them.
    step_weights : ndarray of shape (n_rows,) or None
        What the weight of each step of `outputs` is multiplied with; the mean is that
        of the products then.
    known : ndarray of bool of shape (n_rows,) or None
        False at steps of `outputs` that the decoder must not read: what is true there
        isn't known. It reads what it has put out itself instead.
    """

    inputs: Sequences
    outputs: Sequences
    weights: np.ndarray
    future: np.ndarray | None = None
    step_weights: np.ndarray | None = None
    known: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> np.ndarray:
        """The numbers of input steps: batches are made of sequences about as long."""
        return self.inputs.lengths

    def take(self, rows) -> "Pairs":
        """Return the pairs at `rows`."""
        return dataclasses.replace(
            self,
            inputs=self.inputs.take(rows),
            outputs=self.outputs.take(rows),
            weights=self.weights[rows],
            future=None if self.future is None else self.future[rows],
        )
