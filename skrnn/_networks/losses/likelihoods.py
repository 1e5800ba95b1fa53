"""The likelihoods of `DISTRIBUTIONS`: the loss of each is made of its row there."""

from functools import partial

import numpy as np

from skrnn._networks.distributions import DISTRIBUTIONS, Distribution
from skrnn._networks.losses.row import LossRow, mean_over_columns


def _predictions(distribution, ops, z):
    pairs = _outputs(distribution, ops, z)
    return ops.concatenate([p.of_output(ops, z) for p, z in pairs], axis=-1)


def _of_predictions(distribution, ops, y, predictions):
    columns = ops.split(y, distribution.target_columns, axis=-1)
    found = ops.split(predictions, len(distribution.parameters), axis=-1)
    return ops.mean(distribution.losses(ops, *columns, *found), axis=-1)


def _formula(distribution, ops, y, z):
    predictions = _predictions(distribution, ops, z)
    return _of_predictions(distribution, ops, y, predictions)


def _at_outputs(distribution, y, z):
    # In double precision: the digamma functions of large numbers cancel almost.
    columns = np.split(np.float64(y), distribution.target_columns, axis=-1)
    pairs = _outputs(distribution, np, np.float64(z))
    given = *columns, *(p.of_output(np, z) for p, z in pairs)
    slopes = zip(distribution.slopes(*given), pairs, strict=True)
    gradients = [slope * p.slope(z) for slope, (p, z) in slopes]
    losses, gradient = mean_over_columns(
        distribution.losses(np, *given), np.concatenate(gradients, axis=-1)
    )
    return losses.astype(z.dtype), gradient.astype(z.dtype)


def _outputs(distribution, ops, z):
    """Pair the parameters with their outputs."""
    outputs = ops.split(z, len(distribution.parameters), axis=-1)
    return list(zip(distribution.parameters, outputs, strict=True))


def _row(distribution: Distribution) -> LossRow:
    """Return the loss that is the negative log-likelihood of a distribution."""
    return LossRow(
        name=distribution.name,
        targets="forecasts",
        activations=("linear",),
        formula=partial(_formula, distribution),
        at_outputs=partial(_at_outputs, distribution),
        description=distribution.description,
        source=distribution.source,
        outputs_per_target=lambda: len(distribution.parameters),
        target_columns=distribution.target_columns,
        predictions=partial(_predictions, distribution),
        of_predictions=partial(_of_predictions, distribution),
    )


ROWS = tuple(map(_row, DISTRIBUTIONS.values()))
