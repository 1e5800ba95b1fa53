"""What public methods are annotated with, and scikit-learn's decorators with types.

scikit-learn ships no types: to a type checker, what its decorators return would be
anything at all.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NewType, TypeAlias, TypeVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import metaestimators
from sklearn.utils._param_validation import validate_params as _validate_params

__all__ = [
    "Array",
    "ArrayLike",
    "Documents",
    "RandomState",
    "SequenceData",
    "Targets",
    "Weights",
    "Widths",
    "available_if",
    "fit_context",
    "validate_params",
]

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    # What is returned: of numbers, of labels, or of arrays of different lengths.
    Array: TypeAlias = NDArray[Any]
    # An array or a frame, or a collection of them, whatever library they come from; a
    # list of arrays of different lengths too.
    SequenceData: TypeAlias = ArrayLike | Iterable[Any]
    Targets: TypeAlias = ArrayLike | Iterable[Any]
    Weights: TypeAlias = ArrayLike | Iterable[Any]
else:
    # Their names alone: ``help`` would show the many types that an array-like may have.
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

_Method = TypeVar("_Method", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
    """Decorate a ``fit`` that checks parameters first, as scikit-learn's do."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _fit_context(**options)


def available_if(check: Callable[[Any], bool]) -> Callable[[_Method], _Method]:
    """Decorate a method that is there only if `check` of the estimator is true."""
    return metaestimators.available_if(check)


def validate_params(
    constraints: dict[str, Any], *, prefer_skip_nested_validation: bool
) -> Callable[[_Method], _Method]:
    """Decorate a function whose arguments are checked first."""
    options = {"prefer_skip_nested_validation": prefer_skip_nested_validation}
    return _validate_params(constraints, **options)
