"""What first weights are filled with: where the bias of a head of labels begins."""

import numpy as np

# The probability that all labels share evenly before the first step.
_RESERVED = 0.01


def one_after_the_other(fills):
    """Return one function of all that fill first weights; None if there are none."""
    if not fills:
        return None

    def fill(weights, dataset):
        for each in fills:
            weights = each(weights, dataset)
        return weights

    return fill


def at_frequencies(weights, dataset) -> list[np.ndarray]:
    """Let the bias of the head begin at the logarithms of the labels' frequencies.

    A step moves the bias by no more than the learning rate. With thousands of labels,
    the hidden units, which a step moves all together, would learn the frequencies
    first, and stay saturated: without this, two of three translators learnt nothing
    else. Heads of numbers keep their weights.

    Source: Karpathy (2019), "A recipe for training neural networks": "init well".
    """
    outputs = dataset.outputs
    if outputs.values.ndim > 1:
        return weights
    rows = outputs.positions()
    of_steps = np.repeat(dataset.weights, outputs.lengths).astype(np.float64)
    if dataset.step_weights is not None:
        of_steps *= dataset.step_weights[rows]
    *others, bias = weights
    counts = np.bincount(outputs.values[rows], of_steps, minlength=len(bias))
    # 1 % is for labels not seen yet; a share, so that weight 2 equals two rows.
    frequencies = (1 - _RESERVED) * counts / counts.sum() + _RESERVED / len(bias)
    return [*others, np.log(frequencies).astype(np.float32)]
