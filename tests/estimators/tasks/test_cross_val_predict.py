"""Predictions out of fold: row i belongs to ``X[i]``, whatever form answers have."""

import inspect

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    _validation,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline

from skrnn import (
    GRUClassifier,
    GRURegressor,
    Seq2SeqClassifier,
    Seq2SeqRegressor,
    SequenceClassifier,
    _engine,
)
from skrnn._estimators.tasks import out_of_fold

RNG = np.random.default_rng(0)
N = 18
FAST = dict(units=4, epochs=2, learning_rate=0.05, random_state=0)
LENGTHS = 2 + np.arange(N) % 4

X = RNG.normal(size=(N, 5, 2))
RAGGED = [x[:length] for x, length in zip(X, LENGTHS, strict=True)]
# As many labels as steps: a table of probabilities would fit the folds by its shape.
FIVE = np.digitize(X[:, :, 0], [-1, -0.3, 0.3, 1])
STRINGS = np.array(["v", "w", "x", "y", "z"])[FIVE]
WORDS = ["abcd"[: 1 + i % 3] for i in range(N)]
LISTS = [list(word) for word in WORDS]
# All of one length, but no table.
PAIRS = [["a", "b"] if i % 2 else ["b", "c"] for i in range(N)]


def cut(y):
    return [row[:length] for row, length in zip(y, LENGTHS, strict=True)]


def as_objects(rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


TAGGER = GRUClassifier(return_sequences=True, **FAST)
STEPS = GRURegressor(return_sequences=True, **FAST)
SPELLER = Seq2SeqClassifier(**FAST)

# Name -> estimator, X, y.
TAGGERS = {
    "table of numbers": (TAGGER, X, FIVE),
    "table of strings": (TAGGER, X, STRINGS),
    "arrays": (TAGGER, RAGGED, cut(FIVE)),
    "arrays of strings": (TAGGER, RAGGED, cut(STRINGS)),
    "objects": (TAGGER, as_objects(RAGGED), as_objects(cut(STRINGS))),
    "lists": (TAGGER, RAGGED, [row.tolist() for row in cut(FIVE)]),
    "equal lists": (TAGGER, list(X), FIVE.tolist()),
}
SPELLERS = {
    "words": (SPELLER, WORDS, WORDS),
    "array of words": (SPELLER, WORDS, np.array(WORDS)),
    "lists of letters": (SPELLER, WORDS, LISTS),
    "tuples": (SPELLER, WORDS, [tuple(each) for each in LISTS]),
    "arrays of letters": (SPELLER, WORDS, [np.array(each) for each in LISTS]),
    "objects of letters": (SPELLER, WORDS, as_objects(LISTS)),
    "pairs": (SPELLER, RAGGED, PAIRS),
    "table": (SPELLER, X, np.array(PAIRS)),
    "tags as lists": (SPELLER, RAGGED, [row.tolist() for row in cut(FIVE)]),
    "beams": (clone(SPELLER).set_params(n_beams=2), WORDS, LISTS),
}
NUMBERS = {
    "steps": (STEPS, X, X[:, :, 0]),
    "ragged steps": (STEPS, RAGGED, cut(X[:, :, 0])),
    "ragged steps of two": (STEPS, RAGGED, cut(X)),
    "horizons": (Seq2SeqRegressor(**FAST), RAGGED, X),
}
CASES = TAGGERS | SPELLERS | NUMBERS


def rows_of(data, rows):
    return data[rows] if isinstance(data, np.ndarray) else [data[i] for i in rows]


def by_hand(model, X, y, method="predict"):
    """Return a list with what is predicted for each row out of its fold."""
    found = [None] * N
    for train, test in KFold(3, shuffle=True, random_state=0).split(X):
        fitted = clone(model).fit(rows_of(X, train), rows_of(y, train))
        predicted = getattr(fitted, method)(rows_of(X, test))
        for row, answer in zip(test, predicted, strict=True):
            found[row] = answer
    return found


@pytest.mark.parametrize("name", CASES)
def test_each_row_has_its_own_prediction(name):
    model, X, y = CASES[name]
    found = cross_val_predict(model, X, y, cv=KFold(3, shuffle=True, random_state=0))
    table = isinstance(y, np.ndarray) and y.ndim > 1
    assert found.shape == (y.shape if table else (N,))
    for one, other in zip(found, by_hand(model, X, y), strict=True):
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(TAGGERS.keys() - {"lists", "equal lists"}))
def test_a_number_of_folds_does_too(name):
    # A list of lists is refused by scikit-learn, which looks for strata in it.
    model, X, y = CASES[name]
    found = cross_val_predict(model, X, y, cv=2)
    assert [len(row) for row in found] == [len(row) for row in y]


