"""Estimators, their parts, and what else has attributes.

An estimator is its class, by a name in the tables, and its attributes. Its constructor
isn't called; its own ``__setstate__`` reads the attributes, and checks weights against
the network. No attribute may replace a method.
"""

import dataclasses
import inspect
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import MetadataRequest

from skrnn import _engine
from skrnn._persistence.checks import fault_of
from skrnn._persistence.classes import (
    class_named,
    is_wrapper,
    own_name,
    part_name,
    part_named,
    public_name,
)
from skrnn._persistence.container import UnreadableError
from skrnn._persistence.learners import make_again, without_repeated
from skrnn._persistence.nodes import Kind, exactly
from skrnn._sklearn.private import CALLBACKS, CALLBACKS_AMID_FIT
from skrnn._sklearn.private import REQUESTS as _OF_METADATA


def _write_estimator(value, writer):
    fault = fault_of(value)
    if fault:
        writer.refuse(f"a {fault}", "one without")
    cls = type(value)
    name = public_name(cls) or own_name(cls, writer.trusted)
    state = value.__getstate__() if hasattr(value, "__getstate__") else vars(value)
    # Optimizers of Keras are in boxes, which pickle needs.
    state = dict(without_repeated(cls, _engine.unpack(state or {})))
    # They follow a fit, and aren't learnt in it.
    for passing in (CALLBACKS, *CALLBACKS_AMID_FIT):
        state.pop(passing, None)
    return {
        "class": name,
        "state": {key: writer.value(v, f".{key}") for key, v in state.items()},
    }


def _read_estimator(node, reader):
    cls = class_named(node["class"], reader.trusted)
    if is_wrapper(cls):
        raise UnreadableError(f"{cls.__name__} stands there as another kind of value")
    fields = exactly(node, "state", dict)
    check_names(cls, fields)
    state = {name: reader.value(value) for name, value in fields.items()}
    made = cls.__new__(cls)
    state = _missing(cls, state) | state
    if hasattr(cls, "__setstate__"):
        try:
            made.__setstate__(state)
        except ValueError as error:
            raise UnreadableError(str(error).removesuffix(".")) from error
    else:
        vars(made).update(state)
    own_requests(state, made)
    fault = fault_of(made)
    if fault:
        raise UnreadableError(f"it holds a {fault}")
    make_again(made, "n_features_in_" in state)
    return made


def check_names(cls: type, fields) -> None:
    """Refuse names that no attribute of an object of `cls` can have.

    Raises
    ------
    UnreadableError
    """
    parameters = _parameters(cls)
    # Forests keep what the base of all ensembles takes.
    inherited = {name for base in cls.__mro__ for name in _parameters(base)}
    for name in fields:
        if name in inherited:
            continue
        private = name.startswith("_") or name.endswith("_")
        plain = name.isidentifier() and not name.startswith("__")
        if not plain or not (private or not parameters):
            raise UnreadableError(
                f"{cls.__name__} has no parameter or attribute {name!r:.60}"
            )
        of_class = inspect.getattr_static(cls, name, None)
        if callable(of_class) or hasattr(of_class, "__get__"):
            raise UnreadableError(f"{cls.__name__}.{name} is no value, but a method")


def _parameters(cls):
    """Map the names of the parameters of a class to what its constructor says."""
    if cls.__init__ is object.__init__:
        return {}
    rows = inspect.signature(cls).parameters.values()
    return {row.name: row for row in rows if row.kind is not row.VAR_KEYWORD}


def _missing(cls, state):
    """Return defaults of parameters that came after the version that wrote a file."""
    rows = [row for name, row in _parameters(cls).items() if name not in state]
    lacking = [row.name for row in rows if row.default is row.empty]
    if lacking and hasattr(cls, "get_params"):
        raise UnreadableError(f"{cls.__name__} lacks {lacking}")
    return {row.name: row.default for row in rows if row.default is not row.empty}


def own_requests(state: dict[str, Any], owner: Any) -> None:
    """Tell the requests of metadata in a state, if it has some, whose they are."""
    if _OF_METADATA not in state:
        return
    requests = state[_OF_METADATA]
    if not isinstance(requests, MetadataRequest):
        raise UnreadableError(f"{_OF_METADATA} is something else")
    for each in (requests, *_methods(requests).values()):
        each.owner = owner


ESTIMATOR = Kind("estimator", _write_estimator, _read_estimator, is_shared=True)


def _write_made(value, writer):
    names = _parameters(type(value))
    return {
        "class": public_name(type(value)),
        "parameters": {n: writer.value(getattr(value, n), f".{n}") for n in names},
    }


def _read_made(node, reader):
    cls = class_named(node["class"], {})
    parameters = exactly(node, "parameters", dict)
    if issubclass(cls, BaseEstimator) or parameters.keys() - _parameters(cls).keys():
        raise UnreadableError(f"{cls.__name__} hasn't such parameters")
    return cls(**{name: reader.value(value) for name, value in parameters.items()})


# What has parameters alone, such as splitters: its constructor is called.
MADE = Kind("made", _write_made, _read_made, is_shared=True)


def _write_part(value, writer):
    names = [field.name for field in dataclasses.fields(value)]
    return {
        "class": part_name(type(value)),
        "fields": {
            name: writer.value(getattr(value, name), f".{name}") for name in names
        },
    }


def _read_part(node, reader):
    cls = part_named(node["class"])
    fields = exactly(node, "fields", dict)
    unknown = fields.keys() - {field.name for field in dataclasses.fields(cls)}
    if unknown:
        raise UnreadableError(f"{cls.__name__} has no field {min(unknown)!r:.60}")
    return cls(**{name: reader.value(value) for name, value in fields.items()})


PART = Kind("part", _write_part, _read_part, is_shared=True)


def _methods(requests):
    """Map the methods of a request to what each asks for."""
    found = vars(requests).items()
    return {name: each for name, each in found if hasattr(each, "add_request")}


def _write_requests(value, writer):
    methods = {name: each.requests for name, each in _methods(value).items()}
    return {
        "methods": {
            name: [
                [param, writer.value(alias, f".{name}")] for param, alias in own.items()
            ]
            for name, own in methods.items()
            if own
        }
    }


def _read_requests(node, reader):
    requests = MetadataRequest(owner=None)
    methods = _methods(requests)
    for name, own in exactly(node, "methods", dict).items():
        for param, alias in own:
            methods[name].add_request(param=param, alias=reader.value(alias))
    return requests


REQUESTS = Kind("requests", _write_requests, _read_requests)


def _write_bunch(value, writer):
    return {"items": {k: writer.value(v, f".{k}") for k, v in value.items()}}


def _read_bunch(node, reader):
    items = exactly(node, "items", dict)
    return Bunch(**{name: reader.value(value) for name, value in items.items()})


BUNCH = Kind("bunch", _write_bunch, _read_bunch, is_shared=True)


def kind_of_object(value: Any, trusted: dict[str, Any]) -> Kind | None:
    """Return the kind of an estimator or a part of one, or None."""
    cls = type(value)
    if cls is Bunch:
        return BUNCH
    if cls is MetadataRequest:
        return REQUESTS
    if part_name(cls):
        return PART
    if public_name(cls):
        return ESTIMATOR if issubclass(cls, BaseEstimator) else MADE
    return ESTIMATOR if own_name(cls, trusted) else None
