"""The gradients of convolutions in training are the slopes of their formula."""

import numpy as np
import pytest
from _network_cases import draw_dataset, draw_ragged, draw_weights, spec_of

from skrnn._engine.cpu.network import NetworkProgram
from skrnn._engine.cpu.reference import ReferenceRun
from skrnn._engine.cpu.run import DropoutMasks
from skrnn._networks.forward import forward
from skrnn._networks.weights import weight_table

LENGTHS = [9, 7, 5, 4, 2, 1]
# A batch of eight that six sequences don't fill.
ROWS = np.array([*range(6), -1, -1])
CLOSE = dict(rtol=2e-3, atol=2e-5)
NETWORKS = {
    "pooled": {},
    "both directions": dict(bidirectional=True, units=(3, 2)),
    "each step": dict(return_sequences=True),
    "attention": dict(attention="additive"),
    "causal": dict(conv_padding="causal"),
    "causal, each step": dict(conv_padding="causal", return_sequences=True),
}


class TrainingRun(ReferenceRun):
    """The formula in double precision, with the statistics of a batch."""

    def __init__(self, present):
        self._present = present

    def present(self, real):
        return real & self._present

    def followed(self, kept, of_batch, momentum):
        return of_batch()


def mean_loss(made, batch, weights):
    x, lengths = batch.inputs["x"].astype(float), batch.inputs["lengths"]
    run = TrainingRun(batch.rows_present)
    outputs = forward(run, made.spec, weights, x, lengths)[0]
    losses, _ = made.loss(batch.real(batch.targets), batch.real(outputs))
    return np.mean(losses * batch.real(batch.weights))


def slope(made, batch, weights, number, place, step=1e-6):
    """Return the slope of the loss along one number of one weight."""
    found = []
    for to in (step, -step):
        moved = [weight.copy() for weight in weights]
        moved[number][place] += to
        found.append(mean_loss(made, batch, moved))
    return (found[0] - found[1]) / (2 * step)


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_of_ragged_batches_are_slopes(kind):
    gradients_are_slopes(LENGTHS, ROWS, **NETWORKS[kind])


def test_gradients_without_padding_are_slopes():
    gradients_are_slopes([5] * 6, ROWS[:6])


def gradients_are_slopes(lengths, rows, units=(3,), **choices):
    spec = spec_of(units=units, conv_filters=(3, 2), **choices)
    weights, table = draw_weights(spec, 1), weight_table(spec)
    data = draw_dataset(spec, draw_ragged(spec, lengths))
    made = NetworkProgram(spec, None, "sgd")
    made.reset(weights)
    batch = data.gather(rows)
    total, count = made._differentiate(data, rows, DropoutMasks({"seed": 0}, 0))
    exact = [weight.astype(float) for weight in weights]
    expected = mean_loss(made, batch, exact)
    np.testing.assert_allclose(total / count, expected, rtol=1e-4)
    numbers = [i for i, row in enumerate(table) if row.trainable]
    parts = np.split(made._gradient, made._ends[:-1])
    for number, part in zip(numbers, parts, strict=True):
        shape = exact[number].shape
        slopes = [slope(made, batch, exact, number, at) for at in np.ndindex(shape)]
        np.testing.assert_allclose(part, slopes, **CLOSE, err_msg=table[number].name)
