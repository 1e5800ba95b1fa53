"""Sequences with their targets and weights: what a network is trained on."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from skrnn._data.sequences import Sequences


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
        Row of `targets` that holds the first target of each sequence.
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def lengths(self) -> np.ndarray:
        """Numbers of steps: a batch holds sequences of about the same length."""
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
    """Input sequences, and the output sequence that belongs to each.

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
        Factor of the weight of each step of `outputs`. The mean of 1 is then that of
        the products.
    known : ndarray of bool of shape (n_rows,) or None
        False at steps of `outputs` whose true value isn't known: the decoder reads its
        own output there instead.
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
        """Numbers of input steps: a batch holds inputs of about the same length."""
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
