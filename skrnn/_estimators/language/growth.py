"""Networks of language models that learn new tokens: what is trained stays as it is."""

import numpy as np

from skrnn._estimators.language.vocabulary import SPECIAL
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn._networks.weights import weight_table

# Before the slots of an optimizer's state stand the number of its steps and its rate.
_HEADER = 2


def grown_weights(old, new, weights):
    """Return weights of one spec for another one with more tokens.

    A new token begins as the mean of the known ones, at both ends of the network: then
    no text of known tokens loses more than ``log(1 + n_new / n_known)`` a token
    (Hewitt, 2021).
    """
    rows = zip(weight_table(old), weight_table(new), weights, strict=True)
    return [_with_means(array, was, now) for was, now, array in rows]


def _with_means(array, was, now):
    for axis, (before, after) in enumerate(zip(was.shape, now.shape, strict=True)):
        if before != after:
            known = np.delete(array, range(len(SPECIAL)), axis)
            mean = known.mean(axis, keepdims=True, dtype=np.float64)
            added = np.repeat(mean.astype(array.dtype), after - before, axis)
            array = np.concatenate([array, added], axis)
    return array


def grown_state(new, optimizer, state):
    """Return an optimizer's state for a spec with more tokens; None stays None.

    The state of new tokens begins as in a new fit.
    """
    if state is None:
        return None
    slots = [
        (slot, slot.shape(row.shape) if slot.shape else row.shape)
        for row in weight_table(new)
        for slot in OPTIMIZERS[optimizer].state
    ]
    end = _HEADER + len(slots)
    pairs = zip(state[_HEADER:end], slots, strict=True)
    grown = [_filled(array, *slot_and_shape) for array, slot_and_shape in pairs]
    return [*state[:_HEADER], *grown, *state[end:]]


def _filled(array, slot, shape):
    if shape is None or array.shape == shape:
        return array
    filled = np.full(shape, slot.first, array.dtype)
    filled[tuple(map(slice, array.shape))] = array
    return filled
