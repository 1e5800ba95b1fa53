"""scikeras' wrappers where each time step has an answer: labels, numbers, weights."""

import keras
import numpy as np
import pandas as pd
import pytest
from _tables import covering
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
)

from skrnn.metrics import get_scorer
from skrnn.scikeras import KerasClassifier, KerasRegressor, recurrent_network

# In one worker: most train the same network, which takes seconds to compile.
pytestmark = pytest.mark.xdist_group("taggers")

N, T = 18, 5
RNG = np.random.default_rng(0)
LENGTHS = 2 + np.arange(N) % 4
X = RNG.normal(size=(N, T, 2)).astype(np.float32)
PADDED = np.where((np.arange(T) < LENGTHS[:, None])[:, :, None], X, -9).astype("f4")
REAL = np.arange(T) < LENGTHS[:, None]
WEIGHTS = RNG.uniform(0, 2, size=(N, T))
# A row without any weight, and a step.
WEIGHTS[3], WEIGHTS[5, 1] = 0, 0
TWO = (X[:, :, 0] > 0).astype(int)
THREE = np.digitize(X[:, :, 0], [-0.5, 0.5])
LEARNS = dict(optimizer="adam", optimizer__learning_rate=0.05, epochs=12)
FAST = dict(verbose=0, random_state=0, batch_size=8)


def cut(values):
    return [row[:length] for row, length in zip(values, LENGTHS, strict=True)]


