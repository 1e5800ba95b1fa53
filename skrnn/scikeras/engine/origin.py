"""What in a model is Keras' own, and what may be the user's: that is left to Keras.

A configuration doesn't tell. Keras names no module for classes and functions of a
script or a notebook, and looks for them among its own: a user's ``relu`` would become
Keras'. So the objects are asked.
"""

from types import BuiltinFunctionType, FunctionType, MethodType

import keras

from skrnn._engine.keras.private import layers_of

# Their configuration doesn't say what they compute.
_OPAQUE_LAYERS = {"Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
_OWN = ("keras", "skrnn")
_FUNCTIONS = FunctionType, MethodType, BuiltinFunctionType


class NotTakenError(Exception):
    """The engine leaves a model, or a way to train it, to Keras; says why."""


def is_keras(part):
    """Whether a function, or what an object is one of, is Keras' own."""
    return _library_of(part) == "keras"


def refuse_foreign_parts(model):
    """Refuse a model in which a layer, or what it is told, isn't Keras' own, or ours.

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
    """Refuse a configuration in which something isn't Keras' own, or ours.

    Raises
    ------
    NotTakenError
    """
    if isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        # That of a script has a name alone.
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
    # Keras knows functions of TensorFlow by the names of its own, which they equal.
    if library in _OWN or (library == "tensorflow" and isinstance(part, _FUNCTIONS)):
        return
    name = getattr(part, "__name__", type(part).__name__)
    raise NotTakenError(f"{name} isn't Keras' own")


def _library_of(part):
    owner = part if isinstance(part, _FUNCTIONS) else type(part)
    return str(owner.__module__).split(".")[0]
