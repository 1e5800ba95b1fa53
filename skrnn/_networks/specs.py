"""Specs of networks: frozen, hashable descriptions, which decide on the weights."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from skrnn._networks.losses import NamedLoss, loss_of_head

# Added to variances by layer normalisation; Keras' default.
NORM_EPSILON = 1e-3


def as_tuple(units) -> tuple[int, ...]:
    """Return one number, or several, as the tuple that a spec has."""
    units = units if isinstance(units, tuple | list) else (units,)
    return tuple(int(n) for n in units)


@dataclass(frozen=True)
class Head:
    """The last layer: `units` outputs, what turns them into predictions, and the loss.

    Attributes
    ----------
    loss : str or tuple
        A name of ``LOSSES``, with the values of its parameters behind it if it has any:
        ``("pinball", 0.9)``. Given None, it is the default of the activation.
    """

    units: int
    activation: str = "linear"
    loss: NamedLoss | None = None

    def __post_init__(self):
        # Here alone: heads with the same loss are equal, however it was named.
        object.__setattr__(self, "loss", loss_of_head(self.loss, self.activation))


@dataclass(frozen=True)
class Spec:
    """What network to build: its weights depend on nothing else."""

    def changes_to(self, other) -> list[str]:
        """Name the fields in which `other` has weights of its own."""
        rest = dict(dropout=0.0, recurrent_dropout=0.0, embedding_trainable=True)
        own, others = (dataclasses.asdict(s) | rest for s in (self, other))
        for fields in (own, others):
            # No weight depends on what is minimised.
            fields.get("head", {}).pop("loss", None)
        return [name for name in own if own[name] != others[name]]

    def to_json(self) -> str:
        """Return the spec as text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text) -> Any:
        """Read what `to_json` wrote."""
        fields = json.loads(text).items()
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields})


@dataclass(frozen=True)
class NetworkSpec(Spec):
    """What network to build. Two fits with equal specs share compiled functions.

    Attributes
    ----------
    cell : str
        A key of ``CELLS``.
    units : tuple of int
        One entry for each recurrent layer.
    n_features : int
        Features of a step; for token ids the number of their channels.
    vocabulary_size, embedding_dim : int, tuple of int or None
        Rows and columns of the embedding, or of that of each channel; None without.
    embedding_trainable : bool
        Whether training changes the embedding.
    dropout, recurrent_dropout : float
        Shares dropped while training; prediction ignores them.
    """

    cell: str
    units: tuple[int, ...]
    n_features: int
    head: Head
    bidirectional: bool = False
    return_sequences: bool = False
    attention: str | None = None
    vocabulary_size: int | tuple[int, ...] | None = None
    embedding_dim: int | tuple[int, ...] | None = None
    embedding_trainable: bool = True
    dense_units: tuple[int, ...] = ()
    activation: str = "tanh"
    layer_norm: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the directions that each layer reads."""
        return ("forward", "backward") if self.bidirectional else ("forward",)

    @property
    def embeddings(self) -> dict[str, tuple[int, int]]:
        """Names and shapes of the tables in which token ids are looked up."""
        sizes: Any = self.vocabulary_size
        dims: Any = self.embedding_dim
        if not isinstance(dims, tuple):
            return {} if dims is None else {"embedding": (sizes, dims)}
        shapes = zip(sizes, dims, strict=True)
        return {f"embedding_{i}/embeddings": shape for i, shape in enumerate(shapes)}

    @classmethod
    def from_json(cls, text) -> "NetworkSpec":
        """Read what `to_json` wrote."""
        spec = super().from_json(text)
        return dataclasses.replace(spec, head=Head(**spec.head))


@dataclass(frozen=True)
class LanguageSpec(Spec):
    """What language model to build.

    Attributes
    ----------
    cell : str
        A key of ``CELLS``.
    units : tuple of int
        One entry for each recurrent layer.
    vocabulary_size, embedding_dim : int
        Rows and columns of the embedding. Token 0 stands between documents.
    tie_weights : bool
        Whether the embedding is the kernel of the head too.
    dropout, recurrent_dropout : float
        Shares dropped while training; prediction ignores them.
    """

    cell: str
    units: tuple[int, ...]
    vocabulary_size: int
    embedding_dim: int
    tie_weights: bool = False
    activation: str = "tanh"
    layer_norm: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0


@dataclass(frozen=True)
class Seq2SeqSpec(NetworkSpec):
    """An encoder and a decoder with the same cells and widths.

    The encoder is the network that `NetworkSpec` describes, without its head; the
    decoder has as many layers, of one direction, and the head.

    Attributes
    ----------
    vocabulary_size : int or None
        Rows of the encoder's embedding; None if it reads numbers.
    embedding_dim : int or None
        Width of the embeddings: of what the encoder reads, and of the labels that the
        decoder reads.
    n_labels : int or None
        Labels that the decoder reads and predicts; None if it works on numbers.
    has_end : bool
        Whether the head has one more class behind the labels: the end of the output.
    n_future : int
        Features that are known at every output step.
    """

    n_labels: int | None = None
    has_end: bool = False
    n_future: int = 0

    def is_read(self, layer) -> bool:
        """Whether anything reads what a layer of the encoder puts out at each step.

        Without attention the decoder has only the last states.
        """
        return self.attention is not None or layer < len(self.units) - 1

    @property
    def start(self) -> int:
        """What the decoder reads as the label before the first one."""
        assert self.n_labels is not None
        return self.n_labels

    @property
    def end(self) -> int | None:
        """The class that ends an output."""
        return self.n_labels if self.has_end else None
