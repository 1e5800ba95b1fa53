"""The parameters of recurrent layers."""

from dataclasses import dataclass

from skrnn._data.typing import Widths
from skrnn._networks.cells import MEMORY
from skrnn._sklearn import Count, Counts, Share


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentLayers:
    """The parameters of recurrent layers, whatever network they are part of."""

    units: Widths = 32
    timescales: tuple[int, ...] | None = None
    memory: tuple[int, int] = MEMORY
    recurrent_dropout: float = 0.0
    layer_norm: bool = False

    _layer_constraints = {
        "units": [Count(), Counts()],
        "timescales": [Counts(), None],
        "memory": [Counts(length=2)],
        "recurrent_dropout": [Share()],
        "layer_norm": ["boolean"],
    }
