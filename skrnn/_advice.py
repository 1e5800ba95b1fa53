"""Errors that say what to write instead: of parameters, and of arguments of methods."""

import inspect
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any, Self, TypeVar, cast

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    InvalidParameterError,
    StrOptions,
    make_constraint,
)

from skrnn import _typing
from skrnn._names import PARAMETERS_ELSEWHERE, advice, closest

Method = TypeVar("Method", bound=Callable[..., Any])


class AdvisedEstimator(BaseEstimator):
    """An estimator whose errors of parameters come with advice."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # That of a dataclass is made later, and advised where it is made.
        if "__init__" in vars(cls):
            advise(cls, inspect.signature(cls.__init__), by_name=False)

    def set_params(self, **params: Any) -> Self:
        try:
            return super().set_params(**params)
        except ValueError as error:
            known = self._get_param_names()
            names = (name.partition("__")[0] for name in params)
            advised = [advice(name, known) for name in names if name not in known]
            if not any(advised):
                raise
            raise ValueError(f"{error}{next(filter(None, advised))}") from None

    set_params.__doc__ = BaseEstimator.set_params.__doc__

    def _validate_params(self):
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            meant = _meant(self._parameter_constraints, self.get_params(deep=False))
            if meant is None:
                raise
            raise InvalidParameterError(f"{error} Did you mean {meant!r}?") from None


def _meant(constraints, params):
    """Return what the first parameter that isn't allowed may have been meant to be."""
    for name, value in params.items():
        allowed = [make_constraint(each) for each in constraints.get(name, ())]
        if not allowed or any(each.is_satisfied_by(value) for each in allowed):
            continue
        if not isinstance(value, str):
            return None
        strings = [each for each in allowed if isinstance(each, StrOptions)]
        found = (closest(value, s.options, getattr(s, "kind", None)) for s in strings)
        return next(filter(None, found), None)
    return None


def advise(cls, signature, *, by_name=True):
    """Give a class's ``__init__`` a signature, and errors that say what to write.

    With `by_name` it takes keywords alone.
    """
    init = vars(cls)["__init__"]
    parameters = list(signature.parameters)[1:]

    @wraps(init)
    def advised(self, *args, **kwargs):
        unknown = kwargs.keys() - set(parameters)
        if not unknown and not (args and by_name):
            init(self, *args, **kwargs)
            return
        name = type(self).__name__
        if args and by_name:
            raise TypeError(
                f"{name} takes its parameters by name: write "
                f"{name}({_by_name(args, kwargs, parameters)})."
            )
        first = next(each for each in kwargs if each in unknown)
        raise TypeError(
            f"{name}() got an unexpected keyword argument {first!r}."
            f"{advice(first, parameters) or f' Its parameters are {parameters}.'}"
        )

    made: Any = advised
    made.__signature__ = signature
    cls.__init__ = made


def _by_name(args, kwargs, parameters):
    """Write arguments by name; numbers that come first are widths of layers."""
    is_width = isinstance(args[0], Real | tuple | list) and "units" in parameters
    names = parameters[parameters.index("units") if is_width else 0 :]
    given = dict(zip(names, args, strict=False)) | kwargs
    return ", ".join(f"{name}={_short(value)}" for name, value in given.items())


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else "..."


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]:
    """As scikit-learn's decorator, with advice for arguments that ``fit`` hasn't."""
    of_sklearn = _typing.fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda method: advised_arguments(of_sklearn(method))


def advised_arguments(method: Method) -> Method:
    """Name the public class in errors of arguments, and say where a parameter goes."""
    signature, name = inspect.signature(method), method.__name__

    @wraps(method)
    def advised(estimator, *args, **kwargs):
        try:
            signature.bind(estimator, *args, **kwargs)
        except TypeError as error:
            cls = type(estimator).__name__
            unknown = [each for each in kwargs if each not in signature.parameters]
            if not unknown:
                raise TypeError(f"{cls}.{name}(): {error}.") from None
            raise TypeError(
                f"{cls}.{name}() got an unexpected keyword argument "
                f"{unknown[0]!r}."
                + _where(estimator, signature, name, unknown[0], kwargs)
            ) from None
        return method(estimator, *args, **kwargs)

    return cast(Method, advised)


def _needed(signature):
    """Name the arguments that a method can't do without."""
    rows = list(signature.parameters.items())[1:]
    return [name for name, row in rows if row.default is row.empty]


def _where(estimator, signature, method, unknown, kwargs):
    """Say where an unknown argument goes."""
    known = estimator._get_param_names()
    if unknown in known:
        given = f"{unknown}={_short(kwargs[unknown])}"
        cls = type(estimator).__name__
        needed = ", ".join(_needed(signature))
        return f" It is a parameter: write {cls}({given}).{method}({needed})."
    names = [name for name in signature.parameters if name != "self"]
    note = f" Its arguments are {', '.join(names)}."
    meant = PARAMETERS_ELSEWHERE.get(unknown)
    if meant in known:
        note += f" {meant!r} is a parameter of {type(estimator).__name__}()."
    return note
