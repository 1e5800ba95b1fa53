"""The decoder one step at a time, which may read its own last output."""

import numpy as np

from skrnn._engine.cpu.run import PredictingRun
from skrnn._networks.encoder_decoder import (
    answer,
    consult,
    decoder_input,
    states_of_layers,
)
from skrnn._networks.forward import step


class DecoderState:
    """A decoder of B sequences between two steps.

    Attributes
    ----------
    states : list of tuples of arrays of shape (n * B, ...), or of None
        One for each layer. Each sequence has `n` decoders; the first ones of all come
        first.
    attended : array of shape (n, S, B) or (n, S, B, heads), or None
        Attention weights of the last step.
    place : array of shape (n * B, 2), or None
        Where it looked, if the kind of attention keeps a place.
    """

    def __init__(self, spec, w, memory, states, workspace):
        self.spec, self._w, self._workspace = spec, w, workspace
        self.states = states_of_layers(spec.decoder, states)
        self.memory, self.attended, self.place = memory, None, None

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
        run = PredictingRun(np.ones(len(fed), np.intp), self._workspace)
        x = decoder_input(run, spec, w, fed, future, first)
        flow, self.states = step(run, spec.decoder, w, x, self.states)
        x = flow.steps.reshape(n, -1, flow.steps.shape[-1])
        place = None if self.place is None else self.place.reshape(n, -1, 2)
        x, self.attended, place = consult(run, spec, w, x, self.memory, place)
        self.place = None if place is None else place.reshape(-1, 2)
        return answer(run, spec, w, x.reshape(len(fed), -1))

    def best(self, outputs):
        """Return the next input: the most likely label, except the end.

        Numbers are returned as they are.
        """
        if self.spec.n_labels is None:
            return outputs
        return outputs[:, : self.spec.n_labels].argmax(axis=1)

    def take(self, rows):
        """Go on with only some of the sequences, each of which has one decoder."""
        if self.memory is not None:
            self.memory = self.memory.take(rows)
        self.continue_from(rows)

    def continue_from(self, parents):
        """Take the states of decoders `parents`, in their order."""
        self.states = [
            None if layer is None else tuple(state[parents] for state in layer)
            for layer in self.states
        ]
        if self.place is not None:
            self.place = self.place[parents]
