"""Perplexity of probabilities in every form."""

import numpy as np
import pandas as pd
import pytest
from _metrics_cases import probabilities
from sklearn.metrics import log_loss

from skrnn._data.sequences import ragged_array
from skrnn.metrics import perplexity


def test_perplexity_is_the_exponential_of_the_log_loss():
    proba = probabilities(20, 3)
    y = np.random.default_rng(1).integers(0, 3, 20)
    weights = np.arange(20.0)
    expected = np.exp(log_loss(y, proba, labels=[0, 1, 2], sample_weight=weights))
    found = perplexity(y, proba, labels=[0, 1, 2], sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    words = np.array(["a", "b", "c"])[y]
    np.testing.assert_allclose(perplexity(words, proba), perplexity(y, proba))


def test_perplexity_of_steps_in_every_form():
    proba = probabilities(4, 5, 3)
    y = np.random.default_rng(1).integers(0, 3, (4, 5))
    y[0, :3] = 0, 1, 2
    expected = perplexity(y.ravel(), proba.reshape(-1, 3))
    assert perplexity(y, proba) == expected
    assert perplexity(list(y), list(proba)) == expected
    lengths = (5, 2, 1, 3)
    ragged = ragged_array([each[:n] for each, n in zip(proba, lengths, strict=True)])
    labels = [each[:n].tolist() for each, n in zip(y, lengths, strict=True)]
    expected = perplexity(np.concatenate(labels), np.concatenate(list(ragged)))
    assert perplexity(labels, ragged) == expected
    # The padding of an array, as predict_proba has it.
    for each, n in zip(proba, lengths, strict=True):
        each[n:] = 0
    np.testing.assert_allclose(perplexity(y, proba, labels=[0, 1, 2]), expected)


def test_perplexity_of_frames():
    proba = probabilities(4, 5, 3)
    proba[0, 3:] = 0
    y = np.random.default_rng(1).integers(0, 3, (4, 5))
    options = {"labels": [0, 1, 2]}
    expected = perplexity(y, proba, **options)
    assert perplexity(pd.DataFrame(y), proba, **options) == expected
    flat = pd.Series(y[1]), pd.DataFrame(proba[1])
    assert perplexity(*flat, **options) == perplexity(y[1], proba[1], **options)


@pytest.mark.parametrize("shape", [(4, 5), (5, 4), (4, 4), (6, 1), (1, 3)])
@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
def test_perplexity_of_an_array_for_each_output(shape, form):
    proba = probabilities(*shape, 3)
    y = np.random.default_rng(1).integers(0, 3, shape)
    weights = np.arange(1.0, 1 + len(y))
    options = {"labels": [0, 1, 2], "sample_weight": weights}
    by_output = list(np.swapaxes(proba, 0, 1))
    expected = perplexity(y, proba, **options)
    for listed in (by_output, tuple(by_output), list(map(pd.DataFrame, by_output))):
        assert perplexity(form(y), listed, **options) == expected
    # Nested lists are an array, and lists of labels have a list with each sample's.
    assert perplexity(form(y), proba.tolist(), **options) == expected
    assert perplexity(y.tolist(), list(proba), **options) == expected


PADDING_LABELS = {
    "a number": (-1, [0, 1, 2]),
    "a number, without labels": (-1, None),
    "text": ("PAD", ["a", "b", "c"]),
    "nothing": ("", None),
}


@pytest.mark.parametrize("key", PADDING_LABELS)
@pytest.mark.parametrize("nested", [False, True])
def test_the_labels_of_padding_are_never_looked_up(key, nested):
    padding, labels = PADDING_LABELS[key]
    proba, real = probabilities(4, 5, 3), np.arange(5) < np.array([[5], [2], [1], [3]])
    names = np.array([0, 1, 2] if isinstance(padding, int) else ["a", "b", "c"])
    y = names[np.random.default_rng(1).integers(0, 3, (4, 5))]
    y[0, :3] = names
    expected = perplexity(y[real], proba[real], labels=labels)
    padded = np.where(real, y, padding)
    proba[~real] = 0
    padded = padded.tolist() if nested else padded
    found = perplexity(padded, proba, labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_perplexity_of_certainty_and_of_error():
    assert perplexity([0, 1], np.eye(2)) == 1
    assert perplexity([1, 0], np.eye(2)) == np.inf
    assert perplexity([1, 0, 1], np.eye(2)[[0, 0, 1]], sample_weight=[0, 1, 1]) == 1
