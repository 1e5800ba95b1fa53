"""Whole training steps in C, for the networks that most estimators are by default.

What they compute is what the tape does, in `skrnn._engine._native`, which is their
plain twin. What Python does between the kernels took a sixth of a step of 50 LSTM units
and a quarter of one of plain units, and threads that trained at once waited there.
"""

import numpy as np

from skrnn._cells import CELLS
from skrnn._engine._layer import KERNEL_ACTIVATIONS, KERNEL_CELLS
from skrnn._engine._native_optimizers import ADAM
from skrnn._engine._products import kernels
from skrnn._engine._threads import WORTH_A_THREAD

# The kernel knows these by their place.
LOSSES = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")


def can_step(program, data, order):
    """Whether steps on some batches can be taken here: large ones are divided there."""
    spec, sequences = program.spec, data.sequences
    work = order.shape[1] * sequences.lengths[0] * CELLS[spec.cell].n_gates
    return (
        _is_plain(spec)
        and program.heard is None
        and work * spec.units[0] ** 2 < WORTH_A_THREAD
        and program.optimizer.name == "adam"
        and program.loss_name in LOSSES
        and sequences.is_uniform
        and sequences.values.dtype == np.float32
    )


def _is_plain(spec):
    """Whether a network is one layer, one direction, a head for its last state."""
    more = [spec.bidirectional, spec.return_sequences, spec.attention, spec.layer_norm]
    more += [spec.embedding_dim, spec.dense_units, spec.dropout, spec.recurrent_dropout]
    return len(spec.units) == 1 and not any(more)


def take_steps(program, data, order, knobs):
    """Do what `NativeProgram.train` does."""
    spec, optimizer, sequences = program.spec, program.optimizer, data.sequences
    rows = np.maximum(order, 0)
    targets = data.target_starts[rows]
    rates = knobs.get("rates")
    with np.errstate(over="ignore"):
        # As a callback's optimizer of Keras would hold it.
        rate = np.float32(optimizer.learning_rate) if rates is None else rates
    total, count, finite, optimizer.n_steps = kernels.train(
        KERNEL_CELLS.index(spec.cell),
        KERNEL_ACTIVATIONS.index(spec.activation),
        LOSSES.index(program.loss_name),
        int(sequences.lengths[0]),
        spec.units[0],
        spec.n_features,
        spec.head.units,
        sequences.step,
        (order >= 0).sum(axis=1),
        np.ascontiguousarray(sequences.starts[rows], np.int64),
        sequences.values,
        data.targets[targets],
        data.weights[targets],
        program._flat,
        program._gradient,
        *optimizer._state,
        program._ends,
        _space(program, order.shape[1], int(sequences.lengths[0])),
        np.full(len(order), rate, np.float64),
        float(knobs["clipnorm"]),
        float(knobs.get("global_clipnorm", np.inf)),
        *ADAM,
        optimizer.n_steps,
    )
    if rates is not None:
        optimizer.learning_rate = float(rates[-1])
    return total, count, bool(finite)


def _space(program, batch_size, n_steps):
    """Return room for the numbers of a batch: the same for every call of a fit."""
    spec = program.spec
    (units,), columns = spec.units, CELLS[spec.cell].n_gates * spec.units[0]
    of_step = spec.n_features + columns + 3 * units
    size = (n_steps + 1) * of_step + spec.head.units + 2 * units
    program._workspace.rewind()
    # Eight arrays, each of a multiple of 16 numbers.
    return program._workspace.empty(batch_size * size + 8 * 16)
