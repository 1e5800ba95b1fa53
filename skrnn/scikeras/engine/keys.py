"""Cache keys of Keras models that the engine trains itself; which models have one.

Two models with equal keys share compiled functions, so a key holds everything that is
constant in these. Models without a key, or with parts of the user's own, are left to
Keras.

A configuration doesn't tell who wrote a part. Keras records no module for classes and
functions of a script or a notebook, and looks them up among its own: a user's ``relu``
would become Keras'. So the module of each object decides.
"""

import hashlib
import json
import re
from types import BuiltinFunctionType, FunctionType, MethodType

import keras
import numpy as np

from skrnn._engine.keras.foreign.keys import value_key
from skrnn._engine.keras.private import (
    compile_arguments_of,
    ends_of,
    function_arguments_of,
    functional_class,
    is_distributed,
    layers_of,
    undecayed_names_of,
    undecayed_variables_of,
)

# Their configuration doesn't say what they compute.
_OPAQUE_LAYERS = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
_OWN = ("keras", "skrnn")
_FUNCTIONS = FunctionType, MethodType, BuiltinFunctionType
# Layers with `adapt` whose statistics are all in their configuration or variables.
_ADAPTED_LAYERS = {"Normalization", "Discretization"}


class NotTakenError(Exception):
    """The engine leaves this model or this training to Keras; the message says why."""


def is_keras(part):
    """Whether a function, or the class of an object, is Keras' own."""
    return _library_of(part) == "keras"


def refuse_others(model, layers):
    """Refuse a model that Keras computes in another way than the engine would.

    Raises
    ------
    NotTakenError
        If the model has several inputs or outputs, a part that isn't Keras' own or
        ours, or normalization that doesn't compute by its variables.
    """
    _refuse_other_forms(model)
    _refuse_foreign_parts(model, layers)
    refuse_stale_statistics(layers)


def architecture_key(model):
    """Return a key that is equal for models which compute the same from equal weights.

    Raises
    ------
    NotTakenError
        If that can't be known, or the model has several inputs or outputs.
    """
    layers = layers_of(model)
    _refuse_other_forms(model)
    _refuse_foreign_parts(model, layers)
    return _architecture_key(model, layers)


def training_key(model, layers):
    """Return a key that is equal for models which the same steps train.

    Raises
    ------
    NotTakenError
        If that can't be known. `refuse_others` has let the model pass.
    """
    return _architecture_key(model, layers), _compile_key(model)


def _architecture_key(model, layers):
    try:
        config = model.get_config()
    except Exception as error:  # Whatever a layer of the user's raises.
        raise NotTakenError(f"a layer has no configuration: {error}") from error
    _refuse_foreign_configuration(config)
    for layer in layers:
        _refuse_other_influence(layer)
    text = json.dumps(_without_seeds(config), sort_keys=True, default=_digest)
    told = [part for v in model.variables for part in (v.constraint, v.regularizer)]
    keys = tuple(part and _part_key(part) for part in told)
    return type(model).__name__, _without_numbered_names(text), forms(model), keys


def _compile_key(model):
    arguments = compile_arguments_of(model)
    if arguments.get("run_eagerly"):
        raise NotTakenError("run_eagerly is set")
    items = keras.tree.flatten({k: v for k, v in arguments.items() if v is not None})
    # Keras wraps it where the model computes in half precision.
    optimizer = type(model.optimizer).__name__
    types = str(keras.tree.map_structure(type, arguments))
    return optimizer, types, *map(_part_key, items)


def forms(model):
    """Return what kinds of variables a model has."""
    return tuple((tuple(v.shape), v.dtype, v.trainable) for v in model.variables)


def adapted_layers(layers):
    """Return the layers ``Normalization`` that have learnt in ``adapt``."""
    return [
        layer
        for layer in layers
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None
    ]


def refuse_stale_statistics(layers):
    """Refuse layers if a ``Normalization`` doesn't compute by its variables.

    Raises
    ------
    NotTakenError
    """
    for layer in adapted_layers(layers):
        pairs = (layer.mean, layer.adapt_mean), (layer.variance, layer.adapt_variance)
        for used, variable in pairs:
            used = keras.ops.convert_to_numpy(used)
            known = keras.ops.convert_to_numpy(variable).astype(used.dtype)
            if not np.array_equal(used.ravel(), known.ravel(), equal_nan=True):
                raise NotTakenError(f"{layer.name} doesn't compute by its variables")


def _refuse_other_forms(model):
    if keras.backend.backend() != "tensorflow":
        raise NotTakenError(f"the backend is {keras.backend.backend()}")
    if type(model) not in _FORMS:
        raise NotTakenError(f"the model is a {type(model).__name__}")
    if any(map(keras.tree.is_nested, ends_of(model))):
        raise NotTakenError("the model has several inputs or outputs")
    if is_distributed(model):
        raise NotTakenError("the model is distributed")


_FORMS = {keras.Sequential, functional_class()}


