"""Which parameters a wrapper may have: a misspelt one is an error, not a no-op."""

import inspect
from contextlib import contextmanager
from difflib import get_close_matches
from numbers import Integral

import keras

from skrnn._sklearn import (
    Count,
    Options,
    Share,
    StrOptions,
    is_named,
)

_ANYTHING = "no_validation"
# What a network is compiled with.
COMPILED = "loss", "optimizer", "metrics"
# Number of characters of a value that an error shows.
_LONGEST = 80

# Constraints of scikeras' own parameters; Keras checks the routed ones.
CONSTRAINTS: dict = {
    "model": _ANYTHING,
    "build_fn": _ANYTHING,
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "optimizer": _ANYTHING,
    "loss": _ANYTHING,
    "metrics": _ANYTHING,
    "batch_size": [Count(), Options(Integral, {-1}), None],
    "validation_batch_size": [Count(), Options(Integral, {-1}), None],
    "verbose": ["verbose", StrOptions({"auto"})],
    "callbacks": _ANYTHING,
    "validation_split": [Share()],
    "shuffle": ["boolean"],
    "run_eagerly": ["boolean"],
    "epochs": [Count()],
}
CLASSIFIER_CONSTRAINTS = CONSTRAINTS | {
    "class_weight": [dict, list, StrOptions({"balanced"}), None]
}


@contextmanager
def naming_parameters(name, given):
    """Put parameters and their values before an error of Keras that names none.

    It is a TypeError or a ValueError then, whatever Keras raises.

    Parameters
    ----------
    name : str
        What has the parameters.
    given : dict
    """
    try:
        yield
    except Exception as error:
        is_clear = isinstance(error, TypeError | ValueError)
        if is_clear and is_named(given, str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name} can't use {_written(given)}: {error}") from error


@contextmanager
def noting_parameters(name, given):
    """Add parameters and their values to an error, which may be the user's own."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.add_note(f"Raised in {name} with {_written(given)}.")
        raise


def _written(given):
    return ", ".join(f"{name}={_short(value)}" for name, value in given.items())


def _short(value):
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def refuse_unknown(estimator, build, names):
    """Refuse parameters that nothing reads.

    Parameters
    ----------
    estimator : KerasRegressor or KerasClassifier
    build : callable
        The function that makes the network; what it takes are parameters too.
    names : iterable of str
        Names of the parameters of `estimator`.

    Raises
    ------
    ValueError
        That names the parameter and the one that was probably meant.
    """
    own = _own_names(type(estimator))
    taken = _names_of(build)
    for name in names:
        prefix, routed, rest = name.partition("__")
        if routed and prefix not in _ROUTES:
            _refuse(estimator, name, {f"{each}__{rest}" for each in _ROUTES})
        if prefix == "callbacks" and routed and estimator.callbacks is None:
            _refuse(estimator, name, own)
        valid = _valid_after(prefix, estimator, taken) if routed else taken
        # scikeras also takes positions, and nested prefixes.
        first = rest.partition("__")[0] if routed else name
        known = valid is None or first in valid or first.isdigit()
        if not known and (routed or name not in own):
            start = f"{prefix}__" if routed else ""
            _refuse(estimator, name, {start + each for each in valid} | own)


def _refuse(estimator, name, valid):
    close = get_close_matches(name, sorted(valid), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    value = estimator.get_params(deep=False).get(name)
    raise ValueError(
        f"Invalid parameter {name!r} (with value {value!r}) for estimator "
        f"{type(estimator).__name__}: nothing would read it; {hint}"
        f"Valid parameters are: {sorted(valid)!r}."
    )


def _own_names(cls):
    """Return the named parameters of all constructors in a class's bases."""
    inits = [base.__init__ for base in cls.__mro__ if "__init__" in vars(base)]
    return {name for init in inits for name in _named(init)} - {"self"}


def _named(function):
    parameters = inspect.signature(function).parameters.values()
    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    return {p.name for p in parameters if p.kind not in kinds}


def _names_of(function):
    """Return the names of a function's arguments; None if it takes any."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return _named(function)


def _valid_after(prefix, estimator, taken):
    """Return the names that may follow ``prefix__``; None if any may."""
    if prefix == "model":
        return taken
    valid = _ROUTES[prefix]
    return valid(estimator) if callable(valid) else valid


def _optimizer_names(estimator):
    optimizer = estimator.optimizer
    if isinstance(optimizer, str):
        optimizer = type(keras.optimizers.get(optimizer))
    if not isinstance(optimizer, type):
        return None
    return _names_through(optimizer)


def _names_through(cls):
    """Return the parameters of a class and of the bases that get its ``**kwargs``."""
    found: set = set()
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is None:
            continue
        found |= _named(init)
        if _names_of(init) is not None:
            break
    return found - {"self"}


# Prefix -> the names that may follow it, None for any.
_ROUTES: dict = {
    "model": None,
    "fit": _named(keras.Model.fit) - {"self", "x", "y"} | {"callbacks"},
    "predict": _named(keras.Model.predict) - {"self", "x"},
    "compile": _named(keras.Model.compile) - {"self"},
    "optimizer": _optimizer_names,
    "loss": None,
    "metrics": None,
    "callbacks": None,
    "score": None,
}
