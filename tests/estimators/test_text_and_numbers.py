"""Ids and numbers in one network: `categorical_features`."""

import pickle
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    SequenceClassifier,
    TransformerRegressor,
    load,
    save,
)
from skrnn.persistence import export, load_network
from skrnn.preprocessing import TextSequencer

RNG = np.random.default_rng(0)
# Two numbers and, between them, an id.
IDS = RNG.integers(0, 4, (60, 5))
NUMBERS = RNG.normal(size=(60, 5, 2)).round(2)
X = np.concatenate([NUMBERS[..., :1], IDS[..., None], NUMBERS[..., 1:]], axis=-1)
Y = (IDS == 3).sum(axis=1) + NUMBERS[..., 0].sum(axis=1)
TINY = dict(units=4, epochs=2, random_state=0)
MIXED = dict(categorical_features=[1], embedding_dim=2)
CLOSE = dict(rtol=1e-4, atol=1e-5)

TEXTS = ["good food", "bad food", "good wine, good room", "bad room"] * 10
FRAME = pd.DataFrame(
    {"text": TEXTS, "price": RNG.normal(size=40), "stars": RNG.integers(1, 6, 40)}
)
# Neither the words nor the price tell it alone.
LABELS = np.array(["good" in t for t in TEXTS]) ^ (FRAME["price"].to_numpy() > 0)


def columns(**options):
    return make_column_transformer(
        (TextSequencer(padding="post", **options), "text"),
        (StandardScaler(), ["price", "stars"]),
    )


def on_frames(**params):
    network = GRUClassifier(
        categorical_features=slice(None, -2), embedding_dim=3, **params
    )
    return make_pipeline(columns(), network)


# Sequences of ids and numbers in channels

NETWORKS = {
    "plain": (GRURegressor, {}),
    "each step": (LSTMRegressor, dict(return_sequences=True)),
    "both directions": (GRURegressor, dict(bidirectional=True, attention="dot")),
    "dropped": (GRURegressor, dict(dropout=0.3, recurrent_dropout=0.2)),
    "convolutions": (GRURegressor, dict(conv_filters=3, conv_kernel_size=2)),
    "blocks": (
        TransformerRegressor,
        dict(
            d_model=4,
            n_heads=2,
            dim_feedforward=4,
            dropout=0.0,
            epochs=2,
            random_state=0,
        ),
    ),
}


def fitted(key, **more):
    cls, params = NETWORKS[key]
    own = {} if cls is TransformerRegressor else TINY
    y = X[..., 1] if params.get("return_sequences") else Y
    return cls(**MIXED | own | params | more).fit(X, y)


