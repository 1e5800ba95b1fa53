"""Scores of label sequences and of their probabilities, and scorers for searches.

Every score takes ``y_true`` and ``y_pred`` as the recurrent estimators take and give
them: arrays (n, T), or ragged ones.
"""

from skrnn.metrics._perplexity import perplexity
from skrnn.metrics._scorers import get_scorer, get_scorer_names
from skrnn.metrics._spans import span_f1_score
from skrnn.metrics._tokens import sequence_accuracy_score, token_accuracy_score

__all__ = [
    "get_scorer",
    "get_scorer_names",
    "perplexity",
    "sequence_accuracy_score",
    "span_f1_score",
    "token_accuracy_score",
]
