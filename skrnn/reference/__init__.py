"""Recurrent networks as their textbook formulas, in plain NumPy.

Each function is the formula of one layer, with its equations and its source, a loop
over time where there is one, and nothing else: no engine, no Keras, no tricks. They are
written to be read, and the tests hold every engine to them.

They take the weights of a fitted estimator as ``weights_`` hands them out::

    outputs = reference.lstm(x, **model.weights_["lstm"])

A sequence is an array (T, F), a row a step. Several of one length are an array
(n, T, F), several of any lengths a list: each is read by itself, so nothing is padded
and nothing is masked.
"""

from skrnn.reference._activations import activate, sigmoid, softmax
from skrnn.reference._attention import (
    additive_attention,
    dot_attention,
    location_attention,
    multi_head_attention,
)
from skrnn.reference._convolution import convolution
from skrnn.reference._crf import (
    crf_best_labels,
    crf_log_likelihood,
    crf_marginals,
)
from skrnn.reference._gru import gru, gru_step
from skrnn.reference._indrnn import indrnn, indrnn_step
from skrnn.reference._layers import (
    bidirectional,
    dense,
    embedding,
    layer_normalization,
    rescaling,
    stacked,
)
from skrnn.reference._lstm import lstm, lstm_step
from skrnn.reference._mingru import mingru, mingru_step
from skrnn.reference._minlstm import minlstm, minlstm_step
from skrnn.reference._rnn import rnn, rnn_step
from skrnn.reference._transformer import (
    rotary_positions,
    sinusoidal_positions,
    transformer_block,
)
from skrnn.reference.memory import ntm, ntm_step

__all__ = [
    "activate",
    "additive_attention",
    "bidirectional",
    "convolution",
    "crf_best_labels",
    "crf_log_likelihood",
    "crf_marginals",
    "dense",
    "dot_attention",
    "embedding",
    "gru",
    "gru_step",
    "indrnn",
    "indrnn_step",
    "layer_normalization",
    "location_attention",
    "lstm",
    "lstm_step",
    "mingru",
    "mingru_step",
    "minlstm",
    "minlstm_step",
    "multi_head_attention",
    "ntm",
    "ntm_step",
    "rescaling",
    "rnn",
    "rnn_step",
    "rotary_positions",
    "sigmoid",
    "sinusoidal_positions",
    "softmax",
    "stacked",
    "transformer_block",
]
