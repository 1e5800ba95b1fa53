"""Data and fitted estimators that several files share."""

import _seq2seq_cases
import numpy as np
import pytest
from _eager import uncompiled
from _seq2seq_cases import BACKWARDS, LEARNS, WORDS

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(24, 5, 2))


@pytest.fixture(scope="module")
def ragged():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in rng.integers(2, 7, 24)]


@pytest.fixture(scope="module")
def task():
    """Sequences whose last steps tell a number, and its sign a label."""
    X = np.random.default_rng(0).normal(size=(200, 6, 2))
    return X, X[:, -2:, 0].sum(axis=1)


@pytest.fixture(scope="module")
def reverser():
    return Seq2SeqClassifier(**LEARNS | dict(batch_size=32)).fit(WORDS, BACKWARDS)


@pytest.fixture
def eagerly():
    """Let TensorFlow compute step by step what else it compiles, in 5 s a network.

    It is the same code and the same operations. `tests/engine/keras` compiles networks.
    """
    with uncompiled():
        yield


@pytest.fixture(scope="module")
def forecaster():
    return Seq2SeqRegressor(**LEARNS).fit(_seq2seq_cases.X, _seq2seq_cases.Y)