def _refuse_foreign_parts(model, layers):
    """Refuse a model if a layer, or an argument of one, isn't Keras' own or ours."""
    operations = [
        operation
        for each in [model, *layers]
        for operation in getattr(each, "operations", ())
    ]
    for part in [*layers, *operations]:
        _refuse_foreign(part)
        for value in keras.tree.flatten(list(vars(part).values())):
            if callable(value) and not isinstance(value, type):
                _refuse_foreign(value)


def _refuse_other_influence(layer):
    """Refuse a layer whose output depends on more than its variables and the row."""
    if getattr(layer, "stateful", False):
        raise NotTakenError("a layer is stateful")
    if 0 in keras.tree.flatten(getattr(layer, "axis", None)):
        raise NotTakenError(f"{layer.name} mixes the rows of a batch")
    # Layers with `adapt` make tables and the like in `finalize_state`.
    adapted = hasattr(layer, "finalize_state")
    if adapted and type(layer).__name__ not in _ADAPTED_LAYERS:
        raise NotTakenError(f"{type(layer).__name__} keeps a state of its own")


def _digest(value):
    """Return a digest of an array for a key: as text it would lose digits."""
    try:
        array = np.asarray(value)
    except Exception as error:  # Whatever an object of the user's raises.
        raise NotTakenError(f"{value!r} can't be told from others") from error
    if array.dtype.kind not in "fiub":
        raise NotTakenError(f"{value!r} can't be told from others")
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return [array.dtype.name, list(array.shape), digest]


def _without_seeds(config):
    """Leave out seeds: weights and states of generators are copied in."""
    if isinstance(config, dict):
        return {k: _without_seeds(v) for k, v in config.items() if k != "seed"}
    if isinstance(config, list | tuple):
        return [_without_seeds(v) for v in config]
    return config


def _without_numbered_names(text):
    """Replace automatic names such as ``lstm_7`` by their order in the text."""
    numbers: dict[str, str] = {}

    def number(match):
        name = match.group(0)
        return numbers.setdefault(name, f'"{match.group(1)} #{len(numbers)}"')

    classes = set(re.findall(r'"class_name": "([A-Za-z0-9]+)"', text))
    stems = {"keras_tensor", "sequential", "functional", "input_layer"}
    stems |= {_snake_case(name) for name in classes}
    pattern = "|".join(sorted(map(re.escape, stems), key=len, reverse=True))
    return re.sub(rf'"({pattern})(?:_\d+)?"', number, text)


def _snake_case(name):
    # As Keras makes a name from a class.
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _part_key(part):
    """Return the key of an optimizer, a loss or a metric."""
    if isinstance(part, str | bool | int):
        return type(part), part
    if isinstance(part, FunctionType) and is_keras(part):
        return part
    if isinstance(part, float | FunctionType | keras.losses.Loss):
        # Some losses lack their numbers in their configuration, as Huber its delta.
        return value_key(part)
    if not is_keras(part) or not hasattr(part, "get_config"):
        raise NotTakenError(f"{part!r} isn't Keras' own")
    decays = getattr(part, "weight_decay", None) is not None
    if decays and (undecayed_variables_of(part) or undecayed_names_of(part)):
        raise NotTakenError("the optimizer treats some variables in another way")
    try:
        config = dict(part.get_config())
    except Exception as error:  # Whatever a schedule of the user's raises.
        raise NotTakenError(f"a part has no configuration: {error}") from error
    _refuse_foreign_configuration(config)
    # Keras numbers names, and they don't change what is computed.
    config.pop("name", None)
    if not isinstance(part, keras.optimizers.Optimizer):
        config["told"] = function_arguments_of(part)
    elif _has_fixed_rate(config):
        config.pop("learning_rate", None)
    text = json.dumps(config, sort_keys=True, default=str)
    return f"{type(part).__module__}.{type(part).__name__} {text}"


def _has_fixed_rate(config):
    return not isinstance(config.get("learning_rate"), dict)


def _refuse_foreign_configuration(config):
    """Refuse a configuration if a part of it isn't Keras' own or ours."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        # For a class of a script the configuration has only a name.
        nowhere = module is None and config.get("registered_name") is None
        own = nowhere or str(module).split(".")[0] in _OWN
        marks = str(name).startswith("__") and name != "__lambda__"
        if name is not None and not (own or marks or config.get("config") is None):
            raise NotTakenError(f"{name} isn't Keras' own")
        if name in _OPAQUE_LAYERS or name == "__lambda__":
            raise NotTakenError(f"{name} may compute anything")
    if isinstance(config, dict | list | tuple):
        values = config.values() if isinstance(config, dict) else config
        for value in values:
            _refuse_foreign_configuration(value)


def _refuse_foreign(part):
    library = _library_of(part)
    # Keras serialises TensorFlow's functions under the names of its own equal ones.
    if library in _OWN or (library == "tensorflow" and isinstance(part, _FUNCTIONS)):
        return
    name = getattr(part, "__name__", type(part).__name__)
    raise NotTakenError(f"{name} isn't Keras' own")


def _library_of(part):
    owner = part if isinstance(part, _FUNCTIONS) else type(part)
    return str(owner.__module__).split(".")[0]
