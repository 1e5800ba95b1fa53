"""The validation set given to `fit`: read as for `predict`, and not learnt from."""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

# Names of arrays in error messages, but not quoted columns or the X of `fit`.
_NAMES = re.compile(
    r"(?<!the )(?<!fitted with )(?<!fitted without )(?<!fitted on )(?<!['\"])"
    r"\b(X|y|sample_weight|future)\b(?! of fit)(?!['\"])"
)


@dataclass(frozen=True)
class ValidationSet:
    """The arguments of `fit` that make the validation set, not read yet.

    Attributes
    ----------
    X, y, sample_weight, future : array-like or None
    """

    X: Any
    y: Any
    sample_weight: Any = None
    future: Any = None

    def read(self, estimator, spec):
        """Return it as a dataset; `estimator` learns nothing from it.

        Parameters
        ----------
        estimator : estimator
            It has already read the data that it is trained on.
        spec : NetworkSpec
            Of the network that is to be trained.

        Raises
        ------
        ValueError, TypeError
            As for other data, but with the names X_val, y_val and so on.
        """
        # A copy, because reading sets attributes; `copy` refuses an unfinished state.
        reader = object.__new__(type(estimator))
        vars(reader).update(vars(estimator))
        # For warnings; the names in errors are replaced below.
        reader._suffix_of_names = "_val"
        reader._spec = spec
        if hasattr(reader, "class_weight"):
            # As in scikit-learn, only `sample_weight_val` weights a validation set.
            reader.class_weight = None
        if hasattr(reader, "_y_scale"):
            # Targets that were constant in training aren't scaled by other data.
            reader._y_scale = np.where(reader._y_scale > 0, reader._y_scale, 1.0)
        with errors_of_validation():
            return reader._known_dataset(self)


def validation_set(X, y, sample_weight=None, future=None) -> ValidationSet | None:
    """Return the validation set, or None if nothing is given.

    Raises
    ------
    ValueError
        If X or y is missing.
    """
    given = {"X_val": X, "y_val": y}
    others = {"sample_weight_val": sample_weight, "future_val": future}
    found = [name for name, data in (given | others).items() if data is not None]
    missing = [name for name, data in given.items() if data is None]
    if not found:
        return None
    if missing:
        verb = "was" if len(missing) == 1 else "were"
        raise ValueError(
            f"{found[0]} is provided, but {' and '.join(missing)} {verb} not provided."
        )
    return ValidationSet(X, y, sample_weight, future)


@contextmanager
def errors_of_validation(first="X"):
    """Rename X, y and so on in errors to the arguments of the validation set.

    Parameters
    ----------
    first : str
        What the first argument of `fit` is called.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        message = re.sub(rf"\b{first}\b", "X", str(error))
        message = _NAMES.sub(lambda name: f"{name[0]}_val", message)
        if "_val" not in message:
            message = f"X_val and y_val: {message}"
        raise type(error)(message) from error
