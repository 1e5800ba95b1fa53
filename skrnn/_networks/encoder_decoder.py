"""The formula of an encoder and a decoder, over a kit of operations.

The encoder reads a sequence; the decoder starts from its last states (Sutskever et al.,
2014) and, after its recurrent layers, attends to its outputs at all real steps (Luong
et al., 2015). It reads at every step what came out of the step before, or should have.
In training all of that is known, so it runs over all steps at once.
"""

import numpy as np

from skrnn._networks.attention import attend, remember
from skrnn._networks.cells import ACTIVATIONS, CELLS
from skrnn._networks.forward import dense, layer_norm
from skrnn._networks.specs import Seq2SeqSpec


def encode(kit, spec: Seq2SeqSpec, w, x, lengths):
    """Read sequences x (T, B, F), or token ids (T, B), the longest first.

    Returns
    -------
    outputs : array of shape (T, B, U), or None if nothing reads them
        Of the last layer, both directions side by side.
    states : list of tuples of arrays of shape (B, units)
        What each layer of the decoder starts from.
    """
    if spec.vocabulary_size is not None:
        x = kit.dropout(kit.take_rows(w["embedding"], x), spec.dropout > 0)
    states = []
    for layer, units in enumerate(spec.units):
        zeros = np.zeros((x.shape[1], units), np.float32)
        initial = (zeros,) * CELLS[spec.cell].n_states
        outputs, last = [], []
        for direction in spec.directions:
            prefix, backward = f"recurrent_{layer}/{direction}", direction == "backward"
            y = kit.reverse(x, lengths) if backward else x
            y, final = _run(kit, spec, w, prefix, y, initial, lengths)
            outputs.append(kit.reverse(y, lengths) if backward else y)
            last.append(final)
        read = spec.is_read(layer)
        x = _finish(kit, spec, w, f"norm_{layer}", outputs) if read else None
        states.append(_bridge(kit, w, layer, last))
    return x, states


def recur(kit, spec: Seq2SeqSpec, w, x, states, lengths):
    """Run the decoder's recurrent layers over x (H, B, D) from `states`.

    Returns
    -------
    outputs : array of shape (H, B, units)
    states : list of tuples of arrays of shape (B, units)
    """
    after = []
    for layer, initial in enumerate(states):
        prefix = f"decoder/recurrent_{layer}"
        y, final = _run(kit, spec, w, prefix, x, initial, lengths)
        x = _finish(kit, spec, w, f"decoder/norm_{layer}", [y])
        after.append(final)
    return x, after


def memory_of(kit, spec: Seq2SeqSpec, w, outputs, mask):
    """Prepare the encoder's outputs (S, B, U) to be attended to.

    `mask` (S, B) is True at real steps.
    """
    return remember(kit.ops, spec.attention, w, outputs, mask)


def consult(kit, spec: Seq2SeqSpec, w, x, memory):
    """Let the decoder's outputs x (H, B, units) attend to the memory.

    Returns
    -------
    x : array of shape (H, B, units)
    weights : array of shape (H, S, B) or (H, S, B, heads), or None
    """
    if memory is None:
        return x, None
    context, weights = attend(kit.ops, spec.attention, w, x, memory)
    both = kit.ops.concatenate([x, context], axis=-1)
    x = kit.ops.tanh(kit.ops.matmul(both, w["combine/kernel"]))
    return kit.dropout(x, spec.dropout > 0), weights


def answer(kit, spec: Seq2SeqSpec, w, x):
    """Return the outputs (..., K), before the head's activation, of x (..., units)."""
    for layer in range(len(spec.dense_units)):
        x = ACTIVATIONS[spec.activation](kit.ops, dense(kit, w, f"dense_{layer}", x))
        x = kit.dropout(x, spec.dropout > 0)
    return dense(kit, w, "head", x)


def _run(kit, spec, w, prefix, x, initial, lengths):
    bias = w[f"{prefix}/bias"]
    biases = (bias[0], bias[1]) if CELLS[spec.cell].recurrent_bias else (bias, None)
    kernels = w[f"{prefix}/kernel"], w[f"{prefix}/recurrent_kernel"]
    dropout = spec.recurrent_dropout > 0
    cell = spec.cell, spec.activation
    return kit.run_cell_from(initial, *cell, x, *kernels, biases, lengths, dropout)


def _finish(kit, spec, w, norm, outputs):
    x = kit.ops.concatenate(outputs, axis=-1)
    x = layer_norm(kit, w, norm, x) if spec.layer_norm else x
    return kit.dropout(x, spec.dropout > 0)


def _bridge(kit, w, layer, last):
    """Make one direction's states of those of all directions."""
    if len(last) == 1:
        return last[0]
    joined = [kit.ops.concatenate(both, axis=-1) for both in zip(*last, strict=True)]
    return tuple(dense(kit, w, f"bridge_{layer}/{i}", x) for i, x in enumerate(joined))
