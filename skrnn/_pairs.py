"""What crosses to the engine where a sequence is answered by another one."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from skrnn._sequences import Sequences
from skrnn._spec import NetworkSpec


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


@dataclass(frozen=True)
class Pairs:
    """Sequences, and the sequences that answer them.

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
        What the weight of each step of `outputs` is multiplied with; the mean is that
        of the products then.
    known : ndarray of bool of shape (n_rows,) or None
        False at steps of `outputs` that the decoder must not read: what is true there
        isn't known. It reads what it has put out itself instead.
    """

    inputs: Sequences
    outputs: Sequences
    weights: np.ndarray
    future: np.ndarray | None = None
    step_weights: np.ndarray | None = None
    known: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> np.ndarray:
        """The numbers of input steps: batches are made of sequences about as long."""
        return self.inputs.lengths

    def take(self, rows) -> "Pairs":
        """Return the pairs at `rows`."""
        return dataclasses.replace(
            self,
            inputs=self.inputs.take(rows),
            outputs=self.outputs.take(rows),
            weights=self.weights[rows],
            future=None if self.future is None else self.future[rows],
        )
