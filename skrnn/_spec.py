"""What crosses the border to the engine: frozen, hashable descriptions."""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._sequences import Sequences

# Added to variances by layer normalisation; Keras' default.
NORM_EPSILON = 1e-3

# Name of the parameter -> name of the class in keras.optimizers.
OPTIMIZERS = {
    "adam": "Adam",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "adamax": "Adamax",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adafactor": "Adafactor",
    "ftrl": "Ftrl",
    "lion": "Lion",
    "lamb": "Lamb",
}
# Those that train without a backend of Keras.
DIRECT_OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adagrad")


def as_tuple(units) -> tuple[int, ...]:
    """Return one number, or several, as the tuple that a spec has."""
    units = units if isinstance(units, tuple | list) else (units,)
    return tuple(int(n) for n in units)


@dataclass(frozen=True)
class Head:
    """The last layer: `units` outputs, and what turns them into predictions."""

    units: int
    activation: str = "linear"


@dataclass(frozen=True)
class Spec:
    """What network to build: its weights depend on nothing else."""

    def changes_to(self, other) -> list[str]:
        """Name the fields in which `other` has weights of its own."""
        rest = dict(dropout=0.0, recurrent_dropout=0.0, embedding_trainable=True)
        own, others = (dataclasses.asdict(s) | rest for s in (self, other))
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
class Pinball:
    """The loss whose minimum is a quantile (Koenker & Bassett, 1978)."""

    quantile: float


@dataclass(frozen=True)
class TrainPlan:
    """How to train: everything that isn't the network or the data.

    Attributes
    ----------
    loss : str, Pinball or callable
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        What the rates of the steps are, if not all `learning_rate`. One by name falls
        over `planned_epochs` epochs, of which this training begins with `first_epoch`.
    scale, offset : list of float or None
        Outputs times the one and plus the other are in the user's units.
    """

    loss: Any
    optimizer: Any
    learning_rate: float
    clipnorm: float | None
    epochs: int
    batch_size: int
    shuffle: bool
    early_stopping: bool
    patience: int
    callbacks: tuple
    verbose: int
    seed: int
    name: str = "estimator"
    # Of decoders alone: how often they read the true output before, not their own.
    teacher_forcing: float = 1.0
    global_clipnorm: float | None = None
    schedule: Any = None
    first_epoch: int = 0
    planned_epochs: int = 1
    scale: list | None = None
    offset: list | None = None
    # Share of the data to hold out and validate on.
    validation_split: float | None = None


@dataclass(frozen=True)
class Dataset:
    """Sequences with their encoded targets and weights.

    Attributes
    ----------
    sequences : Sequences
    targets : ndarray of shape (n, K) or (n_real_steps, K)
        float32 values, or int32 class indices of shape (., 1) for a softmax head.
    weights : ndarray of shape (n,) or (n_real_steps,)
        Non-negative, of mean 1.
    target_starts : ndarray of shape (n,)
        Row of `targets` where each sequence's first one stands.
    """

    sequences: Sequences
    targets: np.ndarray
    weights: np.ndarray
    target_starts: np.ndarray

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def lengths(self) -> np.ndarray:
        """The numbers of steps: batches are made of sequences about as long."""
        return self.sequences.lengths

    def take(self, rows) -> "Dataset":
        """Return the sequences at `rows` with their targets; nothing is copied."""
        return dataclasses.replace(
            self,
            sequences=self.sequences.take(rows),
            target_starts=self.target_starts[rows],
        )


@dataclass(frozen=True)
class Trained:
    """What training leaves behind.

    Attributes
    ----------
    weights : list of ndarray
        Of the best epoch with early stopping, or where something else ended training
        before its time; of the last one otherwise.
    optimizer_state : list of ndarray
        Moments and counters, to go on from.
    history : dict of lists
        One entry for each finished epoch.
    best_epoch : int
        Counted from 1.
    interrupted : bool
        Whether Ctrl-C ended training.
    diverged : bool
        Whether a loss or gradient that isn't finite ended training.
    """

    weights: list
    optimizer_state: list
    history: dict
    best_epoch: int
    interrupted: bool = False
    diverged: bool = False

    def history_after(self, before, n_before) -> dict:
        """Put this history behind that of `n_before` epochs.

        An epoch without some kind of loss gets NaN for it.
        """
        n_epochs, nothing = len(self.history["loss"]), [math.nan]
        names = [*before, *(name for name in self.history if name not in before)]
        return {
            name: before.get(name, nothing * n_before)
            + self.history.get(name, nothing * n_epochs)
            for name in names
        }
