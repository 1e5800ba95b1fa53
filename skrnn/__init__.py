"""Recurrent networks as scikit-learn estimators.

Importing this package loads neither TensorFlow nor Keras; a ``fit`` that needs them
does.
"""

from typing import TYPE_CHECKING

# A test holds the three lists of public names together: these are for type checkers and
# editors, `__all__` is for readers, `_PUBLIC` is what is loaded when it is asked for.
if TYPE_CHECKING:
    from skrnn import (
        forecasting,
        inspection,
        metrics,
        persistence,
        preprocessing,
        reference,
        text,
    )
    from skrnn import scikeras as scikeras
    from skrnn._estimators.outliers import SequenceOutlierDetector
    from skrnn._estimators.recurrent import (
        GRUClassifier,
        GRURegressor,
        LSTMClassifier,
        LSTMRegressor,
        RNNClassifier,
        RNNRegressor,
        SequenceClassifier,
        SequenceRegressor,
    )
    from skrnn._estimators.seq2seq import Seq2SeqClassifier, Seq2SeqRegressor
    from skrnn._estimators.transformer import (
        TransformerClassifier,
        TransformerRegressor,
    )
    from skrnn._estimators.versions import show_versions
    from skrnn.persistence import load, save
    from skrnn.preprocessing import (
        SequencePadder,
        SequenceWise,
        SlidingWindow,
        TextSequencer,
        from_channels_first,
        make_supervised,
    )

__version__ = "0.1.0"

__all__ = [
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "Seq2SeqClassifier",
    "Seq2SeqRegressor",
    "SequenceClassifier",
    "SequenceOutlierDetector",
    "SequencePadder",
    "SequenceRegressor",
    "SequenceWise",
    "SlidingWindow",
    "TextSequencer",
    "TransformerClassifier",
    "TransformerRegressor",
    "forecasting",
    "from_channels_first",
    "inspection",
    "load",
    "make_supervised",
    "metrics",
    "persistence",
    "preprocessing",
    "reference",
    "save",
    "show_versions",
    "text",
]

# Not in `__all__`: ``from skrnn import *`` would load Keras.
_HEAVY = ["scikeras"]

# Module -> what it defines of the public names; the others are modules themselves.
_PUBLIC = {
    "_estimators.outliers": ("SequenceOutlierDetector",),
    "_estimators.recurrent": (
        "GRUClassifier",
        "GRURegressor",
        "LSTMClassifier",
        "LSTMRegressor",
        "RNNClassifier",
        "RNNRegressor",
        "SequenceClassifier",
        "SequenceRegressor",
    ),
    "_estimators.seq2seq": ("Seq2SeqClassifier", "Seq2SeqRegressor"),
    "_estimators.transformer": ("TransformerClassifier", "TransformerRegressor"),
    "_estimators.versions": ("show_versions",),
    "persistence": ("load", "save"),
    "preprocessing": (
        "SequencePadder",
        "SequenceWise",
        "SlidingWindow",
        "TextSequencer",
        "from_channels_first",
        "make_supervised",
    ),
}
# Modules whose own names are found here too: many look for `Forecaster` here first.
_SEARCHED = (
    "forecasting",
    "text",
    "inspection",
    "metrics",
    "persistence",
    "preprocessing",
)
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names}


# Hidden from type checkers: with it they would accept any name.
if not TYPE_CHECKING:

    def __getattr__(name):
        from importlib import import_module  # noqa: PLC0415 - not a name of ours

        if name in _HOMES:
            return getattr(import_module(f"skrnn.{_HOMES[name]}"), name)
        if name in __all__ or name in _HEAVY:
            return import_module(f"skrnn.{name}")
        # A private name is a module on its way in: nothing is to be loaded for it.
        for module in () if name.startswith("_") else _SEARCHED:
            found = import_module(f"skrnn.{module}")
            if name in found.__all__:
                return getattr(found, name)
        raise AttributeError(f"module 'skrnn' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_HEAVY, "__version__"])
