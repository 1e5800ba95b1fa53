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
    multi_head_attention,
)
from skrnn.reference._convolution import convolution
from skrnn.reference._gru import gru, gru_step
from skrnn.reference._layers import (
    bidirectional,
    dense,
    embedding,
    layer_normalization,
    rescaling,
    stacked,
)
from skrnn.reference._lstm import lstm, lstm_step
from skrnn.reference._rnn import rnn, rnn_step

__all__ = [
    "activate",
    "additive_attention",
    "bidirectional",
    "convolution",
    "dense",
    "dot_attention",
    "embedding",
    "gru",
    "gru_step",
    "layer_normalization",
    "lstm",
    "lstm_step",
    "multi_head_attention",
    "rescaling",
    "rnn",
    "rnn_step",
    "sigmoid",
    "softmax",
    "stacked",
]
