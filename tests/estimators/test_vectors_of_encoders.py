"""Vectors that are given to an encoder and a decoder."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor, load, save
from skrnn.preprocessing import TextSequencer

X = [["good", "food"], ["bad", "wine"], ["good"], ["bad", "food"]] * 2
Y = [["goed", "eten"], ["slecht", "wijn"], ["goed"], ["slecht", "eten"]] * 2
# Sorted, from id 2 on: bad, food, good, wine.
VECTORS = {
    "good": [1.0, 2.0, 3.0],
    "bad": [-1.0, 0.0, 0.5],
    "food": [3.0, 3.0, 3.0],
}
TINY = dict(units=4, epochs=2, random_state=0)
FROZEN = TINY | dict(embedding_trainable=False)


def table(model):
    return model._weights[0]


def rows(model, *words):
    return table(model)[[sorted({w for x in X for w in x}).index(w) + 2 for w in words]]


@pytest.mark.parametrize("engine", ["cpu", "keras"])
def test_frozen_vectors_are_those_given_by_word(engine):
    model = Seq2SeqClassifier(embedding_matrix=VECTORS, engine=engine, **FROZEN)
    model.fit(X, Y)
    np.testing.assert_array_equal(rows(model, *VECTORS), list(VECTORS.values()))
    # That of "wine" is random, of the same variance; labels have vectors of their own.
    assert np.abs(rows(model, "wine")).max() > 0.1
    assert model._spec.decoder[0].dims == (4,)
    assert model.weights_["encoder_embedding"]["embeddings"].shape == (6, 3)


def test_trainable_vectors_begin_as_given_and_are_learnt():
    tiny_steps = TINY | dict(learning_rate=1e-6)
    model = Seq2SeqClassifier(embedding_matrix=VECTORS, **tiny_steps).fit(X, Y)
    found, given = rows(model, *VECTORS), np.array(list(VECTORS.values()), "f4")
    np.testing.assert_allclose(found, given, atol=1e-4)
    assert (found != given).any()


NUMBERS = np.arange(8.0)[:, None] * np.ones((8, 2))
FORMS = {
    "ids in an array": (Seq2SeqClassifier, [[1, 2], [2, 4], [3, 3], [1, 4]] * 2, Y),
    "ids, numbers out": (Seq2SeqRegressor, [[1, 2], [2], [3, 3], [1, 4]] * 2, NUMBERS),
    "strings": (Seq2SeqClassifier, ["ab", "cc", "a", "bc"] * 2, Y),
}


@pytest.mark.parametrize("key", FORMS)
def test_rows_of_an_array_are_those_of_ids(key):
    cls, inputs, targets = FORMS[key]
    matrix = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    model = cls(embedding_matrix=matrix, **FROZEN).fit(inputs, targets)
    np.testing.assert_array_equal(table(model), matrix)
    assert len(model.predict(inputs)) == len(inputs)


def test_ids_of_a_sequencer_have_words():
    texts = [" ".join(words) for words in X]
    network = Seq2SeqClassifier(embedding_matrix=VECTORS, **FROZEN)
    model = make_pipeline(TextSequencer(), network).fit(texts, Y)
    np.testing.assert_array_equal(rows(model[-1], *VECTORS), list(VECTORS.values()))


def test_training_goes_on_from_what_was_learnt():
    model = Seq2SeqClassifier(embedding_matrix=VECTORS, **TINY).fit(X, Y)
    before = table(model).copy()
    model.set_params(learning_rate=1e-9).partial_fit(X, Y)
    np.testing.assert_allclose(table(model), before, atol=1e-6)
    model.set_params(warm_start=True, epochs=1).fit(X, Y)
    np.testing.assert_allclose(table(model), before, atol=1e-6)


def test_clones_share_them_and_files_keep_them(tmp_path):
    model = Seq2SeqClassifier(embedding_matrix=VECTORS, **FROZEN)
    assert clone(model).embedding_matrix is VECTORS
    model.fit(X, Y)
    save(model, tmp_path / "model")
    for again in (load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        assert again.predict(X) == model.predict(X)


def test_the_keras_model_freezes_them():
    model = Seq2SeqClassifier(embedding_matrix=VECTORS, **FROZEN).fit(X, Y)
    frozen = [each for each in model.model_.layers if not each.trainable]
    assert [each.get_weights()[0].shape for each in frozen] == [(6, 3)]


BAD = {
    "another length": (
        dict(embedding_matrix=VECTORS, embedding_dim=4),
        X,
        "embedding_dim=4, but the vectors of embedding_matrix have length 3; leave",
    ),
    "no word": (
        dict(embedding_matrix={"Good": [1.0]}),
        X,
        "None of the 4 words of X has a vector in embedding_matrix",
    ),
    "too few rows": (
        dict(embedding_matrix=np.ones((5, 2))),
        X,
        "embedding_matrix has 5 rows, but X has 6 ids, 0 to 5",
    ),
    "ids without words": (
        dict(embedding_matrix=VECTORS),
        [[1, 2]] * 8,
        "embedding_matrix holds vectors by word, but X doesn't tell the words",
    ),
    "numbers": (
        dict(embedding_matrix=np.ones((5, 2))),
        [[0.5, 1.5]] * 8,
        "expects X to hold token ids",
    ),
    "two ids a step": (
        dict(embedding_matrix=np.ones((5, 2))),
        np.ones((8, 3, 2), int),
        "reads one token id a step, but X has 2 channels of them",
    ),
}


@pytest.mark.parametrize("key", BAD)
def test_bad_vectors_are_refused(key):
    params, inputs, message = BAD[key]
    model = Seq2SeqClassifier(**params, **TINY)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(inputs, Y)
    assert not hasattr(model, "classes_")


def test_what_is_no_matrix_is_named():
    message = "The 'embedding_matrix' parameter of Seq2SeqRegressor must be"
    with pytest.raises(InvalidParameterError, match=message):
        Seq2SeqRegressor(embedding_matrix="glove").fit([[1, 2]], [[1.0]])
