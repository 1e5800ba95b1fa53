"""Attention over the steps of sequences: plain formulas on time-major arrays.

`ops` has NumPy's function names; `w` holds the weights by name. Queries are (Q, B, Uq),
keys (S, B, U), and a mask (S, B) is True at real steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Memory:
    """Steps to attend to, with all that doesn't depend on who attends.

    Attributes
    ----------
    keys, values : array of shape (S, B, U) or (S, B, heads, d)
        Projected, if the kind of attention does so.
    mask : array of bool of shape (S, B)
    """

    keys: Any
    values: Any
    mask: Any

    def take(self, sequences):
        """Return the memory of some of the sequences."""
        keys = self.keys[:, sequences]
        same = self.values is self.keys
        values = keys if same else self.values[:, sequences]
        return Memory(keys, values, self.mask[:, sequences])


def attention(ops, kind, w, queries, keys, mask):
    """Attend from queries (Q, B, U) to keys (S, B, U), real where mask (S, B) is True.

    Return the context (Q, B, U) and the weights (Q, S, B) or (Q, S, B, heads), which
    sum to one over S.
    """
    return attend(ops, kind, w, queries, remember(ops, kind, w, keys, mask))


def remember(ops, kind, w, keys, mask):
    """Prepare keys (S, B, U) for any number of queries."""
    return ATTENTIONS[kind].remember(ops, w, keys, mask)


def attend(ops, kind, w, queries, memory):
    """Attend from queries (Q, B, Uq) to what `remember` has prepared."""
    return ATTENTIONS[kind].attend(ops, w, queries, memory)


def _softmax_over_keys(ops, scores, real):
    """Softmax over axis 1 that gives padding a weight of exactly zero."""
    return ops.softmax(ops.where(real, scores, -1e9), axis=1)


def _remember_projected(ops, w, keys, mask):
    return Memory(ops.matmul(keys, w["attention/key/kernel"]), keys, mask)


def _additive(ops, w, queries, memory):
    """Bahdanau et al. (2015): v . tanh(q W_q + k W_k)."""
    q = ops.matmul(queries, w["attention/query/kernel"])[:, None]
    summed = ops.tanh(q + memory.keys[None])
    scores = ops.matmul(summed, w["attention/score/kernel"])[..., 0]
    weights = _softmax_over_keys(ops, scores, memory.mask[None])
    return ops.einsum("qsb,sbu->qbu", weights, memory.values), weights


def _remember_as_is(_ops, _w, keys, mask):
    return Memory(keys, keys, mask)


def _dot(ops, w, queries, memory):
    """Luong et al. (2015), scaled by the square root of U."""
    keys, kernel = memory.keys, w.get("attention/query/kernel")
    queries = queries if kernel is None else ops.matmul(queries, kernel)
    scores = ops.einsum("qbu,sbu->qsb", queries, keys) * keys.shape[-1] ** -0.5
    weights = _softmax_over_keys(ops, scores, memory.mask[None])
    return ops.einsum("qsb,sbu->qbu", weights, keys), weights


def _remember_heads(ops, w, keys, mask):
    heads = number_of_heads(keys.shape[-1])
    k, v = (
        _split_heads(ops, ops.matmul(keys, w[f"attention/{name}/kernel"]), heads)
        for name in ("key", "value")
    )
    return Memory(k, v, mask)


def _multihead(ops, w, queries, memory):
    """Vaswani et al. (2017), with as many of 4 heads as divide U."""
    k, v = memory.keys, memory.values
    heads = k.shape[2]
    q = _split_heads(ops, ops.matmul(queries, w["attention/query/kernel"]), heads)
    scores = ops.einsum("qbhd,sbhd->qsbh", q, k) * k.shape[-1] ** -0.5
    weights = _softmax_over_keys(ops, scores, memory.mask[None, :, :, None])
    context = ops.einsum("qsbh,sbhd->qbhd", weights, v)
    merged = ops.concatenate([context[:, :, h] for h in range(heads)], axis=-1)
    return ops.matmul(merged, w["attention/output/kernel"]), weights


def _split_heads(ops, x, heads):
    """(T, B, heads * d) -> (T, B, heads, d)."""
    return ops.stack(ops.split(x, heads, axis=-1), axis=2)


def number_of_heads(width: int) -> int:
    """Return the largest of 4, 2 and 1 that divides `width`."""
    return next(heads for heads in (4, 2, 1) if width % heads == 0)


@dataclass(frozen=True)
class Attention:
    """One kind of attention, in its two parts."""

    remember: Callable
    attend: Callable


ATTENTIONS = {
    "additive": Attention(_remember_projected, _additive),
    "dot": Attention(_remember_as_is, _dot),
    "multihead": Attention(_remember_heads, _multihead),
}
