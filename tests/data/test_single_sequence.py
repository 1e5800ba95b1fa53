"""One sequence given without the axis of sequences is told of, not guessed."""

import numpy as np
import pandas as pd
import pytest
from _frames import FRAMES
from _instances import FAST, LEARNERS, target
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skrnn import GRUClassifier, GRURegressor
from skrnn.preprocessing import SequencePadder, SequenceWise

RNG = np.random.default_rng(0)
N, T = 24, 4
X = RNG.normal(size=(N, T, 1))
WIDE = RNG.normal(size=(N, T, 3))
Y = X[:, -1, 0]
ONE_STEP = r"X of shape \(4, 1\) is read as 4 sequences of one step.* give X\[:1\]"
ONE_FEATURE = "X has 1 features, but .* is expecting 3 features as input"

METHODS = [
    (learner, method)
    for learner in LEARNERS
    for method in ("predict", "predict_proba", "predict_log_proba", "transform")
    if hasattr(learner, method)
]
every_method = pytest.mark.parametrize(
    ("learner", "method"),
    METHODS,
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
FORMS = {
    "(n, T, F)": lambda X: X,
    "list of arrays": list,
    "ragged": lambda X: [x[: 2 + i % 3] for i, x in enumerate(X)],
    "frames": lambda X: [pd.DataFrame(x).add_prefix("f") for x in X],
}


def fitted(learner, X):
    return clone(learner).set_params(epochs=1).fit(X, target(learner, X))


@every_method
def test_a_single_sequence_of_one_feature_is_warned_about(learner, method):
    model = fitted(learner, X)
    with pytest.warns(UserWarning, match=ONE_STEP):
        getattr(model, method)(X[0])
    assert len(getattr(model, method)(X[:1])) == 1


@every_method
def test_a_single_sequence_of_several_features_is_an_error(learner, method):
    for length in (T, 7):
        with pytest.raises(ValueError, match=rf"{ONE_FEATURE}.*X\[:1\]"):
            getattr(fitted(learner, WIDE), method)(np.ones((length, 3)))


@pytest.mark.parametrize("form", FORMS)
def test_whatever_form_fit_had_a_single_sequence_is_told_of(form):
    model = GRURegressor(**FAST).fit(FORMS[form](X), Y)
    with pytest.warns(UserWarning, match=ONE_STEP):
        model.predict(pd.DataFrame(X[0], columns=["f0"]) if form == "frames" else X[0])
    model = GRURegressor(**FAST).fit(FORMS[form](WIDE), Y)
    one = FRAMES["pandas"](WIDE[0], ["f0", "f1", "f2"])
    with pytest.raises(ValueError, match=rf"{ONE_FEATURE}.* \[X\] for a frame"):
        model.predict(one if form == "frames" else WIDE[0])


def test_scores_and_transformers_warn_as_well():
    model = GRURegressor(**FAST).fit(X, Y)
    with pytest.warns(UserWarning, match=ONE_STEP):
        model.score(X[0], Y[:T])
    tagger = GRUClassifier(**FAST, return_sequences=True).fit(X, X[:, :, 0] > 0)
    with pytest.warns(UserWarning, match=ONE_STEP):
        tagger.score(X[0], X[0] > 0)
    for transformer in (SequencePadder(), SequenceWise(StandardScaler())):
        with pytest.warns(UserWarning, match=ONE_STEP):
            transformer.fit(X).transform(X[0])


@every_method
def test_a_single_sequence_with_an_axis_of_features_after_a_table(learner, method):
    model = fitted(learner, X[:, :, 0])
    told = r"X has 1 features, but .* is expecting 4 features as input\..*give X\[:1\]"
    with pytest.raises(ValueError, match=told):
        getattr(model, method)(X[0])
    with pytest.raises(ValueError, match=r"expecting 4 features as input\.$"):
        getattr(model, method)(X[:, :3, 0])


@pytest.mark.parametrize("ids", [False, True])
def test_a_single_sequence_of_one_dimension_is_an_error(ids):
    table = RNG.integers(1, 5, (N, T)) if ids else X[:, :, 0]
    params = {"embedding_dim": 2} if ids else {}
    model = GRURegressor(**FAST, **params).fit(table, Y)
    with pytest.raises(ValueError, match=r"1D array instead.*give X\[:1\]"):
        model.predict(table[0])
    with pytest.raises(ValueError, match=r"SlidingWindow\.$"):
        model.fit(table[0], Y)


def test_a_single_sequence_of_channels_is_an_error():
    ids = RNG.integers(1, 5, (N, T, 3))
    model = GRURegressor(**FAST, embedding_dim=2).fit(ids, Y)
    with pytest.raises(ValueError, match=rf"{ONE_FEATURE}.*X\[:1\]"):
        model.predict(ids[0])


# What is meant as it stands


def test_sequences_of_one_step_are_not_warned_about():
    GRURegressor(**FAST).fit(X[:, :1], Y).predict(X[0])
    GRURegressor(**FAST).fit(X[:, :1, 0], Y).predict(X[0])
    model = GRURegressor(**FAST).fit(X, Y)
    model.predict(X[:, :1])
    model.predict(X[:, :, 0])
    model.predict(X[:5, :2, 0])


def test_documents_of_one_token_are_not_warned_about():
    documents = [row[: 1 + i % 3] for i, row in enumerate(RNG.integers(1, 5, (N, T)))]
    model = GRURegressor(**FAST, embedding_dim=2).fit(documents, Y)
    model.predict(np.array([[1], [2], [3]]))
    model = GRURegressor(**FAST, embedding_dim=2).fit(RNG.integers(1, 5, (N, T)), Y)
    model.predict(np.array([[1], [2], [3]]))
