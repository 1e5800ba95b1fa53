"""What scikit-learn's parameter constraints lack; its private names live here.

The classes derive from ``Interval`` because that is what scikit-learn's check lets in.
"""

from collections.abc import Mapping
from numbers import Integral, Real

from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    RealNotInt,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils.validation import _is_arraylike_not_scalar

from skrnn._advice import fit_context
from skrnn._names import resolve

__all__ = [
    "Count",
    "Counts",
    "Function",
    "HasMethods",
    "Instance",
    "Instances",
    "Interval",
    "Names",
    "Options",
    "RealNotInt",
    "Schedule",
    "Share",
    "StrOptions",
    "StrictInterval",
    "Vectors",
    "check_arguments",
    "fit_context",
    "positive",
]


class StrOptions(_StrOptions):
    """One of several strings, which the message lists in order: a set has none."""

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


class Names(StrOptions):
    """One of several names, in any of the spellings of `skrnn._names`."""

    def __init__(self, kind, options):
        super().__init__(options)
        self.kind = kind

    def is_satisfied_by(self, val):
        return super().is_satisfied_by(resolve(self.kind, val))


class StrictInterval(Interval):
    """An interval without True and False, which are integers to Python."""

    def is_satisfied_by(self, val):
        """Whether `val` is a number of this interval and no bool."""
        return not isinstance(val, bool) and super().is_satisfied_by(val)


class Count(StrictInterval):
    """An integer from `least` on."""

    def __init__(self, least=1):
        super().__init__(Integral, least, None, closed="left")


class Counts(Count):
    """A tuple or list of positive integers, one for each layer."""

    def __init__(self, *, empty=False):
        super().__init__(1)
        self.empty = empty

    def is_satisfied_by(self, val):
        if not isinstance(val, tuple | list) or not (len(val) or self.empty):
            return False
        return all(super(Counts, self).is_satisfied_by(v) for v in val)

    def __str__(self):
        return f"a {'' if self.empty else 'non-empty '}tuple of positive ints"


class Share(StrictInterval):
    """A number from 0 (with `zero`) to below 1."""

    def __init__(self, *, zero=True):
        super().__init__(Real, 0, 1, closed="left" if zero else "neither")


class Instance(Interval):
    """An object with a method, told without importing its class, which won't do."""

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
    """A function, or an object that is called as one: no class of such."""

    def __init__(self):
        super().__init__("a class with __call__", "__call__")

    def __str__(self):
        return "a callable"


class Schedule(Instance):
    """A schedule of Keras, told without importing its class."""

    def __init__(self):
        super().__init__("keras.optimizers.schedules.LearningRateSchedule", "__call__")

    def is_satisfied_by(self, val):
        names = {cls.__name__ for cls in type(val).__mro__}
        return "LearningRateSchedule" in names and super().is_satisfied_by(val)


class Vectors(Instance):
    """A table of vectors, or what gives the vector of a word."""

    def __init__(self):
        super().__init__("gensim.models.KeyedVectors", "key_to_index")

    def is_satisfied_by(self, val):
        if isinstance(val, type):
            return False
        is_table = isinstance(val, Mapping) or _is_arraylike_not_scalar(val)
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
