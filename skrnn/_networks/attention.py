"""Attention over the steps of sequences: plain formulas on time-major arrays.

`ops` has NumPy's function names; `w` holds the weights by name. Queries are (Q, B, Uq),
keys (S, B, U), and a mask (S, B) is True at real steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Wavelengths of positions go from 2 pi to this times 2 pi (Vaswani et al., 2017).
LONGEST = 10_000.0


@dataclass(frozen=True)
class Memory:
    """Steps to attend to, with everything that doesn't depend on the query.

    Attributes
    ----------
    keys, values : array of shape (S, B, U) or (S, B, heads, d)
        Projected, if the kind of attention does so.
    mask : array of bool of shape (S, B)
    places : array of shape (S, B, 2), or None
        Numbers of the steps, from 1, counted from the start and from the end, if the
        kind of attention reads them.
    """

    keys: Any
    values: Any
    mask: Any
    places: Any = None

    def take(self, sequences):
        """Return the memory of some of the sequences."""
        keys = self.keys[:, sequences]
        same = self.values is self.keys
        values = keys if same else self.values[:, sequences]
        places = None if self.places is None else self.places[:, sequences]
        return Memory(keys, values, self.mask[:, sequences], places)


def attention(ops, kind, w, queries, keys, mask):
    """Attend from queries (Q, B, U) to keys (S, B, U), real where mask (S, B) is True.

    Return the context (Q, B, U) and the weights (Q, S, B) or (Q, S, B, heads), which
    sum to one over S.
    """
    return attend(ops, kind, w, queries, remember(ops, kind, w, keys, mask))[:2]


def remember(ops, kind, w, keys, mask):
    """Prepare keys (S, B, U) for any number of queries."""
    return ATTENTIONS[kind].remember(ops, w, keys, mask)


def attend(ops, kind, w, queries, memory, before=None):
    """Attend from queries (Q, B, Uq) to what `remember` has prepared.

    Also return the place (Q, B, 2) of each query, None if the kind has none. Queries
    are consecutive steps from the first one on. With the places (Q, B, 2) `before`
    them, each is one step on its own.
    """
    return ATTENTIONS[kind].attend(ops, w, queries, memory, before)


def _softmax_over_keys(ops, scores, real):
    """Softmax over axis 1 that gives padding a weight of exactly zero."""
    return ops.softmax(ops.where(real, scores, -1e9), axis=1)


def _remember_projected(ops, w, keys, mask):
    return Memory(ops.matmul(keys, w["attention/key/kernel"]), keys, mask)


def _additive(ops, w, queries, memory, _before):
    """Bahdanau et al. (2015): v . tanh(q W_q + k W_k)."""
    q = ops.matmul(queries, w["attention/query/kernel"])[:, None]
    summed = ops.tanh(q + memory.keys[None])
    scores = ops.matmul(summed, w["attention/score/kernel"])[..., 0]
    weights = _softmax_over_keys(ops, scores, memory.mask[None])
    return ops.einsum("qsb,sbu->qbu", weights, memory.values), weights, None


def _remember_as_is(_ops, _w, keys, mask):
    return Memory(keys, keys, mask)


def _dot(ops, w, queries, memory, _before):
    """Luong et al. (2015), scaled by the square root of U."""
    weights = _weights_by_content(ops, w, queries, memory)
    return ops.einsum("qsb,sbu->qbu", weights, memory.values), weights, None


def _weights_by_content(ops, w, queries, memory):
    keys, kernel = memory.keys, w.get("attention/query/kernel")
    queries = queries if kernel is None else ops.matmul(queries, kernel)
    scores = ops.einsum("qbu,sbu->qsb", queries, keys) * keys.shape[-1] ** -0.5
    return _softmax_over_keys(ops, scores, memory.mask[None])


# How much likelier one step is at first than none or two, and how sharp a place is.
_LEANING, _SHARPNESS = 3.0, 6.0
# Numbers of a query: the shares of content and of both places, how sharp these are, and
# three for how far each moves.
N_TOLD = 11


def _remember_places(ops, _w, keys, mask):
    return Memory(keys, keys, mask, places_of_steps(ops, mask))


def places_of_steps(ops, mask):
    """Count the steps of a mask (S, B) from the start and from the end: (S, B, 2)."""
    ones = ops.where(mask, np.float32(1), np.float32(0))
    from_start = ops.cumsum(ones, axis=0)
    from_end = ops.sum(ones, axis=0, keepdims=True) - from_start + 1
    return ops.stack([from_start, from_end], axis=-1)


def _location(ops, w, queries, memory, before):
    """Attend to a place that moves on: `skrnn.reference.location_attention`."""
    told = ops.matmul(queries, w["attention/location/kernel"])
    told = told + w["attention/location/bias"]
    content = _weights_by_content(ops, w, queries, memory)
    place = moved(ops, told, before)
    weights = weights_by_place(ops, told, place, memory, content)
    return ops.einsum("qsb,sbu->qbu", weights, memory.values), weights, place


def moved(ops, told, before=None):
    """Return the places (Q, B, 2) of queries whose numbers are (Q, B, `N_TOLD`)."""
    shifts = ops.stack([_shift(ops, told[..., at : at + 3]) for at in (5, 8)], axis=-1)
    return ops.cumsum(shifts, axis=0) if before is None else before + shifts


def _shift(ops, scores):
    """Return by how many of 0, 1 and 2 steps a place moves on: (Q, B)."""
    none, one, two = (scores[..., i] for i in range(3))
    shares = ops.softmax(ops.stack([none, one + _LEANING, two], axis=-1), axis=-1)
    return shares[..., 1] + 2 * shares[..., 2]


def weights_by_place(ops, told, place, memory, content):
    """Mix weights by content (Q, S, B) with those of the places (Q, B, 2).

    A place is a logistic distribution over the numbers of the steps. Each step gets the
    part within half a step of it. The parts before the first step, after the last one,
    and in padding are lost.
    """
    shares = ops.softmax(told[..., :3], axis=-1)[:, None]
    sharpness = ops.logaddexp(told[..., 3:5] + _SHARPNESS, 0.0)[:, None]
    away = sharpness * (memory.places[None, ...] - place[:, None])
    half = sharpness * 0.5
    near = ops.sigmoid(away + half) - ops.sigmoid(away - half)
    near = ops.where(
        memory.mask[None, ...], ops.sum(near * shares[..., 1:], axis=-1), 0.0
    )
    return content * shares[..., 0] + near


def _remember_heads(ops, w, keys, mask):
    heads = number_of_heads(keys.shape[-1])
    k, v = (
        split_heads(ops, ops.matmul(keys, w[f"attention/{name}/kernel"]), heads)
        for name in ("key", "value")
    )
    return Memory(k, v, mask)


def _multihead(ops, w, queries, memory, _before):
    """Vaswani et al. (2017), with as many of 4 heads as divide U."""
    heads = memory.keys.shape[2]
    q = split_heads(ops, ops.matmul(queries, w["attention/query/kernel"]), heads)
    context, weights = attend_by_heads(ops, q, memory)
    context = ops.matmul(merge_heads(ops, context), w["attention/output/kernel"])
    return context, weights, None


def attend_by_heads(ops, q, memory, places=None):
    """Attend from queries (Q, B, heads, d) to keys and values (S, B, heads, d).

    With the `places` (S,) of the steps, each attends only to itself and to those before
    it. Return the context of each head, (Q, B, heads, d), and weights (Q, S, B, heads).
    """
    k, v = memory.keys, memory.values
    scores = ops.einsum("qbhd,sbhd->qsbh", q, k) * k.shape[-1] ** -0.5
    if places is not None:
        sees = places[:, None] >= places[None]
        scores = ops.where(sees[:, :, None, None], scores, -1e9)
    weights = _softmax_over_keys(ops, scores, memory.mask[None, :, :, None])
    return ops.einsum("qsbh,sbhd->qbhd", weights, v), weights


def split_heads(ops, x, heads):
    """(T, B, heads * d) -> (T, B, heads, d)."""
    if all(isinstance(size, int) for size in x.shape):
        return ops.reshape(x, (*x.shape[:2], heads, x.shape[2] // heads))
    return ops.stack(ops.split(x, heads, axis=-1), axis=2)


def merge_heads(ops, x):
    """(T, B, heads, d) -> (T, B, heads * d)."""
    heads, d = x.shape[2:]
    if all(isinstance(size, int) for size in x.shape):
        return ops.reshape(x, (*x.shape[:2], heads * d))
    return ops.concatenate([x[:, :, h] for h in range(heads)], axis=-1)


def number_of_heads(width: int) -> int:
    """Return the largest of 4, 2 and 1 that divides `width`."""
    return next(heads for heads in (4, 2, 1) if width % heads == 0)


def frequencies(n):
    """Return n angles by which a step turns, from 1 down to 1 / `LONGEST`, float32."""
    return (LONGEST ** -(np.arange(n) / n)).astype(np.float32)


def waves(ops, places, width):
    """Return sines, and behind them cosines, of places (T,): (T, width)."""
    angles = places[:, None] * frequencies((width + 1) // 2)
    both = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
    return both if both.shape[-1] == width else both[:, :width]


def turned(ops, x, places):
    """Turn each pair of x (T, B, ..., d) by the angles of its place.

    Products of two such vectors then depend only on the distance between the steps.
    Columns i and i + d / 2 are a pair.

    Source: Su et al. (2021), "RoFormer: enhanced transformer with rotary position
    embedding".
    """
    angles = places[:, None] * frequencies(x.shape[-1] // 2)
    key = slice(None), *(None,) * (len(x.shape) - 2), slice(None)
    cos, sin = ops.cos(angles)[key], ops.sin(angles)[key]
    first, second = ops.split(x, 2, axis=-1)
    return ops.concatenate(
        [first * cos - second * sin, first * sin + second * cos], axis=-1
    )


@dataclass(frozen=True)
class Attention:
    """One kind of attention, in its two parts.

    Attributes
    ----------
    remember, attend : callable
    keeps_place : bool
        Whether a query continues from where the one before looked. Only a decoder,
        which writes step by step, can use such a kind.
    """

    remember: Callable
    attend: Callable
    keeps_place: bool = False


ATTENTIONS = {
    "additive": Attention(_remember_projected, _additive),
    "dot": Attention(_remember_as_is, _dot),
    "multihead": Attention(_remember_heads, _multihead),
    "location": Attention(_remember_places, _location, keeps_place=True),
}
# Kinds whose queries are independent of each other: any layer can use them.
FREE_ATTENTIONS = tuple(kind for kind, row in ATTENTIONS.items() if not row.keeps_place)
