"""Specs of networks: frozen, hashable descriptions, which decide on the weights.

A network is a tuple of layers and a head. Two fits with equal specs share compiled
functions.
"""

import dataclasses
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from skrnn._networks.attention import ATTENTIONS
from skrnn._networks.crf import crf_weights
from skrnn._networks.head import Head
from skrnn._networks.layers import (
    LAYERS,
    AttentionPooling,
    Categories,
    Convolution,
    Dense,
    Embedding,
    EveryStep,
    Positions,
    Recurrent,
    TransformerBlock,
    attention_weights,
    dense_weights,
)
from skrnn._networks.outline import Outline, Part
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class Spec:
    """What network to build: its weights depend on nothing else.

    Attributes
    ----------
    layers : tuple of layers
        From the input to the head.
    head : Head
    n_features : int
        Features of a step; for token ids the number of their channels.
    """

    layers: tuple[Any, ...]
    head: Head
    n_features: int

    # Names of the fields that are tuples of layers.
    _stacks: ClassVar[tuple[str, ...]] = ("layers",)

    def outline(self) -> list[Part]:
        """List its parts from the input on, as users see them."""
        found = Outline(self.n_features)
        found.add([*self.layers, self.head_layer])
        if self.head.crf:
            found.add_weights("crf", "CRF", "crf", crf_weights(self.head.units))
        return found.parts

    def weights(self) -> list[Weight]:
        """List the weights of all parts in their order."""
        return [row for part in self.outline() for *_, row in part.weights]

    @property
    def head_layer(self) -> Dense:
        """The head as a layer."""
        return Dense("head", self.head.units, self.head.activation)

    @cached_property
    def all_layers(self) -> list[Any]:
        """The layers of all stacks."""
        return [layer for name in self._stacks for layer in getattr(self, name)]

    @cached_property
    def recurrent(self) -> list[Recurrent]:
        """The recurrent layers."""
        return [layer for layer in self.layers if isinstance(layer, Recurrent)]

    @cached_property
    def keeps_steps(self) -> bool:
        """Whether the recurrent layers read every step of the input."""
        return all(layer.keeps_steps for layer in self.layers)

    @cached_property
    def embedding(self) -> Embedding | None:
        """The layer that looks up token ids; None if numbers are read."""
        first = self.layers[0]
        return first if isinstance(first, Embedding) else None

    @cached_property
    def categories(self) -> Categories | None:
        """The layer that looks up ids among numbers, if there are such."""
        first = self.layers[0]
        return first if isinstance(first, Categories) else None

    @cached_property
    def vocabulary_size(self) -> int | tuple[int, ...] | None:
        """The number of token ids, or that of each channel; None without tokens."""
        return _one_or_each(self.embedding or self.categories, "sizes")

    @cached_property
    def embedding_dim(self) -> int | tuple[int, ...] | None:
        """The length of the vectors of token ids, or that of each channel."""
        return _one_or_each(self.embedding or self.categories, "dims")

    @cached_property
    def blocks(self) -> list[TransformerBlock]:
        """The blocks of self-attention."""
        return [layer for layer in self.layers if isinstance(layer, TransformerBlock)]

    @cached_property
    def convolved(self) -> list[Convolution]:
        """The convolutions before the recurrent layers."""
        return [layer for layer in self.layers if isinstance(layer, Convolution)]

    @cached_property
    def over_steps(self) -> list[Any]:
        """The layers in which a step depends on others: recurrent ones, and blocks."""
        return self.recurrent + self.blocks

    @cached_property
    def products(self) -> int:
        """Multiplications that these do for one step of one sequence, about."""
        return sum(layer.products for layer in self.over_steps)

    @cached_property
    def state_width(self) -> int:
        """Numbers of the last hidden state, both directions together."""
        return self.over_steps[-1].width

    @cached_property
    def rates(self) -> dict[str, float]:
        """The shares that are dropped in training, by name."""
        found = {"dropout": 0.0, "recurrent_dropout": 0.0}
        for layer in self.all_layers:
            found |= {name: max(x, found[name]) for name, x in layer.rates.items()}
        return found

    def with_rates_as_arguments(self) -> Any:
        """Return the spec with 1 for every share that is dropped, an argument then."""
        return self._map(lambda layer: layer.with_any_rate())

    def without_rates(self) -> Any:
        """Return the spec for prediction, which drops nothing and trains nothing."""
        head = replace(self.head, loss=None)
        return replace(self._map(lambda layer: layer.without_rates()), head=head)

    def _map(self, function):
        stacks: dict[str, Any] = {
            name: tuple(filter(None, map(function, getattr(self, name))))
            for name in self._stacks
        }
        return replace(self, **stacks)

    def changes_to(self, other) -> list[str]:
        """Name the parameters that give `other` different weights."""
        own, others = self._described(), other._described()
        names: dict[str, None] = {}
        for key in {**own, **others}:
            if key in own and key in others:
                (_, mine), (_, its) = own[key], others[key]
                changed = [n for n in {**mine, **its} if mine.get(n) != its.get(n)]
            else:
                # The parameter that decides whether there is such a layer.
                changed = [(own.get(key) or others[key])[0]]
            names |= dict.fromkeys(changed)
        return list(names)

    def _described(self):
        """Map each layer to its parameter, and to those that make its weights."""
        found = {
            (stack, layer.name): (layer.parameter, layer.described())
            for stack in self._stacks
            for layer in getattr(self, stack)
            if layer.described() is not None
        }
        # No weight depends on the loss.
        same = replace(self, head=replace(self.head, loss=None))
        rest = {f.name: getattr(same, f.name) for f in dataclasses.fields(self)}
        rest = {k: v for k, v in rest.items() if k not in self._stacks}
        return found | {("", ""): ("", rest)}

    def to_json(self) -> str:
        """Return the spec as text."""
        fields = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        for name in self._stacks:
            fields[name] = [_layer_as_dict(layer) for layer in fields[name]]
        fields["head"] = dataclasses.asdict(self.head)
        if not self.head.crf:
            # As before there were chains, for earlier versions that read it.
            del fields["head"]["crf"]
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text) -> Any:
        """Read what `to_json` wrote."""
        fields = {name: _as_tuples(value) for name, value in json.loads(text).items()}
        for name in cls._stacks:
            fields[name] = tuple(_layer_from_dict(each) for each in fields[name])
        head = {name: _as_tuples(value) for name, value in fields["head"].items()}
        return cls(**fields | {"head": Head(**head)})


