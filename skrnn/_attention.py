"""Attention over the steps of sequences: plain formulas on time-major arrays.

`ops` has NumPy's function names; `w` holds the weights by name. Each formula takes
queries (Q, B, U), keys (S, B, U) and a mask (S, B) that is True at real steps.
"""


def attention(ops, kind, w, queries, keys, mask):
    """Attend from queries (Q, B, U) to keys (S, B, U), real where mask (S, B) is True.

    Return the context (Q, B, U) and the weights (Q, S, B) or (Q, S, B, heads), which
    sum to one over S.
    """
    return ATTENTIONS[kind](ops, w, queries, keys, mask)


def _softmax_over_keys(ops, scores, real):
    """Softmax over axis 1 that gives padding a weight of exactly zero."""
    return ops.softmax(ops.where(real, scores, -1e9), axis=1)


def _additive(ops, w, queries, keys, mask):
    """Bahdanau et al. (2015): v . tanh(q W_q + k W_k)."""
    q = ops.matmul(queries, w["attention/query/kernel"])[:, None]
    k = ops.matmul(keys, w["attention/key/kernel"])[None]
    scores = ops.matmul(ops.tanh(q + k), w["attention/score/kernel"])[..., 0]
    weights = _softmax_over_keys(ops, scores, mask[None])
    return ops.einsum("qsb,sbu->qbu", weights, keys), weights


def _dot(ops, w, queries, keys, mask):
    """Luong et al. (2015), scaled by the square root of U."""
    scale = keys.shape[-1] ** -0.5
    scores = ops.einsum("qbu,sbu->qsb", queries, keys) * scale
    weights = _softmax_over_keys(ops, scores, mask[None])
    return ops.einsum("qsb,sbu->qbu", weights, keys), weights


def _multihead(ops, w, queries, keys, mask):
    """Vaswani et al. (2017), with as many of 4 heads as divide U."""
    heads = number_of_heads(keys.shape[-1])
    q = _split_heads(ops, ops.matmul(queries, w["attention/query/kernel"]), heads)
    k = _split_heads(ops, ops.matmul(keys, w["attention/key/kernel"]), heads)
    v = _split_heads(ops, ops.matmul(keys, w["attention/value/kernel"]), heads)
    scores = ops.einsum("qbhd,sbhd->qsbh", q, k) * k.shape[-1] ** -0.5
    weights = _softmax_over_keys(ops, scores, mask[None, :, :, None])
    context = ops.einsum("qsbh,sbhd->qbhd", weights, v)
    merged = ops.concatenate([context[:, :, h] for h in range(heads)], axis=-1)
    return ops.matmul(merged, w["attention/output/kernel"]), weights


def _split_heads(ops, x, heads):
    """(T, B, heads * d) -> (T, B, heads, d)."""
    return ops.stack(ops.split(x, heads, axis=-1), axis=2)


def number_of_heads(width: int) -> int:
    """Return the largest of 4, 2 and 1 that divides `width`."""
    return next(heads for heads in (4, 2, 1) if width % heads == 0)


ATTENTIONS = {"additive": _additive, "dot": _dot, "multihead": _multihead}
