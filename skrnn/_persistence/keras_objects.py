"""Optimizers and schedules of Keras among the parameters, by class and plain numbers.

Keras' own deserialiser isn't run: it would make whatever a file names.
"""

import sys
from typing import Any

from skrnn import _engine
from skrnn._persistence.nodes import Kind, UnreadableError, exactly

_PLAIN = (bool, int, float, str, type(None))


def _public(keras, value):
    """Return where Keras has a class publicly: its optimizers, or its schedules."""
    for room in (keras.optimizers, keras.optimizers.schedules):
        if getattr(room, type(value).__name__, None) is type(value):
            return room
    return None


def _write(value, writer):
    config = value.get_config()
    schedule = vars(value).get("_learning_rate")
    if isinstance(config.get("learning_rate"), dict):
        config["learning_rate"] = schedule
    written = {}
    for name, each in config.items():
        listed = isinstance(each, list | tuple)
        plain = all(type(v) in _PLAIN for v in (each if listed else [each]))
        if not plain and each is not schedule:
            what = f"{type(value).__name__} with {name}={each!r:.60}"
            writer.refuse(what, "numbers")
        written[name] = writer.value(list(each) if listed else each, f".{name}")
    return {"class": type(value).__name__, "config": written}


def _read(node, reader):
    name, config = exactly(node, "class", str), exactly(node, "config", dict)
    # Deferred: it loads a backend, and only files with such an optimizer need it.
    _engine.backend()
    keras: Any = sys.modules["keras"]
    rooms = keras.optimizers, keras.optimizers.schedules
    bases = keras.optimizers.Optimizer, keras.optimizers.schedules.LearningRateSchedule
    for room, base in zip(rooms, bases, strict=True):
        cls = getattr(room, name, None)
        if isinstance(cls, type) and issubclass(cls, base) and cls is not base:
            return cls(**{key: reader.value(each) for key, each in config.items()})
    raise UnreadableError(f"it names {name!r:.60}, which is no optimizer of Keras")


OF_KERAS = Kind("keras", _write, _read, is_shared=True)


def kind_of_keras(value: Any) -> Kind | None:
    """Return the kind of an optimizer or a schedule of Keras, or None."""
    keras = sys.modules.get("keras")
    own = type(value).__module__.split(".")[0] == "keras"
    return OF_KERAS if own and keras and _public(keras, value) else None
