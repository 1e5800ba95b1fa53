"""What predictions look like: the shape, the precision and the labels of y."""

import numpy as np
import pytest
from _small_fits import every_classifier, every_regressor, quick

from skrnn import RNNClassifier, RNNRegressor


@every_regressor
@pytest.mark.parametrize("shape", [(), (2,)], ids=["n", "n K"])
def test_a_prediction_for_each_sequence_has_the_shape_of_y(estimator, shape, X):
    y = np.random.default_rng(1).normal(size=(24, *shape))
    model = quick(estimator).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.predict(X[:5, :3]).shape == (5, *shape)
    assert model.predict(X).dtype == np.float64


@every_regressor
@pytest.mark.parametrize("shape", [(), (2,)], ids=["n T", "n T K"])
def test_a_prediction_for_each_step_has_the_shape_of_y(estimator, shape, X, ragged):
    rng = np.random.default_rng(1)
    y = rng.normal(size=(24, 5, *shape))
    model = quick(estimator, return_sequences=True).fit(X, y)
    assert model.predict(X).shape == y.shape
    assert model.predict(X[:5, :3]).shape == (5, 3, *shape)
    y = [rng.normal(size=(len(x), *shape)) for x in ragged]
    predicted = model.fit(ragged, y).predict(ragged)
    assert predicted.dtype == object
    assert [steps.shape for steps in predicted] == [steps.shape for steps in y]


def test_one_column_of_targets_a_step_keeps_its_axis(X):
    model = quick(RNNRegressor(), return_sequences=True).fit(X, X[:, :, :1])
    assert model.predict(X).shape == (24, 5, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_numbers_come_back_as_floats_of_their_precision(dtype, X):
    y = (10 * X[:, -1, 0]).astype(dtype)
    expected = np.float32 if dtype == np.float32 else np.float64
    assert quick(RNNRegressor()).fit(X, y).predict(X).dtype == expected


LABELS = {
    "str": np.array(["no", "yes"]),
    "int": np.array([3, 7]),
    "negative": np.array([-1, 1]),
    "float": np.array([0.0, 1.0]),
    "bool": np.array([False, True]),
    "object": np.array(["no", "yes"], dtype=object),
    "float32": np.array([0.0, 1.0], np.float32),
    "int8": np.array([0, 5], np.int8),
    "three": np.array(["a", "b", "c"]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
def test_labels_come_back_as_they_are(labels, X):
    y = labels[np.arange(24) % len(labels)]
    model = quick(RNNClassifier()).fit(X, y)
    np.testing.assert_array_equal(model.classes_, labels)
    assert model.predict(X).dtype == model.classes_.dtype == y.dtype
    steps = np.repeat(y[:, None], 5, axis=1)
    tagger = quick(RNNClassifier(), return_sequences=True).fit(X, steps)
    assert tagger.predict(X).dtype == y.dtype
    assert set(model.predict(X)) <= set(labels)


@every_classifier
@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_of_classes(estimator, n_classes, X):
    y = np.arange(24) % n_classes
    model = quick(estimator).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (24, n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), probabilities.argmax(axis=1))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities))


@every_classifier
def test_several_labels_at_once(estimator, X):
    y = (X[:, -1, [0, 1, 0]] > [0, 0, 1]).astype(int)
    model = quick(estimator).fit(X, y)
    probabilities = model.predict_proba(X)
    assert model.predict(X).shape == probabilities.shape == (24, 3)
    np.testing.assert_array_equal(model.predict(X), probabilities > 0.5)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])


@every_classifier
def test_a_label_for_each_step(estimator, X, ragged):
    model = quick(estimator, return_sequences=True).fit(X, X[:, :, 0] > 0)
    assert model.predict(X).shape == (24, 5)
    assert model.predict(X).dtype == bool
    assert model.predict_proba(X).shape == (24, 5, 2)
    tags = [np.where(x[:, 0] > 0, "up", "down") for x in ragged]
    model.fit(ragged, tags)
    for steps, found in zip(ragged, model.predict(ragged), strict=True):
        assert found.shape == (len(steps),)
        assert set(found) <= {"up", "down"}
    for steps, found in zip(ragged, model.predict_proba(ragged), strict=True):
        assert found.shape == (len(steps), 2)
    logarithms = model.predict_log_proba(ragged)
    np.testing.assert_allclose(logarithms[0], np.log(model.predict_proba(ragged)[0]))


# What is set after `fit` -> the words of the error.
READ_ANEW = {
    "answers to steps": (
        dict(return_sequences=True),
        "return_sequences=True, but this RNN(Regressor|Classifier) was fitted with "
        "False: fit it again, or set it back.",
    ),
    "token ids": (
        dict(embedding_dim=3),
        "was fitted on numbers, and now embedding_dim or embedding_matrix is set: fit",
    ),
}


@pytest.mark.parametrize("key", READ_ANEW)
@pytest.mark.parametrize("method", ["predict", "score", "transform"])
@pytest.mark.parametrize("cls", [RNNRegressor, RNNClassifier])
def test_answers_are_refused_where_they_would_be_read_anew(cls, method, key):
    parameters, words = READ_ANEW[key]
    X = np.arange(40).reshape(10, 4) % 5 + 1
    y = X[:, -1] % 2
    given = (X, y) if method == "score" else (X,)
    model = quick(cls()).fit(X, y)
    before = {name: getattr(model, name) for name in parameters}
    expected = getattr(model, method)(*given)
    model.set_params(**parameters)
    with pytest.raises(ValueError, match=words):
        getattr(model, method)(*given)
    np.testing.assert_array_equal(
        getattr(model.set_params(**before), method)(*given), expected
    )
    # The other way round too.
    steps = parameters.get("return_sequences", False)
    model.set_params(**parameters).fit(X, X % 2 if steps else y)
    with pytest.raises(ValueError, match="fit it again, or set it back"):
        model.set_params(**before).predict(X)


@pytest.mark.parametrize("cls", [RNNRegressor, RNNClassifier])
def test_parameters_of_the_network_count_at_the_next_fit(cls, X):
    y = X[:, -1, 0] > 0
    model = quick(cls()).fit(X, y)
    expected = model.predict(X)
    model.set_params(units=7, bidirectional=True, attention="dot", layer_norm=True)
    np.testing.assert_array_equal(model.predict(X), expected)
