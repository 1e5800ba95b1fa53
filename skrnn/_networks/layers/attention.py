"""Attention over the steps of a sequence, from its last state or from each step."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._networks.attention import N_TOLD, attention
from skrnn._networks.layers.base import BaseLayer
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class AttentionPooling(BaseLayer):
    """Concatenate the attended context to the query: (..., U) -> (..., 2 U).

    Attributes
    ----------
    kind : str
        One of `FREE_ATTENTIONS`.
    per_step : bool
        Whether each step is a query, or only the last state.
    """

    kind: str
    per_step: bool

    parameter = "attention"
    parameters = {"kind": "attention", "per_step": "return_sequences"}

    @property
    def label(self):
        return "attention"

    @property
    def title(self):
        return f"Attention, {self.kind}"

    def names_of(self, weight):
        _, _, name = weight.name.partition("/")
        return self.label, name.replace("/", "_")

    def has_steps(self, before):
        return self.per_step

    def weights(self, width):
        return attention_weights(self.kind, width), 2 * width

    def forward(self, run, w, flow, lengths):
        query = flow.steps if self.per_step else flow.state[None]
        mask = run.real_steps(flow.steps, lengths)
        context, attended = attention(run.ops, self.kind, w, query, flow.steps, mask)
        joined = run.ops.concatenate([query, context], axis=-1)
        answer = joined if self.per_step else joined[0]
        return replace(flow, answer=answer, attended=attended)

    def step(self, run, w, flow, state):
        keys = flow.steps[None]
        keys = keys if state is None else np.concatenate([state, keys])
        mask = np.ones(keys.shape[:2], bool)
        query = flow.steps[None]
        context, _ = attention(run.ops, self.kind, w, query, keys, mask)
        answer = run.ops.concatenate([query, context], axis=-1)[0]
        return replace(flow, answer=answer), keys

    def keras(self, flow, seeds):
        from keras import ops  # noqa: PLC0415

        from skrnn._networks.keras.parts import attend  # noqa: PLC0415

        query = flow.steps if self.per_step else flow.state
        queries = query if self.per_step else ops.expand_dims(query, 1)
        context = attend(self.kind, queries, flow.steps, seeds)
        context = context if self.per_step else context[:, 0]
        return replace(flow, answer=ops.concatenate([query, context], axis=-1))


def attention_weights(kind, width, query_width=None):
    """List the projections of queries and keys, and what scores them.

    Queries are as wide as keys if `query_width` is None.
    """
    square, query = (width, width), (query_width or width, width)
    rows = [
        Weight(f"attention/{name}/kernel", shape, "glorot")
        for name, shape in _SHAPES[kind](square, query)
    ]
    if kind == "location":
        rows.append(Weight("attention/location/bias", (N_TOLD,), "zeros"))
    return rows


def _of_products(square, query):
    # What can't be multiplied is projected first: "general" in Luong et al. (2015).
    return [("query", query)] if query != square else []


# Kind of attention -> the names and shapes of its kernels.
_SHAPES = {
    "dot": _of_products,
    "additive": lambda square, query: [
        ("query", query),
        ("key", square),
        ("score", (square[0], 1)),
    ],
    "multihead": lambda square, query: [
        ("key", square),
        ("query", query),
        ("value", square),
        ("output", square),
    ],
    "location": lambda square, query: [
        *_of_products(square, query),
        ("location", (query[0], N_TOLD)),
    ],
}
