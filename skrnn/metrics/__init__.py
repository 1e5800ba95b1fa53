"""Scores of label sequences, of their probabilities and of forecasts, and scorers.

Every score of labels takes ``y_true`` and ``y_pred`` as the recurrent estimators take
and give them: arrays (n, T), or ragged ones. Those of forecasts take arrays (n,) or
(n, K), as scikit-learn's scores of regressors do.
"""

from skrnn.metrics._forecasts import (
    continuous_ranked_probability_score,
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
)
from skrnn.metrics._perplexity import perplexity
from skrnn.metrics._scorers import get_scorer, get_scorer_names
from skrnn.metrics._spans import span_f1_score
from skrnn.metrics._tokens import sequence_accuracy_score, token_accuracy_score

__all__ = [
    "continuous_ranked_probability_score",
    "get_scorer",
    "get_scorer_names",
    "mean_absolute_scaled_error",
    "perplexity",
    "sequence_accuracy_score",
    "span_f1_score",
    "symmetric_mean_absolute_percentage_error",
    "token_accuracy_score",
]
