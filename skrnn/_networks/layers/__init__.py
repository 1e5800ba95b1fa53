"""One file for each kind of layer: its fields, its weights, its formula, its step."""

from skrnn._networks.layers.attention import AttentionPooling, attention_weights
from skrnn._networks.layers.base import LAYERS, BaseLayer, Flow, Lookup
from skrnn._networks.layers.convolution import Beside, Convolution
from skrnn._networks.layers.delay import Delay
from skrnn._networks.layers.dense import Dense, dense, dense_weights
from skrnn._networks.layers.dropout import Dropout
from skrnn._networks.layers.embedding import Categories, Embedding
from skrnn._networks.layers.normalization import LayerNorm
from skrnn._networks.layers.pooling import (
    POOLINGS,
    EveryStep,
    LastState,
    StepPooling,
)
from skrnn._networks.layers.positions import POSITIONS, Positions
from skrnn._networks.layers.recurrent import Recurrent
from skrnn._networks.layers.repeat import Code, Repeat
from skrnn._networks.layers.self_attention import TransformerBlock

__all__ = [
    "LAYERS",
    "POOLINGS",
    "POSITIONS",
    "AttentionPooling",
    "BaseLayer",
    "Beside",
    "Categories",
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
    "Positions",
    "Recurrent",
    "Repeat",
    "StepPooling",
    "TransformerBlock",
    "attention_weights",
    "dense",
    "dense_weights",
]
