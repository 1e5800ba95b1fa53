"""The rows of the table of cells."""

from functools import lru_cache
from typing import Any

from skrnn._networks.cells import gru, indrnn, lstm, mingru, minlstm, rnn
from skrnn._networks.cells.dilated import DilatedCell

CELLS: dict[str, Any] = {
    "rnn": rnn.CELL,
    "lstm": lstm.CELL,
    "gru": gru.CELL,
    "mingru": mingru.CELL,
    "minlstm": minlstm.CELL,
    "indrnn": indrnn.CELL,
}


def cell_of(name: str, timescale: int = 1) -> Any:
    """Return a cell that goes on from its state `timescale` steps before."""
    return _dilated(CELLS[name], timescale) if timescale > 1 else CELLS[name]


@lru_cache(maxsize=64)
def _dilated(cell, timescale):
    return DilatedCell(cell, timescale)
