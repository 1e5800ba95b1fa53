"""Names, shapes and first values of the weights of an encoder and a decoder."""

from functools import lru_cache

import numpy as np

from skrnn._networks.cells import CELLS
from skrnn._networks.specs import Seq2SeqSpec
from skrnn._networks.weights import (
    Weight,
    attention_weights,
    cell_weights,
    dense_weights,
    draw_weights,
    norm_weights,
)

# The probability that all labels share evenly before the first step.
_RESERVED = 0.01


@lru_cache(maxsize=64)
def pair_weight_table(spec: Seq2SeqSpec) -> tuple[Weight, ...]:
    """List the weights of `spec`: the encoder's, then the decoder's."""
    table = [*_encoder(spec), *_bridges(spec), *_decoder(spec)]
    width, width_of_memory = spec.units[-1], spec.units[-1] * len(spec.directions)
    table += attention_weights(spec.attention, width_of_memory, width)
    if spec.attention is not None:
        shape = width + width_of_memory, width
        table.append(Weight("combine/kernel", shape, "glorot"))
    for layer, units in enumerate(spec.dense_units):
        table += dense_weights(f"dense_{layer}", width, units)
        width = units
    return (*table, *dense_weights("head", width, spec.head.units))


def initial_pair_weights(spec: Seq2SeqSpec, seed: int) -> list[np.ndarray]:
    """Draw the first weights of `spec`, as those of other networks are drawn."""
    return draw_weights(pair_weight_table(spec), spec.cell, seed)


def at_frequencies(weights, pairs) -> list[np.ndarray]:
    """Let the bias of the head begin at the logarithms of the labels' frequencies.

    A step moves it by no more than the learning rate. Among thousands of labels the
    hidden units, which a step moves all together, would get there first in its place,
    and stay saturated: without this two of three translators learnt nothing further.
    Outputs that are numbers leave the weights alone.

    Source: Karpathy (2019), "A recipe for training neural networks": "init well".
    """
    outputs = pairs.outputs
    if outputs.values.ndim > 1:
        return weights
    rows = outputs.positions()
    of_steps = np.repeat(pairs.weights, outputs.lengths).astype(np.float64)
    if pairs.step_weights is not None:
        of_steps *= pairs.step_weights[rows]
    *others, bias = weights
    counts = np.bincount(outputs.values[rows], of_steps, minlength=len(bias))
    # What is still to come has a probability too. A share of the whole, and not a
    # count: a row of weight 2 begins as that row twice does.
    frequencies = (1 - _RESERVED) * counts / counts.sum() + _RESERVED / len(bias)
    return [*others, np.log(frequencies).astype(np.float32)]


def _encoder(spec):
    width = spec.n_features
    if spec.vocabulary_size is not None:
        width = spec.embedding_dim
        yield Weight("embedding", (spec.vocabulary_size, width), "uniform")
    for layer, units in enumerate(spec.units):
        for direction in spec.directions:
            yield from cell_weights(
                spec.cell, f"recurrent_{layer}/{direction}", width, units
            )
        width = units * len(spec.directions)
        if spec.layer_norm and spec.is_read(layer):
            yield from norm_weights(f"norm_{layer}", width)


def _bridges(spec):
    """List what makes states of one direction from those of both."""
    if spec.bidirectional:
        for layer, units in enumerate(spec.units):
            for state in range(CELLS[spec.cell].n_states):
                yield from dense_weights(f"bridge_{layer}/{state}", 2 * units, units)


def _decoder(spec):
    if spec.n_labels is not None:
        width = spec.embedding_dim
        yield Weight("decoder/embedding", (spec.n_labels + 1, width), "uniform")
    else:
        width = spec.head.units
        yield Weight("decoder/start", (1, width), "zeros")
    width += spec.n_future
    for layer, units in enumerate(spec.units):
        yield from cell_weights(spec.cell, f"decoder/recurrent_{layer}", width, units)
        width = units
        if spec.layer_norm:
            yield from norm_weights(f"decoder/norm_{layer}", width)
