"""Linear-chain conditional random fields: the scores of whole sequences of labels.

The head of a network gives each label a score at each step, its emission. A chain adds
a score for each pair of neighbouring labels, and for the first and for the last label
(Lafferty et al., 2001). `formula` computes probabilities from these scores, over `ops`
and `Run`, for every engine.
"""

from skrnn._networks.crf.formula import (
    EXCLUDED,
    SUM_OF_PATHS,
    Chain,
    crf_weights,
    log_partition,
    losses,
    marginals,
)

__all__ = [
    "EXCLUDED",
    "SUM_OF_PATHS",
    "Chain",
    "crf_weights",
    "log_partition",
    "losses",
    "marginals",
]
