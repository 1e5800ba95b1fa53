"""Whole training steps in C, for the networks that most estimators are by default.

What they compute is what the tape does, in `skrnn._engine.cpu.network`, which is their
reference. What Python does between the kernels took a sixth of a step of 50 LSTM units
and a quarter of one of plain units, and threads that trained at once waited there.
"""

import numpy as np

from skrnn._engine.cpu.kernels.layer import (
    KERNEL_ACTIVATIONS,
    KERNEL_CELLS,
    has_kernels,
)
from skrnn._engine.cpu.kernels.matmul import kernels
from skrnn._engine.cpu.kernels.threads import WORTH_A_THREAD
from skrnn._engine.cpu.losses import place_in_c
from skrnn._networks.cells import CELLS
from skrnn._networks.layers import LastState, Recurrent
from skrnn._networks.optimizers import BETA_1, BETA_2, EPSILON


def can_step(program, data, order):
    """Whether steps on some batches can be taken here: large ones are divided there."""
    layer, sequences = plain_layer(program.spec), data.sequences
    return (
        layer is not None
        and program.logits is None
        and order.shape[1] * _work(layer, sequences) < WORTH_A_THREAD
        and program.optimizer.name == "adam"
        and not program.has_own_loss
        and place_in_c(program.spec.head) is not None
        and sequences.is_uniform
        and sequences.values.dtype == np.float32
    )


def plain_layer(spec):
    """Return the recurrent layer of a network that steps in C; None of any other.

    That is one layer of one direction and a head for its last state.
    """
    if len(spec.layers) != 2:
        return None
    layer, pooling = spec.layers
    plain = isinstance(layer, Recurrent) and isinstance(pooling, LastState)
    plain = plain and has_kernels(layer.cell, layer.activation)
    return (
        layer
        if plain and not (layer.bidirectional or layer.recurrent_dropout)
        else None
    )


def _work(layer, sequences):
    """Return the multiplications of one sequence with recurrent weights."""
    n_gates = CELLS[layer.cell].n_gates
    return sequences.lengths[0] * n_gates * layer.units**2


def take_steps(program, data, order, step_inputs):
    """Do what `CpuProgram.train` does."""
    spec, optimizer, sequences = program.spec, program.optimizer, data.sequences
    layer = spec.layers[0]
    rows = np.maximum(order, 0)
    targets = data.target_starts[rows]
    rates = step_inputs.get("rates")
    with np.errstate(over="ignore"):
        # As a callback's optimizer of Keras would hold it.
        rate = np.float32(optimizer.learning_rate) if rates is None else rates
    total, count, finite, optimizer.n_steps = kernels.train(
        KERNEL_CELLS.index(layer.cell),
        KERNEL_ACTIVATIONS.index(layer.activation),
        place_in_c(spec.head),
        int(sequences.lengths[0]),
        layer.units,
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
        float(step_inputs["clipnorm"]),
        float(step_inputs.get("global_clipnorm", np.inf)),
        BETA_1,
        BETA_2,
        EPSILON,
        optimizer.n_steps,
    )
    if rates is not None:
        optimizer.learning_rate = float(rates[-1])
    return total, count, bool(finite)


def _space(program, batch_size, n_steps):
    """Return room for the numbers of a batch: the same for every call of a fit."""
    spec = program.spec
    layer = spec.layers[0]
    units, columns = layer.units, CELLS[layer.cell].n_gates * layer.units
    of_step = spec.n_features + columns + 3 * units
    size = (n_steps + 1) * of_step + spec.head.units + 2 * units
    program._workspace.rewind()
    # Eight arrays, each of a multiple of 16 numbers.
    return program._workspace.empty(batch_size * size + 8 * 16)
