"""A network as a table: its layers, what they put out, and how it was trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skrnn._estimators.description.weights import UNITS_OF_Y
from skrnn._networks.specs import Spec

HEADINGS = ("Layer (type)", "Output shape", "Parameters")
_BYTES_OF_A_NUMBER = 4


@dataclass(frozen=True)
class Training:
    """How a network was trained.

    Attributes
    ----------
    n_epochs, best_epoch : int
        How many there were, and the one, from 1, whose weights were kept; 0 if none.
    history : mapping of str to list of float
    """

    n_epochs: int
    best_epoch: int
    history: Mapping[str, list[float]]

    @property
    def loss(self) -> tuple[str, float] | None:
        """The loss of the kept weights by its name; None if no epoch was kept."""
        for name in ("val_loss", "loss"):
            losses = self.history.get(name, [])
            if 0 < self.best_epoch <= len(losses):
                found = losses[self.best_epoch - 1]
                if math.isfinite(found):
                    return name, found
        return None

    def words(self) -> str:
        """Say it in a line."""
        epochs = "1 epoch" if self.n_epochs == 1 else f"{self.n_epochs} epochs"
        if self.loss is None:
            return epochs
        name, loss = self.loss
        kept = (
            "" if self.best_epoch == self.n_epochs else f" in epoch {self.best_epoch}"
        )
        return f"{epochs}, {name} {loss:.4g}{kept}"


@dataclass(frozen=True)
class Summary:
    """A network and its training.

    Attributes
    ----------
    rows : list of (str, str, int)
        A layer with its kind, its output's shape, and its number of parameters.
    architecture : str
        The layers that have parameters, with their widths, in a line.
    n_parameters, n_frozen : int
        How many there are, and how many of them training leaves alone.
    training : Training
    """

    rows: list[tuple[str, str, int]]
    architecture: str
    n_parameters: int
    n_frozen: int
    training: Training

    def lines(self) -> list[str]:
        """Return the table as lines of text."""
        cells = [(layer, shape, f"{n:,}") for layer, shape, n in self.rows]
        widths = [
            max(map(len, column)) for column in zip(HEADINGS, *cells, strict=True)
        ]
        rule = "-" * (sum(widths) + 4)
        lines = [_line(row, widths) for row in (HEADINGS, *cells)]
        return [lines[0], rule, *lines[1:], rule, self.size(), self.trained()]

    def size(self) -> str:
        """Say how large the network is."""
        size = _in_bytes(self.n_parameters * _BYTES_OF_A_NUMBER)
        trains = "all trainable"
        if self.n_frozen:
            trains = f"{self.n_parameters - self.n_frozen:,} of them trainable"
        return f"Parameters: {self.n_parameters:,} ({size}), {trains}"

    def trained(self) -> str:
        """Say how the network was trained."""
        return f"Training: {self.training.words()}"


def summary_of(spec: Spec, training: Training, *, rescales: bool) -> Summary:
    """Describe a trained network; `rescales` tells of outputs in units of y."""
    parts = spec.outline()
    input_shape = "(n, T)"
    if spec.embedding is None or spec.embedding.channels:
        input_shape = f"(n, T, {spec.n_features})"
    rows = [("input", input_shape, 0)]
    rows += [
        (f"{part.label} ({part.title})", _shape(part), part.n_parameters)
        for part in parts
        if part.title
    ]
    if rescales:
        rows.append((f"{UNITS_OF_Y} (Rescaling)", _shape(parts[-1]), 0))
    architecture = ", ".join(
        # "Dense 1" of "Dense, linear".
        f"{part.title.partition(',')[0]} {part.width}"
        for part in parts
        if part.n_parameters
    )
    weights = [row for part in parts for *_, row in part.weights]
    n_frozen = sum(math.prod(row.shape) for row in weights if not row.trainable)
    n_parameters = sum(part.n_parameters for part in parts)
    return Summary(rows, architecture, n_parameters, n_frozen, training)


def _shape(part):
    return f"(n, {part.steps}, {part.width})" if part.steps else f"(n, {part.width})"


def _line(row, widths):
    layer, shape, n = row
    return f"{layer:{widths[0]}}  {shape:{widths[1]}}  {n:>{widths[2]}}"


def _in_bytes(n):
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} GB"


def lines_of(estimator: Any) -> list[str]:
    """Return what ``summary`` prints of any estimator: at least its parameters."""
    summary = getattr(estimator, "_summary_lines", None)
    if summary is not None:
        return summary()
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return repr(estimator).splitlines()
    # A Pipeline: what comes before is seen in its parameters.
    *before, (_, last) = steps
    return [*(f"{name}: {step!r}" for name, step in before), *lines_of(last)]


def members_in_lines(members: list[Any]) -> list[str]:
    """Return the lines of all members of an ensemble; equal networks are told once."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, member in enumerate(members, start=1):
        groups.setdefault(tuple(_without_training(member)), []).append(number)
    found = []
    for numbers in groups.values():
        of_one = f"Member {numbers[0]}"
        several = f"Members {', '.join(map(str, numbers))}, each"
        found += ["", f"{of_one if len(numbers) == 1 else several}:"]
        first = members[numbers[0] - 1]
        found += _without_training(first)
        found += [
            f"Training of member {number}: {training.words()}"
            for number in numbers
            if (training := getattr(members[number - 1], "_training", None)) is not None
        ]
    return found


def _without_training(member):
    return [line for line in lines_of(member) if not line.startswith("Training: ")]
