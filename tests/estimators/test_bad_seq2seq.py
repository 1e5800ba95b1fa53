"""What Seq2SeqRegressor and Seq2SeqClassifier refuse, at fit and at predict."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
from _instances import FAST
from _seq2seq_cases import FUTURE, SAME, SOME, X, Y
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn import Seq2SeqClassifier, Seq2SeqRegressor

# Bad input: key -> estimator, arguments of fit, error, what it says.
LABELS, NUMBERS = Seq2SeqClassifier, Seq2SeqRegressor
NAN = X.copy()
NAN[3, 2, 1] = np.nan
BAD_FITS = {
    "n_beams 0": (LABELS(n_beams=0), SOME, SAME, ValueError, "'n_beams' parameter"),
    "n_beams float": (
        LABELS(n_beams=1.5), SOME, SAME, ValueError, "'n_beams' parameter",
    ),
    "max_length 0": (
        LABELS(max_length=0), SOME, SAME, ValueError, "'max_length' parameter",
    ),
    "length_penalty below 0": (
        LABELS(length_penalty=-1), SOME, SAME, ValueError, "'length_penalty' parameter",
    ),
    "teacher_forcing 1.5": (
        NUMBERS(teacher_forcing=1.5), X, Y, ValueError, "'teacher_forcing' parameter",
    ),
    "teacher_forcing -0.1": (
        LABELS(teacher_forcing=-0.1), SOME, SAME, ValueError,
        "'teacher_forcing' parameter",
    ),
    "teacher_forcing True": (
        LABELS(teacher_forcing=True), SOME, SAME, ValueError,
        "'teacher_forcing' parameter",
    ),
    "attention": (
        LABELS(attention="soft"), SOME, SAME, ValueError, "'attention' parameter",
    ),
    "optimizer": (
        LABELS(optimizer="lambda"), SOME, SAME, ValueError, "'optimizer' parameter",
    ),
    "cell": (LABELS(cell="mgu"), SOME, SAME, ValueError, "'cell' parameter"),
    "loss": (
        LABELS(loss="mean_squared_error"), SOME, SAME, ValueError, "'loss' parameter",
    ),
    "an empty output": (
        LABELS(), SOME[:2], ["ab", ""], ValueError, "y[1] is empty; every sequence",
    ),
    "an empty list": (
        LABELS(), SOME[:2], [["a"], []], ValueError, "y[1] is empty; every sequence",
    ),
    "an empty input": (
        LABELS(), ["ab", ""], SAME[:2], ValueError, "X[1] is empty; every sequence",
    ),
    "no columns": (
        LABELS(), SOME[:2], np.empty((2, 0)), ValueError, "its sequences are empty",
    ),
    "strings and lists": (
        LABELS(), SOME[:2], ["ab", ["a"]], TypeError,
        "y[1] is of type list; expected a string: all",
    ),
    "inputs of strings and lists": (
        LABELS(), [["a"], "ab"], SAME[:2], TypeError,
        "X[0] is of type list; expected a string: all",
    ),
    "strings and numbers": (
        LABELS(), SOME[:2], [["a"], [1]], TypeError,
        "y must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "numbers before strings": (
        LABELS(), [[1, "a"]] * 4, SAME[:4], TypeError,
        "X must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "arrays of numbers before strings": (
        LABELS(), [np.array([1, "a"], object)] * 4, SAME[:4], TypeError,
        "X must hold strings or numbers throughout; it holds 'a' and 1.",
    ),
    "tuples as tokens": (
        LABELS(), [[("a", "N"), ("b", "V")]] * 4, SAME[:4], TypeError,
        "X[0][0] is of type tuple; expected a string or a number.",
    ),
    "strings beside numbers": (
        LABELS(), SOME[:2], [["a", 2], ["a"]], TypeError, "strings or numbers",
    ),
    "None among strings": (
        LABELS(), SOME[:2], ["ab", None], TypeError, "y[1] is None; expected a string",
    ),
    "None among lists": (
        LABELS(), SOME[:2], [["a"], None], TypeError, "y[1] is None; expected a seq",
    ),
    "None in a list": (
        LABELS(), SOME[:2], [["a"], ["a", None]], ValueError, "y[1][1] is None: every",
    ),
    "None among labels": (
        LABELS(), X[:2], [None, 1], ValueError, "y[0] is None: every",
    ),
    "None among inputs": (
        LABELS(), ["ab", None], SAME[:2], TypeError, "X[1] is None; expected a string",
    ),
    "bytes": (
        LABELS(), SOME[:2], [b"ab", b"a"], TypeError, "y[0] is of type bytes",
    ),
    "bytes in lists": (
        LABELS(), SOME[:2], [[b"a"], [b"b"]], TypeError, "y[0][0] is of type bytes",
    ),
    "bytes as input": (
        LABELS(), [b"ab", b"a"], SAME[:2], TypeError, "X[0] is of type bytes",
    ),
    "NaN among labels": (
        LABELS(), SOME[:2], [[1.0], [2.0, np.nan]], ValueError, "y[1][1] is nan: every",
    ),
    "NaN in a table": (
        LABELS(), X[:2], np.array([[1.0, 2], [1, np.nan]]), ValueError,
        "y[1][1] is nan: every",
    ),
    "infinity among labels": (
        LABELS(), SOME[:2], [[1.0], [np.inf]], ValueError, "y[1][0] is infinity",
    ),
    "nested lists": (
        LABELS(), SOME[:2], [[["a"]], [["b"]]], TypeError, "y[0][0] is of type list",
    ),
    "values that are no labels": (
        LABELS(), X[:9], Y[:9], ValueError, "Unknown label type: continuous",
    ),
    "3-D labels": (
        LABELS(), X[:2], np.zeros((2, 2, 2), int), ValueError,
        "y has shape (2, 2, 2); expected a list of strings",
    ),
    "one string": (LABELS(), SOME, "abc", ValueError, "y has shape ()"),
    "no y": (LABELS(), SOME, None, ValueError, "requires y to be passed"),
    "fewer outputs": (
        LABELS(), SOME, SAME[:-1], ValueError, "inconsistent numbers of samples: [20, ",
    ),
    "fewer rows": (
        NUMBERS(), X, Y[:-1], ValueError, "inconsistent numbers of samples: [120, 119]",
    ),
    "one sequence": (
        LABELS(), SOME[:1], SAME[:1], ValueError, "Found 1 sequence(s) while a minimum",
    ),
    "NaN in X": (NUMBERS(), NAN, Y, ValueError, "Input X contains NaN"),
    "NaN in y": (NUMBERS(), X, NAN[:, :, 1], ValueError, "Input y contains NaN"),
    "NaN in 3-D y": (NUMBERS(), X, NAN, ValueError, "Input y contains NaN"),
    "text as numbers": (
        NUMBERS(), X[:2], np.array([["a", "b"]] * 2), ValueError,
        "could not convert string to float",
    ),
    "ragged numbers": (
        NUMBERS(), X[:2], [[1, 2], [1]], ValueError, "y holds sequences of different",
    ),
    "4-D y": (NUMBERS(), X, np.ones((120, 1, 1, 1)), ValueError, "expects (n, H), "),
    "no outputs": (LABELS(), SOME[:2], [], ValueError, "numbers of samples: [2, 0]"),
    "an array of no outputs": (
        LABELS(), SOME[:2], np.array([]), ValueError, "numbers of samples: [2, 0]",
    ),
    "an array of bytes": (
        LABELS(), np.array([b"ab", b"c"]), SAME[:2], TypeError, "X[0] is of type bytes",
    ),
    "None first": (
        LABELS(), [[None, "a"], ["b"]], SAME[:2], ValueError, "X[0][0] is None: every",
    ),
    "an empty horizon": (NUMBERS(), X, Y[:, :0], ValueError, "y has shape (120, 0)"),
}  # fmt: skip


@pytest.mark.parametrize("key", BAD_FITS)
def test_bad_input_is_refused_and_changes_nothing(key):
    model, x, y, error, message = BAD_FITS[key]
    model = clone(model)
    with pytest.raises(error, match=re.escape(message)):
        model.fit(x, y)
    assert not [name for name in vars(model) if name.endswith("_")]
    good = (X[:9], Y[:9]) if isinstance(model, NUMBERS) else (SOME, SAME)
    fitted = type(model)(**FAST).fit(*good)
    expected = list(fitted.predict(good[0]))
    before = dict(vars(fitted))
    params = {name: before[name] for name in model.get_params()}
    with pytest.raises(error, match=re.escape(message)):
        fitted.set_params(**model.get_params()).fit(x, y)
    fitted.set_params(**params)
    assert vars(fitted) == before
    np.testing.assert_array_equal(fitted.predict(good[0]), expected)


NAN_FUTURE = FUTURE.copy()
NAN_FUTURE[1, 1, 1] = np.nan
NAT_FUTURE = FUTURE.astype(object)
NAT_FUTURE[1, 1, 1] = pd.NaT
BAD_FUTURES = {
    "horizon": (FUTURE[:, :2], "future has shape (120, 2, 2), but X has 120 sequences"),
    "rows": (FUTURE[1:], "future has shape (119, 3, 2), but X has 120 sequences"),
    "dimensions": (FUTURE[:, 0, 0], "future has shape (120,), but X has 120"),
    "no features": (FUTURE[:, :, :0], "future has shape (120, 3, 0)"),
    "NaN": (NAN_FUTURE, "Input future contains NaN"),
    "a missing time": (NAT_FUTURE, "future holds NaT of type NaTType"),
    "text": (np.full((120, 3), "a"), "could not convert string to float: future"),
    "ragged": ([[1, 2], [3]] * 60, "future holds sequences of different lengths"),
    "too large": (
        FUTURE * 1e300,
        "Input future contains infinity or a value too large",
    ),
}


@pytest.mark.parametrize("key", BAD_FUTURES)
def test_a_bad_future_is_refused(key):
    future, message = BAD_FUTURES[key]
    with pytest.raises(ValueError, match=re.escape(message)):
        NUMBERS(**FAST).fit(X, Y, future=future)
    model = NUMBERS(**FAST).fit(X, Y, future=FUTURE)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict(X, future=future)


def test_a_future_may_be_a_matrix():
    known = np.arange(360.0).reshape(120, 3)
    one, other = (
        NUMBERS(**FAST).fit(X, Y, future=each).predict(X, future=each)
        for each in (known, known.view(np.matrix))
    )
    np.testing.assert_array_equal(one, other)


def test_a_future_is_given_always_or_never(forecaster):
    model = NUMBERS(**FAST).fit(X, Y, future=FUTURE)
    with pytest.raises(ValueError, match="fitted with future, of 2 features; pass"):
        model.predict(X)
    with pytest.raises(ValueError, match="fitted without future, but here it is given"):
        forecaster.predict(X, future=FUTURE)
    with pytest.raises(ValueError, match="future has 1 features, but Seq2SeqRegressor"):
        model.predict(X, future=FUTURE[:, :, :1])
    with pytest.raises(ValueError, match="future has shape"):
        model.predict(X[:5], future=FUTURE)


BAD_PREDICTIONS = {
    "numbers for strings": (X, TypeError, "X holds numbers, but Seq2SeqClassifier was"),
    "an empty string": (["ab", ""], ValueError, "X[1] is empty"),
    "None": (["ab", None], TypeError, "X[1] is None"),
    "None alone": ([None], TypeError, "X[0] is None; expected a string or a sequence"),
    "an array of None": (np.array([None]), TypeError, "X[0] is None; expected a str"),
    "None in a list alone": ([["a"], [None]], ValueError, "X[1][0] is None: every sym"),
    "lists of None": ([[None, None]], ValueError, "X[0][0] is None: every symbol"),
    "nothing": ([], ValueError, "Found array with 0 sample(s) while a minimum of 1"),
    "one string": ("abc", TypeError, "X is of type str; expected a list of strings"),
    "no X": (None, TypeError, "X is None; expected a list of strings"),
    "a set": ({"ab"}, TypeError, "X is of type set; expected a list of strings"),
    "a generator": (iter(["ab"]), TypeError, "expected a list of strings"),
}


@pytest.mark.parametrize("key", BAD_PREDICTIONS)
def test_bad_input_at_predict(key, reverser):
    x, error, message = BAD_PREDICTIONS[key]
    for method in ("predict", "predict_proba", "predict_beams"):
        with pytest.raises(error, match=re.escape(message)):
            getattr(reverser, method)(x)


def test_strings_for_numbers_at_predict(forecaster):
    with pytest.raises(TypeError, match="X holds strings, but Seq2SeqRegressor was"):
        forecaster.predict(SOME)
    with pytest.raises(ValueError, match="X has 3 features, but Seq2SeqRegressor"):
        forecaster.predict(np.ones((2, 8, 3)))
    with pytest.raises(NotFittedError):
        Seq2SeqRegressor().predict(X)
    with pytest.raises(NotFittedError):
        Seq2SeqClassifier().predict(SOME)


@pytest.mark.parametrize("n_best", [0, 3, -1, 1.5, True, "1"])
def test_n_best_is_from_1_to_n_beams(n_best, reverser):
    model = copy.deepcopy(reverser).set_params(n_beams=2)
    with pytest.raises(ValueError, match="n_best must be an int from 1 to n_beams=2"):
        model.predict_beams(SOME, n_best=n_best)


def test_no_weight_at_all_is_refused():
    with pytest.raises(ValueError, match="Sample weights must contain"):
        LABELS(**FAST).fit(SOME, SAME, sample_weight=np.zeros(20))


@pytest.mark.parametrize("name", ["n_beams", "length_penalty", "max_length"])
def test_parameters_of_decoding_may_be_set_after_fit(reverser, name):
    model = copy.deepcopy(reverser).set_params(**{name: 2})
    assert model.predict(SOME)
    for value in (-1, np.nan, "3"):
        model.set_params(**{name: value})
        for method in ("predict", "predict_proba", "predict_beams"):
            with pytest.raises(ValueError, match=f"'{name}' parameter of Seq2SeqCla"):
                getattr(model, method)(SOME)


def test_a_target_without_axes_is_named_beside_weights():
    with pytest.raises(ValueError, match=r"y has shape \(\); expected a list"):
        Seq2SeqClassifier().fit(SOME[:2], np.array("a", object), sample_weight=[1, 0])
