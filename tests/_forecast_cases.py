"""Heads with several outputs a target, and what is far out for them."""

import numpy as np
import pytest

from skrnn._networks.distributions import DISTRIBUTIONS
from skrnn._networks.losses import LOSSES, row_of
from skrnn._networks.specs import Head

LEVELS = (0.05, 0.3, 0.5, 0.9)
FORECASTS = [name for name, row in LOSSES.items() if row.targets == "forecasts"]
COUNTS = [name for name, row in DISTRIBUTIONS.items() if row.counts]
every_forecast = pytest.mark.parametrize("name", FORECASTS)


def head_of(name, n_targets=2, levels=LEVELS):
    """Return a head for so many targets."""
    values = {"quantiles": levels}
    loss = (name, *(values[each] for each in LOSSES[name].parameters))
    row, values = row_of(loss)
    return Head(n_targets * row.outputs_per_target(*values), loss=loss)


def extremes(name):
    """Return all combinations of far outputs and far targets, as float32."""
    head = head_of(name, 1)
    outputs = [-50, -20, -7, 0, 7, 20, 50]
    targets = [[-1e5, -1, 0, 1e-3, 1, 1e5]]
    if name in COUNTS:
        targets = [[0, 1, 7, 1e4, 1e6], [1e-3, 1, 1e3, 1e6]]
    grid = np.meshgrid(*targets, *[outputs] * head.units)
    rows = np.stack([each.ravel() for each in grid], axis=1).astype(np.float32)
    return rows[:, : len(targets)], rows[:, len(targets) :]
