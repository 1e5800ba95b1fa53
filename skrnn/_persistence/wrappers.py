"""The wrappers of ``skrnn.scikeras``: their networks are made by a user's function.

A file has the function's name, the parameters and the weights. The user passes the
function in, and it makes the network again. Keras' deserialiser isn't used: with it a
file could make what it likes. Then the weights are put in, if they fit.
"""

from collections import defaultdict
from typing import Any

import numpy as np

from skrnn import _engine
from skrnn._estimators.one_fit import of_one_moment
from skrnn._persistence.classes import class_named, is_wrapper, own_name, public_name
from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly
from skrnn._persistence.objects import check_names, own_requests

# What is made again from parameters, or with the network.
_MADE_AGAIN = "model_", "_fit_callbacks", "_predict_callbacks"
# Parameters that the wrapper's constructor takes under any names.
_GIVEN = "_user_params"
# The parameters that make a network; it is one of them.
_MAKERS = "model", "build_fn"


def _write(value, writer):
    from skrnn.scikeras._saving import network_of  # noqa: PLC0415

    if not writer.trusted:
        writer.refuse(
            "a wrapper of a network that a function builds",
            "that function among those that are handed over: `trusted=[...]`",
        )
    # While another thread fits it, its network and its state are those of before.
    value = of_one_moment(value)
    # Objects of Keras are in boxes, which pickle needs.
    state = _engine.unpack(value.__getstate__())
    for name in _MAKERS:
        if hasattr(state.get(name), "get_config"):
            writer.refuse(
                f"a wrapper whose {name} is a model of Keras",
                f"a function that builds it, or the `{name}.save` of Keras",
            )
    for name, each in state.items():
        if name != "history_" and _holds_config(each):
            writer.refuse(f"a wrapper whose {name} is a config of Keras", "its object")
    written = {
        name: writer.value(dict(each) if name == "history_" else each, f".{name}")
        for name, each in state.items()
        if name not in _MADE_AGAIN
    }
    network = network_of(value)
    return {
        "class": public_name(type(value)) or own_name(type(value), writer.trusted),
        "state": written,
        "network": network and _written_network(network, writer),
    }


def _written_network(network, writer):
    return {name: writer.value(v, f".{name}") for name, v in vars(network).items()}


def _holds_config(value):
    """Whether a value has a dict that Keras would turn into an object."""
    if isinstance(value, dict):
        told = {"class_name", "module", "registered_name"}
        return bool(told & value.keys()) or any(map(_holds_config, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_config, value))


def _read(node, reader):
    cls = class_named(node["class"], reader.trusted)
    if not is_wrapper(cls):
        raise UnreadableError(f"{cls.__name__} wraps no network of Keras")
    state = {
        name: reader.value(each) for name, each in exactly(node, "state", dict).items()
    }
    _check_state(cls, state)
    if "history_" in state:
        state["history_"] = defaultdict(list, state["history_"])
    made = cls.__new__(cls)
    made.__setstate__(state)
    own_requests(state, made)
    if node["network"] is not None:
        _rebuild(made, exactly(node, "network", dict), reader)
    return made


def _check_state(cls, state):
    given = state.get(_GIVEN, set())
    if type(given) is not set or not all(_is_parameter(cls, n) for n in given):
        raise UnreadableError(f"{cls.__name__} has parameters with wrong names")
    check_names(cls, state.keys() - given - {_GIVEN})
    # Keras would import and make what such a dict names.
    if any(_holds_config(v) for name, v in state.items() if name != "history_"):
        raise UnreadableError(f"{cls.__name__} has a config of Keras")


def _is_parameter(cls, name):
    plain = type(name) is str and name.isidentifier() and not name.startswith("_")
    return plain and not hasattr(cls, name)


def _rebuild(made, fields, reader):
    from skrnn.scikeras._saving import Network, rebuild  # noqa: PLC0415

    read = {name: reader.value(each) for name, each in fields.items()}
    network = Network(**read)
    arrays = [*network.variables, *(network.optimizer or ())]
    if not all(isinstance(each, np.ndarray) for each in arrays):
        raise UnreadableError("the weights of a network are wrong")
    makers = [getattr(made, name, None) for name in _MAKERS]
    known = list(reader.trusted.values())
    maker = next((each for each in makers if each is not None), None)
    if maker is not None and not any(maker is each for each in known):
        raise UnreadableError(
            "a network in it is built by a function; hand it over: load(path, "
            "trusted=[...])"
        )
    try:
        rebuild(made, network)
    except Exception as error:
        raise UnreadableError(f"{error!s:.300}") from error


WRAPPER = Kind("wrapper", _write, _read, is_shared=True)


def kind_of_wrapper(value: Any, trusted: dict[str, Any]) -> Kind | None:
    """Return the kind of a wrapper of ``skrnn.scikeras``, or None."""
    cls = type(value)
    known = is_wrapper(cls) and (public_name(cls) or own_name(cls, trusted))
    return WRAPPER if known else None
