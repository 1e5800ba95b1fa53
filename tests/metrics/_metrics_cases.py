"""Labels and scores that several files of tests use."""

import numpy as np
import pandas as pd
import pytest

from skrnn._data.sequences import ragged_array
from skrnn.metrics import sequence_accuracy_score, span_f1_score, token_accuracy_score

T, P = [["a", "b", "c"], ["a"]], [["a", "b", "b"], ["a"]]
TOKEN_WISE = (token_accuracy_score, span_f1_score)
EVERY = (*TOKEN_WISE, sequence_accuracy_score)

FORMS = {
    "lists": list,
    "tuples": lambda y: tuple(map(tuple, y)),
    "arrays": lambda y: [np.array(labels) for labels in y],
    "object array": lambda y: ragged_array([np.array(labels) for labels in y]),
    "series": lambda y: pd.Series(y),
}


# What they refuse


NAN = float("nan")


# Perplexity


def probabilities(*shape, seed=0):
    drawn = np.random.default_rng(seed).random(shape)
    return drawn / drawn.sum(axis=-1, keepdims=True)


def assert_refused(error, message, function, *args, **options):
    with pytest.raises(error) as caught:
        function(*args, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


HALVES = np.full((1, 2, 2), 0.5)
