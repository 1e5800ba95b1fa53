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


@pytest.mark.parametrize("n_targets", [1, 2])
def test_a_calibration_part_moves_paths_as_quantiles(n_targets):
    rng = np.random.default_rng(0)
    y = 10 + rng.normal(size=(300, n_targets))
    # A network that has learned nothing has quantiles that are far off.
    forecaster = quick(
        distribution="normal", seasonal_periods=None, n_windows=64, calibration_size=100
    ).fit(None, y[:, 0] if n_targets == 1 else y)
    levels = (0.1, 0.5, 0.9)
    quantiles = forecaster.forecast(5, quantiles=levels).to_numpy()
    paths = forecaster.sample_paths(5, 4000, random_state=0).to_numpy()
    of_paths = np.quantile(paths.reshape(5, n_targets, -1), levels, axis=-1)
    expected = quantiles.reshape(5, n_targets, 3)
    # The fifth step goes on from other values than the median.
    np.testing.assert_allclose(
        np.moveaxis(of_paths, 0, -1)[:4], expected[:4], atol=0.12
    )
