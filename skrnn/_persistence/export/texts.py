"""A language model as a program: tokens and states in, probabilities and states out."""

from dataclasses import dataclass

import numpy as np

from skrnn._networks.forward import carry, named_weights
from skrnn._networks.language import head_of
from skrnn._networks.specs import LanguageSpec
from skrnn._persistence.export.running import TracedRun
from skrnn._persistence.export.tracing import INT, Port, Program, Tape, Traced, ops


@dataclass(frozen=True)
class LanguageNetwork:
    """A trained language model and its vocabulary.

    Attributes
    ----------
    spec : LanguageSpec
    weights : list of ndarray
    facts : dict
        Tokens, and other facts for the user.
    """

    spec: LanguageSpec
    weights: list[np.ndarray]
    facts: dict

    @property
    def about(self) -> dict:
        """What the network reads and answers."""
        states = {name: list(shape) for name, shape in self._states()}
        return self.facts | {"states": states}

    def _states(self):
        """Yield the name and the shape of each state of one text."""
        shapes = [each for layer in self.spec.recurrent for each in layer.state_shapes]
        for i, shape in enumerate(shapes):
            yield f"state_{i}", shape

    def trace(self, fused=()) -> Program:
        """Return what is computed, from "ids" (n, T) and states on."""
        tape, spec = Tape(), self.spec.without_rates()
        ids = ops.transpose(Traced(tape, "ids", (None, None), INT), axes=(1, 0))
        weights = [tape.array(weight) for weight in self.weights]
        w, run = named_weights(spec, weights), TracedRun(tape, fused)
        given = [Traced(tape, name, (None, *shape)) for name, shape in self._states()]
        names = iter(given)
        before = [
            tuple(next(names) for _ in layer.state_shapes) for layer in spec.recurrent
        ]
        x, after = carry(run, spec.layers, w, ids, None, before)
        kernel, bias = head_of(spec, w)
        logits = run.dense(x, kernel, bias, transposed=spec.tie_weights)
        p = ops.transpose(ops.softmax(logits, axis=-1), axes=(1, 0, 2))
        found = [state for (layer,) in after for state in layer]
        inputs = [Port("ids", "ids", "int64", ("n", "T"))]
        outputs = [
            Port("probabilities", p.name, "float32", ("n", "T", spec.head.units))
        ]
        for (name, shape), state in zip(self._states(), found, strict=True):
            inputs.append(Port(name, name, "float32", ("n", *shape)))
            outputs.append(Port(f"next_{name}", state.name, "float32", ("n", *shape)))
        return Program(tape.nodes, tape.arrays, inputs, outputs)
