"""One pass of a network over a batch, on the backend that Keras uses.

`adapter` is the engine's module for that backend: it has functions that Keras lacks, or
faster ones.
"""

from dataclasses import replace
from typing import Any

from keras import ops as k

from skrnn._engine.cpu.reference import (
    attend_to_steps,
    followed,
    is_held,
    project,
    project_step,
)
from skrnn._engine.keras.backends import backend
from skrnn._engine.keras.ops import ops
from skrnn._networks.activations import ACTIVATIONS
from skrnn._networks.cells import GatedCell, hold
from skrnn._networks.layers import Lookup
from skrnn._networks.layers.normalization import normalise

adapter = backend()
# A table of at most this many rows is projected before rows are looked up. The rule
# can't depend on the size of a batch, which isn't always known.
_FEW_ROWS = 512


class KerasRun:
    """One batch of sequences; in prediction `masks` is None.

    Parameters
    ----------
    masks : DropoutMasks or None
    """

    ops = ops
    followed = followed

    def __init__(self, masks=None):
        self.masks = masks

    @staticmethod
    def as_ids(x):
        return k.cast(x, "int32")

    @staticmethod
    def take_rows(table, ids):
        return adapter.take_rows(table, ids)

    def dropout(self, x, rate):
        return x if self.masks is None else x * self.masks.mask(k.shape(x), rate)

    @staticmethod
    def reverse(x, lengths):
        return adapter.reverse(x, lengths)

    def fused(self, formula, *given):
        return formula(self, *given)

    def present(self, real):
        return real if self.masks is None else k.logical_and(real, self.masks.present)

    @staticmethod
    def last(x, lengths):
        return adapter.at_steps(x, lengths - 1)

    @staticmethod
    def real_steps(x, lengths):
        return step_numbers(x)[:, None] < lengths

    @staticmethod
    def normalise(x, gamma, beta):
        return normalise(ops, x, gamma, beta)

    @staticmethod
    def positions(x):
        return k.cast(step_numbers(x), "float32")

    def rows_of_steps(self, table, x):
        last = table.shape[0] - 1
        return self.take_rows(table, k.minimum(step_numbers(x), last))

    def attend_to_steps(self, q, k, v, lengths, causal):
        return attend_to_steps(self, q, k, v, lengths, causal)

    @staticmethod
    def dense(x, kernel, bias, transposed=False):
        return ops.matmul(x, k.transpose(kernel) if transposed else kernel) + bias

    def step(self, cell, x, states):
        projected = project_step(self, cell, x)
        if states is None:
            states = zero_states(cell, projected[0])
        given = cell.weights, projected, states
        return cell.cell.step(ops, ACTIVATIONS[cell.activation], *given, _kept)

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        if isinstance(x, Lookup) and x.table.shape[0] > _FEW_ROWS:
            x = self.take_rows(x.table, x.ids)
        mask = self._recurrent_mask(cell, x)
        if mask is None and reset_mask is None and not isinstance(x, Lookup):
            found = adapter.fused(cell, x, states)
            if found is not None:
                outputs, *steps = found
                after = [self.last(each, lengths) for each in steps] if final else None
                return outputs, after
        given = self, cell, x, lengths, states, reset_mask, mask
        outputs, after = recur_by_formula(*given, held=is_held(cell, final))
        return outputs, after if final else None

    def _recurrent_mask(self, cell, x):
        if self.masks is None or not cell.drops:
            return None
        shape = n_sequences(x), cell.units
        return self.masks.mask(shape, "recurrent_dropout")


class DropoutMasks:
    """Dropout masks from one seed: the same numbers wherever a step is computed.

    Every mask asked for in a step gets its own stream; `counter` is the number of the
    training step.

    Attributes
    ----------
    present : tensor of bool of shape (B,)
        Which rows of the batch are real and don't just fill it up.
    statistics : dict of tensors
        New values of weights that follow the batches, by their names.
    """

    def __init__(self, step_inputs, counter, present=None):
        self.step_inputs, self.counter, self.n_masks = step_inputs, counter, 0
        self.present, self.statistics = present, dict[str, Any]()

    def mask(self, shape, rate):
        """Return 0 with the probability named `rate`, and 1 / (1 - it) elsewhere."""
        drawn, share = self.uniform(shape), self.step_inputs[rate]
        # `where`, not a product: for a rate close to 1 the product is 0 * infinity.
        return k.where(drawn >= share, 1.0 / (1.0 - share), 0.0)

    def uniform(self, shape):
        """Return numbers from 0 to below 1."""
        self.n_masks += 1
        seed = self.step_inputs["seed"], self.counter, self.n_masks
        return adapter.uniform(shape, *seed)


def recur_by_formula(run, cell, x, lengths, states, reset_mask, mask, held):
    """Run a cell over all steps, as `Run.recur` says.

    Parameters
    ----------
    mask : array of shape (B, units) or None
        The output is multiplied by it before products with recurrent weights.
    held : bool
        Whether states stay as they are after the end of each sequence.
    """
    cell = _with_two_biases(cell, n_sequences(x))
    activation, projected = ACTIVATIONS[cell.activation], project(run, cell, x)
    if states is None:
        states = zero_states(cell, projected[0][0])
    drop = _kept if mask is None else lambda h: h * mask

    def step(t, entries, states):
        if reset_mask is not None:
            *entries, begins = entries
            # At padding, states stay as they are.
            goes_on = k.logical_not(k.logical_and(begins, t < lengths))
            states = hold(ops, goes_on, states, [k.zeros_like(s) for s in states])
        given = cell.weights, tuple(entries), states
        after = cell.cell.step(ops, activation, *given, drop)
        after = hold(ops, t < lengths, after, states) if held else tuple(after)
        return cell.cell.output(after), after

    steps = projected if reset_mask is None else (*projected, reset_mask)
    return adapter.scan(step, tuple(states), steps)


def _with_two_biases(cell, n):
    """Return a gated cell with its biases split once, not again in each step."""
    if not (isinstance(cell.cell, GatedCell) and cell.cell.recurrent_bias):
        return cell
    first, second = k.split(cell.weights["bias"], 2)
    # One row for each of the n sequences: TensorFlow would fuse a product with an added
    # vector, and the step of a small layer would be a third slower.
    biases = first, second + k.zeros((n, 1), second.dtype)
    return replace(cell, weights=cell.weights | {"bias": biases})


def zero_states(cell, like):
    """Return a cell's states before the first step, for sequences `like` (B, n)."""
    n = k.shape(like)[0]
    return cell.zeros(lambda shape: k.zeros(shape, like.dtype), n)


def n_sequences(x):
    """Return the number of sequences of x (T, B, ...), or of a lookup."""
    return k.shape(x.ids if isinstance(x, Lookup) else x)[1]


def step_numbers(x):
    """Count the steps of x (T, ...): (T,)."""
    return k.arange(k.shape(x)[0], dtype="int32")


def _kept(h):
    return h
