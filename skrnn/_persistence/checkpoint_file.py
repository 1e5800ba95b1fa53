"""The file of a checkpoint: numbers, texts and arrays in our container.

It holds no code, and none is run; a digest tells whether anything was changed.
"""

import os
from typing import Any

import numpy as np

from skrnn._persistence import container
from skrnn._persistence.atomic import write_atomically
from skrnn._persistence.container import UnreadableError

_FORMAT = 1
_PLAIN = type(None), bool, int, float, str


def write_tree(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a tree of dicts, lists, tuples, plain values and arrays of numbers.

    The file that was there before stays as it is until this one is whole.

    Raises
    ------
    OSError
        If it can't be written.
    TypeError
        If something in the tree is of another kind.
    """
    arrays: dict[str, np.ndarray] = {}
    described = {"format": _FORMAT, "checkpoint": _encoded(tree, arrays)}
    content = container.to_bytes(described, arrays)
    write_atomically(path, lambda file: file.write(content))


def read_tree(path: str | os.PathLike[str]) -> Any:
    """Read what `write_tree` wrote.

    Raises
    ------
    OSError
        If the file can't be read.
    UnreadableError
        If it isn't such a file, or not as it was written.
    """
    described, arrays = container.from_bytes(container.read_file(path))
    if described["format"] != _FORMAT or "checkpoint" not in described:
        raise UnreadableError("it is no checkpoint of this version of skrnn")
    try:
        return _decoded(described["checkpoint"], arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError(f"it can't be read as a checkpoint ({error})") from None


def _encoded(tree, arrays):
    """Return a tree as JSON can have it; its arrays are added to `arrays`."""
    if isinstance(tree, np.ndarray | np.generic):
        name = str(len(arrays))
        arrays[name] = np.asarray(tree, order="C")
        return {"array" if isinstance(tree, np.ndarray) else "number": name}
    if isinstance(tree, dict):
        return {"dict": {key: _encoded(value, arrays) for key, value in tree.items()}}
    if isinstance(tree, list | tuple):
        items = [_encoded(value, arrays) for value in tree]
        return {"tuple": items} if isinstance(tree, tuple) else items
    if isinstance(tree, float) and not np.isfinite(tree):
        # No number of JSON.
        return {"float": repr(tree)}
    if isinstance(tree, _PLAIN):
        return tree
    raise TypeError(f"A checkpoint can't hold {tree!r:.60}.")


def _decoded(found, arrays):
    if isinstance(found, list):
        return [_decoded(value, arrays) for value in found]
    if not isinstance(found, dict):
        return found
    ((kind, value),) = found.items()
    if kind == "dict":
        return {name: _decoded(each, arrays) for name, each in value.items()}
    if kind == "tuple":
        return tuple(_decoded(each, arrays) for each in value)
    if kind == "float":
        return float(value)
    return arrays[value] if kind == "array" else arrays[value][()]
