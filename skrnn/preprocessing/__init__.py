"""Transformers that make, fill and scale sequences, of texts too, and rows to fit on.

Every transformer here keeps the number of rows and leaves `y` alone, so that
scikit-learn's own ``Pipeline``, searches and splitters work with it.
"""

from skrnn.preprocessing._channels import from_channels_first
from skrnn.preprocessing._sequence_padder import SequencePadder
from skrnn.preprocessing._sequence_wise import SequenceWise
from skrnn.preprocessing._sliding_window import SlidingWindow
from skrnn.preprocessing._supervised import make_supervised
from skrnn.preprocessing._text_sequencer import TextSequencer
from skrnn.preprocessing._word_featurizer import WordFeaturizer

__all__ = [
    "SequencePadder",
    "SequenceWise",
    "SlidingWindow",
    "TextSequencer",
    "WordFeaturizer",
    "from_channels_first",
    "make_supervised",
]
