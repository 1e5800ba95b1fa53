"""The table of recurrent cells: each owns its weights, its projection and its step.

A cell is one row of `CELLS`, in a file of its own. Its formula is the textbook's, and
every engine and every estimator reads it from here. `GatedCell` is for cells whose
gates are sums of a product with the input and one with the previous state. In a
`UnitwiseCell`, units read only their own state. A `MemoryCell` has a memory beside its
units. Any other kind is an object with the methods of `skrnn._networks.contracts.Cell`.
"""

from skrnn._networks.cells.base import BaseCell, hold
from skrnn._networks.cells.gated import GatedCell
from skrnn._networks.cells.ntm import MEMORY, MemoryCell
from skrnn._networks.cells.run import CellRun
from skrnn._networks.cells.table import CELLS, cell_of, memory_of
from skrnn._networks.cells.unitwise import UnitwiseCell

__all__ = [
    "CELLS",
    "MEMORY",
    "BaseCell",
    "CellRun",
    "GatedCell",
    "MemoryCell",
    "UnitwiseCell",
    "cell_of",
    "hold",
    "memory_of",
]
