"""Transforms whose inverse isn't defined everywhere, or turns values round."""

import numpy as np
import pytest
from _forecasters import quick, season
from _tables import covering
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

RECIPROCAL = FunctionTransformer(np.reciprocal, np.reciprocal)
NEGATIVE = FunctionTransformer(np.negative, np.negative)


def test_a_root_below_0_is_no_large_value():
    """The square of a negative root rises again, where the series falls to 0."""
    y = np.square(np.arange(60, 0, -1) / 10.0)
    forecaster = quick(Ridge(1e-6), target_transform="sqrt", seasonal_periods=None)
    found = forecaster.fit(None, y).forecast(20)
    assert (np.diff(found) <= 1e-6).all()
    assert found.min() >= 0


QUANTILES, NORMAL = {"quantiles": (0.1, 0.6, 0.9)}, {"distribution": "normal"}
HELD_OUT = {"calibration_size": 30}


@pytest.mark.parametrize(
    ("parameters", "transform"),
    covering(
        [QUANTILES, NORMAL, NORMAL | HELD_OUT, QUANTILES | HELD_OUT],
        [RECIPROCAL, NEGATIVE],
    ),
)
def test_quantiles_of_what_a_transform_turns_round_are_those_of_y(
    transform, parameters
):
    rng = np.random.default_rng(0)
    # Most values are near 5, and some far above: of the rest a tenth is below 5.
    y = 5 + rng.exponential(1.0, 300)
    forecaster = quick(
        target_transform=transform, seasonal_periods=None, n_windows=4000, **parameters
    ).fit(None, y)
    low, high, top = forecaster.forecast(4, quantiles=(0.1, 0.6, 0.9)).to_numpy().T
    assert (low <= high).all()
    assert (high <= top).all()
    # 60 % of y are below: it isn't the quantile of 40 %, or of what isn't y.
    assert np.mean(y <= high.mean()) == pytest.approx(0.6, abs=0.15)
    assert np.mean(y <= low.mean()) < 0.35


def test_forecasts_don_t_depend_on_the_direction_of_a_transform():
    y = season(80, noise=0.3)
    turned = quick(target_transform=NEGATIVE).fit(None, y).forecast(6)
    same = FunctionTransformer(lambda z: z, lambda z: z)
    straight = quick(target_transform=same).fit(None, y).forecast(6)
    np.testing.assert_allclose(turned, straight)
