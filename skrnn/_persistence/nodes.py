"""From objects to JSON and arrays, and back: the walk, whatever the kinds of values.

None, booleans, strings, finite numbers and lists are JSON's own. Any other value is a
*node*: an object of JSON with the name of its kind, ``{"type": "tuple", ...}``. Arrays
stand beside the JSON, by name. A file may hold only values that have a `Kind`: nothing
is imported, called or made because a file names it.
"""

import math
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._persistence.container import UnreadableError

# Far more than a pipeline in a search in a pipeline has.
_DEEPEST = 120
_LARGEST_INT = 2**64
# References make a value larger than its file: a stacking regressor has its estimators
# twice. Only a file made to fill the memory exceeds this.
_MOST_REPEATED = 64


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Attributes
    ----------
    name : str
        The ``type`` of its nodes.
    write : callable
        ``write(value, writer)`` returns the fields of the node.
    read : callable
        ``read(node, reader)`` returns the value, or raises.
    is_shared : bool
        Whether a value in two places is read again as one object.
    """

    name: str
    write: Callable[[Any, "Writer"], dict[str, Any]]
    read: Callable[[dict[str, Any], "Reader"], Any]
    is_shared: bool = False


class Writer:
    """What writes values; it keeps their arrays, and knows where it is.

    Parameters
    ----------
    kind_of : callable
        ``kind_of(value)`` returns a `Kind` or None.
    root : str
        What the whole is called in errors.
    trusted : iterable
        Functions and classes that the user vouches for.
    """

    def __init__(
        self,
        kind_of: Callable[[Any], Kind | None],
        root: str,
        trusted: Iterable[Any] = (),
    ) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.trusted = {full_name(each): each for each in trusted}
        self._kind_of, self._root = kind_of, root
        self._path: list[str] = []
        # id -> node and value: an id is that of another object once its own is gone.
        self._nodes: dict[int, tuple[dict[str, Any], Any]] = {}
        self._open: set[int] = set()
        self._n_shared = 0

    @property
    def path(self) -> str:
        """Where the value is that is being written: ``steps[0][1].mean_``."""
        return "".join(self._path).removeprefix(".")

    def value(self, value: Any, at: str) -> Any:
        """Write the value at `at` within the one that is being written.

        Raises
        ------
        TypeError
            That names the place and the type of a value that no file can have.
        """
        self._path.append(at)
        try:
            return self._written(value)
        finally:
            self._path.pop()

    def _written(self, value):
        plain = type(value)
        if value is None or plain in (bool, str):
            return value
        if plain is int:
            if abs(value) >= _LARGEST_INT:
                self.refuse(f"an int of {value.bit_length()} bits", "at most 64 bits")
            return value
        if plain is float and math.isfinite(value):
            return value
        if plain is list:
            with self._inside(value):
                return [self.value(v, f"[{i}]") for i, v in enumerate(value)]
        return self._node(value)

    def _node(self, value):
        kind: Any = self._kind_of(value)
        if kind is None:
            self.refuse(f"of type {full_name(type(value))}")
        if id(value) in self._nodes:
            node, _ = self._nodes[id(value)]
            if "id" not in node:
                self._n_shared += 1
                node["id"] = self._n_shared
            return {"type": "same", "id": node["id"]}
        with self._inside(value):
            node = {"type": kind.name} | kind.write(value, self)
        if kind.is_shared:
            self._nodes[id(value)] = node, value
        return node

    @contextmanager
    def _inside(self, value):
        if id(value) in self._open or len(self._path) > _DEEPEST:
            self.refuse("nested too deep, or holds itself")
        self._open.add(id(value))
        try:
            yield
        finally:
            self._open.discard(id(value))

    def array(self, array: np.ndarray) -> str:
        """Put an array of plain numbers beside the JSON, and return its name."""
        name = self.path or "value"
        while name in self.arrays:
            name += "'"
        self.arrays[name] = array
        return name

    def refuse(self, what: str, expected: str = "") -> Any:
        """Raise TypeError: the value at this place can't be written."""
        place = f"{self._root}.{self.path}" if self.path else self._root
        expected = expected or (
            "estimators of skrnn and scikit-learn that are listed in the guide, and "
            "plain values; functions and classes of your own if `trusted` has them"
        )
        raise TypeError(
            f"{place} is {what}, which can't be saved; expected {expected}."
        )


class Reader:
    """What reads values again from JSON and arrays.

    Parameters
    ----------
    kinds : iterable of Kind
    arrays : dict of ndarray
    trusted : iterable
        Functions and classes that the user vouches for.
    """

    def __init__(
        self,
        kinds: Iterable[Kind],
        arrays: dict[str, np.ndarray],
        trusted: Iterable[Any] = (),
    ) -> None:
        self.trusted = {full_name(each): each for each in trusted}
        self._kinds = {kind.name: kind for kind in kinds}
        self._arrays = arrays
        self._shared: dict[int, tuple[Any, int]] = {}
        self._depth = self._n_nodes = self._n_repeated = 0

    def value(self, node: Any) -> Any:
        """Return what a piece of JSON stands for.

        Raises
        ------
        UnreadableError
            Pieces that `save` never writes may raise other exceptions.
        """
        self._n_nodes += 1
        plain = type(node)
        if node is None or plain in (bool, str, float):
            return node
        if plain is int:
            if abs(node) >= _LARGEST_INT:
                raise UnreadableError("it has an int of more than 64 bits")
            return node
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnreadableError("it is nested too deep")
        found = [self.value(v) for v in node] if plain is list else self._of(node)
        self._depth -= 1
        return found

    def _of(self, node):
        if node["type"] == "same":
            return self._same(node["id"])
        kind = self._kinds.get(node["type"])
        if kind is None:
            raise UnreadableError(f"it has a value of the type {node['type']!r:.60}")
        before = self._n_nodes + self._n_repeated
        value = kind.read(node, self)
        if "id" in node:
            if not kind.is_shared or node["id"] in self._shared:
                raise UnreadableError("it shares what can't be shared")
            size = self._n_nodes + self._n_repeated - before
            self._shared[node["id"]] = value, size
        return value

    def _same(self, number):
        if number not in self._shared:
            raise UnreadableError("it refers to a value that isn't there")
        value, size = self._shared[number]
        self._n_repeated += size
        if self._n_repeated > _MOST_REPEATED * (len(self._shared) + self._n_nodes):
            raise UnreadableError("it repeats the same values too often")
        return value

    def values(self, nodes: Any) -> list[Any]:
        """Return what a list in JSON stands for."""
        if type(nodes) is not list:
            raise UnreadableError("it lacks a list")
        return [self.value(node) for node in nodes]

    def array(self, name: Any) -> np.ndarray:
        """Return a copy of the array of that name."""
        if type(name) is not str or name not in self._arrays:
            raise UnreadableError(f"it lacks the array {name!r:.60}")
        return self._arrays[name].copy()


def full_name(value: Any) -> str:
    """Return module and name of a class or function."""
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    module = getattr(value, "__module__", None) or type(value).__module__
    return name if module == "builtins" else f"{module}.{name}"


def exactly(node: Any, field: str, *types: type) -> Any:
    """Return a field of a node, which must be of one of some plain types.

    Raises
    ------
    UnreadableError
    """
    value = node.get(field)
    if type(value) not in types:
        raise UnreadableError(f"{field!r} of a value of type {node['type']!r} is wrong")
    return value
