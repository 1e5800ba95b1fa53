"""The validation set given to `fit`: read as for predictions, never learnt from."""

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

# The names of arrays in errors, unless they are columns or those of the X of `fit`.
_NAMES = re.compile(
    r"(?<!the )(?<!fitted with )(?<!fitted without )(?<!fitted on )(?<!['\"])"
    r"\b(X|y|sample_weight|future)\b(?! of fit)(?!['\"])"
)


@dataclass(frozen=True)
class ValidationSet:
    """What `fit` is given to look at after each epoch, as it comes.

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
            Has learnt already from the data that it is trained on.
        spec : NetworkSpec
            Of the network that is to be trained.

        Raises
        ------
        ValueError, TypeError
            As for other data, but with the names X_val, y_val and so on.
        """
        # Reading changes a copy alone. `copy` would refuse the state of half a fit.
        reader = object.__new__(type(estimator))
        vars(reader).update(vars(estimator))
        # For warnings; errors are put right below.
        reader._suffix_of_names = "_val"
        reader._spec = spec
        if hasattr(reader, "class_weight"):
            # As in scikit-learn, only the weights that are given with it count.
            reader.class_weight = None
        if hasattr(reader, "_y_scale"):
            # What was constant in training gets no unit from other data.
            reader._y_scale = np.where(reader._y_scale > 0, reader._y_scale, 1.0)
        with errors_of_validation():
            return reader._known_dataset(self)


def validation_set(X, y, sample_weight=None, future=None) -> ValidationSet | None:
    """Return what is given for validation, if anything is.

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
    """Let errors name the validation set where they take it for the data of `fit`.

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
