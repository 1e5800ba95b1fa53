"""Independently recurrent units."""

from skrnn._networks.cells.unitwise import UnitwiseCell


def indrnn_step(ops, activation, x, u, h, drop):
    """Step independent units (Li et al., 2018): ``h' = activation(x + u * h)``."""
    return (activation(ops, x + u * drop(h)),)


CELL = UnitwiseCell(n_gates=1, formula=indrnn_step, recurrent=True)
