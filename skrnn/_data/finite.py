"""scikit-learn's checks of arrays, with an error alone where it warns or says nothing.

The checks add all numbers up first, and NumPy warns of the sum of inf and -inf. Of a
masked array they return what its mask hides.
"""

from typing import Any

import numpy as np
from sklearn.utils import validation

from skrnn import _sklearn

_quietly = np.errstate(over="ignore", invalid="ignore")

assert_all_finite = _quietly(validation.assert_all_finite)


@_quietly
def check_array(array: Any, *, input_name: str, **options: Any) -> Any:
    """Return what scikit-learn's function of this name does; masks are refused."""
    refuse_masked(array, input_name)
    return validation.check_array(array, input_name=input_name, **options)


@_quietly
def check_sample_weight(sample_weight: Any, X: Any, **options: Any) -> Any:
    """Return what scikit-learn's function of this name does; masks are refused."""
    refuse_masked(sample_weight, "sample_weight")
    return _sklearn.check_sample_weight(sample_weight, X, **options)


@_quietly
def validate_data(estimator: Any, X: Any, **options: Any) -> Any:
    """Return what scikit-learn's function of this name does; masks are refused."""
    refuse_masked(X, "X")
    return validation.validate_data(estimator, X, **options)


def refuse_masked(array: Any, what: str) -> None:
    """Refuse an array with masked values: NumPy's functions would read them as data."""
    if not isinstance(array, np.ma.MaskedArray) or array.dtype.names:
        # Records are refused where they are read.
        return
    if np.ma.is_masked(array):
        raise TypeError(
            f"{what} is a masked array with masked values, which would be read as "
            "data; fill them or leave them out."
        )
