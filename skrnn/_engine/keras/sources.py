"""Batches of data as arrays of one shape, ready for a compiled function.

A source gathers one batch, filled up to given sizes. What it is filled up with repeats
what is there, so that a user's own loss of it is as good as any other; `present` tells
what counts.
"""

from dataclasses import replace

import numpy as np

from skrnn._engine.cpu.language import Lanes


class SequenceSource:
    """Sequences with a target for each of them, or for each of their steps."""

    # Rows of a batch may be filled up.
    has_rows = True

    def __init__(self, spec, data):
        self._data, self._of_steps = data, spec.return_sequences
        self.is_uniform = data.sequences.is_uniform
        self.most_steps = (int(data.sequences.lengths.max()),)

    def steps(self, order):
        """Return the steps of each batch of `order`, (n, 1)."""
        return _longest(self._data.sequences, order)[:, None]

    def batch(self, rows, steps, _chance):
        """Return the arrays of the batch of `rows` (B,), -1 for none."""
        data, present = self._data, rows >= 0
        rows = np.where(present, rows, rows[present][0])
        lengths = data.sequences.lengths[rows]
        at = _steps(lengths, steps[0])
        x = data.sequences.starts[rows] + at * data.sequences.step
        targets = data.target_starts[rows]
        if self._of_steps:
            targets = targets + at
            present = present & (np.arange(steps[0])[:, None] < lengths)
        return {
            "x": data.sequences.values.take(x, axis=0),
            "lengths": lengths.astype(np.int32),
            "targets": data.targets.take(targets, axis=0),
            "weights": data.weights[targets],
            "present": present,
        }


class PairSource:
    """Sequences with those that answer them."""

    has_rows = True

    def __init__(self, spec, data):
        self._spec, self._data = spec, data
        self._sides = data.inputs, data.outputs
        self.is_uniform = all(side.is_uniform for side in self._sides)
        self.most_steps = tuple(int(side.lengths.max()) for side in self._sides)

    def steps(self, order):
        """Return the steps of inputs and outputs of each batch, (n, 2)."""
        return np.stack([_longest(side, order) for side in self._sides], axis=1)

    def batch(self, rows, steps, _chance):
        """Return the arrays of the batch of `rows` (B,), -1 for none."""
        data, spec, present = self._data, self._spec, rows >= 0
        rows = np.where(present, rows, rows[present][0])
        lengths = data.inputs.lengths[rows]
        output_lengths = data.outputs.lengths[rows]
        targets = _filled(data.outputs, rows, steps[1])
        truth = np.empty_like(targets)
        truth[1:] = targets[:-1]
        truth[0] = 0 if spec.n_labels is None else spec.start
        present = present & (np.arange(steps[1])[:, None] < output_lengths)
        weights = np.broadcast_to(data.weights[rows], present.shape)
        if data.step_weights is not None:
            factors = replace(data.outputs, values=data.step_weights)
            weights = weights * _filled(factors, rows, steps[1])
        found = {
            "x": _filled(data.inputs, rows, steps[0]),
            "lengths": lengths.astype(np.int32),
            "output_lengths": output_lengths.astype(np.int32),
            "truth": truth,
            "targets": targets if targets.ndim == 3 else targets[..., None],
            "weights": weights,
            "present": present,
        }
        if data.future is not None:
            future = np.moveaxis(data.future[rows], 1, 0)
            found["future"] = future[np.minimum(np.arange(steps[1]), len(future) - 1)]
        if data.known is not None:
            known = replace(data.outputs, values=data.known)
            found["known"] = np.ones_like(present)
            found["known"][1:] = _filled(known, rows, steps[1])[:-1]
        return found


class TokenSource:
    """A stream of tokens in lanes, of which a batch is a piece of all."""

    has_rows = False
    is_uniform = True

    def __init__(self, _spec, data):
        self._data, self._start = data, 0
        self.most_steps = (-(-data.length // len(data)),)

    def steps(self, order):
        """Return the steps of each piece of `order`, (n, 1)."""
        data, numbers = self._data, order[:, :1]
        first, last = (data.length * n // len(data) for n in (numbers, numbers + 1))
        return last - first

    def batch(self, rows, steps, chance):
        """Return the arrays of piece ``rows[0]``; the first one begins an epoch."""
        data, number = self._data, int(rows[0])
        if number == 0:
            self._start = 0 if chance is None else data.start(*chance)
        inputs, targets = data.piece(number, self._start)
        lengths = np.full(data.n_lanes, len(inputs), np.int32)
        rest = (0, steps[0] - len(inputs)), (0, 0)
        targets = np.pad(targets, rest, constant_values=-1)
        return {
            "x": np.pad(inputs, rest).astype(np.int32),
            "lengths": lengths,
            "begins": np.array(number == 0),
            "targets": np.maximum(targets, 0)[..., None].astype(np.int32),
            "weights": np.ones(targets.shape, np.float32),
            "present": targets >= 0,
        }


def source_of(spec, data):
    """Return what makes batches of a data set."""
    if isinstance(data, Lanes):
        return TokenSource(spec, data)
    return (PairSource if hasattr(data, "outputs") else SequenceSource)(spec, data)


def _longest(sequences, order):
    return np.where(order >= 0, sequences.lengths[order], 1).max(axis=1)


def _steps(lengths, n_steps):
    """Count the steps of sequences; the last one of each is repeated as padding."""
    return np.minimum(np.arange(n_steps)[:, None], lengths - 1)


def _filled(sequences, rows, n_steps):
    """Return sequences `rows` as (n_steps, B, ...)."""
    steps = _steps(sequences.lengths[rows], n_steps) * sequences.step
    return sequences.values.take(sequences.starts[rows] + steps, axis=0)
