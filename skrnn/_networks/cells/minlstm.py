"""The minimal long short-term memory, whose gates read the input alone."""

from skrnn._networks.cells.unitwise import UnitwiseCell


def minlstm_gates(ops, activation, x):
    """Return the gates, which add up to 1, and the candidate: the thirds of x, by name.

    The quotient of two sigmoids is a sigmoid of a difference, which can't be 0 / 0.
    """
    f, i, g = ops.split(x, 3, axis=-1)
    difference = ops.logaddexp(-i, 0.0) - ops.logaddexp(-f, 0.0)
    return {
        "forget": ops.sigmoid(difference),
        "input": ops.sigmoid(-difference),
        "candidate": activation(ops, g),
    }


def minlstm_step(ops, activation, x, _u, h, _drop):
    """Step a minLSTM (Feng et al., 2024): ``h' = f * h + i * candidate``.

    f and i are the shares of the forget and the input gate in their sum. The paper's
    candidate is linear; here the network's activation is applied to it.
    """
    gates = minlstm_gates(ops, activation, x)
    return (gates["forget"] * h + gates["input"] * gates["candidate"],)


CELL = UnitwiseCell(
    n_gates=3,
    formula=minlstm_step,
    gates=minlstm_gates,
    slow_gate=1,
    gate_order=("forget", "input", "candidate"),
)
