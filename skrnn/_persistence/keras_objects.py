"""Optimizers and schedules of Keras among the parameters, by class and plain numbers.

Keras' own deserialiser isn't used: it would make whatever a file names.
"""

import operator
import sys
from typing import Any

from skrnn import _engine
from skrnn._persistence.container import UnreadableError
from skrnn._persistence.nodes import Kind, exactly

_PLAIN = (bool, int, float, str, type(None))
# Where Keras has them -> their names: looked at before Keras is loaded.
_NAMES = {
    "optimizers": (
        "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lamb Lion Muon Nadam RMSprop"
        " SGD"
    ),
    "optimizers.schedules": (
        "CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay"
        " PiecewiseConstantDecay PolynomialDecay"
    ),
}


def _found(keras, name):
    """Return the class of a name; None if it isn't there."""
    for room, names in _NAMES.items():
        if name in names.split():
            return getattr(operator.attrgetter(room)(keras), name, None)
    return None


def _write(value, writer):
    config = value.get_config()
    schedule = None
    if isinstance(config.get("learning_rate"), dict):
        config["learning_rate"] = schedule = _engine.rate_or_schedule_of(value)
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
    if not any(name in names.split() for names in _NAMES.values()):
        raise UnreadableError(f"it names {name!r:.60}, which is no optimizer of Keras")
    given = {key: reader.value(each) for key, each in config.items()}
    # It loads a backend.
    _engine.backend()
    cls: Any = _found(sys.modules["keras"], name)
    return cls(**given)


OF_KERAS = Kind("keras", _write, _read, is_shared=True)


def kind_of_keras(value: Any) -> Kind | None:
    """Return the kind of an optimizer or a schedule of Keras, or None."""
    keras = sys.modules.get("keras")
    own = type(value).__module__.split(".")[0] == "keras"
    cls = type(value)
    return OF_KERAS if own and keras and _found(keras, cls.__name__) is cls else None