@dataclass(frozen=True)
class NetworkSpec(Spec):
    """A network that answers a sequence, or each of its steps."""

    @cached_property
    def return_sequences(self) -> bool:
        """Whether each step is answered."""
        return any(
            isinstance(layer, EveryStep)
            or (isinstance(layer, AttentionPooling) and layer.per_step)
            for layer in self.layers
        )

    @cached_property
    def attention(self) -> str | None:
        """The kind of attention that it pools with, or that of its blocks, or None."""
        kinds = [x.kind for x in self.layers if isinstance(x, AttentionPooling)]
        kinds += ["multihead"] * len(self.blocks)
        return kinds[0] if kinds else None

    @cached_property
    def n_places(self) -> int | None:
        """The steps that a learned table of positions has; None without such."""
        rows = [x.n_rows for x in self.layers if isinstance(x, Positions)]
        return rows[0] if rows and rows[0] else None

    @cached_property
    def attends_from_steps(self) -> bool:
        """Whether each step attends, and not only the last state."""
        return self.return_sequences or bool(self.blocks)


@dataclass(frozen=True)
class Seq2SeqSpec(Spec):
    """An encoder and a decoder.

    Attributes
    ----------
    layers : tuple of layers
        Layers of the encoder. The decoder starts from the last states of its recurrent
        layers.
    decoder : tuple of layers
        Of one direction, with as many recurrent layers as the encoder has. Labels are
        looked up by the first one.
    attention : str or None
        The kind of attention of the decoder to the encoder's outputs.
    answer : tuple of layers
        Between the decoder and the head.
    n_labels : int or None
        Labels that the decoder reads and predicts; None if it works on numbers.
    has_end : bool
        Whether the head has one more class after the labels: the end of the output.
    n_future : int
        Features that are known at every output step.
    """

    decoder: tuple[Any, ...] = ()
    attention: str | None = None
    answer: tuple[Any, ...] = ()
    n_labels: int | None = None
    has_end: bool = False
    n_future: int = 0

    _stacks: ClassVar[tuple[str, ...]] = ("layers", "decoder", "answer")

    @cached_property
    def return_sequences(self) -> bool:
        """False: no step of the input is answered."""
        return False

    @property
    def attends_from_steps(self) -> bool:
        """False: steps of the output attend."""
        return False

    @cached_property
    def start(self) -> int:
        """What the decoder reads as the label before the first one."""
        assert self.n_labels is not None
        return self.n_labels

    @cached_property
    def end(self) -> int | None:
        """The class that ends an output."""
        return self.n_labels if self.has_end else None

    @property
    def keeps_place(self) -> bool:
        """Whether the decoder's attention continues from its previous place."""
        return self.attention is not None and ATTENTIONS[self.attention].keeps_place

    @property
    def decoder_recurrent(self) -> list[Recurrent]:
        """The recurrent layers of the decoder."""
        return [layer for layer in self.decoder if isinstance(layer, Recurrent)]

    def outline(self):
        found = Outline(self.n_features)
        found.add(self.layers, "encoder_")
        self._add_bridges(found)
        found.width, found.steps = self.head.units, "H"
        if self.n_labels is None:
            start = Weight("decoder/start", (1, found.width), "zeros")
            found.add_weights("decoder", "Start", "decoder", [start])
            found.width += self.n_future
        found.add(self.decoder)
        if self.attention is not None:
            self._add_attention(found)
        found.add([*self.answer, self.head_layer])
        return found.parts

    def _add_bridges(self, found):
        """Add the layers that turn states of both directions into those of one."""
        found.steps = ""
        for layer in self.recurrent:
            if layer.bidirectional:
                for i, shape in enumerate(layer.state_shapes):
                    # A state may be a single number.
                    found.width = shape[-1] if shape else 1
                    name, sizes = self.bridge(layer, i), (2 * found.width, found.width)
                    label = f"encoder_{layer.label}_bridge_{i}"
                    rows = dense_weights(name, *sizes)
                    found.add_weights(label, "Dense, linear", name, rows)

    def _add_attention(self, found):
        """Add the attention of the decoder's steps to the encoder's."""
        width, found.width = found.width, self.state_width
        rows = attention_weights(self.attention, found.width, width)
        title = f"Attention, {self.attention}"
        found.add_weights("attention", title, "attention", rows)
        shape, found.width = (width + found.width, width), width
        rows = [Weight("combine/kernel", shape, "glorot")]
        found.add_weights("combine", "Dense, tanh", "combine", rows)

    @staticmethod
    def bridge(layer, place):
        """Return the name of the layer that joins the states of both directions."""
        return f"{layer.name}/bridge_{place}"


@dataclass(frozen=True)
class LanguageSpec(Spec):
    """A language model: it reads tokens and predicts, at each, the next one.

    Token 0 separates documents.

    Attributes
    ----------
    tie_weights : bool
        Whether the embedding is the kernel of the head too.
    """

    tie_weights: bool = False

    def with_vocabulary(self, size: int) -> Any:
        """Return the spec of the same network for another number of tokens."""
        table = replace(self.layers[0], sizes=(size,))
        head = replace(self.head, units=size)
        return replace(self, layers=(table, *self.layers[1:]), head=head)

    def outline(self):
        *parts, head = super().outline()
        if self.tie_weights:
            rows = (row for row in head.weights if row[1] != "kernel")
            head = replace(head, weights=tuple(rows))
        return [*parts, head]


def _one_or_each(embedding, field):
    if embedding is None:
        return None
    values = getattr(embedding, field)
    return values if embedding.channels else values[0]


def _layer_as_dict(layer):
    return {"layer": type(layer).__name__} | dataclasses.asdict(layer)


def _layer_from_dict(fields):
    fields = {name: _as_tuples(value) for name, value in fields.items()}
    return LAYERS[fields.pop("layer")](**fields)


def _as_tuples(value):
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
