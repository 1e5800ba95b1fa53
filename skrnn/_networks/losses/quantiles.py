"""Several quantiles at once, which can't cross: the pinball loss of all of them.

Of the Q outputs of a target, the middle one, ``Q // 2``, is that quantile itself. Every
other quantile lies away from its neighbour towards the middle, by the softplus of its
output. So quantiles are always in order, and the slope of each by each output is
between -1 and 1.

Source of the loss: Koenker & Bassett (1978), "Regression quantiles"; of the increments:
Park et al. (2022), "Learning quantile functions without quantile crossing for
distribution-free time series forecasting".
"""

import numpy as np
from scipy.special import expit

from skrnn._networks.formulas import positive_part, softplus
from skrnn._networks.losses.row import LossRow


def _number_of(levels):
    """Return the number of quantiles; an error says what levels must be."""
    increasing = (0, *levels, 1)
    if not levels or any(np.diff(increasing) <= 0):
        raise ValueError(
            "the levels of quantiles must be between 0 and 1 and increase, got "
            f"{levels!r}"
        )
    return len(levels)


def _predictions(ops, z, levels):
    outputs = ops.split(z, len(levels), axis=-1)
    middle = len(outputs) // 2
    found = [outputs[middle]]
    for output in outputs[middle + 1 :]:
        found.append(found[-1] + softplus(ops, output))
    for output in reversed(outputs[:middle]):
        found.insert(0, found[0] - softplus(ops, output))
    return ops.concatenate(found, axis=-1)


def _of_predictions(ops, y, predictions, levels):
    total = 0.0
    quantiles = ops.split(predictions, len(levels), axis=-1)
    for level, quantile in zip(levels, quantiles, strict=True):
        d = y - quantile
        above, below = positive_part(ops, d), positive_part(ops, -d)
        total = total + level * above + (1 - level) * below
    return ops.mean(total, axis=-1) / len(levels)


def _formula(ops, y, z, levels):
    return _of_predictions(ops, y, _predictions(ops, z, levels), levels)


def _at_outputs(y, z, levels):
    # An axis for the quantiles, before that of the targets.
    shape = len(z), len(levels), -1
    d = y[:, None] - _predictions(np, z, levels).reshape(shape)
    column = np.array(levels, z.dtype)[:, None]
    slopes = (1 - column) * (d < 0) - column * (d > 0)
    losses = -(d * slopes).mean(axis=(1, 2))
    # By each output: the sum over all quantiles that move with it.
    middle = len(levels) // 2
    below, above = slopes[:, : middle + 1], slopes[:, middle:]
    moved = np.concatenate(
        [
            -np.cumsum(below, axis=1)[:, :-1],
            slopes.sum(axis=1, keepdims=True),
            np.cumsum(above[:, ::-1], axis=1)[:, -2::-1],
        ],
        axis=1,
    )
    rates = expit(z).reshape(shape)
    rates[:, middle] = 1
    return losses, (moved * rates / d[0].size).reshape(z.shape)


ROWS = (
    LossRow(
        name="quantiles",
        targets="forecasts",
        activations=("linear",),
        formula=_formula,
        at_outputs=_at_outputs,
        description="the mean pinball loss of several quantiles that can't cross",
        source="Koenker & Bassett, 1978",
        parameters=("quantiles",),
        outputs_per_target=_number_of,
        predictions=_predictions,
        of_predictions=_of_predictions,
    ),
)
