"""A stream of tokens as batches: what language models are trained on."""

from dataclasses import dataclass

import numpy as np

from skrnn._data.datasets import Batch

# What ends a document and begins the next one.
BOUNDARY = 0


@dataclass(frozen=True)
class TokenStream:
    """A stream of tokens, cut into parallel sequences that are read piece by piece.

    A batch is one piece of all sequences. The pieces of an epoch are in order, since
    each starts with the states at the end of the one before.

    Attributes
    ----------
    inputs, targets : ndarray of int32 of shape (n,)
        Each token of the stream and the one after it.
    n_sequences : int
        Parts of the stream that are read at once; `n_sequences * length` >= n.
    lookback : int
        Most steps of a piece.
    seed : int or None
        Seed of the places at which each epoch cuts the stream; None always cuts at its
        beginning.
    """

    inputs: np.ndarray
    targets: np.ndarray
    n_sequences: int
    lookback: int
    seed: int | None = None

    @property
    def length(self) -> int:
        """Steps of each sequence."""
        return -(-len(self.inputs) // self.n_sequences)

    def __len__(self) -> int:
        return -(-self.length // self.lookback)

    def n_batches(self, batch_size) -> int:
        """Return the number of pieces, whatever the size of other batches."""
        return len(self)

    def order(self, batch_size, rng, epoch):
        """Return the batches of an epoch, (n_batches, 2).

        Each is the number of a piece, and where in the stream the first sequence
        begins.
        """
        numbers = np.arange(len(self))
        return np.stack([numbers, np.full(len(self), self.start(epoch))], axis=1)

    def evaluation_order(self):
        """Return the batches from the beginning of the stream to its end."""
        numbers = np.arange(len(self))
        return np.stack([numbers, np.zeros_like(numbers)], axis=1)

    def start(self, epoch) -> int:
        """Return where in the stream the first sequence of an epoch begins."""
        if self.seed is None:
            return 0
        drawn = np.random.default_rng([self.seed, epoch * len(self)])
        return int(drawn.integers(len(self.inputs)))

    def gather(self, rows, *, n_rows=None, n_steps=None) -> Batch:
        """Put a piece together: its number and the first sequence's start are `rows`.

        Parameters
        ----------
        rows : ndarray of shape (2,)
        n_rows, n_steps : int or None
            Fill the piece up to this many sequences, and this many steps: pieces may
            differ by one step.

        Returns
        -------
        batch : Batch
            Its `inputs` also have "begins": whether states start from zeros, as they do
            at the first piece of an epoch. Its targets are (T, B, 1).
        """
        number, start = (int(row) for row in rows)
        first, last = (self.length * i // len(self) for i in (number, number + 1))
        steps = np.arange(n_steps or last - first)[:, None]
        sequences = np.arange(n_rows or self.n_sequences)
        at = first + steps + self.length * sequences
        present = (at < len(self.inputs)) & (steps < last - first)
        present &= sequences < self.n_sequences
        at = (at + start) % len(self.inputs)
        inputs = {
            "x": np.where(present, self.inputs[at], BOUNDARY),
            "lengths": np.full(len(sequences), last - first),
            "begins": number == 0,
        }
        targets = np.where(present, self.targets[at], 0)[:, :, None]
        return Batch(inputs, targets, present.astype(np.float32), present)
