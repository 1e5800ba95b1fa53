"""Errors that say what to write instead of a wrong parameter or argument."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from numbers import Integral, Real
from typing import Any, Self, TypeVar, cast

from sklearn.base import BaseEstimator

from skrnn import _sklearn
from skrnn._estimators.links import page_of
from skrnn._estimators.names import (
    PARAMETERS_ELSEWHERE,
    advice,
    class_of_keras,
    closest,
    meant_argument,
    meant_parameter,
)
from skrnn._estimators.one_fit import lasting
from skrnn._sklearn import (
    InvalidParameterError,
    StrOptions,
    check_parameters,
    is_allowed,
)

Method = TypeVar("Method", bound=Callable[..., Any])

_SERIES_ALONE = " A series without other columns is y, and X is None: (None, y)."


class AdvisedEstimator(BaseEstimator):
    """An estimator whose errors about parameters come with advice."""

    # Its HTML links to the page that the dict below tells; an empty address is no link.
    _doc_link_module = "skrnn"
    _doc_link_template = "{address}"

    def _doc_link_url_param_generator(self):
        return {"address": page_of(type(self))}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # A dataclass gets its __init__ later, and its advice with it.
        if "__init__" in vars(cls):
            advise(cls, inspect.signature(cls.__init__), by_name=False)
        for name in filter(_is_public, dir(cls)):
            method = inspect.getattr_static(cls, name)
            if inspect.isfunction(method) and _is_to_be_advised(method):
                # Also the methods of mixins: errors must name the public class.
                setattr(cls, name, advised_arguments(method))

    def __getstate__(self):
        return lasting(super().__getstate__())

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
            check_parameters(self)
        except InvalidParameterError as error:
            note = _note(self._parameter_constraints, self.get_params(deep=False))
            if not note:
                raise
            raise InvalidParameterError(f"{error}{note}") from None


def _is_public(name):
    return not name.startswith("_")


def _is_to_be_advised(method):
    """Whether a method, ours or scikit-learn's, needs advice and has none yet."""
    package = method.__module__.partition(".")[0]
    return package in ("skrnn", "sklearn") and not hasattr(method, "_gives_advice")


def _note(constraints, params):
    """Say what the value of the first invalid parameter may have meant."""
    for name, value in params.items():
        if is_allowed(value, constraints.get(name, ())):
            continue
        return _note_of(name, value, constraints[name])
    return ""


def _note_of(name, value, allowed):
    if name == "callbacks" and _is_of_sklearn(value):
        return " Callbacks of scikit-learn are given to set_callbacks(...)."
    if inspect.isclass(value):
        return f" It is a class: write {name}={value.__name__}()."
    strings = [each for each in allowed if isinstance(each, StrOptions)]
    if name == "estimator" and isinstance(value, Integral):
        return f" Steps to forecast are horizon={value}."
    if name.endswith("_features") and isinstance(value, str):
        return f" Write {name}=[{value!r}]."
    if name == "quantiles" and isinstance(value, float) and 0 < value < 1:
        return f" Write quantiles=[{value!r}]."
    if not isinstance(value, str):
        return ""
    for each in strings:
        kind = getattr(each, "kind", None)
        meant, other = closest(value, each.options, kind), class_of_keras(kind, value)
        if meant:
            return f" Did you mean {meant!r}?"
        if other and len(allowed) > 1:
            return f" You may pass keras.losses.{other}()."
    return ""


def _is_of_sklearn(value):
    """Whether a value is a callback of scikit-learn, or holds one."""
    given = value if isinstance(value, list | tuple) else [value]
    return any(hasattr(each, "on_fit_task_end") for each in given)


def advise(cls, signature, *, by_name=True):
    """Give a class's ``__init__`` a signature, and errors that come with advice.

    With `by_name` it takes keywords only.
    """
    init = vars(cls)["__init__"]
    rows = list(signature.parameters.values())[1:]
    parameters = [row.name for row in rows]
    n_in_order = 0 if by_name else sum(row.kind is not row.KEYWORD_ONLY for row in rows)

    @wraps(init)
    def advised(self, *args, **kwargs):
        unknown = kwargs.keys() - set(parameters)
        if not unknown and len(args) <= n_in_order:
            init(self, *args, **kwargs)
            return
        name = type(self).__name__
        if len(args) > n_in_order:
            raise TypeError(
                f"{name} takes its parameters by name"
                f"{_by_name(type(self), args, kwargs, parameters, n_in_order)}."
            )
        first = next(each for each in kwargs if each in unknown)
        raise TypeError(
            f"{name}() got an unexpected keyword argument {first!r}."
            f"{advice(first, parameters) or f' Its parameters are {parameters}.'}"
        )

    made: Any = advised
    made.__signature__ = signature
    cls.__init__ = made


