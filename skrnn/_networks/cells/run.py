"""A cell with its weights."""

from dataclasses import dataclass, field

from skrnn._networks.cells.table import cell_of


@dataclass(frozen=True)
class CellRun:
    """A cell with its weights, ready to run over steps.

    Attributes
    ----------
    name : str
        Key of `CELLS`.
    activation : str
        Key of `ACTIVATIONS`.
    weights : dict of arrays
        By the names that the cell gives them.
    drops : bool
        Whether there is recurrent dropout in training.
    timescale : int
        Number of steps between consecutive states.
    memory : tuple of two ints, or ()
        Slots of the memory and their width, if the cell has one.
    """

    name: str
    activation: str
    units: int
    weights: dict = field(repr=False)
    drops: bool = False
    timescale: int = 1
    memory: tuple[int, ...] = ()

    @property
    def cell(self):
        return cell_of(self.name, self.timescale, self.memory)

    def zeros(self, make, n_sequences):
        """Return the states before the first step, each by ``make(shape)``."""
        shapes = self.cell.state_shapes(self.units)
        return tuple(make((n_sequences, *shape)) for shape in shapes)
