"""scikit-learn's private names, and what the package adds to its conventions.

Constraints of parameters, decorators with types, and the one seed of a fit. No other
file takes a private name from scikit-learn: when one goes,
`tests/test_sklearn_names.py` says which and what to do.

The classes of constraints derive from ``Interval`` because that is what scikit-learn's
check lets in.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import lru_cache
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.metrics._scorer import _Scorer as Scorer
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils import check_random_state, metaestimators
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    make_constraint,
    validate_parameter_constraints,
)
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
from sklearn.utils._repr_html.fitted_attributes import AttrsDict
from sklearn.utils._set_output import (
    _get_container_adapter as get_container_adapter,
)
from sklearn.utils._set_output import _get_output_config as get_output_config
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call as check_partial_fit_first_call,
)
from sklearn.utils.validation import _check_feature_names as check_feature_names
from sklearn.utils.validation import _check_feature_names_in
from sklearn.utils.validation import _check_n_features as check_n_columns
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _check_y as check_y
from sklearn.utils.validation import (
    _is_arraylike_not_scalar as is_arraylike_not_scalar,
)
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "AttrsDict",
    "BaseScorer",
    "Count",
    "Counts",
    "Function",
    "HasMethods",
    "Instance",
    "Instances",
    "Interval",
    "InvalidParameterError",
    "Options",
    "RealNotInt",
    "Schedule",
    "Scorer",
    "Share",
    "StrOptions",
    "StrictInterval",
    "Vectors",
    "VisualBlock",
    "available_if",
    "begin_callbacks",
    "check_arguments",
    "check_feature_names",
    "check_feature_names_in",
    "check_n_columns",
    "check_parameters",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "check_y",
    "draw_seed",
    "fit_context",
    "get_container_adapter",
    "get_output_config",
    "has_callbacks",
    "is_allowed",
    "is_arraylike_not_scalar",
    "is_named",
    "is_pandas_na",
    "is_scalar_nan",
    "make_constraint",
    "naming",
    "num_samples",
    "positive",
    "refuse_no_names",
    "refuse_no_output",
    "safe_indexing",
    "set_output_config",
    "validate_parameter_constraints",
    "validate_params",
]

_Method = TypeVar("_Method", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
    """Decorate a ``fit`` so that it checks parameters first, as in scikit-learn."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _fit_context(**options)


def check_feature_names_in(estimator, input_features=None, **options):
    """Return the names of the columns of X; of another number or form they are refused.

    Raises
    ------
    ValueError
        In scikit-learn's words, or one that names `input_features`.
    """
    refuse_no_names(input_features)
    return _check_feature_names_in(estimator, input_features, **options)


def refuse_no_names(input_features):
    """Refuse `input_features` that are no array of names, nor None."""
    if input_features is not None and np.asarray(input_features, object).ndim != 1:
        raise ValueError(
            f"input_features={input_features!r:.60} is no list of names; expected one "
            "for each column of X, or None."
        )


def available_if(check: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
    """Decorate a method that exists only if `check(estimator)` is true."""
    return metaestimators.available_if(check)


def validate_params(
    constraints: dict[str, Any], *, prefer_skip_nested_validation: bool
) -> Callable[[_Method], _Method]:
    """Decorate a function whose arguments are checked first."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _validate_params(constraints, **options)


class StrOptions(_StrOptions):
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


def set_output_config(estimator, transform):
    """Set what ``set_output`` sets, and `get_output_config` finds."""
    estimator._sklearn_output_config = {"transform": transform}


def refuse_no_output(transform):
    """Refuse a `transform` of ``set_output`` that names no kind of output."""
    if transform is not None and not isinstance(transform, str):
        raise ValueError(
            f"transform={transform!r:.60} is no output; expected 'default', 'pandas', "
            "'polars' or None."
        )


def begin_callbacks(estimator, n_tasks, in_order=True):
    """Set up the callbacks of an estimator; return the context of its whole fit."""
    options = {"max_subtasks": n_tasks, "sequential_subtasks": in_order}
    return estimator._init_callback_context(**options)


# Where estimators keep what `set_callbacks` was given.
CALLBACKS = "_skl_callbacks"
# What they have of callbacks only while a fit runs.
CALLBACKS_AMID_FIT = (
    "_callback_fit_ctx",
    "_parent_callback_ctx",
    "_skl_callbacks_to_teardown",
)


def has_callbacks(estimator) -> bool:
    """Whether ``set_callbacks``, or a meta-estimator, has given any."""
    return bool(getattr(estimator, CALLBACKS, None))


def draw_seed(random_state, n_iter):
    """Draw the one seed of a fit; NumPy's global generator stays as it is.

    It depends on `n_iter`, the epochs done so far, so that training that goes on uses
    new shuffles.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    drawn = check_random_state(random_state).randint(2**31 - 1)
    mixed = np.random.SeedSequence([drawn, n_iter]).generate_state(1)[0]
    return int(mixed) % 2**31


@contextmanager
def naming(*names):
    """Put the names of arguments before an error that tells none of them.

    NumPy, pandas and scikit-learn describe what they couldn't read, and not where it
    came from.
    """
    what = " and ".join(names)
    try:
        yield
    except OverflowError as error:
        raise ValueError(
            f"{what} holds an integer beyond 1.8e308, the largest float64."
        ) from error
    except (TypeError, ValueError, NotImplementedError) as error:
        if is_named(names, str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what} can't be read: {error}") from error


def is_named(names, text):
    """Whether a text has one of some names as a word."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)
