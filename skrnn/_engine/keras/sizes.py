"""The number of rows and steps of a source's batches, before they are gathered."""

import numpy as np

from skrnn._data.datasets import Seq2SeqData
from skrnn._data.token_stream import TokenStream


class RowSizes:
    """The sizes of batches of sequences; a row has one sequence or a pair.

    Attributes
    ----------
    most : ndarray of shape (n_sides,)
        The most steps of inputs, and of outputs if these have steps of their own.
    are_alike : bool
        Whether all batches have the most steps.
    """

    def __init__(self, sides):
        self._sides = sides
        self.most = np.array([int(side.lengths.max()) for side in sides])
        self.are_alike = all(side.is_uniform for side in sides)

    def rows(self, order):
        """Return the rows of a batch, with rows of padding."""
        return order.shape[1]

    def steps(self, order):
        """Return the steps of each batch, (n_batches, n_sides)."""
        found = [
            np.where(order >= 0, side.lengths[order], 1).max(axis=1)
            for side in self._sides
        ]
        return np.stack(found, axis=1)


class StreamSizes:
    """The sizes of pieces of a stream, which differ by one step at most."""

    are_alike = True

    def __init__(self, stream):
        self._stream = stream
        self.most = np.array([-(-stream.length // len(stream))])

    def rows(self, _order):
        return self._stream.n_sequences

    def steps(self, order):
        stream, numbers = self._stream, order[:, :1]
        first, last = (stream.length * n // len(stream) for n in (numbers, numbers + 1))
        return last - first


class EqualSizes:
    """The sizes of batches of sequences that all have the same steps."""

    are_alike = True

    def __init__(self, n_steps):
        self.most = np.array([n_steps])

    def rows(self, order):
        return order.shape[1]

    def steps(self, order):
        return np.full((len(order), 1), self.most[0])


def sizes_of(source):
    """Return the sizes of a source's batches."""
    if hasattr(source, "steps_of_each"):
        return EqualSizes(source.steps_of_each)
    if isinstance(source, TokenStream):
        return StreamSizes(source)
    if isinstance(source, Seq2SeqData):
        return RowSizes([source.inputs, source.outputs])
    # A source that makes its sequences batch by batch tells their lengths itself.
    return RowSizes([getattr(source, "sequences", source)])
