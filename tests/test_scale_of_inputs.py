"""A warning where a feature of X is so large that a network would learn little."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    Forecaster,
    GRUClassifier,
    GRURegressor,
    Seq2SeqRegressor,
    SequenceOutlierDetector,
    TransformerRegressor,
)
from skrnn.preprocessing import SequenceWise

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 2))
Y = X[:, -1, 0]
TINY = dict(epochs=1, random_state=0)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (GRURegressor(units=2, **TINY), Y),
        (GRUClassifier(units=2, **TINY), Y > 0),
        (Seq2SeqRegressor(units=2, **TINY), X[:, :2, 0]),
        (TransformerRegressor(d_model=4, n_heads=2, **TINY), Y),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("far", [lambda x: 1000 * x, lambda x: x + 1000])
def test_every_network_warns(model, y, far):
    model = clone(model)
    with pytest.warns(UserWarning, match=r"Feature \d of X has values around"):
        model.fit(far(X), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
        # The weights are learned from what came first; a warning would come too late.
        model.set_params(warm_start=True).fit(X, y)


def test_the_worst_feature_is_named_once_and_at_the_users_line():
    frames = [pd.DataFrame(x * [1, 200], columns=["a", "b"]) for x in X]
    with pytest.warns(UserWarning, match="Feature 'b' of X") as caught:
        GRURegressor(units=2, **TINY).fit(frames, Y)
    (warning,) = caught
    assert warning.filename == __file__


def test_what_it_advises_helps():
    scaled = make_pipeline(
        SequenceWise(StandardScaler()), GRURegressor(units=2, **TINY)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled.fit(X * 1000 + 5000, Y)


def test_ids_are_of_any_size():
    ids = RNG.integers(1, 1000, size=(20, 5))
    both = np.dstack([ids, X[:, :, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GRURegressor(units=2, embedding_dim=2, **TINY).fit(ids, Y)
        mixed = GRURegressor(units=2, embedding_dim=2, categorical_features=[0], **TINY)
        mixed.fit(both, Y)
    with pytest.warns(UserWarning, match="Feature 1 of X"):
        mixed.fit(both * [1, 1000], Y)


def test_who_scales_by_itself_says_nothing():
    series = 1000 + RNG.normal(size=80).cumsum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Forecaster(horizon=2, n_members=1, estimator=GRURegressor(**TINY)).fit(
            None, series
        )
        SequenceOutlierDetector(units=2, **TINY).fit(1000 + X)
