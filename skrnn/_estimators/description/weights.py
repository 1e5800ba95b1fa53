"""The weights of a network by layer and name, for reading only."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skrnn._networks.specs import Spec

# The layer that holds a regressor's units, and how Keras calls what it does.
UNITS_OF_Y = "units_of_y"


@dataclass(frozen=True, eq=False, repr=False)
class LayerWeights(Mapping[str, np.ndarray]):
    """The weights of one layer: name -> read-only array.

    Attributes
    ----------
    gates : tuple of str
        Gates that the last axis of its arrays is divided into, `units` columns each;
        empty for a layer without gates.
    """

    arrays: Mapping[str, np.ndarray] = field()
    gates: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise KeyError(f"{name} is no weight of it: it has {[*self.arrays]}")
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self):
        return "\n".join(self.lines())

    def gate(self, name: str) -> dict[str, np.ndarray]:
        """Return the columns of one gate: name of the weight -> array.

        Raises
        ------
        ValueError
            If the layer has no such gate.
        """
        if name not in self.gates:
            raise ValueError(f"gate={name!r} must be one of {[*self.gates]}.")
        place, n = self.gates.index(name), len(self.gates)
        return {
            weight: np.split(array, n, axis=-1)[place]
            for weight, array in self.arrays.items()
        }

    def lines(self) -> list[str]:
        """Return a line for each weight: its name, its shape, its gates."""
        of_gates = ""
        if self.gates:
            columns = next(iter(self.arrays.values())).shape[-1]
            each = columns // len(self.gates)
            of_gates = f"  {each} columns each: {', '.join(self.gates)}"
        return [
            f"{name:18}{array.shape!s:12}{of_gates}".rstrip()
            for name, array in self.arrays.items()
        ]


@dataclass(frozen=True, eq=False, repr=False)
class NetworkWeights(Mapping[str, LayerWeights]):
    """The weights of a network: name of the layer -> its weights."""

    layers: Mapping[str, LayerWeights] = field()

    def __getitem__(self, name: str) -> LayerWeights:
        if name not in self.layers:
            raise KeyError(f"{name} is no layer of it: it has {[*self.layers]}")
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self):
        parts = []
        for name, layer in self.layers.items():
            parts += [name, *(f"    {line}" for line in layer.lines())]
        return "\n".join(parts)


def weights_by_layer(
    spec: Spec, weights: list[np.ndarray], units_of_y: Mapping[str, Any]
) -> NetworkWeights:
    """Name the weights of a network.

    Parameters
    ----------
    spec : Spec
    weights : list of ndarray
        In the order of its table.
    units_of_y : mapping of str to sequence of float
        "scale" and "offset" of a regressor's outputs; empty for others.
    """
    parts, values = spec.outline(), iter(weights)
    found: dict[str, dict[str, np.ndarray]] = {}
    gates: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for layer, name, _ in part.weights:
            found.setdefault(layer, {})[name] = _for_reading(next(values))
            gates[layer] = part.gates
    if units_of_y:
        arrays = {name: np.array(value) for name, value in units_of_y.items()}
        found[UNITS_OF_Y] = {name: _for_reading(a) for name, a in arrays.items()}
    layers = {k: LayerWeights(arrays, gates.get(k, ())) for k, arrays in found.items()}
    return NetworkWeights(layers)


def _for_reading(array):
    """Return the same numbers in an array that can't be made writeable.

    A view has a base that can be written to, and its flag can be set back. Training and
    prediction would then read what somebody wrote.
    """
    return np.asarray(memoryview(array).toreadonly())
