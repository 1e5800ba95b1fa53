"""The decoder one step at a time, each step's input known only then."""

import numpy as np

from skrnn._engine.cpu.run import Kit
from skrnn._networks.encoder_decoder import answer, consult, recur


class Steps:
    """A decoder that has put out something for B sequences, and waits for the next.

    Attributes
    ----------
    states : list of tuples of arrays of shape (n * B, units)
        Of `n` decoders for each sequence, all first ones first.
    attended : array of shape (n, S, B) or (n, S, B, heads), or None
        What the last step has attended to.
    """

    def __init__(self, spec, w, memory, states, workspace):
        self.spec, self._w, self._workspace = spec, w, workspace
        self.memory, self.states, self.attended = memory, states, None

    def next(self, fed, future=None, *, first=False, n=1):
        """Read the output before, and return the outputs (n * B, K) before activation.

        Parameters
        ----------
        fed : ndarray of shape (n * B,) or (n * B, K)
        future : ndarray of shape (n * B, F) or None
        first : bool
            Whether this is the first step, when numbers aren't read.
        """
        spec, w = self.spec, self._w
        # What an earlier step returned is overwritten; states are copies.
        self._workspace.rewind()
        lengths = np.ones(len(fed), np.intp)
        kit = Kit(lengths, self._workspace)
        x, self.states = recur(
            kit, spec, w, self._inputs(fed, future, first)[None], self.states, lengths
        )
        x = x.reshape(n, -1, x.shape[-1])
        x, self.attended = consult(kit, spec, w, x, self.memory)
        return answer(kit, spec, w, x.reshape(len(fed), -1))

    def _inputs(self, fed, future, first):
        if self.spec.n_labels is not None:
            return self._w["decoder/embedding"][fed]
        start = self._w["decoder/start"]
        x = np.broadcast_to(start, fed.shape) if first else fed
        return x if future is None else np.concatenate([x, future], axis=-1)

    def best(self, outputs):
        """Return what is to be read next: the most likely label, which isn't the end.

        Numbers are returned as they are.
        """
        if self.spec.n_labels is None:
            return outputs
        return outputs[:, : self.spec.n_labels].argmax(axis=1)

    def take(self, rows):
        """Go on with some of the sequences alone, where each has one decoder."""
        if self.memory is not None:
            self.memory = self.memory.take(rows)
        self.continue_from(rows)

    def continue_from(self, parents):
        """Take the states of decoders `parents`, in their order."""
        self.states = [tuple(s[parents] for s in layer) for layer in self.states]
