"""Several prompts at once have the texts that each has alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn._networks.cells import CELLS
from skrnn.text import TextGenerator

TEXT = "the cat sat on the mat and the rat sat on the hat. " * 6
NETWORKS = {
    **{cell: dict(cell=cell) for cell in CELLS},
    "two layers": dict(units=(5, 9), layer_norm=True, timescales=(1, 2)),
    "tied": dict(units=8, embedding_dim=8, tie_weights=True),
    "words": dict(analyzer="word", handle_unknown="map"),
    "documents": {},
}
PROMPTS = ["the cat", "", "the ", "the rat sat on", "hat", "the cat"]


@pytest.fixture(scope="module", params=NETWORKS)
def model(request):
    params = dict(units=6, embedding_dim=3, lookback=8, batch_size=4, epochs=2)
    texts = [TEXT[:20], TEXT[20:40]] if request.param == "documents" else TEXT
    params |= NETWORKS[request.param]
    return TextGenerator(**params, random_state=0).fit(texts)


@pytest.mark.parametrize("n_samples", [1, 3])
def test_texts_are_those_of_each_prompt_alone(n_samples, model):
    given = dict(max_new_tokens=12, n_samples=n_samples, stop=". ", random_state=7)
    for options in ({}, dict(top_k=3), dict(top_p=0.8), dict(temperature=0)):
        options |= given
        expected = [model.generate(prompt, **options) for prompt in PROMPTS]
        assert model.generate(PROMPTS, **options) == expected


def test_a_state_is_drawn_from_prompt_by_prompt(model):
    one, other = np.random.RandomState(3), np.random.RandomState(3)
    expected = [model.generate(p, 20, random_state=one) for p in PROMPTS]
    assert model.generate(PROMPTS, 20, random_state=other) == expected
    assert one.randint(1000) == other.randint(1000)


@given(prompts=st.lists(st.text("the ca", max_size=6), min_size=1, max_size=12))
@settings(max_examples=5)
def test_any_prompts(model, prompts):
    expected = [model.generate(p, 12, random_state=0) for p in prompts]
    assert model.generate(prompts, 12, random_state=0) == expected


def test_containers_make_no_difference(model):
    expected = model.generate(PROMPTS, 5, random_state=0)
    for container in (tuple, np.array, pd.Series):
        assert model.generate(container(PROMPTS), 5, random_state=0) == expected
    assert model.generate(["the"], 5, random_state=0) == (
        [model.generate("the", 5, random_state=0)]
    )
