"""What a trained language model tells: likelihoods, the next token, and new text."""

import numpy as np
from scipy.special import log_softmax

from skrnn._engine.cpu import reference
from skrnn._engine.cpu.kernels.layer import Workspace
from skrnn._engine.cpu.kernels.matmul import multiply
from skrnn._engine.cpu.language import (
    BOUNDARY,
    NOTHING,
    crossentropy_losses,
    read,
    zero_states,
)
from skrnn._engine.cpu.run import Kit
from skrnn._networks.cells import ACTIVATIONS, CELLS
from skrnn._networks.forward import layer_norm
from skrnn._networks.weights import language_weight_table

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
        What is to be predicted from each document's beginning on: as many tokens as it
        has, and one more where its end counts. None is the documents and their ends.
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
    """Return what may follow each document, as log-probabilities, and its states.

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
            kit = Kit(lengths, workspace)
            with np.errstate(all="ignore"):
                outputs, states = read(kit, spec, weights, inputs, states, lengths)
            yield rows, first, inputs, lengths, outputs, states


class Writer:
    """A language model that has read some tokens, and reads on one by one.

    It computes by the NumPy formula in single precision. What a token adds to the first
    layer is looked up in a table that is made once.

    Parameters
    ----------
    spec : LanguageSpec
    weights : list of ndarray
    states : list of tuples of ndarrays of shape (n, units)
        After what has been read.
    """

    def __init__(self, spec, weights, states):
        names = [row.name for row in language_weight_table(spec)]
        weights = [np.ascontiguousarray(weight, np.float32) for weight in weights]
        self._spec, self._w = spec, dict(zip(names, weights, strict=True))
        self._states = states
        self._cell, self._activation = CELLS[spec.cell], ACTIVATIONS[spec.activation]
        table, bias = self._w["recurrent_0/kernel"], self._bias(0)[0]
        self._table = self._w["embedding"] @ table + bias
        head = self._w["embedding"].T if spec.tie_weights else self._w["head/kernel"]
        self._head = np.ascontiguousarray(head)

    def read(self, ids):
        """Read a token for each of n texts, and return the outputs (n, V)."""
        x = self._table[ids]
        for layer, states in enumerate(self._states):
            if layer > 0:
                kernel = self._w[f"recurrent_{layer}/kernel"]
                x = multiply(np.ascontiguousarray(x), kernel, self._bias(layer)[0])
            kernel = self._w[f"recurrent_{layer}/recurrent_kernel"]
            before = np.ascontiguousarray(states[0])
            recurrent = multiply(before, kernel, self._bias(layer)[1])
            states = self._cell.step(
                reference.ops, self._activation, x, recurrent, *states
            )
            self._states[layer], x = states, states[0]
            if self._spec.layer_norm:
                x = layer_norm(reference, self._w, f"norm_{layer}", x)
        return multiply(np.ascontiguousarray(x), self._head, self._w["head/bias"])

    def _bias(self, layer):
        bias = self._w[f"recurrent_{layer}/bias"]
        return bias if self._cell.recurrent_bias else (bias, None)
