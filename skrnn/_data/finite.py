"""scikit-learn's checks of arrays, without NumPy's warnings of sums of inf and -inf.

The checks add all numbers up first. The error that follows says all that a user needs.
"""

import numpy as np
from sklearn.utils import validation

from skrnn import _sklearn

_quietly = np.errstate(over="ignore", invalid="ignore")

assert_all_finite = _quietly(validation.assert_all_finite)
check_array = _quietly(validation.check_array)
check_sample_weight = _quietly(_sklearn.check_sample_weight)
validate_data = _quietly(validation.validate_data)