def _by_name(cls, args, kwargs, parameters, n_in_order):
    """Write arguments by name; numbers that come first are widths of layers.

    Arguments that fit no parameter at their position are left out, and so are those
    after the ones that may be positional.
    """
    widths = [name for name in ("units", "d_model") if name in parameters]
    is_width = isinstance(args[0], Real | tuple | list) and bool(widths)
    names = parameters[parameters.index(widths[0]) if is_width else 0 :]
    allowed = cls._parameter_constraints
    fit = [
        name not in kwargs and is_allowed(value, allowed.get(name, ()))
        for name, value in zip(names, args, strict=False)
    ]
    fit = fit[: n_in_order or None]
    n_written = [*fit, False].index(False)
    given = dict(zip(names, args[:n_written], strict=False)) | kwargs
    written = ", ".join(f"{name}={_short(value)}" for name, value in given.items())
    advised = f": write {cls.__name__}({written})" if n_written else ""
    if n_written == len(args):
        return advised
    verb = f"{advised}, and name {{}} too" if n_written else ": name {}"
    return f"{verb.format(_short(args[n_written]))}. They are {parameters}"


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else "..."


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]:
    """Decorate a ``fit`` as scikit-learn does; unknown arguments get advice."""
    of_sklearn = _sklearn.fit_context(
        prefer_skip_nested_validation=prefer_skip_nested_validation
    )
    return lambda method: advised_arguments(of_sklearn(method))


def advised_arguments(method: Method) -> Method:
    """Let errors about arguments name the public class and say where a name belongs."""

    @wraps(method)
    def advised(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except TypeError:
            message = _of_arguments(method, args, kwargs)
            if message is None:
                raise
            raise TypeError(message) from None
        except OverflowError as error:
            name = _name_of_too_large(method, args, kwargs)
            if name is None:
                raise
            raise ValueError(
                f"{name} holds an integer beyond {sys.float_info.max:.3g}, the largest "
                "number of float64; divide it by a large number."
            ) from error

    vars(advised)["_gives_advice"] = True
    return cast(Method, advised)


def advised_function(function: Method) -> Method:
    """Let errors about the arguments of a function name it and say what to write."""
    signature = inspect.signature(function)

    @wraps(function)
    def advised(*args, **kwargs):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            known = signature.parameters
            unknown = [each for each in kwargs if each not in known]
            note = (
                advice(unknown[0], list(known))
                if unknown
                else _for_missing(error, signature)
            )
            listed = f" Its arguments are {', '.join(known)}."
            message = f"{function.__name__}(): {error}.{note or listed}"
            raise TypeError(message) from None
        return function(*args, **kwargs)

    return cast(Method, advised)


def _for_missing(error, signature):
    """Say where a series goes that was given as X, or as y alone."""
    is_alone = "y" in signature.parameters and "argument: '" in str(error)
    return _SERIES_ALONE if is_alone else ""


def _of_arguments(method, args, kwargs):
    """Describe arguments that a method doesn't take; None if it takes all."""
    signature = inspect.signature(method)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        # Called on the class, without an estimator.
        cls = type(args[0]).__name__ if args else "estimator"
        name = f"{cls}.{method.__name__}()"
        unknown = [each for each in kwargs if each not in signature.parameters]
        if not unknown or not args:
            is_of_series = args and hasattr(args[0], "from_long")
            note = _for_missing(error, signature) if is_of_series else ""
            return f"{name}: {error}.{note or _its_arguments(signature)}"
        where = _where(args[0], signature, method.__name__, unknown[0], kwargs)
        return f"{name} got an unexpected keyword argument {unknown[0]!r}.{where}"
    return None


def _name_of_too_large(method, args, kwargs):
    """Name the argument or parameter that holds an integer too large for float64."""
    given = inspect.signature(method).bind(*args, **kwargs).arguments
    estimator, *arrays = given.items()
    parameters = estimator[1].get_params(deep=False).items()
    return next(
        (k for k, value in [*arrays, *parameters] if _is_too_large(value)), None
    )


def _is_too_large(value):
    if isinstance(value, Integral):
        return abs(int(value)) > sys.float_info.max
    if isinstance(value, dict):
        return any(map(_is_too_large, value.values()))
    if hasattr(value, "__array__"):
        value = value.__array__()
        return value.dtype.kind == "O" and any(map(_is_too_large, value.flat))
    return isinstance(value, list | tuple) and any(map(_is_too_large, value))


def _needed(signature):
    """Name the arguments that a method requires."""
    rows = list(signature.parameters.items())[1:]
    return [name for name, row in rows if row.default is row.empty]


def _its_arguments(signature):
    names = ", ".join(list(signature.parameters)[1:])
    return f" Its arguments are {names}." if names else " It takes no arguments."


def _where(estimator, signature, method, unknown, kwargs):
    """Say where an unknown argument belongs."""
    known, cls = estimator._get_param_names(), type(estimator).__name__
    is_of_steps = PARAMETERS_ELSEWHERE.get(unknown, unknown) == "horizon"
    if is_of_steps and method == "predict" and hasattr(estimator, "forecast"):
        return f" The next steps are forecast({_short(kwargs[unknown])})."
    if unknown in known:
        if "fit" not in method:
            return f" It is a parameter of {cls}().{_its_arguments(signature)}"
        given = f"{unknown}={_short(kwargs[unknown])}"
        needed = ", ".join(_needed(signature))
        return f" It is a parameter: write {cls}({given}).{method}({needed})."
    meant = meant_argument(unknown, list(signature.parameters)[1:])
    note = meant or _its_arguments(signature)
    parameter = None if meant else meant_parameter(unknown, known)
    return note + (f" {parameter!r} is a parameter of {cls}()." if parameter else "")
