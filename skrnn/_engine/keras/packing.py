"""Objects of Keras in the state of an estimator, as a pickle carries them.

Whoever unpickles one computes on Keras' backend at once, which never comes back in a
process that was forked from one where the backend ran. What has never been opened there
can be refused by name.
"""

import pickle

from skrnn._engine.keras.fork import is_forked, refuse_forked_process


def is_of_keras(value):
    """Whether a value is Keras' own and has variables, as optimizers and models do."""
    own = type(value).__module__.split(".")[0] == "keras"
    return own and hasattr(value, "variables")


def pack(state: dict) -> dict:
    """Return a state for a pickle, objects of Keras in boxes of their own."""
    found = {name: Box(v) for name, v in state.items() if is_of_keras(v)}
    return state | found if found else state


def unpack(state: dict) -> dict:
    """Return the state that `pack` was given."""
    found = {name: box.value for name, box in state.items() if isinstance(box, Box)}
    return state | found if found else state


class Box:
    """An object that a pickle holds as bytes, and a shallow copy as it is."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return _open, (pickle.dumps(self.value),)


class Closed:
    """What is in the place of an object that can't be made in this process."""

    def __init__(self, data):
        self._data = data

    def __getattr__(self, name):
        # Not for who only looks what it is: copies and representations.
        if not name.startswith("_") and name != "get_params":
            refuse_forked_process()
        raise AttributeError(name)

    def __reduce__(self):
        return _open, (self._data,)


def _open(data):
    return Closed(data) if is_forked() else pickle.loads(data)