@pytest.mark.parametrize("key", NETWORKS)
def test_it_predicts_alike_however_it_is_asked(key, tmp_path):
    model = fitted(key)
    found = model.predict(X)
    ragged = [x[: 1 + i % 5] for i, x in enumerate(X[:12])]
    alone = [model.predict([x])[0] for x in ragged]
    for one, among in zip(alone, model.predict(ragged), strict=True):
        np.testing.assert_allclose(one, among, **CLOSE)
    save(model, tmp_path / "model")
    for again in (pickle.loads(pickle.dumps(model)), load(tmp_path / "model")):
        np.testing.assert_array_equal(again.predict(X), found)
    export(model, tmp_path / "network", format="numpy")
    elsewhere = load_network(tmp_path / "network").predict(X.astype(np.float32))
    np.testing.assert_allclose(elsewhere, found, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("key", ["each step", "blocks"])
def test_the_keras_model_computes_it(key):
    model = fitted(key)
    found = model.model_(X.astype(np.float32)).numpy()[..., 0]
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("key", ["plain", "blocks"])
def test_both_engines_train_it_alike(key):
    options = dict(optimizer="sgd", shuffle=False)
    cpu, on_keras = (fitted(key, engine=each, **options) for each in ("cpu", "keras"))
    for a, b in zip(cpu._weights, on_keras._weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_it_learns_from_both():
    options = dict(units=8, epochs=80, learning_rate=0.02, random_state=0)
    model = GRURegressor(**MIXED | options).fit(X, Y)
    assert model.score(X, Y) > 0.9
    numbers_alone = GRURegressor(**options).fit(NUMBERS, Y)
    assert numbers_alone.score(NUMBERS, Y) < model.score(X, Y)


def test_ids_alone_are_looked_up_as_token_ids_are():
    ids = IDS[..., None] + 1
    options = TINY | dict(embedding_dim=3)
    plain = GRURegressor(**options).fit(ids[..., 0], Y)
    mixed = GRURegressor(categorical_features=[0], **options).fit(ids, Y)
    np.testing.assert_allclose(mixed.predict(ids), plain.predict(ids[..., 0]), **CLOSE)
    assert mixed.weights_["embedding_0"]["embeddings"].shape == (5, 3)


FRAMES = [pd.DataFrame(x, columns=["a", "id", "b"]) for x in X]
SAME = {
    "a mask": ([False, True, False], X),
    "an array": (np.array([1]), X),
    "twice": ((1, 1), X),
    "a slice": (slice(1, 2), X),
    "a name": (["id"], FRAMES),
}


@pytest.mark.parametrize("key", SAME)
def test_columns_are_told_in_many_ways(key):
    how, inputs = SAME[key]
    model = GRURegressor(**MIXED | TINY | dict(categorical_features=how))
    expected = fitted("plain").predict(X)
    np.testing.assert_allclose(model.fit(inputs, Y).predict(inputs), expected, **CLOSE)


def test_several_channels_have_tables_of_their_own():
    inputs = np.concatenate([X, IDS[..., None] * 2], axis=-1)
    params = TINY | dict(categorical_features=[1, 3], embedding_dim=(2, 5))
    model = GRURegressor(**params).fit(inputs, Y)
    shapes = [model.weights_[f"embedding_{i}"]["embeddings"].shape for i in (0, 1)]
    assert shapes == [(4, 2), (7, 5)]
    assert model.weights_["gru"]["kernel"].shape[0] == 2 + 5 + 2


def test_vectors_may_be_given():
    matrix = RNG.normal(size=(6, 3)).astype(np.float32)
    params = dict(embedding_matrix=matrix, embedding_trainable=False)
    model = GRURegressor(categorical_features=[1], **TINY, **params).fit(X, Y)
    np.testing.assert_array_equal(model._weights[0], matrix)
    # It has a row for an id that fit hasn't seen.
    model.predict(np.where(X == 3, 5, X))


def test_a_stream_follows_it():
    model = fitted("plain")
    stream = model.stream()
    found = [stream.update(x) for x in X[0]]
    expected = [model.predict(X[:1, : t + 1])[0] for t in range(5)]
    np.testing.assert_allclose(found, expected, **CLOSE)
    for bad in ([0, 0.5, 0], [0, -1, 0], [0, 4, 0]):
        with pytest.raises(ValueError, match=r"whole numbers from 0 on below \[4\] in"):
            stream.update(bad)


def test_training_goes_on():
    model = fitted("plain", warm_start=True)
    model.partial_fit(X[:20], Y[:20]).fit(X, Y)
    assert model.n_iter_ == 5
    with pytest.raises(ValueError, match="cannot go on training: categorical_features"):
        model.set_params(categorical_features=[1, 2]).fit(X, Y)


# A table, in which the ids are the steps of a row


def test_a_pipeline_learns_from_texts_and_columns():
    model = on_frames(units=8, epochs=60, learning_rate=0.03, random_state=0)
    assert model.fit(FRAME, LABELS).score(FRAME, LABELS) > 0.95
    words = make_pipeline(TextSequencer(), GRUClassifier(embedding_dim=3, **TINY))
    assert words.fit(TEXTS, LABELS).score(TEXTS, LABELS) < 0.8


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_searches_and_splitters_take_it(output, tmp_path):
    model = clone(on_frames(**TINY)).set_output(transform=output)
    search = GridSearchCV(model, {"gruclassifier__embedding_dim": [2, 3]}, cv=2)
    search.fit(FRAME, LABELS)
    assert len(cross_val_predict(model, FRAME, LABELS, cv=2)) == len(FRAME)
    found = search.predict_proba(FRAME)
    save(search.best_estimator_, tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict_proba(FRAME), found)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 3))
@settings(max_examples=20)
def test_padding_changes_nothing(table_network, ids, n_more):
    numbers = [0.5, -1.0]
    expected = table_network.predict_proba(_rows(ids + [0] * (6 - len(ids)), numbers))
    n_before = min(n_more, 6 - len(ids))
    before = [0] * n_before + ids
    found = table_network.predict_proba(
        _rows(before + [0] * (6 - len(before)), numbers)
    )
    np.testing.assert_allclose(found, expected, **CLOSE)
    other = table_network.predict_proba(_rows(ids + [0] * (6 - len(ids)), [5.0, 5.0]))
    assert not np.allclose(other, expected)


@pytest.fixture(scope="module")
def table_network():
    rng = np.random.default_rng(1)
    table = np.hstack([rng.integers(0, 6, (50, 6)), rng.normal(size=(50, 2))])
    model = SequenceClassifier(categorical_features=range(6), embedding_dim=2, **TINY)
    return model.fit(table, table[:, 6] > 0)


def _rows(ids, numbers):
    return np.array([[*ids, *numbers]])


