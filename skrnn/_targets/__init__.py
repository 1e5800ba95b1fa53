"""From the user's y to arrays with a head, and from outputs back; one mixin a task."""

from skrnn._targets._classification import SequenceClassifierMixin
from skrnn._targets._horizons import Seq2SeqRegressorMixin
from skrnn._targets._label_sequences import Seq2SeqClassifierMixin
from skrnn._targets._regression import SequenceRegressorMixin

__all__ = [
    "Seq2SeqClassifierMixin",
    "Seq2SeqRegressorMixin",
    "SequenceClassifierMixin",
    "SequenceRegressorMixin",
]
