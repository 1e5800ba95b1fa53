"""Long short-term memory."""

from skrnn._networks.cells.gated import GatedCell


def lstm_gates(ops, activation, x, r):
    """Return the gates of `lstm_step`, which are the quarters of ``x + r``, by name."""
    i, f, g, o = ops.split(x + r, 4, axis=-1)
    return {
        "input": ops.sigmoid(i),
        "forget": ops.sigmoid(f),
        "candidate": activation(ops, g),
        "output": ops.sigmoid(o),
    }


def lstm_step(ops, activation, x, r, h, c):
    """Long short-term memory with forget gate (Gers et al., 2000).

    ``c' = forget * c + input * candidate`` and ``h' = output * activation(c')``.
    """
    gates = lstm_gates(ops, activation, x, r)
    c = gates["forget"] * c + gates["input"] * gates["candidate"]
    return gates["output"] * activation(ops, c), c


CELL = GatedCell(
    n_gates=4,
    n_states=2,
    formula=lstm_step,
    gates=lstm_gates,
    forget_gate=1,
    keras_layer="LSTM",
    tensorflow_kernel="BlockLSTM",
    gate_order=("input", "forget", "candidate", "output"),
)
