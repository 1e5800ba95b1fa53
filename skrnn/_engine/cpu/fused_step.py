"""Training steps in C, for the networks that most estimators are by default.

They compute the same as the tape in `skrnn._engine.cpu.network`, which is their
reference. Python's work between the kernels took a sixth of a step of 50 LSTM units and
a quarter of one of plain units, and threads that trained at once waited for each other
there. With Adam, whole runs of steps are one call; for any other optimizer a call only
computes gradients.
"""

from dataclasses import dataclass

import numpy as np

from skrnn._engine.cpu.kernels.layer import (
    IN_C,
    KERNEL_ACTIVATIONS,
    KERNEL_CELLS,
    per_number,
)
from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import WORTH_A_THREAD
from skrnn._engine.cpu.run import DropoutMasks
from skrnn._networks.cells import CELLS
from skrnn._networks.layers import Dropout, LastState, Recurrent
from skrnn._networks.losses import row_of
from skrnn._networks.optimizers import BETA_1, BETA_2, EPSILON

# Kernel, recurrent kernel and bias of the layer; kernel and bias of the head.
_N_PARTS = 5


@dataclass(frozen=True)
class FusedStep:
    """What the step in C needs to know about a network: the same for every batch.

    Attributes
    ----------
    layer : Recurrent
        Its only recurrent layer.
    drops : bool
        Whether a share of its last states is dropped before the head.
    loss : int
        Number of its loss in the enum of ``steps.h``.
    parameter : float
        Parameter of the loss, if it has one.
    n_features, n_outputs : int
    """

    layer: Recurrent
    drops: bool
    loss: int
    parameter: float
    n_features: int
    n_outputs: int

    def takes(self, program, data, order):
        """Whether steps on these batches are taken here; large ones aren't."""
        # Other sources make their sequences batch by batch.
        sequences = getattr(data, "sequences", None)
        return (
            program.logits is None
            and sequences is not None
            and sequences.is_uniform
            and sequences.values.dtype == np.float32
            and order.shape[1] * sequences.lengths[0] * self._work < WORTH_A_THREAD
        )

    @property
    def _n_columns(self):
        return CELLS[self.layer.cell].n_gates * self.layer.units

    @property
    def _work(self):
        """About the multiplications in a time step of one sequence."""
        return self._n_columns * per_number(self.layer.cell, self.layer.units)

    def train(self, program, data, order, step_inputs):
        """Do what `CpuProgram.train` does; return None for batches that aren't taken.

        Adam's steps are all one call; for any other optimizer C computes the gradients
        of each batch.
        """
        if not self.takes(program, data, order):
            return None
        optimizer = program.optimizer
        if optimizer.is_fused:
            with np.errstate(over="ignore"):
                # As a callback's optimizer of Keras would hold it.
                rates = step_inputs.get("rates")
                rate = np.float32(optimizer.learning_rate) if rates is None else rates
            given = rate, optimizer._state, optimizer.n_steps
            *found, optimizer.n_steps = self._run(
                program, data, order, step_inputs, *given
            )
            if rates is not None:
                optimizer.learning_rate = float(rates[-1])
            return tuple(found)

        def differentiate(i):
            inputs = step_inputs | {"step": int(step_inputs["step"]) + i}
            return self._run(program, data, order[i : i + 1], inputs)[:3]

        return program.take_steps(differentiate, len(order), step_inputs)

    def _run(self, program, data, order, step_inputs, rate=0.0, moments=(), n_done=0):
        layer, sequences = self.layer, data.sequences
        (n_batches, batch_size), n_steps = order.shape, int(sequences.lengths[0])
        rows, counts = _rows_of(order)
        with np.errstate(all="ignore"):
            masks = self._masks(counts, batch_size, step_inputs)
        # The same for every call of a fit.
        space = program._workspace.first(self._n_numbers(batch_size, n_steps))
        starts, at = sequences.starts[rows], data.target_starts[rows]
        total, count, finite, n_done = kernels.train(
            KERNEL_CELLS.index(layer.cell),
            KERNEL_ACTIVATIONS.index(layer.activation),
            self.loss,
            self.parameter,
            n_steps,
            layer.units,
            self.n_features,
            self.n_outputs,
            sequences.step,
            counts,
            np.ascontiguousarray(starts, np.int64),
            sequences.values,
            data.targets[at],
            data.weights[at],
            program._flat,
            program._gradient,
            *(moments or (None, None)),
            self._ends(program),
            space,
            np.full(n_batches, rate, np.float64),
            *masks,
            float(step_inputs["clipnorm"]),
            float(step_inputs.get("global_clipnorm", np.inf)),
            BETA_1,
            BETA_2,
            EPSILON,
            n_done,
        )
        return total, count, bool(finite), n_done

    def _ends(self, program):
        """Return where the parts of the weights end; recurrent ones may be empty."""
        ends = program._ends
        return ends if len(ends) == _N_PARTS else np.insert(ends, 1, ends[0])

    def _masks(self, counts, batch_size, step_inputs):
        """Draw what is dropped in each step: recurrent states, and those of the head.

        They are drawn in the order of the formula.
        """
        drops = {
            "recurrent_dropout": self.layer.recurrent_dropout,
            "dropout": self.drops,
        }
        shape = len(counts), batch_size, self.layer.units
        masks = {rate: np.zeros(shape, np.float32) for rate in drops if drops[rate]}
        for i, n in enumerate(counts if masks else ()):
            drawn = DropoutMasks(step_inputs, int(step_inputs["step"]) + i)
            for rate, mask in masks.items():
                mask[i, :n] = drawn.mask((n, self.layer.units), rate)
        return [masks.get(rate) for rate in drops]

    def _n_numbers(self, batch_size, n_steps):
        """Return how many numbers of memory a batch needs."""
        units = self.layer.units
        size = (n_steps + 1) * (self.n_features + self._n_columns + 3 * units)
        size += self.n_outputs + 3 * units
        # Nine arrays, each of a multiple of 16 numbers.
        return batch_size * size + 9 * 16


def _rows_of(order):
    """Return the rows of each batch, filled up at the end, and their number."""
    absent = order < 0
    if absent.any():
        first = np.argsort(absent, axis=1, kind="stable")
        order = np.take_along_axis(order, first, axis=1)
    return np.maximum(order, 0), (~absent).sum(axis=1)


def fused_step(spec) -> FusedStep | None:
    """Return the fused step of a network; None if there is none.

    There is one for one layer of one direction and a head for its last state.
    """
    layer, *others = spec.layers
    row, values = row_of(spec.head.loss)
    if not (
        isinstance(layer, Recurrent)
        and not layer.bidirectional
        and layer.timescale == 1
        and (layer.cell, layer.activation) in IN_C
        and [type(each) for each in others] in ([LastState], [Dropout, LastState])
        and row.fused is not None
    ):
        return None
    given = *(values or (0.0,)), spec.n_features, spec.head.units
    return FusedStep(layer, len(others) > 1, row.fused, *given)
