"""Answers of a trained language model: likelihoods, the next token, and new text."""

import numpy as np
from scipy.special import log_softmax

from skrnn._data.token_stream import BOUNDARY
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.kernels.matmul import multiply
from skrnn._engine.cpu.language import NOTHING, crossentropy_losses, zero_states
from skrnn._engine.cpu.run import PredictingRun, StepRun
from skrnn._networks.encoder_decoder import states_of_layers
from skrnn._networks.forward import named_weights, step
from skrnn._networks.language import head_of, read
from skrnn._networks.layers import Flow

# Documents that are read at once.
_DOCUMENTS = 64
# Outputs of a piece: 8 MB. Steps of a piece at most.
_OUTPUTS, _STEPS = 2_000_000, 256


def log_likelihoods(spec, weights, documents, targets=None):
    """Return the log-likelihood of each document: (n,).

    Parameters
    ----------
    documents : list of ndarray of int32
        Token ids, without boundaries.
    targets : list of ndarray of int32 or None
        Tokens to predict from each document's beginning on: as many as it has, or one
        more if its end counts. None predicts the documents and their ends.
    """
    if targets is None:
        targets = [np.append(document, BOUNDARY) for document in documents]
    found = np.zeros(len(documents))
    for rows, first, inputs, lengths, outputs, _ in _pieces(spec, weights, documents):
        expected = np.full(inputs.shape, NOTHING, np.int32)
        for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            following = targets[row][first : first + length]
            expected[: len(following), i] = following
        losses = crossentropy_losses(outputs, expected, 1).reshape(inputs.shape)
        found[rows] -= losses.sum(axis=0, dtype=np.float64)
    return found


def next_token(spec, weights, documents):
    """Return log-probabilities of the token after each document, and its states.

    Returns
    -------
    log_probabilities : ndarray of shape (n, vocabulary_size)
    states : list of tuples of ndarrays of shape (n, units)
    """
    n = len(documents)
    found = np.empty((n, spec.vocabulary_size))
    states = [tuple(map(np.copy, layer)) for layer in zero_states(spec, n)]
    for rows, first, _, lengths, outputs, after in _pieces(spec, weights, documents):
        for i, row in enumerate(rows):
            if first + lengths[i] == len(documents[row]) + 1:
                found[row] = outputs[lengths[i] - 1, i]
        for layer, parts in zip(states, after, strict=True):
            for state, part in zip(layer, parts, strict=True):
                state[rows] = part
    return log_softmax(found, axis=1), states


def _pieces(spec, weights, documents):
    """Read documents from their beginning, some at once, piece by piece.

    Yields
    ------
    rows : ndarray of shape (B,)
        Numbers of the documents that are not over, the longest first.
    first : int
        Step of each document's boundary and tokens at which the piece begins.
    inputs : ndarray of shape (T, B)
    lengths : ndarray of shape (B,)
    outputs : ndarray of shape (T, B, vocabulary_size)
    states : list of tuples of ndarrays of shape (B, units)
    """
    weights = [np.ascontiguousarray(weight, np.float32) for weight in weights]
    steps = np.array([len(document) + 1 for document in documents])
    order, workspace = np.argsort(-steps, kind="stable"), Workspace()
    n_steps = min(_STEPS, max(8, _OUTPUTS // (_DOCUMENTS * spec.vocabulary_size)))
    for at in range(0, len(order), _DOCUMENTS):
        rows = order[at : at + _DOCUMENTS]
        states = zero_states(spec, len(rows))
        for first in range(0, steps[rows[0]], n_steps):
            rows = rows[steps[rows] > first]
            states = [tuple(s[: len(rows)].copy() for s in layer) for layer in states]
            lengths = np.minimum(steps[rows] - first, n_steps)
            inputs = np.full((lengths[0], len(rows)), BOUNDARY, np.int32)
            for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
                begin = max(first - 1, 0)
                tokens = documents[row][begin : first + length - 1]
                inputs[length - len(tokens) : length, i] = tokens
            workspace.rewind()
            run = PredictingRun(lengths, workspace)
            with np.errstate(all="ignore"):
                outputs, states = read(run, spec, weights, inputs, states, lengths)
            yield rows, first, inputs, lengths, outputs, states


class IncrementalDecoder:
    """A language model that has read some tokens, and reads more one by one.

    It computes in single precision. Projections of tokens to the first layer are looked
    up in a table that is computed once.

    Parameters
    ----------
    spec : LanguageSpec
    weights : list of ndarray
    states : list of tuples of ndarrays of shape (n, ...)
        Of each recurrent layer, after what has been read.
    """

    def __init__(self, spec, weights, states):
        weights = [np.ascontiguousarray(weight, np.float32) for weight in weights]
        self._w = w = named_weights(spec, weights)
        # Dropout between the embedding and the first layer drops nothing here.
        self._layers = spec.without_rates().layers[1:]
        self._states = states_of_layers(self._layers, states)
        cell = self._layers[0].cell_run(w)
        self._tables = cell.cell.project(
            StepRun.ops, cell.weights, w[spec.embedding.name]
        )
        kernel, self._bias = head_of(spec, w)
        self._head = np.ascontiguousarray(kernel.T if spec.tie_weights else kernel)

    def read(self, ids):
        """Read a token for each of n texts, and return the outputs (n, V)."""
        x = Flow(tuple(table[ids] for table in self._tables))
        flow, self._states = step(StepRun, self._layers, self._w, x, self._states)
        return multiply(np.ascontiguousarray(flow.steps), self._head, self._bias)