def as_objects(rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def steps(end):
    """Build a network that gives an answer for each step."""
    return keras.Sequential(
        [
            keras.Input((None, 2)),
            keras.layers.Masking(-9.0),
            keras.layers.SimpleRNN(4, return_sequences=True),
            end,
        ]
    )


def tagging_network(meta):
    if meta["target_type_"] == "binary":
        return steps(keras.layers.Dense(1, "sigmoid"))
    return steps(keras.layers.Dense(meta["n_classes_"], "softmax"))


def tagger(y, **options):
    n_labels = len(np.unique(np.concatenate([np.ravel(row) for row in y])))
    loss = "sparse_categorical_crossentropy" if n_labels > 2 else "binary_crossentropy"
    return KerasClassifier(tagging_network, loss=loss, **FAST | LEARNS | options)


def last_step(meta):
    end = keras.layers.Dense(1, "sigmoid" if "classes_" in meta else "linear")
    layers = [keras.layers.Masking(-9.0), keras.layers.SimpleRNN(2), end]
    return keras.Sequential([keras.Input((None, 2)), *layers])


def number_network(meta):
    return steps(keras.layers.Dense(1))


def regressor(**options):
    return KerasRegressor(number_network, loss="mse", **FAST | LEARNS | options)


NAMES = np.array(["low", "mid", "high"])
# Name -> X, y.
TAGS = {
    "two numbers": (X, TWO),
    "numbers": (X, THREE + 3),
    "two strings": (X, NAMES[TWO]),
    "strings": (X, NAMES[THREE]),
    "a list of lists": (X, NAMES[THREE].tolist()),
    "ragged, two numbers": (cut(X), cut(TWO)),
    "ragged numbers": (cut(X), cut(THREE + 3)),
    "ragged strings": (cut(X), cut(NAMES[THREE])),
    "ragged lists": (cut(X), [row.tolist() for row in cut(NAMES[THREE])]),
    "objects": (as_objects(cut(X)), as_objects(cut(NAMES[THREE]))),
    "a Series": (cut(X), pd.Series(cut(NAMES[THREE]))),
}


@pytest.mark.parametrize("name", TAGS)
def test_taggers_are_trained_predict_and_are_scored(name):
    data, y = TAGS[name]
    model = tagger(y, metrics=["accuracy"]).fit(data, y)
    predicted, rows = model.predict(data), list(y)
    flat = np.concatenate([np.asarray(row) for row in rows])
    assert [len(row) for row in predicted] == [len(row) for row in rows]
    assert model.classes_.tolist() == np.unique(flat).tolist()
    same = np.concatenate(list(predicted)) == flat
    assert same.mean() == model.score(data, y)
    assert same.mean() > 0.7
    probabilities = model.predict_proba(data)
    for row, labels in zip(probabilities, predicted, strict=True):
        np.testing.assert_allclose(row.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(model.classes_[row.argmax(axis=1)], labels)
    # Padding counts nowhere: the share is one of real steps.
    steps_right = model.history_["accuracy"][-1] * len(flat)
    assert steps_right == pytest.approx(round(steps_right), abs=1e-3)


# As Keras has them. Here, and with the metric, because the programs above serve again.
@pytest.mark.parametrize("name", TAGS)
def test_labels_may_stand_in_a_column(name):
    data, y = TAGS[name]
    columns = [np.asarray(row)[:, None] for row in y]
    if name in ("two numbers", "numbers", "two strings", "strings"):
        columns = np.array(columns)
    options = dict(epochs=1, metrics=["accuracy"])
    flat, column = (tagger(y, **options).fit(data, each) for each in (y, columns))
    predicted = zip(flat.predict(data), column.predict(data), strict=True)
    assert all((a[:, None] == b).all() for a, b in predicted)
    np.testing.assert_array_equal(column.classes_, flat.classes_)
    assert column.score(data, columns) == column.score(data, y) == flat.score(data, y)
    assert get_scorer("token_accuracy")(column, data, columns) == flat.score(data, y)
    column.fit(data, columns, X_val=data, y_val=columns)


@pytest.mark.parametrize("name", ["numbers", "ragged strings"])
def test_in_searches_and_folds(name):
    data, y = TAGS[name]
    model = tagger(y, epochs=1)
    cv, grid = KFold(2), {"optimizer__learning_rate": [0.01, 0.05]}
    search = GridSearchCV(model, grid, cv=cv, error_score="raise").fit(data, y)
    assert 0 < search.best_score_ < 1
    assert (cross_val_score(model, data, y, cv=2, error_score="raise") > 0).all()
    found = cross_val_predict(model, data, y, cv=cv)
    assert [len(row) for row in found] == [len(row) for row in y]
    with pytest.raises(NotImplementedError, match="method='predict'"):
        cross_val_predict(model, data, y, cv=cv, method="predict_proba")


def test_probabilities_out_of_fold_of_one_label_a_sequence():
    model = KerasClassifier(last_step, loss="binary_crossentropy", **FAST)
    for data in (X, cut(X)):
        found = cross_val_predict(
            model, data, NAMES[TWO[:, 0]], cv=2, method="predict_proba"
        )
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_our_networks_tag():
    model = KerasClassifier(
        recurrent_network, model__return_sequences=True, model__units=4, **FAST
    )
    for y, table in ((TWO, X), (NAMES[THREE], X), (TWO, X[:, :, 0])):
        fitted = model.fit(table, y)
        assert fitted.predict(table).shape == y.shape
        assert fitted.predict_proba(table).shape == (*y.shape, len(np.unique(y)))
        assert 0 < fitted.score(table, y) <= 1


def test_one_hot_steps_are_scored():
    one_hot = np.eye(3)[THREE]
    model = KerasClassifier(
        lambda: steps(keras.layers.Dense(3, "softmax")),
        loss="categorical_crossentropy",
        **FAST,
    ).fit(X, one_hot)
    right = (model.predict(X) == one_hot).all(axis=2)
    assert model.score(X, one_hot) == right.mean()
    weighted = np.average(right, weights=WEIGHTS)
    assert model.score(X, one_hot, WEIGHTS) == pytest.approx(weighted)


def test_several_labels_at_once_that_are_as_many_as_steps():
    def build():
        end = [keras.layers.SimpleRNN(4), keras.layers.Dense(T, "sigmoid")]
        return keras.Sequential([keras.Input((T, 2)), *end])

    model = KerasClassifier(build, loss="binary_crossentropy", **FAST).fit(X, TWO)
    assert model.predict_proba(X).shape == (N, T)
    assert model.target_type_ == "multilabel-indicator"
    assert model.score(X, TWO) == (model.predict(X) == TWO).all(axis=1).mean()


def test_going_on_with_all_classes():
    model = tagger(THREE)
    model.partial_fit(cut(X)[:2], cut(NAMES[THREE])[:2], classes=np.unique(NAMES))
    model.partial_fit(cut(X), cut(NAMES[THREE]))
    assert model.classes_.tolist() == ["high", "low", "mid"]
    with pytest.raises(ValueError, match="unknown label 'odd"):
        model.partial_fit(cut(X), [np.full(n, "odd ") for n in LENGTHS])


# Weights


def by_keras(make, loss, data, y, weights):
    keras.utils.set_random_seed(1)
    model = make()
    # Eagerly: it takes seconds to compile.
    model.compile("adam", loss, run_eagerly=True)
    kept = slice(None) if weights is None else weights.any(axis=1)
    weights = None if weights is None else weights[kept]
    options = dict(epochs=1, shuffle=False, verbose=0, batch_size=9)
    history = model.fit(data[kept], y[kept], sample_weight=weights, **options)
    return model.get_weights(), history.history["loss"]


def by_us(wrapper, make, loss, data, y, weights):
    def build():
        keras.utils.set_random_seed(1)
        return make()

    options = FAST | dict(optimizer="adam", epochs=1, shuffle=False, batch_size=9)
    model = wrapper(build, loss=loss, **options).fit(data, y, sample_weight=weights)
    return model.model_.get_weights(), model.history_["loss"]


KINDS = {
    "labels": (
        KerasClassifier,
        lambda: steps(keras.layers.Dense(3, "softmax")),
        "sparse_categorical_crossentropy",
        THREE,
    ),
    "numbers": (
        KerasRegressor,
        lambda: steps(keras.layers.Dense(1)),
        "mse",
        X[:, :, 0],
    ),
}
# Name -> whether X is ragged, our weights, Keras' for padded arrays.
WEIGHED = {
    "steps": (False, WEIGHTS, WEIGHTS),
    "rows": (False, 1 + WEIGHTS[:, 0], np.repeat(1 + WEIGHTS[:, :1], T, axis=1)),
    "lists": (False, WEIGHTS.tolist(), WEIGHTS),
    "ragged": (True, cut(WEIGHTS), np.where(REAL, WEIGHTS, 0)),
    "rows of ragged": (True, 1 + WEIGHTS[:, 0], (1 + WEIGHTS[:, :1]) * REAL),
    "none of ragged": (True, None, None),
}


@pytest.mark.parametrize(("name", "kind"), covering(WEIGHED, KINDS))
def test_weights_of_steps_are_those_of_keras(name, kind):
    wrapper, make, loss, y = KINDS[kind]
    is_ragged, ours, theirs = WEIGHED[name]
    data = (cut(X), cut(y)) if is_ragged else (X, y)
    found = by_us(wrapper, make, loss, *data, ours)
    expected = by_keras(make, loss, PADDED if is_ragged else X, y[:, :, None], theirs)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5)
    for one, other in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_scores_are_weighted_by_steps():
    model = tagger(THREE, epochs=1).fit(cut(X), cut(THREE))
    right = np.concatenate(list(model.predict(cut(X)))) == THREE[REAL]
    for weights in (cut(WEIGHTS), np.where(REAL, WEIGHTS, 9)):
        expected = np.average(right, weights=WEIGHTS[REAL])
        assert model.score(cut(X), cut(THREE), weights) == pytest.approx(expected)
    rows = np.average(right, weights=np.repeat(WEIGHTS[:, 0], LENGTHS))
    assert model.score(cut(X), cut(THREE), WEIGHTS[:, 0]) == pytest.approx(rows)


def test_numbers_of_steps_are_scored_over_all_of_them():
    y = X[:, :, 0].astype(float)
    model = regressor(epochs=1).fit(cut(X), cut(y))
    predicted = model.predict(cut(X))
    assert [len(row) for row in predicted] == LENGTHS.tolist()
    flat = np.concatenate(list(predicted))
    expected = r2_score(y[REAL], flat, sample_weight=WEIGHTS[REAL])
    assert model.score(cut(X), cut(y), cut(WEIGHTS)) == pytest.approx(expected)
    assert model.score(X, y) == pytest.approx(
        r2_score(y.ravel(), model.predict(X).ravel())
    )


def test_gaps_are_allowed_where_nothing_is_weighted():
    y = X[:, :, 0].astype(float)
    gaps = np.where(WEIGHTS == 0, np.nan, y)
    one, other = (regressor(epochs=1).fit(X, each, WEIGHTS) for each in (y, gaps))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert one.score(X, y, WEIGHTS) == other.score(X, gaps, WEIGHTS)
    ragged = regressor(epochs=1).fit(cut(X), cut(gaps), cut(WEIGHTS))
    assert np.isfinite(ragged.history_["loss"]).all()
    with pytest.raises(ValueError, match="Input y contains NaN"):
        one.fit(X, gaps)


@pytest.mark.parametrize("of", ["balanced", {"low": 1.0, "mid": 9.0, "high": 1.0}])
def test_classes_of_steps_are_weighted(of):
    y = NAMES[THREE]
    factors = {"low": 1.0, "mid": 9.0, "high": 1.0}
    if of == "balanced":
        labels, counts = np.unique(y, return_counts=True)
        factors = dict(zip(labels, y.size / 3 / counts, strict=True))
    weights = np.vectorize(factors.get)(y)
    one = tagger(y, class_weight=of, epochs=1).fit(X, y)
    other = tagger(y, epochs=1).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(one.history_["loss"], other.history_["loss"], rtol=1e-5)


ROW = X[:, 0, 0].astype(float)
WRONG = {
    "rows": (number_network, X, X[:, :, 0], WEIGHTS[:4], "one a time step"),
    "steps": (number_network, X, X[:, :, 0], WEIGHTS[:, :4], "one a time step"),
    "NaN": (
        number_network,
        X,
        X[:, :, 0],
        np.full((N, T), np.nan),
        "sample_weight contains NaN",
    ),
    "ragged for an array": (number_network, X, X[:, :, 0], cut(WEIGHTS), "lengths"),
    "other lengths": (
        number_network,
        cut(X),
        cut(X[:, :, 0]),
        cut(WEIGHTS[:, :4]),
        r"sample_weight\[3\] has 4 time steps, but X\[3\] has 5",
    ),
    "zeros": (number_network, X, X[:, :, 0], np.zeros((N, T)), "nothing is left"),
    "one answer a row": (last_step, X, ROW, WEIGHTS, "one answer for each sequence"),
    "one answer a row, ragged": (last_step, cut(X), ROW, cut(WEIGHTS), "lengths"),
    "y of other lengths": (
        number_network,
        cut(X),
        cut(X[:, :4, 0]),
        None,
        r"y\[3\] has 4 time steps, but X\[3\] has 5",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_what_is_wrong(name):
    build, data, y, weights, message = WRONG[name]
    model = KerasRegressor(build, loss="mse", **FAST)
    with pytest.raises(ValueError, match=message):
        model.fit(data, y, sample_weight=weights)


def test_tags_for_a_network_that_answers_once():
    model = KerasClassifier(last_step, loss="binary_crossentropy", **FAST)
    with pytest.raises(ValueError, match="one answer for each sequence"):
        model.fit(cut(X), cut(TWO))


# What is validated on


@pytest.mark.parametrize("name", ["strings", "ragged strings"])
def test_validation_is_read_as_the_training_set(name):
    data, y = TAGS[name]
    model = tagger(y, epochs=2, batch_size=N, random_state=0)
    model.fit(data, y, X_val=data, y_val=y)
    # After the first epoch, which is one step, as before the second.
    assert model.history_["val_loss"][0] == pytest.approx(model.history_["loss"][1])
    with pytest.raises(ValueError, match="y_val is None"):
        model.fit(data, y, X_val=data)
    with pytest.raises(ValueError, match="unknown label"):
        model.fit(data, y, X_val=[X[0, :2]], y_val=[["odd", "low"]])


# Steps that the network masks


TOKENS = np.where(np.arange(T) < (np.arange(N) % 4)[:, None], 0, THREE + 2 * TWO + 1)
OF_TOKENS = NAMES[THREE]


def reader(meta):
    layers = [
        keras.layers.Embedding(6, 3, mask_zero=True),
        keras.layers.SimpleRNN(4, return_sequences=True),
        keras.layers.Dense(meta["n_classes_"], "softmax"),
    ]
    return keras.Sequential([keras.Input((None,)), *layers])


MASKED = {
    "tokens": (reader, TOKENS),
    "lists": (reader, [row.tolist() for row in TOKENS]),
    "numbers": (tagging_network, np.where(TOKENS[:, :, None] == 0, -9, X)),
    "no mask": (lambda meta: steps(keras.layers.Dense(3, "softmax")), X),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_steps_are_not_scored(name):
    build, data = MASKED[name]
    options = FAST | LEARNS | dict(metrics=["accuracy"], epochs=1)
    model = KerasClassifier(build, loss="sparse_categorical_crossentropy", **options)
    model.fit(data, OF_TOKENS)
    codes = np.searchsorted(model.classes_, OF_TOKENS)
    # Keras doesn't compile then, which takes a second.
    model.model_.run_eagerly = True
    _, expected = model.model_.evaluate(np.array(data), codes, verbose=0)
    assert model.score(data, OF_TOKENS) == pytest.approx(expected)
    scored = get_scorer("token_accuracy")(model, data, OF_TOKENS)
    assert scored == pytest.approx(expected)
    real = np.any(np.array(data) != -9, axis=2) if name == "numbers" else TOKENS != 0
    real = real | (name == "no mask")
    same = np.array([*model.predict(data)]) == OF_TOKENS
    assert same[real].mean() == pytest.approx(expected)
    weighted = np.average(same, weights=WEIGHTS * real)
    assert model.score(data, OF_TOKENS, WEIGHTS) == pytest.approx(weighted)


# Labels that don't count


GAPS = np.where(WEIGHTS > 1, WEIGHTS, 0)
PLACEHOLDERS = {
    "a string": np.where(GAPS > 0, NAMES[THREE], "?"),
    "None": np.where(GAPS > 0, NAMES[THREE].astype(object), None),
    "lists": np.where(GAPS > 0, NAMES[THREE].astype(object), None).tolist(),
    "NaN": np.where(GAPS > 0, NAMES[THREE].astype(object), np.nan),
    "numbers": np.where(GAPS > 0, THREE, -100),
    "NaN among numbers": np.where(GAPS > 0, THREE, np.nan),
}


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_label_without_weight_is_no_class(name, ragged):
    y = PLACEHOLDERS[name]
    whole = THREE if "umber" in name else NAMES[THREE]
    data, weights = (cut(X), cut(GAPS)) if ragged else (X, GAPS)
    y, whole = (cut(y), cut(whole)) if ragged else (y, whole)
    made = (tagger(THREE, epochs=2, class_weight="balanced") for _ in range(2))
    one, other = (
        m.fit(data, of, weights) for m, of in zip(made, (y, whole), strict=False)
    )
    assert one.classes_.tolist() == other.classes_.tolist()
    assert one.score(data, y, weights) == other.score(data, whole, weights)
    same = zip(one.predict_proba(data), other.predict_proba(data), strict=True)
    assert all((a == b).all() for a, b in same)
    one.partial_fit(data, y, sample_weight=weights)
    with pytest.raises((ValueError, TypeError)):
        tagger(THREE, epochs=1).fit(data, PLACEHOLDERS["None"])


def test_numbers_keep_their_column():
    y = X[:, :, :1]
    model = regressor(epochs=1).fit(X, y)
    assert model.predict(X).shape == y.shape
