"""Zeros and ones (n, T, K) are several labels at once at every step."""

import pickle
import re

import keras
import numpy as np
import pytest
from _instances import FAST, NETWORKS, assert_same_network
from sklearn.base import clone, is_classifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.utils import compute_sample_weight

from skrnn import GRUClassifier
from skrnn.metrics import get_scorer, sequence_accuracy_score, token_accuracy_score

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 5, 3))
Y = (X > 0).astype(int)
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]
LABELS = [y[: len(x)] for x, y in zip(RAGGED, Y, strict=True)]
CLASSIFIERS = [
    clone(each).set_params(return_sequences=True, epochs=2)
    for each in NETWORKS
    if is_classifier(each)
]
TAGGER = GRUClassifier(return_sequences=True, **FAST)
FORMS = {"dense": (X, Y), "ragged": (RAGGED, LABELS), "bool": (X, Y > 0)}


def name(estimator):
    return type(estimator).__name__


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("network", CLASSIFIERS, ids=name)
def test_predictions_have_the_form_of_y(network, form):
    x, y = FORMS[form]
    model = clone(network).fit(x, y)
    assert model.classes_.tolist() == [0, 1, 2]
    labels, probabilities = model.predict(x), model.predict_proba(x)
    for found in (labels, probabilities):
        assert found.shape == ((24,) if form == "ragged" else (24, 5, 3))
    for rows, shares, each in zip(labels, probabilities, y, strict=True):
        assert rows.shape == shares.shape == each.shape
        np.testing.assert_array_equal(rows, shares > 0.5)
    flat = np.concatenate(list(y)), np.concatenate(list(labels))
    assert model.score(x, y) == accuracy_score(*flat)
    assert token_accuracy_score(y, labels) == accuracy_score(*flat)
    whole = np.mean([np.array_equal(*each) for each in zip(y, labels, strict=True)])
    assert sequence_accuracy_score(y, labels) == whole


def test_it_learns():
    model = clone(TAGGER).set_params(epochs=60).fit(X[:16], Y[:16])
    assert model.score(X[16:], Y[16:]) > 0.6
    assert model.history_["loss"][-1] < 0.3


def test_one_label_a_step_stays_one():
    one, same = (clone(TAGGER).fit(X, y) for y in (Y[..., :1], Y[..., 0]))
    assert_same_network(one, same)
    assert one.predict(X).shape == (24, 5)


def test_the_network_is_that_of_keras():
    model = clone(TAGGER).set_params(units=4).fit(X, Y)
    found = model.model_.predict(X, verbose=0)
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=1e-4, atol=1e-6)
    loss = keras.losses.BinaryCrossentropy()(Y, found)
    again = model.set_params(warm_start=True, epochs=1, batch_size=24, shuffle=False)
    assert again.fit(X, Y).history_["loss"][-1] == pytest.approx(float(loss), rel=1e-4)


def test_partial_fit_knows_the_number_of_labels():
    for x, y in FORMS.values():
        one = clone(TAGGER).partial_fit(x, y, classes=range(3))
        assert_same_network(one, clone(TAGGER).set_params(epochs=1).fit(x, y))
        assert one.partial_fit(x, y).predict(x)[0].shape == y[0].shape
    with pytest.raises(
        ValueError, match="y has 2 labels, but GRUClassifier was fitted"
    ):
        one.partial_fit(X, Y[..., :2])
    with pytest.raises(ValueError, match="was fitted on an indicator matrix; y has"):
        one.partial_fit(X, Y[..., 0])


def test_partial_fit_needs_no_classes():
    once = clone(TAGGER).set_params(return_sequences=False)
    for model, forms in ((TAGGER, FORMS), (once, {"": (X, Y[:, 0])})):
        for x, y in forms.values():
            one, two = (clone(model).partial_fit(x, y, c) for c in (None, [2, 0, 1]))
            assert_same_network(one, two)
            assert one.classes_.tolist() == two.classes_.tolist() == [0, 1, 2]
            one.partial_fit(x, y).predict(x)
            with pytest.raises(
                ValueError, match=re.escape("expected classes=range(3)")
            ):
                clone(model).partial_fit(x, y, classes=[0, 1])


def test_class_weights_are_those_of_all_labels_of_a_step():
    weights = [{0: 1, 1: 3}, {0: 2, 1: 1}, {0: 1, 1: 1}]
    for class_weight in ("balanced", weights):
        model = clone(TAGGER).set_params(class_weight=class_weight).fit(X, Y)
        of_steps = compute_sample_weight(class_weight, Y.reshape(-1, 3)).reshape(24, 5)
        same = clone(TAGGER).fit(X, Y, sample_weight=of_steps)
        for one, other in zip(model._weights, same._weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_tools_take_them():
    model = clone(TAGGER).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    stream = model.stream("predict_proba")
    steps = [stream.update(x) for x in X[0]]
    np.testing.assert_allclose(steps, model.predict_proba(X[:1])[0], rtol=1e-4)
    stream = model.stream()
    labels = [stream.update(x).tolist() for x in X[0]]
    assert labels == model.predict(X[:1])[0].tolist()
    cv = KFold(2)
    assert cross_val_predict(clone(TAGGER), X, Y, cv=cv).shape == Y.shape
    own = cross_val_score(clone(TAGGER), X, Y, cv=cv)
    score = get_scorer("token_accuracy")
    assert own.tolist() == cross_val_score(TAGGER, X, Y, cv=cv, scoring=score).tolist()


def test_padding_has_zeros_and_does_not_count():
    ids = np.where(np.arange(5) < np.arange(24)[:, None] % 4 + 2, Y @ [1, 2, 4] + 1, 0)
    tagger = clone(TAGGER).set_params(embedding_dim=3).fit(ids, Y)
    assert not tagger.predict(ids)[ids == 0].any()
    assert not tagger.predict_proba(ids)[ids == 0].any()
    found = tagger.predict(ids)[ids > 0]
    assert tagger.score(ids, Y) == accuracy_score(Y[ids > 0], found)
    score = get_scorer("token_accuracy")
    assert score(tagger, ids, Y) == pytest.approx(tagger.score(ids, Y))


def test_a_column_is_one_label_a_step():
    column = clone(TAGGER).fit(X, Y[..., :1])
    assert_same_network(column, clone(TAGGER).fit(X, Y[..., 0]))
    assert column.predict(X).shape == (24, 5)
    assert column.predict_proba(X).shape == (24, 5, 2)
    found = get_scorer("token_accuracy")(column, X, Y[..., :1])
    assert found == column.score(X, Y[..., :1]) == column.score(X, Y[..., 0])


OTHERS = {
    "a two": (np.full((24, 5, 3), 2), "Got 2; for one label a step give y of shape"),
    "text": (np.full((24, 5, 3), "1"), "Got '1'; for one label a step"),
    "a matrix": (np.ones((24, 5, 3, 2)), "y has steps of shape (3, 2)"),
}


@pytest.mark.parametrize("key", OTHERS)
def test_what_is_no_indicator_is_refused(key):
    y, message = OTHERS[key]
    with pytest.raises(ValueError, match=re.escape(message)):
        clone(TAGGER).fit(X, y)
