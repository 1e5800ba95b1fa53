"""Sequences as people have them: one, several, or several of any lengths."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

_Formula = TypeVar("_Formula", bound=Callable[..., Any])


def each_sequence(of_one: _Formula) -> _Formula:
    """Let a formula of one sequence (T, F) read several, each by itself.

    Of an array (n, T, F) the answers become one array, of a list a list.
    """

    @wraps(of_one)
    def read(x, *args, **kwargs):
        if _is_one(x):
            return of_one(_checked(x), *args, **kwargs)
        found = [of_one(_checked(each), *args, **kwargs) for each in x]
        return _together(found, isinstance(x, np.ndarray))

    return cast(_Formula, read)


def _is_one(x):
    """Whether x is one sequence: rows of numbers, and not a list of arrays."""
    # Arrays of different lengths make no array.
    several = isinstance(x, list | tuple) and len(x) > 0
    return np.ndim(x[0]) < 2 if several else np.ndim(x) < 3


def _checked(x):
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or not len(x):
        raise ValueError(
            "x must be a sequence (T, F) of at least one step, an array of them "
            f"(n, T, F), or a list of them. Got a sequence of shape {x.shape}."
        )
    return x


def _together(found, of_array):
    """Put the answers for several sequences together: arrays, and tuples of arrays."""
    first = found[0]
    if isinstance(first, tuple):
        parts = (_together(part, of_array) for part in zip(*found, strict=True))
        # A named tuple is made of its parts one by one.
        return tuple(parts) if type(first) is tuple else type(first)(*parts)
    return np.stack(found) if of_array else list(found)


def before_the_first(states, n_states, recurrent_kernel):
    """Return the states before the first step: zeros, if none are given."""
    if states is None:
        return [np.zeros(len(recurrent_kernel))] * n_states
    if len(states) != n_states:
        raise ValueError(
            f"initial_state must have {n_states} arrays (units,). Got {len(states)}."
        )
    return [np.asarray(state, dtype=float) for state in states]


def over_time(steps, return_states):
    """Put steps below each other: the outputs, and what else each step has given."""
    states = type(steps[0])(*map(np.array, zip(*steps, strict=True)))
    return (states.h, states) if return_states else states.h
