"""scikit-learn's checks of a Forecaster around a regressor of scikit-learn's.

That around a network is a row of `test_contract.py`.
"""

import numpy as np
import pandas as pd
import pytest
from _instances import EXPECTED_FAILS
from sklearn.linear_model import Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn.forecasting import Forecaster

FORECASTERS = [
    Forecaster(Ridge(), lookback=8, strategy=strategy, seasonal_periods=None)
    for strategy in ("multioutput", "recursive", "direct")
]


@parametrize_with_checks(
    FORECASTERS,
    expected_failed_checks=lambda each: EXPECTED_FAILS[type(each)],
    xfail_strict=True,
)
def test_estimator_checks(estimator, check):
    check(estimator)


def test_expected_failures_fail_as_their_reasons_say():
    """A frame of training is refused by its index alone."""
    X, y = np.random.default_rng(0).normal(size=(2, 40, 1))
    frame = pd.DataFrame(X, columns=["a"])
    forecaster = FORECASTERS[0].fit(frame, y[:, 0])
    with pytest.raises(ValueError, match="end at 39; they start at 0, expected 40"):
        forecaster.predict(frame)
    follows = frame.set_axis(range(40, 80))
    assert forecaster.predict(follows).shape == (40,)
