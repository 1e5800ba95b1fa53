"""A whole network as a program: its inputs and its outputs."""

from dataclasses import dataclass

import numpy as np

from skrnn._networks.crf import Chain, marginals
from skrnn._networks.forward import forward, named_weights
from skrnn._networks.specs import NetworkSpec
from skrnn._persistence.export.running import TracedRun, cast, steps_of
from skrnn._persistence.export.tracing import (
    FLOAT,
    INT,
    Port,
    Program,
    Tape,
    Traced,
    ops,
)


@dataclass(frozen=True)
class Network:
    """A trained network, and what stands around it.

    Attributes
    ----------
    spec : NetworkSpec
    weights : list of ndarray
    scale, offset : ndarray of shape (K,), or None
        ``outputs * scale + offset`` are in units of y.
    shape : tuple of int
        Of an answer.
    answer : str
        "y", or "probabilities" of classes.
    dtype : str
        Of the answers: "float32" or "float64".
    n_dimensions : int
        Of X: 2 for token ids, and for univariate sequences as columns.
    reads_lengths : bool
        Whether sequences of several lengths are padded; zeros tell it of token ids.
    facts : dict
        Other facts for the user; plain values.
    """

    spec: NetworkSpec
    weights: list[np.ndarray]
    scale: np.ndarray | None
    offset: np.ndarray | None
    shape: tuple[int, ...]
    answer: str
    dtype: str
    n_dimensions: int
    reads_lengths: bool
    facts: dict

    @property
    def about(self) -> dict:
        """What the network reads and answers."""
        known = {"dtype": self.dtype, "n_dimensions": self.n_dimensions}
        return (
            known
            | {"n_features": self.spec.n_features, "answer": self.answer}
            | self.facts
        )

    def trace(self, fused=()) -> Program:
        """Return what the network computes, from "X" and "lengths" to its answer.

        Parameters
        ----------
        fused : collection of (cell, activation) or str
            Layers that are one operation, "layer"; the steps of others are a "scan".
            "best_labels" among them: the likeliest labels of a chain are answered too.
        """
        tape, spec = Tape(), self.spec
        given = read(tape, spec, self.n_dimensions)
        weights = [tape.array(weight) for weight in self.weights]
        x, lengths = given.x, given.lengths
        outputs, _ = forward(TracedRun(tape, fused), spec, weights, x, lengths)
        labels = []
        if spec.head.crf:
            answers, labels = _of_chain(tape, spec, weights, outputs, given, fused)
        else:
            answers = spec.head.predictions(ops, outputs)
        if self.shape == (2,) and answers.shape[-1] == 1:
            # One output tells of two classes.
            answers = ops.concatenate([1 - answers, answers], axis=-1)
        answers = in_units(tape, answers, self.scale, self.offset)
        if spec.return_sequences:
            answers = _as_given(tape, answers, given)
        answers = shaped(tape, answers, self.shape)
        steps = ("T",) if spec.return_sequences else ()
        is_double = self.scale is not None and self.dtype == "float64"
        dtype = "float64" if is_double else "float32"
        found = Port(self.answer, answers.name, dtype, ("n", *steps, *self.shape))
        inputs = ports_of(spec, self.n_dimensions, self.reads_lengths)
        return Program(tape.nodes, tape.arrays, inputs, [found, *labels])


def _of_chain(tape, spec, weights, outputs, given, fused):
    """Return probabilities (T, B, K) of labels, and the port of the likeliest, if any.

    These are (n, T, 1), numbers from 1; 0 stands at padding.
    """
    chain = Chain.of(named_weights(spec, weights)).excluding(ops)
    answers = marginals(TracedRun(tape), chain, outputs, given.lengths)
    if "best_labels" not in fused:
        return answers, []
    inputs = outputs, given.lengths, chain.transitions, chain.start, chain.end
    labels = tape.note("best_labels", inputs, (*outputs.shape[:2], 1))
    labels = _as_given(tape, labels, given)
    return answers, [Port("labels", labels.name, "int64", ("n", "T", 1))]


@dataclass(frozen=True)
class Given:
    """X as the formula reads it.

    Attributes
    ----------
    x : Traced of shape (T, B, F), or token ids (T, B) or (T, B, C)
    lengths : Traced of shape (B,)
    first : Traced of shape (B,) or None
        Steps of padding that X had before each sequence.
    n_real : Traced of shape (B,)
        Steps that aren't padding; 0 where nothing else is.
    """

    x: Traced
    lengths: Traced
    first: Traced | None
    n_real: Traced


def ports_of(spec, n_dimensions, reads_lengths) -> list[Port]:
    """Describe X, and lengths where sequences are of several."""
    dtype = "float32" if spec.embedding is None else "int64"
    shape = ("n", "T", *((spec.n_features,) if n_dimensions == 3 else ()))
    found = [Port("X", "X", dtype, shape)]
    if reads_lengths:
        found.append(Port("lengths", "lengths", "int64", ("n",)))
    return found


def read(tape, spec, n_dimensions) -> Given:
    """Turn X (B, T, ...) to (T, B, ...), and find the lengths."""
    tokens = spec.embedding is not None
    n, width = n_dimensions, spec.n_features
    shape = (None, None) if n == 2 else (None, None, width)
    x = Traced(tape, "X", shape, INT if tokens else FLOAT)
    x = ops.transpose(x, axes=(1, 0, *range(2, n)))
    if tokens:
        return _read_tokens(tape, x)
    x = x if n == 3 else x[..., None]
    given = cast(Traced(tape, "lengths", (None,), INT), FLOAT)
    steps = steps_of(tape, x)
    # A single number below 1 means all steps that are there.
    zeros = tape.note("zeros", [x], (None,), sizes=[])
    whole = zeros + ops.max(steps, axis=0) + 1
    lengths = cast(ops.where(given > 0, given, whole), INT)
    return Given(x, lengths, None, lengths)


def _read_tokens(tape, ids):
    """Find where ids other than 0 begin and end, and let them begin at the start."""
    real = ops.where(ids > 0, 1.0, 0.0)
    real = real if len(ids.shape) == 2 else ops.max(real, axis=2)
    steps = steps_of(tape, ids)[:, None]
    ends = ops.max(real * (steps + 1), axis=0)
    total = ops.max(steps, axis=0) + 1
    # What has no real step begins with the first one.
    first = ops.where(ends > 0, total - ops.max(real * (total - steps), axis=0), 0.0)
    n_real = cast(ends - first, INT)
    lengths = cast(ops.maximum(ends - first, 1.0), INT)
    first = cast(first, INT)
    x = tape.note("roll", [ids, -first], ids.shape, INT)
    return Given(x, lengths, first, n_real)


def in_units(tape, answers, scale, offset):
    """Return ``answers * scale + offset``, or as they are without units."""
    if scale is None or offset is None:
        return answers
    units = {"scale": scale.tolist(), "offset": offset.tolist()}
    return tape.note("units", [answers], answers.shape, **units)


def _as_given(tape, answers, given):
    """Turn answers (T, B, K) to (B, T, K): 0 at padding, which is where it was."""
    real = cast(steps_of(tape, answers), INT)[:, None] < given.n_real
    masked = real[..., None], answers
    answers = tape.note("masked", masked, answers.shape)
    if given.first is not None:
        answers = tape.note("roll", [answers, given.first], answers.shape)
    return ops.transpose(answers, axes=(1, 0, 2))


def shaped(tape, answers, shape):
    """Give the last axis of answers the shape that y had."""
    keep = len(answers.shape) - 1
    tail = answers.shape[:keep] + shape
    return tape.note("tail", [answers], tail, keep=keep, sizes=list(shape))
