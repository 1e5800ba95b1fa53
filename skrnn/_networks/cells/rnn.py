"""The plain recurrent network."""

from skrnn._networks.cells.gated import GatedCell


def rnn_step(ops, activation, x, r, h):
    """Elman's network: ``h' = activation(x + r)`` (Elman, 1990)."""
    return (activation(ops, x + r),)


CELL = GatedCell(n_gates=1, n_states=1, formula=rnn_step, keras_layer="SimpleRNN")
