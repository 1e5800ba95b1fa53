"""Scorers: what searches and cross-validation score with."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from _metrics_cases import HALVES, assert_refused
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skrnn import GRUClassifier, Seq2SeqClassifier
from skrnn._data.sequences import ragged_array
from skrnn.metrics import (
    get_scorer,
    get_scorer_names,
    perplexity,
    sequence_accuracy_score,
    span_f1_score,
    token_accuracy_score,
)
from skrnn.preprocessing import WordFeaturizer
from skrnn.text import TextGenerator

SENTENCES = [["See", "Ann", "Lee", "run"], ["Tom", "ran"], ["We", "saw", "Tom"]] * 8
TAGS = ragged_array(
    [np.array(tags) for tags in [["O", "B", "I", "O"], ["B", "O"], ["O", "O", "B"]] * 8]
)
TAGGER = make_pipeline(
    WordFeaturizer(("lower", "shape")),
    GRUClassifier(
        units=4,
        embedding_dim=4,
        return_sequences=True,
        epochs=30,
        learning_rate=0.05,
        random_state=0,
    ),
)
OF_NUMBERS = {"neg_symmetric_mean_absolute_percentage_error"}
OF_LABELS = [name for name in get_scorer_names() if name not in OF_NUMBERS]
SCORING = {name: get_scorer(name) for name in OF_LABELS}


def test_scorers_serve_searches_in_workers():
    grid = {"gruclassifier__epochs": [1, 30]}
    found = [
        GridSearchCV(
            TAGGER, grid, scoring=SCORING, refit="span_f1", cv=2, n_jobs=n_jobs
        ).fit(SENTENCES, TAGS)
        for n_jobs in (1, 2)
    ]
    for search in found:
        assert search.best_params_ == {"gruclassifier__epochs": 30}
        assert search.best_score_ > 0.95
    for name in SCORING:
        scores = [search.cv_results_[f"mean_test_{name}"] for search in found]
        np.testing.assert_array_equal(*scores)
        assert scores[0][1] > scores[0][0]


def test_scorers_are_the_scores():
    tagger = TAGGER.fit(SENTENCES[:12], TAGS[:12])
    X, y = SENTENCES[12:], TAGS[12:]
    predicted, proba = tagger.predict(X), tagger.predict_proba(X)
    expected = {
        "neg_perplexity": -perplexity(y, proba, labels=tagger.classes_),
        "sequence_accuracy": sequence_accuracy_score(y, predicted),
        "span_f1": span_f1_score(y, predicted),
        "token_accuracy": token_accuracy_score(y, predicted),
    }
    found = {name: score(tagger, X, y) for name, score in SCORING.items()}
    assert found == expected
    assert expected["token_accuracy"] == tagger.score(X, y)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("dense", [False, True])
def test_perplexity_scores_any_number_of_classes(classes, dense):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 7, (40, 5))
    y = X % classes
    if not dense:
        X, y = list(X), ragged_array(y)
    model = GRUClassifier(
        embedding_dim=4, units=4, return_sequences=True, epochs=2, random_state=0
    )
    options = {"scoring": get_scorer("neg_perplexity"), "cv": 2}
    scores = cross_validate(model, X, y, **options)["test_score"]
    assert (scores > -classes - 0.5).all()
    assert (scores < -1).all()


LABELLED = {
    "one label": lambda X: X[:, -1],
    "rows": lambda X: X[:, ::-1],
    "as many rows as columns": lambda X: X[:, ::-1],
    "text": lambda X: X[:, :3].astype(str),
}


@pytest.mark.parametrize("key", LABELLED)
@pytest.mark.parametrize("piped", [False, True])
def test_perplexity_scores_arrays_of_labels_that_answer_sequences(key, piped):
    n = 5 if key.startswith("as many") else 40
    X = np.random.default_rng(0).integers(1, 4, (n, 5))
    y = LABELLED[key](X)
    model = Seq2SeqClassifier(embedding_dim=4, units=4, epochs=5, random_state=0)
    model = (make_pipeline("passthrough", model) if piped else model).fit(X, y)
    steps = model.predict_proba(X)
    steps = steps if y.ndim > 1 else [steps]
    # One after the other, label by label.
    places = np.searchsorted(model.classes_, y).reshape(n, -1)
    chosen = [steps[h][i, place] for (i, h), place in np.ndenumerate(places)]
    expected = np.exp(-np.log(chosen).mean())
    score = get_scorer("neg_perplexity")
    np.testing.assert_allclose(score(model, X, y), -expected, rtol=1e-6)
    np.testing.assert_allclose(score(model, X, y.tolist()), -expected, rtol=1e-6)
    np.testing.assert_allclose(
        perplexity(y, model.predict_proba(X), labels=model.classes_), expected
    )


PREDICTED = {
    "a frame": ([0, 1, 1], pd.DataFrame(np.full((3, 2), 0.5))),
    "a list for each sample": ([[0], [1, 1, 0]], [HALVES[0][:1], HALVES[0][[0, 0, 1]]]),
    "an array for each output": ([[0, 1, 0], [1, 1, 0]], [HALVES[0]] * 3),
}


@pytest.mark.parametrize("key", PREDICTED)
def test_perplexity_scores_what_other_estimators_predict(key):
    y, proba = PREDICTED[key]
    other = SimpleNamespace(classes_=np.array([0, 1]), predict_proba=lambda _: proba)
    assert get_scorer("neg_perplexity")(other, y, y) == -2


@pytest.mark.parametrize("as_lists", [False, True])
@pytest.mark.parametrize("piped", [False, True])
def test_what_is_written_to_its_end_has_no_perplexity_of_true_labels(as_lists, piped):
    words = ["ab", "ba", "aab", "bb"] * 3
    y = [list(word) for word in words] if as_lists else words
    model = Seq2SeqClassifier(units=2, epochs=1, random_state=0)
    model = (make_pipeline("passthrough", model) if piped else model).fit(words, y)
    message = (
        "neg_perplexity can't score strings or lists of labels that a "
        f"{type(model).__name__} writes: its predict_proba is about the labels"
    )
    assert_refused(ValueError, message, get_scorer("neg_perplexity"), model, words, y)
    assert 0 <= get_scorer("sequence_accuracy")(model, words, y) <= 1


def test_perplexity_scores_a_padded_tagger_whatever_stands_at_padding():
    X = np.array([[1, 2, 0], [2, 1, 2], [2, 0, 0], [1, 1, 0]] * 4)
    model = GRUClassifier(
        embedding_dim=4, units=4, return_sequences=True, epochs=2, random_state=0
    )
    tagger, score = model.fit(X, X), get_scorer("neg_perplexity")
    expected = score(tagger, X, X)
    assert tagger.classes_.tolist() == [1, 2]
    assert score(tagger, X, np.where(X, X, -100)) == expected


def test_scorers_of_sequences_with_one_label():
    X = np.random.default_rng(0).integers(1, 7, (40, 5))
    model = GRUClassifier(embedding_dim=4, units=4, epochs=2, random_state=0)
    model.fit(X, X[:, -1])
    found = get_scorer("neg_perplexity")(model, X, X[:, -1])
    expected = log_loss(X[:, -1], model.predict_proba(X))
    np.testing.assert_allclose(found, -np.exp(expected))


def test_names_of_scorers():
    assert get_scorer_names() == sorted({*SCORING, *OF_NUMBERS})
    with pytest.raises(ValueError, match="'f1' is not a valid scoring value") as caught:
        get_scorer("f1")
    assert "span_f1" in str(caught.value)
    assert get_scorer("span_f1") is not get_scorer("span_f1")
    assert repr(get_scorer("neg_perplexity")) == "get_scorer('neg_perplexity')"


@pytest.mark.parametrize("scoring", [["a"], None, len, 3], ids=str)
def test_a_name_is_a_str(scoring):
    with pytest.raises(ValueError, match="is not a valid scoring value"):
        get_scorer(scoring)


@pytest.mark.parametrize("name", SCORING)
def test_every_scorer_can_ask_for_weights(name):
    y = TAGS.copy()
    for i in range(8):
        y[i] = np.full(len(y[i]), "O")
    model, weights = clone(TAGGER).set_params(gruclassifier__epochs=10), np.arange(24.0)
    tagger, score = clone(model).fit(SENTENCES, y), get_scorer(name)
    expected = score(tagger, SENTENCES, y, sample_weight=weights)
    assert expected != score(tagger, SENTENCES, y, sample_weight=weights[::-1])
    options = dict(params={"sample_weight": weights}, cv=[(range(24), range(24))])
    with config_context(enable_metadata_routing=True):
        model[-1].set_fit_request(sample_weight=False)
        asks, other = (
            each.set_score_request(sample_weight=True)
            for each in (score, get_scorer("token_accuracy"))
        )
        alone = cross_validate(model, SENTENCES, y, scoring=asks, **options)
        both = {"one": asks, "two": other}
        together = cross_validate(model, SENTENCES, y, scoring=both, **options)
    assert alone["test_score"] == together["test_one"] == expected


def test_perplexity_of_a_language_model_is_its_own():
    texts = ["abab", "baba"] * 4
    options = dict(units=2, lookback=4, epochs=1, random_state=0)
    model = TextGenerator(**options).fit(texts)
    score = get_scorer("neg_perplexity")
    assert score(model, texts) == score(model, texts, None) == -model.perplexity(texts)
    scoring = {"ppl": score, "again": get_scorer("neg_perplexity")}
    found = cross_validate(TextGenerator(**options), texts, scoring=scoring, cv=2)
    np.testing.assert_array_equal(found["test_ppl"], found["test_again"])
    assert np.isfinite(found["test_ppl"]).all()


def test_perplexity_of_a_language_model_knows_no_weights():
    texts = ["abab", "baba"] * 4
    model = TextGenerator(units=2, lookback=4, epochs=1, random_state=0).fit(texts)
    message = "neg_perplexity takes no sample_weight for a TextGenerator, whose own"
    score, weights = get_scorer("neg_perplexity"), np.ones(8)
    assert_refused(TypeError, message, score, model, texts, sample_weight=weights)


def test_perplexity_of_a_tagger_needs_labels():
    tagger = clone(TAGGER).fit(SENTENCES, TAGS)
    with pytest.raises(ValueError, match="needs y_true to score a Pipeline, but y_tr"):
        get_scorer("neg_perplexity")(tagger, SENTENCES)
