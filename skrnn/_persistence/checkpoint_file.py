"""Numbers, texts and arrays in one file: JSON, and safetensors for arrays.

No code is in it and none is run, and a digest tells whether anything was changed.
"""

import hashlib
import json
import os
from typing import Any

import numpy as np

from skrnn._persistence.atomic import write_atomically

_FORMAT = "skrnn checkpoint 1"
_PLAIN = type(None), bool, int, float, str


class UnusableFileError(ValueError):
    """The message says what is wrong with a file."""


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
    # Deferred: only who keeps checkpoints needs it.
    from safetensors.numpy import save  # noqa: PLC0415

    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encoded(tree, arrays))
    facts = {"format": _FORMAT, "content": text, "digest": _digest(text, arrays)}
    content = save(arrays, facts)
    write_atomically(path, lambda file: file.write(content))


def read_tree(path: str | os.PathLike[str]) -> Any:
    """Read what `write_tree` wrote.

    Raises
    ------
    OSError
        If the file can't be read.
    UnusableFileError
        If it isn't such a file, or not as it was written.
    """
    from safetensors import safe_open  # noqa: PLC0415

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            facts = file.metadata() or {}
            if facts.get("format") != _FORMAT:
                raise UnusableFileError("it is no checkpoint of this version of skrnn")
            # A file isn't a dict: it has no iterator.
            names = file.keys()
            arrays = {name: file.get_tensor(name) for name in names}
        text = facts["content"]
        if facts["digest"] != _digest(text, arrays):
            raise UnusableFileError("it was changed after it was written")
        return _decoded(json.loads(text), arrays)
    except (OSError, UnusableFileError):
        raise
    except Exception as error:  # What isn't such a file may raise anything.
        raise UnusableFileError(f"it can't be read as a checkpoint ({error})") from None


def _digest(text, arrays):
    found = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


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
    return arrays[value] if kind == "array" else arrays[value][()]
