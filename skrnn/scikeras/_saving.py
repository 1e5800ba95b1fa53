"""What a file keeps of a wrapper's network, and the network made from it again.

A file has only numbers. The network itself is made anew by the user's function that
made the first one.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from skrnn._data.warn import warn
from skrnn.scikeras.engine.models import compute_by_variables

# Keras counts layers: "gru_1". Functions without a name are shown by their place.
_NUMBERED = re.compile(r'_\d+(?=["/])| at 0x[0-9a-f]+')


@dataclass(frozen=True)
class Network:
    """The numbers of a network, and its description.

    Attributes
    ----------
    names : list of str
        Of its variables, without the numbers that Keras gives to layers.
    variables : list of ndarray
        Its weights, and the states of its layers.
    optimizer : list of ndarray or None
        The state of the optimizer; None if the network wasn't compiled.
    description : str or None
        Its configuration as JSON; None if it has none.
    keras : str
        The version that wrote the configuration.
    """

    names: list[str]
    variables: list[np.ndarray]
    optimizer: list[np.ndarray] | None
    description: str | None
    keras: str


def network_of(wrapper: Any) -> Network | None:
    """Return the network of a wrapper in numbers; None before it has one."""
    if not wrapper.initialized_:
        return None
    model = wrapper.model_
    optimizer = model.optimizer if model.compiled else None
    return Network(
        names=_names(model),
        variables=_values(model),
        optimizer=None if optimizer is None else _values(optimizer),
        description=_description(model),
        keras=keras.__version__,
    )


def rebuild(wrapper: Any, network: Network) -> None:
    """Let a wrapper build its network again, with the numbers of `network`.

    Raises
    ------
    ValueError
        If it builds another one.
    """
    wrapper.model_ = model = wrapper._build_keras_model()
    built = getattr(wrapper.model, "__name__", type(wrapper).__name__)
    found = _shapes(_names(model), model.variables)
    expected = _shapes(network.names, network.variables)
    if found != expected:
        where = _first_difference(found, expected)
        raise ValueError(f"{built} builds another network than the saved one: {where}")
    if network.keras == keras.__version__ and network.description != _description(
        model
    ):
        warn(
            f"{built} builds another network than the one that was saved: the weights "
            "fit, but some setting differs, such as an activation. What it predicts "
            "may differ.",
            UserWarning,
        )
    _assign(model.variables, network.variables)
    compute_by_variables(model)
    wrapper._initialize_callbacks()
    if network.optimizer is not None:
        _restore_optimizer(wrapper, network.optimizer)


def _restore_optimizer(wrapper, values):
    wrapper._ensure_compiled_model()
    optimizer = wrapper.model_.optimizer
    if len(optimizer.variables) != len(values):
        optimizer.build(wrapper.model_.trainable_variables)
    shapes = [tuple(v.shape) for v in optimizer.variables]
    if shapes != [v.shape for v in values]:
        raise ValueError("its optimizer has another state than the saved one")
    _assign(optimizer.variables, values)


def _names(model):
    """Return paths of variables without the numbers of layers."""
    return [_NUMBERED.sub("", f"{v.path}/").rstrip("/") for v in model.variables]


def _shapes(names, arrays):
    return list(zip(names, (tuple(each.shape) for each in arrays), strict=True))


def _values(owner):
    return [keras.ops.convert_to_numpy(v.value) for v in owner.variables]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _description(model):
    try:
        config = model.get_config()
    except NotImplementedError:
        # A class of the user's own.
        return None
    text = json.dumps(config, sort_keys=True, default=str)
    return _NUMBERED.sub("", text)


def _first_difference(found, expected):
    """Name the first variable that differs."""
    for own, saved in zip(found, expected, strict=False):
        if own != saved:
            return f"{own[0]} {own[1]}, and not {saved[0]} {saved[1]}"
    return f"{len(found)} arrays of weights, and not {len(expected)}"
