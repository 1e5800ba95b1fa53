"""Lists of sequences, two dimensions and single steps are read as fit read them."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import KFold, cross_val_predict

from skrnn import LSTMClassifier, LSTMRegressor

TINY = dict(units=4, epochs=3, random_state=0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 5, 2)).astype(np.float32)
Y = X[:, -1, 0]
RAGGED = [x[: 2 + i % 4] for i, x in enumerate(X)]


def test_equally_long_lists_stay_ragged_in_a_fold():
    X = [[1.0, 2, 3], [1.0, 3, 2], [2.0, 1, 1], [1.0, 2], [4.0], [1.0, 2, 3, 4]]
    y = [np.array(x) * 2 for x in X]
    model = LSTMRegressor(**TINY, return_sequences=True).fit(X, y)
    assert model.predict(X[:2]).dtype == object
    predicted = cross_val_predict(model, X, y, cv=KFold(2))
    assert [len(p) for p in predicted] == [len(x) for x in X]


@pytest.mark.parametrize("data", [X, RAGGED], ids=["dense", "ragged"])
def test_two_dimensions_are_no_steps_of_two_features(data):
    model = LSTMRegressor(**TINY).fit(data, Y)
    with pytest.raises(ValueError, match="X has 1 features, but LSTMRegressor is"):
        model.predict(np.zeros((3, 2)))


@pytest.mark.parametrize("attention", ["additive", "dot", "multihead"])
def test_a_keras_model_with_attention_reads_one_step(attention):
    model = LSTMRegressor(**TINY, attention=attention).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.model_(X[:, :1]).numpy().ravel()
    np.testing.assert_allclose(found, model.predict(X[:, :1]), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "told"),
    {
        "labels": ((20, 3), r"take Seq2SeqClassifier\.$"),
        "one-hot": (
            (20, 3, 4),
            r"take Seq2SeqClassifier and, of a one-hot y, y\.argmax\(axis=2\)\.$",
        ),
        "one-hot steps": (
            (20, 5, 4),
            "For a value at each time step set return_sequences=True. For several "
            "labels one after the other take Seq2SeqClassifier",
        ),
    }.values(),
)
def test_sequences_of_labels_are_shown_to_their_estimator(shape, told):
    with pytest.raises(ValueError, match=told):
        LSTMClassifier(**TINY).fit(X, RNG.integers(0, 5, shape))
