"""Prediction: NumPy for small inputs, compiled in bounded batches for large ones."""

import threading
from dataclasses import replace

import numpy as np

from skrnn._cells import ACTIVATIONS
from skrnn._engine import _numpy_kit
from skrnn._engine._backends import backend
from skrnn._engine._fork import is_forked
from skrnn._engine._forward import forward

# Below this many sequence steps times units NumPy is done before TensorFlow begins.
SMALL = 200_000
# Rows times units that a block may hold, about 64 MB of float32 with its gates.
_BLOCK = 2_000_000

_compiled: dict = {}
_MAX_COMPILED = 64
_lock = threading.Lock()


def predict(spec, weights, sequences):
    """Run the network on packed sequences.

    Returns
    -------
    outputs : ndarray of shape (n, K), or (n_real_steps, K) with ``return_sequences``
        After the head's activation, float64.
    states : ndarray of shape (n, units)
        The last hidden states, float64.
    """
    # In a forked process a backend would hang; NumPy is slower and works.
    small = _work(spec, sequences.lengths) <= SMALL or is_forked()
    run = _run_numpy if small else _run_compiled
    outputs, states = run(spec, weights, sequences)
    outputs = ACTIVATIONS[spec.head.activation](_numpy_kit.ops, outputs)
    return outputs, states


def _run_numpy(spec, weights, sequences):
    weights = [weight.astype(np.float64) for weight in weights]
    parts = []
    for rows in _blocks(spec, sequences):
        block = sequences.take(rows)
        x = np.moveaxis(block.padded(), 0, 1)
        x = x if spec.embedding_dim else x.astype(np.float64)
        parts.append(forward(_numpy_kit, spec, weights, x, block.lengths))
    return _join(spec, sequences, parts)


def _run_compiled(spec, weights, sequences):
    # It loads Keras' backend, which small predictions do without.
    module = backend()
    key = replace(spec, dropout=0.0, recurrent_dropout=0.0)
    with _lock:
        if key not in _compiled:
            while len(_compiled) >= _MAX_COMPILED:
                del _compiled[next(iter(_compiled))]
            _compiled[key] = module.predictor(key)
        run = _compiled[key]
    data = module.device_sequences(sequences)
    parts = []
    for rows in _blocks(spec, sequences):
        found = run(weights, data, rows)
        parts.append([np.asarray(array).astype(np.float64) for array in found])
    return _join(spec, sequences, parts)


def _work(spec, lengths):
    """Return the numbers that a layer of `spec` computes for sequences of `lengths`."""
    lengths = np.asarray(lengths, dtype=np.float64)
    work = lengths.sum() * max(*spec.units, spec.n_features)
    if spec.attention and spec.return_sequences:
        # Every step attends to every step.
        work += (lengths**2).sum() * spec.units[-1]
    return work


def _blocks(spec, sequences):
    """Cut the sequences, shortest first, into blocks of bounded size."""
    order = np.argsort(sequences.lengths, kind="stable")
    lengths = sequences.lengths[order]
    first = 0
    while first < len(order):
        last = min(
            first + max(1, int(_BLOCK / _work(spec, lengths[first]))), len(order)
        )
        # The longest of them decides how many it may be.
        fit = max(1, int(_BLOCK / _work(spec, lengths[last - 1])))
        last = min(last, first + fit)
        yield order[first:last]
        first = last


def _join(spec, sequences, parts):
    """Put the blocks' results back into the order of the sequences."""
    order = np.argsort(sequences.lengths, kind="stable")
    back = np.argsort(order, kind="stable")
    states = np.concatenate([states for _, states in parts])[back]
    if not spec.return_sequences:
        return np.concatenate([outputs for outputs, _ in parts])[back], states
    lengths = iter(sequences.lengths[order])
    steps = [
        block[: next(lengths), i] for block, _ in parts for i in range(block.shape[1])
    ]
    return np.concatenate([steps[i] for i in back]), states
