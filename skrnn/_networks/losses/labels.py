"""Losses of labels: crossentropies."""

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skrnn._networks.formulas import softplus
from skrnn._networks.losses.row import LossRow, mean_over_columns


def _binary_crossentropy(ops, y, z):
    return ops.mean(softplus(ops, z) - z * y, axis=-1)


def _binary_crossentropy_at_outputs(y, z):
    losses = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    return mean_over_columns(losses, expit(z) - y)


def _categorical_crossentropy(ops, y, z):
    z = z - ops.max(z, axis=-1, keepdims=True)
    likelihood = ops.take_along_axis(z, y, axis=-1)[..., 0]
    return ops.log(ops.sum(ops.exp(z), axis=-1)) - likelihood


def _categorical_crossentropy_at_outputs(y, z):
    gradients = softmax(z, axis=-1)
    losses = logsumexp(z, axis=-1) - np.take_along_axis(z, y, axis=-1)[:, 0]
    gradients[np.arange(len(y)), y[:, 0]] -= 1
    return losses, gradients


ROWS = (
    LossRow(
        name="binary_crossentropy",
        targets="labels",
        activations=("sigmoid",),
        formula=_binary_crossentropy,
        at_outputs=_binary_crossentropy_at_outputs,
        description="for two classes, or labels that are there or not",
        source="Cox, 1958",
        keras="binary_crossentropy",
        aliases=("bce", "bceloss", "bcewithlogitsloss"),
        fused=1,
    ),
    LossRow(
        name="categorical_crossentropy",
        targets="labels",
        activations=("softmax",),
        formula=_categorical_crossentropy,
        at_outputs=_categorical_crossentropy_at_outputs,
        description="for one of several classes",
        source="Bridle, 1990",
        keras="sparse_categorical_crossentropy",
        keras_one_hot="categorical_crossentropy",
        aliases=("sparsecategoricalcrossentropy",),
        fused=2,
        outputs_per_target=None,
    ),
)
