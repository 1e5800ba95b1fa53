"""Vocabularies that grow: what was trained stays, and the new tokens are learnt."""

import pickle

import numpy as np
import pytest
from _texts import NAMES, TEXT, TINY
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn import load, save
from skrnn._estimators.language.growth import grown_state
from skrnn._estimators.language.vocabulary import Vocabulary
from skrnn._networks.optimizers import OPTIMIZERS
from skrnn.text import TextGenerator

GROWS = TINY | dict(handle_unknown="grow", epochs=2)
MORE = "the dog dug. " * 8
NETWORKS = {
    "plain": {},
    "tied": dict(tie_weights=True, embedding_dim=8, units=8),
    "two layers": dict(units=(4, 6), dropout=0.2, layer_norm=True),
    "words": dict(analyzer="word"),
}


@pytest.mark.parametrize("key", NETWORKS)
def test_known_tokens_keep_what_was_trained(key):
    model = TextGenerator(**GROWS | NETWORKS[key]).fit(TEXT)
    names, before = model.tokens_.tolist(), model.score(TEXT)
    n_known = len(names) - 2
    kept = pickle.loads(pickle.dumps(model))
    # No step is taken that could be seen.
    model.set_params(learning_rate=1e-30).partial_fit(MORE)
    assert model.tokens_[: len(names)].tolist() == names
    new = model.tokens_[len(names) :].tolist()
    assert new == list(kept._vocabulary.grown([MORE], None, 1).tokens[n_known:])
    assert new
    for grown, known in zip(model._weights, kept._weights, strict=True):
        inside = tuple(map(slice, known.shape))
        np.testing.assert_allclose(grown[inside], known, rtol=1e-6, atol=1e-30)
    bound = np.log1p(len(new) / n_known)
    assert before - bound - 1e-6 <= model.score(TEXT) < before


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_new_tokens_are_learnt_and_written(engine):
    model = TextGenerator(**GROWS | dict(engine=engine)).fit(TEXT)
    model.partial_fit(MORE)
    before = model.score(MORE)
    for _ in range(8):
        model.set_params(learning_rate=0.1).partial_fit(MORE)
    assert model.score(MORE) > before + 0.3
    assert model.generate("the do", 2, temperature=0)[:7] == "the dog"
    assert model.predict_proba(["the do"]).shape == (1, len(model.tokens_))


def test_a_fit_that_goes_on_grows_too():
    model = TextGenerator(**GROWS | dict(warm_start=True)).fit(NAMES)
    n_known, n_epochs = len(model.tokens_), model.n_iter_
    model.fit([*NAMES, "cleo"])
    assert model.tokens_[n_known:].tolist() == ["c", "l"]
    assert model.n_iter_ == 2 * n_epochs == len(model.history_["loss"])


def test_texts_without_new_tokens_change_no_vocabulary():
    one, other = (
        TextGenerator(**TINY | dict(epochs=2, handle_unknown=how)).fit(TEXT)
        for how in ("grow", "error")
    )
    for model in (one, other):
        model.partial_fit(TEXT[:40])
    assert one.tokens_.tolist() == other.tokens_.tolist()
    for mine, its in zip(one._weights, other._weights, strict=True):
        np.testing.assert_array_equal(mine, its)


LIMITS = {
    "too rare": (dict(min_count=17), []),
    "often enough": (dict(min_count=16), ["g"]),
    "no room": (dict(max_features=10), []),
    "room for one": (dict(max_features=14), ["g"]),
    "room for all": (dict(max_features=20), ["g", "u"]),
}


@pytest.mark.parametrize("key", LIMITS)
def test_limits_hold_for_what_is_new(key):
    params, expected = LIMITS[key]
    model = TextGenerator(**GROWS).fit(TEXT)
    n_known = len(model.tokens_)
    assert n_known == 2 + 13
    model.set_params(**params).partial_fit(MORE)
    assert model.tokens_[n_known:].tolist() == expected


@given(texts=st.lists(st.text("abc d", max_size=8), min_size=1, max_size=4))
@settings(max_examples=20)
def test_a_vocabulary_grows_by_what_it_lacks(texts):
    for analyzer in ("char", "word"):
        known = Vocabulary(analyzer, ("a", " b"))
        grown = known.grown(texts, None, 1)
        tokens = {token for text in texts for token in known.analyze(text)}
        assert grown.tokens[:2] == known.tokens
        assert set(grown.tokens) == tokens | {"a", " b"}
        assert len(set(grown.tokens)) == len(grown.tokens)
        assert grown.grown(texts, None, 1) == grown


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_state_of_any_optimizer_grows(optimizer):
    model = TextGenerator(**GROWS | dict(optimizer=optimizer)).fit(TEXT)
    n_steps, before = model._optimizer_state[0], model._optimizer_state
    size = len(model.tokens_) + 2
    spec = model._spec.with_vocabulary(size)
    for old, new in zip(before, grown_state(spec, optimizer, before), strict=True):
        inside = tuple(map(slice, old.shape))
        np.testing.assert_array_equal(new[inside], old)
    model.partial_fit(MORE)
    # It was taken up: an unfit one would begin to count anew.
    assert model._optimizer_state[0] > n_steps
    assert np.isfinite(model.score(MORE))


def test_elsewhere_new_tokens_are_refused():
    model = TextGenerator(**GROWS).fit(TEXT)
    with pytest.raises(ValueError, match=r'"grow" to learn them in partial_fit'):
        model.generate("dog")
    with pytest.raises(ValueError, match="X_val has characters"):
        TextGenerator(**GROWS).fit(TEXT, X_val="dog")
    model.partial_fit(MORE)
    assert model.generate("dog", 3, random_state=0).startswith("dog")


def test_a_failed_call_leaves_the_vocabulary():
    model = TextGenerator(**GROWS).fit(TEXT)
    before = dict(vars(model))
    model.set_params(units=9)
    with pytest.raises(ValueError, match="cannot go on training: units changed"):
        model.partial_fit(MORE)
    assert {k: v for k, v in vars(model).items() if k != "units"} == (
        {k: v for k, v in before.items() if k != "units"}
    )


def test_a_grown_generator_is_a_file_and_a_pickle(tmp_path):
    model = TextGenerator(**GROWS).fit(TEXT).partial_fit(MORE)
    save(model, tmp_path / "model")
    for again in (load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        assert again.generate("dog", 9, random_state=0) == (
            model.generate("dog", 9, random_state=0)
        )
        again.partial_fit("the pig. " * 4)
        assert again.tokens_[-2:].tolist() == ["i", "p"]
