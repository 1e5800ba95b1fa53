"""Inspection of text generators and Forecasters: what there is, and what to pass."""

import numpy as np
import pytest

import skrnn
from skrnn import reference
from skrnn.forecasting import Forecaster
from skrnn.inspection import gates, gradient_flow, hidden_states, sequence_importance
from skrnn.text import TextGenerator

TEXTS = ["abcab", "cab", "bb"]


@pytest.fixture(scope="module")
def generator():
    model = TextGenerator(units=3, embedding_dim=2, lookback=4, epochs=1)
    return model.set_params(random_state=0).fit(TEXTS)


def test_states_at_each_token_are_those_of_the_formula(generator):
    states = hidden_states(generator, TEXTS)
    assert states.shape == (3, 6, 3)
    w = generator.weights_
    for row, text in zip(states, TEXTS, strict=True):
        ids = [0, *(list(generator.tokens_).index(letter) for letter in text)]
        x = np.asarray(w["embedding"]["embeddings"], float)[ids]
        expected = reference.lstm(x[None], **w["lstm"])
        np.testing.assert_allclose(row[: len(ids)], np.reshape(expected, (-1, 3)))
        assert not row[len(ids) :].any()


def test_gates_at_each_token(generator):
    found = gates(generator, "cab")
    assert found.forget.shape == (1, 4, 3)
    assert ((found.forget > 0) & (found.forget < 1)).all()
    with pytest.raises(ValueError, match="not in the vocabulary"):
        gates(generator, "xyz")


@pytest.mark.parametrize("look", [gradient_flow, sequence_importance])
def test_what_has_no_meaning_for_texts_says_so(look, generator):
    with pytest.raises(TypeError, match="TextGenerator"):
        look(generator, TEXTS, [0, 0, 0])


@pytest.mark.parametrize(
    "look", [gradient_flow, hidden_states, gates, sequence_importance]
)
def test_networks_of_a_forecaster_are_looked_into(look):
    network = skrnn.GRURegressor(units=2, random_state=0)
    model = Forecaster(network, lookback=8, n_windows=50, n_members=1)
    model.fit(None, np.sin(np.arange(60) / 3))
    more = [np.zeros(3)] if look in (gradient_flow, sequence_importance) else []
    with pytest.raises(TypeError, match=r"forecaster\.estimators_\[0\]"):
        look(model, np.zeros((3, 4, 2)), *more)
    member = model.estimators_[0]
    windows = np.zeros((3, 4, member.n_features_in_))
    if more:
        more = [np.zeros_like(member.predict(windows))]
    if look is not sequence_importance:  # It scores: its y is one of numbers alone.
        assert look(member, windows, *more) is not None
