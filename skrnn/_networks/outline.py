"""The parts of a network in a row, as users see them: names, kinds, shapes, weights.

A weight has a name within the network, ``recurrent_1/backward/kernel``, by which the
formula finds it. Users know it as the "kernel" of the layer "backward_lstm_1", as Keras
would call it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class Part:
    """A layer in its place.

    Attributes
    ----------
    label : str
        Its name.
    title : str
        What kind of layer it is.
    width : int
        Numbers that it puts out, for each step or for each sequence.
    steps : str
        Steps of its outputs: "T", those of the input, or "H", those of a decoder's
        answers; empty if it has one output for the sequence.
    weights : tuple of (str, str, Weight)
        The name of the layer and that of the weight, as users know them.
    gates : tuple of str
        Gates that the last axis of its weights is divided into, if any.
    """

    label: str
    title: str
    width: int
    steps: str
    weights: tuple[tuple[str, str, Weight], ...] = ()
    gates: tuple[str, ...] = ()

    @property
    def n_parameters(self) -> int:
        """Numbers in its weights."""
        return sum(math.prod(weight.shape) for *_, weight in self.weights)


@dataclass
class Outline:
    """Parts that follow each other, from the input on.

    Attributes
    ----------
    width : int
        Numbers that come in.
    steps : str
        At which steps they come, as in `Part`.
    parts : list of Part
    """

    width: int
    steps: str = "T"
    parts: list[Part] = field(default_factory=list)

    def add(self, layers: Iterable[Any], prefix: str = "") -> None:
        """Let layers follow, their names after a prefix."""
        for layer in layers:
            rows, self.width = layer.weights(self.width)
            has_steps = layer.has_steps(bool(self.steps))
            self.steps = (self.steps or "T") if has_steps else ""
            weights = []
            for row in rows:
                name, weight = layer.names_of(row)
                weights.append((prefix + name, weight, row))
            label, form = prefix + layer.label, (self.width, self.steps)
            told = tuple(weights), layer.gate_order
            self.parts.append(Part(label, layer.title, *form, *told))

    def add_weights(
        self, label: str, title: str, within: str, rows: list[Weight]
    ) -> None:
        """Append weights that don't belong to a layer; the width is set before.

        The names of its weights begin with `within`.
        """
        # ``attention/query/kernel`` is the query_kernel of the attention.
        names = [row.name.removeprefix(f"{within}/").replace("/", "_") for row in rows]
        named = zip(names, rows, strict=True)
        weights = tuple((label, name, row) for name, row in named)
        form = self.width, self.steps
        self.parts.append(Part(label, title, *form, weights))


def numbered(name: str, word: str | None = None) -> str:
    """Return ``decoder_lstm_1`` of ``decoder/recurrent_1``, lstm being the word.

    Layers are numbered from 0, as users know them from Keras: the first has no number.
    """
    *before, last = name.split("/")
    stem, _, number = last.rpartition("_")
    if not number.isdigit():
        stem, number = last, "0"
    parts = [*before, word or stem] + ([] if number == "0" else [number])
    return "_".join(parts)
