"""What networks are trained on: sequences with their targets and weights.

Each of these is a source of batches to the training loop and to the programs of both
engines (`skrnn._engine.training.contracts.BatchSource`): it says which batches an epoch
has, and gathers one of them.
"""

import dataclasses
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._data.batches import batches_by_length, batches_in_order, shuffled_batches
from skrnn._data.sequences import Multiples, Sequences

# Sequences that are validated on together.
_EVALUATED_TOGETHER = 256


@dataclass(frozen=True)
class Batch:
    """What a network reads and learns in one step, time-major.

    Attributes
    ----------
    inputs : dict of ndarray
        Inputs of the network's formula: always "x", (T, B, F) or token ids (T, B), and
        "lengths", (B,), the longest first; values at the padding are finite. A source
        may add more, and documents it.
    targets : ndarray of shape (B, K), or (T, B, K) for answers at each step
        float32 values, or int32 class indices with K = 1. K is the number of columns
        that the head's loss reads, `Head.target_width`: some losses read several per
        target.
    weights : ndarray of shape (B,) or (T, B)
        Of the losses; 0 where nothing is present.
    present : ndarray of bool of shape (B,) or (T, B)
        False at padding, and at rows that fill up the batch.
    """

    inputs: dict[str, Any]
    targets: np.ndarray
    weights: np.ndarray
    present: np.ndarray

    @property
    def rows_present(self):
        """Which rows, (B,), are real and don't just fill up the batch."""
        present = self.present
        return present if present.ndim == 1 else present.any(axis=0)

    def real(self, array):
        """Return the entries of any array where something is present, (n, ...)."""
        if self.present.all():
            return array.reshape(-1, *array.shape[self.present.ndim :])
        return array[self.present]

    def spread(self, values, shape):
        """Undo `real`, with zeros where nothing is present."""
        if self.present.all():
            return values.reshape(shape)
        whole = np.zeros(shape, values.dtype)
        whole[self.present] = values
        return whole


