"""Vectors that are given: which word has which, and whether they are learnt."""

import pickle

import numpy as np
import pytest
from _network_cases import (
    draw_dataset,
    draw_ragged,
    draw_weights,
    program,
    spec_of,
    train,
)
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import GRUClassifier, GRURegressor, LSTMClassifier
from skrnn._engine import choice
from skrnn._networks.specs import Head
from skrnn.preprocessing import TextSequencer

TEXTS = ["good food", "bad food", "good wine, good room", "bad room", "good", "bad"] * 4
LABELS = np.array(["yes", "no"] * 12)
WORDS = ["bad", "food", "good", "room", "wine"]
DIM = 3
MATRIX = np.random.default_rng(0).normal(size=(7, DIM)).astype(np.float32)
VECTORS = {word: MATRIX[i] for i, word in enumerate(WORDS, start=2)}
TINY = dict(units=4, epochs=3, random_state=0)


class KeyedVectors:
    """What is used of gensim's: vectors by word, not a mapping."""

    def __init__(self, vectors):
        self.key_to_index = {word: i for i, word in enumerate(vectors)}
        self.vectors = np.array(list(vectors.values()))

    def __contains__(self, word):
        return word in self.key_to_index

    def __getitem__(self, word):
        return self.vectors[self.key_to_index[word]]


def fit(matrix, **params):
    model = make_pipeline(TextSequencer(), LSTMClassifier(**TINY | params))
    return model.set_params(lstmclassifier__embedding_matrix=matrix).fit(TEXTS, LABELS)


def table(model):
    return model[-1]._weights[0]


GIVEN = {
    "an array": MATRIX,
    "a list": MATRIX.tolist(),
    "integers": np.ones((7, DIM), int),
    "a dict": VECTORS,
    "a dict in another order": dict(reversed(VECTORS.items())),
    "a dict with more words": VECTORS | {"zebra": np.ones(DIM)},
    "KeyedVectors": KeyedVectors(VECTORS),
}


@pytest.mark.parametrize("key", GIVEN)
def test_frozen_vectors_are_those_given(key):
    given = GIVEN[key]
    expected = np.float32(given) if isinstance(given, np.ndarray | list) else MATRIX
    model = fit(given, embedding_trainable=False)
    np.testing.assert_array_equal(table(model)[2:], expected[2:])
    assert table(model).shape == (7, DIM)
    assert table(model).dtype == np.float32


@pytest.mark.parametrize("key", ["an array", "KeyedVectors"])
def test_trainable_vectors_begin_as_given_and_are_learnt(key):
    tiny_steps = fit(GIVEN[key], learning_rate=1e-8)
    np.testing.assert_allclose(table(tiny_steps)[2:], MATRIX[2:], atol=1e-5)
    learnt = fit(GIVEN[key])
    moved = np.abs(table(learnt) - MATRIX)[2:]
    assert (moved.max(axis=1) > 1e-4).all()


def test_a_frozen_table_without_given_vectors_stays_random():
    one = GRUClassifier(embedding_dim=2, embedding_trainable=False, **TINY)
    X, y = [[2, 3], [3, 4, 2], [4]] * 4, [0, 1, 1] * 4
    after_one, after_three = (
        clone(one).set_params(epochs=n).fit(X, y)._weights for n in (1, 3)
    )
    np.testing.assert_array_equal(after_one[0], after_three[0])
    assert (after_one[1] != after_three[1]).any()


def test_words_without_a_vector_begin_at_random_with_the_same_variance():
    vectors = {word: np.float32([100, -100, 50]) for word in ("good", "bad")}
    found = table(fit(vectors, embedding_trainable=False))
    np.testing.assert_array_equal(found[[2, 4]], [vectors["bad"]] * 2)
    others = found[[1, 3, 5, 6]]
    assert len(np.unique(others)) == others.size
    assert 30 < others.std() < 200


def test_vectors_all_of_zeros_are_vectors():
    found = table(fit({"good": np.zeros(DIM)}, embedding_trainable=False))
    assert np.isfinite(found).all()
    assert not found[4].any()


def test_an_array_may_know_more_ids_than_the_training_data():
    model = GRURegressor(embedding_matrix=MATRIX, **TINY)
    model.fit([[1, 2], [2]] * 6, np.arange(12.0))
    assert model.predict([[6, 5]]).shape == (1,)
    with pytest.raises(
        ValueError, match="token id 7, but GRURegressor was fitted with"
    ):
        model.predict([[7]])


def test_a_grid_over_the_vocabulary_aligns_the_vectors_each_time():
    grid = {"textsequencer__max_features": [2, 3, None]}
    model = make_pipeline(
        TextSequencer(),
        LSTMClassifier(embedding_matrix=VECTORS, embedding_trainable=False, **TINY),
    )
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(TEXTS, LABELS)
    best = search.best_estimator_
    for word, id_ in best[0].vocabulary_.items():
        np.testing.assert_array_equal(table(best)[id_], VECTORS[word])


