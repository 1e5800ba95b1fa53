"""Which parts of a model are Keras' own; a model with parts of the user's is Keras'.

A configuration doesn't tell. Keras records no module for classes and functions of a
script or a notebook, and looks them up among its own: a user's ``relu`` would become
Keras'. So the modules of the objects decide.
"""

from types import BuiltinFunctionType, FunctionType, MethodType

import keras

from skrnn._engine.keras.private import layers_of

# Their configuration doesn't say what they compute.
_OPAQUE_LAYERS = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
_OWN = ("keras", "skrnn")
_FUNCTIONS = FunctionType, MethodType, BuiltinFunctionType


class NotTakenError(Exception):
    """The engine leaves this model or this training to Keras; the message says why."""


def is_keras(part):
    """Whether a function, or the class of an object, is Keras' own."""
    return _library_of(part) == "keras"


def refuse_foreign_parts(model):
    """Refuse a model if a layer, or an argument of one, isn't Keras' own or ours.

    Raises
    ------
    NotTakenError
    """
    layers = layers_of(model)
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


def refuse_foreign_configuration(config):
    """Refuse a configuration if a part of it isn't Keras' own or ours.

    Raises
    ------
    NotTakenError
    """
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
            refuse_foreign_configuration(value)


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
