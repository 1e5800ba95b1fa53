"""The whole of a network as a program: what it is given, and what it answers."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import hold
from skrnn._networks.forward import forward
from skrnn._networks.layers import normalise, windows
from skrnn._networks.specs import NetworkSpec
from skrnn._persistence.export.tracing import (
    FLOAT,
    INT,
    Node,
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
        What else a user may want to know; plain values.
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


def trace(network: Network, fused=()) -> Program:
    """Return what a network computes, from "X" and "lengths" to its answer.

    Parameters
    ----------
    network : Network
    fused : collection of (cell, activation)
        Layers that are one operation, "layer"; the steps of others are a "scan".
    """
    tape, spec = Tape(), network.spec
    given = _read(tape, network)
    weights = [tape.array(weight) for weight in network.weights]
    x, lengths = given.x, given.lengths
    outputs, _ = forward(TracedRun(tape, fused), spec, weights, x, lengths)
    answers = spec.head.predictions(ops, outputs)
    if network.shape == (2,) and answers.shape[-1] == 1:
        # One output tells of two classes.
        answers = ops.concatenate([1 - answers, answers], axis=-1)
    if network.scale is not None and network.offset is not None:
        units = {"scale": network.scale.tolist(), "offset": network.offset.tolist()}
        answers = tape.note("units", [answers], answers.shape, **units)
    if spec.return_sequences:
        answers = _as_given(tape, answers, given)
    answers = _shaped(tape, answers, network.shape)
    return Program(tape.nodes, tape.arrays, answers)


@dataclass(frozen=True)
class _Given:
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


def _read(tape, network):
    """Turn X (B, T, ...) to (T, B, ...), and find the lengths."""
    tokens = network.spec.embedding is not None
    n, width = network.n_dimensions, network.spec.n_features
    shape = (None, None) if n == 2 else (None, None, width)
    x = Traced(tape, "X", shape, INT if tokens else FLOAT)
    x = ops.transpose(x, axes=(1, 0, *range(2, n)))
    if tokens:
        return _read_tokens(tape, x)
    x = x if n == 3 else x[..., None]
    given = _cast(Traced(tape, "lengths", (None,), INT), FLOAT)
    steps = _steps(tape, x)
    # One number, below 1, stands for as many as there are.
    zeros = tape.note("zeros", [x], (None,), sizes=[])
    whole = zeros + ops.max(steps, axis=0) + 1
    lengths = _cast(ops.where(given > 0, given, whole), INT)
    return _Given(x, lengths, None, lengths)


def _read_tokens(tape, ids):
    """Find where ids other than 0 begin and end, and let them begin at the start."""
    real = ops.where(ids > 0, 1.0, 0.0)
    real = real if len(ids.shape) == 2 else ops.max(real, axis=2)
    steps = _steps(tape, ids)[:, None]
    ends = ops.max(real * (steps + 1), axis=0)
    total = ops.max(steps, axis=0) + 1
    # What has no real step begins with the first one.
    first = ops.where(ends > 0, total - ops.max(real * (total - steps), axis=0), 0.0)
    n_real = _cast(ends - first, INT)
    lengths = _cast(ops.maximum(ends - first, 1.0), INT)
    first = _cast(first, INT)
    x = tape.note("roll", [ids, -first], ids.shape, INT)
    return _Given(x, lengths, first, n_real)


def _steps(tape, x):
    """Return the numbers of the steps of x (T, B, ...)."""
    return _cast(tape.note("steps", [x], (None,), INT), FLOAT)


def _cast(x, dtype):
    name = "as_int" if dtype == INT else "as_float"
    return x.tape.note(name, [x], x.shape, dtype)


def _as_given(tape, answers, given):
    """Turn answers (T, B, K) to (B, T, K): 0 at padding, which is where it was."""
    real = _cast(_steps(tape, answers), INT)[:, None] < given.n_real
    masked = real[..., None], answers
    answers = tape.note("masked", masked, answers.shape)
    if given.first is not None:
        answers = tape.note("roll", [answers, given.first], answers.shape)
    return ops.transpose(answers, axes=(1, 0, 2))


def _shaped(tape, answers, shape):
    """Give the last axis of answers the shape that y had."""
    keep = len(answers.shape) - 1
    tail = answers.shape[:keep] + shape
    return tape.note("tail", [answers], tail, keep=keep, sizes=list(shape))


class TracedRun:
    """One pass of a network over names of arrays; `Run` says what it does."""

    ops = ops

    def __init__(self, tape, fused=()):
        self._tape, self._fused = tape, fused

    def take_rows(self, table, ids):
        return ops.take(table, ids, axis=0)

    def dropout(self, x, rate):
        # It only predicts.
        return x

    def windows(self, x, size, dilation):
        return windows(ops, x, size, dilation)

    def normalise(self, x, real, gamma, beta, kept):
        return normalise(ops, x, real, gamma, beta, *kept.values())

    def reverse(self, x, lengths):
        return self._tape.note("reverse", [x, lengths], x.shape)

    def last(self, x, lengths):
        return self._tape.note("last", [x, lengths], x.shape[1:])

    def real_steps(self, x, lengths):
        return _cast(_steps(self._tape, x), INT)[:, None] < lengths

    def dense(self, x, kernel, bias, transposed=False):
        kernel = ops.transpose(kernel, axes=(1, 0)) if transposed else kernel
        return ops.matmul(x, kernel) + bias

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        if reset_mask is not None:
            raise NotImplementedError("States that begin anew within a sequence.")
        if states is None and (cell.name, cell.activation) in self._fused:
            return self._layer(cell, x, lengths), None
        outputs, after = self._scan(cell, x, lengths, states)
        return outputs, after if final else None

    def _layer(self, cell, x, lengths):
        """Note a whole layer as one operation."""
        names = "kernel", "recurrent_kernel", "bias"
        given = [x, *(cell.weights[name] for name in names), lengths]
        shape = *x.shape[:2], cell.units
        options = {"cell": cell.name, "activation": cell.activation}
        return self._tape.note("layer", given, shape, units=cell.units, **options)

    def _scan(self, cell, x, lengths, states):
        """Note a loop over the steps of any cell."""
        tape = self._tape
        read = [
            *cell.cell.project(ops, cell.weights, x),
            tape.note("steps", [x], (None,), INT),
        ]
        if states is None:
            shapes = cell.cell.state_shapes(cell.units)
            states = [
                tape.note("zeros", [x], (None, *shape), sizes=list(shape))
                for shape in shapes
            ]
        inner = Tape(tape)
        before = [_inside(inner, each, each.shape) for each in states]
        step = [_inside(inner, each, each.shape[1:]) for each in read]
        after, output = _one_step(cell, inner, before, step, lengths)
        options = {
            "n_states": len(states),
            "states": [each.name for each in before],
            "steps": [each.name for each in step],
            "nodes": inner.nodes,
            "after": [each.name for each in after],
            "output": output.name,
        }
        names = [each.name for each in (*states, *read)]
        found = [tape.new_name() for _ in range(1 + len(states))]
        tape.nodes.append(Node("scan", tuple(names), options, tuple(found)))
        shape = *x.shape[:2], cell.units
        last = zip(found[1:], states, strict=True)
        carried = tuple(Traced(tape, name, state.shape) for name, state in last)
        return Traced(tape, found[0], shape), carried


def _inside(tape, outer, shape):
    return Traced(tape, tape.new_name(), tuple(shape), outer.dtype)


def _one_step(cell, tape, states, step, lengths):
    """Note one step of a cell; return the states after it, and the output."""
    *projected, t = step
    weights = {name: each.on(tape) for name, each in cell.weights.items()}
    own = replace(cell, weights=weights)
    activation = ACTIVATIONS[cell.activation]
    given = own.weights, tuple(projected), tuple(states)
    found = own.cell.step(ops, activation, *given, lambda h: h)
    found = hold(ops, t < lengths.on(tape), found, states)
    return found, own.cell.output(found)
