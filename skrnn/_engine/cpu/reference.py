"""Formulas on NumPy arrays: all faster versions must agree with them.

It computes in the dtype of the weights that it is given; prediction gives it float64,
in which a row's result doesn't depend on the rows beside it.
"""

from types import SimpleNamespace

import numpy as np
from scipy.special import expit, softmax

from skrnn._engine.cpu.autodiff import value_of
from skrnn._networks.activations import ACTIVATIONS, BOUNDED_ACTIVATIONS
from skrnn._networks.attention import Memory, attend_by_heads
from skrnn._networks.cells import hold
from skrnn._networks.layers import Lookup
from skrnn._networks.layers.normalization import normalise


def _split(x, sections, axis):
    """Do what `numpy.split` does, in a fourth of the time along the last axis."""
    if axis not in (-1, x.ndim - 1):
        return np.split(x, sections, axis)
    width = width_of_part(x.shape[-1], sections)
    return [x[..., i * width : (i + 1) * width] for i in range(sections)]


def width_of_part(size, sections):
    """Return the size of each of the equal parts of an axis."""
    if size % sections:
        raise ValueError(
            f"an axis of {size} can't be split into {sections} equal parts"
        )
    return size // sections


ops = SimpleNamespace(
    abs=np.abs,
    concatenate=np.concatenate,
    cos=np.cos,
    cumsum=np.cumsum,
    einsum=np.einsum,
    exp=np.exp,
    log=np.log,
    log1p=np.log1p,
    logaddexp=np.logaddexp,
    matmul=np.matmul,
    max=np.max,
    maximum=np.maximum,
    mean=np.mean,
    minimum=np.minimum,
    reshape=np.reshape,
    sigmoid=expit,
    sin=np.sin,
    softmax=softmax,
    split=_split,
    sqrt=np.sqrt,
    stack=np.stack,
    sum=np.sum,
    take=np.take,
    tanh=np.tanh,
    transpose=np.transpose,
    where=np.where,
)


def reverse(x, lengths):
    """Reverse each sequence of x (T, B, ...) within its own length."""
    if (lengths == len(x)).all():
        # A view: picking the rows took a twentieth of a Forecaster's training.
        return x[::-1]
    steps = np.arange(len(x))[:, None]
    steps = np.where(steps < lengths, lengths - 1 - steps, steps)
    return x[steps, np.arange(x.shape[1])]


def real_steps(x, lengths):
    """Return which steps of x (T, B, ...) aren't padding: (T, B)."""
    return np.arange(x.shape[0])[:, None] < lengths


def as_ids(x):
    """Do what `Run.as_ids` says."""
    return value_of(x).astype(np.int32)


def attend_to_steps(run, q, k, v, lengths, causal):
    """Do what `Run.attend_to_steps` says."""
    places = run.positions(k) if causal else None
    memory = Memory(k, v, run.real_steps(k, lengths))
    return attend_by_heads(run.ops, q, memory, places)


def followed(run, kept, of_batch, momentum):
    """Do what `Run.followed` says."""
    if run.masks is None:
        return tuple(kept.values())
    found = tuple(of_batch())
    for (name, before), now in zip(kept.items(), found, strict=True):
        run.masks.statistics[name] = before * momentum + now * (1 - momentum)
    return found


class ReferenceRun:
    """One pass over a batch: the specification of what other runs compute."""

    ops = ops
    # It only predicts.
    masks = None
    followed = followed
    reverse = staticmethod(reverse)
    real_steps = staticmethod(real_steps)
    attend_to_steps = attend_to_steps

    def normalise(self, x, gamma, beta):
        return normalise(self.ops, x, gamma, beta)

    def positions(self, x):
        return np.arange(x.shape[0], dtype=np.float64)

    def rows_of_steps(self, table, x):
        return self.take_rows(table, np.minimum(np.arange(len(x)), len(table) - 1))

    as_ids = staticmethod(as_ids)

    def take_rows(self, table, ids):
        return table[ids]

    def dropout(self, x, rate):
        return x

    def fused(self, formula, *given):
        return formula(self, *given)

    def present(self, real):
        return real

    def last(self, x, lengths):
        return x[lengths - 1, np.arange(x.shape[1])]

    def dense(self, x, kernel, bias, transposed=False):
        return x @ (kernel.T if transposed else kernel) + bias

    def step(self, cell, x, states):
        return step_by_formula(self, cell, x, states)

    def recur(self, cell, x, lengths, states=None, reset_mask=None, final=False):
        run = self, cell, x, lengths, states, reset_mask
        outputs, after = recur_by_formula(*run, held=is_held(cell, final))
        return outputs, after if final else None


def is_held(cell, final):
    """Whether states must be held at padding: they could overflow, or are read."""
    return final or cell.activation not in BOUNDED_ACTIVATIONS


def project(run, cell, x):
    """Return a cell's projection of all inputs at once, or of rows of a table.

    All inputs are in one product: only the recurrent product needs one step at a time.
    """
    if isinstance(x, Lookup):
        tables = cell.cell.project(run.ops, cell.weights, x.table)
        return tuple(run.take_rows(table, x.ids) for table in tables)
    return cell.cell.project(run.ops, cell.weights, x)


def recur_by_formula(
    run, cell, x, lengths, states=None, reset_mask=None, mask=None, held=True
):
    """Do what `Run.recur` says step by step, for any cell.

    Parameters
    ----------
    mask : array of shape (B, units), default=None
        Factor of the output before products with recurrent weights.
    held : bool, default=True
        Whether states are held after each sequence's own length.
    """
    ops, activation = run.ops, ACTIVATIONS[cell.activation]
    projected, outputs = project(run, cell, x), []
    n_steps, n_sequences = x.shape[:2]
    if states is None:
        dtype = np.result_type(*(value_of(each).dtype for each in projected))
        states = cell.zeros(lambda shape: np.zeros(shape, dtype), n_sequences)
    for t in range(n_steps):
        if reset_mask is not None:
            begins = reset_mask[t] & (t < lengths)
            states = hold(ops, ~begins, states, [zero_like(s) for s in states])
        given = cell.weights, tuple(each[t] for each in projected), states
        after = cell.cell.step(ops, activation, *given, _dropper(mask))
        states = hold(ops, t < lengths, after, states) if held else after
        outputs.append(cell.cell.output(states))
    return ops.stack(outputs, axis=0), tuple(states)


def step_by_formula(run, cell, x, states):
    """Do what `Run.step` says."""
    projected = project_step(run, cell, x)
    if states is None:
        dtype = projected[0].dtype
        states = cell.zeros(lambda shape: np.zeros(shape, dtype), len(projected[0]))
    activation = ACTIVATIONS[cell.activation]
    given = cell.weights, projected, states
    return cell.cell.step(run.ops, activation, *given, _dropper(None))


def project_step(run, cell, x):
    """Return the projections of one step; a tuple of them is returned as it is."""
    return x if isinstance(x, tuple) else cell.cell.project(run.ops, cell.weights, x)


def zero_like(state):
    """Return a zero of the type of a state."""
    return np.zeros((), value_of(state).dtype)


def _dropper(mask):
    return lambda h: h if mask is None else h * mask
