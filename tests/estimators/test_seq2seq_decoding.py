"""How long outputs are, beams, scores and what is kept of a fit."""

import copy
import pickle
import re

import numpy as np
import pytest
import sklearn
from _instances import FAST, assert_same_network, in_new_process
from _seq2seq_cases import BACKWARDS, SAME, SOME, WORDS, X, Y
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor
from skrnn._networks.cells import CELLS
from skrnn.preprocessing import SequenceWise


def test_outputs_are_as_long_as_the_longest_of_fit():
    model = Seq2SeqClassifier(**FAST).fit(SOME, SAME)
    longest = max(map(len, SAME))
    assert model.max_length_ == longest
    assert max(map(len, model.predict(SOME))) <= longest
    # Longer inputs, longer outputs: in proportion to the longest input of fit.
    inputs = model._check_X(["a" * 2 * longest, "a"], reset=False)
    assert model._limits(inputs).tolist() == [2 * longest, longest]
    # It may be set later, and unset.
    assert model.set_params(max_length=2)._limits(inputs).tolist() == [2, 2]
    model.set_params(max_length=None)
    assert model._limits(inputs).tolist() == [2 * longest, longest]


@pytest.mark.parametrize("max_length", [1, 2, 7])
def test_no_output_is_longer_than_max_length(max_length):
    model = Seq2SeqClassifier(**FAST, max_length=max_length).fit(SOME, SAME)
    assert max(map(len, model.predict([*SOME, "abcd" * 9]))) <= max_length
    model.set_params(n_beams=3)
    assert max(map(len, model.predict([*SOME, "abcd" * 9]))) <= max_length


def test_probabilities_are_those_of_the_greedy_path(reverser):
    for word, p in zip(
        reverser.predict(WORDS), reverser.predict_proba(WORDS), strict=True
    ):
        np.testing.assert_allclose(p.sum(axis=1), 1)
        labels = [*word, None]
        best = [[*reverser.classes_, None][i] for i in p.argmax(axis=1)]
        assert best == labels[: len(p)]
    logs = reverser.predict_log_proba(WORDS[:2])
    np.testing.assert_allclose(np.exp(logs[1]), reverser.predict_proba(WORDS[:2])[1])


# Beams


@pytest.mark.parametrize("n_beams", [1, 2, 5])
def test_beams_come_with_scores(reverser, n_beams):
    model = copy.deepcopy(reverser).set_params(n_beams=n_beams)
    beams = model.predict_beams(SOME)
    assert [best[0][0] for best in beams] == model.predict(SOME)
    for each in beams:
        assert 1 <= len(each) <= n_beams
        scores = [score for _, score in each]
        assert scores == sorted(scores, reverse=True)
        assert max(scores) <= 0
        assert all(isinstance(word, str) for word, _ in each)
    alone = model.predict_beams(SOME, n_best=1)
    assert [len(each) for each in alone] == [1] * len(SOME)
    assert [each[0][0] for each in alone] == [each[0][0] for each in beams]


def test_the_score_is_the_log_probability_over_a_power_of_the_length(reverser):
    logs = reverser.predict_log_proba(SOME)
    model = copy.deepcopy(reverser).set_params(length_penalty=0.8)
    for log_p, ((_, score),) in zip(logs, model.predict_beams(SOME), strict=True):
        expected = log_p.max(axis=1).sum() / ((5 + len(log_p)) / 6) ** 0.8
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_length_penalty_makes_outputs_longer():
    rng = np.random.default_rng(0)
    y = ["ab" * n for n in rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2], size=200)]
    model = Seq2SeqClassifier(**FAST | dict(epochs=10), n_beams=4).fit(["x"] * 200, y)
    short, long = (
        len(model.set_params(length_penalty=penalty).predict(["x"])[0])
        for penalty in (0, 5)
    )
    assert short < long


