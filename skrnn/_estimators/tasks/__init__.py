"""One mixin for each task: y to arrays and a head, and outputs to predictions."""

from skrnn._estimators.tasks.classification import SequenceClassifierMixin
from skrnn._estimators.tasks.horizons import Seq2SeqRegressorMixin
from skrnn._estimators.tasks.label_sequences import Seq2SeqClassifierMixin
from skrnn._estimators.tasks.outliers import SequenceOutlierMixin
from skrnn._estimators.tasks.regression import SequenceRegressorMixin

__all__ = [
    "Seq2SeqClassifierMixin",
    "Seq2SeqRegressorMixin",
    "SequenceClassifierMixin",
    "SequenceOutlierMixin",
    "SequenceRegressorMixin",
]
