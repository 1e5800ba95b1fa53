"""Constraints of parameters, and the checks of what doesn't satisfy them.

The classes derive from ``Interval`` because that is what scikit-learn's check lets in.
"""

import inspect
from collections.abc import Mapping
from functools import lru_cache
from numbers import Integral, Real
from typing import Any

from skrnn._sklearn.private import (
    Interval,
    StrOptionsInAnyOrder,
    is_arraylike_not_scalar,
    make_constraint,
    validate_parameter_constraints,
)


class StrOptions(StrOptionsInAnyOrder):
    """One of several strings; the message lists them in sorted order."""

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


class StrictInterval(Interval):
    """An interval that excludes True and False, which are ints in Python."""

    def is_satisfied_by(self, val):
        """Whether `val` is a number of this interval and no bool."""
        if isinstance(val, bool):
            return False
        try:
            return super().is_satisfied_by(val)
        except TypeError:
            # NumPy, which is asked whether it is NaN, doesn't know a Fraction.
            return False


class Count(StrictInterval):
    """An integer from `least` on."""

    def __init__(self, least=1):
        super().__init__(Integral, least, None, closed="left")


class Counts(Count):
    """A tuple or list of integers from `least` on, such as one for each layer."""

    def __init__(self, least=1, *, empty=False, length=None):
        super().__init__(least)
        self.empty, self.length = empty, length

    def is_satisfied_by(self, val):
        if not isinstance(val, tuple | list) or not (len(val) or self.empty):
            return False
        if self.length is not None and len(val) != self.length:
            return False
        return all(super(Counts, self).is_satisfied_by(v) for v in val)

    def __str__(self):
        ints = "positive ints" if self.left == 1 else f"ints from {self.left} on"
        if self.length is not None:
            return f"a tuple of {self.length} {ints}"
        return f"a {'' if self.empty else 'non-empty '}tuple of {ints}"


class Share(StrictInterval):
    """A number from 0 (with `zero`) to below 1."""

    def __init__(self, *, zero=True):
        super().__init__(Real, 0, 1, closed="left" if zero else "neither")


class Instance(Interval):
    """An instance of a class that isn't imported; recognised by a method it has."""

    def __init__(self, what, method):
        super().__init__(Integral, 0, None, closed="left")
        self.what, self.method = what, method

    def is_satisfied_by(self, val):
        return hasattr(val, self.method) and not isinstance(val, type)

    def __str__(self):
        return f"an instance of {self.what}"


class Instances(Instance):
    """A list or tuple of such objects."""

    def is_satisfied_by(self, val):
        if not isinstance(val, list | tuple):
            return False
        return all(super(Instances, self).is_satisfied_by(v) for v in val)

    def __str__(self):
        return f"a list of instances of {self.what}"


class Function(Instance):
    """A function or another callable object, but no class."""

    def __init__(self):
        super().__init__("a class with __call__", "__call__")

    def __str__(self):
        return "a callable"


class Schedule(Instance):
    """A schedule of Keras, recognised without importing Keras."""

    def __init__(self):
        super().__init__("keras.optimizers.schedules.LearningRateSchedule", "__call__")

    def is_satisfied_by(self, val):
        names = {cls.__name__ for cls in type(val).__mro__}
        return "LearningRateSchedule" in names and super().is_satisfied_by(val)


class Vectors(Instance):
    """A table of vectors, or a mapping from words to vectors."""

    def __init__(self):
        super().__init__("gensim.models.KeyedVectors", "key_to_index")

    def is_satisfied_by(self, val):
        if isinstance(val, type):
            return False
        is_table = isinstance(val, Mapping) or is_arraylike_not_scalar(val)
        return is_table or super().is_satisfied_by(val)

    def __str__(self):
        return f"an array-like, a dict or {super().__str__()}"


def positive():
    """Return the constraint of a finite number above 0."""
    return StrictInterval(Real, 0, float("inf"), closed="neither")


def check_arguments(constraints, given, method):
    """Check the arguments of a method as parameters are checked.

    Raises
    ------
    ValueError
        That names the argument, its value and what was expected.
    """
    validate_parameter_constraints(constraints, given, caller_name=method)


def check_parameters(estimator):
    """Check the parameters of an estimator; valid defaults are checked once a class.

    Raises
    ------
    InvalidParameterError
        That names the first parameter which isn't valid.
    """
    cls: Any = type(estimator)
    valid = _valid_defaults(cls)
    params = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in valid or value is not valid[name]
    }
    constraints = cls._parameter_constraints
    validate_parameter_constraints(constraints, params, caller_name=cls.__name__)


@lru_cache(maxsize=64)
def _valid_defaults(cls):
    """Return the defaults of a class that its constraints allow."""
    rows = inspect.signature(cls).parameters.values()
    return {
        row.name: row.default
        for row in rows
        if row.default is not row.empty
        and is_allowed(row.default, cls._parameter_constraints.get(row.name, ()))
    }


def is_allowed(value, constraints) -> bool:
    """Whether a value satisfies one of some constraints; without any it does."""
    if constraints == "no_validation":
        return True
    allowed = [make_constraint(each) for each in constraints]
    return not allowed or any(each.is_satisfied_by(value) for each in allowed)
