"""Recurrent layers of one direction or both."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from skrnn._networks.cells import CellRun, cell_of
from skrnn._networks.layers.base import BaseLayer, Flow
from skrnn._networks.outline import numbered
from skrnn._networks.weights import named


@dataclass(frozen=True)
class Recurrent(BaseLayer):
    """A cell that runs over the steps, and over the reversed ones if asked to.

    Attributes
    ----------
    cell : str
        A key of `CELLS`.
    units : int
        Of one direction; those of both stand side by side.
    activation : str
    bidirectional : bool
    recurrent_dropout : float
        Share of the states dropped in products with recurrent weights.
    steps, state : bool
        Whether the outputs of all steps, and the last ones, are read by another layer.
    timescale : int
        Number of steps between consecutive states.
    memory : tuple of two ints, or ()
        Slots of the memory and their width, if the cell has one.
    """

    cell: str
    units: int
    activation: str = "tanh"
    bidirectional: bool = False
    recurrent_dropout: float = 0.0
    steps: bool = True
    state: bool = True
    timescale: int = 1
    memory: tuple[int, ...] = ()

    parameter = "units"
    parameters: ClassVar[dict[str, str | None]] = {
        **dict.fromkeys(["recurrent_dropout", "steps", "state"]),
        "timescale": "timescales",
        "memory": "memory",
    }
    reads_ahead = "bidirectional=True"

    @property
    def cell_itself(self):
        """The cell, without weights."""
        return cell_of(self.cell, self.timescale, self.memory)

    @property
    def directions(self):
        """Names of the directions that it reads."""
        return ("forward", "backward") if self.bidirectional else ("forward",)

    @property
    def streams(self):
        return not self.bidirectional

    @property
    def rates(self):
        return {"recurrent_dropout": self.recurrent_dropout}

    def with_any_rate(self):
        return replace(self, recurrent_dropout=float(self.recurrent_dropout > 0))

    def without_rates(self):
        return replace(self, recurrent_dropout=0.0)

    @property
    def products(self):
        """Multiplications of one step with recurrent weights, about."""
        return sum(
            math.prod(weight.shape)
            for weight in self.cell_itself.weights(self.units, self.units)
            if weight.name.startswith("recurrent")
        )

    @property
    def label(self):
        return numbered(self.name, self.cell)

    @property
    def title(self):
        name = cell_of(self.cell).keras_layer or self.cell
        name = f"Bidirectional {name}" if self.bidirectional else name
        return name if self.timescale == 1 else f"{name}, timescale {self.timescale}"

    @property
    def gate_order(self):
        return cell_of(self.cell).gate_order

    def names_of(self, weight):
        """Each direction is a layer among users."""
        direction, _, name = weight.name.removeprefix(f"{self.name}/").partition("/")
        label = f"{direction}_{self.label}" if self.bidirectional else self.label
        return label, name.replace("/", "_")

    def has_steps(self, before):
        return self.steps

    @property
    def width(self):
        """Outputs of a step."""
        return self.units * len(self.directions)

    @property
    def state_shapes(self):
        """The shape of each state of one direction."""
        return self.cell_itself.state_shapes(self.units)

    def weights(self, width):
        rows = self.cell_itself.weights(width, self.units)
        table = []
        for direction in self.directions:
            table += named(f"{self.name}/{direction}", rows)
        return table, self.width

    def cell_run(self, w, direction="forward"):
        """Return the cell with its weights of a direction."""
        names = _names_of_weights(self.cell_itself)
        return CellRun(
            self.cell,
            self.activation,
            self.units,
            {name: w[f"{self.name}/{direction}/{name}"] for name in names},
            drops=self.recurrent_dropout > 0,
            timescale=self.timescale,
            memory=self.memory,
        )

    def forward(self, run, w, flow, lengths):
        return self.carry(run, w, flow, lengths)[0]

    def carry(self, run, w, flow, lengths, states=None, reset_mask=None, final=False):
        """Run from given states.

        Parameters
        ----------
        states : tuple of arrays (B, ...), default=None
            Before the first step; zeros if None.
        reset_mask : array of bool of shape (T, B), default=None
            Where the states before a step are zeros.
        final : bool, default=False
            Whether the states after each sequence's last step are asked for.

        Returns
        -------
        flow : Flow
        states : list of tuples of arrays, or of None
            One entry a direction.
        """
        outputs, last, after = [], [], []
        for direction in self.directions:
            backward = direction == "backward"
            x = run.reverse(flow.steps, lengths) if backward else flow.steps
            given = x, lengths, states, reset_mask, final
            y, found = run.recur(self.cell_run(w, direction), *given)
            after.append(found)
            if self.state:
                last.append(run.last(y, lengths))
            if self.steps:
                outputs.append(run.reverse(y, lengths) if backward else y)
        steps, state = _join(run.ops, outputs), _join(run.ops, last)
        return Flow(steps, state, aside=flow.aside), after

    def step(self, run, w, flow, state):
        cell = self.cell_run(w)
        after = run.step(cell, flow.steps, state)
        y = cell.cell.output(after)
        return Flow(y, y, aside=flow.aside), after

    def keras(self, flow, seeds):
        from skrnn._networks.keras.parts import directions  # noqa: PLC0415

        x = directions(self, seeds, return_sequences=self.steps)(flow.steps)
        if not self.steps:
            return replace(flow, steps=None, state=x)
        state = self._last_of_keras(x) if self.state else None
        return replace(flow, steps=x, state=state)

    def _last_of_keras(self, x):
        """Take the last output of each direction: (B, T, U) -> (B, U)."""
        from keras import ops  # noqa: PLC0415

        if not self.bidirectional:
            return x[:, -1]
        forward, backward = x[:, -1, : self.units], x[:, 0, self.units :]
        return ops.concatenate([forward, backward], axis=-1)


@lru_cache(maxsize=64)
def _names_of_weights(cell):
    return [weight.name for weight in cell.weights(1, 1)]


def _join(ops, parts):
    """Put the outputs of the directions side by side; None if there are none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
