"""Blocks in which every step attends to the others."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.attention import (
    frequencies,
    merge_heads,
    split_heads,
    turned,
)
from skrnn._networks.layers.base import BaseLayer, Flow
from skrnn._networks.layers.dense import dense, dense_weights
from skrnn._networks.layers.normalization import EPSILON
from skrnn._networks.outline import numbered
from skrnn._networks.weights import Weight


@dataclass(frozen=True)
class TransformerBlock(BaseLayer):
    """Self-attention and two dense layers, each added to what it has read.

    ``x + attention(norm(x))``, and then ``x + dense(norm(x))``: normalised before and
    not after the layers, so that deep stacks train (Xiong et al., 2020). The rest is
    Vaswani et al. (2017).

    Attributes
    ----------
    units : int
        Width of inputs and outputs, a multiple of the number of heads.
    n_heads : int
    dim_feedforward : int
        Width of the first dense layer.
    activation : str
        Its activation.
    causal : bool
        Whether a step attends only to itself and to earlier steps.
    rotary : bool
        Whether queries and keys are turned by their places.
    dropout : float
        Share of what is added that is dropped in training.
    """

    units: int
    n_heads: int
    dim_feedforward: int
    activation: str = "relu"
    causal: bool = False
    rotary: bool = False
    dropout: float = 0.0

    parameter = "n_layers"
    parameters = {"units": "d_model", "rotary": "positional", "dropout": None}
    reads_ahead = "causal=False"

    @property
    def streams(self):
        return self.causal

    @property
    def label(self):
        return numbered(self.name, "transformer_block")

    @property
    def title(self):
        causal = "causal " if self.causal else ""
        return f"TransformerBlock, {causal}{self.n_heads} heads"

    @property
    def width(self):
        """Outputs of a step."""
        return self.units

    @property
    def rates(self):
        return {"dropout": self.dropout}

    def with_any_rate(self):
        return replace(self, dropout=float(self.dropout > 0))

    def without_rates(self):
        return replace(self, dropout=0.0)

    @property
    def products(self):
        """Multiplications of one step, but for those with other steps."""
        return self.units * (4 * self.units + 2 * self.dim_feedforward)

    @cached_property
    def names_of_weights(self):
        """The names of its weights, in their order."""
        return [row.name for row in self.weights(self.units)[0]]

    def weights(self, width):
        d, hidden = self.units, self.dim_feedforward
        rows = self._norm("attention_norm")
        for name in ("query", "key", "value", "output"):
            # What a bias adds to all keys adds the same to all scores of a query, and
            # shares don't change: its gradient is rounding, unless places turn it.
            trains_bias = name != "key" or self.rotary
            rows += dense_weights(f"{self.name}/{name}", d, d, trains_bias)
        rows += self._norm("dense_norm")
        rows += dense_weights(f"{self.name}/dense", d, hidden)
        rows += dense_weights(f"{self.name}/dense_output", hidden, d)
        return rows, d

    def _norm(self, name):
        first = Weight(f"{self.name}/{name}/gamma", (self.units,), "ones")
        return [first, Weight(f"{self.name}/{name}/beta", (self.units,), "zeros")]

    def forward(self, run, w, flow, lengths):
        steps, attended = run.fused(transform, self, w, flow.steps, lengths)
        return Flow(steps, attended=attended)

    def rotation(self, n_steps):
        """Return cosines, and behind them sines, of the angles of steps: (T, d)."""
        places = np.arange(n_steps, dtype=np.float32)[:, None]
        angles = places * frequencies(self.units // self.n_heads // 2)
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)

    def step(self, run, w, flow, state):
        x = flow.steps[None]
        place = 0 if state is None else len(state[0])
        q, k, v = self.project(run, w, x, np.array([place], float))
        if state is not None:
            k, v = (np.concatenate(pair) for pair in zip(state, (k, v), strict=True))
        lengths = np.full(x.shape[1], place + 1)
        context, _ = run.attend_to_steps(q, k, v, lengths, False)
        return Flow(self.after(run, w, x, context)[0]), (k, v)

    def project(self, run, w, x, places):
        """Return queries, keys and values, (T, B, heads, d)."""
        x = self._normalised(run, w, "attention_norm", x)
        q, k, v = (
            split_heads(run.ops, self._dense(run, w, name, x), self.n_heads)
            for name in ("query", "key", "value")
        )
        if self.rotary:
            q, k = (turned(run.ops, each, places) for each in (q, k))
        return q, k, v

    def after(self, run, w, x, context):
        """Return the block's output for the contexts of its heads."""
        merged = merge_heads(run.ops, context)
        x = x + self._dropped(run, self._dense(run, w, "output", merged))
        h = self._normalised(run, w, "dense_norm", x)
        h = ACTIVATIONS[self.activation](run.ops, self._dense(run, w, "dense", h))
        return x + self._dropped(run, self._dense(run, w, "dense_output", h))

    def _dense(self, run, w, name, x):
        return dense(run, w, f"{self.name}/{name}", x)

    def _dropped(self, run, x):
        return run.dropout(x, "dropout") if self.dropout else x

    def _normalised(self, run, w, name, x):
        name = f"{self.name}/{name}"
        return run.normalise(x, w[f"{name}/gamma"], w[f"{name}/beta"])

    def keras(self, flow, seeds):
        from skrnn._networks.keras.blocks import block  # noqa: PLC0415

        return Flow(block(self, flow.steps, seeds, EPSILON))


def transform(run, block, w, x, lengths):
    """Run a block over all steps x (T, B, d_model) by its formula.

    Parameters
    ----------
    block : TransformerBlock
    w : dict of arrays
        All weights of the network, by name.

    Returns
    -------
    steps : array of shape (T, B, d_model)
        In the padding stands anything that is finite.
    weights : array of shape (T, T, B, heads), or None where nobody reads them
    """
    q, k, v = block.project(run, w, x, run.positions(x))
    context, attended = run.attend_to_steps(q, k, v, lengths, block.causal)
    return block.after(run, w, x, context), attended