def test_in_workers_and_pipelines():
    model, X, y = CASES["lists of letters"]
    expected = cross_val_predict(model, X, y, cv=KFold(3))
    with joblib.parallel_config("threading"):
        found = cross_val_predict(
            make_pipeline("passthrough", model), X, y, cv=KFold(3), n_jobs=2
        )
    assert found.tolist() == expected.tolist()


# Lists of predictions


def test_predictions_stay_lists():
    predicted = clone(SPELLER).fit(WORDS, PAIRS).predict(WORDS)
    assert isinstance(predicted, list)
    assert predicted == [list(each) for each in predicted]
    assert np.asarray(predicted).shape == (N,)
    assert np.asarray(predicted).dtype == object


def test_predicted_words_are_an_array_of_any_type_that_is_asked_for():
    predicted = clone(SPELLER).fit(WORDS, WORDS).predict(WORDS)
    assert np.array(predicted, dtype=str).dtype.kind == "U"
    with pytest.raises(ValueError, match="copy"):
        np.array(predicted, copy=False)


# Probabilities

METHODS = "predict_proba", "predict_log_proba"


@pytest.fixture
def no_fit(monkeypatch):
    """Let no network be trained."""

    def train(*_args, **_kwargs):
        pytest.fail("a network was trained")

    monkeypatch.setattr(_engine, "train", train)


@pytest.mark.usefixtures("no_fit")
@pytest.mark.parametrize("wrap", [None, make_pipeline, "search"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", TAGGERS | SPELLERS)
def test_probabilities_are_refused_before_a_fit(name, method, wrap):
    model, X, y = CASES[name]
    if wrap == "search":
        model = GridSearchCV(model, {"epochs": [1]}, cv=KFold(2))
    model = make_pipeline(model) if wrap is make_pipeline else model
    with pytest.raises(NotImplementedError, match="method='predict'"):
        cross_val_predict(model, X, y, cv=KFold(3), method=method)


@pytest.mark.usefixtures("no_fit")
def test_the_refusal_says_what_to_do():
    with pytest.raises(
        NotImplementedError, match=r"GRUClassifier.*loop over the folds"
    ):
        cross_val_predict(TAGGER, X, FIVE, method="predict_proba")
    with pytest.raises(NotImplementedError, match=r"Seq2SeqClassifier.*loop"):
        cross_val_predict(SPELLER, WORDS, WORDS, method="predict_proba")


def test_scikit_learn_has_the_names_that_the_refusal_needs():
    asks = inspect.unwrap(_validation.cross_val_predict)
    local = asks.__code__.co_varnames + asks.__code__.co_cellvars
    assert out_of_fold._NAMES | {"le"} <= {*local}
    assert "delayed(_fit_and_predict)" in inspect.getsource(asks)
    assert inspect.isfunction(_validation._fit_and_predict)


@pytest.mark.parametrize("name", ["X", "y", "method", "le", "_fit_and_predict"])
def test_other_names_of_scikit_learn_do_no_harm(name, monkeypatch):
    # A y of numbers; le is one that knows no classes.
    call = {"X": X, "y": FIVE, "method": "predict_proba", "le": None}
    monkeypatch.setattr(out_of_fold, "_call_of_cross_val_predict", lambda: call)
    with pytest.raises(NotImplementedError):
        clone(TAGGER)
    call.pop(name, None)
    if name == "_fit_and_predict":
        monkeypatch.undo()
        monkeypatch.delattr(_validation, name)
    if name == "le":
        with pytest.raises(NotImplementedError):
            clone(TAGGER)
    else:
        assert clone(TAGGER).get_params() == TAGGER.get_params()


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_of_one_answer_a_sequence(method):
    one_each = FIVE[:, 0] % 2
    cases = [
        (SequenceClassifier(**FAST), RAGGED, np.array(["no", "yes"])[one_each]),
        # Several labels at once.
        (SequenceClassifier(**FAST), X, FIVE % 2),
        (SPELLER, X, one_each),
    ]
    for model, data, y in cases:
        cv = KFold(3, shuffle=True, random_state=0)
        found = cross_val_predict(model, data, y, cv=cv, method=method)
        np.testing.assert_array_equal(found, by_hand(model, data, y, method))


def test_a_tagger_that_is_no_part_of_what_is_predicted():
    """Whoever trains one inside of its own ``fit`` may clone it there."""

    class Own(SequenceClassifier):
        def fit(self, X, y):
            self.tagger_ = clone(TAGGER).fit(X, X[:, :, 0] > 0)
            return super().fit(X, y)

    y = X[:, 0, 0] > 0
    found = cross_val_predict(Own(**FAST), X, y, cv=2, method="predict_proba")
    assert found.shape == (N, 2)


def test_calibration_by_predictions_out_of_fold():
    model = CalibratedClassifierCV(SequenceClassifier(**FAST), cv=2, ensemble=False)
    assert model.fit(X, X[:, 0, 0] > 0).predict_proba(X).shape == (N, 2)
