"""Which parameters a wrapper may have: a misspelt one is an error, not a no-op."""

import inspect
from difflib import get_close_matches
from numbers import Integral

import keras

from skrnn._constraints import Count, Options, Share, StrOptions

_ANYTHING = "no_validation"

# What scikeras' own parameters may be; routed ones go where Keras checks them.
CONSTRAINTS: dict = {
    "model": [callable, None],
    "build_fn": [callable, None],
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


def refuse_unknown(estimator, build, names):
    """Refuse parameters that nothing would read.

    Parameters
    ----------
    estimator : KerasRegressor or KerasClassifier
    build : callable
        The function that makes the network; what it takes are parameters too.
    names : iterable of str
        Of the parameters that `estimator` has.

    Raises
    ------
    ValueError
        Naming the parameter and what it may have been meant for.
    """
    own = _own_names(type(estimator))
    taken = _names_of(build)
    for name in names:
        prefix, routed, rest = name.partition("__")
        if not routed:
            valid = None if name in own else _either(taken, own)
        else:
            valid = _valid_after(prefix, estimator, taken)
            name, rest = rest, name
        if valid is not None and not _fits(name, valid):
            raise ValueError(_message(estimator, rest or name, prefix, valid, routed))


def _either(taken, own):
    """Return the names of both, or None if the function takes any name."""
    return None if taken is None else taken | own


def _fits(name, valid):
    # scikeras takes positions, and parameters of parameters, too.
    first = name.partition("__")[0]
    return first in valid or first.isdigit()


def _message(estimator, name, prefix, valid, routed):
    start = f"{prefix}__" if routed and prefix in _ROUTES else ""
    meant = [start + each for each in sorted(valid)]
    close = get_close_matches(name, meant, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    value = estimator.get_params(deep=False).get(name)
    return (
        f"Invalid parameter {name!r} (={value!r}) for estimator "
        f"{type(estimator).__name__}. {hint}Valid parameters are: {meant!r}."
    )


def _own_names(cls):
    """Return the named parameters of every constructor that a class has."""
    inits = [base.__init__ for base in cls.__mro__ if "__init__" in vars(base)]
    return {name for init in inits for name in _named(init)} - {"self"}


def _named(function):
    parameters = inspect.signature(function).parameters.values()
    kinds = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    return {p.name for p in parameters if p.kind not in kinds}


def _names_of(function):
    """Return the names that a function takes, or None for any."""
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return _named(function)


def _valid_after(prefix, estimator, taken):
    """Return the names that may follow ``prefix__``, or None for any."""
    if prefix not in _ROUTES:
        # Then it is the prefix that can't be right.
        return set(_ROUTES)
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
    """Return what a class and those to which it hands its ``**kwargs`` take."""
    found: set = set()
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is None:
            continue
        found |= _named(init)
        if _names_of(init) is not None:
            break
    return found - {"self"}


def _callback_names(estimator):
    # None of them: nobody would read it.
    return None if estimator.callbacks is not None else set()


# Prefix -> the names that may follow it, None for any.
_ROUTES: dict = {
    "model": None,
    "fit": _named(keras.Model.fit) - {"self", "x", "y"} | {"callbacks"},
    "predict": _named(keras.Model.predict) - {"self", "x"},
    "compile": _named(keras.Model.compile) - {"self"},
    "optimizer": _optimizer_names,
    "loss": None,
    "metrics": None,
    "callbacks": _callback_names,
    "score": None,
}