def test_future_is_routed_by_pipelines_and_searches():
    rng = np.random.default_rng(0)
    future = rng.normal(size=(60, 3, 1))
    with sklearn.config_context(enable_metadata_routing=True):
        model = Seq2SeqRegressor(**FAST)
        model.set_fit_request(future=True).set_predict_request(future=True)
        model.set_score_request(future=True)
        pipeline = make_pipeline(SequenceWise(StandardScaler()), model)
        pipeline.fit(X[:60], Y[:60], future=future)
        predicted = pipeline.predict(X[:60], future=future)
        assert predicted.shape == (60, 3)
        grid = {"seq2seqregressor__units": [2, 3]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise")
        search.fit(X[:60], Y[:60], future=future)
        best = search.best_estimator_
        assert best.predict(X[:60], future=future).shape == (60, 3)
        assert np.isfinite(search.score(X[:60], Y[:60], future=future))


def test_future_reaches_a_pipeline_without_routing():
    pipeline = make_pipeline(SequenceWise(StandardScaler()), Seq2SeqRegressor(**FAST))
    pipeline.fit(X, Y, seq2seqregressor__future=Y)
    assert pipeline.predict(X, future=Y).shape == Y.shape


def test_searches_and_splitters_take_lists_of_strings():
    model = Seq2SeqClassifier(**FAST | dict(epochs=1))
    for y in (SAME, [list(word) for word in SAME]):
        assert cross_val_score(model, SOME, y, cv=KFold(2)).shape == (2,)
    search = GridSearchCV(model, {"cell": list(CELLS)}, cv=KFold(2)).fit(SOME, SAME)
    assert all(isinstance(word, str) for word in search.predict(SOME))


# Scores and weights


def test_scores(forecaster, reverser):
    predicted = forecaster.predict(X)
    expected = r2_score(Y.ravel(), predicted.ravel())
    assert forecaster.score(X, Y) == pytest.approx(expected)
    weights = np.arange(120) % 3
    expected = r2_score(
        Y.ravel(), predicted.ravel(), sample_weight=np.repeat(weights, 3)
    )
    assert forecaster.score(X, Y, sample_weight=weights) == pytest.approx(expected)
    truth = [*BACKWARDS[:8], "zz", "zz"]
    assert reverser.score(WORDS[:10], truth) <= 0.8
    assert reverser.score(WORDS[:10], truth, [1] * 8 + [0] * 2) > 0.8


OTHER_LABELS = {
    "numbers for strings": (SAME, [[1, 2]] * 20, "y holds 1, but Seq2SeqClassifier wa"),
    "strings for numbers": ([[1, 2], [3]] * 10, SAME, "as 1: expected numbers"),
    "strings for a table": (np.eye(20, dtype=int), [["a"]] * 20, "expected numbers"),
    "an array of numbers": ([list(word) for word in SAME], np.eye(20), "y holds 1.0,"),
}


@pytest.mark.parametrize("key", OTHER_LABELS)
def test_labels_of_another_type_are_not_scored(key):
    y, other, message = OTHER_LABELS[key]
    model = Seq2SeqClassifier(**FAST, warm_start=True).fit(SOME, y)
    for method in (model.score, model.fit):
        with pytest.raises(TypeError, match=re.escape(message)):
            method(SOME, other)
    # Those of the right type that fit never saw are wrong, and no error.
    unseen = [["~" if isinstance(y[0][0], str) else 77]] * 20
    assert model.score(SOME, unseen) == 0


@pytest.mark.parametrize("task", ["numbers", "labels"])
def test_a_weight_of_zero_leaves_a_sequence_out(task):
    model, x, y = {
        "numbers": (Seq2SeqRegressor(**FAST), X, Y),
        "labels": (Seq2SeqClassifier(**FAST), SOME * 3, SAME * 3),
    }[task]
    n = len(y)
    weights = np.where(np.arange(n) < n // 2, 2.0, 0.0)
    weighted = clone(model).fit(x, y, sample_weight=weights)
    if task == "numbers":
        alone = clone(model).fit(x[: n // 2], y[: n // 2])
        assert_same_network(weighted, alone)
    else:
        assert weighted.history_["loss"][0] > 0


# State


def test_fits_are_repeatable_and_survive_pickling(reverser):
    again = clone(reverser).fit(WORDS, BACKWARDS)
    assert_same_network(again, reverser)
    loaded = pickle.loads(pickle.dumps(reverser))
    assert loaded.predict(SOME) == reverser.predict(SOME)
    assert loaded._spec == reverser._spec
    assert loaded.set_params(n_beams=3).predict(SOME)


def test_early_stopping_keeps_the_best_epoch():
    options = dict(early_stopping=True, patience=2, epochs=50)
    for model, x, y in (
        (Seq2SeqClassifier(**FAST | options), WORDS, BACKWARDS),
        (Seq2SeqRegressor(**FAST | options), X, Y),
    ):
        losses = model.fit(x, y).history_["val_loss"]
        assert model.best_epoch_ == np.argmin(losses) + 1
        assert model.n_iter_ == len(losses)


def test_warm_start_goes_on(reverser):
    model = Seq2SeqClassifier(**FAST, warm_start=True).fit(WORDS, BACKWARDS)
    first = model.history_["loss"][0]
    model.fit(SOME, SAME)
    assert (model.n_iter_, len(model.history_["loss"])) == (4, 4)
    assert model.history_["loss"][2] < first
    with pytest.raises(ValueError, match="y contains the unknown label 'z'"):
        model.fit(["ab", "ba"], ["z", "a"])
    with pytest.raises(ValueError, match="cannot go on training: units, "):
        model.set_params(units=3).fit(SOME, SAME)
    numbers = Seq2SeqRegressor(**FAST, warm_start=True).fit(X, Y)
    assert numbers.fit(X, Y + 1).n_iter_ == 4
    with pytest.raises(ValueError, match=re.escape("was fitted with ('n', 3)")):
        numbers.fit(X, Y[:, :2])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_is_told():
    model = Seq2SeqRegressor(**FAST | dict(learning_rate=1e38, epochs=9, clipnorm=None))
    with pytest.warns(ConvergenceWarning, match="Training of Seq2SeqRegressor stopped"):
        model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


def test_no_backend_is_loaded():
    in_new_process("""
import sys
from skrnn import Seq2SeqClassifier
words = ["ab", "ba", "abb", "bab"] * 10
model = Seq2SeqClassifier(units=4, epochs=2, n_beams=2).fit(words, words)
model.predict(words)
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"tensorflow", "keras", "jax", "torch"}, loaded
""")
