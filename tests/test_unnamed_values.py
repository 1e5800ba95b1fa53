"""What NumPy refuses without a word on where it stands is refused by its name."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skrnn
from skrnn.forecasting import Forecaster, backtest
from skrnn.metrics import (
    perplexity,
    sequence_accuracy_score,
    span_f1_score,
    symmetric_mean_absolute_percentage_error,
    token_accuracy_score,
)
from skrnn.preprocessing import (
    SequencePadder,
    SequenceWise,
    SlidingWindow,
    make_supervised,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3, 1))
Y = X[:, -1, 0]
HUGE = 10**400
TINY = {"units": 2, "epochs": 1, "random_state": 0}
MODEL = skrnn.GRURegressor(**TINY).fit(X, Y)
STEPS = SequenceWise(StandardScaler()).fit(X)
PAIRS = skrnn.Seq2SeqRegressor(**TINY)
WRITER = skrnn.Seq2SeqClassifier(**TINY)
RECORDS = np.zeros((2, 2), "i4,f4")
SERIES = pd.Series(Y, pd.date_range("2024", periods=6))
LABELS = [[0, 1], [1, 0]]
BEYOND = "{} holds an integer beyond 1.8e308, the largest float64"


def with_huge(values):
    values = np.asarray(values, object).copy()
    values.flat[0] = HUGE
    return values


# Name -> what is called, and what the error says.
CALLS = {
    "X, undone": (lambda: STEPS.inverse_transform(with_huge(X)), BEYOND.format("X")),
    "X, steps": (lambda: STEPS.transform(with_huge(X)), BEYOND.format("X")),
    "X, fit": (lambda: MODEL.fit(with_huge(X), Y), BEYOND.format("X")),
    "X, predict": (lambda: MODEL.predict(with_huge(X).tolist()), BEYOND.format("X")),
    "y": (lambda: MODEL.fit(X, with_huge(Y)), BEYOND.format("y")),
    "y, pairs": (lambda: PAIRS.fit(X, with_huge(X[:, :, 0])), BEYOND.format("y")),
    "weights": (lambda: MODEL.fit(X, Y, with_huge(Y)), BEYOND.format("sample_weight")),
    "windows": (lambda: SlidingWindow().fit(with_huge(X[0])), BEYOND.format("X")),
    "padder": (lambda: SequencePadder().fit(with_huge(X)), BEYOND.format("X")),
    "scores": (
        lambda: symmetric_mean_absolute_percentage_error(with_huge(Y), Y),
        BEYOND.format("y_true"),
    ),
    "complex": (
        lambda: perplexity([0, 1], np.full((2, 2), 0.5 + 0j)),
        r"Complex data not supported: y_proba\[0\] has dtype complex128",
    ),
    "sparse y": (
        lambda: PAIRS.fit(X, sparse.coo_array(X[:, :, 0])),
        "Sparse data was passed for y",
    ),
    "sparse labels": (
        lambda: token_accuracy_score(sparse.coo_array(LABELS), LABELS),
        "y_true is a sparse coo_array; expected label sequences",
    ),
    "records": (
        lambda: span_f1_score(RECORDS, LABELS),
        r"y_true\[0\] holds records of dtype",
    ),
    "a class": (lambda: MODEL.fit(X, np.ndarray), "y is the class ndarray; expected"),
    "output": (
        lambda: MODEL.set_output(transform=[[1], [2, 3]]),
        r"transform=\[\[1\], \[2, 3\]\] is no output; expected",
    ),
    "splits": (
        lambda: backtest(Ridge(), None, Y, cv=np.array([[1]])),
        r"Split 0 of cv=.* is array\(\[1\]\); expected \(train, test\)",
    ),
    "names": (
        lambda: MODEL.get_feature_names_out("c0"),
        "input_features='c0' is no list of names; expected",
    ),
    "weights in weights": (
        lambda: MODEL.score(X[:2], Y[:2], sample_weight=[[[1], [2, 3]]] * 2),
        "sample_weight can't be read: ",
    ),
    "weights of words": (
        lambda: skrnn.Seq2SeqClassifier(**TINY).fit(
            ["ab", "b"], ["a", "b"], sample_weight={1, 2}
        ),
        "sample_weight is of type set; expected",
    ),
    "targets": (
        lambda: make_supervised(X[:, :, 0], target=[[1], [2, 3]]),
        "target can't be read: ",
    ),
    "names of steps": (
        lambda: (
            SequenceWise(OneHotEncoder()).fit(X[:, :, 0]).get_feature_names_out("c0")
        ),
        "input_features='c0' is no list of names; expected",
    ),
    "a word as splits": (
        lambda: backtest(Ridge(), None, Y, cv="auto"),
        "cv='auto' is invalid; expected a splitter such as",
    ),
    "a class as splits": (
        lambda: backtest(Ridge(), None, Y, cv=KFold),
        "cv=.*KFold.* is invalid; expected a splitter such as",
    ),
    "printing": (lambda: MODEL.summary(3), "'print_fn' parameter of summary must be"),
    "columns": (
        lambda: symmetric_mean_absolute_percentage_error(Y, Y, multioutput=[1, 2]),
        r"multioutput=\[1, 2\] is invalid for 1 columns; expected",
    ),
    "y of a backtest": (
        lambda: backtest(Ridge(), None, with_huge(Y)),
        BEYOND.format("y"),
    ),
    "a class as y of a backtest": (
        lambda: backtest(Ridge(), None, np.ndarray),
        "y can't be read: ",
    ),
    "several starts of a backtest": (
        lambda: backtest(Ridge(), None, SERIES, initial=sparse.dia_array(np.eye(2))),
        r"(?s)initial=.* can't be compared with the times",
    ),
    "cycles": (
        lambda: Forecaster(Ridge(), calendar=[[1]]).fit(None, SERIES),
        r"calendar has \[1\]; expected names among",
    ),
    "masked records": (
        lambda: sequence_accuracy_score(np.ma.array(RECORDS), LABELS),
        r"y_true\[0\] holds records of dtype",
    ),
    "complex labels": (
        lambda: token_accuracy_score(LABELS, [np.zeros((2, 1), "c8")] * 2),
        "Complex data not supported: y_pred has dtype complex64",
    ),
    "a scalar as a list": (
        lambda: WRITER.fit(["ab", "b"], ["b", "a"]).predict(np.array(1.0)),
        "X is of type ndarray; expected a list of strings",
    ),
    "weights of labels": (
        lambda: skrnn.RNNClassifier(class_weight=[1, 2], **TINY).fit(
            X, [[0, 1], [1, 1]] * 3
        ),
        r"class_weight=\[1, 2\] is invalid for an indicator matrix y; exp",
    ),
    "maxlen": (
        lambda: SequencePadder(maxlen=2**70).fit_transform(X),
        "maxlen=1180591620717411303424 is more than an array has room for",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_error_names_what_was_passed(name):
    call, said = CALLS[name]
    with pytest.raises((ValueError, TypeError), match=said):
        call()


def test_labels_may_be_a_table_in_memory_of_others():
    table = memoryview(np.array(LABELS))
    assert sequence_accuracy_score(table, LABELS) == 1
    assert token_accuracy_score(LABELS, table) == 1


def test_a_table_in_memory_of_others_may_look_one_hot():
    with pytest.warns(UserWarning, match=r"pass np\.argmax\(y, axis=1\)"):
        skrnn.LSTMClassifier(**TINY).fit(X[:3], memoryview(np.eye(3)))
