"""The network's formula, written once for every backend.

Arrays are time-major, (T, B, F): a step of all sequences is contiguous. Padding stands
on the right. A cell can't see what comes after a step, so the forward direction is
exact without any mask; the backward one reads each sequence reversed within its own
length. What is left is to take the last *real* step, to give padding no attention, and
to hold states that could overflow in the padding: 0 times infinity is no gradient.

`kit` is a backend: `kit.ops` has NumPy's function names, the other methods are those
of `skrnn._engine.cpu.reference`, which is also their specification.
"""

from skrnn._networks.attention import attention
from skrnn._networks.cells import ACTIVATIONS, BOUNDED_ACTIVATIONS, CELLS
from skrnn._networks.specs import NORM_EPSILON, NetworkSpec
from skrnn._networks.weights import weight_table


def forward(kit, spec: NetworkSpec, weights, x, lengths, attended=None):
    """Run the network.

    Parameters
    ----------
    kit : backend
    spec : NetworkSpec
    weights : list of arrays
        In the order of `weight_table`.
    x : array of shape (T, B, F), or (T, B) or (T, B, C) token ids
        Padded on the right; what the padding holds doesn't matter.
    lengths : array of shape (B,)
    attended : list or None
        Gets the weights of the attention, (Q, T, B) or (Q, T, B, heads).

    Returns
    -------
    outputs : array of shape (B, K), or (T, B, K) with ``return_sequences``
        Before the head's activation.
    state : array of shape (B, units)
        The last hidden state of the last layer, both directions side by side.
    """
    w = {
        row.name: value for row, value in zip(weight_table(spec), weights, strict=True)
    }
    if spec.embedding_dim is not None:
        x = kit.dropout(_embed(kit, spec, w, x), spec.dropout > 0)
    for layer in range(len(spec.units)):
        x, state = _recurrent_layer(kit, spec, w, layer, x, lengths)
    y = x if spec.return_sequences else state
    if spec.attention is not None:
        y, attention_weights = _attend(kit, spec, w, y, x, lengths)
        if attended is not None:
            attended.append(attention_weights)
    for layer in range(len(spec.dense_units)):
        y = ACTIVATIONS[spec.activation](kit.ops, dense(kit, w, f"dense_{layer}", y))
        y = kit.dropout(y, spec.dropout > 0)
    return dense(kit, w, "head", y), state


def _embed(kit, spec, w, ids):
    """Look up token ids, those of each channel in its own table, side by side."""
    if "embedding" in w:
        return kit.take_rows(w["embedding"], ids)
    channels = enumerate(spec.embeddings)
    parts = [kit.take_rows(w[name], ids[..., channel]) for channel, name in channels]
    return kit.ops.concatenate(parts, axis=-1)


def _recurrent_layer(kit, spec, w, layer, x, lengths):
    """Return a layer's outputs, or None if nobody reads them, and its last state."""
    is_last = layer == len(spec.units) - 1
    needs_steps = not is_last or spec.return_sequences or spec.attention is not None
    outputs, states = [], []
    for direction in spec.directions:
        y = x if direction == "forward" else kit.reverse(x, lengths)
        y = _run_cell(kit, spec, w, f"recurrent_{layer}/{direction}", y, lengths)
        states.append(kit.last(y, lengths))
        if needs_steps:
            outputs.append(y if direction == "forward" else kit.reverse(y, lengths))

    def finish(parts):
        y = kit.ops.concatenate(parts, axis=-1)
        y = layer_norm(kit, w, f"norm_{layer}", y) if spec.layer_norm else y
        return kit.dropout(y, spec.dropout > 0)

    return finish(outputs) if needs_steps else None, finish(states)


def _run_cell(kit, spec, w, prefix, x, lengths):
    bias = w[f"{prefix}/bias"]
    if not CELLS[spec.cell].recurrent_bias:
        bias = (bias, None)
    return kit.run_cell(
        spec.cell,
        spec.activation,
        x,
        w[f"{prefix}/kernel"],
        w[f"{prefix}/recurrent_kernel"],
        (bias[0], bias[1]),
        None if spec.activation in BOUNDED_ACTIVATIONS else lengths,
        spec.recurrent_dropout > 0,
    )


def dense(kit, w, prefix, x):
    """Return ``x @ kernel + bias``."""
    return kit.ops.matmul(x, w[f"{prefix}/kernel"]) + w[f"{prefix}/bias"]


def layer_norm(kit, w, prefix, x):
    """Ba et al. (2016), over the units of each step."""
    centred = x - kit.ops.mean(x, axis=-1, keepdims=True)
    variance = kit.ops.mean(centred * centred, axis=-1, keepdims=True)
    scaled = centred / kit.ops.sqrt(variance + NORM_EPSILON)
    return scaled * w[f"{prefix}/gamma"] + w[f"{prefix}/beta"]


def _attend(kit, spec, w, query, keys, lengths):
    """Put what the query attends to beside it: (..., U) -> (..., 2U); and weights."""
    pooled = not spec.return_sequences
    queries = query[None] if pooled else query
    keys, mask = kit.attendable(keys, lengths)
    context, weights = attention(kit.ops, spec.attention, w, queries, keys, mask)
    context = context[0] if pooled else context
    return kit.ops.concatenate([query, context], axis=-1), weights
