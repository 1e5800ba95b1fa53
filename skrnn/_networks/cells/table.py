"""The rows of the table of cells."""

from typing import Any

from skrnn._networks.cells import gru, indrnn, lstm, mingru, minlstm, rnn

CELLS: dict[str, Any] = {
    "rnn": rnn.CELL,
    "lstm": lstm.CELL,
    "gru": gru.CELL,
    "mingru": mingru.CELL,
    "minlstm": minlstm.CELL,
    "indrnn": indrnn.CELL,
}
