"""The gated recurrent unit."""

from skrnn._networks.cells.gated import GatedCell


def gru_gates(ops, activation, x, r):
    """Return the gates of `gru_step`, the thirds of x and r, by name."""
    x_z, x_reset, x_n = ops.split(x, 3, axis=-1)
    r_z, r_reset, r_n = ops.split(r, 3, axis=-1)
    update, reset = ops.sigmoid(x_z + r_z), ops.sigmoid(x_reset + r_reset)
    candidate = activation(ops, x_n + reset * r_n)
    return {"update": update, "reset": reset, "candidate": candidate}


def gru_step(ops, activation, x, r, h):
    """Gated recurrent unit, the reset gate after the product (Cho et al., 2014).

    ``h' = z * h + (1 - z) * activation(x_n + reset * r_n)``, z being the update gate.
    """
    gates = gru_gates(ops, activation, x, r)
    z = gates["update"]
    return (z * h + (1 - z) * gates["candidate"],)


CELL = GatedCell(
    n_gates=3,
    n_states=1,
    formula=gru_step,
    gates=gru_gates,
    recurrent_bias=True,
    keras_layer="GRU",
    gate_order=("update", "reset", "candidate"),
)
