"""Attention of trained networks: which steps were read."""

import copy

import numpy as np
import pytest
from _instances import FAST
from _seq2seq_cases import BACKWARDS, FUTURE, LEARNS, SAME, SOME, WORDS, X, Y
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier, GRURegressor, Seq2SeqClassifier, Seq2SeqRegressor
from skrnn.inspection import attention_weights

# The learnt one takes seconds.
in_one_worker = pytest.mark.xdist_group("reverser")


@pytest.fixture(scope="module")
def reverser():
    return Seq2SeqClassifier(**LEARNS | dict(batch_size=32)).fit(WORDS, BACKWARDS)


@pytest.fixture(scope="module")
def forecaster():
    return Seq2SeqRegressor(**LEARNS).fit(X, Y)


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_attention_of_steps_sums_to_one_over_real_steps(attention):
    model = Seq2SeqClassifier(**FAST, attention=attention).fit(SOME, SAME)
    weights = attention_weights(model, SOME)
    lengths = [len(p) for p in model.predict_proba(SOME)]
    assert weights.shape == (20, max(lengths), max(map(len, SOME)))
    for word, length, w in zip(SOME, lengths, weights, strict=True):
        np.testing.assert_allclose(w[:length, : len(word)].sum(axis=1), 1, rtol=1e-5)
        assert not w[length:].any()
        assert not w[:, len(word) :].any()


@in_one_worker
def test_attention_of_a_reverser_runs_backwards(reverser):
    (weights,) = attention_weights(reverser, ["abc"])
    model = Seq2SeqRegressor(**FAST).fit(X, Y, future=Y)
    found = attention_weights(model, X[:5], future=Y[:5])
    assert found.shape == (5, 3, 8)
    np.testing.assert_allclose(found.sum(axis=2), 1, rtol=1e-5)
    # Three letters and the end.
    assert weights.shape == (4, 3)


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_attention_of_other_networks(attention):
    ragged = [np.ones((n, 2)) * n for n in (3, 1, 5, 2)]
    options = dict(attention=attention, units=4, epochs=1)
    weights = attention_weights(GRURegressor(**options).fit(ragged, range(4)), ragged)
    assert weights.shape == (4, 5)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert not weights[0, 3:].any()
    ids = np.array([[0, 1, 2, 0], [1, 2, 1, 1]] * 4)
    tagger = GRUClassifier(**options, embedding_dim=3, return_sequences=True)
    steps = attention_weights(tagger.fit(ids, ids), ids)
    assert steps.shape == (8, 4, 4)
    expected = np.where(ids > 0, 1, 0)
    np.testing.assert_allclose(steps.sum(axis=2), expected, atol=1e-9)
    np.testing.assert_array_equal(steps > 0, expected[:, :, None] * expected[:, None])


def test_a_network_without_attention_has_none_to_show():
    with pytest.raises(ValueError, match="This GRURegressor has no attention: fit it"):
        attention_weights(GRURegressor(units=2, epochs=1).fit(X, Y[:, 0]), X)
    with pytest.raises(TypeError, match="takes a recurrent estimator of skrnn"):
        attention_weights(StandardScaler().fit(Y), X)
    with pytest.raises(NotFittedError):
        attention_weights(Seq2SeqClassifier(), X)


def test_attention_of_what_takes_no_future():
    translator = Seq2SeqClassifier(**FAST).fit(SOME, SAME)
    other = GRURegressor(units=2, epochs=1, attention="dot").fit(X, Y[:, 0])
    for model, x in ((translator, SOME), (other, X)):
        message = f"A {type(model).__name__} takes no future: expected None. Only a Seq"
        with pytest.raises(TypeError, match=message):
            attention_weights(model, x, future=FUTURE)


@in_one_worker
def test_attention_is_that_of_the_greedy_path(reverser):
    model = copy.deepcopy(reverser).set_params(n_beams=3)
    expected = attention_weights(reverser, SOME)
    np.testing.assert_array_equal(attention_weights(model, SOME), expected)