class _Rows:
    """The batches of data that has rows."""

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each row."""
        raise NotImplementedError

    def n_batches(self, batch_size):
        """Return the number of batches of an epoch."""
        return -(-len(self.lengths) // batch_size)

    def order(self, batch_size, rng, epoch):
        """Return the batches of an epoch, drawn at random if there is an `rng`."""
        if rng is None:
            return batches_in_order(len(self.lengths), batch_size)
        return shuffled_batches(self.lengths, batch_size, rng)

    def evaluation_order(self):
        """Return the batches to validate on, each row once."""
        return batches_by_length(self.lengths, _EVALUATED_TOGETHER)


@dataclass(frozen=True)
class Dataset(_Rows):
    """Sequences with their encoded targets and weights.

    Attributes
    ----------
    sequences : Sequences
    targets : ndarray, ScaledTargets or Codes of shape (n, K) or (n_real_steps, K)
        float32 values, or int32 class indices of shape (., 1) for a softmax head.
    weights : ndarray or WeightsOfClasses of shape (n,) or (n_real_steps,)
        Non-negative, of mean 1.
    target_starts : ndarray or Multiples of shape (n,)
        Row of `targets` that holds the first target of each sequence.
    of_steps : bool
        Whether there is a target for each real step.
    target_step : int
        Rows of `targets` between two consecutive steps.
    """

    sequences: Sequences
    targets: Any
    weights: np.ndarray
    target_starts: Any
    of_steps: bool = False
    target_step: int = 1

    def __len__(self) -> int:
        return len(self.sequences.lengths)

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

    def gather(self, rows, *, n_rows=None, n_steps=None) -> Batch:
        """Return the batch of the row numbers `rows`, -1 for none.

        Parameters
        ----------
        rows : ndarray of shape (B,)
        n_rows, n_steps : int or None
            Fill the batch up to this many sequences, and this many steps.
        """
        rows, lengths, is_row = _longest_first(self.lengths, rows, n_rows)
        steps = np.arange(n_steps or lengths[0])[:, None]
        present = is_row
        if self.of_steps:
            present = (steps < lengths) & is_row
        if n_steps or lengths[-1] < lengths[0]:
            # The last step is read at the padding: it always exists.
            steps = np.minimum(steps, lengths - 1)
        sequences = self.sequences
        at = sequences.starts[rows] + steps * sequences.step
        inputs = {"x": sequences.values.take(at, axis=0), "lengths": lengths}
        at = self.target_starts[rows]
        if self.of_steps:
            at = at + steps * self.target_step
        weights = self.weights[at]
        if not is_row[-1] or (self.of_steps and lengths[-1] < len(steps)):
            weights = np.where(present, weights, np.float32(0))
        return Batch(inputs, self.targets.take(at, axis=0), weights, present)

    def gather_many(self, order) -> Batch:
        """Return several batches at once, along the first axis of each array.

        Parameters
        ----------
        order : ndarray of shape (n, B)
            Row numbers of sequences that all have the same length; none is missing.
        """
        sequences, n_steps = self.sequences, int(self.lengths[0])
        steps = np.arange(n_steps)[:, None]
        at = sequences.starts[order][:, None] + steps * sequences.step
        lengths = np.full(order.shape, n_steps)
        inputs = {"x": sequences.values.take(at, axis=0), "lengths": lengths}
        at = self.target_starts[order]
        if self.of_steps:
            at = at[:, None] + steps * self.target_step
        present = np.ones(at.shape, bool)
        return Batch(inputs, self.targets.take(at, axis=0), self.weights[at], present)


def of_own_steps(sequences) -> Dataset:
    """Return sequences whose targets are their own steps; nothing is copied."""
    return Dataset(
        sequences,
        sequences.values,
        np.broadcast_to(np.float32(1), len(sequences.values)),
        sequences.starts,
        of_steps=True,
        target_step=sequences.step,
    )


def first_targets(sequences, of_steps):
    """Return the row of the targets where each sequence's first one stands.

    Parameters
    ----------
    sequences : Sequences
    of_steps : bool
        Whether there is a target for each real step, not for each sequence.
    """
    n = len(sequences.lengths)
    if not of_steps:
        return Multiples(1, n)
    if sequences.is_uniform:
        return Multiples(int(sequences.lengths[0]), n)
    return np.cumsum(sequences.lengths) - sequences.lengths


@dataclass(frozen=True)
class Seq2SeqData(_Rows):
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
        Factor of the weight of each step of `outputs`. The products then have mean 1.
    known : ndarray of bool of shape (n_rows,) or None
        False at steps of `outputs` whose true value isn't known: the decoder reads its
        own output there instead.
    start : int
        The number before the first label; not read for numbers.
    """

    inputs: Sequences
    outputs: Sequences
    weights: np.ndarray
    future: np.ndarray | None = None
    step_weights: np.ndarray | None = None
    known: np.ndarray | None = None
    start: int = 0

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> np.ndarray:
        """Numbers of input steps: a batch holds inputs of about the same length."""
        return self.inputs.lengths

    def take(self, rows) -> "Seq2SeqData":
        """Return the pairs at `rows`."""
        return dataclasses.replace(
            self,
            inputs=self.inputs.take(rows),
            outputs=self.outputs.take(rows),
            weights=self.weights[rows],
            future=None if self.future is None else self.future[rows],
        )

    def gather(self, rows, *, n_rows=None, n_steps=(None, None)) -> Batch:
        """Return the batch of the row numbers `rows`, -1 for none.

        Inputs and outputs are each ordered by length, the longest first.

        Parameters
        ----------
        rows : ndarray of shape (B,)
        n_rows : int or None
            Fill the batch up to this many pairs.
        n_steps : tuple of two int or None
            Fill inputs and outputs up to this many steps each.

        Returns
        -------
        batch : Batch
            Its `inputs` also have "order" (B,), the position of each output among the
            inputs; "output_lengths" (B,); "before" (H, B) or (H, B, K), the output
            before each step; "future" (H, B, F), if there is one; and "known" (H, B),
            whether the output before a step may be read, if some may not.
        """
        rows, lengths, is_row = _longest_first(self.lengths, rows, n_rows)
        x = self.inputs.take(rows).padded(lengths, n_steps[0])
        own = np.where(is_row, self.outputs.lengths[rows], 1)
        order = np.argsort(-own, kind="stable")
        rows, is_row, own = rows[order], is_row[order], own[order]
        packed = self.outputs.take(rows)
        outputs = packed.padded(own, n_steps[1])
        present = (np.arange(len(outputs))[:, None] < own) & is_row
        before = np.empty_like(outputs)
        before[1:] = outputs[:-1]
        before[0] = self.start
        inputs = {"x": x, "lengths": lengths, "order": order}
        inputs |= {"output_lengths": own, "before": before}
        if self.future is not None:
            inputs["future"] = _filled(np.moveaxis(self.future[rows], 1, 0), n_steps[1])
        weights = np.where(present, self.weights[rows], np.float32(0))
        if self.step_weights is not None:
            factors = replace(packed, values=self.step_weights)
            weights *= factors.padded(own, n_steps[1])
        if self.known is not None:
            known = replace(packed, values=self.known).padded(own, n_steps[1])
            readable = _before(known, known & present)
            inputs |= {} if readable is None else {"known": readable}
        targets = outputs if outputs.ndim == 3 else outputs[:, :, None]
        return Batch(inputs, targets, weights, present)


def _longest_first(lengths, rows, n_rows):
    """Sort the rows of a batch by length, and fill them up.

    Returns
    -------
    rows, lengths : ndarray of shape (B,)
        The batch is filled up with the first row, cut to one step.
    is_row : ndarray of bool of shape (B,)
        False at what fills it up.
    """
    rows = rows[rows >= 0]
    own = lengths[rows]
    if lengths.strides != (0,):
        longest_first = np.argsort(-own, kind="stable")
        rows, own = rows[longest_first], own[longest_first]
    n_missing = (n_rows or len(rows)) - len(rows)
    is_row = np.ones(len(rows) + n_missing, bool)
    if n_missing:
        is_row[-n_missing:] = False
        rows = np.append(rows, np.repeat(rows[:1], n_missing))
        own = np.append(own, np.ones(n_missing, own.dtype))
    return rows, own, is_row


def _filled(array, n_steps):
    """Repeat the last step of an array (T, ...) up to a number of steps."""
    n_missing = (n_steps or len(array)) - len(array)
    last = np.repeat(array[-1:], n_missing, axis=0)
    return np.concatenate([array, last]) if n_missing else array


def _before(known, counted):
    """Return whether the output before each step is known, (H, B).

    It is None if nothing that counts comes after an unknown output: masks at the ends
    need no second pass.
    """
    before = np.ones_like(known)
    before[1:] = known[:-1]
    rest = np.maximum.accumulate(counted[::-1])[::-1]
    return None if (before | ~rest).all() else before
