"""Objects of Keras in the pickled state of an estimator.

Unpickling one computes on Keras' backend at once, which hangs in a process that was
forked from one where the backend ran. So they are pickled as bytes, and in such a
process an error names the reason when one is used.
"""

import pickle

from skrnn._engine.keras.fork import is_forked, refuse_forked_process


def is_of_keras(value):
    """Whether a value is Keras' own and has variables, as optimizers and models do."""
    own = type(value).__module__.split(".")[0] == "keras"
    return own and hasattr(value, "variables")


def pack(state: dict) -> dict:
    """Return a state for a pickle, with objects of Keras in boxes."""
    found = {name: Box(v) for name, v in state.items() if is_of_keras(v)}
    return state | found if found else state


def unpack(state: dict) -> dict:
    """Return the state that `pack` was given."""
    found = {name: box.value for name, box in state.items() if isinstance(box, Box)}
    return state | found if found else state


class Box:
    """An object that a pickle stores as bytes; a shallow copy shares it."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return _open, (pickle.dumps(self.value),)


class Closed:
    """Placeholder for an object that can't be unpickled in this process."""

    def __init__(self, data):
        self._data = data

    def __getattr__(self, name):
        # Raise on use alone: copies and representations must not fail.
        if not name.startswith("_") and name != "get_params":
            refuse_forked_process()
        raise AttributeError(name)

    def __reduce__(self):
        return _open, (self._data,)


def _open(data):
    return Closed(data) if is_forked() else pickle.loads(data)
