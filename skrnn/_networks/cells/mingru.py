"""The minimal gated recurrent unit, whose gate reads the input alone."""

from skrnn._networks.cells.unitwise import UnitwiseCell


def mingru_gates(ops, activation, x):
    """Return the gate and the candidate, the halves of x, by name."""
    z, g = ops.split(x, 2, axis=-1)
    return {"update": ops.sigmoid(z), "candidate": activation(ops, g)}


def mingru_step(ops, activation, x, _u, h, _drop):
    """Step a minGRU (Feng et al., 2024): ``h' = (1 - z) * h + z * candidate``.

    The paper's candidate is linear; here the network's activation is applied to it.
    """
    gates = mingru_gates(ops, activation, x)
    return (h + gates["update"] * (gates["candidate"] - h),)


CELL = UnitwiseCell(
    n_gates=2,
    formula=mingru_step,
    gates=mingru_gates,
    slow_gate=0,
    gate_order=("update", "candidate"),
)
