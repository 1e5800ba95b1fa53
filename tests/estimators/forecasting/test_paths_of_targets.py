"""Paths of several targets: they go together as the targets do."""

import numpy as np
import pytest
from _forecasters import quick


@pytest.mark.parametrize("sign", [1, -1])
def test_targets_go_together_in_a_path(sign):
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(1, 400)), rng.normal(size=(2, 400))
    first, second = common + 0.2 * own
    y = np.column_stack([10 + first, 20 + sign * second])
    forecaster = quick(distribution="normal", seasonal_periods=None, n_windows=2000)
    paths = forecaster.fit(None, y).sample_paths(3, 1000, random_state=0)
    for step in range(3):
        found = np.corrcoef(paths[0].iloc[step], paths[1].iloc[step])[0, 1]
        assert found == pytest.approx(sign * 0.9, abs=0.15)
