"""Conditions on a single value of a state."""

from numbers import Integral, Real

import numpy as np


class UnusableError(Exception):
    """The message says what is wrong with a state."""


def holds(fits, *values):
    """Whether a condition holds; False for values that make it raise."""
    try:
        return bool(fits(*values))
    except Exception:
        return False


def is_int(value, least=0):
    """Whether it is a whole number from `least` on."""
    number = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    return number and value >= least


def is_count(value):
    """Whether it is a whole number from 1 on."""
    return is_int(value, least=1)


def is_bool(value):
    """Whether it is True or False."""
    return isinstance(value, bool | np.bool_)


def are_counts(value):
    """Whether it is a tuple of whole numbers from 1 on."""
    return isinstance(value, tuple) and all(map(is_count, value))


def are_places(value):
    """Whether it is a tuple of whole numbers from 0 on, one at least."""
    return isinstance(value, tuple) and len(value) > 0 and all(map(is_int, value))


def is_share(value):
    """Whether it is a number from 0 to below 1."""
    return isinstance(value, Real) and not is_bool(value) and 0 <= float(value) < 1