def test_a_table_is_those_steps_with_the_numbers_beside_them(table_network):
    table = np.array([[1, 2, 5, 0, 0, 0, 0.5, 2.0]])
    steps = [[i, 0.5, 2.0] for i in (1, 2, 5)]
    stream = table_network.stream("predict_proba")
    found = [stream.update(each) for each in steps][-1]
    expected = table_network.predict_proba(table)[0]
    np.testing.assert_allclose(found, expected, **CLOSE)
    assert table_network.n_features_in_ == 8
    with pytest.raises(ValueError, match="can't be exported"):
        export(table_network, "nowhere", format="numpy")


# What can't be used

BAD = {
    "no vectors": (
        dict(embedding_dim=None),
        X,
        "categorical_features=[1] of GRURegressor needs an embedding_dim",
    ),
    "no columns": (
        dict(categorical_features=[]),
        X,
        "categorical_features=[] of GRURegressor",
    ),
    "an empty slice": (
        dict(categorical_features=slice(5, 9)),
        X,
        "categorical_features=slice(5, 9, None) of GRURegressor names no column",
    ),
    "beyond": (
        dict(categorical_features=[3]),
        X,
        "categorical_features=[3] of GRURegressor must lie in [0, 2], the columns of",
    ),
    "negative": (dict(categorical_features=[-1]), X, "must lie in [0, 2]"),
    "a short mask": (
        dict(categorical_features=[True]),
        X,
        "must have one bool for each of the 3 columns of X",
    ),
    "fractions": (
        dict(categorical_features=[0.5]),
        X,
        "must be a slice, or a list of ints, bools or names",
    ),
    "lists": (
        dict(categorical_features=[[1], [1, 2]]),
        X,
        "categorical_features=[[1], [1, 2]] of GRURegressor is no list",
    ),
    "names of an array": (
        dict(categorical_features=["id"]),
        X,
        "has 'id', which is no column of X, which has no names of columns.",
    ),
    "another name": (
        dict(categorical_features=["ids"]),
        FRAMES,
        "has 'ids', which is no column of X, which has ['a', 'id', 'b'].",
    ),
    "numbers for ids": (
        dict(categorical_features=[0]),
        np.full((60, 5, 3), 0.25),
        "X holds 0.25, but ids are whole numbers: categorical_features says that "
        "channel 0 of each step is an id.",
    ),
    "negative ids": (
        {},
        -np.ones((60, 5, 3)),
        "X holds -1, but ids must not be negative",
    ),
    "large ids": (
        {},
        np.full((60, 5, 3), 2.0**24),
        "X holds 16777216, but ids beside numbers must be below 2**24",
    ),
    "lengths for more": (
        dict(embedding_dim=(2, 3)),
        X,
        "embedding_dim=(2, 3) is for 2 channels of token ids a step, but X has 1.",
    ),
    "vectors by word": (
        dict(embedding_dim=None, embedding_matrix={"a": [1.0]}),
        X,
        "X doesn't tell the words of its ids",
    ),
    "NaN": ({}, np.where(X == 3, np.nan, X), "Input X contains NaN"),
}


@pytest.mark.parametrize("key", BAD)
def test_what_cannot_be_used_is_named(key):
    params, inputs, message = BAD[key]
    model = GRURegressor(**MIXED | TINY | params)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(inputs, Y)
    assert not hasattr(model, "n_iter_")


def test_later_input_is_checked():
    model = fitted("plain")
    with pytest.raises(ValueError, match="X holds 4, but GRURegressor was fitted with"):
        model.predict(np.where(X == 3, 4, X))
    with pytest.raises(ValueError, match="X has 2 features, but GRURegressor is"):
        model.predict(X[..., :2])
    with pytest.raises(ValueError, match="fitted with categorical_features, which now"):
        clone_of(model, categorical_features=None).predict(X)
    plain = GRURegressor(**TINY).fit(X, Y)
    with pytest.raises(ValueError, match="fitted without categorical_features, which"):
        clone_of(plain, **MIXED).predict(X)


def clone_of(model, **params):
    return pickle.loads(pickle.dumps(model)).set_params(**params)


TAMPERED = {
    "twice": dict(columns=(1, 1), sizes=(4, 4), dims=(2, 2), n_numbers=1),
    "beyond": dict(columns=(3,)),
    "too many numbers": dict(n_numbers=3),
    "a table more": dict(sizes=(4, 4)),
}


@pytest.mark.parametrize("key", TAMPERED)
def test_a_state_that_was_changed_is_refused(key):
    model = fitted("plain")
    (first, *others), state = model._spec.layers, model.__getstate__()
    spec = replace(model._spec, layers=(replace(first, **TAMPERED[key]), *others))
    state["_spec"] = spec.to_json()
    with pytest.raises(ValueError, match="isn't the state of a fitted GRURegressor"):
        GRURegressor().__setstate__(state)
    state = model.__getstate__() | {"_id_columns": (0.5,)}
    with pytest.raises(ValueError, match="_id_columns must be columns of X"):
        GRURegressor().__setstate__(state)
