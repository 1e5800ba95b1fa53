"""Recurrent networks as scikit-learn estimators.

Importing this package loads neither TensorFlow nor Keras; a ``fit`` that needs them
does.
"""

import importlib

__version__ = "0.1.0"

# Public name -> module that defines it.
_PUBLIC = (
    dict.fromkeys(
        (
            "RNNRegressor",
            "LSTMRegressor",
            "GRURegressor",
            "SequenceRegressor",
            "RNNClassifier",
            "LSTMClassifier",
            "GRUClassifier",
            "SequenceClassifier",
        ),
        "skrnn._recurrent",
    )
    | dict.fromkeys(
        ("Seq2SeqRegressor", "Seq2SeqClassifier"),
        "skrnn._seq2seq",
    )
    | dict.fromkeys(
        (
            "SequencePadder",
            "SequenceWise",
            "SlidingWindow",
            "TextSequencer",
            "from_channels_first",
            "make_supervised",
        ),
        "skrnn.preprocessing",
    )
)

__all__ = ["inspection", "metrics", "preprocessing", "text", *_PUBLIC]


def __getattr__(name):
    if name in ("inspection", "metrics", "preprocessing", "scikeras", "text"):
        return importlib.import_module(f"skrnn.{name}")
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'skrnn' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