def test_clones_share_the_vectors():
    model = LSTMClassifier(embedding_matrix=MATRIX, callbacks=[], units=5)
    again = clone(model)
    assert again.embedding_matrix is MATRIX
    assert model.embedding_matrix is MATRIX
    assert again.get_params() == model.get_params()
    assert again.callbacks is not model.callbacks
    assert clone(LSTMClassifier()).embedding_matrix is None


def test_given_vectors_are_not_changed():
    before = MATRIX.copy()
    model = fit(MATRIX)
    assert (table(model)[2:] != MATRIX[2:]).any()
    np.testing.assert_array_equal(MATRIX, before)


def test_a_pickle_predicts_with_the_vectors():
    model = fit(KeyedVectors(VECTORS), embedding_trainable=False)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict_proba(TEXTS), model.predict_proba(TEXTS)
    )
    assert not again[-1]._spec.embedding.trainable


def test_the_keras_model_has_the_vectors_and_freezes_them():
    model = fit(MATRIX, embedding_trainable=False)
    ids = model[0].transform(TEXTS[:1])[0]
    found = model[-1].model_.predict(ids[None], verbose=0).ravel()
    np.testing.assert_allclose(found, model.predict_proba(TEXTS[:1])[:, 1], rtol=1e-5)
    names = [weight.path for weight in model[-1].model_.trainable_weights]
    assert not any("embedding" in name for name in names)
    assert len(names) == len(model[-1]._weights) - 1


# Going on


def test_a_frozen_table_can_be_thawed():
    X = TextSequencer().fit_transform(TEXTS)
    model = GRUClassifier(
        embedding_matrix=VECTORS, embedding_trainable=False, warm_start=True, **TINY
    )
    model.fit(X, LABELS)
    np.testing.assert_array_equal(model._weights[0][2:], MATRIX[2:])
    model.set_params(embedding_trainable=True).fit(X, LABELS)
    assert (model._weights[0][2:] != MATRIX[2:]).all()
    thawed = model._weights[0].copy()
    model.set_params(embedding_trainable=False).fit(X, LABELS)
    np.testing.assert_array_equal(model._weights[0], thawed)
    assert model.n_iter_ == 9


def test_training_goes_on_from_what_was_learnt_not_from_what_was_given():
    X = TextSequencer().fit_transform(TEXTS)
    model = GRUClassifier(embedding_matrix=VECTORS, warm_start=True, **TINY)
    learnt = model.fit(X, LABELS)._weights[0].copy()
    model.set_params(learning_rate=1e-9).fit(X, LABELS)
    np.testing.assert_allclose(model._weights[0], learnt, atol=1e-6)


# The engine

FROZEN = {
    "a state": dict(cell="gru"),
    "both directions": dict(cell="lstm", bidirectional=True, attention="additive"),
    "steps": dict(cell="rnn", return_sequences=True, layer_norm=True),
}


@pytest.mark.parametrize("path", ["kernels", "tensorflow"])
@pytest.mark.parametrize("key", FROZEN)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_engine_leaves_a_frozen_table_and_learns_the_rest_alike(
    key, path, optimizer
):
    choices = dict(units=(3,), head=Head(2), embedding_dim=2) | FROZEN[key]
    frozen = spec_of(**choices, embedding_trainable=False)
    weights, data = draw_weights(frozen), draw_dataset(frozen, draw_ragged(frozen))
    order = np.array([[0, 1], [2, 3]])

    def trained(spec, path):
        made = program(spec, optimizer, path=path)
        made.reset(weights)
        loss, finite, after = train(made, data, order, learning_rate=0.01)
        assert finite
        return loss, after, made.get_optimizer_state()

    loss, after, state = trained(frozen, path)
    np.testing.assert_array_equal(after[0], weights[0])
    assert all((a != w).any() for a, w in zip(after[1:], weights[1:], strict=True))
    other_loss, others, other_state = trained(frozen, "tensorflow")
    np.testing.assert_allclose(loss, other_loss, rtol=1e-5)
    for one, other in zip(after, others, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert [each.shape for each in state] == [each.shape for each in other_state]
    # Nothing is remembered of what isn't learnt.
    assert weights[0].shape not in [each.shape for each in state]


def test_compiled_training_leaves_a_frozen_table(monkeypatch):
    monkeypatch.setattr(choice, "choose", lambda *_: "keras")
    model = fit(KeyedVectors(VECTORS), embedding_trainable=False)
    np.testing.assert_array_equal(table(model)[2:], MATRIX[2:])
    monkeypatch.undo()
    by_kernels = fit(KeyedVectors(VECTORS), embedding_trainable=False)
    for one, other in zip(model[-1]._weights, by_kernels[-1]._weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
