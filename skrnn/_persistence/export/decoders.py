"""An encoder and a decoder as a program: greedy decoding of whole sequences."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._networks.encoder_decoder import (
    answer,
    consult,
    decoder_input,
    encode,
    memory_of,
    states_of_layers,
)
from skrnn._networks.forward import named_weights, step
from skrnn._networks.layers import Recurrent
from skrnn._networks.specs import Seq2SeqSpec
from skrnn._persistence.export.networks import (
    in_units,
    ports_of,
    read,
)
from skrnn._persistence.export.running import TracedRun, cast, inside
from skrnn._persistence.export.tracing import (
    FLOAT,
    INT,
    Node,
    Port,
    Program,
    Tape,
    Traced,
    argmax,
    ops,
)


@dataclass(frozen=True)
class EncoderDecoder:
    """A trained encoder and decoder, and what stands around them.

    Attributes
    ----------
    spec : Seq2SeqSpec
    weights : list of ndarray
    n_dimensions : int
        Of X.
    reads_lengths : bool
        Whether X comes with "lengths".
    dtype : str
        Of the first answer.
    facts : dict
        Other facts for the user.
    scale, offset : ndarray of shape (K,) or None
        Units of numbers.
    shape : tuple of int
        Of y for one sequence: (H,), (H, K) or ().
    longest : tuple of int
        For labels: the greatest number of steps, and the number of input steps beyond
        which it grows in proportion; 0 is never.
    """

    spec: Seq2SeqSpec
    weights: list[np.ndarray]
    n_dimensions: int
    reads_lengths: bool
    dtype: str
    facts: dict
    scale: np.ndarray | None = None
    offset: np.ndarray | None = None
    shape: tuple[int, ...] = ()
    longest: tuple[int, int] = (1, 0)

    @property
    def about(self) -> dict:
        """What the network reads and answers."""
        known = {"dtype": self.dtype, "n_dimensions": self.n_dimensions}
        return known | {"n_features": self.spec.n_features} | self.facts

    def trace(self, fused=()) -> Program:
        """Return what is computed, from "X", "lengths" and "future" to the answers."""
        tape, spec = Tape(), self.spec.without_rates()
        given = read(tape, spec, self.n_dimensions)
        weights = [tape.array(weight) for weight in self.weights]
        w, run = named_weights(spec, weights), TracedRun(tape, fused)
        outputs, states = encode(run, spec, w, given.x, given.lengths)
        memory = None
        if spec.attention is not None:
            mask = run.real_steps(outputs, given.lengths)
            memory = memory_of(run, spec, w, outputs, mask)
        decoder = _Decoder(tape, spec, w, memory, states, given)
        inputs = ports_of(spec, self.n_dimensions, self.reads_lengths)
        if spec.n_labels is not None:
            return Program(tape.nodes, tape.arrays, inputs, self._labels(decoder))
        if spec.n_future:
            shape = "n", self._horizon, spec.n_future
            inputs.append(Port("future", "future", "float32", shape))
        return Program(tape.nodes, tape.arrays, inputs, [self._numbers(decoder)])

    @property
    def _horizon(self):
        return self.shape[0] if self.shape else 1

    def _numbers(self, decoder):
        tape = decoder.tape
        y = in_units(tape, decoder.numbers(self._horizon), self.scale, self.offset)
        y = ops.transpose(y, axes=(1, 0, 2))
        sizes = list(self.shape)
        y = tape.note("tail", [y], (None, *sizes), keep=1, sizes=sizes)
        return Port("y", y.name, self.dtype, ("n", *self.shape))

    def _labels(self, decoder):
        labels, probabilities = decoder.labels(*self.longest)
        labels = ops.transpose(labels, axes=(1, 0))
        probabilities = ops.transpose(probabilities, axes=(1, 0, 2))
        return [
            Port("labels", labels.name, "int64", ("n", "H")),
            Port(
                "probabilities",
                probabilities.name,
                "float32",
                ("n", "H", self.spec.head.units),
            ),
        ]


class _Decoder:
    """Notes loops over the steps of a decoder that is ready to write.

    What it reads first is a weight, or the number before all labels.
    """

    def __init__(self, tape, spec, w, memory, states, given):
        self.tape, self._spec, self._w, self._memory = tape, spec, w, memory
        self._states, self._given = [tuple(layer) for layer in states], given
        if spec.keeps_place:
            self._states.append((self._zeros(2),))

    def _step(self, inner, states, fed, future=None):
        """Note one step; return the outputs before activation, and the states."""
        spec, run = self._spec, TracedRun(inner)
        w = {name: each.on(inner) for name, each in self._w.items()}
        memory = self._memory
        if memory is not None:
            parts = {name: getattr(memory, name) for name in _OF_MEMORY}
            known = {name: x.on(inner) for name, x in parts.items() if x is not None}
            memory = replace(memory, **known)
        x = decoder_input(run, spec, w, fed, future, False)
        place = None
        if spec.keeps_place:
            *states, (place,) = states
            place = place[None]
        layers = states_of_layers(spec.decoder, states)
        flow, layers = step(run, spec.decoder, w, x, layers)
        x, _, place = consult(run, spec, w, flow.steps[None], memory, place)
        pairs = zip(spec.decoder, layers, strict=True)
        after = [state for layer, state in pairs if isinstance(layer, Recurrent)]
        after += [] if place is None else [(place[0],)]
        return answer(run, spec, w, x[0]), after

    def _inside(self, inner):
        """Return names for the states at one step."""
        return [
            tuple(inside(inner, state, state.shape) for state in layer)
            for layer in self._states
        ]

    def _note(self, operation, inputs, shapes, options):
        """Note a loop; return its first arrays, which are not states."""
        names = [each.name for each in inputs]
        n_states = len(options["states"])
        found = [self.tape.new_name() for _ in range(len(shapes) + n_states)]
        node = Node(operation, tuple(names), options, tuple(found))
        self.tape.nodes.append(node)
        pairs = zip(found, shapes, strict=False)
        return [Traced(self.tape, name, shape, kind) for name, (shape, kind) in pairs]

    def _zeros(self, *sizes):
        x = self._given.x
        return self.tape.note("zeros", [x], (None, *sizes), sizes=list(sizes))

    def numbers(self, n_steps):
        """Return the numbers (H, B, K) of so many steps, each from the one before."""
        spec, tape, inner = self._spec, self.tape, Tape(self.tape)
        start = self._zeros(spec.head.units) + self._w["decoder/start"]
        read, step, future = [], [], None
        if spec.n_future:
            shape = None, n_steps, spec.n_future
            known = Traced(tape, "future", shape)
            read = [ops.transpose(known, axes=(1, 0, 2))]
            future = inside(inner, known, (None, spec.n_future))
            step = [future]
        fed, states = inside(inner, start, start.shape), self._inside(inner)
        outputs, after = self._step(inner, states, fed, future)
        read.append(tape.array(np.arange(n_steps)))
        step.append(Traced(inner, inner.new_name(), (), INT))
        flat = [outputs, *_flat(after)]
        options = {
            "states": [each.name for each in (fed, *_flat(states))],
            "steps": [each.name for each in step],
            "nodes": inner.nodes,
            "after": [each.name for each in flat],
            "outputs": [outputs.name],
        }
        inputs = [start, *_flat(self._states), *read]
        shape = n_steps, None, spec.head.units
        return self._note("scan", inputs, [(shape, FLOAT)], options)[0]

    def labels(self, most, grown_from):
        """Return labels (H, B), -1 behind the end, and the probabilities (H, B, K)."""
        spec, inner = self._spec, Tape(self.tape)
        zeros = self._zeros()
        begin = {
            "t": cast(ops.max(zeros, axis=0), INT),
            "fed": cast(zeros, INT) + spec.start,
            "going": cast(zeros, INT) + 1,
        }
        before = {n: inside(inner, each, each.shape) for n, each in begin.items()}
        states = self._inside(inner)
        z, states_after = self._step(inner, states, before["fed"])
        after, found, more = self._chosen(before, z, most, grown_from)
        options = {
            "states": [each.name for each in (*before.values(), *_flat(states))],
            "steps": [],
            "nodes": inner.nodes,
            "after": [each.name for each in (*after, *_flat(states_after))],
            "outputs": [each.name for each in found],
            "going_on": more.name,
            "kinds": [
                [INT] * 3 + [FLOAT] * len(_flat(states)),
                [INT, FLOAT],
            ],
        }
        inputs = [*begin.values(), *_flat(self._states)]
        shapes = [((None, None), INT), ((None, None, spec.head.units), FLOAT)]
        return self._note("loop", inputs, shapes, options)

    def _chosen(self, before, z, most, grown_from):
        """Note what one step chooses; `grown_from` 0 is a limit of `most` for all.

        A sequence of n steps gets at most ``most * max(n / grown_from, 1)`` labels,
        rounded up. It is multiplied out, for integers are exact.
        """
        spec, going = self._spec, before["going"]
        best, real = argmax(z), going > 0
        label = ops.where(real, cast(best, FLOAT), -1.0)
        if spec.end is not None:
            label = ops.where(cast(best, FLOAT) < float(spec.end), label, -1.0)
        # Probabilities behind the end are 0.
        p = ops.where(real[:, None], ops.softmax(z, axis=-1), 0.0)
        fed = best if spec.end is None else argmax(z[:, : spec.n_labels])
        t = before["t"] + 1
        limits = best * 0 + most
        if grown_from:
            lengths = self._given.lengths.on(z.tape)
            limits = ops.maximum(lengths, grown_from) * most
            at = t * grown_from
        else:
            at = t + 0
        goes_on = ops.where(limits > at, cast(going, FLOAT), 0.0)
        if spec.end is not None:
            goes_on = ops.where(cast(best, FLOAT) < float(spec.end), goes_on, 0.0)
        more = ops.max(goes_on, axis=0) > 0.5
        return (t, fed, cast(goes_on, INT)), (cast(label, INT), p), more


_OF_MEMORY = "keys", "values", "mask", "places"


def _flat(states: Any) -> list[Traced]:
    return [state for layer in states for state in layer]
