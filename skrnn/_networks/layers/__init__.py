"""One file for each kind of layer: its fields, its weights, its formula, its step."""

from skrnn._networks.layers.attention import AttentionPooling, attention_weights
from skrnn._networks.layers.base import LAYERS, BaseLayer, Flow, Lookup
from skrnn._networks.layers.convolution import (
    EPSILON,
    Beside,
    Convolution,
    batch_statistics,
    followed,
    normalise,
    windows,
)
from skrnn._networks.layers.delay import Delay
from skrnn._networks.layers.dense import Dense, dense, dense_weights
from skrnn._networks.layers.dropout import Dropout
from skrnn._networks.layers.embedding import Embedding
from skrnn._networks.layers.normalization import LayerNorm
from skrnn._networks.layers.pooling import EveryStep, LastState
from skrnn._networks.layers.recurrent import Recurrent
from skrnn._networks.layers.repeat import Code, Repeat

__all__ = [
    "EPSILON",
    "LAYERS",
    "AttentionPooling",
    "BaseLayer",
    "Beside",
    "Code",
    "Convolution",
    "Delay",
    "Dense",
    "Dropout",
    "Embedding",
    "EveryStep",
    "Flow",
    "LastState",
    "LayerNorm",
    "Lookup",
    "Recurrent",
    "Repeat",
    "attention_weights",
    "batch_statistics",
    "dense",
    "dense_weights",
    "followed",
    "normalise",
    "windows",
]
