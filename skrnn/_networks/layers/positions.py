"""The position of a step in its sequence, which self-attention alone can't know."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._networks.attention import waves
from skrnn._networks.layers.base import BaseLayer
from skrnn._networks.weights import Weight

# Encodings of positions. The last one isn't a layer: blocks rotate queries and keys.
POSITIONS = ("sinusoidal", "learned", "rotary")


@dataclass(frozen=True)
class Positions(BaseLayer):
    """Add a vector for its position to each step.

    Attributes
    ----------
    kind : str
        "sinusoidal", of waves (Vaswani et al., 2017), or "learned", a table (Gehring et
        al., 2017).
    n_rows : int
        Number of steps of a learned table, 0 for waves. Later steps would get the last
        row, but estimators refuse them.
    """

    kind: str
    n_rows: int = 0

    parameter = "positional"
    parameters = {"kind": "positional", "n_rows": "positional"}

    @property
    def title(self):
        return f"Positions, {self.kind}"

    def weights(self, width):
        if self.kind != "learned":
            return [], width
        return [Weight(self._table, (self.n_rows, width), "uniform")], width

    @property
    def _table(self):
        return f"{self.name}/embeddings"

    def forward(self, run, w, flow, lengths):
        if self.kind == "learned":
            told = run.rows_of_steps(w[self._table], flow.steps)
        else:
            places, width = run.positions(flow.steps), flow.steps.shape[-1]
            told = waves(run.ops, places, width)
        return replace(flow, steps=flow.steps + told[:, None])

    def step(self, run, w, flow, state):
        place = 0 if state is None else state
        x = flow.steps
        if self.kind == "learned":
            if place >= self.n_rows:
                raise ValueError(
                    f"positional='learned' knows the {self.n_rows} steps of the "
                    "longest sequence of fit, and this is one more; use 'rotary' or "
                    "'sinusoidal' for longer ones."
                )
            told = w[self._table][place]
        else:
            places = np.array([place], float)
            told = waves(run.ops, places, x.shape[-1])[0]
        return replace(flow, steps=x + told), place + 1

    def keras(self, flow, seeds):
        from skrnn._networks.keras.blocks import add_positions  # noqa: PLC0415

        return replace(flow, steps=add_positions(self, flow.steps, seeds))
