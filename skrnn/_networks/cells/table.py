"""The rows of the table of cells."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from skrnn._networks.cells import gru, indrnn, lstm, mingru, minlstm, ntm, rnn
from skrnn._networks.cells.dilated import DilatedCell

CELLS: dict[str, Any] = {
    "rnn": rnn.CELL,
    "lstm": lstm.CELL,
    "gru": gru.CELL,
    "mingru": mingru.CELL,
    "minlstm": minlstm.CELL,
    "indrnn": indrnn.CELL,
    "ntm": ntm.CELL,
}


def cell_of(name: str, timescale: int = 1, memory: tuple[int, ...] = ()) -> Any:
    """Return a cell with a `memory` that goes on from `timescale` steps before.

    For a cell without a memory it is ().
    """
    cell, memory = CELLS[name], memory_of(name, memory)
    return _made(cell, timescale, memory) if timescale > 1 or memory else cell


def memory_of(name: str, memory: tuple[int, ...]) -> tuple[int, ...]:
    """Return the slots of a cell's memory and their width; () if it has none."""
    has_memory = isinstance(CELLS[name], ntm.MemoryCell)
    return tuple(int(n) for n in memory) if has_memory else ()


@lru_cache(maxsize=64)
def _made(cell, timescale, memory):
    if memory:
        cell = replace(cell, slots=memory[0], width=memory[1])
    return DilatedCell(cell, timescale) if timescale > 1 else cell
