"""What public methods are annotated with."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NewType, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "ArrayLike",
    "Documents",
    "RandomState",
    "SequenceData",
    "Targets",
    "Weights",
    "Widths",
]

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    # Arrays that are returned: of numbers, of labels, or of arrays of different
    # lengths.
    Array: TypeAlias = NDArray[Any]
    # An array or a frame, or a collection of them, whatever library they come from; a
    # list of arrays of different lengths too.
    SequenceData: TypeAlias = ArrayLike | Iterable[Any]
    Targets: TypeAlias = ArrayLike | Iterable[Any]
    Weights: TypeAlias = ArrayLike | Iterable[Any]
else:
    # Only their names: ``help`` would show the many types that an array-like may have.
    Array = np.ndarray
    ArrayLike = NewType("ArrayLike", object)
    SequenceData = NewType("SequenceData", object)
    Targets = NewType("Targets", object)
    Weights = NewType("Weights", object)

# A number of units, or one for each layer.
Widths: TypeAlias = "int | np.integer[Any] | tuple[int, ...] | list[int]"
# One text, or many.
Documents: TypeAlias = str | Iterable[str]
RandomState: TypeAlias = int | np.random.RandomState | None
